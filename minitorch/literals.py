"""What constructors make of the data they are given: the dtype inferred, then one array."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine
from minitorch.crossing import item
from minitorch.facts import Size

_OF_PYTHON = {bool: dtypes.BOOL, int: dtypes.INT64}


def array_of(data: Any, dtype: np.dtype[Any] | None = None) -> Any:
    """An own copy of ``data`` as an array, by PyTorch's inference: Python floats give the default.

    Raises ValueError for ragged lists, TypeError for text, RuntimeError for what is no number.
    """
    if isinstance(data, engine.Tensor):
        array = data.array
        return array.copy() if dtype is None else array.astype(dtype)
    if isinstance(data, (np.ndarray, np.generic)) or hasattr(data, "__array__"):
        array = data.copy() if backend.is_own(data) else np.array(data)
        dtypes.of_numpy(array.dtype)
        return array if dtype is None else array.astype(dtype, copy=False)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    kinds: set[Any] = set()
    data = _bare(data, kinds)
    try:
        array = np.array(data)
    except ValueError:
        raise ValueError(f"expected sequence of equal length: {_uneven(data)}") from None
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "O" and kinds <= {bool, int, float}:
            raise ValueError("Overflow when unpacking long long: an integer lies beyond 64 bits")
        raise TypeError(f"data of {array.dtype} cannot become a Tensor of numbers")
    if array.dtype.kind == "u" and int in kinds:
        raise ValueError("Overflow when unpacking long long: an integer lies beyond 63 bits")
    if dtype is None:
        dtype = _inferred(kinds)
    elif dtype.kind in "iu":
        _require_fit(array, dtype)
    return array.astype(dtype, copy=False)


def _bare(data: Any, kinds: set[Any], depth: int = 0) -> Any:
    """``data`` without tensors in it; the types of its elements are added to ``kinds``."""
    if isinstance(data, (list, tuple, range)):
        found = set(map(type, data))
        if found <= {bool, int, float}:
            kinds |= found
            return data
        return [_bare(v, kinds, depth + 1) for v in data]
    if isinstance(data, engine.Tensor):
        kinds.add(data.array.dtype)
        if data.array.size != 1:
            raise ValueError(f"only one element tensors can be converted to Python scalars, and "
                             f"the list holds one of shape {tuple(data.array.shape)}; "
                             f"torch.stack joins tensors")
        return item(data.array)
    if isinstance(data, (np.ndarray, np.generic)) or hasattr(data, "__array__"):
        array = np.asarray(data)
        kinds.add(dtypes.of_numpy(array.dtype).dtype)
        return array
    if isinstance(data, (bool, int, float)):
        kinds.add(next(t for t in (bool, int, float) if isinstance(data, t)))
        return data
    if isinstance(data, (str, bytes)):
        raise ValueError(f"too many dimensions '{type(data).__name__}'")
    if isinstance(data, complex):
        raise TypeError("complex numbers are not supported: there are no complex dtypes here")
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, dict):
        return [_bare(data[i], kinds, depth + 1) for i in range(len(data))]
    raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def _inferred(kinds: set[Any]) -> np.dtype[Any]:
    """The dtype that holds all element types; of no elements, the default float."""
    result: Any = None
    for kind in kinds:
        dt = dtypes.default() if kind is float else _OF_PYTHON.get(kind, kind)
        result = dt if result is None else dtypes.promote_pair(result, dt)
    return dtypes.default() if result is None else result


def _require_fit(array: Any, dtype: np.dtype[Any]) -> None:
    """Raise RuntimeError where a number does not fit; negative ones wrap in unsigned dtypes."""
    most = np.iinfo(dtype).max
    least = -most if dtype.kind == "u" else np.iinfo(dtype).min
    if array.size and not (array.min() >= least and array.max() <= most):
        raise RuntimeError(f"value cannot be converted to type {dtype} without overflow: the data "
                           f"lies in [{array.min()}, {array.max()}]")


def _uneven(data: Any, depth: int = 0) -> str:
    """Which rows of nested lists differ in length."""
    lengths = {len(v) if isinstance(v, (list, tuple, np.ndarray)) else "a number" for v in data}
    if len(lengths) > 1:
        return f"at dim {depth + 1} there are rows of length {sorted(map(str, lengths))}"
    return next(filter(None, [_uneven(v, depth + 1) for v in data
                              if isinstance(v, (list, tuple))]), "its rows differ in length")


def legacy_array(data: tuple[Any, ...], dtype: np.dtype[Any], any_dtype: bool = False) -> Any:
    """What ``FloatTensor(2, 3)`` and ``FloatTensor([1, 2])`` hold: zeros of a shape, or data."""
    if len(data) != 1 or isinstance(data[0], (int, np.integer, Size)):
        sizes = data[0] if len(data) == 1 and isinstance(data[0], Size) else data or (0,)
        if not all(hasattr(n, "__index__") for n in sizes):
            raise TypeError(f"new() takes sizes or one sequence of data, got {data!r}")
        if any(n < 0 for n in sizes):
            raise RuntimeError(f"Trying to create tensor with negative dimension: {list(sizes)}")
        return np.zeros(tuple([n.__index__() for n in sizes]), dtype)
    value = data[0]
    if isinstance(value, engine.Tensor):
        if value.array.dtype != dtype and not any_dtype:
            raise TypeError(f"expected a tensor of {dtypes.of_numpy(dtype)}, got "
                            f"{dtypes.of_numpy(value.array.dtype)}; convert it with .to()")
        return value.array
    if isinstance(value, (float, str, bytes)) or value is None:
        raise TypeError(f"new(): data must be a sequence (got {type(value).__name__})")
    return np.array([_bare(v, set()) for v in value]).astype(dtype)
