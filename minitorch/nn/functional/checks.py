"""What the functions check before they compute, and PyTorch's older ways of saying things."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minitorch import engine


def need_float(name: str, input: Any) -> None:
    """Raise TypeError for what is no Tensor, NotImplementedError for one that is not floating."""
    if not isinstance(input, engine.Tensor):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f'"{name}" not implemented for {input.array.dtype}; convert the '
                                  f"input, as in x.float()")


def broadcast_shape(a: Any, b: Any) -> tuple[int, ...]:
    """The shape of two shapes broadcast together; raises RuntimeError where they clash."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        pass
    for i in range(-1, -min(len(a), len(b)) - 1, -1):
        if a[i] != b[i] and 1 not in (a[i], b[i]):
            raise RuntimeError(
                f"The size of tensor a ({a[i]}) must match the size of tensor b ({b[i]}) at "
                f"non-singleton dimension {max(len(a), len(b)) + i}: the shapes are {tuple(a)} "
                f"and {tuple(b)}")
    raise AssertionError("shapes that do not broadcast must clash somewhere")


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """``reduction`` as programs older than PyTorch 0.4 spelled it; warns."""
    average, reduced = size_average in (None, True), reduce in (None, True)
    reduction = "none" if not reduced else "mean" if average else "sum"
    warnings.warn(f"size_average and reduce args will be deprecated, please use "
                  f"reduction='{reduction}' instead.", stacklevel=4)
    return reduction


def check_reduction(reduction: str, size_average: bool | None = None,
                    reduce: bool | None = None) -> str:
    """The reduction asked for: "mean", "sum" or "none"; raises ValueError for anything else."""
    if size_average is not None or reduce is not None:
        return legacy_reduction(size_average, reduce)
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction; use 'mean', 'sum' or "
                         f"'none'")
    return reduction
