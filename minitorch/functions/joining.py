"""Several tensors into one, and one laid out several times."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, ops
from minitorch.engine import shown_as, wrap
from minitorch.functions.common import axis_of, into, method, sizes
from minitorch.functions.parts import narrow
from minitorch.functions.shapes import atleast_1d, atleast_2d, atleast_3d, expand
from minitorch.ops.reduce import axes

__all__ = [
    "cat", "concat", "concatenate", "stack", "vstack", "row_stack", "hstack", "dstack",
    "column_stack", "broadcast_tensors", "broadcast_shapes", "meshgrid", "cartesian_prod", "tile",
    "repeat_interleave", "flip", "fliplr", "flipud", "roll", "rot90",
]


def _tensors(xs: Any, name: str) -> list[Any]:
    """The tensors of a non-empty sequence, brought to one dtype."""
    if isinstance(xs, engine.Tensor):
        raise TypeError(f"{name}(): argument 'tensors' must be tuple of Tensors, not Tensor")
    xs = list(xs)
    if not xs:
        error = ValueError if name == "torch.cat" else RuntimeError
        raise error(f"{name}(): expected a non-empty list of Tensors")
    for i, x in enumerate(xs):
        if not isinstance(x, engine.Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got "
                            f"{type(x).__name__}")
    if builtins.any(x.array.dtype != xs[0].array.dtype for x in xs):
        common = dtypes.result_dtype([x.array for x in xs])
        xs = [x if x.array.dtype == common else ops.cast(x, common) for x in xs]
    return xs


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Any:
    """Tensors joined along an existing dimension."""
    every = _tensors(tensors, "torch.cat")
    xs = [x for x in every if x.array.shape != (0,)] or every[:1]  # as in PyTorch, (0,) fits all
    for i, x in enumerate(every):
        if not x.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated; "
                               f"torch.stack joins those")
    d = axis_of(xs[0], dim if axis is None else axis)
    first = xs[0].array.shape
    for i, x in enumerate(xs):
        shape = x.array.shape
        if len(shape) != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and "
                               f"{len(shape)}")
        if builtins.any(a != b for k, (a, b) in enumerate(zip(shape, first)) if k != d):
            raise RuntimeError(f"Sizes of tensors must match except in dimension {d}. Tensor {i} "
                               f"has shape {tuple(shape)}, the first has {tuple(first)}")
    return into(out, ops.cat(d, *xs), *every)


concat = concatenate = cat


def stack(tensors: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Tensors of one shape joined along a new dimension."""
    xs = _tensors(tensors, "torch.stack")
    first = xs[0].array.shape
    for i, x in enumerate(xs):
        if x.array.shape != first:
            raise RuntimeError(f"stack expects each tensor to be equal size, but got {list(first)} "
                               f"at entry 0 and {list(x.array.shape)} at entry {i}")
    (d,) = axes((*first, 1), dim)
    return into(out, ops.stack(d, *xs))


def vstack(tensors: Any, *, out: Any = None) -> Any:
    """Tensors joined by rows; 1-D tensors are rows."""
    return cat(atleast_2d(_tensors(tensors, "vstack")), 0, out=out)


row_stack = vstack


def hstack(tensors: Any, *, out: Any = None) -> Any:
    """Tensors joined by columns (1-D tensors end to end)."""
    xs = atleast_1d(_tensors(tensors, "hstack"))
    return cat(xs, 0 if xs[0].ndim == 1 else 1, out=out)


def dstack(tensors: Any, *, out: Any = None) -> Any:
    """Tensors joined along the third dimension."""
    return cat(atleast_3d(_tensors(tensors, "dstack")), 2, out=out)


def column_stack(tensors: Any, *, out: Any = None) -> Any:
    """Tensors joined by columns; 1-D tensors are columns."""
    return cat([ops.reshape(x, (x.array.size, 1)) if x.ndim < 2 else x
                for x in _tensors(tensors, "column_stack")], 1, out=out)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape to which all of these broadcast; raises RuntimeError if there is none."""
    from minitorch.tensor import Size
    try:
        return Size(np.broadcast_shapes(*[tuple(s) if isinstance(s, (tuple, list)) else (s,)
                                          for s in shapes]))
    except ValueError:
        raise RuntimeError(f"Shape mismatch: objects cannot be broadcast to a single shape: "
                           f"{[tuple(s) for s in shapes]}") from None


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors expanded to their common shape."""
    xs = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    shape = broadcast_shapes(*[x.shape for x in xs])
    return tuple([expand(x, shape) for x in xs])


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Coordinate grids of 1-D tensors: varying by rows first ("ij"), or by columns ("xy")."""
    xs = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f"torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but "
                           f"received: {indexing}")
    if builtins.any(x.ndim > 1 for x in xs):
        raise RuntimeError("torch.meshgrid: Expected 0D or 1D tensors in the tensor list")
    n = len(xs)
    order = list(range(n))
    if indexing == "xy" and n > 1:
        order[:2] = [1, 0]
    shape = [xs[i].array.size for i in order]
    return tuple([expand(ops.reshape(x, tuple([-1 if k == i else 1 for k in order])), shape)
                  for i, x in enumerate(xs)])


def cartesian_prod(*tensors: Any) -> Any:
    """Every combination of elements of 1-D tensors, as rows."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([ops.reshape(g, (-1,)) for g in meshgrid(*tensors)], 1)


