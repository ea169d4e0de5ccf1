"""``x[key]`` and ``x[key] = value`` with PyTorch's meaning, on NumPy's indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend, engine, ops
from minitorch.crossing import item as number
from minitorch.engine import wrap
from minitorch.inplace import assign, check_writable, wrote
from minitorch.literals import array_of
from minitorch.modes import modes
from minitorch.views import node_of


def _item(item: Any) -> Any:
    """One index as NumPy wants it: integers as ints, tensors and lists as arrays."""
    if isinstance(item, engine.Tensor):
        item = item.array
    elif isinstance(item, (list, tuple, range)):
        item = array_of(item) if len(item) else np.zeros(np.shape(item), np.int64)
        if not item.size:
            item = item.astype(np.int64)
    elif item is None or item is Ellipsis or type(item) is int:
        return item
    elif isinstance(item, slice):
        return _slice(item)
    if isinstance(item, (bool, np.bool_)):
        return np.asarray(item)
    if isinstance(item, (int, np.integer)):
        return int(item)
    if engine.is_array(item):
        if item.dtype == np.uint8:
            item = item.astype(bool)  # ByteTensor masks
        if item.dtype.kind not in "iub":
            raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, "
                             f"not {item.dtype}")
        if item.ndim == 0 and item.dtype.kind != "b":
            return int(number(item))
        return item.copy()  # the graph keeps it
    if isinstance(item, str):
        raise TypeError(f"a tensor has no part named {item!r}: index it by position")
    raise IndexError(f"only integers, slices (`:`), ellipsis (`...`), None and long or byte "
                     f"Variables are valid indices (got {type(item).__name__})")


def _slice(item: slice) -> slice:
    start, stop, step = [
        v if v is None or type(v) is int else v.__index__() if hasattr(v, "__index__") else _no(v)
        for v in (item.start, item.stop, item.step)]
    if step is not None and step <= 0:
        raise ValueError("step must be greater than zero; use torch.flip to reverse")
    return slice(start, stop, step)


def _no(v: Any) -> Any:
    raise TypeError(f"slice indices must be integers or None or have an __index__ method, not "
                    f"{type(v).__name__}")


def _is_several(key: Any) -> bool:
    """Whether a list stands for a tuple of indices, as in ``x[[0, 1], [1, 2]]``: NumPy's old rule,
    which PyTorch keeps."""
    return isinstance(key, list) and len(key) < 32 and any(
        k is None or k is Ellipsis or isinstance(k, (slice, list, tuple, engine.Tensor, np.ndarray))
        for k in key)


def normalise(key: Any) -> Any:
    """A key as NumPy wants it; raises for what is no index."""
    if type(key) is int or key is Ellipsis or key is None:
        return key
    if isinstance(key, tuple) or _is_several(key):
        return tuple([_item(k) for k in key])
    return _item(key)


PLAIN = {int, slice, type(None), type(Ellipsis)}  # what a key of basic indexing consists of


def beside(x: Any, key: Any) -> Any:
    """A key whose arrays lie where ``x`` does: those of the CPU may index a tensor on the GPU."""
    if type(key) in PLAIN:
        return key
    keys = key if isinstance(key, tuple) else (key,)
    if not any(type(k) not in PLAIN and engine.is_array(k) for k in keys):
        return key
    here = backend.device_of(x.array)
    moved = []
    for k in keys:
        if type(k) not in PLAIN and engine.is_array(k):
            if backend.device_of(k) not in (here, backend.CPU):
                raise RuntimeError(f"indices should be either on {backend.CPU} or on the same "
                                   f"device as the indexed tensor ({here})")
            k = backend.move(k, here)
        moved.append(k)
    return tuple(moved) if isinstance(key, tuple) else moved[0]


def _split(key: Any, ndim: int) -> tuple[Any, Any]:
    """Integers beside index arrays: PyTorch takes the integers first, NumPy mixes them in.

    And an Ellipsis for no dimension parts index arrays in NumPy, which moves their axes to the
    front; not in PyTorch.
    """
    if not isinstance(key, tuple):
        return None, key
    advanced = [type(k) not in PLAIN and engine.is_array(k) for k in key]
    if not any(advanced):
        return None, key
    taken = [k.ndim if is_array and k.dtype == bool else k is not None and k is not Ellipsis
             for k, is_array in zip(key, advanced)]
    if sum(taken) == ndim:
        advanced = [a for k, a in zip(key, advanced) if k is not Ellipsis]
        key = tuple([k for k in key if k is not Ellipsis])
    if not any(type(k) is int or k is None for k in key):
        return None, key
    first: list[Any] = []
    second: list[Any] = []
    for k, is_advanced in zip(key, advanced):
        if is_advanced:
            first += [slice(None)] * (k.ndim if k.dtype == bool else 1)
            second.append(k)
        else:
            first.append(k)
            if type(k) is not int:
                second.append(Ellipsis if k is Ellipsis else slice(None))
    return tuple(first), tuple(second)


def getitem(x: Any, key: Any) -> Any:
    """``x[key]``: a view for integers and slices, a copy for index tensors and masks."""
    first, key = _split(beside(x, normalise(key)), x.array.ndim)
    return ops.index(x if first is None else ops.index(x, first), key)


def setitem(x: Any, key: Any, value: Any) -> None:
    """``x[key] = value``, a number or a tensor that broadcasts to ``x[key]``."""
    tensor = isinstance(value, engine.Tensor)
    if not tensor and not isinstance(value, (int, float, np.generic)):
        raise TypeError(f"can't assign a {type(value).__name__} to a torch.{x.dtype.legacy}Tensor; "
                        f"wrap it in torch.tensor() first")
    if isinstance(key, bool):
        if not key:
            return
        key = None  # PyTorch writes to x[True] as to x[None]: values may be of any dtype
    first, key = _split(beside(x, normalise(key)), x.array.ndim)
    if first is not None:
        x = ops.index(x, first)
    if tensor and value.array.dtype != x.array.dtype:
        _require_convertible(x, key, value)
    check_writable(x)
    if tensor and value.array.shape[:1] == (1,):
        value = _without_ones(value, x.array[key].ndim)
    try:
        if modes.grad and (x.node is not None or (tensor and node_of(value) is not None)):
            assign(x, ops.index_put(wrap(x.array, x.node), key, value))
        else:
            x.array[key] = value.array if tensor else value
            wrote(x)
    except (ValueError, TypeError, OverflowError) as error:
        raise RuntimeError(f"shape mismatch: value of shape {tuple(np.shape(value))} cannot be "
                           f"written at the chosen positions of a tensor of {x.dtype} and shape "
                           f"{tuple(x.shape)}: {error}") from None


def _without_ones(value: Any, ndim: int) -> Any:
    """A value without the leading dimensions of size 1 that its place lacks."""
    extra = value.array.ndim - ndim
    if extra > 0 and value.array.shape[:extra] == (1,) * extra:
        return ops.reshape(value, value.array.shape[extra:])
    return value


def _require_convertible(x: Any, key: Any, value: Any) -> None:
    """Raise where PyTorch does not convert the value: at index tensors, though not at a mask that
    takes a single number."""
    arrays = [k for k in (key if isinstance(key, tuple) else (key,)) if engine.is_array(k)]
    is_mask = len(arrays) == 1 and arrays[0].dtype == bool and arrays[0].ndim
    if arrays and not (is_mask and value.array.size == 1):
        x.array[key]  # an index out of range is an IndexError first
        raise RuntimeError(f"Index put requires the source and destination dtypes match, got "
                           f"{x.dtype} for the destination and {value.dtype} for the source.")
