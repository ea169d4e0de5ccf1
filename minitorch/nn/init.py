"""Initial values for parameters: PyTorch's schemes, with PyTorch's random numbers.

Each function writes into the tensor, unrecorded, and returns it. ``fan_in`` and ``fan_out`` count
the inputs and outputs of one unit: the columns and rows of a weight (out, in).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.inplace import wrote
from minitorch.modes import no_grad
from minitorch.random import Generator, default_generator
from minitorch.tensor import Tensor


def _write(tensor: Any, values: Any) -> Any:
    """New values, unrecorded but counted as a write."""
    if not isinstance(tensor.array, np.ndarray):
        values = backend.move(values, tensor.device)
    tensor.array[...] = values
    wrote(tensor)
    return tensor


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """By how much to scale weights so that activations keep their variance through a nonlinearity.

    1 for linear, conv and sigmoid; 5/3 for tanh; sqrt(2) for relu; ``sqrt(2 / (1 + slope**2))`` for
    leaky_relu with slope ``param`` (0.01); 3/4 for selu. Raises ValueError for others.

    >>> from minitorch import nn
    >>> nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    conv = [f"conv{t}{n}d" for t in ("", "_transpose") for n in (1, 2, 3)]
    if nonlinearity in ("linear", "sigmoid", *conv):
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def _calculate_fan_in_and_fan_out(tensor: Any) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError(f"Fan in and fan out can not be computed for tensor with fewer than 2 "
                         f"dimensions: shape {tuple(tensor.shape)}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _fan(tensor: Any, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return _calculate_fan_in_and_fan_out(tensor)[mode.lower() == "fan_out"]


# -- plain distributions and constants -------------------------------------------------------

def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0,
             generator: Generator | None = None) -> Tensor:
    """Uniform numbers in [a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0,
            generator: Generator | None = None) -> Tensor:
    """Normal numbers."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0,
                  b: float = 2.0, generator: Generator | None = None) -> Tensor:
    """Normal numbers, those outside [a, b] drawn again.

    Where [a, b] holds less than 0.3 of the distribution, uniform numbers are drawn in it instead
    and kept with the probability that the normal density gives.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The "
                      "distribution of values may be incorrect.", stacklevel=2)
    g = default_generator if generator is None else generator
    shape, dtype = tensor.array.shape, tensor.array.dtype

    def cdf(x: float) -> float:
        return (1 + math.erf((x - mean) / std / math.sqrt(2))) / 2

    if cdf(b) - cdf(a) > 0.3:
        values = g.normal(shape, mean, std, dtype)
        while (outside := (values < dtype.type(a)) | (values > dtype.type(b))).any():
            values = np.where(outside, g.normal(shape, mean, std, dtype), values)
        return _write(tensor, values)

    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2  # of the log-density in [a, b]

    def draw() -> tuple[Any, Any]:
        x = g.uniform(shape, a, b, dtype)
        return x, np.log(g.uniform(shape, dtype=dtype)) > ((x - mean) / std) ** 2 * -0.5 - peak

    values, rejected = draw()
    while rejected.any():
        x, again = draw()
        values = np.where(rejected, x, values)
        rejected &= again
    return _write(tensor, values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """``val`` everywhere."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: a linear layer that passes its input on."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _write(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The identity as a convolution: channel i of each group passes through its centre."""
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    out, channels, *window = tensor.shape
    if out % groups:
        raise ValueError(f"dim 0 must be divisible by groups: {out} and {groups}")
    values = np.zeros(tensor.shape)
    centre = tuple(n // 2 for n in window)
    for group in range(groups):
        for d in range(min(out // groups, channels)):
            values[(group * (out // groups) + d, d, *centre)] = 1
    return _write(tensor, values)


# -- by the number of connections ------------------------------------------------------------

def xavier_uniform_(tensor: Tensor, gain: float = 1.0,
                    generator: Generator | None = None) -> Tensor:
    """Uniform in ±``gain * sqrt(6 / (fan_in + fan_out))`` (Glorot & Bengio 2010)."""
    a = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -a, a, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0,
                   generator: Generator | None = None) -> Tensor:
    """Normal with std ``gain * sqrt(2 / (fan_in + fan_out))`` (Glorot & Bengio 2010)."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _xavier_std(tensor: Any, gain: float) -> float:
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return gain * math.sqrt(2.0 / float(fan_in + fan_out))


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in",
                     nonlinearity: str = "leaky_relu",
                     generator: Generator | None = None) -> Tensor:
    """Uniform in ±``gain * sqrt(3 / fan)``, the gain that of ``nonlinearity`` (He et al. 2015).

    ``a``: the negative slope of leaky_relu. ``mode``: "fan_in" keeps the variance forward,
    "fan_out" backward.
    """
    if 0 in tensor.shape:
        return _nothing(tensor)
    bound = math.sqrt(3.0) * (calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in",
                    nonlinearity: str = "leaky_relu",
                    generator: Generator | None = None) -> Tensor:
    """Normal with std ``gain / sqrt(fan)``; arguments as for ``kaiming_uniform_``."""
    if 0 in tensor.shape:
        return _nothing(tensor)
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode))
    return normal_(tensor, 0.0, std, generator)


