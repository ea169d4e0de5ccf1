"""Constructors as programs older than PyTorch 0.4 spell them: ``FloatTensor(2, 3)``."""

from __future__ import annotations

from typing import Any

from minitorch import dtypes
from minitorch.creation import make
from minitorch.engine import wrap
from minitorch.literals import legacy_array
from minitorch.tensor import Tensor

__all__ = ["HalfTensor", "FloatTensor", "DoubleTensor", "ByteTensor", "CharTensor", "ShortTensor",
           "IntTensor", "LongTensor", "BoolTensor", "set_default_tensor_type"]


class _Legacy(type):
    """``isinstance(x, FloatTensor)`` asks for the dtype."""

    dtype: dtypes.dtype

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype is cls.dtype


def _constructor(d: dtypes.dtype) -> Any:
    def new(cls: Any, *data: Any) -> Any:
        return wrap(legacy_array(data, d.dtype))
    doc = f"``{d.legacy}Tensor(2, 3)``, zeros; ``{d.legacy}Tensor([1, 2])``: of {d.name}."
    # PyTorch's own tensors take a class of this full name: theirs.type(minitorch.FloatTensor).
    return _Legacy(f"torch.{d.legacy}Tensor", (), {
        "__new__": new, "dtype": d, "__doc__": doc, "__module__": "torch",
        "__qualname__": f"{d.legacy}Tensor"})


HalfTensor = _constructor(dtypes.float16)
FloatTensor = _constructor(dtypes.float32)
DoubleTensor = _constructor(dtypes.float64)
ByteTensor = _constructor(dtypes.uint8)
CharTensor = _constructor(dtypes.int8)
ShortTensor = _constructor(dtypes.int16)
IntTensor = _constructor(dtypes.int32)
LongTensor = _constructor(dtypes.int64)
BoolTensor = _constructor(dtypes.bool_)


def set_default_tensor_type(t: Any) -> None:
    """``set_default_dtype`` by type: ``DoubleTensor`` or ``"torch.DoubleTensor"``."""
    names = {f"torch.{d.legacy}Tensor": d for d in dtypes.ALL}
    dtype = names.get(t) if isinstance(t, str) else getattr(t, "dtype", None)
    if dtype is None:
        raise TypeError(f"invalid type object: {t!r} is no tensor type; known are {list(names)}")
    dtypes.set_default_dtype(dtype)


def _new(self: Any, *data: Any) -> Any:
    """Zeros of a shape, or data, with this tensor's dtype: ``x.new(2, 3)``, ``x.new([1, 2])``."""
    return make(legacy_array(data, self.array.dtype), self.device)


setattr(Tensor, "new", _new)
