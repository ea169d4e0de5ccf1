"""PyTorch's functions that are more than one operator, or spelled in more than one way.

Each is also a method of Tensor: ``@method`` hangs it there. Plain operators follow at the end,
straight from the registry.
"""

from __future__ import annotations

import builtins
from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import dtypes, engine, ops
from minitorch.engine import wrap
from minitorch.ops.reduce import axes
from minitorch.tensor import Tensor

FUNCTIONS: dict[str, Callable[..., Any]] = {}


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function ``minitorch.NAME`` and ``Tensor.NAME`` at once."""
    FUNCTIONS[function.__name__] = function
    setattr(Tensor, function.__name__, function)
    return function


def into(out: Any, y: Any) -> Any:
    """Deliver a result to the tensor given as ``out=``, if any."""
    return y if out is None else out.receive(y)


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from ``f(2, 3)`` and from ``f((2, 3))`` alike."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    return tuple([n if type(n) is int else int(n) for n in shape])


# -- arithmetic ------------------------------------------------------------------------------

@method
def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """``input + alpha * other``, elementwise."""
    return into(out, ops.add(input, other if alpha == 1 else other * alpha))


@method
def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """``input - alpha * other``, elementwise."""
    if builtins.all(getattr(getattr(v, "array", v), "dtype", None) == dtypes.BOOL for v in (input, other)):
        raise RuntimeError("Subtraction, the `-` operator, with two bool tensors is not supported.")
    return into(out, ops.subtract(input, other if alpha == 1 else other * alpha))


@method
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``other - alpha * input``, elementwise."""
    return ops.subtract(other, input if alpha == 1 else input * alpha)


@method
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """``input / other``; ``rounding_mode`` "floor" or "trunc" rounds the quotient."""
    if rounding_mode == "floor":
        return into(out, ops.floor_divide(input, other))
    quotient = ops.divide(input, other)
    if rounding_mode == "trunc":
        result = dtypes.result_dtype([getattr(v, "array", v) for v in (input, other)])
        quotient = ops.cast(ops.trunc(quotient), result)
    elif rounding_mode is not None:
        raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but "
                           f"found '{rounding_mode}'")
    return into(out, quotient)


@method
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """``input + value * tensor1 * tensor2``, elementwise."""
    return input + tensor1 * tensor2 * value


@method
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """``input + value * tensor1 / tensor2``, elementwise."""
    return input + tensor1 / tensor2 * value


@method
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """``input + weight * (end - input)``, elementwise."""
    return input + (end - input) * weight


@method
def clamp_min(input: Any, min: Any) -> Any:
    """``input``, but at least ``min``."""
    return ops.clamp(input, min, None)


@method
def clamp_max(input: Any, max: Any) -> Any:
    """``input``, but at most ``max``."""
    return ops.clamp(input, None, max)


# -- reductions ------------------------------------------------------------------------------

def _reduction(op: Any) -> Callable[..., Any]:
    def reduction(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None,
                  axis: Any = None, keepdims: bool = False, out: Any = None) -> Any:
        if dtype is not None:
            input = input.to(dtype)
        return into(out, op(input, axis if dim is None else dim, keepdim or keepdims))
    reduction.__name__, reduction.__doc__ = op.name, op.__doc__
    return method(reduction)


sum, mean, prod = (_reduction(op) for op in (ops.sum, ops.mean, ops.prod))


def _spread(op: Any) -> Callable[..., Any]:
    def function(input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *,
                 correction: int | None = None, axis: Any = None, keepdims: bool = False) -> Any:
        if isinstance(dim, bool):  # x.std(False): unbiased
            dim, unbiased = None, dim
        if input.array.dtype.kind != "f":
            raise RuntimeError(f"{op.name}: expected a floating point dtype, got {input.dtype}")
        if correction is None:
            correction = int(unbiased)
        return op(input, axis if dim is None else dim, correction, keepdim or keepdims)
    function.__name__, function.__doc__ = op.name, op.__doc__
    return method(function)


var, std = _spread(ops.var), _spread(ops.std)

def _pair(name: str) -> Any:
    """``(values, indices)`` that print as PyTorch's ``torch.return_types``."""
    def text(self: Any) -> str:
        return f"torch.return_types.{name}(\nvalues={self[0]!r},\nindices={self[1]!r})"
    return builtins.type(name, (namedtuple(name, ["values", "indices"]),), {"__repr__": text})


_Extreme = {name: _pair(name) for name in ("max", "min", "sort", "topk")}


