"""Activations as functions: PyTorch's arguments around the operators of ``ops.activation``."""

from __future__ import annotations

import warnings
from typing import Any

from minitorch import ops
from minitorch.functions import into
from minitorch.functions import log_softmax as _log_softmax
from minitorch.functions import softmax as _softmax
from minitorch.inplace import inplace as _in_place
from minitorch.nn.functional.checks import need_float
from minitorch.tensor import Tensor

relu_, elu_, selu_, celu_ = map(_in_place, (ops.relu, ops.elu, ops.selu, ops.celu))
leaky_relu_, hardtanh_, silu_ = map(_in_place, (ops.leaky_relu, ops.hardtanh, ops.silu))


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``, elementwise."""
    return ops.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """``(exp(x) - exp(-x)) / (exp(x) + exp(-x))``, elementwise."""
    return ops.tanh(input)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``, elementwise."""
    return relu_(input) if inplace else ops.relu(input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0,
             inplace: bool = False) -> Tensor:
    """``x`` limited to ``[min_val, max_val]``, elementwise."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val: {min_val} > {max_val}")
    return (hardtanh_ if inplace else ops.hardtanh)(input, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x, 0), 6)``, elementwise."""
    return (hardtanh_ if inplace else ops.hardtanh)(input, 0, 6)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` above 0, ``negative_slope * x`` below, elementwise."""
    need_float("leaky_relu", input)
    return (leaky_relu_ if inplace else ops.leaky_relu)(input, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``leaky_relu`` with a slope to be learnt: one, or one per channel (dimension 1).

    He et al. (2015). Raises RuntimeError unless ``weight`` has 1 or as many elements as channels.
    """
    need_float("prelu", input)
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = "
                           f"{weight.ndim}")
    if weight.numel() != 1:
        if not input.ndim:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.numel() != channels:
            raise RuntimeError(f"Mismatch of parameter numbers and input channel size. Found "
                               f"parameter numbers = {weight.numel()} and channel size = "
                               f"{channels}.")
        weight = weight.reshape((-1,) + (1,) * (input.ndim - 2))
    elif weight.ndim:
        weight = weight.reshape(())
    return ops.where(input > 0, input, weight * input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below (Clevert et al. 2015)."""
    need_float("elu", input)
    return (elu_ if inplace else ops.elu)(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """ELU scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    need_float("selu", input)
    return (selu_ if inplace else ops.selu)(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` above 0, ``alpha * (exp(x / alpha) - 1)`` below (Barron 2017)."""
    need_float("celu", input)
    return (celu_ if inplace else ops.celu)(input, alpha)


def gelu(input: Tensor, approximate: str = "none", *, out: Tensor | None = None) -> Tensor:
    """``x * P(standard normal <= x)``, exact or by "tanh" (Hendrycks & Gimpel 2016)."""
    need_float("gelu", input)
    return into(out, ops.gelu(input, approximate))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``, elementwise (Elfwing et al. 2017)."""
    need_float("silu", input)
    return (silu_ if inplace else ops.silu)(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0, *,
             out: Tensor | None = None) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``; ``x`` itself where ``beta * x > threshold``."""
    need_float("softplus", input)
    return into(out, ops.softplus(input, beta, threshold))


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``, elementwise."""
    return ops.divide(input, ops.add(ops.abs(input), 1))


def logsigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(sigmoid(x))``, without overflow."""
    need_float("logsigmoid", input)
    return into(out, ops.logsigmoid(input))


def _dim(name: str, dim: int | None, input: Tensor, stacklevel: int, dtype: Any) -> int:
    if dtype is None:
        need_float(name, input)
    if dim is not None:
        return dim
    warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to "
                  f"include dim=X as an argument.", stacklevel=stacklevel + 1)
    return 0 if input.ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3,
            dtype: Any = None) -> Tensor:
    """``exp(x) / sum(exp(x))`` along ``dim``: positive numbers that sum to 1.

    >>> import minitorch as torch
    >>> torch.nn.functional.softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _softmax(input, _dim("softmax", dim, input, _stacklevel, dtype), dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3,
                dtype: Any = None) -> Tensor:
    """``log(softmax(x))`` along ``dim``, without overflow."""
    return _log_softmax(input, _dim("log_softmax", dim, input, _stacklevel, dtype), dtype)
