"""The slope of a function of one variable at 0, from values alone, with an error bar.

Central differences at steps that halve, extrapolated to step 0 (Richardson 1911; the table with an
error estimate is Ridders', Adv. Eng. Software 4, 1982). The same values give the slope's jump at 0:

    (r(h) - r(-h)) / 2h = mean + O(h^2)      mean of the right and the left slope
    (r(h) + r(-h)) / 2h = jump + O(h)        half of right - left; 0 where r is smooth

An estimate of the error can come out too small by luck. So no bar is below what the noise of r
allows, and that noise is measured: what a cubic leaves of r at points close to 0 is rounding. (Moré
and Wild, SIAM J. Sci. Comput. 33, 2011, use differences on a regular grid. But there the rounding
of a product with a constant is itself regular, and differences may not see it.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
# t -> (r(t) - r(0), a lower bound of its rounding); both numbers, or both arrays of one shape
Line = Callable[[float], tuple[Array, Array]]

START = 0.25  # the first step, in units of the direction
ORDERS = 6  # columns of the table
POINTS = np.array([0.061, 0.149, 0.313, 0.402, 0.557, 0.639, 0.788, 0.871, 1.0])


@dataclass(frozen=True)
class Slopes:
    """Mean and half difference of the right and left slope.

    ``still``: r did not move, unless by jumps further off. ``reach``: how far it got at the first
    step, by that step.
    """

    mean: Array
    bar: Array
    jump: Array
    jump_bar: Array
    still: Array
    reach: Array

    @property
    def right(self) -> Array:
        return self.mean + self.jump

    @property
    def left(self) -> Array:
        return self.mean - self.jump


def noise_of(line: Line, eps: float) -> Array:
    """The standard deviation of the rounding in ``line``, near 0; 0 for a line that never moves.

    The points lie to one side, so that a kink at 0 is not taken for noise; they are irregular, and
    as close as the rounding of x allows. Where r goes in stairs (a cast inside, say), they spread
    until it moves.
    """
    noise: Array = 0.0
    rounding = line(0.0)[1]
    finest = 2.0 ** round(0.75 * np.log2(eps))
    for power in (0.5, 0.35, 0.25):
        points = np.round(POINTS * 2.0 ** round(power * np.log2(eps)) / finest) * finest
        for side in (1, -1):
            values = np.stack([line(side * float(t))[0] for t in points])
            if np.isfinite(values).all():
                break
        else:
            return noise
        basis = np.linalg.qr(np.vander(points / points[-1], 4))[0]
        flat = values.reshape(len(points), -1)
        rest = flat - basis @ (basis.T @ flat)
        spread = np.sqrt((rest * rest).sum(0) / (len(points) - 4)).reshape(values.shape[1:])
        noise = np.where(spread < stair(rounding, eps), spread, noise)
        if len(np.unique(flat.sum(1))) > len(points) // 2:
            break
    return noise


def stair(rounding: Array, eps: float) -> Array:
    """A stair of this height is a jump of f; what is lower may be rounding."""
    return rounding * eps ** (1 / 3 - 1)


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

    Steps halve until every bar reached is about the noise of the last row. Rows that are not finite
    on both sides are passed over.
    """
    with np.errstate(all="ignore"):
        sigma = 2 * (noise_of(line, eps) if noise is None else noise)  # of few values: doubled
        means, jumps, noises, moved = [], [], [], []
        mean = jump = (np.nan, np.inf)
        reach: Array = np.nan
        done = still = crept = np.zeros(np.shape(sigma), bool)
        h = start
        while h > eps**0.85:
            (up, up_rounding), (down, down_rounding) = line(h), line(-h)
            means.append((up - down) / (2 * h))
            jumps.append((up + down) / (2 * h))
            floor = np.maximum(sigma, np.maximum(up_rounding, down_rounding))
            noises.append(floor / (np.sqrt(2) * h))
            moved.append((up != 0) | (down != 0))
            most = np.maximum(abs(up), abs(down))
            reach = np.where(np.isfinite(reach), reach, most / h)
            crept = crept | ((most > 0) & (most < stair(floor, eps)))
            h /= 2
            if len(means) < 4:
                continue
            rows = np.stack(noises)
            mean = settle(*extrapolate(np.stack(means), rows, range(2, 2 * ORDERS, 2)), mean, done)
            jump = settle(*extrapolate(np.stack(jumps), rows, range(1, 2 * ORDERS, 2)), jump, done)
            still = ~np.any(moved[-4:], axis=0) & (sigma == 0) & ~crept
            worse = np.maximum(mean[1], jump[1])
            enough = np.isfinite(worse) & (4 * noises[-1] >= worse)
            done = done | still | enough & (moved[-1] | (sigma > 0))
            if np.all(done):
                break
    return Slopes(*mean, *jump, still, np.nan_to_num(reach))


def settle(value: Array, bar: Array, old: tuple[Array, Array], done: Array) -> tuple[Array, Array]:
    """New results, but for those that are done: smaller steps would only bring in noise."""
    return np.where(done, old[0], value), np.where(done, old[1], bar)
