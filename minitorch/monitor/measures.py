"""The numbers that a ``Monitor`` takes of an array (NumPy's or CuPy's)."""

from __future__ import annotations

import math
from typing import Any

# Where an activation is flat: the ends of its range. ``None``: it has no such end. A string names
# the module's attribute, a leading minus included.
ENDS: dict[str, tuple[float | str | None, float | str | None]] = {
    "Sigmoid": (0.0, 1.0), "Hardsigmoid": (0.0, 1.0), "Tanh": (-1.0, 1.0), "Softsign": (-1.0, 1.0),
    "Hardtanh": ("min_val", "max_val"), "ReLU6": (0.0, 6.0), "ReLU": (0.0, None),
    "ELU": ("-alpha", None), "CELU": ("-alpha", None), "SELU": (-1.0507009873554805 *
                                                                1.6732632423543772, None),
}


def ends(layer: Any) -> tuple[float, float] | None:
    """Below the first and above the second number an output of this layer counts as saturated.

    That is within 2.5% of the range from an end, and within 5% of its size from a single one: 0.975
    for a sigmoid, 0.95 for tanh, 0 itself for ReLU. None for layers that have no flat end.
    """
    if type(layer).__name__ not in ENDS:
        return None
    low, high = (value(layer, end) for end in ENDS[type(layer).__name__])
    assert low is not None
    if high is None:
        return low + 0.05 * abs(low), math.inf
    return low + 0.025 * (high - low), high - 0.025 * (high - low)


def value(layer: Any, end: float | str | None) -> float | None:
    if not isinstance(end, str):
        return end
    return -float(getattr(layer, end[1:])) if end[0] == "-" else float(getattr(layer, end))


def square_sum(x: Any) -> float:
    """The sum of squares; in double precision where single would overflow or underflow."""
    flat = x.reshape(-1)
    total = float(flat.dot(flat)) if x.dtype.itemsize >= 4 else math.inf
    if math.isfinite(total) and total > 1e-25:
        return total
    flat = flat.astype("float64")
    return float(flat.dot(flat))


def rms(x: Any) -> float:
    """The root of the mean square; 0 of nothing."""
    return math.sqrt(square_sum(x) / x.size) if x.size else 0.0


def units_first(x: Any) -> Any:
    """``x`` as (samples, units): channels of images are units, else the last axis is."""
    if x.ndim > 3:
        x = x.swapaxes(1, -1)
    return x.reshape(-1, x.shape[-1]) if x.ndim else x.reshape(1, 1)
