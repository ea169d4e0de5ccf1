"""What kernels written by hand replace in operators, by operator and part.

Each of ``CELLS`` takes the forward or rule, and gives a function of the same arguments that
launches a kernel where they fit, and else runs what it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.kernels.cuda import spelled
from minitorch.kernels.cuda.written import (
    batch_norm,
    batch_norm_back,
    cross_entropy,
    cross_entropy_back,
    fit,
    layer_norm,
    layer_norm_back,
    scatter_rows,
    total_weight,
    whole,
)

Array = Any
Cell = Callable[..., Any]


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
            total_weight(target, weight, ignore_index, logp.shape[1], total)
        cross_entropy_back(g, logp, target, weight, ignore_index, smoothing, total, out)
        return out
    return rule


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


def _batch_norm_weight(cell: Cell) -> Cell:
    def rule(xp: Any, g: Array, normed: Array) -> Any:
        if not (fit(g, normed) and g.size):
            return cell(xp, g, normed)
        out = xp.empty(g.shape[1], g.dtype)
        batch_norm_back(g, None, normed, g, None, out, None)
        return out
    return rule


def _batch_norm_bias(cell: Cell) -> Cell:
    def rule(xp: Any, g: Array) -> Any:
        if not (fit(g) and g.size):
            return cell(xp, g)
        out = xp.empty(g.shape[1], g.dtype)
        batch_norm_back(g, None, g, g, None, None, out)
        return out
    return rule


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


CELLS: dict[tuple[str, str], Callable[[Cell], Cell]] = {
    ("cross_entropy", "forward"): _cross_entropy, ("cross_entropy", "x"): _cross_entropy_x,
    ("layer_norm", "forward"): _layer_norm, ("layer_norm", "x"): _layer_norm_x,
    ("batch_norm", "forward"): _batch_norm, ("batch_norm", "x"): _batch_norm_x,
    ("batch_norm", "weight"): _batch_norm_weight, ("batch_norm", "bias"): _batch_norm_bias,
    ("embedding", "weight"): _embedding_weight}
