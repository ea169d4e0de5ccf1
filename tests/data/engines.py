"""Programs run under minitorch and under PyTorch, and compared."""

from __future__ import annotations

import torch

import minitorch

ENGINES = (minitorch, torch)


def plain(x):
    """Tensors as (dtype, list), so that both engines' items compare with ``==``."""
    if isinstance(x, (minitorch.Tensor, torch.Tensor)):
        return str(x.dtype), x.tolist()
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    return type(x)(map(plain, x)) if isinstance(x, (list, tuple)) else x


def frozen(x):
    """Comparable, and with the types of the containers."""
    if isinstance(x, (minitorch.Tensor, torch.Tensor)):
        return tuple(x.shape), *plain(x)
    if isinstance(x, dict):
        return type(x).__name__, [(k, frozen(v)) for k, v in x.items()]
    return (type(x).__name__, list(map(frozen, x))) if isinstance(x, (list, tuple)) else x


def in_both(program, may_raise=()):
    """What the program returns under either engine, or the type of what it may raise."""
    results = []
    for engine in ENGINES:
        try:
            results.append(plain(program(engine, engine.utils.data)))
        except may_raise as error:
            results.append(type(error))
    ours, theirs = results
    assert ours == theirs
    return ours


def refused_by_both(program):
    """Whether both engines raise, and exceptions of the same type."""
    return isinstance(in_both(program, may_raise=Exception), type)


def numbers(torch, start, stop):
    return torch.utils.data.TensorDataset(torch.arange(start, stop), torch.arange(start, stop) / 3)


def stream(data, n=2):
    """A dataset that can only be iterated over."""
    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(range(n))

        def __len__(self):
            return n
    return Stream()
