"""How a function becomes ``minitorch.NAME`` and ``Tensor.NAME``, and what many of them need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minitorch import backend, dtypes, engine
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


def into(out: Any, y: Any) -> Any:
    """Deliver a result to the tensor given as ``out=``, if any."""
    return y if out is None else out.receive(y)


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
    return d  # type: ignore[no-any-return]


def common_dtype(*values: Any) -> np.dtype[Any]:
    """The dtype in which tensors and numbers combine."""
    return dtypes.result_dtype([getattr(v, "array", v) for v in values])


def require_one_dtype(name: str, first: Any, *others: Any) -> None:
    """Raise RuntimeError unless all tensors have the dtype of ``first``."""
    for other in others:
        if isinstance(other, engine.Tensor) and other.array.dtype != first.array.dtype:
            raise RuntimeError(f"{name}: expected one dtype, but got {first.dtype} and "
                               f"{dtypes.of_numpy(other.array.dtype)}; convert one of them first")


def require_float(name: str, input: Any) -> None:
    """Raise RuntimeError for dtypes without fractions."""
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"{name}(): expected a floating point dtype, got {input.dtype}; convert "
                           f"it first, as in x.float()")


def as_float(input: Any) -> Any:
    """``input``, integers and bools converted to the default float."""
    return input if input.array.dtype.kind == "f" else input.to(dtypes.get_default_dtype())


def bare(word: str, *values: Any) -> Any:
    """A result without derivative: the array function ``word`` of tensors and numbers."""
    arrays = [getattr(v, "array", v) for v in values]
    xp = backend.namespace(next(a for a in arrays if hasattr(a, "dtype")))
    return wrap(xp.asarray(getattr(xp, word)(*arrays)))
