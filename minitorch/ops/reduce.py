"""Many numbers into one: sums, means, extremes, norms.

``dim`` is None (all), an int or several; ``keepdim`` keeps reduced dimensions with size 1.
"""

from minitorch import dtypes
from minitorch.backend import count
from minitorch.crossing import ask
from minitorch.errors import advised
from minitorch.primitive import primitive


def axes(x_shape, dim):
    """``dim`` as a tuple of non-negative axes, or None for all; raises IndexError out of range."""
    if dim is None or dim == () or dim == []:
        return None
    n = max(len(x_shape), 1)
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    for d in dims:
        if not -n <= d < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], "
                             f"but got {d})")
    found = tuple([int(d) % n for d in dims])
    if len(set(found)) < len(found):
        raise RuntimeError(f"dim {tuple(dims)} appears multiple times in the list of dims")
    return found if x_shape else None


def spread(xp, g, x_shape, dim, keepdim):
    """A reduced value handed to every element it came from: the shape before the reduction."""
    dims = axes(x_shape, dim)
    if not keepdim and dims is not None:
        g = xp.reshape(g, tuple([1 if i in dims else n for i, n in enumerate(x_shape)]))
    return xp.broadcast_to(g if dims is not None or keepdim else
                           xp.reshape(g, (1,) * len(x_shape)), x_shape)


def _numbered(name):
    return lambda node: f"{name}Backward{int(node.kept('dim') is not None)}"


@primitive(shown=_numbered("Sum"),
           x=lambda xp, g, x_shape, dim, keepdim: spread(xp, g, x_shape, dim, keepdim))
def sum(xp, x, dim=None, keepdim=False):
    """The sum over ``dim``; integers and bools sum to int64."""
    if x.dtype.kind in "bui":
        x = xp.cast(x, dtypes.INT64)
    return xp.sum(x, axes(x.shape, dim), keepdim)


@primitive(shown=_numbered("Mean"),
           x=lambda xp, g, x_shape, dim, keepdim: spread(
               xp, g / count(x_shape, axes(x_shape, dim)) if count(x_shape, axes(x_shape, dim))
               else g, x_shape, dim, keepdim))
def mean(xp, x, dim=None, keepdim=False):
    """The mean over ``dim``; raises RuntimeError for integers, which have no exact mean."""
    if x.dtype.kind != "f":
        raise advised(RuntimeError(
            f"mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {dtypes.of_numpy(x.dtype).legacy}"),
            "Convert it first, as in x.float().mean().")
    return xp.mean(x, axes(x.shape, dim), keepdim)


def _before(xp, x):
    """For each element, the product of those before it in its row, in log2(n) steps."""
    ones = xp.ones_like(x)
    out = xp.concatenate((ones[..., :1], x[..., :-1]), -1)
    n = 1
    while n < x.shape[-1]:
        out = out * xp.concatenate((ones[..., :n], out[..., :-n]), -1)
        n *= 2
    return out


def _prod_rule(xp, g, x, out, dim, keepdim):
    if not x.ndim:
        return g
    g = spread(xp, g, x.shape, dim, keepdim)
    ask(x)
    if not xp.any(x == 0):
        return g * spread(xp, out, x.shape, dim, keepdim) / x
    # Somewhere a factor is 0: multiply the others, those before and those after each element.
    rows = xp.reshape(x, (-1,)) if dim is None else xp.swapaxes(x, dim, -1)
    others = _before(xp, rows) * xp.flip(_before(xp, xp.flip(rows, -1)), -1)
    return g * (xp.reshape(others, x.shape) if dim is None else xp.swapaxes(others, dim, -1))


@primitive(shown=_numbered("Prod"), x=_prod_rule)
def prod(xp, x, dim=None, keepdim=False):
    """The product over ``dim`` (one dimension, or all)."""
    if x.dtype.kind in "bui":
        x = xp.cast(x, dtypes.INT64)
    return xp.prod(x, axes(x.shape, dim), keepdim)


def _degrees(x_shape, dim, correction):
    return max(count(x_shape, axes(x_shape, dim)) - correction, 0)


def _var_rule(xp, g, x, dim, correction, keepdim):
    n = _degrees(x.shape, dim, correction)
    centred = x - xp.mean(x, axes(x.shape, dim), True)
    return spread(xp, g, x.shape, dim, keepdim) * centred * (2 / n if n else float("inf"))


