"""Losses of classifiers: cross-entropy and negative log-likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, ops
from minitorch.crossing import limits
from minitorch.nn.functional.checks import check_reduction, need_float
from minitorch.tensor import Tensor


def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None,
                  size_average: bool | None = None, ignore_index: int = -100,
                  reduce: bool | None = None, reduction: str = "mean",
                  label_smoothing: float = 0.0) -> Tensor:
    """``-log softmax(x)[y]`` for logits x (N, C, ...) or (C,), and what is true of them, y.

    ``target``: class indices, int64 (N, ...), or probabilities of the input's shape and a floating
    dtype. ``weight`` (C,): of each class; "mean" then divides by the weights. ``ignore_index``:
    targets that do not count. ``label_smoothing``: the part of each target that is spread evenly
    over the classes (Szegedy et al. 2015). Raises IndexError for a class out of range, ValueError
    for unequal batches, RuntimeError for other shapes and dtypes.

    >>> import minitorch as torch
    >>> logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> torch.nn.functional.cross_entropy(logits, torch.tensor([0, 2]))
    tensor(0.3955)
    """
    reduction = check_reduction(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    need_float("cross_entropy", input)
    if not isinstance(target, engine.Tensor):
        raise TypeError(f"cross_entropy(): argument 'target' must be Tensor, not "
                        f"{type(target).__name__}")
    if target.array.shape == input.array.shape:
        return _soft_targets(input, target, weight, ignore_index, reduction, label_smoothing)
    rows, classes = _as_rows(input, target, weight, ignore_index)
    loss = ops.cross_entropy(rows, classes, weight, ignore_index, reduction, label_smoothing)[0]
    return loss if reduction != "none" or loss.shape == target.shape else loss.view(target.shape)


def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None,
             size_average: bool | None = None, ignore_index: int = -100,
             reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """``-x[y]`` for log-probabilities x (N, C, ...) or (C,) and class indices y (N, ...)."""
    reduction = check_reduction(reduction, size_average, reduce)
    need_float("nll_loss", input)
    if not isinstance(target, engine.Tensor):
        raise TypeError(f"nll_loss(): argument 'target' must be Tensor, not "
                        f"{type(target).__name__}")
    rows, classes = _as_rows(input, target, weight, ignore_index)
    loss = ops.nll_loss(rows, classes, weight, ignore_index, reduction)
    if reduction != "none":
        return loss
    return loss.view(target.shape if input.ndim > 1 else ())


def _as_rows(input: Any, target: Any, weight: Any, ignore_index: int) -> tuple[Any, Any]:
    """Input as (rows, classes) and target as (rows,), once everything about them is checked."""
    x, t = input.array.shape, target.array.shape
    if len(x) != 2 or len(t) != 1 or x[0] != t[0]:
        _check_shapes(x, t)
    classes = x[0] if len(x) == 1 else x[1]
    if target.array.dtype != dtypes.INT64:
        if target.array.dtype != np.uint8:
            raise RuntimeError(f"expected target dtype to be Long or Byte, but got "
                               f"{target.dtype.legacy}: convert it, as in y.long()")
        target = target.long()
    if weight is not None:
        _check_weight(weight, classes, input)
    backend.look(_check_range, target.array, classes, ignore_index)
    if len(x) == 1:
        return input.unsqueeze(0), target.reshape(1)
    if len(x) == 2:
        return input, target
    return input.movedim(1, -1).reshape(-1, classes), target.reshape(-1)


def _check_shapes(x: tuple[int, ...], t: tuple[int, ...]) -> None:
    if not x:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(x) == 1:
        if t not in ((), (1,)):
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: "
                             f"{t[0] if len(t) == 1 else t}")
        return
    if len(x) == 2 and len(t) > 1 and x[0] == t[0]:
        raise RuntimeError(f"0D or 1D target tensor expected, multi-target not supported: input "
                           f"{x} takes a target of shape ({x[0]},), got {t}; use y.squeeze(1) if "
                           f"it has one column")
    if not t or x[0] != t[0]:
        raise ValueError(f"Expected input batch_size ({x[0]}) to match target batch_size "
                         f"({t[0] if t else 1}).")
    wanted = x[:1] + x[2:]
    if t != wanted:
        raise RuntimeError(f"Expected target size {list(wanted)}, got {list(t)}: input {list(x)} "
                           f"has its classes in dimension 1, the target has no such dimension")


def _check_weight(weight: Any, classes: int, input: Any) -> None:
    if weight.array.shape != (classes,):
        raise RuntimeError(f"weight tensor should be defined either for all {classes} classes or "
                           f"no classes but got weight tensor of shape: {list(weight.shape)}")
    if weight.array.dtype != input.array.dtype:
        raise RuntimeError(f"expected scalar type {input.dtype.legacy} but found "
                           f"{weight.dtype.legacy}: weight must have the input's dtype")


def _check_range(t: Any, classes: int, ignore_index: int) -> None:
    # Read as unsigned, a negative index is huge: one pass finds both kinds of wrong ones.
    if t.size and backend.namespace(t).amax(t.view(np.uint64)) >= classes:
        wrong = t[(t != ignore_index) & ((t < 0) | (t >= classes))]
        if wrong.size:
            raise IndexError(f"Target {int(wrong.ravel()[0])} is out of bounds. The input has "
                             f"{classes} classes, 0 to {classes - 1}.")


limits(_check_range, IndexError, lambda classes, ignore_index: (
    0, classes - 1, ignore_index,
    f"Target is out of bounds. The input has {classes} classes, 0 to {classes - 1}."))


def _soft_targets(input: Any, target: Any, weight: Any, ignore_index: int, reduction: str,
                  smoothing: float) -> Tensor:
    """With class probabilities: ``-sum(y * log softmax(x))``; y has a gradient too."""
    if target.array.dtype.kind != "f":
        raise RuntimeError(f"Expected floating point type for target with class probabilities, "
                           f"got {target.dtype.legacy}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if not input.ndim:
        raise RuntimeError("cross_entropy: the input needs a dimension of classes, got shape ()")
    dim = 0 if input.ndim == 1 else 1
    classes = input.shape[dim]
    if weight is not None and weight.array.shape != (classes,):
        raise RuntimeError(f"cross_entropy: weight tensor should be defined either for all "
                           f"{classes} classes or no classes but got weight tensor of shape: "
                           f"{list(weight.shape)}")
    logp = ops.log_softmax(input, dim)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    loss = logp * target
    if weight is not None:
        loss = loss * weight.reshape((-1,) + (1,) * (input.ndim - dim - 1))
    if reduction == "none":
        return -loss.sum(dim)
    total = -loss.sum()
    if reduction == "sum":
        return total
    return total / (input.numel() / max(classes, 1))  # an empty batch gives nan
