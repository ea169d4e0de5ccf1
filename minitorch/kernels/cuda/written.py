"""The kernels written by hand (``*.cu``), launched on given arrays.

The functions take arrays without gaps, of one float dtype, and write into those they are given
last: so a captured graph can make the same launches again. ``None`` stands for an optional array
that is not there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.kernels.cuda import launch, spelled

Array = Any
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
COLUMNS = (32, 8)  # the threads of a block that goes down columns
NOTHING = 0  # a null pointer
CHUNK = 256  # rows, about, that one block sums of a column


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


def total_weight(target: Array, weight: Array | None, ignore: int, c: int, total: Array) -> None:
    """``total[1]``: the sum of the weights of c classes over the targets, as for a mean."""
    run(total.dtype, ENTROPY, "cross_entropy_total", (1,), (256,), None, target, weight, ignore,
        total, None, np.uint32(target.size), np.uint32(c))


def cross_entropy_back(g: Array, logp: Array, target: Array, weight: Array | None, ignore: int,
                       smoothing: float, total: Array | None, out: Array) -> None:
    """The cotangent of x, from that of each loss or of their sum or mean: of the mean if there is a
    ``total`` to divide by.
    """
    n, c = logp.shape
    run(logp.dtype, ENTROPY, "cross_entropy_back", (n,), wide(c), g, logp, target, weight, ignore,
        float(smoothing), total, np.int32(g.size == 1 and g.ndim == 0), out, np.uint32(c))


# -- normalisation -----------------------------------------------------------------------------

NORM = ("block", "norm")


def layer_norm(x: Array, weight: Array | None, bias: Array | None, eps: float, m: int,
               out: Array, normed: Array, invstd: Array) -> None:
    """Rows of m numbers normalised; what ``ops.layer_norm`` gives."""
    run(x.dtype, NORM, "layer_norm", (x.size // m,), wide(m), x, weight, bias, float(eps), out,
        normed, invstd, np.uint32(m))


def layer_norm_back(g: Array, weight: Array | None, normed: Array, invstd: Array, m: int,
                    out: Array) -> None:
    """The cotangent of x."""
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
    """The cotangents of x (in training), weight and bias: of those that are asked for.

    ``weight`` and ``invstd`` are read for that of x alone, ``normed`` not for that of the bias.
    """
    grid, sizes = channels(g)
    run(g.dtype, NORM, "batch_norm_back", grid, COLUMNS, g, weight, normed, invstd, of_x,
        of_weight, of_bias, *sizes)


def channels(x: Array) -> tuple[tuple[int], list[np.uint32]]:
    """The blocks for x (n, c, ...), and its sizes (n, c, l)."""
    n, c = x.shape[:2]
    rest = x.size // (n * c)
    return (-(-c // 32) if rest == 1 else c,), [np.uint32(k) for k in (n, c, rest)]


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
    parts = min(-(-n // CHUNK), 1024)
    columns(x, out, xp.empty((parts, m), x.dtype) if parts > 4 else None)
    return out


def scatter_rows(g: Array, index: Array, out: Array) -> None:
    """``out[index] += g`` for rows of the table ``out`` (v, m), each as often as it is named."""
    v, m = out.shape
    run(g.dtype, ("embedding",), "scatter_rows", spelled.grid(g.size), (spelled.THREADS,), g, index,
        out, np.uint32(index.size), np.uint32(m), v)


def dropout(x: Array, state: Array, p: float, out: Array) -> None:
    """``x / (1 - p)`` where a number drawn for the element is below ``1 - p``, else 0.

    ``state``: uint64 on the GPU, a seed and how many counters were used up before. The same state
    draws the same numbers: so this is its own backward pass, on the cotangent.
    """
    kept = np.uint64(round((1 - p) * 2 ** 32))
    scale = float(x.dtype.type(1) / x.dtype.type(1 - p)) if p < 1 else 0.0
    run(x.dtype, ("dropout",), "dropout", spelled.grid(-(-x.size // 4)), (spelled.THREADS,), x, out,
        state, kept, scale, np.uint32(x.size))


def take(generator: Array, n: int, state: Array) -> None:
    """Let ``state`` be what the generator's is, which moves on by the counters of n elements."""
    run(np.float32, ("dropout",), "take", (1,), (1,), generator, state, np.uint64(-(-n // 4)))


# -- what fits ---------------------------------------------------------------------------------

def fit(x: Array, *others: Array | None) -> bool:
    """Whether all are arrays of a GPU, of one float dtype that is computed in, without gaps."""
    there: Any = launch.launcher.ndarray
    return type(x) is there and x.dtype in FLOATS and x.size < spelled.LIMIT and all(
        a is None or (type(a) is there and a.dtype == x.dtype and a.flags.c_contiguous)
        for a in (x, *others))


def whole(index: Array) -> bool:
    """Whether an array of a GPU holds 64-bit integers, without gaps."""
    there: Any = launch.launcher.ndarray
    return type(index) is there and index.dtype == np.int64 and index.flags.c_contiguous


