"""Coordinates at which f has a kink: found by bisection, checked against their own two slopes.

At a kink any value between the left and the right slope is a subgradient, and right. The other
coordinates are then checked strictly, with these frozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np

from minitorch.testing.numeric import START, Slopes
from minitorch.testing.probes import Point
from minitorch.testing.report import Kink, Probe

Array = Any
MOST = 64  # kinked coordinates that are looked at one by one
TOGETHER = 4  # a larger group that does not split is not understood


class TooManyKinks(Exception):
    """More coordinates at kinks than can be checked one by one."""


def find_kinks(point: Point, us: Sequence[Array], vs: Sequence[Array], probe: Probe) -> list[Array]:
    """Groups of coordinates (flat numbers), as small as they get, along which the slope jumps."""
    found: list[Array] = []
    todo = [np.flatnonzero(np.concatenate([u.ravel() for u in us]))]
    while todo:
        group = todo.pop()
        if len(group) == 1:
            found.append(group)
        else:
            halves = [half for half in np.array_split(group, 2) if jumps(point, us, vs, half)]
            if halves:
                todo += halves[::-1]
            else:  # only together do they leave the kink
                found.append(group)
        if len(found) + len(todo) > MOST:
            raise TooManyKinks
    return found


def part(us: Sequence[Array], group: Array) -> list[Array | None]:
    """The direction with all coordinates but those of the group left out."""
    out: list[Array | None] = []
    start = 0
    for u in us:
        inside = group[(group >= start) & (group < start + u.size)] - start
        start += u.size
        flat = np.zeros(u.size)
        flat[inside] = u.ravel()[inside]
        out.append(flat.reshape(u.shape) if len(inside) else None)
    return out


def jumps(point: Point, us: Sequence[Array], vs: Sequence[Array], group: Array) -> bool:
    return bool(jumping(point, point.slopes(part(us, group), vs)))


def jumping(point: Point, found: Slopes) -> Array:
    """Do left and right slope differ by more than their error?"""
    with np.errstate(all="ignore"):
        least = point.eps * (abs(found.mean) + abs(found.jump))
        return abs(found.jump) > 3 * found.jump_bar + least


def check_kink(point: Point, us: Sequence[Array], vs: Sequence[Array], gs: Sequence[Array],
               group: Array, start: float = START) -> Kink:
    """Hold the gradient along the group between the slopes, output by output.

    Each output may stand at its own kink, so the bounds are summed over outputs.
    """
    along = part(us, group)
    found = point.slopes(along, vs, fold=False, start=start)
    low = np.minimum(found.left, found.right).sum()
    high = np.maximum(found.left, found.right).sum()
    terms = point.terms(gs, along)
    analytic = float(terms.sum())
    bar = float(np.sqrt(np.sum((found.bar + found.jump_bar) ** 2)))
    tolerance = 3 * bar + 8 * point.eps * (abs(terms).sum() + max(abs(low), abs(high)))
    return Kink(label(point, group), analytic, float(low), float(high), float(tolerance))


def place(point: Point, number: int) -> tuple[int, tuple[int, ...]]:
    """The input and the index in it of a flat coordinate number."""
    for k, x in enumerate(point.xs):
        if number < x.size:
            return k, tuple(int(i) for i in np.unravel_index(number, x.shape))
        number -= x.size
    raise IndexError(number)


def label(point: Point, group: Array) -> str:
    k, index = place(point, int(group[0]))
    text = point.problem.names[k] + (f"[{', '.join(map(str, index))}]" if index else "")
    return text if len(group) == 1 else f"{text} and {len(group) - 1} more together"


def freeze(point: Point, groups: Sequence[Array]) -> None:
    """Leave these coordinates out of all further directions."""
    for group in groups:
        for number in group:
            k, index = place(point, int(number))
            point.free[k][index] = False


def tied(point: Point, start: float) -> Probe | None:
    """The frozen coordinates moved together, seen by outputs whose kink is a tie; None without any.

    Each of the tied inputs of a maximum may have all of the gradient or none, but all together have
    it once: where they move as one, f is smooth. A tie is a kink that moves along with them.
    """
    frozen = [~free for free in point.free]
    if sum(int(f.sum()) for f in frozen) < 2:
        return None
    step = min(s for s, f in zip(point.units, frozen) if f.any())
    together = [f * step for f in frozen]
    vs = point.cotangent()
    there = copy(point)
    there.xs = [(x + START / 16 * u).astype(x.dtype) for x, u in zip(point.xs, together)]
    there.ys = point.problem.value(there.xs)
    us = [point.draw(u.shape, 1024) * u for u in together]
    apart = there.slopes(us, vs, fold=False, start=start)
    whole = point.slopes(together, vs, fold=False, start=start)
    ties = jumping(point, apart) & ~jumping(point, whole)
    if not ties.any():
        return None
    ends = np.cumsum([v.size for v in vs])[:-1]
    vs = [v * tie.reshape(v.shape) for v, tie in zip(vs, np.split(ties, ends))]
    return point.compare("tied coordinates together", together, vs, point.pull(vs), start)
