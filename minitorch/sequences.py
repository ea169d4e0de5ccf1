"""Numbers in sequence: ``arange``, ``linspace``, the identity matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch import dtypes, engine
from minitorch.creation import dtype_or_default, dtype_or_int, make
from minitorch.rounding import fused

__all__ = ["arange", "linspace", "logspace", "eye", "tril_indices", "triu_indices"]


def _number(name: str, v: Any) -> Any:
    """A Python number, from a number or a 0-d tensor."""
    if isinstance(v, engine.Tensor) and v.array.ndim:
        raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors, but got one "
                           f"with {v.array.ndim} dimension(s).")
    v = v.item() if hasattr(v, "item") else v
    if not isinstance(v, (int, float)):
        raise TypeError(f"{name}(): start, end and step must be numbers, not {type(v).__name__}")
    return v


def _require_numbers(name: str, dt: Any) -> None:
    if dt.kind == "b":
        raise NotImplementedError(f'"{name}_cpu" not implemented for \'Bool\': numbers in sequence '
                                  f"need another dtype")


def arange(start: Any = 0, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None,
           layout: Any = None, device: Any = None, requires_grad: bool = False,
           pin_memory: bool = False) -> Any:
    """``start, start + step, ...`` below ``end``; ints give int64, floats the default float.

    >>> import minitorch as torch
    >>> torch.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    if end is None:
        start, end = 0, start
    start, end, step = [_number("arange", v) for v in (start, end, step)]
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if dtype is not None or out is not None:
        dt = out.array.dtype if dtype is None else dtypes.to_numpy(dtype)
    elif any(isinstance(v, float) for v in (start, end, step)):
        dt = dtypes.default()
    else:
        dt = dtypes.INT64
    _require_numbers("arange", dt)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: arange("
                           f"{start}, {end}, {step})")
    if dt == dtypes.INT64:
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ValueError("step must be nonzero: as an integer, it is 0")
    n = math.ceil((end - start) / step)
    if dt.kind == "f":
        return make(_counted(n, float(start), float(step), dt), device, requires_grad, out)
    values = np.arange(n) * int(step) + int(start)
    return make(values.astype(dt), device, requires_grad, out)


def _counted(n: int, start: float, step: float, dt: np.dtype[Any]) -> Any:
    """``start + i * step``, rounded as by PyTorch: 32 bytes at a time, from a rounded first one."""
    i = np.arange(n, dtype=np.float64)
    lanes = 32 // dt.itemsize
    lane = i % lanes
    first = fused(i - lane, step, start).astype(dt).astype(np.float64)
    in_lanes = i < n - n % (2 * lanes)  # it takes two times 32 bytes at once, and the rest singly
    lanewise = first + lane if step == 1 else fused(lane, step, first)  # type: ignore[arg-type]
    return np.where(in_lanes, lanewise, fused(i, step, start)).astype(dt)


def _evenly(name: str, start: Any, end: Any, steps: int, out: Any, dtype: Any) -> Any:
    """Numbers from both ends towards the middle, in the result's own precision, as in PyTorch.

    Integers are not yet rounded.
    """
    if not hasattr(steps, "__index__"):
        raise TypeError(f"{name}(): argument 'steps' must be int, not {type(steps).__name__}")
    start, end, steps = _number(name, start), _number(name, end), steps.__index__()
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    dt = out.array.dtype if dtype is None and out is not None else dtype_or_default(dtype)
    _require_numbers(name, dt)
    ends = [float(v) if dt.kind == "f" else int(v) for v in (start, end)]
    lo, hi = np.array(ends, np.float32 if dt == "float16" else dt if dt.kind == "f" else float)
    i = np.arange(steps).astype(lo.dtype)
    step = (hi - lo) / lo.dtype.type(max(steps - 1, 1))
    up, down = fused(i, step, lo), fused(steps - 1 - i, -step, hi)
    return np.where(i < (steps // 2 or 1), up, down), dt


def linspace(start: Any, end: Any, steps: int, *, out: Any = None, dtype: Any = None,
             layout: Any = None, device: Any = None, requires_grad: bool = False,
             pin_memory: bool = False) -> Any:
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included."""
    values, dt = _evenly("linspace", start, end, steps, out, dtype)
    return make(values.astype(dt), device, requires_grad, out)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, out: Any = None,
             dtype: Any = None, layout: Any = None, device: Any = None,
             requires_grad: bool = False, pin_memory: bool = False) -> Any:
    """``base`` to the powers ``linspace(start, end, steps)``."""
    values, dt = _evenly("logspace", start, end, steps, out, dtype)
    return make((values.dtype.type(base) ** values).astype(dt), device, requires_grad, out)


def eye(n: int, m: int | None = None, *, out: Any = None, dtype: Any = None, layout: Any = None,
        device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Any:
    """Ones on the diagonal of an n x m matrix."""
    for name, k in (("n", n), ("m", m)):
        if k is not None and k < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {k}")
    return make(np.eye(n, m, dtype=dtype_or_default(dtype)), device, requires_grad, out)


def _triangle(name: str, places: Any) -> Any:
    def function(row: int, col: int, offset: int = 0, *, dtype: Any = None, layout: Any = None,
                 device: Any = None, pin_memory: bool = False) -> Any:
        return make(np.stack(places(row, offset, col)).astype(dtype_or_int(dtype)), device)
    side = "lower" if name.startswith("tril") else "upper"
    function.__name__ = name
    function.__doc__ = f"Row and column of each element of the {side} triangle: shape (2, n)."
    return function


tril_indices = _triangle("tril_indices", np.tril_indices)
triu_indices = _triangle("triu_indices", np.triu_indices)
