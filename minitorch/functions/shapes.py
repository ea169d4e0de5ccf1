"""The same elements in another shape: views where PyTorch makes views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch import backend, dtypes, engine, ops
from minitorch.engine import shown_as, wrap
from minitorch.functions.common import axis_of, method, sizes
from minitorch.ops.reduce import axes

__all__ = [
    "reshape", "flatten", "ravel", "unflatten", "permute", "transpose", "swapdims", "adjoint",
    "movedim", "moveaxis", "squeeze", "broadcast_to", "diagonal", "atleast_1d", "atleast_2d",
    "atleast_3d",
]


@method
def reshape(input: Any, *shape: Any, **named: Any) -> Any:
    """The elements in a new shape; one size may be -1."""
    out = ops.reshape(input, sizes(shape or (named["shape"],)))
    return out if out.alias_of is not None else shown_as("UnsafeViewBackward0", out)


@method
def view(input: Any, *shape: Any, **named: Any) -> Any:
    """The same memory in a new shape; raises RuntimeError where only a copy would do."""
    shape = shape or (named.get("size", named.get("dtype")),)
    if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
        return _reinterpreted(input, shape[0])
    out = ops.reshape(input, sizes(shape))
    if out.array.size and not backend.share_memory(out.array, input.array):
        raise RuntimeError(f"view size is not compatible with input tensor's size and stride (at "
                           f"least one dimension of {tuple(input.shape)} spans across two "
                           f"contiguous subspaces). Use .reshape(...) instead.")
    return out


def _reinterpreted(input: Any, dtype: dtypes.dtype) -> Any:
    try:
        out = wrap(input.array.view(dtype.dtype))
    except (ValueError, TypeError) as error:
        raise RuntimeError(f"a tensor of {input.dtype} and shape {tuple(input.shape)} cannot be "
                           f"viewed as {dtype}: {error}") from None
    out.version = input.version
    return out


@method
def view_as(input: Any, other: Any) -> Any:
    """``view`` with the shape of ``other``."""
    return view(input, other.shape)


@method
def reshape_as(input: Any, other: Any) -> Any:
    """``reshape`` to the shape of ``other``."""
    return ops.reshape(input, other.array.shape)


@method
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions ``start_dim`` to ``end_dim`` joined into one."""
    start, end = axis_of(input, start_dim), axis_of(input, end_dim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end and input.ndim:
        return input
    shape = input.array.shape
    joined = 1
    for n in shape[start:end + 1]:
        joined *= n
    return reshape(input, shape[:start] + (joined,) + shape[end + 1:])


@method
def ravel(input: Any) -> Any:
    """All elements in one dimension, in row-major order; a copy unless they lie so."""
    return flatten(input.contiguous())


@method
def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """Dimension ``dim`` split into ``sizes``, one of which may be -1."""
    d, parts = axis_of(input, dim), list(sizes)
    if not input.ndim:
        raise RuntimeError("unflatten: a 0-d tensor has no dimension to split")
    n, known = input.array.shape[d], 1
    for k in parts:
        known *= k if k != -1 else 1
    if parts.count(-1) == 1 and known:
        parts[parts.index(-1)] = n // known
        known = n if n % known == 0 else -1
    if known != n or not parts:
        raise RuntimeError(f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size "
                           f"of dim {d} ({n}) in the input tensor")
    shape = input.array.shape
    return ops.reshape(input, shape[:d] + tuple(parts) + shape[d + 1:])


@method
def permute(input: Any, *dims: Any, **named: Any) -> Any:
    """The dimensions in the order ``dims``; a view."""
    order = sizes(dims or (named.get("dims", ()),))
    if len(order) == input.ndim:
        order = axes(input.array.shape, order) or ()
    return ops.permute(input, order)


@method
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; a view."""
    return ops.swapaxes(input, dim0, dim1)


@method
def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged; a view."""
    return ops.swapaxes(input, dim0, dim1)


@method
def adjoint(input: Any) -> Any:
    """Matrices transposed: a view with the last two dimensions exchanged."""
    if input.ndim < 2:
        if not input.ndim:
            return input
        raise RuntimeError("tensor.adjoint() is only supported on matrices or batches of matrices. "
                           "Got 1-D tensor.")
    return ops.swapaxes(input, -2, -1)


@method
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Dimensions ``source`` moved to ``destination``, the others keeping their order; a view."""
    shape = input.array.shape or (1,)
    old, new = axes(shape, source) or (), axes(shape, destination) or ()
    if len(old) != len(new):
        raise RuntimeError(f"movedim: Invalid source or destination dims: source ({source}) should "
                           f"contain the same number of dims as destination ({destination})")
    order = [d for d in range(len(shape)) if d not in old]
    for place, d in sorted(zip(new, old)):
        order.insert(place, d)
    return ops.permute(input, tuple(order) if input.ndim else ())


@method
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the dimensions of size 1 (those in ``dim``, or all); a view."""
    if dim is None:
        return ops.squeeze(input)
    axes(input.array.shape or (1,), dim)
    return shown_as(f"SqueezeBackward{1 if isinstance(dim, int) else 2}", ops.squeeze(input, dim))


@method
def expand(input: Any, *shape: Any, **named: Any) -> Any:
    """Dimensions of size 1 repeated without copying; -1 keeps a size."""
    if not shape and "size" not in named:
        raise TypeError('expand() missing 1 required positional arguments: "size"')
    wanted = sizes(shape or (named["size"],))
    extra = len(wanted) - input.ndim
    if extra < 0:
        raise RuntimeError(f"expand: the number of sizes provided ({len(wanted)}) must be greater "
                           f"or equal to the number of dimensions in the tensor ({input.ndim})")
    if any(n < 0 for n in wanted[:extra]) or any(n < -1 for n in wanted):
        raise RuntimeError(f"expand: {list(wanted)} is no shape: only existing dimensions may be "
                           f"-1, and {tuple(input.shape)} has {input.ndim}")
    return ops.broadcast_to(input, tuple(
        [input.array.shape[i - extra] if n == -1 else n for i, n in enumerate(wanted)]))


@method
def expand_as(input: Any, other: Any) -> Any:
    """``expand`` to the shape of ``other``."""
    return expand(input, other.shape)


@method
def broadcast_to(input: Any, size: Any) -> Any:
    """``input`` repeated without copying up to ``size``."""
    return expand(input, size)


@method
def sum_to_size(input: Any, *size: Any) -> Any:
    """Summed over the dimensions that broadcasting from ``size`` would add or stretch."""
    wanted, have = sizes(size), input.array.shape
    extra = len(have) - len(wanted)
    if extra < 0 or any(n not in (1, m) for n, m in zip(wanted, have[extra:])):
        raise RuntimeError(f"size {list(wanted)} is not expandable to size {list(have)}.")
    return engine.unbroadcast(ops, input, wanted)


@method
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal over two dimensions, as the last dimension; a view."""
    first, second = axis_of(input, dim1), axis_of(input, dim2)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return ops.diagonal(input, offset, first, second)


# -- at least so many dimensions -------------------------------------------------------------

def _each(grow: Any) -> Any:
    """A function of one tensor made one of several, or of a list of them."""
    def function(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
            tensors = tuple(tensors[0])
            return tuple(map(grow, tensors))
        return grow(tensors[0]) if len(tensors) == 1 else tuple(map(grow, tensors))
    function.__name__, function.__doc__ = grow.__name__, grow.__doc__
    return function


@_each
def atleast_1d(x: Any) -> Any:
    """The tensor, with a dimension of size 1 if it has none."""
    return ops.reshape(x, (1,)) if not x.ndim else x


@_each
def atleast_2d(x: Any) -> Any:
    """The tensor, with dimensions of size 1 in front up to two."""
    return x if x.ndim > 1 else ops.reshape(x, (1, x.array.size))


@_each
def atleast_3d(x: Any) -> Any:
    """The tensor, with dimensions of size 1 up to three: (n,) is (1, n, 1), (n, m) is (n, m, 1)."""
    return ops.unsqueeze(atleast_2d(x), -1) if x.ndim < 3 else x


moveaxis = movedim
