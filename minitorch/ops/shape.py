"""The same numbers in another shape: views where NumPy makes views."""

from minitorch.primitive import primitive


@primitive(view=True, shown="ViewBackward0",
           x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
def reshape(xp, x, shape):
    """The elements of ``x`` in a new shape; one size may be -1. A view where possible."""
    if shape and min(shape) < -1:
        raise RuntimeError(f"invalid shape dimension {min(shape)} in shape {list(shape)}")
    if -1 in shape and 0 in shape and x.size == 0:
        raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {list(shape)} because "
                           f"the unspecified dimension size -1 can be any value and is ambiguous")
    try:
        return xp.reshape(x, shape)
    except ValueError:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {x.size}") from None


def _inverse(order):
    n = len(order)
    back = [0] * n
    for i, d in enumerate(order):
        back[d % n] = i
    return tuple(back)


@primitive(view=True,
           x=lambda xp, g, dims: xp.permute(g, _inverse(dims)))
def permute(xp, x, dims):
    """The dimensions of ``x`` in the order ``dims``; a view."""
    if sorted(d % x.ndim if x.ndim else d for d in dims) != list(range(x.ndim)):
        raise RuntimeError(f"permute(sparse_coo): number of dimensions in the tensor input does "
                           f"not match the length of the desired ordering of dimensions i.e. "
                           f"input.dim() = {x.ndim} is not equal to len(dims) = {len(dims)}"
                           if len(dims) != x.ndim else f"permute(): duplicate dims {dims}")
    return xp.permute(x, dims)


@primitive(view=True, shown="TransposeBackward0", like="transpose",
           x=lambda xp, g, dim0, dim1: xp.swapaxes(g, dim0, dim1) if g.ndim else g)
def swapaxes(xp, x, dim0, dim1):
    """``x`` with two dimensions exchanged; a view."""
    n = max(x.ndim, 1)
    for d in (dim0, dim1):
        if not -n <= d < n:
            raise IndexError(f"Dimension out of range (expected to be in range of "
                             f"[{-n}, {n - 1}], but got {d})")
    return xp.swapaxes(x, dim0, dim1) if x.ndim else x[...]


@primitive(view=True, shown="TBackward0",
           x=lambda xp, g: xp.swapaxes(g, 0, 1) if g.ndim == 2 else g)
def t(xp, x):
    """The transpose of a matrix; vectors stay as they are; a view."""
    if x.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {x.ndim}D")
    return xp.swapaxes(x, 0, 1) if x.ndim == 2 else x[...]


def _diagonal_rule(xp, g, x_shape, offset, dim1, dim2):
    """Zeros, and ``g`` on the diagonal."""
    n = len(x_shape)
    order = [d for d in range(n) if d not in (dim1 % n, dim2 % n)] + [dim1 % n, dim2 % n]
    rows = [i - min(offset, 0) for i in range(g.shape[-1])]
    columns = [i + max(offset, 0) for i in range(g.shape[-1])]
    zeros = xp.new_zeros(g, tuple([x_shape[d] for d in order]))
    return xp.permute(xp.index_put(zeros, (Ellipsis, rows, columns), g), _inverse(order))


@primitive(view=True, x=_diagonal_rule)
def diagonal(xp, x, offset=0, dim1=0, dim2=1):
    """The diagonal over two dimensions, as the last dimension; a view."""
    return xp.diagonal(x, offset, dim1, dim2)


@primitive(view=True,
           x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
def unsqueeze(xp, x, dim):
    """``x`` with a dimension of size 1 inserted at ``dim``; a view."""
    n = x.ndim + 1
    if isinstance(dim, int) and not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], "
                         f"but got {dim})")
    return xp.unsqueeze(x, dim)


@primitive(view=True,
           x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
def squeeze(xp, x, dim=None):
    """``x`` without its dimensions of size 1 (those in ``dim``, or all); a view."""
    n = max(x.ndim, 1)
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    for d in dims:
        if not -n <= d < n:
            raise IndexError(f"Dimension out of range (expected to be in range of "
                             f"[{-n}, {n - 1}], but got {d})")
    gone = {d % n for d in dims}
    return xp.reshape(x, tuple([k for i, k in enumerate(x.shape) if i not in gone or k != 1]))


@primitive(view=True, shown="ExpandBackward0", like="broadcast_to",
           x=lambda xp, g: g)  # the engine sums over what was broadcast
def broadcast_to(xp, x, shape):
    """``x`` repeated along dimensions of size 1 up to ``shape``, without copying; a view."""
    try:
        out = xp.broadcast_to(x, shape)
        # NumPy's result is read-only, which is right only where elements are repeated.
        return out if out.size != x.size else xp.reshape(x, out.shape)
    except ValueError:
        raise RuntimeError(f"The expanded size of the tensor {tuple(shape)} must match the "
                           f"existing size {tuple(x.shape)} at non-singleton dimensions") from None


@primitive(x=lambda xp, g, dims: xp.flip(g, dims))
def flip(xp, x, dims):
    """``x`` reversed along each dimension of ``dims``; a copy."""
    return xp.copy(xp.flip(x, dims if isinstance(dims, int) else tuple(dims)))


def _tile_rule(xp, g, x_shape, repeats):
    """Fold each repeated dimension into (times, size) and sum over the times."""
    padded = (1,) * (len(repeats) - len(x_shape)) + tuple(x_shape)
    pairs = tuple(n for pair in zip(repeats, padded) for n in pair)
    g = xp.sum(xp.reshape(g, pairs), tuple(range(0, len(pairs), 2)), False) if pairs else g
    return xp.reshape(g, x_shape)


@primitive(x=_tile_rule)
def repeat(xp, x, repeats):
    """Copies of ``x`` laid side by side, ``repeats[i]`` times along dimension ``i``."""
    if len(repeats) < x.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of "
                           f"dimensions of tensor: {tuple(repeats)} for shape {tuple(x.shape)}")
    return xp.tile(x, tuple(repeats))


def _require_matrix(name, x):
    if x.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, but its shape "
                           f"is {tuple(x.shape)}")


@primitive(x=lambda xp, g, diagonal: xp.tril(g, diagonal))
def tril(xp, x, diagonal=0):
    """The lower triangle of the last two dimensions; zeros above ``diagonal``."""
    if x.ndim < 2:
        raise RuntimeError("tril: input tensor must have at least 2 dimensions")
    _require_matrix("tril", x)
    return xp.tril(x, diagonal)


@primitive(x=lambda xp, g, diagonal: xp.triu(g, diagonal))
def triu(xp, x, diagonal=0):
    """The upper triangle of the last two dimensions; zeros below ``diagonal``."""
    if x.ndim < 2:
        raise RuntimeError("triu: input tensor must have at least 2 dimensions")
    _require_matrix("triu", x)
    return xp.triu(x, diagonal)


def _piece(xp, g, place, shapes, dim):
    start = sum(s[dim] for s in shapes[:place])
    return xp.index(g, (slice(None),) * (dim % g.ndim)
                    + (slice(start, start + shapes[place][dim]),))


@primitive(xs=_piece)
def cat(xp, dim, *xs):
    """Tensors joined along an existing dimension."""
    return xp.concatenate(xs, dim)


@primitive(xs=lambda xp, g, place, dim: xp.index(g, (slice(None),) * (dim % g.ndim) + (place,)))
def stack(xp, dim, *xs):
    """Tensors of one shape joined along a new dimension."""
    return xp.stack(xs, dim)
