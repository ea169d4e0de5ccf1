"""Parts of a tensor along one dimension; all of them views."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from minitorch import engine, ops
from minitorch.engine import shown_as
from minitorch.functions.common import axis_of, into, method

__all__ = ["narrow", "narrow_copy", "select", "unbind", "split", "split_with_sizes", "chunk",
           "tensor_split", "hsplit", "vsplit", "dsplit"]


def _part(input: Any, d: int, key: Any) -> Any:
    """Position or slice ``key`` of dimension ``d``."""
    return ops.index(input, (slice(None),) * d + (key,) if d else key)


@method
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """``length`` positions from ``start`` along ``dim``; a view."""
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d = axis_of(input, dim)
    if isinstance(start, engine.Tensor) and (
            start.array.ndim or start.array.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    n, start = input.array.shape[d], int(start)
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, got {length}.")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got "
                         f"{start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _part(input, d, slice(start, start + length))


@method
def narrow_copy(input: Any, dim: int, start: int, length: int, *, out: Any = None) -> Any:
    """``narrow`` as a copy."""
    return into(out, ops.clone(narrow(input, dim, start, length)))


@method
def select(input: Any, dim: int, index: Any) -> Any:
    """Position ``index`` along ``dim``, which disappears; a view."""
    d, i = axis_of(input, dim), int(index)
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    n = input.array.shape[d]
    if not -n <= i < n:
        raise IndexError(f"select(): index {i} out of range for tensor of size "
                         f"{list(input.shape)} at dimension {d}")
    return _part(input, d, i)


@method
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along ``dim``, each without that dimension."""
    d = axis_of(input, dim)
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return tuple([shown_as("UnbindBackward0", _part(input, d, i))
                  for i in range(input.array.shape[d])])


def _cut(input: Any, d: int, ends: Sequence[int]) -> tuple[Any, ...]:
    """The pieces of dimension ``d`` between neighbouring ``ends``."""
    return tuple([shown_as("SplitBackward0", _part(input, d, slice(a, builtins.max(a, b))))
                  for a, b in pairwise(ends)])


def _splittable(input: Any, dim: int, name: str) -> tuple[int, int]:
    if not input.ndim:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    d = axis_of(input, dim)
    return d, input.array.shape[d]


@method
def split(input: Any, split_size_or_sections: Any = None, dim: int = 0, *,
          split_size: Any = None) -> tuple[Any, ...]:
    """Pieces along ``dim``: of one size (the last may be smaller), or of the sizes given."""
    size = split_size if split_size_or_sections is None else split_size_or_sections
    d, n = _splittable(input, dim, "split")
    if not isinstance(size, int):
        return split_with_sizes(input, size, dim)
    if size < 0 or (not size and n):
        raise RuntimeError(f"split expects split_size be non-negative and not 0 for a dimension of "
                           f"size {n}, but got split_size={size}")
    return _cut(input, d, [*range(0, builtins.max(n, 1), size or 1), n])


@method
def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Pieces of the given sizes along ``dim``."""
    d, n = _splittable(input, dim, "split")
    lengths = list(split_sizes)
    if builtins.sum(lengths) != n or any(k < 0 for k in lengths):
        raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {n} (input "
                           f"tensor's size at dimension {dim}), but got split_sizes={lengths}")
    ends = [0]
    for k in lengths:
        ends.append(ends[-1] + k)
    return _cut(input, d, ends)


@method
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` pieces of equal size along ``dim`` (the last may be smaller)."""
    _, n = _splittable(input, dim, "chunk")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if not n:
        return split_with_sizes(input, [0] * chunks, dim)
    return split(input, -(-n // chunks), dim)


@method
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces along ``dim``: that many, as equal as can be; or cut at the given indices."""
    d, n = _splittable(input, dim, "tensor_split")
    cuts = indices_or_sections
    if isinstance(cuts, engine.Tensor):
        cuts = cuts.tolist()  # type: ignore[attr-defined]
    if isinstance(cuts, int):
        if cuts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {cuts}")
        small, larger = divmod(n, cuts)
        return split_with_sizes(input, [small + (i < larger) for i in range(cuts)], dim)
    inside = [builtins.min(builtins.max(i + n if i < 0 else i, 0), n) for i in cuts]
    return _cut(input, d, [0, *inside, n])


def _along(name: str, least: int, dim: int) -> Any:
    def function(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
        if input.ndim < least:
            raise RuntimeError(f"torch.{name} requires a tensor with at least {least} dimension, "
                               f"but got a tensor with {input.ndim} dimensions!")
        d = 0 if input.ndim == 1 else dim
        n, cuts = input.array.shape[d], indices_or_sections
        if isinstance(cuts, int) and (cuts <= 0 or n % cuts):
            raise RuntimeError(f"torch.{name} attempted to split along dimension {d}, but the size "
                               f"of the dimension {n} is not divisible by the split_size {cuts}!")
        return tensor_split(input, cuts, d)
    function.__name__, function.__doc__ = name, f"``tensor_split`` along dimension {dim}."
    return method(function)


hsplit, vsplit, dsplit = _along("hsplit", 1, 1), _along("vsplit", 2, 0), _along("dsplit", 3, 2)
