"""Number types under PyTorch's names, and PyTorch's rule for mixing them."""

from __future__ import annotations

import builtins
from functools import cache
from typing import Any

import numpy as np

__all__ = ["dtype", "float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64",
           "finfo", "iinfo", "get_default_dtype", "set_default_dtype", "promote_types", "can_cast"]


class dtype:
    """A number type, such as ``minitorch.float32``; NumPy accepts it wherever it takes a dtype.

    It prints as ``torch.float32``, so that a program run with minitorch in torch's place prints
    the same lines.
    """

    def __init__(self, name: str, legacy: str) -> None:
        self.name = name
        self.dtype = np.dtype(name)  # the attribute NumPy looks for
        self.kind = self.dtype.kind  # "f", "i", "u" or "b", as forwards ask of arrays and Tensors
        self.legacy = legacy  # as in FloatTensor
        self.itemsize = self.dtype.itemsize
        self.is_floating_point = self.dtype.kind == "f"
        self.is_complex = False
        self.is_signed = self.dtype.kind in "if"

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return of_numpy, (self.name,)


float16 = dtype("float16", "Half")
float32 = dtype("float32", "Float")
float64 = dtype("float64", "Double")
uint8 = dtype("uint8", "Byte")
int8 = dtype("int8", "Char")
int16 = dtype("int16", "Short")
int32 = dtype("int32", "Int")
int64 = dtype("int64", "Long")
bool_ = dtype("bool", "Bool")

ALL = (float16, float32, float64, uint8, int8, int16, int32, int64, bool_)
_BY_NUMPY = {d.dtype: d for d in ALL}
BOOL, INT64, FLOAT32 = bool_.dtype, int64.dtype, float32.dtype

_default = FLOAT32


def of_numpy(dt: Any) -> dtype:
    """The minitorch dtype of a NumPy one; raises TypeError for types PyTorch programs lack here."""
    try:
        return _BY_NUMPY[np.dtype(dt)]
    except KeyError:
        known = ", ".join(d.name for d in ALL)
        raise TypeError(f"can't convert np.ndarray of type {np.dtype(dt)}. "
                        f"The supported types are: {known}.") from None


def to_numpy(dt: Any) -> np.dtype[Any]:
    """NumPy's dtype for a minitorch dtype, a NumPy dtype or a Python number type."""
    if isinstance(dt, dtype):
        return dt.dtype
    if dt is None:
        raise TypeError("dtype must be a torch.dtype, not None")
    return of_numpy(dt).dtype  # of Python's types, float means float64 here too


def default() -> np.dtype[Any]:
    """The dtype that a Python float becomes (NumPy's name for it)."""
    return _default


def get_default_dtype() -> dtype:
    """The dtype that a Python float becomes; float32 unless ``set_default_dtype`` changed it."""
    return _BY_NUMPY[_default]


def set_default_dtype(d: dtype) -> None:
    """Make ``d`` the dtype that a Python float becomes; raises TypeError unless it is floating."""
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d}")
    _default = d.dtype


@cache
def promote_pair(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """PyTorch's promotion of two dimensioned tensors: a float always wins over an integer."""
    if a.kind == "f" and b.kind != "f":
        return a
    if b.kind == "f" and a.kind != "f":
        return b
    return np.promote_types(a, b)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that both can be converted to, by PyTorch's rule.

    >>> import minitorch as torch
    >>> torch.promote_types(torch.int64, torch.float32)
    torch.float32
    """
    return _BY_NUMPY[promote_pair(type1.dtype, type2.dtype)]


def _outrank(higher: np.dtype[Any] | None, lower: np.dtype[Any] | None) -> np.dtype[Any] | None:
    """A dimensioned tensor outranks a 0-d one, which outranks a Python number, within a kind."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    if higher.kind == "f":
        return higher
    if higher.kind == "b" or lower.kind == "f":
        return promote_pair(higher, lower)
    return higher


def result_dtype(values: Any, operator: str = "result_type") -> np.dtype[Any]:
    """The dtype in which PyTorch combines arrays and Python numbers elementwise."""
    ranks: list[np.dtype[Any] | None] = [None, None, None]
    for v in values:
        if isinstance(v, builtins.bool):
            rank, dt = 2, BOOL
        elif isinstance(v, builtins.int):
            rank, dt = 2, INT64
        elif isinstance(v, builtins.float):
            rank, dt = 2, _default
        elif isinstance(v, np.generic):  # NumPy's numbers are as weak as Python's
            rank, dt = 2, {"b": BOOL, "f": _default}.get(v.dtype.kind, INT64)
        elif hasattr(v, "dtype"):
            rank, dt = (0 if v.ndim else 1), v.dtype
        else:
            raise TypeError(f"{operator}(): an operand must be a Tensor or a number, not "
                            f"{type(v).__name__}")
        known = ranks[rank]
        ranks[rank] = dt if known is None else promote_pair(known, dt)
    result = _outrank(_outrank(ranks[0], ranks[1]), ranks[2])
    assert result is not None
    return result


def can_cast(from_: dtype, to: dtype) -> builtins.bool:
    """Whether an in-place result of type ``from_`` may be stored in ``to`` (no kind is lost)."""
    return castable(from_.dtype, to.dtype)


def castable(a: np.dtype[Any], b: np.dtype[Any]) -> builtins.bool:
    rank = {"b": 0, "u": 1, "i": 1, "f": 2}
    return rank[a.kind] <= rank[b.kind]


class finfo:
    """Limits of a floating dtype: ``eps``, ``max``, ``min``, ``tiny``, ``bits``.

    >>> import minitorch as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: dtype | None = None) -> None:
        dt = _default if type is None else type.dtype
        if dt.kind != "f":
            raise TypeError(f"torch.finfo() requires a floating point input type, not {type}; "
                            f"torch.iinfo takes integers")
        info = np.finfo(dt)
        self.bits = info.bits
        self.eps, self.max, self.min, self.tiny, self.resolution = (
            builtins.float(v) for v in (info.eps, info.max, info.min, info.tiny, info.resolution))
        self.smallest_normal = self.tiny
        self.dtype = info.dtype.name

    def __repr__(self) -> str:
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
                f"eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, "
                f"dtype={self.dtype})")


class iinfo:
    """Limits of an integer dtype: ``max``, ``min``, ``bits``."""

    def __init__(self, type: dtype) -> None:
        if type.dtype.kind not in "iu":
            raise TypeError(f"torch.iinfo() requires an integer input type, not {type}; "
                            f"torch.finfo takes floats")
        info = np.iinfo(type.dtype)
        self.bits, self.max, self.min = info.bits, info.max, info.min
        self.dtype = info.dtype.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
