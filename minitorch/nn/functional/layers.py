"""Layers as functions: linear maps, dropout, normalisation, lookup, similarity."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from minitorch import backend, ops
from minitorch.crossing import item, limits
from minitorch.engine import wrap
from minitorch.functions import into, norm
from minitorch.inplace import assign, check_writable, wrote
from minitorch.modes import no_grad
from minitorch.nn.functional.checks import broadcast_shape, need_float
from minitorch.random import default_generator
from minitorch.tensor import Size, Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *,
           out: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias``: input (..., in), weight (out, in), bias (out,).

    Raises RuntimeError where shapes or dtypes do not fit.
    """
    w = weight.array
    if w.ndim != 2:
        if w.ndim != 1 or bias is not None:
            raise RuntimeError(f"linear: weight must be a matrix (out, in), got shape {w.shape}")
        return into(out, ops.matmul(input, weight))
    if bias is not None:
        b = bias.array
        if b.dtype != w.dtype:
            raise RuntimeError(f"linear: weight and bias must have the same dtype, but got "
                               f"{w.dtype} and {b.dtype}")
        if b.shape != w.shape[:1] and b.size != 1:
            raise RuntimeError(f"linear: bias must have shape ({w.shape[0]},), one for each row "
                               f"of the weight {w.shape}, got {b.shape}")
    y = ops.linear(input, weight, bias)
    return y if out is None else into(out, y)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x1 @ weight[k] @ x2 + bias[k]`` for each k: weight (out, in1, in2)."""
    sizes = (*input1.shape[-1:], *input2.shape[-1:])
    if weight.ndim != 3 or tuple(weight.shape[1:]) != sizes:
        raise RuntimeError(f"bilinear(): the inputs have {sizes} features, which does not fit a "
                           f"weight (out, in1, in2) of shape {tuple(weight.shape)}")
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(f"bilinear(): input batch dimensions do not match: got "
                           f"{tuple(input1.shape)} and {tuple(input2.shape)}")
    out = ops.einsum("...i,kij,...j->...k", input1, weight, input2)
    return out if bias is None else out + bias


# -- dropout ---------------------------------------------------------------------------------

def _prepare_dropout(input: Any, p: float, training: bool, inplace: bool) -> bool:
    """Check the arguments; whether anything is to be dropped."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0 or not input.array.size:
        return False
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"dropout: the input must be floating, not {input.dtype}; convert it, "
                           f"as in x.float()")
    if inplace:
        check_writable(input)
    return True


def _kept(x: Any, p: float) -> Any:
    """A bool mask, True with probability ``1 - p``: PyTorch's draws from the default stream."""
    shape, strides = x.array.shape, x.array.strides
    if x.array.flags.c_contiguous or 0 in strides:
        mask = default_generator.bernoulli(shape, 1 - p)
    else:  # drawn in the order of memory: that of a transposed input is another
        order = sorted(range(len(shape)), key=lambda i: -strides[i])
        drawn = default_generator.bernoulli(tuple([shape[i] for i in order]), 1 - p)
        mask = drawn.transpose(np.argsort(order))
    return mask if isinstance(x.array, np.ndarray) else backend.move(mask, x.device)


