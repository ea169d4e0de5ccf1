"""PyTorch's sample arguments as arguments of either engine: same numbers, same memory layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

import minitorch

DTYPES = {getattr(torch, d.name): d for d in minitorch.dtypes.ALL}
MEMORY_FORMATS = {torch.preserve_format: minitorch.preserve_format,
                  torch.contiguous_format: minitorch.contiguous_format}


class OutOfScope(Exception):
    """An argument of a kind that minitorch leaves out: complex numbers, sparse layouts, ..."""


def copied(t: torch.Tensor) -> torch.Tensor:
    """The same numbers in new memory with the same strides and offset (so also if expanded)."""
    if t.layout is not torch.strided:
        raise OutOfScope("sparse tensors")
    if t.dtype not in DTYPES:
        raise OutOfScope(f"dtype {t.dtype}")
    if t.ndim > 64:
        raise OutOfScope("more dimensions than NumPy's arrays can have")
    t = t.detach().resolve_neg()
    memory = t.untyped_storage().clone()
    return torch.empty(0, dtype=t.dtype).set_(memory, t.storage_offset(), t.shape, t.stride())


@dataclass
class Arguments:
    """Arguments converted for one engine; ``leaves`` are its tensors that require a gradient."""

    engine: Any  # torch or minitorch
    grad: bool = True  # whether leaves require a gradient as in the sample
    sparse_too: bool = False  # operators are tried on dense tensors only
    leaves: list[Any] = field(default_factory=list)
    made: dict[int, tuple[Any, Any]] = field(default_factory=dict)

    def shared_with(self, result: Any) -> bool:
        """Whether a result lies in the memory of an argument: a view, or the argument itself."""
        return any(np.may_share_memory(bare(x), bare(result)) for x, _ in self.made.values())

    def tensor(self, t: torch.Tensor) -> Any:
        if id(t) not in self.made:  # a tensor that is passed twice stays one tensor
            x: Any = self.sparse(t) if t.layout is torch.sparse_coo else copied(t)
            if self.engine is minitorch and t.layout is torch.strided:
                x = minitorch.from_numpy(x.numpy())
            if t.requires_grad and self.grad:
                self.leaves.append(x.requires_grad_())
            self.made[id(t)] = x, t
        return self.made[id(t)][0]

    def sparse(self, t: torch.Tensor) -> Any:
        if not self.sparse_too:
            raise OutOfScope("sparse tensors")
        parts = [self.engine.from_numpy(part.detach().numpy().copy())
                 for part in (t._indices(), t._values())]
        return self.engine.sparse_coo_tensor(*parts, tuple(t.shape))

    def convert(self, value: Any) -> Any:
        """``value`` with every tensor, dtype and device in it replaced by the engine's own."""
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.convert, value))
        if isinstance(value, dict):
            return {k: self.convert(v) for k, v in value.items()}
        if isinstance(value, slice):
            return slice(*map(self.convert, (value.start, value.stop, value.step)))
        if isinstance(value, complex):
            raise OutOfScope("complex")
        if isinstance(value, torch.memory_format) and value not in MEMORY_FORMATS:
            raise OutOfScope(f"memory format {value}")
        if isinstance(value, torch.layout) and value is not torch.strided:
            raise OutOfScope("sparse layouts")
        if isinstance(value, torch.dtype) and value not in DTYPES:
            raise OutOfScope(f"dtype {value}")
        if self.engine is minitorch:
            if isinstance(value, torch.dtype):
                return DTYPES[value]
            if isinstance(value, torch.memory_format):
                return MEMORY_FORMATS[value]
            if isinstance(value, torch.device):
                return minitorch.device(str(value))
            if isinstance(value, torch.layout):
                return minitorch.strided
        return value


def call(engine: Any, sample: Any, function: Any, grad: bool = True) -> tuple[Any, Arguments]:
    """``function(input, *args, **kwargs)`` of a sample under one engine; also its arguments."""
    arguments = Arguments(engine, grad)
    args = [arguments.convert(v) for v in (sample.input, *sample.args)]
    kwargs = arguments.convert(sample.kwargs)
    engine.manual_seed(42)
    return function(*args, **kwargs), arguments


def is_tensor(value: Any) -> bool:
    return isinstance(value, (torch.Tensor, minitorch.Tensor))


def flat(value: Any) -> Iterator[Any]:
    """The tensors and numbers in a result, in order."""
    if isinstance(value, (tuple, list)):
        for v in value:
            yield from flat(v)
    else:
        yield value


def bare(value: Any) -> Any:
    """A tensor of either engine as an array, a sparse one as a dense; other values as they are."""
    if getattr(value, "is_sparse", False):
        value = value.to_dense()
    return value.detach().numpy(force=True) if is_tensor(value) else value


def cotangents(outputs: list[Any], seed: int) -> list[np.ndarray]:
    """Random numbers in (-1, 1), none near 0, of each output's shape and dtype."""
    random = np.random.default_rng(seed)
    return [np.asarray(random.uniform(0.3, 1, tuple(y.shape)) * random.choice([-1, 1], tuple(
        y.shape)), bare(y).dtype) for y in outputs]
