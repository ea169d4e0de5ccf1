"""Batches of a data set that lies on the GPU, without a copy from the host."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.data.collate import default_collate
from minitorch.data.dataset import TensorDataset, batch_getter
from minitorch.data.loader import DataLoader
from minitorch.engine import wrap
from minitorch.kernels.cuda import launch
from minitorch.random import Generator

Array = Any
TYPES = {"float32": "float", "float64": "double", "float16": "short", "int64": "long long",
         "int32": "int", "int16": "short", "int8": "char", "uint8": "char", "bool": "char"}


def source(kinds: list[str]) -> str:
    """The text of ``take``: rows of each array, in the order that another names."""
    parameters, lines = ["const long long* order", "long long start", "long long rows"], []
    for k, kind in enumerate(kinds):
        t = TYPES[kind]
        parameters += [f"const {t}* x{k}", f"{t}* out{k}", f"long long width{k}"]
        lines.append(f"""
    for (long long e = blockIdx.x * blockDim.x + threadIdx.x; e < rows * width{k};
            e += gridDim.x * blockDim.x)
        out{k}[e] = x{k}[order[start + e / width{k}] * width{k} + e % width{k}];""")
    return (f'extern "C" __global__ void take({", ".join(parameters)}) {{{"".join(lines)}\n}}\n')


class DeviceLoader(DataLoader[Any]):
    """A DataLoader whose data set, order and batches lie on a GPU: one launch for each batch.

    ``dataset``: a TensorDataset of tensors on the GPU; of another data set, all items are loaded
    and moved to ``device`` once, so random transforms are drawn once. Order and length are those
    of a DataLoader with the same seed; the order of a pass is copied to the GPU as it begins.

    **Each batch overwrites the one before**: they are the same tensors, as a CUDA graph needs.
    Raises TypeError for a data set whose items are no tensors, RuntimeError where there is no GPU.
    """

    def __init__(self, dataset: Any, batch_size: int = 1, shuffle: bool | None = None,
                 sampler: Iterable[Any] | None = None, drop_last: bool = False,
                 generator: Generator | None = None, device: Any = "cuda") -> None:
        super().__init__(dataset, batch_size, shuffle, sampler, drop_last=drop_last,
                         generator=generator)
        tensors = dataset.tensors if isinstance(dataset, TensorDataset) else everything(dataset)
        if not isinstance(tensors, (tuple, list)) or not all(
                hasattr(t, "array") and t.array.dtype.name in TYPES for t in tensors):
            raise TypeError("DeviceLoader takes a data set whose items are tuples of tensors and "
                            "numbers")
        if not isinstance(dataset, TensorDataset):
            tensors = [t.to(device) for t in tensors]
        if any(type(t.array) is not launch.launcher.ndarray for t in tensors):
            raise RuntimeError("DeviceLoader takes tensors on a GPU: move them by to('cuda'); for "
                               "the CPU there is DataLoader")
        self._arrays = [t.array if t.array.flags.c_contiguous else t.array.copy()
                        for t in tensors]
        self._buffers = [a[:batch_size].copy() for a in self._arrays]
        self._batch = tuple(map(wrap, self._buffers))
        self._take = launch.launcher.function(
            source([a.dtype.name for a in self._arrays]), "take")

    def __iter__(self) -> Iterator[Any]:
        batches: Any = super().__iter__()  # draws as a DataLoader's pass does
        order = np.fromiter(itertools.chain.from_iterable(batches._indices), np.int64)
        return self._pass(self._to_device(order), len(order))

    def _to_device(self, order: Array) -> Array:
        there = self._buffers[0]
        if isinstance(there, np.ndarray):
            return order
        return backend.move(order, backend.device_of(there))

    def _pass(self, order: Array, n: int) -> Iterator[Any]:
        size = len(self._buffers[0])
        for start in range(0, n, self.batch_size or size):
            rows = min(size, n - start)
            args: list[Any] = [order, start, rows]
            for x, out in zip(self._arrays, self._buffers):
                args += [x, out, x.size // len(x)]
            largest = max(out.size for out in self._buffers)
            self._take((min(-(-largest // 256), 1024),), (256,), args)
            yield self._batch if rows == size else tuple([wrap(b[:rows]) for b in self._buffers])


def everything(dataset: Any) -> Any:
    """All items of a data set, as one batch."""
    whole = batch_getter(dataset)
    places = list(range(len(dataset)))
    batch = NotImplemented if whole is None else whole(places)
    return default_collate([dataset[i] for i in places]) if batch is NotImplemented else batch
