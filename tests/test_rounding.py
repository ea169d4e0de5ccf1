"""Fused and single precision arithmetic, against exact fractions and float64."""

from fractions import Fraction

import numpy as np
from hypothesis import example, given

from minitorch import rounding
from tests.streams import many, reals


@many
@given(reals(-1e6, 1e6), reals(-1e6, 1e6), reals(-1e6, 1e6))
@example(0.1, 10.0, -1.0)  # the product rounds to 1: unfused, nothing is left
def test_fused_multiply_add_rounds_once(x, scale, shift):
    exact = Fraction(x) * Fraction(scale) + Fraction(shift)
    assert rounding.fused(np.array([x]), scale, shift)[0] == float(exact)
    single = [float(np.float32(v)) for v in (x, scale, shift)]
    exact = Fraction(single[0]) * Fraction(single[1]) + Fraction(single[2])
    fused = rounding.fused(np.array([x], np.float32), *single[1:])
    assert fused.dtype == np.float32 and fused[0] == np.float32(float(exact))


def test_the_single_precision_log_and_sine_are_accurate():
    """Apart from torch's streams: every 24-bit uniform's neighbourhood is within 2 ulp."""
    grid = np.arange(1, 2**24 + 1, 97, dtype=np.float64) * 2.0**-24
    log = rounding._log(grid.astype(np.float32))
    np.testing.assert_allclose(log, np.log(grid), rtol=2.5e-7)
    theta = (2 * np.pi * (grid - 2.0**-24)).astype(np.float32)
    for ours, exact in zip(rounding._sincos(theta), (np.sin, np.cos), strict=True):
        np.testing.assert_allclose(ours, exact(theta.astype(np.float64)), rtol=0, atol=1.2e-7)
