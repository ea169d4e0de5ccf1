"""Beyond values: what a pullback may not do, whatever numbers it returns."""

from __future__ import annotations

import numpy as np

from minitorch.testing.adapters import BadGradient
from minitorch.testing.probes import Point

ROUNDINGS = 64  # between two summation orders


def check_conduct(point: Point) -> None:
    """Raise BadGradient if the pullback writes into what it is given, or minds its strides."""
    problem = point.problem
    vs = point.cotangent()
    plain = point.pull(vs)
    for name, given, before in problem.used:
        if not np.array_equal(problem.array(given), before, equal_nan=True):
            raise BadGradient(f"the function or its pullback wrote into {name}")
    problem.strided = True
    try:
        strided = point.pull(vs)
    finally:
        problem.strided = False
    point.check_finite(plain)
    for k, (g, h, s) in enumerate(zip(plain, strided, point.units)):
        with np.errstate(all="ignore"):
            off = np.linalg.norm(np.subtract(g, h, dtype=np.float64)) * s
            size = np.linalg.norm(g.astype(np.float64)) * s + point.size(vs)
        if not off <= ROUNDINGS * point.eps * size:
            raise BadGradient(f"the gradient of {problem.names[k]} changes when inputs and "
                              f"cotangents are not contiguous", k)
