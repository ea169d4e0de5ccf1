"""The slope of a function of one variable at 0, from values alone, with an error bar.

Central differences at steps that halve, extrapolated to step 0 (Richardson 1911; the table with an
error estimate is Ridders', Adv. Eng. Software 4, 1982). The same values give the slope's jump at 0:

    (r(h) - r(-h)) / 2h = mean + O(h^2)      mean of the right and the left slope
    (r(h) + r(-h)) / 2h = jump + O(h)        half of right - left; 0 where r is smooth

An estimate of the error can come out too small by luck. So no bar is below what the noise of r
allows, and that noise is measured: differences of high order on a fine grid leave nothing of a
smooth function, only its rounding (Moré and Wild, SIAM J. Sci. Comput. 33, 2011).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

Array = Any
# t -> (r(t) - r(0), a lower bound of its rounding); both numbers, or both arrays of one shape
Line = Callable[[float], tuple[Array, Array]]

START = 0.25  # the first step, in units of the direction
ORDERS = 6  # columns of the table
GRID = 8  # points of the fine grid


@dataclass(frozen=True)
class Slopes:
    """Mean and half difference of the right and left slope; ``still``: r did not move at all."""

    mean: Array
    bar: Array
    jump: Array
    jump_bar: Array
    still: Array

    @property
    def right(self) -> Array:
        return self.mean + self.jump

    @property
    def left(self) -> Array:
        return self.mean - self.jump


def noise_of(line: Line, eps: float) -> Array:
    """The standard deviation of the rounding in ``line``, near 0; 0 for a line that never moves.

    The grid lies to one side, so that a kink at 0 is not taken for noise. It is as fine as the
    rounding of x allows; where r goes in stairs (a cast inside, say), it is widened until it moves.
    """
    noise: Array = 0.0
    rounding = line(0.0)[1]
    for power in (0.6, 0.4, 0.25):
        spacing = 2.0 ** round(power * np.log2(eps))
        for side in (1, -1):
            values = np.stack([line(side * spacing * i)[0] for i in range(1, GRID + 1)])
            if np.isfinite(values).all():
                break
        else:
            return noise
        table, spreads = values, []
        for order in range(1, 6):
            table = np.diff(table, axis=0)
            if order > 1:  # the first difference is the slope
                spreads.append(np.sqrt((table * table).mean(0) / comb(2 * order, order)))
        spread = np.min(spreads, 0)
        # A stair as high as this is a jump of f, not rounding.
        noise = np.where(spread < rounding * eps ** (1 / 3 - 1), spread, noise)
        if len(np.unique(values.reshape(GRID, -1).sum(1))) > GRID // 2:
            break
    return noise


def extrapolate(rows: Array, noises: Array, powers: range) -> tuple[Array, Array]:
    """The limit of ``rows`` (one per halved step) at step 0, and its error bar.

    The error has terms h**p for p in ``powers``; each column of the table removes one more. The bar
    of an element is the largest distance to its three neighbours, the one of the next smaller step
    among them, plus twice its noise; the element with the smallest bar is the answer. Neighbours
    may agree by luck at steps where f is not yet smooth: so the answer's bar also covers what the
    two smallest steps say, beyond their noise.
    """
    elements, errors = [], []
    column, before, gain = rows, rows, 1.0
    for p in [0, *powers]:
        if p:
            column, before = (2.0**p * column[1:] - column[:-1]) / (2.0**p - 1), column
            gain *= (2.0**p + 1) / (2.0**p - 1)
        if len(column) < 2:
            break
        noise = gain * noises[-len(column):]
        error = abs(column[1:] - column[:-1])
        if p:
            error -= 3 * noise[1:]  # what noise explains is no error
            error = np.maximum(error, abs(column - before[:-1])[:-1])
            error = np.maximum(error, abs(column - before[1:])[:-1])
        elements.append(column[:-1])
        errors.append(error + 2 * noise[:-1])
    error = np.concatenate(errors)
    error[~np.isfinite(error)] = np.inf
    best = error.argmin(0)[None]
    value = np.take_along_axis(np.concatenate(elements), best, 0)[0]
    bar = np.take_along_axis(error, best, 0)[0]
    p = powers[0]
    last = (2.0**p * rows[-1] - rows[-2]) / (2.0**p - 1)
    off = abs(last - value) - 3 * (2.0**p + 1) / (2.0**p - 1) * noises[-1]
    return value, np.where(off > bar, off, bar)


def slopes(line: Line, eps: float, start: float = START, noise: Array | None = None) -> Slopes:
    """The slopes of ``line`` at 0; ``eps`` is the spacing of its numbers near 1.

    Steps halve until the bar reached is about the noise of the last one: smaller steps can do no
    better. Rows that are not finite on both sides are passed over.
    """
    with np.errstate(all="ignore"):
        sigma = 2 * (noise_of(line, eps) if noise is None else noise)  # of few values: doubled
        means, jumps, noises, moved = [], [], [], []
        h = start
        while h > eps**0.85:
            (up, up_rounding), (down, down_rounding) = line(h), line(-h)
            means.append((up - down) / (2 * h))
            jumps.append((up + down) / (2 * h))
            floor = np.maximum(sigma, np.maximum(up_rounding, down_rounding))
            noises.append(floor / (np.sqrt(2) * h))
            moved.append((up != 0) | (down != 0))
            h /= 2
            if len(means) < 4:
                continue
            noise_rows = np.stack(noises)
            mean, bar = extrapolate(np.stack(means), noise_rows, range(2, 2 * ORDERS, 2))
            jump, jump_bar = extrapolate(np.stack(jumps), noise_rows, range(1, 2 * ORDERS, 2))
            still = ~np.any(moved[-4:], axis=0) & (sigma == 0)
            enough = 4 * noises[-1] >= np.maximum(bar, jump_bar)
            if np.all(still | enough & (moved[-1] | (sigma > 0))):
                break
    return Slopes(mean, bar, jump, jump_bar, still)