def dropout_there(input: Tensor, p: float) -> Tensor | None:
    """Dropout on a GPU, where a kernel takes it: ``cuda.dropout``, which stands on a floor above,
    puts its own here.
    """
    return None


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, each element zeroed with probability ``p``, the others times ``1 / (1 - p)``.

    Srivastava et al. (2014). On a CPU the mask is PyTorch's for the same ``manual_seed``; a GPU
    draws its own, and never stores it.
    """
    if not _prepare_dropout(input, p, training, inplace):
        return input
    if p == 1:
        out = ops.multiply(input, 0.0)
    elif input.is_cuda and (dropped := dropout_there(input, p)) is not None:
        out = dropped
    else:
        dtype = input.array.dtype.type
        out = ops.masked_scale(input, _kept(input, p), float(dtype(1) / dtype(1 - p)))
    return assign(input, out) if inplace else out


_ALPHA = 1.7580993408473766  # what SELU tends to far below 0, with its sign changed


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False,
                  inplace: bool = False) -> Tensor:
    """Dropout for SELU networks: mean and variance are kept (Klambauer et al. 2017).

    Elements are set to SELU's limit ``-1.758...`` with probability ``p``, then all are shifted
    and scaled.
    """
    if not _prepare_dropout(input, p, training, inplace):
        return input
    if p == 1:
        out = ops.multiply(input, 0.0)
    else:
        scale = 1 / sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
        mask = _kept(input, p)
        shift = mask.astype(input.array.dtype)
        shift -= 1
        shift *= _ALPHA * scale
        shift += _ALPHA * scale * p
        out = ops.add(ops.masked_scale(input, mask, scale), wrap(shift))
    return assign(input, out) if inplace else out


# -- normalisation ---------------------------------------------------------------------------

def _check_batch_size(shape: Sequence[int]) -> None:
    """Raise ValueError for one value per channel: its variance says nothing."""
    n = shape[0]
    for k in shape[2:]:
        n *= k
    if n == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size "
                         f"{Size(shape)}")


def _check_norm(name: str, input: Any, shape: tuple[int, ...], **given: Any) -> None:
    """Parameters and statistics must have the given shape and the input's dtype."""
    need_float(name, input)
    dtype = input.array.dtype
    for what, t in given.items():
        if t is None:
            continue
        if t.array.shape != shape:
            raise RuntimeError(f"{what} should contain {shape[0]} elements not {t.numel()}"
                               if name == "batch_norm" else
                               f"Expected {what} to be of same shape as normalized_shape, but got "
                               f"{what} of shape {list(t.shape)} and normalized_shape = "
                               f"{list(shape)}")
        if t.array.dtype != dtype and dtype != np.float16:
            raise RuntimeError(f"{name}: mixed dtype: the input is {input.dtype}, {what} is "
                               f"{t.dtype}; convert one")


