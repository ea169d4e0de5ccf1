"""The DataLoader: batches of a dataset, in PyTorch's order for the same seed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from minitorch.data.collate import default_collate, default_convert
from minitorch.data.dataset import IterableDataset, batch_getter
from minitorch.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from minitorch.random import Generator, default_generator

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """Iterate over a dataset in batches, shuffled or not.

    The arguments are PyTorch's, and so is the order of the batches for the same ``manual_seed``:
    each pass draws one int64 from the default stream (or ``generator``), and the sampler draws
    its own. Items are loaded in this process whatever ``num_workers`` says, so a random transform
    draws from this process's stream; ``pin_memory`` and the other arguments about worker
    processes are accepted and have no effect. Any object with ``__getitem__`` and ``__len__`` is
    a dataset, torchvision's included; PyTorch's tensors in its items become minitorch's.

    With the default ``collate_fn``, a TensorDataset, a Subset of one, and any dataset with
    ``__getbatch__`` (see `Dataset`) give whole batches without touching single items.

    Raises ValueError for arguments that exclude each other.

    >>> import minitorch as torch
    >>> from minitorch.utils.data import DataLoader, TensorDataset
    >>> _ = torch.manual_seed(0)
    >>> loader = DataLoader(TensorDataset(torch.arange(5)), batch_size=2, shuffle=True)
    >>> [x.tolist() for (x,) in loader]
    [[1, 4], [2, 3], [0]]
    """

    _fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset",
              "persistent_workers")
    _initialized = False

    def __init__(self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
                 sampler: Iterable[Any] | None = None,
                 batch_sampler: Iterable[Any] | None = None, num_workers: int = 0,
                 collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False,
                 drop_last: bool = False, timeout: float = 0,
                 worker_init_fn: Callable[[int], None] | None = None,
                 multiprocessing_context: Any = None, generator: Generator | None = None, *,
                 prefetch_factor: int | None = None, persistent_workers: bool = False,
                 pin_memory_device: str = "", in_order: bool = True) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers,
                       multiprocessing_context)
        stream = _is_stream(dataset)
        if stream:
            for name, value in (("shuffle", shuffle or None), ("sampler", sampler),
                                ("batch_sampler", batch_sampler)):
                if value is not None:
                    raise ValueError(f"DataLoader with IterableDataset: expected unspecified "
                                     f"{name} option, but got {name}={value}")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("batch_sampler option is mutually exclusive with batch_size, "
                                 "shuffle, sampler, and drop_last")
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually "
                             "exclusive with drop_last")
        if sampler is None:
            sampler = (_Endless() if stream else RandomSampler(dataset, generator=generator)
                       if shuffle else SequentialSampler(dataset))
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)  # type: ignore[arg-type]
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self._stream = stream
        self._passes = 0
        self._initialized = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in self._fixed:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is "
                             "initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        return _Pass(self)

    def __len__(self) -> int:
        """The number of batches; TypeError if the dataset or sampler has no length."""
        if not self._stream:
            return len(self._indices)  # type: ignore[arg-type]
        n = len(self.dataset)
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    @property
    def _indices(self) -> Iterable[Any]:
        """What says which items come next: lists of indices, or single ones without batching."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler


class _Pass:
    """One pass over a DataLoader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        self._indices = iter(loader._indices)
        # The base seed of PyTorch's workers, drawn without workers too; workers that persist
        # keep theirs.
        if not (loader.persistent_workers and loader._passes):
            generator = default_generator if loader.generator is None else loader.generator
            generator.random_int64()
        loader._passes += 1
        self._read = _stream_reader(loader) if loader._stream else _reader(loader)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._read(next(self._indices))

    def __len__(self) -> int:
        return len(self._loader)


def _reader(loader: DataLoader[Any]) -> Callable[[Any], Any]:
    """How to read a batch, or without batching an item, by its indices."""
    dataset, collate = loader.dataset, loader.collate_fn
    if loader.batch_sampler is None:
        return lambda index: collate(dataset[index])
    items = getattr(dataset, "__getitems__", None)
    whole = batch_getter(dataset) if collate is default_collate else None

    def read(indices: Any) -> Any:
        if whole is not None:
            batch = whole(list(indices))
            if batch is not NotImplemented:
                return batch
        return collate(items(indices) if items else [dataset[i] for i in indices])

    return read


def _stream_reader(loader: DataLoader[Any]) -> Callable[[Any], Any]:
    """How to read the next batch, or item, of a stream."""
    stream = iter(loader.dataset)
    if loader.batch_sampler is None:
        return lambda _: loader.collate_fn(next(stream))

    def read(places: list[None]) -> Any:
        items = list(itertools.islice(stream, len(places)))
        if not items or (loader.drop_last and len(items) < len(places)):
            raise StopIteration
        return loader.collate_fn(items)

    return read


class _Endless(Sampler[None]):
    """None for ever: the sampler of a stream, whose items have no indices."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


def _is_stream(dataset: Any) -> bool:
    theirs = getattr(sys.modules.get("torch.utils.data"), "IterableDataset", IterableDataset)
    return isinstance(dataset, (IterableDataset, theirs))


def _check_workers(num_workers: int, timeout: float, prefetch_factor: int | None,
                   persistent_workers: bool, context: Any) -> None:
    """Refuse what PyTorch refuses about worker processes, though none are started."""
    if num_workers < 0:
        raise ValueError(f"num_workers option should be non-negative, but got {num_workers}; use "
                         "num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError(f"timeout option should be non-negative, but got {timeout}")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError("prefetch_factor option could only be specified in multiprocessing. "
                         "Let num_workers > 0, or set prefetch_factor to None.")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError(f"prefetch_factor option should be non-negative, got {prefetch_factor}")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    if context is None:
        return
    if num_workers == 0:
        raise ValueError("multiprocessing_context can only be used with multi-process loading "
                         f"(num_workers > 0), but got num_workers={num_workers}")
    import multiprocessing.context

    if isinstance(context, str):
        valid = multiprocessing.get_all_start_methods()
        if context not in valid:
            raise ValueError("multiprocessing_context option should specify a valid start method "
                             f"in {valid}, but got multiprocessing_context={context!r}")
    elif not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError("multiprocessing_context option should be a valid context object or a "
                        f"string specifying the start method, but got {context!r}")


def get_worker_info() -> None:
    """None: items are loaded in the main process."""
