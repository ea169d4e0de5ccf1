"""Datasets: what can be asked for item ``i``, or iterated over; and their combinations."""

from __future__ import annotations

import bisect
import itertools
import math
import operator
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from minitorch.engine import wrap
from minitorch.guests import adopt
from minitorch.random import Generator, default_generator
from minitorch.tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """A map from indices to items; subclasses define ``__getitem__`` and usually ``__len__``.

    Two methods are optional, for speed. ``__getitems__(indices)`` returns a list of items, as in
    PyTorch. ``__getbatch__(indices)`` is minitorch's own: given a list of ints, it returns what
    ``default_collate([self[i] for i in indices])`` would, taken from whole arrays at once, or
    NotImplemented. A DataLoader asks it only if the class that defines it, or a class above,
    also defines the ``__getitem__`` in use: a subclass's own items are never bypassed.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """A stream of items: subclasses must define ``__iter__``. ``a + b`` is a, then b."""

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors side by side: item ``i`` is the tuple of their rows ``i``.

    Raises TypeError for what is not a Tensor, AssertionError if they differ in length.

    >>> import minitorch as torch
    >>> from minitorch.utils.data import TensorDataset
    >>> TensorDataset(torch.arange(6).reshape(3, 2), torch.tensor([7, 8, 9]))[1]
    (tensor([2, 3]), tensor(8))
    """

    def __init__(self, *tensors: Tensor) -> None:
        tensors = adopt(tensors)
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise TypeError(f"TensorDataset: argument {i} is a {type(tensor).__name__}, not a "
                                f"Tensor; minitorch.as_tensor makes one of an array or a list")
            if not tensor.ndim:
                raise IndexError(f"TensorDataset: argument {i} is a 0-d tensor and has no rows")
        if any(len(tensor) != len(tensors[0]) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors: their first dimensions are "
                                 f"{[len(tensor) for tensor in tensors]}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getbatch__(self, indices: list[Any]) -> list[Tensor]:
        return take(self.tensors, indices)

    def __len__(self) -> int:
        return len(self.tensors[0])


class StackDataset(Dataset[Any]):
    """Datasets of one length side by side: items are tuples, or dicts if they were named."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("StackDataset takes datasets by position, for items that are tuples, "
                             "or by name, for dicts, but not both")
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other; ``a + b`` makes one."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if index < -len(self):
            raise ValueError(f"absolute value of index should not exceed dataset length: index "
                             f"{index} of {len(self)} items")
        if index < 0:
            index += len(self)
        if index >= len(self):
            raise IndexError(f"index {index} is out of range: the datasets hold {len(self)} items")
        which = bisect.bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - before]


class ChainDataset(IterableDataset[T_co]):
    """Streams one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset, not "
                                     f"{type(dataset).__name__}")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self._streams())

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._streams())


class Subset(Dataset[T_co]):
    """Those items of a dataset whose indices are listed; item ``i`` is ``dataset[indices[i]]``."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        mine = type(self)
        if (mine.__getitem__ is not Subset.__getitem__
                and mine.__getitems__ is Subset.__getitems__):
            raise NotImplementedError(
                f"{mine.__name__} overrides __getitem__ but not __getitems__, which a DataLoader "
                "calls. Add: def __getitems__(self, indices): return [self[i] for i in indices]")
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        chosen = [self.indices[i] for i in indices]
        items = getattr(self.dataset, "__getitems__", None)
        return items(chosen) if callable(items) else [self.dataset[i] for i in chosen]

    def __getbatch__(self, indices: list[Any]) -> Any:
        whole = batch_getter(self.dataset)
        return whole([self.indices[i] for i in indices]) if whole else NotImplemented

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[float],
                 generator: Generator | None = None) -> list[Subset[Any]]:
    """Cut a dataset at random into Subsets of the given lengths, or fractions that sum to 1.

    A fraction gets ``floor(fraction * len(dataset))`` items; what is left over goes one each to
    the first ones. The order is ``randperm``'s. Raises ValueError if the lengths do not fit.

    >>> import minitorch as torch
    >>> from minitorch.utils.data import random_split
    >>> g = torch.Generator().manual_seed(42)
    >>> [part.indices for part in random_split(range(10), [0.3, 0.7], generator=g)]
    [[2, 6, 1], [8, 4, 5, 0, 9, 3, 7]]
    """
    n = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1: {fraction}")
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(f"Length of split at index {i} is 0. This might result in an empty "
                              "dataset.", stacklevel=2)
    else:
        sizes = list(lengths)  # type: ignore[arg-type]
    if sum(sizes) != n:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset! "
                         f"{' + '.join(map(str, sizes))} = {sum(sizes)}, but it has {n} items")
    order = (default_generator if generator is None else generator).randperm(n).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes)]


# -- whole batches at once -------------------------------------------------------------------

def batch_getter(dataset: Any) -> Callable[[list[Any]], Any] | None:
    """The dataset's ``__getbatch__``, unless a subclass has redefined what its items are."""
    for cls in type(dataset).__mro__:
        if "__getbatch__" in vars(cls):
            return dataset.__getbatch__
        if "__getitem__" in vars(cls) or "__getitems__" in vars(cls):
            return None
    return None


def take(tensors: Iterable[Tensor], indices: list[Any]) -> list[Tensor]:
    """The rows ``indices`` of each tensor, as copies: one slice if they are consecutive."""
    tensors = list(tensors)
    rows: Any = [operator.index(i) for i in indices]
    first, end = rows[0], rows[-1] + 1
    consecutive = end - first == len(rows) and rows == list(range(first, end))
    if consecutive and 0 <= first and end <= len(tensors[0]):
        return [tensor[first:end].clone() if tensor.requires_grad
                else wrap(tensor.array[first:end].copy()) for tensor in tensors]
    rows = np.array(rows)
    return [tensor[rows] if tensor.requires_grad else wrap(tensor.array[rows])
            for tensor in tensors]
