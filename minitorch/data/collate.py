"""Collating: many items become one batch, by the type of the first item."""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from minitorch import dtypes
from minitorch.creation import as_tensor, from_numpy, make
from minitorch.functions import stack
from minitorch.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch out of a list of items: each leaf gains a first dimension of ``len(batch)``.

    Tensors (also PyTorch's own) and arrays are stacked, numbers become a Tensor (ints int64,
    floats float64, as in PyTorch), strings and bytes stay a list. Tuples, lists, dicts and named
    tuples of these are collated entry by entry; a tuple becomes a list.

    Raises TypeError for anything else, and RuntimeError where shapes or lengths differ.

    >>> from minitorch.utils.data import default_collate
    >>> default_collate([(1, {"x": 0.5}), (2, {"x": 1.5})])
    [tensor([1, 2]), {'x': tensor([0.5000, 1.5000], dtype=torch.float64)}]
    """
    return _collate(batch, "item")


def _collate(batch: Sequence[Any], where: str) -> Any:
    first = batch[0]
    if isinstance(first, Tensor):
        return _stack(batch, where)
    if _is_torch(first):
        return to_own(_stack(batch, where, sys.modules["torch"].stack))
    if isinstance(first, np.ndarray):
        return _stack([_from_array(each, where) for each in batch], where)
    if isinstance(first, float) and not isinstance(first, np.generic):
        return _numbers(batch, where, np.dtype(np.float64))
    if isinstance(first, (int, np.bool_, np.number)):
        return _numbers(batch, where)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        for i, each in enumerate(batch):
            for key in first:
                if key not in each:
                    raise KeyError(f"default_collate: {where} of sample {i} has no key {key!r}, "
                                   "which sample 0 has")
        return _like(first, {key: _collate([each[key] for each in batch], f"{where}[{key!r}]")
                             for key in first})
    if isinstance(first, Sequence):
        lengths = [len(each) for each in batch]
        if min(lengths) != max(lengths):
            raise RuntimeError("each element in list of batch should be of equal size: "
                               f"{where} has {lengths[0]} entries in sample 0 and " +
                               next(f"{n} in sample {i}" for i, n in enumerate(lengths)
                                    if n != lengths[0]))
        return _like(first, [_collate(entries, f"{where}[{i}]")
                             for i, entries in enumerate(zip(*batch))])
    raise _refusal(type(first), where)


def default_convert(data: Any) -> Any:
    """Arrays (and PyTorch's tensors) inside ``data`` as Tensors; the rest as it is.

    A DataLoader with ``batch_size=None`` applies this to each item.
    """
    if isinstance(data, Tensor) or isinstance(data, (str, bytes)):
        return data
    if _is_torch(data):
        return to_own(data)
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "OSU" else as_tensor(data)
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence):
        return _like(data, [default_convert(each) for each in data])
    return data


def _like(first: Any, parts: Any) -> Any:
    """Put a dict or list of ``parts`` into a container of the type that ``first`` has."""
    kind = type(first)
    if kind in (dict, list, tuple):
        return parts  # a tuple becomes a list, as in PyTorch
    if isinstance(first, tuple):
        return kind(*parts) if hasattr(first, "_fields") else parts
    try:
        if isinstance(first, MutableMapping):  # may have attributes of its own: copy them
            clone: Any = copy.copy(first)
            clone.update(parts)
            return clone
        if isinstance(first, MutableSequence):
            clone = copy.copy(first)
            for i, part in enumerate(parts):
                clone[i] = part
            return clone
        return kind(parts)
    except TypeError:  # a type that cannot be made this way, such as range
        return parts


def _stack(batch: Sequence[Any], where: str, join: Callable[[Any], Any] = stack) -> Any:
    try:
        return join(batch)
    except RuntimeError as error:
        raise RuntimeError(f"{error}, when default_collate stacks {where} of {len(batch)} samples; "
                           "bring them to one shape, or give the DataLoader a collate_fn") from None


def _numbers(batch: Sequence[Any], where: str, dtype: np.dtype[Any] | None = None) -> Tensor:
    """Numbers as a 1-d Tensor; unless ``dtype`` says otherwise, of their common dtype."""
    common = functools.reduce(dtypes.promote_pair, {_dtype_of(each, where) for each in batch})
    return make(np.array(batch, dtypes.of_numpy(dtype or common)))


def _dtype_of(number: Any, where: str) -> np.dtype[Any]:
    if isinstance(number, np.generic) or getattr(number, "shape", None) == ():
        return np.dtype(number.dtype)
    if isinstance(number, bool):
        return dtypes.BOOL
    if isinstance(number, int):
        return dtypes.INT64
    if isinstance(number, float):
        return dtypes.default()
    raise _refusal(type(number), where)


def _from_array(array: Any, where: str) -> Tensor:
    if not isinstance(array, np.ndarray):
        return as_tensor(to_own(array))
    if array.dtype.kind not in "biuf":
        raise _refusal(array.dtype, where)
    return from_numpy(array)


def _refusal(found: Any, where: str) -> TypeError:
    hint = ""
    if getattr(found, "__module__", "").startswith("PIL."):
        hint = "; give the dataset a transform that makes Tensors of images, such as ToTensor()"
    return TypeError("default_collate: batch must contain tensors, numpy arrays, numbers, dicts "
                     f"or lists; found {found} as {where}{hint}")


# -- PyTorch's tensors, as torchvision's datasets give them ----------------------------------

def _is_torch(x: Any) -> bool:
    torch = sys.modules.get("torch")  # whoever has a tensor of PyTorch has imported it
    return torch is not None and isinstance(x, torch.Tensor)


def to_own(x: Any) -> Any:
    """A tensor of PyTorch as a Tensor that shares its memory, outside its graph; else ``x``."""
    return from_numpy(x.detach().cpu().numpy()) if _is_torch(x) else x
