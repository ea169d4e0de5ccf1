"""Arguments and results: tensors in tuples, lists and dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.engine import Tensor, wrap


def tensors_in(x: Any) -> list[Any]:
    if isinstance(x, Tensor):
        return [x]
    if isinstance(x, (tuple, list)):
        return [t for v in x for t in tensors_in(v)]
    if isinstance(x, dict):
        return [t for v in x.values() for t in tensors_in(v)]
    return []


def mapped(x: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure with every tensor changed."""
    if isinstance(x, Tensor):
        return change(x)
    if isinstance(x, tuple):
        new = [mapped(v, change) for v in x]
        return type(x)(*new) if hasattr(x, "_fields") else tuple(new)
    if isinstance(x, list):
        return [mapped(v, change) for v in x]
    if isinstance(x, dict):
        return {k: mapped(v, change) for k, v in x.items()}
    return x


def copied(x: Any) -> Any:
    """Tensors of their own, outside of any graph."""
    return mapped(x, lambda t: wrap(t.array.copy()))


def signature(x: Any, tensors: list[Any]) -> Any:
    """What a plan depends on: shapes and dtypes of tensors, and every other argument.

    The tensors are added to ``tensors``, in the order of ``tensors_in``.
    """
    if isinstance(x, Tensor):
        tensors.append(x)
        return x.array.shape, x.array.dtype, x.node is not None
    if isinstance(x, (tuple, list)):
        return type(x), *[signature(v, tensors) for v in x]
    if isinstance(x, dict):
        return tuple([(k, signature(v, tensors)) for k, v in x.items()])
    try:
        hash(x)
    except TypeError:
        return id(x)
    return type(x), x
