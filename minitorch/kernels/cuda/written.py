"""The kernels written by hand (``*.cu``): launched on given arrays, and as cells of operators.

The functions that launch take arrays without gaps, of one float dtype, and write into those they
are given last: so a captured graph can make the same launches again. ``None`` stands for an
optional array that is not there. ``CELLS`` holds what they replace in an operator: each takes the
cell, and gives one that launches where arguments fit and else runs the cell as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.kernels.cuda import launch, spelled

Array = Any
Cell = Callable[..., Any]
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
COLUMNS = (32, 8)  # the threads of a block that goes down columns
NOTHING = 0  # a null pointer
CHUNK = 256  # rows that one block sums of a column


@cache
def text(dtype: Any, *names: str) -> str:
    """The files of these names, for ``T`` of a dtype."""
    here = Path(__file__).parent
    return spelled.head(dtype) + "".join((here / f"{name}.cu").read_text() for name in names)


def run(dtype: Any, files: tuple[str, ...], name: str, grid: tuple[int, ...],
        block: tuple[int, ...], *args: Any) -> None:
    """Launch a function; ``args`` may hold None, and floats, which are given as ``T``."""
    number = np.dtype(dtype).type
    launch.launcher.function(text(dtype, *files), name)(grid, block, [
        NOTHING if a is None else number(a) if type(a) is float else a for a in args])


def wide(n: int) -> tuple[int]:
    """The threads of a block for a row of n numbers."""
    return (min(256, -(-n // 32) * 32),)


# -- cross-entropy -----------------------------------------------------------------------------

ENTROPY = ("block", "cross_entropy")


def cross_entropy(x: Array, target: Array, weight: Array | None, ignore: int, smoothing: float,
                  logp: Array, loss: Array, total: Array | None = None,
                  mean: Array | None = None) -> None:
    """The log-softmax of x (n, c) and the loss of each row; where asked for, the sum of losses and
    that of weights in ``total`` (2,), and their ratio.
    """
    n, c = x.shape
    run(x.dtype, ENTROPY, "cross_entropy_rows", (n,), wide(c), x, target, weight, ignore,
        float(smoothing), logp, loss, np.uint32(c))
    if total is not None:
        run(x.dtype, ENTROPY, "cross_entropy_total", (1,), (256,), loss, target, weight, ignore,
            total, mean, np.uint32(n), np.uint32(c))


def cross_entropy_back(g: Array, logp: Array, target: Array, weight: Array | None, ignore: int,
                       smoothing: float, total: Array | None, out: Array) -> None:
    """The cotangent of x, from that of each loss or of their sum or mean: of the mean if there is a
    ``total`` to divide by.
    """
    n, c = logp.shape
    run(logp.dtype, ENTROPY, "cross_entropy_back", (n,), wide(c), g, logp, target, weight, ignore,
        float(smoothing), total, np.int32(g.size == 1 and g.ndim == 0), out, np.uint32(c))


def _cross_entropy(cell: Cell) -> Cell:
    def forward(xp: Any, x: Array, target: Array, weight: Array | None, ignore_index: int,
                reduction: str, smoothing: float) -> Any:
        if not (fit(x, weight) and whole(target) and x.ndim == 2 and x.size):
            return cell(xp, x, target, weight, ignore_index, reduction, smoothing)
        logp, loss = xp.empty(x.shape, x.dtype), xp.empty(target.shape, x.dtype)
        if reduction == "none":
            cross_entropy(x, target, weight, ignore_index, smoothing, logp, loss)
            return loss, logp
        total, mean = xp.empty(2, x.dtype), xp.empty((), x.dtype)
        cross_entropy(x, target, weight, ignore_index, smoothing, logp, loss, total, mean)
        return (mean if reduction == "mean" else total[0]), logp
    return forward


def _cross_entropy_x(cell: Cell) -> Cell:
    def rule(xp: Any, g: Array, logp: Array, target: Array, weight: Array | None,
             ignore_index: int, reduction: str, smoothing: float) -> Any:
        if not (fit(logp, weight, g) and whole(target) and logp.ndim == 2 and logp.size):
            return cell(xp, g, logp, target, weight, ignore_index, reduction, smoothing)
        total, out = None, xp.empty(logp.shape, logp.dtype)
        if reduction == "mean":
            total = xp.empty(2, logp.dtype)
            n, c = logp.shape
            run(logp.dtype, ENTROPY, "cross_entropy_total", (1,), (256,), None, target, weight,
                ignore_index, total, None, np.uint32(n), np.uint32(c))
        cross_entropy_back(g, logp, target, weight, ignore_index, smoothing, total, out)
        return out
    return rule


# -- normalisation -----------------------------------------------------------------------------

NORM = ("block", "norm")


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float, m: int,
               out: Array, normed: Array, invstd: Array) -> None:
    """Rows of m numbers normalised; what ``ops.layer_norm`` gives."""
    run(x.dtype, NORM, "layer_norm", (x.size // m,), wide(m), x, weight, bias, float(eps), out,
        normed, invstd, np.uint32(m))


def layer_norm_back(g: Array, weight: Array | None, normed: Array, invstd: Array, m: int,
                    out: Array) -> None:
    run(g.dtype, NORM, "layer_norm_back", (g.size // m,), wide(m), g, weight, normed, invstd, out,
        np.uint32(m))


def batch_norm(x: Array, weight: Array | None, bias: Array | None, eps: float, out: Array,
               normed: Array, invstd: Array, mean: Array, var: Array) -> None:
    """Channels of x (n, c, ...) normalised by their own statistics; what ``ops.batch_norm`` gives
    in training."""
    grid, sizes = channels(x)
    run(x.dtype, NORM, "batch_norm", grid, COLUMNS, x, weight, bias, float(eps), out, normed,
        invstd, mean, var, *sizes)


def batch_norm_back(g: Array, weight: Array | None, normed: Array, invstd: Array,
                    of_x: Array | None, of_weight: Array | None, of_bias: Array | None) -> None:
    """The cotangents of x, weight and bias, those that are asked for, in training."""
    grid, sizes = channels(g)
    run(g.dtype, NORM, "batch_norm_back", grid, COLUMNS, g, weight, normed, invstd, of_x,
        of_weight, of_bias, *sizes)


def channels(x: Array) -> tuple[tuple[int], list[np.uint32]]:
    """The blocks for x (n, c, ...), and its sizes (n, c, l)."""
    n, c = x.shape[:2]
    rest = x.size // (n * c)
    return (-(-c // 32) if rest == 1 else c,), [np.uint32(k) for k in (n, c, rest)]


def _layer_norm(cell: Cell) -> Cell:
    def forward(xp: Any, x: Array, weight: Array | None, bias: Array | None, dims: int,
                eps: float) -> Any:
        if not (fit(x, weight, bias) and x.size):
            return cell(xp, x, weight, bias, dims, eps)
        lead, m = x.shape[:x.ndim - dims], x.size
        for k in lead:
            m //= k
        out, normed = xp.empty(x.shape, x.dtype), xp.empty(x.shape, x.dtype)
        invstd = xp.empty((*lead, *[1] * dims), x.dtype)
        layer_norm(x, weight, bias, eps, m, out, normed, invstd)
        return out, normed, invstd
    return forward


def _layer_norm_x(cell: Cell) -> Cell:
    def rule(xp: Any, g: Array, weight: Array | None, normed: Array, invstd: Array,
             dims: int) -> Any:
        if not (fit(g, weight, normed, invstd) and g.size):
            return cell(xp, g, weight, normed, invstd, dims)
        out = xp.empty(g.shape, g.dtype)
        layer_norm_back(g, weight, normed, invstd, g.size // invstd.size, out)
        return out
    return rule


def _batch_norm(cell: Cell) -> Cell:
    def forward(xp: Any, x: Array, weight: Array | None, bias: Array | None, running_mean: Any,
                running_var: Any, training: bool, eps: float) -> Any:
        if not (training and fit(x, weight, bias) and x.size and x.ndim > 1):
            return cell(xp, x, weight, bias, running_mean, running_var, training, eps)
        out, normed = xp.empty(x.shape, x.dtype), xp.empty(x.shape, x.dtype)
        invstd, mean, var = (xp.empty(x.shape[1], x.dtype) for _ in range(3))
        batch_norm(x, weight, bias, eps, out, normed, invstd, mean, var)
        return out, normed, invstd, mean, var
    return forward


def _batch_norm_x(cell: Cell) -> Cell:
    def rule(xp: Any, g: Array, weight: Array | None, normed: Array, invstd: Array,
             training: bool) -> Any:
        if not (training and fit(g, weight, normed, invstd) and g.size):
            return cell(xp, g, weight, normed, invstd, training)
        out = xp.empty(g.shape, g.dtype)
        batch_norm_back(g, weight, normed, invstd, out, None, None)
        return out
    return rule


# -- sums, tables, dropout ---------------------------------------------------------------------

def columns(x: Array, out: Array, parts: Array | None = None) -> None:
    """The sums of the columns of x (n, m); ``parts`` (k, m) is room for those of n / k rows each,
    where a column is long.
    """
    n, m = x.shape
    grid = -(-m // 32)
    if parts is not None:
        run(x.dtype, ("columns",), "columns", (grid, len(parts)), COLUMNS, x, parts, np.uint32(n),
            np.uint32(m))
        x, n = parts, len(parts)
    run(x.dtype, ("columns",), "columns", (grid, 1), COLUMNS, x, out, np.uint32(n), np.uint32(m))


def column_sums(xp: Any, x: Array) -> Array:
    """The sums of the columns, in new memory."""
    n, m = x.shape
    out = xp.empty(m, x.dtype)
    columns(x, out, xp.empty((-(-n // CHUNK), m), x.dtype) if n > 4 * CHUNK else None)
    return out


def scatter_rows(g: Array, index: Array, out: Array) -> None:
    """``out[index] += g`` for rows of the table ``out`` (v, m), each as often as it is named."""
    v, m = out.shape
    run(g.dtype, ("embedding",), "scatter_rows", spelled.grid(g.size), (spelled.THREADS,), g, index,
        out, np.uint32(index.size), np.uint32(m), v)


def _embedding_weight(cell: Cell) -> Cell:
    def rule(xp: Any, g: Array, weight_shape: tuple[int, ...], index: Array, padding_idx: Any,
             scale_grad_by_freq: bool, sparse: bool) -> Any:
        if (scale_grad_by_freq or sparse or not fit(g) or not whole(index) or not g.size
                or g.size >= spelled.LIMIT):
            return cell(xp, g, weight_shape, index, padding_idx, scale_grad_by_freq, sparse)
        out = xp.zeros(weight_shape, g.dtype)
        scatter_rows(g, index, out)
        if padding_idx is not None:
            out[padding_idx] = 0
        return out
    return rule


def dropout(x: Array, state: Array, stream: int, p: float, out: Array) -> None:
    """``x / (1 - p)`` where a number drawn for the element is below ``1 - p``, else 0.

    ``state``: uint64 on the GPU, a seed and how many counters are used up. The same state and
    ``stream`` draw the same numbers: so this is its own backward pass, on the cotangent.
    """
    kept = np.uint64(round((1 - p) * 2 ** 32))
    scale = float(x.dtype.type(1) / x.dtype.type(1 - p)) if p < 1 else 0.0
    run(x.dtype, ("dropout",), "dropout", spelled.grid(-(-x.size // 4)), (spelled.THREADS,), x, out,
        state, np.uint32(stream), kept, scale, np.uint32(x.size))


def used(state: Array, n: int) -> None:
    """Use up the counters of n elements, after the last that drew with ``state``."""
    run(np.float32, ("dropout",), "used", (1,), (1,), state, np.uint64(-(-n // 4)))


# -- what fits ---------------------------------------------------------------------------------

def fit(x: Array, *others: Array | None) -> bool:
    """Whether all are arrays of a GPU, of one float dtype that is computed in, without gaps."""
    there: Any = launch.launcher.ndarray
    return x.dtype in FLOATS and x.size < spelled.LIMIT and all(
        a is None or (type(a) is there and a.dtype == x.dtype and a.flags.c_contiguous)
        for a in (x, *others))


def whole(index: Array) -> bool:
    """Whether an array of a GPU holds 64-bit integers, without gaps."""
    there: Any = launch.launcher.ndarray
    return type(index) is there and index.dtype == np.int64 and index.flags.c_contiguous


CELLS: dict[tuple[str, str], Callable[[Cell], Cell]] = {
    ("cross_entropy", "forward"): _cross_entropy, ("cross_entropy", "x"): _cross_entropy_x,
    ("layer_norm", "forward"): _layer_norm, ("layer_norm", "x"): _layer_norm_x,
    ("batch_norm", "forward"): _batch_norm, ("batch_norm", "x"): _batch_norm_x,
    ("embedding", "weight"): _embedding_weight}
