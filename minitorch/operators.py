"""Python's operators on tensors: ``x + y``, ``2 / x``, ``x[0]``, ``x == y``, ``-x``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import backend, engine, ops
from minitorch.engine import shown_as, wrap
from minitorch.indexing import getitem, setitem

Method = Callable[[Any, Any], Any]


def is_operand(x: Any) -> bool:
    """Whether ``x`` combines with a tensor: another tensor, a number, another library's array."""
    return isinstance(x, (engine.Tensor, int, float, np.ndarray, np.generic)) or hasattr(
        x, "__dlpack__")


def is_bool(x: Any) -> bool:
    dtype = getattr(getattr(x, "array", x), "dtype", None)
    return isinstance(x, bool) if dtype is None else dtype.kind == "b"


def refuse_bool(x: Any, y: Any) -> None:
    """Raise RuntimeError where ``x - y`` involves a bool."""
    if is_bool(x) or is_bool(y):
        raise RuntimeError("Subtraction, the `-` operator, with a bool tensor is not supported. If "
                           "you are trying to invert a mask, use the `~` or `logical_not()` "
                           "operator instead.")


def _binary(op: Any) -> Method:
    def method(self: Any, other: Any) -> Any:
        return op(self, other) if is_operand(other) else NotImplemented
    return method


def _reflected(op: Any) -> Method:
    def method(self: Any, other: Any) -> Any:
        return op(other, self) if is_operand(other) else NotImplemented
    return method


def _subtract(x: Any, y: Any) -> Any:
    refuse_bool(x, y)
    if isinstance(x, engine.Tensor):
        return ops.subtract(x, y)
    return shown_as("RsubBackward1", ops.subtract(x, y))


def _shift(word: str) -> Method:
    return lambda self, other: getattr(self, word)(other) if is_operand(other) else NotImplemented


class Operators(engine.Tensor):
    """What Python calls when a tensor stands beside an operator."""

    __getitem__ = getitem
    __setitem__ = setitem

    def __delitem__(self, key: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    __add__ = __radd__ = _binary(ops.add)
    __sub__, __rsub__ = _binary(_subtract), _reflected(_subtract)
    __mul__ = __rmul__ = _binary(ops.multiply)
    __truediv__ = _binary(ops.divide)
    __floordiv__, __rfloordiv__ = _binary(ops.floor_divide), _reflected(ops.floor_divide)
    __mod__, __rmod__ = _binary(ops.remainder), _reflected(ops.remainder)
    __pow__, __rpow__ = _binary(ops.pow), _reflected(ops.pow)

    __and__ = __rand__ = _binary(ops.bitwise_and)
    __or__ = __ror__ = _binary(ops.bitwise_or)
    __xor__ = __rxor__ = _binary(ops.bitwise_xor)
    __lshift__, __rshift__ = _shift("bitwise_left_shift"), _shift("bitwise_right_shift")

    __eq__, __ne__ = _binary(ops.eq), _binary(ops.ne)
    __lt__, __le__ = _binary(ops.lt), _binary(ops.le)
    __gt__, __ge__ = _binary(ops.gt), _binary(ops.ge)

    __hash__ = object.__hash__
    __abs__ = ops.abs
    __invert__ = ops.bitwise_not

    def __rtruediv__(self, other: Any) -> Any:
        if not is_operand(other):
            return NotImplemented
        if isinstance(other, engine.Tensor) or np.ndim(other):
            return ops.divide(other, self)
        return ops.multiply(ops.reciprocal(self), other)  # rounds as PyTorch does

    def __matmul__(self, other: Any) -> Any:
        return ops.matmul(self, other) if isinstance(other, engine.Tensor) else NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        if not isinstance(other, engine.Tensor):
            other = wrap(backend.move(np.asarray(other), backend.device_of(self.array)))
        return ops.matmul(other, self)

    def __rlshift__(self, other: Any) -> Any:
        return type(self).bitwise_left_shift(other, self)  # type: ignore[attr-defined]

    def __rrshift__(self, other: Any) -> Any:
        return type(self).bitwise_right_shift(other, self)  # type: ignore[attr-defined]

    def __neg__(self) -> Any:
        if self.array.dtype.kind == "b":
            raise RuntimeError("Negation, the `-` operator, on a bool tensor is not supported. If "
                               "you are trying to invert a mask, use the `~` or `logical_not()` "
                               "operator instead.")
        return ops.negative(self)

    def __pos__(self) -> Any:
        if self.array.dtype.kind == "b":
            raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
        return self
