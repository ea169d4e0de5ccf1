"""Losses that compare input and target element by element."""

from __future__ import annotations

import warnings
from typing import Any

from minitorch import engine, ops
from minitorch.nn.functional.checks import broadcast_shape, check_reduction, need_float
from minitorch.tensor import Tensor


def _check_pair(name: str, input: Any, target: Any, warn: bool = True) -> None:
    """Types and shapes of a loss's two sides, before anything is computed."""
    for what, t in (("input", input), ("target", target)):
        if not isinstance(t, engine.Tensor):
            raise TypeError(f"{name}(): argument '{what}' must be Tensor, not {type(t).__name__}")
    a, b = input.array.shape, target.array.shape
    if input.array.dtype.kind != "f" and target.array.dtype.kind != "f":
        need_float(name, input)
    if a == b:
        return
    column = "input" if len(a) == 2 and a == b + (1,) else (
        "target" if len(b) == 2 and b == a + (1,) else None)
    if column:
        raise ValueError(
            f"{name}: input of shape {a} against target of shape {b} would broadcast to "
            f"{broadcast_shape(a, b)}, every element with every other, which is almost never "
            f"meant. Make the shapes equal, as in {column}.squeeze(1).")
    if warn:
        warnings.warn(f"Using a target size ({target.shape}) that is different to the input size "
                      f"({input.shape}). This will likely lead to incorrect results due to "
                      f"broadcasting. Please ensure they have the same size.", stacklevel=3)
    broadcast_shape(a, b)


def _weighted(loss: Any, weight: Any, input: Any, reduction: str, by_weight: bool) -> Tensor:
    """Elementwise losses times weights, reduced; "mean" divides by the weights or the count."""
    if weight.shape != input.shape:
        raise ValueError(f"Weights and input must have the same size: {tuple(weight.shape)} and "
                         f"{tuple(input.shape)}")
    loss = loss("none") * weight
    if reduction == "none":
        return loss
    total = loss.sum()
    return (total if reduction == "sum" else total / weight.sum() if by_weight
            else total / loss.numel())


def mse_loss(input: Tensor, target: Tensor, size_average: bool | None = None,
             reduce: bool | None = None, reduction: str = "mean",
             weight: Tensor | None = None) -> Tensor:
    """``(x - y)**2``, averaged ("mean"), summed ("sum") or elementwise ("none").

    Raises ValueError for (N, 1) against (N,); other shapes that broadcast give a warning.

    >>> import minitorch as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = check_reduction(reduction, size_average, reduce)
    _check_pair("mse_loss", input, target)
    if weight is not None:
        return _weighted(lambda r: ops.mse_loss(input, target, r), weight, input, reduction, True)
    return ops.mse_loss(input, target, reduction)


def l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None,
            reduce: bool | None = None, reduction: str = "mean",
            weight: Tensor | None = None) -> Tensor:
    """``|x - y|``, reduced; shapes as for ``mse_loss``."""
    reduction = check_reduction(reduction, size_average, reduce)
    _check_pair("l1_loss", input, target)
    if weight is not None:
        return _weighted(lambda r: ops.l1_loss(input, target, r), weight, input, reduction, True)
    return ops.l1_loss(input, target, reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None,
                   reduce: bool | None = None, reduction: str = "mean",
                   beta: float = 1.0) -> Tensor:
    """``d*d / (2 beta)`` where ``d = |x - y| < beta``, else ``d - beta / 2``; reduced."""
    reduction = check_reduction(reduction, size_average, reduce)
    _check_pair("smooth_l1_loss", input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta: {beta}")
    if beta == 0:
        return ops.l1_loss(input, target, reduction)
    return ops.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
               weight: Tensor | None = None) -> Tensor:
    """``d*d / 2`` where ``d = |x - y| <= delta``, else ``delta * (d - delta/2)`` (Huber 1964)."""
    reduction = check_reduction(reduction)
    _check_pair("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta: {delta}")
    if weight is not None:
        return _weighted(lambda r: ops.huber_loss(input, target, r, delta), weight, input,
                         reduction, False)
    return ops.huber_loss(input, target, reduction, delta)


def kl_div(input: Tensor, target: Tensor, size_average: bool | None = None,
           reduce: bool | None = None, reduction: str = "mean",
           log_target: bool = False) -> Tensor:
    """``y * (log y - x)``: how far distribution ``y`` is from the log-probabilities ``x``.

    Kullback & Leibler (1951) sum over the classes and average over samples: that is "batchmean";
    "mean" divides by the number of elements and warns. ``log_target``: y is a logarithm too.
    """
    batchmean = reduction == "batchmean" and size_average is None and reduce is None
    wanted = "sum" if batchmean else check_reduction(reduction, size_average, reduce)
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn("reduction: 'mean' divides the total loss by both the batch size and the "
                      "support size.'batchmean' divides only by the batch size, and aligns with "
                      "the KL div math definition.'mean' will be changed to behave the same as "
                      "'batchmean' in the next major release.", stacklevel=2)
    _check_pair("kl_div", input, target, warn=False)
    if input.array.dtype.kind != "f" or target.array.dtype.kind != "f":
        raise RuntimeError(f"kl_div: Integral inputs not supported: {input.dtype}, {target.dtype}")
    out = ops.kl_div(input, target, wanted, log_target)
    return out / input.shape[0] if batchmean and input.ndim else out


def _check_weight(name: str, weight: Any, shape: tuple[int, ...]) -> None:
    if weight is not None and broadcast_shape(shape, weight.shape) != shape:
        raise RuntimeError(f"{name}: output with shape {list(shape)} doesn't match the broadcast "
                           f"shape {list(broadcast_shape(shape, weight.shape))}: a weight has "
                           f"shape {tuple(weight.shape)}")


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None,
                         size_average: bool | None = None, reduce: bool | None = None,
                         reduction: str = "mean") -> Tensor:
    """``-(y log x + (1 - y) log(1 - x))`` for probabilities ``x``; logarithms are cut at -100.

    Raises ValueError for different shapes, RuntimeError for ``x`` outside [0, 1].
    """
    reduction = check_reduction(reduction, size_average, reduce)
    need_float("binary_cross_entropy", input)
    a, b = input.array, target.array
    if a.shape != b.shape:
        raise ValueError(f"Using a target size ({target.shape}) that is different to the input "
                         f"size ({input.shape}) is deprecated. Please ensure they have the same "
                         f"size.")
    if a.dtype != b.dtype:
        raise RuntimeError(f"Found dtype {target.dtype.legacy} but expected {input.dtype.legacy}: "
                           f"convert the target, as in y.float()")
    if weight is not None:
        _check_weight("binary_cross_entropy", weight, a.shape)
        weight = weight.to(input.dtype)
    return ops.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None,
                                     size_average: bool | None = None, reduce: bool | None = None,
                                     reduction: str = "mean",
                                     pos_weight: Tensor | None = None) -> Tensor:
    """``binary_cross_entropy`` of ``sigmoid(x)``, without overflow.

    ``weight`` scales every loss, ``pos_weight`` only the ``y log`` part; both broadcast. Raises
    ValueError for different shapes.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    a, b = input.array, target.array
    if a.shape != b.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size "
                         f"({input.shape})")
    if b.dtype.kind != "f":
        raise RuntimeError(f"result type Float can't be cast to the desired output type "
                           f"{target.dtype.legacy}: convert the target, as in y.float()")
    _check_weight("binary_cross_entropy_with_logits", weight, a.shape)
    _check_weight("binary_cross_entropy_with_logits", pos_weight, a.shape)
    return ops.bce_with_logits(input, target, weight, pos_weight, reduction)
