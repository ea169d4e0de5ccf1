"""How a function becomes ``minitorch.NAME`` and ``Tensor.NAME``, and what many of them need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minitorch import backend, dtypes, engine, ops
from minitorch.engine import wrap
from minitorch.ops.reduce import axes
from minitorch.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS: dict[str, Callable[..., Any]] = {}


def method(function: F) -> F:
    """Make a function ``minitorch.NAME`` and ``Tensor.NAME`` at once."""
    FUNCTIONS[function.__name__] = function
    setattr(Tensor, function.__name__, function)
    return function


def only_method(function: F) -> F:
    """Make a function ``Tensor.NAME``; there is no ``minitorch.NAME``."""
    setattr(Tensor, function.__name__, function)
    return function


def into(out: Any, y: Any, *read: Any, exact: bool = False) -> Any:
    """Deliver a result to the tensor given as ``out=``, if any.

    Raises RuntimeError where ``out`` shares memory with a tensor of ``read``, or, if ``exact``,
    is not of the result's dtype.
    """
    if out is None:
        return y
    if any(x.version is out.version for x in read):
        raise RuntimeError("unsupported operation: some elements of the input tensor and the "
                           "written-to tensor refer to a single memory location. Please clone() "
                           "the tensor before performing the operation.")
    if exact and out.array.dtype != y.array.dtype:
        raise RuntimeError(f"Expected out tensor to have dtype {y.dtype}, but got {out.dtype} "
                           f"instead")
    return out.receive(y)


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from ``f(2, 3)`` and from ``f((2, 3))`` alike."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    try:
        return tuple([n if type(n) is int else n.__index__() for n in shape])
    except AttributeError:
        raise TypeError(f"sizes and dimensions must be ints, not {shape!r}") from None


def axis_of(input: Any, dim: Any) -> int:
    """``dim`` counted from the front; raises IndexError out of range."""
    if not isinstance(input, engine.Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    shape = input.array.shape or (1,)
    (d,) = axes(shape, dim if type(dim) is int else dim.__index__())
    return d


def common_dtype(*values: Any) -> np.dtype[Any]:
    """The dtype in which tensors and numbers combine."""
    return dtypes.result_dtype([getattr(v, "array", v) for v in values])


def require_one_dtype(name: str, first: Any, *others: Any) -> None:
    """Raise RuntimeError unless all tensors have the dtype of ``first``."""
    for other in others:
        if isinstance(other, engine.Tensor) and other.array.dtype != first.array.dtype:
            raise RuntimeError(f"{name}: expected one dtype, but got {first.dtype} and "
                               f"{dtypes.of_numpy(other.array.dtype)}; convert one of them first")


def require_tensors(name: str, **values: Any) -> None:
    """Raise TypeError where a number stands in a tensor's place."""
    for place, (parameter, value) in enumerate(values.items(), 1):
        if not hasattr(value, "__dlpack__"):
            raise TypeError(f"{name}(): argument '{parameter}' (position {place}) must be Tensor, "
                            f"not {type(value).__name__}")


def require_float(name: str, input: Any) -> None:
    """Raise RuntimeError for dtypes without fractions."""
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"{name}(): expected a floating point dtype, got {input.dtype}; convert "
                           f"it first, as in x.float()")


def as_float(input: Any) -> Any:
    """``input``, integers and bools converted to the default float."""
    return input if input.array.dtype.kind == "f" else input.to(dtypes.get_default_dtype())


def cast_to(value: Any, dt: np.dtype[Any]) -> Any:
    """A tensor converted to dtype ``dt``; a number as it is."""
    return ops.cast(value, dt) if isinstance(value, engine.Tensor) and value.array.dtype != dt \
        else value


def bare(word: str, *values: Any) -> Any:
    """A result without derivative: the array function ``word`` of tensors and numbers."""
    arrays = [getattr(v, "array", v) for v in values]
    xp = backend.namespace(next(a for a in arrays if hasattr(a, "dtype")))
    return wrap(xp.asarray(getattr(xp, word)(*arrays)))
