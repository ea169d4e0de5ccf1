"""Many numbers into one: sums, means, extremes, order statistics, norms, softmax."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from minitorch import backend, engine, ops
from minitorch.engine import shown_as, wrap
from minitorch.functions.common import (
    axis_of,
    bare,
    into,
    method,
    require_float,
    require_tensors,
)
from minitorch.functions.parts import narrow
from minitorch.functions.results import pair
from minitorch.ops.reduce import axes

__all__ = [
    "sum", "mean", "prod", "nansum", "nanmean", "var", "std", "var_mean", "std_mean", "amax",
    "amin", "max", "min", "aminmax", "median", "cumsum", "cumprod", "cummax", "cummin",
    "logsumexp", "norm", "dist", "softmax", "log_softmax", "diff",
]


def _along(dim: Any, axis: Any, keepdim: Any, keepdims: bool, name: str) -> tuple[Any, bool]:
    """PyTorch's and NumPy's spellings of which dimensions go, and whether they stay as size 1."""
    if keepdim is not True and keepdim is not False:
        raise TypeError(f"{name}(): argument 'keepdim' must be bool, not {type(keepdim).__name__}; "
                        f"several dimensions are given as a tuple")
    return axis if dim is None else dim, keepdim or keepdims


def _reduction(op: Any) -> Callable[..., Any]:
    def reduction(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None,
                  axis: Any = None, keepdims: bool = False, out: Any = None) -> Any:
        if dtype is not None:
            input = input.to(dtype)
        y = op(input, *_along(dim, axis, keepdim, keepdims, op.name))
        return into(out, y if dtype is None else y.to(dtype))
    reduction.__name__, reduction.__doc__ = op.name, op.__doc__
    return method(reduction)


sum, mean, prod = (_reduction(op) for op in (ops.sum, ops.mean, ops.prod))


@method
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None,
           out: Any = None) -> Any:
    """The sum over ``dim``, with 0 for nan."""
    return sum(ops.where(ops.isnan(input), 0, input), dim, keepdim, dtype=dtype, out=out)


@method
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None,
            out: Any = None) -> Any:
    """The mean over ``dim`` of what is not nan."""
    require_float("nanmean", input)
    count = sum(ops.logical_not(ops.isnan(input)), dim, keepdim)
    return into(out, nansum(input, dim, keepdim, dtype=dtype) / count)


def _spread(op: Any) -> Callable[..., Any]:
    def function(input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *,
                 correction: int | None = None, axis: Any = None, keepdims: bool = False,
                 out: Any = None) -> Any:
        if isinstance(dim, bool):  # x.std(False): unbiased
            dim, unbiased = None, dim
        require_float(op.name, input)
        dim, keepdim = _along(dim, axis, keepdim, keepdims, op.name)
        return into(out, op(input, dim, int(unbiased) if correction is None else correction,
                            keepdim))
    function.__name__, function.__doc__ = op.name, op.__doc__
    return method(function)


var, std = _spread(ops.var), _spread(ops.std)


def var_mean(input: Any, dim: Any = None, *args: Any, keepdim: bool = False,
             **options: Any) -> tuple[Any, Any]:
    """The variance and the mean over ``dim``; the other arguments are those of ``var``."""
    mean_dim = None if isinstance(dim, bool) else dim
    return var(input, dim, *args, keepdim=keepdim, **options), mean(input, mean_dim, keepdim)


def std_mean(input: Any, dim: Any = None, *args: Any, keepdim: bool = False,
             **options: Any) -> tuple[Any, Any]:
    """The standard deviation and the mean over ``dim``; other arguments as in ``std``."""
    mean_dim = None if isinstance(dim, bool) else dim
    return std(input, dim, *args, keepdim=keepdim, **options), mean(input, mean_dim, keepdim)


# -- extremes and order ----------------------------------------------------------------------

def _require_elements(input: Any, name: str) -> None:
    if not input.array.size:
        raise RuntimeError(f"{name}(): Expected reduction dim to be specified for an input without "
                           f"elements: its shape is {tuple(input.shape)}")


def _whole_or_along(op: Any) -> Callable[..., Any]:
    def extreme(input: Any, dim: Any = (), keepdim: bool = False, *, axis: Any = None,
                keepdims: bool = False, out: Any = None) -> Any:
        dim = axis if axis is not None else dim
        if dim == () or dim is None or dim == []:
            _require_elements(input, op.name)
            dim = ()  # all of them; None would show as the whole maximum, torch.max(x)
        return into(out, op(input, *_along(dim, None, keepdim, keepdims, op.name)))
    extreme.__name__, extreme.__doc__ = op.name, op.__doc__
    return method(extreme)


amax, amin = _whole_or_along(ops.amax), _whole_or_along(ops.amin)


def _extreme(name: str, whole: Any, along: Any, of_two: Any) -> Callable[..., Any]:
    def extreme(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None,
                axis: Any = None, keepdims: bool = False, out: Any = None) -> Any:
        if other is not None or isinstance(dim, engine.Tensor):
            require_tensors(name, input=input)
            return into(out, of_two(input, dim if other is None else other))
        dim, keepdim = _along(dim, axis, keepdim, keepdims, name)
        if dim is None:
            _require_elements(input, name)
            return into(out, whole(input))
        values, indices = along(input, dim, keepdim)
        return pair(name, values, wrap(indices), out)
    extreme.__name__ = name
    extreme.__doc__ = (f"The {name}imum: of all; ``(values, indices)`` along ``dim``; or of two "
                       f"tensors, elementwise.")
    return method(extreme)


max = _extreme("max", ops.amax, ops.max_dim, ops.maximum)
min = _extreme("min", ops.amin, ops.min_dim, ops.minimum)


@method
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
    """``(min, max)`` of all, or along one dimension."""
    if dim is None:
        _require_elements(input, "aminmax")
    least, most = ops.amin(input, dim, keepdim), ops.amax(input, dim, keepdim)
    return pair("aminmax", least, most, out, exact=True)


@method
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle value (the lower of two): of all, or ``(values, indices)`` along ``dim``."""
    if dim is None:
        if not input.array.size and input.array.dtype.kind == "f":
            return ops.mean(input)  # nan
        value = median(input.detach().reshape(-1), 0)[0]
        equal = (input == value) | (ops.isnan(input) & ops.isnan(value))
        if input.requires_grad:
            value = shown_as("MedianBackward0", mean(input[equal]))  # they share the gradient
        return value
    d, xp = axis_of(input, dim), backend.namespace(input.array)
    if not input.ndim:
        return pair("median", ops.clone(input), wrap(xp.zeros((), "int64")))
    if not input.shape[d]:
        raise IndexError(f"median(): Expected reduction dim {dim} to have non-zero size.")
    x = input.array
    middle = ops.sort(input.detach(), d)[1].take([(x.shape[d] - 1) // 2], d)
    nans = xp.isnan(x)
    where = wrap(xp.where(nans.any(d, keepdims=True), nans.argmax(d, keepdims=True), middle))
    found = ops.gather(input, d, where), where
    values, where = found if keepdim else [ops.squeeze(v, d) for v in found]
    return pair("median", shown_as("MedianBackward1", values), where)


# -- running reductions ----------------------------------------------------------------------

@method
def cumsum(input: Any, dim: Any = None, *, dtype: Any = None, axis: Any = None,
           out: Any = None) -> Any:
    """The running sum along ``dim``."""
    d = axis_of(input, axis if dim is None else dim)
    return into(out, ops.cumsum(input if dtype is None else input.to(dtype), d))


@method
def cumprod(input: Any, dim: int, *, dtype: Any = None, out: Any = None) -> Any:
    """The running product along ``dim``; with a gradient it takes memory quadratic in its size."""
    d = axis_of(input, dim)
    input = input if dtype is None else input.to(dtype)
    if input.array.dtype.kind != "f":
        input = input.long()
    if not input.requires_grad or not input.ndim:
        return into(out, bare("cumprod", input, d) if input.ndim else ops.clone(input))
    last = ops.swapaxes(input, d, -1)
    n = last.shape[-1]
    upto = wrap(backend.namespace(last.array).tri(n, dtype=bool))
    factors = ops.where(upto, ops.unsqueeze(last, -2), 1.0)
    return into(out, shown_as("CumprodBackward0", ops.swapaxes(ops.prod(factors, -1), d, -1)))


def _running(name: str, better: Any) -> Callable[..., Any]:
    def running(input: Any, dim: int, *, out: Any = None) -> Any:
        d, xp, x = axis_of(input, dim), backend.namespace(input.array), input.array
        if not input.ndim:
            return pair(name, ops.clone(input), wrap(xp.zeros((), "int64")), out)
        best = xp.accumulate(better, x, d)
        here = (x == best) | (x != x)
        shape = [1] * x.ndim
        shape[d] = -1
        place = xp.where(here, xp.arange(x.shape[d]).reshape(shape), 0)
        where = wrap(xp.accumulate("maximum", place, d))
        return pair(name, ops.gather(input, d, where), where, out)
    running.__name__ = name
    running.__doc__ = f"The {name[3:]}imum so far along ``dim``, and where it last stood."
    return method(running)


cummax, cummin = _running("cummax", "maximum"), _running("cummin", "minimum")


def _joined(prepend: Any, input: Any, append: Any, d: int) -> Any:
    parts = [x for x in (prepend, input, append) if x is not None]
    return ops.cat(d, *parts) if len(parts) > 1 else input


@method
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, *,
         out: Any = None) -> Any:
    """Differences of neighbours along ``dim``, taken ``n`` times, of the tensors joined."""
    d = axis_of(input, dim) if input.ndim else 0
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return into(out, ops.clone(input))
    input = _joined(prepend, input, append, d)
    for _ in range(n):
        size = input.shape[d]
        length = builtins.max(size - 1, 0)
        late, early = narrow(input, d, size - length, length), narrow(input, d, 0, length)
        input = ops.bitwise_xor(late, early) if input.array.dtype.kind == "b" else late - early
    return into(out, input)


# -- norms and softmax -----------------------------------------------------------------------

@method
def logsumexp(input: Any, dim: Any, keepdim: bool = False, *, out: Any = None) -> Any:
    """``log(sum(exp(x)))`` over ``dim``, without overflow."""
    return into(out, ops.logsumexp(input, dim, keepdim))


@method
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False,
         dtype: Any = None, out: Any = None) -> Any:
    """The p-norm over ``dim``: ``(sum |x|**p) ** (1/p)``; "fro" is p = 2."""
    if p == "nuc":
        raise NotImplementedError("the nuclear norm needs singular values, which minitorch lacks")
    require_float("linalg.vector_norm", input)
    if dtype is not None:
        input = input.to(dtype)
    p = 2.0 if p in ("fro", None) else float(p)
    if abs(p) == float("inf"):
        empty = [n for n in input.array.shape if not n] if dim is None else [
            d for d in axes(input.array.shape, dim) or () if not input.array.shape[d]]
        if empty:
            raise RuntimeError(f"linalg.vector_norm cannot compute the {p} norm of no elements: "
                               f"shape {tuple(input.shape)}, dim {dim}")
    return into(out, ops.vector_norm(input, p, dim, keepdim))


@method
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The p-norm of ``input - other``."""
    return shown_as("DistBackward0", norm(input - other, p))


def _soft(op: Any) -> Callable[..., Any]:
    def function(input: Any, dim: Any = None, dtype: Any = None, *, _stacklevel: int = 3,
                 out: Any = None) -> Any:
        if dtype is not None:
            input = input.to(dtype)
        if dim is None:
            dim = 0 if input.ndim in (0, 1, 3) else 1  # PyTorch's implicit choice
        d = axis_of(input, dim)
        if input.array.dtype.kind != "f":
            raise NotImplementedError(f'"{op.name}" not implemented for {input.dtype}; convert it '
                                      f'first, as in x.float()')
        if not input.ndim:
            return into(out, ops.reshape(op(ops.reshape(input, (1,)), 0), ()))
        return into(out, op(input, d))
    function.__name__, function.__doc__ = op.name, op.__doc__
    return method(function)


softmax, log_softmax = _soft(ops.softmax), _soft(ops.log_softmax)