# -- one tensor, laid out again --------------------------------------------------------------

@method
def repeat(input: Any, *repeats: Any, **named: Any) -> Any:
    """Copies laid side by side, ``repeats[i]`` times along dimension ``i``."""
    times = sizes(repeats or (named.get("repeats", ()),))
    if builtins.any(n < 0 for n in times):
        raise RuntimeError(f"Trying to create tensor with negative dimension: repeats {times}")
    return ops.repeat(input, times)


@method
def tile(input: Any, *dims: Any, **named: Any) -> Any:
    """``repeat`` that fills missing leading repeats with 1."""
    times = sizes(dims or (named.get("dims", ()),))
    return ops.repeat(input, (1,) * (input.ndim - len(times)) + times)


@method
def repeat_interleave(input: Any, repeats: Any = None, dim: int | None = None, *,
                      output_size: int | None = None) -> Any:
    """Each element, or slice along ``dim``, repeated in place: a number, or one count for each."""
    if repeats is None:  # repeat_interleave(counts): how often each index occurs
        input, repeats = wrap(backend.library(input.array).arange(input.array.size)), input
    if dim is None:
        input, dim = ops.reshape(input, (-1,)), 0
    d = axis_of(input, dim)
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    n = input.array.shape[d]
    counts = (backend.move(repeats.array, backend.CPU) if isinstance(repeats, engine.Tensor)
              else np.asarray(repeats))
    if counts.size not in (1, n) or counts.ndim > 1:
        raise RuntimeError(f"repeats must have the same size as input along dim, but "
                           f"repeats.size(0) = {counts.size} and input.size({d}) = {n}")
    if (counts < 0).any():
        raise RuntimeError(f"repeats can not be negative: {counts}")
    where = np.repeat(np.arange(n), counts)
    if output_size not in (None, where.size):
        raise RuntimeError(f"repeat_interleave: output_size={output_size}, but the repeats sum to "
                           f"{where.size}")
    where = backend.move(where, backend.device_of(input.array))
    return ops.index(input, (slice(None),) * d + (where,))


@method
def flip(input: Any, *dims: Any, **named: Any) -> Any:
    """Reversed along each dimension of ``dims``; a copy."""
    wanted = sizes(dims or (named.get("dims", ()),))
    found = axes(input.array.shape or (1,), wanted) if wanted else ()
    return ops.flip(input, found if input.ndim else ())


@method
def fliplr(input: Any) -> Any:
    """The columns in reverse order; a copy."""
    if input.ndim < 2:
        raise RuntimeError(f"Input must be >= 2-d, but it is {input.ndim}-d.")
    return ops.flip(input, (1,))


@method
def flipud(input: Any) -> Any:
    """The rows in reverse order; a copy."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d, but it is 0-d.")
    return ops.flip(input, (0,))


@method
def roll(input: Any, shifts: Any, dims: Any = ()) -> Any:
    """Elements shifted along ``dims``; those pushed out re-enter at the other end."""
    steps = [shifts] if isinstance(shifts, int) else list(shifts)
    along = [dims] if isinstance(dims, int) else list(dims or ())
    if not along and len(steps) == 1:
        flat = roll(ops.reshape(input, (-1,)), steps, 0)
        return shown_as("RollBackward0", ops.reshape(flat, input.array.shape))
    if not steps:
        raise RuntimeError("`shifts` required")
    if len(steps) != len(along):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:"
                           f"{len(along)}")
    for step, dim in zip(steps, along):
        d = axis_of(input, dim)
        if not input.ndim:
            raise IndexError("Dimension specified as 0 but tensor has no dimensions")
        n = input.array.shape[d]
        if n:
            step %= n
            input = shown_as("RollBackward0", ops.cat(
                d, narrow(input, d, n - step, step), narrow(input, d, 0, n - step)))
    return ops.clone(input) if not input.array.size else input


@method
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Turned by ``k`` right angles in the plane of two dimensions."""
    if len(dims) != 2 or input.ndim < 2:
        raise RuntimeError(f"expected two rotation dims of a tensor with at least 2 dimensions, "
                           f"but got dims {tuple(dims)} and {input.ndim} dimensions")
    a, b = axis_of(input, dims[0]), axis_of(input, dims[1])
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got {tuple(dims)}")
    for _ in range(k % 4):
        input = ops.swapaxes(ops.flip(input, (b,)), a, b)
    return input if k % 4 else ops.clone(input)
