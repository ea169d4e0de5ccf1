"""Reading and writing at chosen positions."""

import numpy as np

from minitorch import backend
from minitorch.backend import device_of, namespace
from minitorch.crossing import limits
from minitorch.ops.reduce import axes
from minitorch.primitive import primitive


def _shown(node):
    """PyTorch takes the parts of a key one after the other, and shows the last one taken."""
    key = node.kept("key")
    key = key if isinstance(key, tuple) else (key,)
    if any(hasattr(k, "dtype") for k in key):
        return "IndexBackward0"
    names = ["Unsqueeze" if k is None else "Select" if isinstance(k, int) else "Slice"
             for k in key if k is not Ellipsis and (k != slice(None) or len(key) == 1)]
    return (names[-1] if names else "Alias") + "Backward0"


@primitive(view=True, shown=_shown,
           x=lambda xp, g, x_shape, key: xp.index_add(g, x_shape, key))
def index(xp, x, key):
    """``x[key]`` with everything NumPy accepts; a view for integers and slices."""
    return xp.index(x, key)


@primitive(g=lambda xp, g, key: xp.index(g, key))
def index_add_(xp, g, shape, key):
    """Zeros of ``shape`` with ``g`` added at ``key``: what reading ``x[key]`` pulls back."""
    return xp.index_add(g, shape, key)


@primitive(x=lambda xp, g, key: xp.index_put(g, key, 0.0),
           value=lambda xp, g, key: xp.index(g, key), shown="CopySlices")
def index_put(xp, x, key, value):
    """A copy of ``x`` with ``value`` (broadcast) written at ``key``."""
    try:
        return xp.index_put(x, key, value)
    except OverflowError as error:  # -1 as uint8
        raise RuntimeError(f"value cannot be converted to type {x.dtype}: {error}") from None


@primitive(x=lambda xp, g, view: g * xp.cast(view.mask(xp), g.dtype),
           value=lambda xp, g, view: view.replay(g), shown="CopySlices")
def view_put(xp, x, value, view):
    """A copy of ``x`` with ``value`` written where ``view`` reads."""
    out = xp.copy(x)
    view.replay(out)[...] = value
    return out


@primitive(shown="CopyBackwards",
           x=lambda xp, g: xp.zeros_like(g),
           value=lambda xp, g: g)
def overwrite(xp, x, value):
    """``value``, broadcast and converted to the shape and dtype of ``x``."""
    value = xp.asarray(value)
    if value.dtype != x.dtype:
        value = value.astype(x.dtype)
    try:
        return xp.broadcast_to(value, x.shape)
    except ValueError:
        raise RuntimeError(f"The size of tensor of shape {tuple(value.shape)} must match the "
                           f"shape {tuple(x.shape)} that is written into") from None


@primitive(x=lambda xp, g, x_shape, dim, index: xp.scatter_add(
               xp.new_zeros(g, x_shape), dim, index, g))
def gather(xp, x, dim, index):
    """``out[i][j] = x[index[i][j]][j]`` for dim 0, and so on for other dimensions."""
    _check(x, dim, index, "gather")
    return xp.gather(x, dim, index)


def _check(x, dim, index, name, source=None):
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, got {index.dtype}")
    if getattr(source, "shape", None) is not None and (
            max(source.ndim, 1) != max(index.ndim, 1)
            or any(a > b for a, b in zip(index.shape, source.shape or (1,)))):
        raise RuntimeError(f"{name}(): the source must have the dimensions of index and be nowhere "
                           f"smaller: {tuple(source.shape)} for index {tuple(index.shape)}")
    n = max(x.ndim, 1)
    if max(index.ndim, 1) != n and index.size:
        raise RuntimeError(f"Index tensor must have the same number of dimensions as input tensor: "
                           f"index has shape {tuple(index.shape)}, input {tuple(x.shape)}")
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], "
                         f"but got {dim})")
    backend.look(_check_places, index, dim, x.shape[dim] if x.ndim else 1)
    for d, (a, b) in enumerate(zip(index.shape, x.shape)):
        if d != dim % n and a > b:
            raise RuntimeError(f"Size does not match at dimension {d}: expected index "
                               f"{tuple(index.shape)} to be no larger than self {tuple(x.shape)} "
                               f"apart from dimension {dim}")


def _check_places(index, dim, size):
    if index.size and not (0 <= index.min() and index.max() < size):
        wrong = index[(index < 0) | (index >= size)].ravel()[0]
        raise RuntimeError(f"index {int(wrong)} is out of bounds for dimension {dim} with size "
                           f"{size}")


limits(_check_places, RuntimeError, lambda dim, size: (
    0, size - 1, None, f"an index is out of bounds for dimension {dim} with size {size}"))


def _source_rule(xp, g, dim, index, source_shape):
    """Where ``source`` is larger than ``index``, the rest was never read."""
    g = xp.gather(g, dim, index)
    return g if g.shape == source_shape else xp.index_add(
        g, source_shape, tuple([slice(n) for n in g.shape]))


@primitive(x=lambda xp, g: g, source=_source_rule)
def scatter_add(xp, x, dim, index, source):
    """A copy of ``x`` with ``source`` added at ``index`` along ``dim``."""
    _check(x, dim, index, "scatter_add", source)
    return xp.scatter_add(x, dim, index, source)


