"""Elements chosen by position or by a mask: read, and written into a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, ops
from minitorch.crossing import ask, item, limits
from minitorch.engine import shown_as, wrap
from minitorch.functions.common import (
    axis_of,
    into,
    method,
    require_one_dtype,
)
from minitorch.functions.shapes import expand
from minitorch.tensor import Tensor

__all__ = [
    "index_select", "masked_select", "take", "take_along_dim", "gather", "scatter", "scatter_add",
    "index_add", "index_copy", "index_fill", "masked_fill", "masked_scatter", "nonzero", "argwhere",
    "where",
]


def _positions(name: str, input: Any, d: int, index: Any) -> Any:
    """A checked 1-D index along dimension ``d``, as an array."""
    if index.array.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index but got "
                           f"{index.dtype}")
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {index.ndim} "
                         f"with type: {index.dtype}")
    n = input.array.shape[d] if input.ndim else 1
    places = index.array.reshape(-1)
    backend.look(_check_positions, places, n, name, d)
    return places.copy()  # the graph keeps it


def _check_positions(places: Any, n: int, name: str, d: int) -> None:
    if places.size and not (0 <= places.min() and places.max() < n):
        raise IndexError(f"{name}(): index out of range: indices lie in [{places.min()}, "
                         f"{places.max()}], dimension {d} has size {n}")


limits(_check_positions, IndexError, lambda n, name, d: (
    0, n - 1, None, f"{name}(): index out of range: dimension {d} has size {n}"))


def _key(d: int, places: Any) -> Any:
    return (slice(None),) * d + (places,)


@method
def index_select(input: Any, dim: int, index: Any, *, out: Any = None) -> Any:
    """The positions ``index`` (1-D, integer) along ``dim``."""
    d = axis_of(input, dim)
    places = _positions("index_select", input, d, index)
    if not input.ndim:
        picked = ops.reshape(ops.index(ops.reshape(input, (1,)), places), ())
    else:
        picked = ops.index(input, _key(d, places))
    return into(out, shown_as("IndexSelectBackward0", picked), input, exact=True)


def _filling(name: str, doc: str, value_of: Any) -> Any:
    def function(input: Any, dim: int, index: Any, value: Any, *, out: Any = None) -> Any:
        d = axis_of(input, dim)
        places = _positions(name, input, d, index)
        places, value = value_of(input, d, places, value)
        if not input.ndim:
            y = ops.reshape(ops.index_put(ops.reshape(input, (1,)), places, value), ())
        else:
            y = ops.index_put(input, _key(d, places), value)
        return into(out, y)
    function.__name__, function.__doc__ = name, doc
    return method(function)


def _slices(input: Any, d: int, places: Any, source: Any) -> Any:
    require_one_dtype("index_copy", input, source)
    wanted = list(input.array.shape)
    if wanted:
        wanted[d] = len(places)
    if list(source.array.shape) != wanted and source.ndim:
        raise RuntimeError(f"index_copy: source of shape {tuple(source.shape)} cannot be written "
                           f"at {len(places)} positions along dimension {d} of a tensor of shape "
                           f"{tuple(input.shape)}")
    return places, source


def _number(input: Any, d: int, places: Any, value: Any) -> Any:
    if isinstance(value, engine.Tensor) and value.array.ndim:
        raise RuntimeError(f"index_fill_ only supports a 0-dimensional value tensor, but got "
                           f"tensor with {value.array.ndim} dimension(s).")
    return (np.unique(places) if isinstance(places, np.ndarray) else places), value


index_copy = _filling("index_copy", "A copy with the slices of ``value`` written at positions "
                      "``index`` along ``dim``.", _slices)
index_fill = _filling("index_fill", "A copy with ``value`` written at positions ``index`` along "
                      "``dim``.", _number)


@method
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1,
              out: Any = None) -> Any:
    """A copy with the slices of ``source`` added at positions ``index`` along ``dim``."""
    d = axis_of(input, dim)
    places = _positions("index_add", input, d, index)
    require_one_dtype("index_add", input, source)
    if source.ndim and source.array.shape[d] != len(places):
        raise RuntimeError(f"index_add(): Number of indices ({len(places)}) should be equal to "
                           f"source.size(dim): ({source.array.shape[d]}), for dim: {d}")
    source = source if alpha == 1 else source * alpha
    if not input.ndim:
        return into(out, ops.add(input, ops.reshape(source, ())))
    shape = [1] * source.ndim
    shape[d] = -1
    where = wrap(places.astype(np.int64).reshape(shape))
    y = ops.scatter_add(input, d, expand(where, source.shape), source)
    return into(out, shown_as("IndexAddBackward0", y))


@method
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """``input`` with ``value`` (a number or 0-d tensor) wherever the bool ``mask`` holds."""
    if isinstance(value, engine.Tensor) and value.array.ndim:
        raise RuntimeError(f"masked_fill_ only supports a 0-dimensional value tensor, but got "
                           f"tensor with {value.array.ndim} dimension(s).")
    return ops.masked_fill(input, mask, value)


def _mask(name: str, mask: Any) -> None:
    if mask.array.dtype.kind != "b":
        raise RuntimeError(f"{name}: expected BoolTensor for mask, got {mask.dtype}")


@method
def masked_select(input: Any, mask: Any, *, out: Any = None) -> Any:
    """The elements where ``mask`` holds, in one dimension."""
    _mask("masked_select", mask)
    shape = _joint(input, mask)
    picked = ops.index(expand(input, shape), expand(mask, shape).array.copy())
    return into(out, shown_as("MaskedSelectBackward0", picked), input, mask, exact=True)


@method
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """A copy with the first elements of ``source``, in order, wherever ``mask`` holds."""
    _mask("masked_scatter", mask)
    require_one_dtype("masked_scatter", input, source)
    shape = _joint(input, mask)
    where = expand(mask, shape).array.copy()
    n = int(item(where.sum()))
    if source.array.size < n:
        raise RuntimeError(f"masked_scatter: expected at least {n} elements in source, got "
                           f"{source.array.size}")
    return ops.index_put(expand(input, shape), where,
                         ops.index(ops.reshape(source, (-1,)), slice(0, n)))


def _joint(*tensors: Any) -> tuple[int, ...]:
    shapes = [x.array.shape for x in tensors]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(f"shapes {shapes} do not broadcast together") from None


@method
def take(input: Any, index: Any, *, out: Any = None) -> Any:
    """Elements of the flattened tensor."""
    if index.array.dtype != dtypes.INT64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index.dtype}")
    picked = ops.reshape(input, (-1,))[index]
    picked = picked if index.ndim else ops.clone(picked)
    return into(out, shown_as("TakeBackward0", picked), input, exact=True)


@method
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False, out: Any = None) -> Any:
    """``out[i][j] = input[index[i][j]][j]`` for dim 0, and so on for other dimensions."""
    return into(out, ops.gather(input, axis_of(input, dim), index), input, exact=True)


@method
def take_along_dim(input: Any, indices: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """``gather`` whose ``indices`` broadcast with ``input``; of the flattened tensor by default."""
    if dim is None:
        return take(input, ops.reshape(indices, (-1,)), out=out)
    d = axis_of(input, dim)
    if indices.ndim != input.ndim:
        raise RuntimeError(f"torch.take_along_dim(): input and indices should have the same number "
                           f"of dimensions, but got {input.ndim} and {indices.ndim}")
    shape = list(_joint(*[wrap(np.empty([1 if k == d else n for k, n in enumerate(x.shape)]))
                          for x in (input, indices)]))
    full, where = shape.copy(), shape.copy()
    full[d], where[d] = input.shape[d], indices.shape[d]
    places = ops.where(indices < 0, indices + full[d], indices)
    return gather(expand(input, full), d, expand(places, where), out=out)


@method
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None,
            reduce: str | None = None, out: Any = None) -> Any:
    """A copy with ``src`` (tensor or number) written at ``index`` along ``dim``."""
    d = axis_of(input, dim)
    src = value if src is None else src
    number = not isinstance(src, engine.Tensor)
    if number:
        src = wrap(backend.library(input.array).full(index.array.shape, src, input.array.dtype))
    require_one_dtype("scatter", input, src)
    if reduce == "add":
        return into(out, ops.scatter_add(input, d, index, src))
    if reduce is not None:
        raise RuntimeError(f"scatter(): reduce={reduce!r} is not supported, only 'add'")
    y = ops.scatter(input, d, index, src)
    return into(out, shown_as("ScatterBackward1", y) if number else y)


@method
def scatter_add(input: Any, dim: int, index: Any, src: Any, *, out: Any = None) -> Any:
    """A copy with ``src`` added at ``index`` along ``dim``."""
    require_one_dtype("scatter_add", input, src)
    return into(out, ops.scatter_add(input, axis_of(input, dim), index, src))


@method
def nonzero(input: Any, *, as_tuple: bool = False, out: Any = None) -> Any:
    """The indices of nonzero elements: rows of a matrix, or one tensor per dimension."""
    ask(input.array)
    if as_tuple:
        found = (input if input.ndim else ops.reshape(input, (1,))).array.nonzero()
        return tuple([wrap(i.copy()) for i in found])
    xp = backend.namespace(input.array)
    if not input.ndim:
        return into(out, wrap(xp.zeros((int(item(input.array != 0)), 0), np.int64)))
    return into(out, wrap(xp.stack(input.array.nonzero(), 1)))


@method
def argwhere(input: Any) -> Any:
    """The indices of nonzero elements, as rows of a matrix."""
    return nonzero(input)


def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; alone, the indices where it holds."""
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if condition.array.dtype not in (dtypes.BOOL, dtypes.uint8.dtype):
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor "
                           f"with dtype {condition.dtype}")
    if condition.array.dtype != dtypes.BOOL:
        condition = condition.bool()
    return into(out, ops.where(condition, input, other))


def _where(self: Any, condition: Any, other: Any) -> Any:
    """This tensor where ``condition`` holds, else ``other``."""
    return where(condition, self, other)


setattr(Tensor, "where", _where)
