"""Coordinates at which f has a kink: found by bisection, checked against their own two slopes.

At a kink any value between the left and the right slope is a subgradient, and right. The other
coordinates are then checked strictly, with these frozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
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


def widened(point: Point, us: Sequence[Array], vs: Sequence[Array], gs: Sequence[Array],
            group: Array, groups: Sequence[Array], kink: Kink) -> Kink:
    """The kink, between the slopes at points nearby as well, at which the others are off theirs.

    Of three tied inputs of a sort, the middle one may be any; moved alone from the tie it is the
    first or the last. What counts is the convex hull of gradients around the point (Clarke 1975).
    """
    others = np.setdiff1d(np.concatenate(groups), group)
    if not len(others):
        return kink
    step = point.eps ** (1 / 3)
    around = copy(point)
    for _ in range(48):
        far = part([point.draw(u.shape, 1024) * s for u, s in zip(us, point.units)], others)
        around.xs = [x if w is None else (x + step * w).astype(x.dtype)
                     for x, w in zip(point.xs, far)]
        around.ys = point.problem.value(around.xs)
        found = check_kink(around, us, vs, gs, group, step / 16)
        size = max(abs(kink.low), abs(kink.high), abs(kink.analytic))
        if not found.tolerance <= step * size:  # or f is not finite there
            continue
        kink = replace(kink, low=min(kink.low, found.low), high=max(kink.high, found.high),
                       tolerance=max(kink.tolerance, found.tolerance))
        if kink.inside:
            break
    return kink


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


def tied(point: Point, start: float, alike: bool) -> Probe | None:
    """The frozen coordinates moved together (by equal steps, or if ``alike`` where they are equal),
    seen by outputs whose kink is a tie; None without any.

    Each of the tied inputs of a maximum may have all of the gradient or none, but all together have
    it once: where they move as one, f is smooth. A tie is a kink that moves along with them.
    """
    frozen = [~free for free in point.free]
    if sum(int(f.sum()) for f in frozen) < 2:
        return None
    step = min(s for s, f in zip(point.units, frozen) if f.any())
    together = [f * step for f in frozen]
    if alike:  # several ties: each with its own step
        values = np.unique(np.concatenate([x[f] for x, f in zip(point.xs, frozen)]))
        steps = point.draw(values.shape, 1024)
        together = [f * step * steps[np.searchsorted(values, x).clip(max=len(values) - 1)]
                    for x, f in zip(point.xs, frozen)]
    vs = point.cotangent()
    there = copy(point)
    there.xs = [(x + START / 16 * u).astype(x.dtype) for x, u in zip(point.xs, together)]
    there.ys = point.problem.value(there.xs)
    us = [point.draw(u.shape, 1024) * u for u in together]
    here, moved, whole = (jumping(point, at.slopes(u, vs, fold=False, start=start))
                          for at, u in ((point, us), (there, us), (point, together)))
    if not (moved & ~whole).any():
        return None
    ties = ~whole & (moved | ~here)  # or no kink at all, or one that is odd, like a median's
    ends = np.cumsum([v.size for v in vs])[:-1]
    vs = [v * tie.reshape(v.shape) for v, tie in zip(vs, np.split(ties, ends))]
    return point.compare("tied coordinates together", together, vs, point.pull(vs), start)