def _nothing(tensor: Tensor) -> Tensor:
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return tensor


def lecun_uniform_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """Uniform in ±``sqrt(3 / fan_in)``: variance ``1 / fan_in`` (LeCun et al. 1998).

    PyTorch lacks it; it draws as ``kaiming_uniform_(tensor, nonlinearity="linear")`` does.
    """
    return kaiming_uniform_(tensor, nonlinearity="linear", generator=generator)


def lecun_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """Normal with variance ``1 / fan_in`` (LeCun et al. 1998); what SELU networks want."""
    return kaiming_normal_(tensor, nonlinearity="linear", generator=generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Orthonormal rows (or columns, if there are fewer) times ``gain`` (Saxe et al. 2013).

    The Q of a normal matrix's QR factorisation, with the signs that make it uniform (Mezzadri
    2006). Dimensions after the first count as columns.
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.numel():
        return tensor
    g = default_generator if generator is None else generator
    rows = tensor.shape[0]
    x = g.normal((rows, tensor.numel() // rows), dtype=tensor.array.dtype)
    wide = x.shape[0] < x.shape[1]
    q, r = np.linalg.qr(x.T if wide else x)
    q = q * np.sign(np.diagonal(r))
    return _write(tensor, ((q.T if wide else q) * gain).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01,
            generator: Generator | None = None) -> Tensor:
    """Normal numbers, the part ``sparsity`` of each column 0 (Martens 2010).

    As in PyTorch, which rows are 0 is drawn from the default generator.
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    g = default_generator if generator is None else generator
    values = g.normal((rows, columns), 0.0, std, tensor.array.dtype)
    for column in range(columns):
        values[default_generator.randperm(rows)[:math.ceil(sparsity * rows)], column] = 0
    return _write(tensor, values)


# -- names without the underscore, from before PyTorch 0.4 -----------------------------------

def _deprecated(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    new = function.__name__
    old = new[:-1]

    def renamed(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.",
                      FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    renamed.__name__, renamed.__doc__ = old, f"The old name of ``{new}``; warns."
    return renamed


uniform, normal, constant = _deprecated(uniform_), _deprecated(normal_), _deprecated(constant_)
eye, dirac = _deprecated(eye_), _deprecated(dirac_)
xavier_uniform, xavier_normal = _deprecated(xavier_uniform_), _deprecated(xavier_normal_)
kaiming_uniform, kaiming_normal = _deprecated(kaiming_uniform_), _deprecated(kaiming_normal_)
orthogonal, sparse = _deprecated(orthogonal_), _deprecated(sparse_)