def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None,
               weight: Tensor | None = None, bias: Tensor | None = None, training: bool = False,
               momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel (Ioffe & Szegedy 2015).

    input (N, C, ...). In training the batch's mean and biased variance are used, and the running
    ones move towards the batch's mean and *unbiased* variance by ``momentum``. Raises ValueError
    for one value per channel in training.
    """
    x = input.array
    if training:
        _check_batch_size(x.shape)
        if eps <= 0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
        if (running_mean is None) != (running_var is None):
            raise ValueError("running_mean and running_var must either both be None or neither be "
                             "None")
    elif eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    elif running_mean is None or running_var is None:
        raise RuntimeError("running_mean must be defined in evaluation mode")
    _check_norm("batch_norm", input, x.shape[1:2] or (0,), running_mean=running_mean,
                running_var=running_var, weight=weight, bias=bias)
    if not training:
        return ops.batch_norm(input, weight, bias, running_mean, running_var, False, eps)[0]
    out, _, _, mean, var = ops.batch_norm(input, weight, bias, None, None, True, eps)
    if running_mean is not None and x.size:
        n = x.size // mean.size
        _move(running_mean, mean, momentum)
        _move(running_var, var * (n / (n - 1)), momentum)
    return out


def _move(running: Any, new: Any, momentum: float) -> None:
    """A running statistic, in place and unrecorded."""
    array = running.array
    array *= 1 - momentum
    array += momentum * new
    wrote(running)


def layer_norm(input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None,
               bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """Each sample normalised over its last dimensions ``normalized_shape`` (Ba et al. 2016)."""
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeError("Expected normalized_shape to be at least 1-dimensional, i.e., "
                           "containing at least one element, but got normalized_shape = []")
    _check_norm("layer_norm", input, shape, weight=weight, bias=bias)
    if input.array.shape[-len(shape):] != shape:
        raise RuntimeError(f"Given normalized_shape={list(shape)}, expected input with shape "
                           f"[*, {', '.join(map(str, shape))}], but got input of size"
                           f"{list(input.shape)}")
    return ops.layer_norm(input, weight, bias, len(shape), eps)[0]


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12,
              out: Tensor | None = None) -> Tensor:
    """``x / max(norm, eps)`` with the p-norm along ``dim``."""
    return into(out, input / norm(input, p, dim, True).clamp_min(eps))


# -- lookup ----------------------------------------------------------------------------------

def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None,
              max_norm: float | None = None, norm_type: float = 2.0,
              scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor:
    """Rows of ``weight`` (n, features) picked by integers of any shape: (..., features).

    ``padding_idx``: a row that gets no gradient. ``max_norm``: longer rows that are picked are
    first shortened, in place. ``scale_grad_by_freq``: the gradient of a row is divided by how
    often it was picked. ``sparse``: the gradient of ``weight`` is a sparse tensor, with an entry
    for each index. Raises IndexError for an index out of range.

    >>> import minitorch as torch
    >>> weight = torch.zeros(1000, 2, requires_grad=True)
    >>> rows = torch.nn.functional.embedding(torch.tensor([7, 3]), weight, sparse=True)
    >>> rows.sum().backward()
    >>> weight.grad
    tensor(indices=tensor([[7, 3]]),
           values=tensor([[1., 1.],
                          [1., 1.]]),
           size=(1000, 2), nnz=2, layout=torch.sparse_coo)
    """
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got shape {tuple(weight.shape)}")
    n = len(weight)
    if padding_idx is not None:
        if not -n <= padding_idx < n:
            raise AssertionError(f"Padding_idx must be within num_embeddings: {padding_idx} for "
                                 f"{n} rows")
        padding_idx %= n
    if input.array.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"Expected tensor for argument #1 'indices' to have one of the "
                           f"following scalar types: Long, Int; but got {input.dtype} instead "
                           f"(while checking arguments for embedding)")
    if max_norm is not None:
        with no_grad():
            _shorten(weight, ops.embedding(weight, input, None), input, max_norm, norm_type)
    return ops.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


def _shorten(weight: Any, rows: Any, index: Any, max_norm: float, norm_type: float) -> None:
    lengths = norm(rows, norm_type, -1, True).array
    xp = backend.namespace(lengths)
    scale = xp.where(lengths > max_norm, max_norm / (lengths + 1e-7), 1.0)
    weight.array[index.array] = (rows.array * scale).astype(weight.array.dtype)
    wrote(weight)


def _check_classes(index: Any, n: int) -> None:
    if index.min() < 0:
        raise RuntimeError(f"Class values must be non-negative, got {index.min()}.")
    if index.max() >= n:
        raise RuntimeError(f"Class values must be smaller than num_classes: {index.max()} for {n} "
                           f"classes.")


limits(_check_classes, RuntimeError, lambda n: (
    0, n - 1, None, f"Class values must be non-negative and smaller than num_classes: {n}."))


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Integers (...) as rows of zeros with a single 1: (..., num_classes), int64.

    >>> import minitorch as torch
    >>> torch.nn.functional.one_hot(torch.tensor([1, 0, 2]))
    tensor([[0, 1, 0],
            [1, 0, 0],
            [0, 0, 1]])
    """
    index = tensor.array
    if index.dtype != np.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got "
                           f"{tensor.dtype}")
    if not index.size:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    elif num_classes == -1:
        backend.look(_check_classes, index, 2**53)
        num_classes = int(item(index.max())) + 1
    else:
        backend.look(_check_classes, index, num_classes)
    xp = backend.namespace(index)
    return wrap((index[..., None] == xp.arange(num_classes)).astype(np.int64))


# -- similarity ------------------------------------------------------------------------------

def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``x1 . x2 / (max(|x1|, eps) * max(|x2|, eps))`` along ``dim``.

    Its gradient is, as PyTorch's, that of a norm also where ``eps`` stands in for the norm.
    """
    if x1.array.dtype.kind != "f" and x2.array.dtype.kind != "f":
        raise RuntimeError(f"expected common dtype to be floating point, yet the inputs are "
                           f"{x1.dtype} and {x2.dtype}")
    shape = broadcast_shape(x1.shape, x2.shape)
    units = []
    for x in (x1.expand(shape), x2.expand(shape)):
        n = norm(x, 2.0, dim, True)
        raised = ops.maximum(n.detach(), eps) - n.detach()  # no constant: n's derivative stays
        units.append(x / (n + raised))
    return (units[0] * units[1]).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6,
                      keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension."""
    return norm(ops.add(ops.subtract(x1, x2), eps), p, -1, keepdim)
