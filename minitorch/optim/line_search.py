"""A step length that satisfies the strong Wolfe conditions.

Along a descent direction, with ``phi(t) = f(x + t * d)``, a step ``t`` is taken for which
``phi(t) <= phi(0) + c1 * t * phi'(0)`` (enough decrease) and ``|phi'(t)| <= -c2 * phi'(0)`` (flat
enough). First the interval [0, t] grows until it must hold such a step, then it shrinks around
one (Nocedal & Wright 2006, Algorithms 3.5 and 3.6; cubic interpolation: their equation 3.59).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

C1, C2 = 1e-4, 0.9


@dataclass
class Point:
    """A step length, the loss there, the gradient, and the slope along the direction."""

    t: Any
    f: Any
    g: Any
    slope: Any


def cubic_minimum(a: Point, b: Point, low: Any = None, high: Any = None) -> Any:
    """Where the cubic through both points' values and slopes is least, within [low, high].

    The middle of the interval if the cubic has no minimum.
    """
    if low is None:
        low, high = min(a.t, b.t), max(a.t, b.t)
    if a.t > b.t:
        a, b = b, a
    # d1 is symmetric in both points only in exact arithmetic: as PyTorch, from the first given.
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = square ** 0.5
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, low), high)


def strong_wolfe(phi: Callable[[Any], Point], start: Point, t: Any, longest: Any,
                 tolerance: float, evaluations: int) -> tuple[Point, int]:
    """A point along the direction that satisfies both conditions, and how often ``phi`` was called.

    ``start``: the point at 0. ``t``: the first try. ``longest``: the largest entry of the
    direction; intervals shorter than ``tolerance`` in ``x`` are not searched further. Gives the
    best point known after ``evaluations`` more calls.
    """
    def enough_decrease(p: Point) -> bool:
        return not p.f > start.f + C1 * p.t * start.slope

    def flat(p: Point) -> bool:
        return bool(abs(p.slope) <= -C2 * start.slope)

    # Grow, until a step that satisfies both conditions is found or lies in between.
    before, new = start, phi(t)
    calls, done = 1, False
    for _ in range(evaluations):
        if not enough_decrease(new) or (calls > 2 and new.f >= before.f) or new.slope >= 0:
            done = enough_decrease(new) and not (calls > 2 and new.f >= before.f) and flat(new)
            break
        if flat(new):
            done = True
            break
        t = cubic_minimum(before, new, new.t + 0.01 * (new.t - before.t), new.t * 10)
        before, new = new, phi(t)
        calls += 1
    if done:
        return new, calls
    ...
    return new, calls
