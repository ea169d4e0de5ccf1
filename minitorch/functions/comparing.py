"""Whole tensors compared, and questions about tensors."""

from __future__ import annotations

import builtins
from typing import Any

from minitorch import dtypes, engine, ops
from minitorch.coo import Coo, refusal
from minitorch.functions.common import (
    bare,
    common_dtype,
    method,
    require_one_dtype,
    require_tensors,
)
from minitorch.tensor import Tensor

__all__ = ["isclose", "allclose", "equal", "is_same_size", "is_tensor", "is_floating_point",
           "is_complex", "is_signed", "is_nonzero", "numel", "result_type", "typename", "detach"]


@method
def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8,
            equal_nan: bool = False) -> Any:
    """Whether ``|input - other| <= atol + rtol * |other|``, elementwise."""
    require_tensors("isclose", input=input, other=other)
    require_one_dtype("isclose", input, other)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    try:
        return bare("isclose", input, other, rtol, atol, equal_nan)
    except ValueError:
        raise RuntimeError(f"isclose: shapes {tuple(input.shape)} and {tuple(other.shape)} do not "
                           f"broadcast together") from None


@method
def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8,
             equal_nan: bool = False) -> bool:
    """Whether all elements are close."""
    return builtins.bool(ops.all(isclose(input, other, rtol, atol, equal_nan)))


@method
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    if not isinstance(other, engine.Tensor):
        raise TypeError(f"equal(): argument 'other' must be Tensor, not {type(other).__name__}")
    if Coo in (type(input.array), type(other.array)):
        raise refusal("equal()")
    return builtins.bool(bare("array_equal", input, other))


@method
def is_same_size(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape."""
    return builtins.bool(input.array.shape == other.array.shape)


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Any) -> bool:
    """Whether the dtype is a float."""
    return input.is_floating_point()


def is_complex(input: Any) -> bool:
    """False: there are no complex dtypes here."""
    return input.is_complex()


@method
def is_signed(input: Any) -> bool:
    """Whether the dtype has negative numbers."""
    return input.dtype.is_signed


@method
def is_nonzero(input: Any) -> bool:
    """Whether the single element is not zero; raises RuntimeError for other sizes."""
    return builtins.bool(input)


def numel(input: Any) -> int:
    """The number of elements."""
    return input.numel()


def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The dtype in which two tensors or numbers combine."""
    return dtypes.of_numpy(common_dtype(tensor1, tensor2))


def typename(obj: Any) -> str:
    """The name of a tensor's type, such as ``torch.FloatTensor``, or of any object's class."""
    return obj.type() if isinstance(obj, Tensor) else type(obj).__qualname__


def detach(input: Any) -> Any:
    """The same memory outside the graph."""
    return input.detach()