def _extreme(name: str, whole: Any, along: Any, pair: Any) -> Callable[..., Any]:
    def extreme(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None,
                axis: Any = None, keepdims: bool = False) -> Any:
        dim = axis if dim is None else dim
        if other is not None or isinstance(dim, engine.Tensor):
            return pair(input, dim if other is None else other)
        if dim is None:
            return whole(input)
        values, indices = along(input, dim, keepdim or keepdims)
        return _Extreme[name](values, wrap(indices))
    extreme.__name__ = name
    extreme.__doc__ = (f"The {name}imum: of all; ``(values, indices)`` along ``dim``; or of two "
                       f"tensors, elementwise.")
    return method(extreme)


max = _extreme("max", ops.amax, ops.max_dim, ops.maximum)
min = _extreme("min", ops.amin, ops.min_dim, ops.minimum)


@method
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """``(values, indices)`` in order along ``dim``; always stable."""
    values, indices = ops.sort(input, dim, descending)
    return _Extreme["sort"](values, wrap(indices))


@method
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along ``dim``."""
    return sort(input, dim, descending)[1]


@method
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """``(values, indices)`` of the ``k`` largest (or smallest) along ``dim``."""
    values, indices = ops.topk(input, k, dim, largest, sorted)
    return _Extreme["topk"](values, wrap(indices))


@method
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False,
         dtype: Any = None) -> Any:
    """The p-norm over ``dim``: ``(sum |x|**p) ** (1/p)``; "fro" is p = 2."""
    if dtype is not None:
        input = input.to(dtype)
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as "
                           f"input. Got {input.dtype}")
    return ops.vector_norm(input, 2.0 if p in ("fro", None) else float(p), dim, keepdim)


def _soft(op: Any) -> Callable[..., Any]:
    def function(input: Any, dim: Any = None, dtype: Any = None, *, _stacklevel: int = 3) -> Any:
        if dtype is not None:
            input = input.to(dtype)
        if dim is None:
            dim = 0 if input.ndim in (0, 1, 3) else 1  # PyTorch's implicit choice
        if input.array.dtype.kind != "f":
            raise RuntimeError(f'"{op.name}" not implemented for {input.dtype}; use x.float()')
        axes(input.array.shape, dim)
        if not input.ndim:
            return ops.reshape(op(ops.reshape(input, (1,)), 0), ())
        return op(input, dim)
    function.__name__, function.__doc__ = op.name, op.__doc__
    return method(function)


softmax, log_softmax = _soft(ops.softmax), _soft(ops.log_softmax)


# -- shape -----------------------------------------------------------------------------------

@method
def reshape(input: Any, *shape: Any) -> Any:
    """The elements in a new shape; one size may be -1."""
    return ops.reshape(input, sizes(shape))


@method
def view(input: Any, *shape: Any) -> Any:
    """The same memory in a new shape; raises RuntimeError where only a copy would do."""
    if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
        return wrap(input.array.view(shape[0].dtype))
    out = ops.reshape(input, sizes(shape))
    if out.array.size and not np.may_share_memory(out.array, input.array):
        raise RuntimeError("view size is not compatible with input tensor's size and stride (at "
                           "least one dimension spans across two contiguous subspaces). Use "
                           ".reshape(...) instead.")
    return out


@method
def view_as(input: Any, other: Any) -> Any:
    """``view`` with the shape of ``other``."""
    return input.view(other.shape)


@method
def reshape_as(input: Any, other: Any) -> Any:
    """``reshape`` to the shape of ``other``."""
    return input.reshape(other.shape)


@method
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions ``start_dim`` to ``end_dim`` joined into one."""
    shape = input.array.shape or (1,)
    (start,), (end,) = axes(shape, start_dim), axes(shape, end_dim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    joined = 1
    for n in shape[start:end + 1]:
        joined *= n
    return ops.reshape(input, shape[:start] + (joined,) + shape[end + 1:])


@method
def ravel(input: Any) -> Any:
    """All elements in one dimension."""
    return flatten(input)


@method
def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """Dimension ``dim`` split into ``sizes``."""
    shape = input.array.shape
    (d,) = axes(shape, dim)
    return ops.reshape(input, shape[:d] + tuple(sizes) + shape[d + 1:])


@method
def permute(input: Any, *dims: Any) -> Any:
    """The dimensions in the order ``dims``; a view."""
    return ops.permute(input, sizes(dims))


@method
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; a view."""
    return ops.swapaxes(input, dim0, dim1)


@method
def t(input: Any) -> Any:
    """The transpose of a matrix; vectors stay as they are."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return ops.swapaxes(input, 0, 1) if input.ndim == 2 else input


@method
def movedim(input: Any, source: int, destination: int) -> Any:
    """Dimension ``source`` moved to ``destination``; a view."""
    order = [d for d in range(input.ndim) if d != source % input.ndim]
    order.insert(destination % input.ndim, source % input.ndim)
    return ops.permute(input, tuple(order))


@method
def expand(input: Any, *shape: Any) -> Any:
    """Dimensions of size 1 repeated without copying; -1 keeps a size."""
    wanted = sizes(shape)
    extra = len(wanted) - input.ndim
    if extra < 0:
        raise RuntimeError(f"expand: the number of sizes provided ({len(wanted)}) must be greater "
                           f"or equal to the number of dimensions in the tensor ({input.ndim})")
    wanted = tuple([input.array.shape[i - extra] if n == -1 else n for i, n in enumerate(wanted)])
    return ops.broadcast_to(input, wanted)


@method
def expand_as(input: Any, other: Any) -> Any:
    """``expand`` to the shape of ``other``."""
    return expand(input, other.shape)


@method
def broadcast_to(input: Any, shape: Any) -> Any:
    """``input`` repeated without copying up to ``shape``."""
    return expand(input, shape)


@method
def repeat(input: Any, *repeats: Any) -> Any:
    """Copies laid side by side, ``repeats[i]`` times along dimension ``i``."""
    return ops.repeat(input, sizes(repeats))


@method
def tile(input: Any, *dims: Any) -> Any:
    """``repeat`` that fills missing leading repeats with 1."""
    times = sizes(dims)
    return ops.repeat(input, (1,) * (input.ndim - len(times)) + times)


@method
def flip(input: Any, *dims: Any) -> Any:
    """Reversed along each dimension of ``dims``."""
    return ops.flip(input, sizes(dims))


@method
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Elements shifted along ``dims``; those pushed out re-enter at the other end."""
    if dims is None:
        return roll(input.reshape(-1), shifts, 0).reshape(input.shape)
    shifts, dims = [[v] if isinstance(v, int) else list(v) for v in (shifts, dims)]
    for s, d in zip(shifts, dims):
        n = input.shape[d]
        s = s % n if n else 0
        input = cat([narrow(input, d, n - s, s), narrow(input, d, 0, n - s)], d)
    return input


def _tensors(xs: Any, name: str) -> list[Any]:
    xs = list(xs)
    if not xs:
        raise ValueError(f"{name}(): expected a non-empty list of Tensors")
    for i, x in enumerate(xs):
        if not isinstance(x, engine.Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got "
                            f"{type(x).__name__}")
    common = xs[0].array.dtype
    for x in xs[1:]:
        common = dtypes.promote_pair(common, x.array.dtype)
    return [x if x.array.dtype == common else ops.cast(x, common) for x in xs]


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Any:
    """Tensors joined along an existing dimension."""
    dim = dim if axis is None else axis
    xs = [x for x in _tensors(tensors, "torch.cat") if x.array.shape != (0,)] or list(tensors)[:1]
    (d,) = axes(xs[0].array.shape, dim) or (0,)
    for i, x in enumerate(xs):
        a, b = list(xs[0].array.shape), list(x.array.shape)
        if not a or not b:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
        if len(a) != len(b):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(a)} and "
                               f"{len(b)}")
        a[d] = b[d] = 0
        if a != b:
            raise RuntimeError(f"Sizes of tensors must match except in dimension {d}. Tensor {i} "
                               f"has shape {tuple(x.array.shape)}, the first has "
                               f"{tuple(xs[0].array.shape)}")
    return into(out, ops.cat(d, *xs))


concat = concatenate = cat


def stack(tensors: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Tensors of one shape joined along a new dimension."""
    xs = _tensors(tensors, "torch.stack")
    for i, x in enumerate(xs):
        if x.array.shape != xs[0].array.shape:
            raise RuntimeError(f"stack expects each tensor to be equal size, but got "
                               f"{list(xs[0].array.shape)} at entry 0 and {list(x.array.shape)} at "
                               f"entry {i}")
    (d,) = axes(xs[0].array.shape + (1,), dim)
    return into(out, ops.stack(d, *xs))


def vstack(tensors: Any) -> Any:
    """Tensors joined by rows; 1-D tensors are rows."""
    return cat([x.reshape(1, -1) if x.ndim < 2 else x for x in tensors], 0)


def hstack(tensors: Any) -> Any:
    """Tensors joined by columns (1-D tensors end to end)."""
    return cat(tensors, 0 if builtins.all(x.ndim < 2 for x in tensors) else 1)


@method
def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """``length`` positions from ``start`` along ``dim``; a view."""
    (d,) = axes(input.array.shape, dim)
    n = input.array.shape[d]
    if not 0 <= start + (n if start < 0 else 0) <= n or (start % (n + 1)) + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    start = start + n if start < 0 else start
    return ops.index(input, (slice(None),) * d + (slice(start, start + length),))


@method
def select(input: Any, dim: int, index: int) -> Any:
    """Position ``index`` along ``dim``, which disappears; a view."""
    (d,) = axes(input.array.shape, dim)
    return ops.index(input, (slice(None),) * d + (int(index),))


@method
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along ``dim``, each without that dimension."""
    (d,) = axes(input.array.shape, dim)
    return tuple([select(input, d, i) for i in range(input.array.shape[d])])


@method
def split(input: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces along ``dim``: of one size (the last may be smaller), or of the sizes given."""
    (d,) = axes(input.array.shape, dim)
    n, size = input.array.shape[d], split_size_or_sections
    if isinstance(size, int):
        if size <= 0 and n:
            raise RuntimeError(f"split expects split_size be positive, but got split_size={size}")
        lengths = [size] * (n // size) + [n % size] * builtins.bool(n % size) if n else [0]
    else:
        lengths = list(size)
        if builtins.sum(lengths) != n:
            raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {n} "
                               f"(input tensor's size at dimension {dim}), but got split_sizes="
                               f"{lengths}")
    starts = np.cumsum([0, *lengths])
    return tuple([narrow(input, d, int(s), k) for s, k in zip(starts, lengths)])


@method
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` pieces of equal size along ``dim`` (the last may be smaller)."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = input.shape[dim]
    return split(input, builtins.max(-(-n // chunks), 1), dim)  # type: ignore[no-any-return]


# -- matrices --------------------------------------------------------------------------------

def _product(name: str, dims: tuple[int, int], doc: str) -> Callable[..., Any]:
    def product(input: Any, mat2: Any, *, out: Any = None) -> Any:
        if (input.ndim, mat2.ndim) != dims:
            raise RuntimeError(f"{name}: expected {dims[0]}-D and {dims[1]}-D tensors, got shapes "
                               f"{tuple(input.shape)} and {tuple(mat2.shape)}")
        if dims == (3, 3) and input.shape[0] != mat2.shape[0]:
            raise RuntimeError(f"batch1 and batch2 must have same number of batches, got "
                               f"{input.shape[0]} and {mat2.shape[0]}")
        return into(out, ops.matmul(input, mat2))
    product.__name__, product.__doc__ = name, doc
    return method(product)


mm = _product("mm", (2, 2), "The product of two matrices.")
bmm = _product("bmm", (3, 3), "The products of two batches of matrices.")
mv = _product("mv", (2, 1), "A matrix times a vector.")
dot = _product("dot", (1, 1), "The sum of products of two vectors.")


@method
def outer(input: Any, vec2: Any) -> Any:
    """``input[i] * vec2[j]`` of two vectors."""
    return ops.unsqueeze(input, 1) * vec2


@method
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    product = mm(mat1, mat2)
    product = product if alpha == 1 else product * alpha
    return product + (input if beta == 1 else input * beta)


def einsum(equation: str, *operands: Any) -> Any:
    """Products summed by labels: ``einsum("ij,jk->ik", x, y)`` is ``x @ y``."""
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = tuple(operands[0])
    return ops.einsum(equation, *_tensors(operands, "einsum"))


@method
def diag(input: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal."""
    if input.ndim == 1:
        n = len(input) + abs(diagonal)
        i = np.arange(len(input))
        out = wrap(np.zeros((n, n), input.array.dtype))
        return ops.index_put(out, (i - builtins.min(diagonal, 0), i + builtins.max(diagonal, 0)),
                             input)
    rows, columns = input.shape
    i = np.arange(builtins.max(0, builtins.min(rows + builtins.min(diagonal, 0),
                                               columns - builtins.max(diagonal, 0))))
    return ops.index(input, (i - builtins.min(diagonal, 0), i + builtins.max(diagonal, 0)))


@method
def trace(input: Any) -> Any:
    """The sum of a matrix's diagonal."""
    return diag(input).sum()


# -- choosing --------------------------------------------------------------------------------

@method
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The positions ``index`` (1-D, integer) along ``dim``."""
    (d,) = axes(input.array.shape, dim)
    return input[(slice(None),) * d + (index,)]


@method
def masked_select(input: Any, mask: Any) -> Any:
    """The elements where ``mask`` holds, in one dimension."""
    shape = np.broadcast_shapes(input.array.shape, mask.array.shape)
    return expand(input, shape)[expand(mask, shape)]


@method
def take(input: Any, index: Any) -> Any:
    """Elements of the flattened tensor."""
    return input.reshape(-1)[index]


def _reducing_scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None,
                      reduce: str | None = None) -> Any:
    if src is None:
        src = value
    if not isinstance(src, engine.Tensor):
        src = wrap(np.full(index.array.shape, src, input.array.dtype))
    if src.array.dtype != input.array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if reduce == "add":
        return ops.scatter_add(input, dim, index, src)
    if reduce is not None:
        raise RuntimeError(f"scatter(): reduce={reduce!r} is not supported, only 'add'")
    return ops.scatter(input, dim, index, src)


@method
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None,
            reduce: str | None = None) -> Any:
    """A copy with ``src`` (tensor or number) written at ``index`` along ``dim``."""
    return _reducing_scatter(input, dim, index, src, value=value, reduce=reduce)


@method
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with ``src`` added at ``index`` along ``dim``."""
    return ops.scatter_add(input, dim, index, src)


@method
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """A copy with the slices of ``source`` added at positions ``index`` along ``dim``."""
    (d,) = axes(input.array.shape, dim)
    shape = [1] * source.ndim
    shape[d] = -1
    where = expand(index.reshape(shape), source.shape)
    return ops.scatter_add(input, d, where, source if alpha == 1 else source * alpha)


@method
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of nonzero elements: rows of a matrix, or one tensor per dimension."""
    found = input.array.nonzero() if input.ndim else np.atleast_1d(input.array).nonzero()[:0]
    if as_tuple:
        return tuple([wrap(np.ascontiguousarray(i)) for i in found])
    return wrap(np.stack(found, 1) if found else
                np.zeros((int(builtins.bool(input.array)), 0), np.int64))


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; alone, the indices where it holds."""
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if condition.array.dtype.kind not in "bu":
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor "
                           f"with dtype {condition.dtype}")
    return ops.where(condition, input, other)


Tensor.where = lambda self, condition, other: where(condition, self, other)  # type: ignore[method-assign]


@method
def unique(input: Any, sorted: bool = True, return_inverse: bool = False,
           return_counts: bool = False, dim: int | None = None) -> Any:
    """The distinct values in order; optionally where each element went, and how often."""
    found = np.unique(input.array, return_inverse=True, return_counts=True, axis=dim)
    inverse = found[1].reshape(input.shape) if dim is None else found[1]
    out = [found[0]] + [inverse] * return_inverse + [found[2]] * return_counts
    return wrap(out[0]) if len(out) == 1 else tuple([wrap(v) for v in out])


@method
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each non-negative integer occurs."""
    return wrap(np.bincount(input.array, None if weights is None else weights.array, minlength))


# -- comparison of whole tensors -------------------------------------------------------------

@method
def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8,
            equal_nan: bool = False) -> Any:
    """Whether ``|input - other| <= atol + rtol * |other|``, elementwise."""
    return wrap(np.asarray(np.isclose(input.array, other.array, rtol, atol, equal_nan)))


@method
def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8,
             equal_nan: bool = False) -> bool:
    """Whether all elements are close."""
    return builtins.bool(isclose(input, other, rtol, atol, equal_nan).array.all())


@method
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    return builtins.bool(np.array_equal(input.array, other.array))


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


def numel(input: Any) -> int:
    """The number of elements."""
    return input.numel()  # type: ignore[no-any-return]


def is_floating_point(input: Any) -> bool:
    """Whether the dtype is a float."""
    return input.is_floating_point()  # type: ignore[no-any-return]


def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The dtype in which two tensors or numbers combine."""
    return dtypes.of_numpy(dtypes.result_dtype([getattr(v, "array", v)
                                                for v in (tensor1, tensor2)]))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Coordinate grids of 1-D tensors."""
    xs = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    n = len(xs)
    order = list(range(n))
    if indexing == "xy" and n > 1:
        order[:2] = [1, 0]
    shape = [xs[i].numel() for i in order]
    return tuple([expand(x.reshape([-1 if order[k] == i else 1 for k in range(n)]), shape)
                  for i, x in enumerate(xs)])