@primitive(promote="floating", x=_var_rule, shown="VarBackward0")
def var(xp, x, dim=None, correction=1, keepdim=False):
    """The variance over ``dim``, divided by ``n - correction`` (1: unbiased)."""
    dims = axes(x.shape, dim)
    centred = x - xp.mean(x, dims, True)
    return xp.sum(centred * centred, dims, keepdim) / _degrees(x.shape, dim, correction)


def _std_rule(xp, g, x, out, dim, correction, keepdim):
    still = out == 0  # where nothing varies the slope is taken as 0
    g = xp.where(still, 0.0, g / (2 * xp.where(still, 1.0, out)))
    return _var_rule(xp, g, x, dim, correction, keepdim)


@primitive(promote="floating", x=_std_rule, shown="StdBackward0")
def std(xp, x, dim=None, correction=1, keepdim=False):
    """The standard deviation over ``dim``, from the variance over ``n - correction``."""
    dims = axes(x.shape, dim)
    centred = x - xp.mean(x, dims, True)
    return xp.sqrt(xp.sum(centred * centred, dims, keepdim) / _degrees(x.shape, dim, correction))


def _share(xp, g, x, out, dim, keepdim):
    """Equal extremes share the cotangent."""
    best = xp.cast(x == spread(xp, out, x.shape, dim, keepdim), g.dtype)
    return spread(xp, g, x.shape, dim, keepdim) * best / xp.sum(best, axes(x.shape, dim), True)


def _nonempty(x, dim, name):
    if not count(x.shape, axes(x.shape, dim)):
        kind = RuntimeError if dim is None and name in ("amax", "amin") else IndexError
        raise kind(f"{name}(): Expected reduction dim {dim} to be specified and to have elements, "
                   f"but the input has shape {tuple(x.shape)}")


def _extreme(name):
    """Of ``x.max()``, whose ``dim`` is None, and of ``x.amax()``, where it is ``()``."""
    return lambda node: (f"{name}Backward1" if node.kept("dim") is None
                          else f"A{name.lower()}Backward0")


@primitive(x=_share, shown=_extreme("Max"))
def amax(xp, x, dim=None, keepdim=False):
    """The largest over ``dim``; equal ones share the gradient."""
    _nonempty(x, dim, "amax")
    return xp.amax(x, axes(x.shape, dim), keepdim)


@primitive(x=_share, shown=_extreme("Min"))
def amin(xp, x, dim=None, keepdim=False):
    """The smallest over ``dim``; equal ones share the gradient."""
    _nonempty(x, dim, "amin")
    return xp.amin(x, axes(x.shape, dim), keepdim)


def _to_index(xp, g, x_shape, indices, dim, keepdim):
    """The cotangent goes to the chosen position along ``dim``; zeros elsewhere."""
    if not x_shape:
        return g
    if not keepdim:
        g, indices = xp.unsqueeze(g, dim), xp.unsqueeze(indices, dim)
    return xp.scatter(xp.new_zeros(g, x_shape), dim % len(x_shape), indices, g)


def _chosen(xp, x, pick, dim, keepdim):
    (d,) = axes(x.shape, dim) or (0,)
    if not x.shape:
        return xp.copy(x), xp.zeros((), dtypes.INT64)
    indices = xp.unsqueeze(pick(x, d), d)
    values = xp.gather(x, d, indices)
    return (values, indices) if keepdim else (xp.squeeze(values, d), xp.squeeze(indices, d))


@primitive(extras=["indices"], constant=True, x=_to_index, shown="MaxBackward0", like="max")
def max_dim(xp, x, dim, keepdim=False):
    """The largest along one dimension, and where it stands."""
    _nonempty(x, dim, "max")
    return _chosen(xp, x, xp.argmax, dim, keepdim)


@primitive(extras=["indices"], constant=True, x=_to_index, shown="MinBackward0", like="min")
def min_dim(xp, x, dim, keepdim=False):
    """The smallest along one dimension, and where it stands."""
    _nonempty(x, dim, "min")
    return _chosen(xp, x, xp.argmin, dim, keepdim)


def _arg(pick, xp, x, dim, keepdim, name):
    if x.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input; use x.int()")
    _nonempty(x, dim, name)
    if not x.shape:
        return xp.zeros((), dtypes.INT64)
    out = pick(x) if dim is None else pick(x, dim)
    if keepdim:
        out = xp.reshape(out, (1,) * x.ndim) if dim is None else xp.unsqueeze(out, dim)
    return out


@primitive()
def argmax(xp, x, dim=None, keepdim=False):
    """The index of the largest along ``dim``, or in the flattened tensor."""
    return _arg(xp.argmax, xp, x, dim, keepdim, "argmax")


