"""Elements in order, distinct, counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend, dtypes, ops
from minitorch.crossing import ask, item
from minitorch.engine import wrap
from minitorch.functions.common import axis_of, common_dtype, into, method, require_float
from minitorch.functions.results import pair

__all__ = ["sort", "argsort", "msort", "topk", "unique", "unique_consecutive", "bincount", "histc",
           "searchsorted", "bucketize", "isin"]


@method
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False, *,
         out: Any = None) -> Any:
    """``(values, indices)`` in order along ``dim``; always stable."""
    values, indices = ops.sort(input, axis_of(input, dim), descending)
    return pair("sort", values, wrap(indices), out)


@method
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along ``dim``."""
    return sort(input, dim, descending)[1]


@method
def msort(input: Any, *, out: Any = None) -> Any:
    """In order along the first dimension."""
    return into(out, sort(input, 0)[0])


@method
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *,
         out: Any = None) -> Any:
    """``(values, indices)`` of the ``k`` largest (or smallest) along ``dim``."""
    d = axis_of(input, dim)
    if not 0 <= k <= (input.array.shape[d] if input.ndim else 1):
        raise RuntimeError(f"selected index k out of range: k={k} for shape {tuple(input.shape)} "
                           f"and dim {dim}")
    values, indices = ops.topk(input, k, d, largest, sorted)
    return pair("topk", values, wrap(indices), out)


# -- values ----------------------------------------------------------------------------------

@method
def unique(input: Any, sorted: bool = True, return_inverse: bool = False,
           return_counts: bool = False, dim: int | None = None) -> Any:
    """The distinct values in order; optionally where each element went, and how often."""
    if dim is not None and not input.array.size and input.array.shape[axis_of(input, dim)]:
        raise RuntimeError(f"There are 0 sized dimensions, and they aren't selected, so unique "
                           f"cannot be applied to shape {tuple(input.shape)}, dim {dim}")
    x = input.array
    ask(x)
    as_bytes = x.dtype == bool and not isinstance(x, np.ndarray)  # CuPy cannot subtract bools
    values, inverse, counts = backend.library(x).unique(
        x.astype(np.uint8) if as_bytes else x, return_inverse=True, return_counts=True, axis=dim)
    values = values.astype(x.dtype, copy=False)
    inverse = inverse.reshape(input.shape if dim is None else -1)
    return _some(values, return_inverse and inverse, return_counts and counts)


@method
def unique_consecutive(input: Any, return_inverse: bool = False, return_counts: bool = False,
                       dim: int | None = None) -> Any:
    """The elements, flattened, or slices along ``dim``, that differ from the one before."""
    x, d = (input.array.reshape(-1), 0) if dim is None else (input.array, axis_of(input, dim))
    ask(x)
    np_ = backend.library(x)
    rows = np_.moveaxis(x, d, 0)
    first = np_.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    inverse = (np_.cumsum(first) - 1).reshape(input.shape if dim is None else -1)
    return _some(x.compress(first, d), return_inverse and inverse,
                 return_counts and np_.diff(np_.append(first.nonzero()[0], len(rows))))


def _some(*arrays: Any) -> Any:
    wanted = tuple([wrap(a) for a in arrays if a is not False])
    return wanted[0] if len(wanted) == 1 else wanted


@method
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each non-negative integer occurs."""
    if input.ndim != 1 or input.array.dtype.kind not in "iu" \
            or item((input.array < 0).any()):
        raise RuntimeError(f"bincount only supports 1-d non-negative integral inputs, got "
                           f"{input.dtype} of shape {tuple(input.shape)}")
    ask(input.array)
    found = backend.library(input.array).bincount(
        input.array, None if weights is None else weights.array, minlength)
    if weights is not None and weights.array.dtype == dtypes.FLOAT32:
        found = found.astype(np.float32)
    return wrap(found)


@method
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0, *, out: Any = None) -> Any:
    """How many elements fall into each of ``bins`` equal parts of [min, max]."""
    require_float("histc", input)
    if min == max and input.array.size:
        min, max = item(input.array.min()), item(input.array.max())
    if min == max:
        min, max = min - 1, max + 1
    ask(input.array)
    counts = backend.library(input.array).histogram(input.array, bins, (float(min), float(max)))[0]
    return into(out, wrap(counts.astype(input.array.dtype)))


def searchsorted(sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False,
                 side: str | None = None, sorter: Any = None, out: Any = None) -> Any:
    """Where each value would be inserted into a sorted tensor to keep its order.

    A 1-D sequence serves all values; else each row of it those in the same row of ``input``.
    ``sorter``: the indices that sort the sequence, if it is not sorted.
    """
    if side == "left" and right:
        raise RuntimeError("torch.searchsorted(): side and right can't be set to opposites, got "
                           "side of left while right was True")
    side = side or ("right" if right else "left")
    rows = sorted_sequence.array
    np_ = backend.library(rows)
    values = np_.asarray(getattr(input, "array", input))
    if rows.ndim != 1 and rows.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(f"torch.searchsorted(): boundaries tensor should be 1 dimension or the "
                           f"first N-1 dimensions of boundaries tensor and input value tensor must "
                           f"match, but we got {tuple(rows.shape)} and {tuple(values.shape)}")
    if sorter is not None:
        rows = np_.take_along_axis(rows, sorter.array, -1)
    found = np_.empty(values.shape, np.int32 if out_int32 else np.int64)
    for i in [()] if rows.ndim == 1 else np.ndindex(*rows.shape[:-1]):
        found[i] = np_.searchsorted(rows[i], values[i], side)
    return into(out, wrap(found))


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False,
              out: Any = None) -> Any:
    """The bucket, between sorted ``boundaries``, that each value falls into."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"bucketize: boundaries tensor must be 1 dimension, but got dim("
                           f"{boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False,
         invert: bool = False, out: Any = None) -> Any:
    """Whether each element occurs among ``test_elements``."""
    common_dtype(elements, test_elements)
    a, b = [getattr(v, "array", v) for v in (elements, test_elements)]
    np_ = backend.library(a if hasattr(a, "dtype") else b)
    a, b = np_.asarray(a), np_.asarray(b)
    return into(out, wrap(np_.asarray(np_.isin(a, b, invert=invert))))
