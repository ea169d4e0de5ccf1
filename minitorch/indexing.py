"""``x[key]`` and ``x[key] = value`` with PyTorch's meaning, on NumPy's indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import engine, ops
from minitorch.engine import wrap
from minitorch.inplace import assign, check_writable
from minitorch.modes import modes


def _array(item: Any) -> Any:
    """One index as NumPy wants it: tensors and lists become arrays, integers ints."""
    if isinstance(item, engine.Tensor):
        item = item.array
    if isinstance(item, (list, tuple, range)):
        item = np.asarray(item)
        item = item.astype(np.int64) if item.size == 0 else item
    if isinstance(item, slice):
        if item.step is not None and int(item.step) <= 0:
            raise ValueError("step must be greater than zero; use torch.flip to reverse")
        return slice(*[None if v is None else int(v)
                       for v in (item.start, item.stop, item.step)])
    if isinstance(item, (np.ndarray, np.generic)):
        if item.dtype == np.uint8:
            item = item.astype(bool)  # ByteTensor masks
        if item.dtype.kind not in "iub":
            raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, "
                             f"not {item.dtype}")
        if item.ndim == 0 and item.dtype.kind != "b":
            return int(item)
        return np.array(item)  # a copy: the graph keeps it
    return item


def normalise(key: Any) -> Any:
    if type(key) is int or key is Ellipsis or key is None:
        return key
    if isinstance(key, tuple):
        return tuple([_array(k) for k in key])
    return _array(key)


def _split(key: Any) -> tuple[Any, Any]:
    """Integers beside index arrays: PyTorch takes the integers first, NumPy mixes them in."""
    if not isinstance(key, tuple):
        return None, key
    advanced = [isinstance(k, np.ndarray) for k in key]
    if not any(advanced) or not any(type(k) is int or k is None for k in key):
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
    first, key = _split(normalise(key))
    return ops.index(x if first is None else ops.index(x, first), key)


def setitem(x: Any, key: Any, value: Any) -> None:
    first, key = _split(normalise(key))
    if first is not None:
        x = ops.index(x, first)
    check_writable(x)
    tensor = isinstance(value, engine.Tensor)
    new = value.array if tensor else value
    try:
        if modes.grad and (x.node is not None or tensor and value.node is not None):
            source = wrap(x.array, x.node)
            assign(x, ops.index_put(source, key, value))
            return
        x.array[key] = new
    except ValueError as error:
        raise RuntimeError(f"shape mismatch: value of shape {np.shape(new)} cannot be written at "
                           f"the chosen positions of a tensor of shape {tuple(x.shape)}: "
                           f"{error}") from None
    x.version[0] += 1