@primitive()
def argmin(xp, x, dim=None, keepdim=False):
    """The index of the smallest along ``dim``, or in the flattened tensor."""
    return _arg(xp.argmin, xp, x, dim, keepdim, "argmin")


def _as_byte(xp, x, out):
    """Bool, but uint8 for uint8: so bytes were reduced before PyTorch had bools."""
    return xp.cast(out, x.dtype) if x.dtype == "uint8" else out


@primitive()
def any(xp, x, dim=None, keepdim=False):
    """Whether some element over ``dim`` is nonzero."""
    return _as_byte(xp, x, xp.any(x != 0, axes(x.shape, dim), None, keepdim))


@primitive()
def all(xp, x, dim=None, keepdim=False):
    """Whether every element over ``dim`` is nonzero."""
    return _as_byte(xp, x, xp.all(x != 0, axes(x.shape, dim), None, keepdim))


@primitive()
def count_nonzero(xp, x, dim=None):
    """How many elements over ``dim`` are nonzero."""
    return xp.sum(xp.cast(x != 0, dtypes.INT64), axes(x.shape, dim), False)


@primitive(x=lambda xp, g, x, out, dim, keepdim: spread(xp, g, x.shape, dim, keepdim) * xp.exp(
               x - spread(xp, out, x.shape, dim, keepdim)))
def logsumexp(xp, x, dim, keepdim=False):
    """``log(sum(exp(x)))`` over ``dim``, without overflow."""
    dims = axes(x.shape, dim)
    if x.dtype.kind != "f":
        x = xp.cast(x, dtypes.default())
    if not x.size:  # log 0, if anything is left
        return xp.log(xp.sum(x, dims, keepdim))
    top = xp.amax(x, dims, True)
    top = xp.where(xp.isfinite(top), top, 0.0)
    out = xp.log(xp.sum(xp.exp(x - top), dims, True)) + top
    return out if keepdim else xp.sum(out, dims, False)


@primitive(x=lambda xp, g, dim: xp.flip(xp.cumsum(xp.flip(g, dim), dim), dim) if g.ndim else g)
def cumsum(xp, x, dim):
    """The running sum along ``dim``."""
    axes(x.shape, dim)
    return xp.cumsum(x, dim) if x.shape else xp.reshape(xp.cumsum(xp.reshape(x, (1,)), 0), ())


def _norm_rule(xp, g, x, out, p, dim, keepdim):
    g = spread(xp, g, x.shape, dim, keepdim)
    norm = spread(xp, out, x.shape, dim, keepdim)
    if p == 1:
        return g * xp.sign(x)
    if p == 0:
        return xp.zeros_like(x)
    if p in (float("inf"), float("-inf")):
        best = xp.cast(xp.absolute(x) == norm, g.dtype)
        return g * xp.sign(x) * best / xp.sum(best, axes(x.shape, dim), True)
    zero = norm == 0  # at 0 the norm has a kink; its slope there is taken as 0
    if p == 2:
        return xp.where(zero, 0.0, g * (x / xp.where(zero, 1.0, norm)))
    ratio = xp.absolute(x) / xp.where(zero, 1.0, norm)
    return xp.where(zero | (x == 0), 0.0,
                    g * xp.sign(x) * xp.where(x == 0, 1.0, ratio) ** (p - 1))


@primitive(promote="floating", x=_norm_rule, like="linalg.vector_norm",
           shown="LinalgVectorNormBackward0")
def vector_norm(xp, x, p=2.0, dim=None, keepdim=False):
    """``(sum |x|**p) ** (1/p)`` over ``dim``; p may be 0 (count of nonzero) or +-inf."""
    dims = axes(x.shape, dim)
    if p == 2:
        return xp.sqrt(xp.sum(x * x, dims, keepdim))
    size = xp.absolute(x)
    if (p < 0 or p == float("inf")) and not count(x.shape, dims):
        raise RuntimeError(f"linalg.vector_norm cannot compute the {p} norm over dim {dim} of an "
                           f"input of shape {tuple(x.shape)}: there are no elements")
    if p == float("inf"):
        return xp.amax(size, dims, keepdim)
    if p == float("-inf"):
        return xp.amin(size, dims, keepdim)
    if p == 0:
        return xp.sum(xp.cast(x != 0, x.dtype), dims, keepdim)
    total = xp.sum(size if p == 1 else size ** p, dims, keepdim)
    return total if p == 1 else total ** (1 / p)
