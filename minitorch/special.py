"""Special functions that NumPy lacks, as elementwise array code."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

Array = Any
BLOCK = 16384  # numbers of a block

# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969):
# numerators and denominators, highest power first, for |x| <= 0.46875, <= 4 and > 4.
_SMALL = ((1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2,
           3.77485237685302021e2, 3.20937758913846947e3),
          (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
           2.84423683343917062e3))
_MIDDLE = ((2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
            6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
            1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
           (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
            1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
            3.43936767414372164e3, 1.23033935480374942e3))
_LARGE = ((1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
           1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
          (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
           6.05183413124413191e-2, 2.33520497626869185e-3))


def _ratio(coefficients: Any, x: Array) -> Array:
    values = []
    for first, second, *rest in coefficients:
        value = first * x
        value += second
        for c in rest:
            value *= x
            value += c
        values.append(value)
    values[0] /= values[1]
    return values[0]


def _small(xp: Any, y: Array) -> Array:
    return y * _ratio(_SMALL, y * y)


def _middle(xp: Any, y: Array) -> Array:
    return 1 - xp.exp(-y * y) * _ratio(_MIDDLE, y)


def _large(xp: Any, y: Array) -> Array:
    y = xp.minimum(y, 6.0)  # erf(6) is 1 in float64
    square = y * y
    return 1 - xp.exp(-square) * (1 / sqrt(pi) - _ratio(_LARGE, 1 / square) / square) / y


def erf(xp: Any, x: Array) -> Array:
    """The error function to about 1e-16, elementwise (Cody 1969); same dtype as ``x``."""
    y = xp.absolute(x.astype("float64"))
    small, large = _small(xp, xp.minimum(y, 0.46875)), _large(xp, xp.maximum(y, 4.0))
    middle = _middle(xp, xp.minimum(xp.maximum(y, 0.46875), 4.0))
    out = xp.where(y <= 0.46875, small, xp.where(y <= 4, middle, large))
    out = xp.where(xp.isnan(y), y, xp.copysign(out, x))
    return out.astype(x.dtype)


def erf_of_numpy(x: Array) -> Array:
    """``erf`` of a NumPy array, the same bits: each number goes through one of the three formulas.

    In blocks that stay in the cache: a third of the time or less for 100 x 512 float32.
    """
    numbers = x.ravel()
    out = np.empty_like(numbers)
    for start in range(0, numbers.size, BLOCK):
        block = numbers[start:start + BLOCK]
        y = np.absolute(block.astype(np.float64))
        value = y.copy()  # nan stays
        for formula, theirs in ((_small, y <= 0.46875), (_middle, (y > 0.46875) & (y <= 4)),
                                (_large, y > 4)):
            where = np.flatnonzero(theirs)
            if where.size:
                value[where] = formula(np, y[where])
        np.copysign(value, block, out=value, where=y == y)
        out[start:start + BLOCK] = value
    return out.reshape(x.shape)


def erfinv(xp: Any, y: Array) -> Array:
    """The inverse of ``erf`` on (-1, 1), elementwise; +-inf at +-1, nan outside.

    Winitzki's approximation (2008), then three steps of Halley's method on ``erf``.
    """
    z = y.astype("float64")
    inside = xp.where(xp.absolute(z) < 1, z, 0.0)
    a = 0.147
    log = xp.log1p(-inside * inside)
    half = 2 / (pi * a) + log / 2
    x = xp.copysign(xp.sqrt(xp.sqrt(half * half - log / a) - half), inside)
    for _ in range(3):
        error = (erf(xp, x) - inside) / (2 / sqrt(pi) * xp.exp(-x * x))
        x = x - error / (1 + x * error)
    edge = xp.where(xp.absolute(z) == 1, xp.copysign(xp.inf, z), xp.nan)
    return xp.where(xp.absolute(z) < 1, x, edge).astype(y.dtype)
