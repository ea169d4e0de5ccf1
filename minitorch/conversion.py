"""Tensors of another dtype or device, and copies: methods hung on Tensor."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, inplace, ops
from minitorch.facts import contiguous_format
from minitorch.functions.common import method, only_method
from minitorch.modes import modes
from minitorch.tensor import Tensor
from minitorch.views import node_of

__all__ = ["clone"]


def convert(x: Any, dtype: Any = None, device: Any = None, copy: bool = False) -> Any:
    """``x`` as ``dtype`` on ``device``: itself if nothing changes, else a recorded copy."""
    dt = x.array.dtype if dtype is None else dtypes.to_numpy(dtype)
    if device is not None:
        to = backend.device(device)
        backend.require(to)
        here = x.device
        if to.type != here.type or to.index not in (None, here.index):
            x = ops.transfer(x, to)
    if dt != x.array.dtype:
        return ops.cast(x, dt)
    return ops.clone(x) if copy else x


@only_method
def to(input: Any, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False,
       copy: bool = False, memory_format: Any = None) -> Any:
    """Another dtype or device: ``x.to(torch.float64)``, ``x.to("cpu")``, ``x.to(other)``."""
    flags = [arg for arg in args if isinstance(arg, bool)]  # non_blocking, then copy
    if len(flags) > 2:
        raise TypeError(f"to() received an invalid combination of arguments: {args!r}")
    if len(flags) == 2:
        copy = flags[1]
    for arg in args:
        if isinstance(arg, engine.Tensor):
            dtype, device = arg.dtype, arg.device  # type: ignore[attr-defined]
        elif isinstance(arg, (dtypes.dtype, np.dtype, builtins.type)):
            dtype = arg
        elif isinstance(arg, (str, backend.device)) or builtins.type(arg) is builtins.int:
            device = arg
        elif arg is not None and not isinstance(arg, bool):
            raise TypeError(f"to() received an invalid combination of arguments: {arg!r}")
    return convert(input, dtype, device, copy)


def _as(d: dtypes.dtype, name: str) -> Any:
    def cast(input: Any, memory_format: Any = None) -> Any:
        return convert(input, d)
    cast.__name__, cast.__doc__ = name, f"Converted to {d.name}."
    setattr(Tensor, name, cast)
    return cast


for _name, _d in {"half": dtypes.float16, "float": dtypes.float32, "double": dtypes.float64,
                  "byte": dtypes.uint8, "char": dtypes.int8, "short": dtypes.int16,
                  "int": dtypes.int32, "long": dtypes.int64, "bool": dtypes.bool_}.items():
    _as(_d, _name)


@only_method
def type(input: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The legacy type name, such as ``torch.FloatTensor``; or a conversion to ``dtype``."""
    if dtype is None:
        return f"torch.{'sparse.' * input.is_sparse}{input.dtype.legacy}Tensor"
    if isinstance(dtype, str):
        names = {f"torch.{d.legacy}Tensor": d for d in dtypes.ALL}
        if dtype not in names:
            raise ValueError(f"invalid type: {dtype!r}; known are {', '.join(names)}")
        dtype = names[dtype]
    return convert(input, getattr(dtype, "dtype", dtype))


@only_method
def type_as(input: Any, other: Any) -> Any:
    """Converted to the dtype and device of ``other``."""
    return convert(input, other.dtype, other.device)


@only_method
def cpu(input: Any) -> Any:
    """On the CPU."""
    return convert(input, device="cpu")


@only_method
def cuda(input: Any, device: Any = None, non_blocking: bool = False) -> Any:
    """On the GPU; raises RuntimeError without one."""
    return convert(input, device="cuda" if device is None else device)


@method
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy in new memory, in the order of the old unless ``memory_format`` is contiguous."""
    out = ops.clone(input)
    return contiguous(out) if memory_format is contiguous_format else out


@only_method
def contiguous(input: Any, memory_format: Any = None) -> Any:
    """In row-major order: itself if it is already."""
    if input.is_contiguous():
        return input
    out = ops.clone(input)  # in the same order of memory
    out.array = backend.namespace(out.array).ascontiguousarray(out.array)
    return out


@only_method
def pin_memory(input: Any, device: Any = None) -> Any:
    """Itself: NumPy has no page-locked memory."""
    return input


@only_method
def receive(out: Any, y: Any) -> Any:
    """Take a result given as ``out=``; refuses to hide it from the graph."""
    if modes.grad and (y.node is not None or node_of(out) is not None):
        raise RuntimeError("functions with out=... arguments don't support automatic "
                           "differentiation, but one of the arguments requires grad.")
    if not dtypes.castable(y.array.dtype, out.array.dtype):
        raise RuntimeError(f"result type {y.dtype.legacy} can't be cast to the desired output type "
                           f"{out.dtype.legacy}")
    inplace.require_own_places(out)
    if out.array.shape != y.array.shape:
        empty = backend.library(out.array).empty  # as in torch: out is resized
        out.array = empty(y.array.shape, out.array.dtype)
        out.version = [0]
    return inplace.copy_(out, y)
