"""Sparse tensors in coordinates: made by ``sparse_coo_tensor``, met as gradients of embeddings.

What they can do beside arithmetic with ``+``, ``-`` and numbers is here; see ``coo`` for how they
are kept. Every other operator raises NotImplementedError and says to call ``to_dense()``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, ops
from minitorch.coo import Coo, key, refusal
from minitorch.creation import make
from minitorch.crossing import ask
from minitorch.engine import wrap
from minitorch.facts import sparse_coo
from minitorch.functions.common import only_method, sizes
from minitorch.literals import array_of

__all__ = ["sparse_coo_tensor"]


def sparse_coo_tensor(indices: Any = None, values: Any = None, size: Any = None, *,
                      dtype: Any = None, device: Any = None, pin_memory: bool = False,
                      requires_grad: bool = False, check_invariants: bool | None = None,
                      is_coalesced: bool | None = None) -> Any:
    """A sparse tensor of ``values`` (nnz, ...) at ``indices`` (sparse_dim, nnz).

    Its shape is ``size``, or the smallest that holds the indices. Values in one place add up.
    Given a size alone, it is without entries. Raises RuntimeError for shapes that do not fit
    together, and (PyTorch only if ``check_invariants``) for an index out of range.

    >>> import minitorch as torch
    >>> x = torch.sparse_coo_tensor([[0, 2, 0]], [1.0, 2.0, 3.0], (4,))
    >>> x.coalesce()
    tensor(indices=tensor([[0, 2]]),
           values=tensor([4., 2.]),
           size=(4,), nnz=2, layout=torch.sparse_coo)
    >>> x.to_dense()
    tensor([4., 0., 2., 0.])
    """
    if values is None:
        shape = sizes((indices if size is None else size,))
        dt = dtypes.default() if dtype is None else dtypes.to_numpy(dtype)
        indices, values, size = np.zeros((len(shape), 0), np.int64), np.zeros(0, dt), shape
    if not isinstance(values, engine.Tensor):
        values = make(array_of(values), device)
    if dtype is not None or device is not None:
        values = values.to(dtype=dtype, device=device)
    if not values.array.ndim:
        values = ops.reshape(values, (1,))
    places = backend.move(array_of(indices, dtypes.INT64), values.device)
    shape = _shape(places, values.array.shape, size)
    out = ops.coo(values, places, shape, is_coalesced)
    if requires_grad:
        out.requires_grad = True
    return out


def _shape(indices: Any, values: tuple[int, ...], size: Any) -> tuple[int, ...]:
    """The shape given, or found; raises RuntimeError where the parts do not fit it."""
    if indices.ndim != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(indices.shape)}")
    indices = backend.move(indices, backend.CPU)
    most = indices.max(1).tolist() if indices.size else [-1] * len(indices)
    least = indices.min(1).tolist() if indices.size else [0] * len(indices)
    shape = (*[n + 1 for n in most], *values[1:]) if size is None else sizes((size,))
    if any(n < 0 for n in shape) and size is not None:
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(shape)}")
    if len(shape) != len(indices) + len(values) - 1:
        raise RuntimeError(f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = "
                           f"{len(shape)}, sparse_dim = {len(indices)}, dense_dim = "
                           f"{len(values) - 1}")
    if indices.shape[1] != values[0]:
        raise RuntimeError(f"indices and values must have same nnz, but got nnz from indices: "
                           f"{indices.shape[1]}, nnz from values: {values[0]}")
    if values[1:] != shape[len(indices):]:
        raise RuntimeError(f"values has incorrect size, expected "
                           f"{[values[0], *shape[len(indices):]]}, got {list(values)}")
    for dim, (low, high) in enumerate(zip(least, most)):
        if low < 0:
            raise RuntimeError(f"found negative index {low} for dim {dim}")
        if high >= shape[dim]:
            raise RuntimeError(f"size is inconsistent with indices: for dim {dim}, size is "
                               f"{shape[dim]} but found index {high}")
    return shape


# -- questions -------------------------------------------------------------------------------

def _coo(name: str, input: Any, kind: str = "sparse coordinate") -> Coo:
    if not isinstance(input.array, Coo):
        raise RuntimeError(f"{name} expected {kind} tensor layout but got Strided")
    return input.array


@only_method
def is_coalesced(input: Any) -> bool:
    """Whether no two entries of a sparse tensor are known to lie in one place."""
    return _coo("is_coalesced", input).coalesced


@only_method
def sparse_dim(input: Any) -> int:
    """How many dimensions the indices of a sparse tensor address; 0 for dense ones."""
    return len(input.array.indices) if input.is_sparse else 0


@only_method
def dense_dim(input: Any) -> int:
    """How many dimensions each value of a sparse tensor has; all, for dense ones."""
    return input.array.values.ndim - 1 if input.is_sparse else input.array.ndim


@only_method
def _nnz(input: Any) -> int:
    """The number of entries of a sparse tensor."""
    return _coo("_nnz", input).nnz


@only_method
def _indices(input: Any) -> Any:
    """Where the entries of a sparse tensor lie, coalesced or not: (sparse_dim, nnz) int64."""
    return wrap(_coo("_indices", input).indices)


@only_method
def _values(input: Any) -> Any:
    """The entries of a sparse tensor, coalesced or not, outside the graph: (nnz, ...)."""
    return wrap(_coo("_values", input).values)


def _require_coalesced(name: str, x: Coo) -> None:
    if not x.coalesced:
        raise RuntimeError(f"Cannot get {name} on an uncoalesced tensor, please call .coalesce() "
                           f"first")


@only_method
def indices(input: Any) -> Any:
    """Where the entries of a coalesced sparse tensor lie: (sparse_dim, nnz) int64."""
    _require_coalesced("indices", _coo("indices", input))
    return _indices(input)


@only_method
def values(input: Any) -> Any:
    """The entries of a coalesced sparse tensor: (nnz, ...)."""
    _require_coalesced("values", _coo("values", input, "sparse"))
    return ops.values(input)


# -- other forms -----------------------------------------------------------------------------

@only_method
def coalesce(input: Any) -> Any:
    """With one entry for each place, the sum of those there, in row-major order."""
    return input if _coo("coalesce", input).coalesced else ops.coalesce(input)


@only_method
def to_dense(input: Any, dtype: Any = None, *, masked_grad: bool | None = None) -> Any:
    """The same numbers in a dense tensor; a dense one itself."""
    if not input.is_sparse:
        return input.to(dtype=dtype)
    if dtype is not None:
        raise RuntimeError("dtype argument is not supported by sparse_to_dense")
    return ops.to_dense(input)


@only_method
def to_sparse(input: Any, sparse_dim: int | None = None, *, layout: Any = None) -> Any:
    """A sparse tensor of what is not 0, with values of the dimensions after ``sparse_dim``."""
    if layout is not None and layout is not sparse_coo:
        raise RuntimeError(f"to_sparse: there is no layout but torch.sparse_coo here, got {layout}")
    n = input.array.ndim if sparse_dim is None else sparse_dim
    if input.is_sparse:
        if sparse_dim not in (None, len(input.array.indices)):
            raise RuntimeError("to_sparse: conversion from Sparse to Sparse with sparse_dim "
                               "argument !=self.sparse_dim() is not supported")
        return input
    if not 0 <= n <= input.array.ndim:
        raise RuntimeError(f"dense_to_sparse: sparse_dim argument must be in "
                           f"[0,{input.array.ndim}] range, but {n} is given")
    if not n and input.array.ndim:
        raise RuntimeError("dense_to_sparse: sparse_dim argument must be in >0 when self.dim()>0")
    ask(input.array)
    xp = backend.namespace(input.array)
    filled = (input.array != 0).any(tuple(range(n, input.array.ndim)))
    places = (xp.stack(xp.nonzero(filled)) if n else xp.zeros((0, int(filled)), np.int64))
    return _read(input, places, True)


@only_method
def sparse_mask(input: Any, mask: Any) -> Any:
    """A dense tensor's numbers where the sparse tensor ``mask`` has entries."""
    if not isinstance(mask.array, Coo):
        raise NotImplementedError("sparse_mask(): the mask must be a sparse tensor")
    if input.is_sparse:
        raise refusal("sparse_mask()")
    if input.array.shape != mask.array.shape:
        raise RuntimeError(f"sparse_mask(): operands have incompatible sizes; self has size "
                           f"{list(input.shape)} but mask has size {list(mask.shape)}")
    return _read(input, mask.array.indices, mask.array.coalesced)


def _read(input: Any, places: Any, coalesced: bool) -> Any:
    """The entries at ``places`` of a dense tensor, as a sparse one of its shape."""
    return ops.coo(ops.index(input, key(places)), places, input.array.shape, coalesced)
