"""Coordinates at which f has a kink: found by bisection, checked against their own two slopes.

At a kink any value between the left and the right slope is a subgradient, and right. The other
coordinates are then checked strictly, with these frozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.testing.numeric import START
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
    found = point.slopes(part(us, group), vs)
    with np.errstate(all="ignore"):
        least = point.eps * (abs(found.mean) + abs(found.jump))
        return bool(abs(found.jump) > 3 * found.jump_bar + least)


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
