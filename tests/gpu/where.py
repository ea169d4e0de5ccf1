"""Where the tests that need a GPU run, and the three engines that they compare."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

import minitorch
from benchmarks.gpu.placed import Placed

VARIABLE = "MINITORCH_GPU_TESTS"
DEVICE = os.environ.get(VARIABLE, "cuda")  # "cpu": a rehearsal of the tests themselves
TOLERANCE = {"float64": 1e-10, "float32": 3e-5}  # sums in another order, other functions' last bits


def why_not() -> str:
    """Why they cannot run here; "" if they can."""
    if DEVICE == "cpu":
        return ""
    if not minitorch.cuda.is_available():
        return "minitorch sees no GPU (CuPy and a driver are needed)"
    return "" if torch.cuda.is_available() else "PyTorch sees no GPU"


def engines() -> dict[str, Any]:
    """minitorch on the CPU, which the others are held against, and both engines on the GPU."""
    return {"NumPy": Placed(minitorch, "cpu"), "CuPy": Placed(minitorch, DEVICE),
            "PyTorch": Placed(torch, DEVICE)}


def numbers(x: Any) -> Any:
    """A tensor's, as an array; None and numbers as they are."""
    return x.detach().cpu().numpy() if hasattr(x, "detach") else x


def agree(ours: Any, theirs: Any, what: str, scale: float = 1.0) -> None:
    """Raise AssertionError unless two arrays agree in shape, dtype and, to rounding, numbers.

    Rounding is relative to the largest number, or to ``scale``; nan equals nan.
    """
    a, b = np.asarray(numbers(ours)), np.asarray(numbers(theirs))
    assert a.shape == b.shape and a.dtype == b.dtype, f"{what}: {a!r} | {b!r}"
    if b.dtype.kind != "f":
        assert np.array_equal(a, b), f"{what}: {a!r} | {b!r}"
        return
    tolerance = TOLERANCE[b.dtype.name]
    size = np.abs(b[np.isfinite(b)]).max(initial=scale)
    assert np.allclose(a, b, tolerance, tolerance * size, equal_nan=True), f"{what}: {a!r} | {b!r}"
