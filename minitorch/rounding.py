"""Arithmetic to the last bit: what PyTorch's random streams are made of.

A fused multiply-add, and float32 log, sine and cosine by the Cephes library's polynomials, built
from operations that IEEE 754 rounds exactly, so that they agree with PyTorch's on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]



def round_to(x: Array, dtype: np.dtype[Any]) -> Array:
    """float64 to `dtype`; to float16 by way of float32, as PyTorch converts."""
    return (x.astype(np.float32) if dtype == np.float16 else x).astype(dtype, copy=False)


def fused(x: Array, scale: float, shift: float) -> Array:
    """``x * scale + shift`` rounded once, in the dtype of x: a fused multiply-add."""
    if scale == 1 and shift == 0:
        return x
    if x.dtype == np.float32:  # float64 holds a product of two float32 exactly
        wide = x.astype(np.float64)
        wide *= scale
        wide += shift
        return wide.astype(np.float32)
    # In float64, Dekker's product and Knuth's sum also yield what their roundings lost.
    product = x * scale
    (x_head, x_tail), (head, tail) = _halves(x), _halves(scale)
    lost = x_head * head - product + (x_head * tail + x_tail * head) + x_tail * tail
    total = product + shift
    grown = total - product
    lost += (product - (total - grown)) + (shift - grown)
    result: Array = total + lost
    return result


def _halves(x: Any) -> tuple[Any, Any]:
    """A float64 as a sum of two with 26 bits each, whose products are exact (Veltkamp)."""
    big = x * (2.0**27 + 1)
    head = big - (big - x)
    return head, x - head


def poisson(rate: float, unit: Callable[[], float]) -> int:
    count = 0
    if rate < 10:
        product, bound = 1.0 if rate else 0.0, math.exp(-rate)
        while product and (product := product * unit()) > bound:
            count += 1
        return count
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    while True:
        u, v = unit() - 0.5, unit()
        us = 0.5 - abs(u)
        count = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2):
            return count
        if count < 0 or (us < 0.013 and v > us):
            continue
        height = math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b)
        if height <= count * math.log(rate) - rate - math.lgamma(count + 1):
            return count


def box_muller(units: Array) -> Array:
    """Normals of uniforms, by runs of 16: the first 8 give the radii, the last 8 the angles."""
    u1, u2 = units.reshape(-1, 2, 8).swapaxes(0, 1).reshape(2, -1)
    if units.dtype == np.float32:
        radius = np.sqrt(-2 * _log(1 - u1))
        sine, cosine = _sincos(np.float32(2 * math.pi) * u2)
    else:
        radius, theta = np.sqrt(-2 * np.log(1 - u1)), 2 * math.pi * u2
        sine, cosine = np.sin(theta), np.cos(theta)
    normals = np.empty((u1.size // 8, 2, 8), units.dtype)
    np.multiply(radius.reshape(-1, 8), cosine.reshape(-1, 8), out=normals[:, 0])
    np.multiply(radius.reshape(-1, 8), sine.reshape(-1, 8), out=normals[:, 1])
    return normals.reshape(-1)


def _single(*coefficients: float) -> tuple[float, ...]:
    return tuple(float(np.float32(c)) for c in coefficients)


# The polynomials of the Cephes library in single precision (S. Moshier, netlib.org/cephes).
LOG = _single(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1,
              1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
              3.3333331174e-1)
SIN = _single(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
COS = _single(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
PI4_HIGH, PI4_MIDDLE = np.float32(0.78515625), np.float32(2.4187564849853515625e-4)
(PI4_LOW,) = _single(3.77489497744594108e-8)
SQRT_HALF = np.float32(math.sqrt(0.5)).view(np.int32)  # its bits
MANTISSA = np.int32(2**23 - 1)


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    """A polynomial in x, given in float64, each step a fused multiply-add of float32."""
    y: Any = coefficients[0]
    for c in coefficients[1:]:
        wide = x * y
        wide += c
        y = wide.astype(np.float32)
    return np.asarray(y)


def _log(x: Array) -> Array:
    """log of positive float32: x is ``2**e * (1 + m)``; ``m - m**2/2`` and a polynomial."""
    bits = x.view(np.int32) - SQRT_HALF  # so that 1 + m lies in [sqrt(1/2), sqrt(2))
    e = (bits >> 23).astype(np.float32)
    m = ((bits & MANTISSA) + SQRT_HALF).view(np.float32) - 1
    square = m * m
    rest = (_horner(LOG, m.astype(np.float64)) * m).astype(np.float64)
    rest *= square
    rest += e * LN2_LOW
    result: Array = (m + (rest.astype(np.float32) - square * np.float32(0.5))) + e * LN2_HIGH
    return result


def _sincos(theta: Array) -> tuple[Array, Array]:
    """sin and cos of float32 angles in [0, 2 pi], by polynomials on [-pi/4, pi/4]."""
    octant = ((theta * np.float32(4 / math.pi)).astype(np.int32) + 1) & ~1
    taken = octant.astype(np.float32)  # times pi/4, in three parts: the first two are exact
    x = theta - taken * PI4_HIGH - taken * PI4_MIDDLE
    x_wide = (x - taken.astype(np.float64) * PI4_LOW).astype(np.float32).astype(np.float64)
    square = np.square(x_wide).astype(np.float32)
    square_wide = square.astype(np.float64)
    sine = (_horner(SIN, square_wide) * square) * x_wide + x_wide
    cosine = (_horner(COS, square_wide) * square) * square_wide - square * np.float32(0.5)
    s = sine.astype(np.float32).view(np.int32)
    c = (cosine.astype(np.float32) + 1).view(np.int32)
    # Every other quarter turn exchanges them; then come the signs. All of it on the bits.
    exchange = (s ^ c) & -((octant >> 1) & 1)
    s, c = s ^ exchange ^ ((octant & 4) << 29), c ^ exchange ^ (((octant + 2) & 4) << 29)
    return s.view(np.float32), c.view(np.float32)