@primitive(x=lambda xp, g, dim, index: xp.scatter(g, dim, index, 0.0), source=_source_rule)
def scatter(xp, x, dim, index, source):
    """A copy of ``x`` with ``source`` (tensor or number) written at ``index`` along ``dim``."""
    _check(x, dim, index, "scatter", source)
    return xp.scatter(x, dim, index, source)


@primitive(x=lambda xp, g, mask: xp.where(mask, 0.0, g),
           value=lambda xp, g, mask: xp.where(mask, g, 0.0))
def masked_fill(xp, x, mask, value):
    """``x`` with ``value`` wherever the bool ``mask`` holds."""
    if mask.dtype.kind != "b":
        raise RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype "
                           f"{mask.dtype}")
    if x.dtype.kind in "iu" and isinstance(value, (int, float)):
        limits = np.iinfo(x.dtype)
        if not limits.min <= value <= limits.max:
            raise RuntimeError(f"value {value} cannot be converted to type {x.dtype} without "
                               f"overflow")
    return xp.where(mask, xp.cast(xp.asarray(value), x.dtype), x)


def _sorted_rule(xp, g, x_shape, indices, dim):
    return (xp.scatter(xp.new_zeros(g, x_shape), dim % len(x_shape), indices, g) if x_shape
            else g)


def _order(xp, x, dim, descending):
    """Where the elements in order stand; stable, and nan counts as the largest number."""
    if not descending:
        return xp.argsort(x, dim, "stable")
    # Sort the reversed array, then reverse the order found.
    return x.shape[dim] - 1 - xp.flip(xp.argsort(xp.flip(x, dim), dim, "stable"), dim)


@primitive(extras=["indices"], constant=True, x=_sorted_rule)
def sort(xp, x, dim=-1, descending=False):
    """The elements in order along ``dim``, and where each stood; stable."""
    axes(x.shape, dim)
    if not x.ndim:
        return xp.copy(x), xp.zeros((), "int64")
    indices = _order(xp, x, dim, descending)
    return xp.gather(x, dim % x.ndim, indices), indices


@primitive(extras=["indices"], constant=True, x=_sorted_rule)
def topk(xp, x, k, dim=-1, largest=True, sorted=True):
    """The ``k`` largest (or smallest) along ``dim``, in order, and where each stood."""
    axes(x.shape, dim)
    if x.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes; use x.int()")
    if not 0 <= k <= (x.shape[dim] if x.ndim else 1):
        raise RuntimeError(f"selected index k out of range: k={k} for dim {dim} of shape "
                           f"{tuple(x.shape)}")
    if not x.ndim:
        return xp.copy(x), xp.zeros((), "int64")
    indices = xp.swapaxes(xp.swapaxes(_order(xp, x, dim, largest), dim, 0)[:k], dim, 0)
    return xp.gather(x, dim % x.ndim, indices), indices


def _rarity(index, dtype):
    """One over how often each row was picked, beside the features."""
    xp, rows = namespace(index), index.reshape(-1)
    return (1 / xp.bincount(rows)[rows]).astype(dtype).reshape(*index.shape, 1)


def _embedding_rule(xp, g, weight_shape, index, padding_idx, scale_grad_by_freq, sparse):
    if sparse:
        if scale_grad_by_freq:
            raise RuntimeError("embedding_backward: scale_grad_by_freq not supported with sparse "
                               "gradients")
        rows = xp.cast(xp.reshape(index, (-1,)), np.int64)
        g = xp.reshape(g, (*rows.shape, weight_shape[1]))
        if padding_idx is not None:
            kept = rows != padding_idx
            rows, g = xp.index(rows, kept), xp.index(g, kept)
        return xp.coo(g, xp.reshape(rows, (1, *rows.shape)), weight_shape)
    if scale_grad_by_freq:
        g = g * _rarity(getattr(index, "array", index), getattr(g, "array", g).dtype)
    out = xp.index_add(g, weight_shape, index)
    return out if padding_idx is None else xp.index_put(out, padding_idx, 0.0)


@primitive(weight=_embedding_rule, like="nn.functional.embedding")
def embedding(xp, weight, index, padding_idx=None, scale_grad_by_freq=False, sparse=False):
    """Rows of ``weight`` (n, features) picked by integer ``index``: (..., features).

    The gradient of a row is divided by how often it was picked, if ``scale_grad_by_freq``; it has
    entries for the rows that were picked alone, if ``sparse``.
    """
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"Expected tensor for argument #1 'indices' to have one of the "
                           f"following scalar types: Long, Int; but got {index.dtype}")
    backend.look(_check_rows, index, weight.shape[0])
    return weight[index]


def _check_rows(index, n):
    if index.size and not (0 <= index.min() and index.max() < n):
        raise IndexError(f"index out of range in self: indices lie in [{index.min()}, "
                         f"{index.max()}], the table has {n} rows")


limits(_check_rows, IndexError, lambda n: (
    0, n - 1, None, f"index out of range in self: the table has {n} rows"))


@primitive(shown="ToCopyBackward0",
           x=lambda xp, g, x: xp.transfer(g, device_of(getattr(x, "array", x))))
def transfer(xp, x, device):
    """``x`` on another device."""
    return xp.transfer(x, device)
