"""A step length that satisfies the strong Wolfe conditions.

Along a descent direction, with ``phi(t) = f(x + t * d)``, they ask for enough decrease,
``phi(t) <= phi(0) + c1 * t * phi'(0)``, and a flat enough place, ``|phi'(t)| <= -c2 * phi'(0)``.
The interval [0, t] grows until it must hold such a step, then shrinks around one (Nocedal & Wright
2006, Algorithms 3.5 and 3.6; the next step by their equation 3.59).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

C1, C2 = 1e-4, 0.9


@dataclass
class Point:
    """A step length ``t``, and there the loss, its gradient, and the slope along the direction."""

    t: Any
    loss: Any
    g: Any
    slope: Any


def cubic_minimum(a: Point, b: Point, low: Any, high: Any) -> Any:
    """Where the cubic through the losses and slopes of two points is least within [low, high].

    The middle, if it has no minimum.
    """
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = square ** 0.5
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, low), high)


def strong_wolfe(phi: Callable[[Any], Point], start: Point, t: Any, longest: Any,
                 tolerance: float, tries: int) -> tuple[Point, int]:
    """The point found, and how often ``phi`` was called: once, and at most ``tries`` times more.

    ``start`` is the point at 0, ``t`` the first step to try. An interval in which no element moves
    by ``tolerance`` (``longest`` is the largest entry of the direction) is not searched further.
    """
    def too_high(p: Point) -> bool:
        return bool(p.loss > start.loss + C1 * p.t * start.slope)

    def flat(p: Point) -> bool:
        return bool(abs(p.slope) <= -C2 * start.slope)

    last, new, tried = start, phi(t), 0
    while True:  # grow
        if tried == tries:
            between = [start, new]
            break
        rising = too_high(new) or (tried > 1 and new.loss >= last.loss)
        if not rising and flat(new):
            return new, tried + 1
        if rising or new.slope >= 0:
            between = [last, new]
            break
        t = cubic_minimum(last, new, new.t + 0.01 * (new.t - last.t), new.t * 10)
        last, new, tried = new, phi(t), tried + 1

    def lower() -> int:
        return 0 if between[0].loss <= between[1].loss else 1

    low, near_an_end = lower(), False
    while tried < tries:  # shrink
        left, right = sorted(p.t for p in between)
        if (right - left) * longest < tolerance:
            break
        t = cubic_minimum(between[0], between[1], left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            near_an_end = False
        elif near_an_end or not left < t < right:  # twice, or quite: move away from it
            t = right - margin if right - t < t - left else left + margin
            near_an_end = False
        else:
            near_an_end = True
        new, tried = phi(t), tried + 1
        if too_high(new) or new.loss >= between[low].loss:
            between[1 - low] = new
            low = lower()
            continue
        if flat(new):
            return new, tried + 1
        if new.slope * (between[1 - low].t - between[low].t) >= 0:
            between[1 - low] = between[low]
        between[low] = new
    return between[low], tried + 1
