"""Layers that shift and scale their input to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

from minitorch.creation import empty, ones, tensor, zeros
from minitorch.dtypes import int64
from minitorch.inplace import wrote
from minitorch.nn import functional as F
from minitorch.nn import init
from minitorch.nn.module import Module
from minitorch.nn.parameter import Parameter
from minitorch.tensor import Tensor


class BatchNorm1d(Module):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel (Ioffe & Szegedy 2015).

    Input (N, C) or (N, C, L). In training the batch's mean and biased variance are used, and the
    buffers ``running_mean`` and ``running_var`` (of unbiased variances) move towards the batch's
    by ``momentum``; None averages over all batches. Evaluation uses the buffers. Raises
    ValueError for other shapes, and for one value per channel in training.

    >>> import minitorch as torch
    >>> norm = torch.nn.BatchNorm1d(1)
    >>> norm(torch.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    >>> norm.running_mean
    tensor([0.2000])
    """

    _version = 2
    _since_version = {"num_batches_tracked": 2}
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
                 affine: bool = True, track_running_stats: bool = True, device: Any = None,
                 dtype: Any = None, *, bias: bool = True) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(empty(num_features, **made)) if affine
                                else None)
        self.register_parameter("bias", Parameter(empty(num_features, **made)) if affine and bias
                                else None)
        track = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, **made) if track else None)
        self.register_buffer("running_var", ones(num_features, **made) if track else None)
        self.register_buffer("num_batches_tracked", tensor(0, dtype=int64, device=device) if track
                             else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen: mean 0, variance 1."""
        if self.track_running_stats:
            self.running_mean.zero_()  # type: ignore[union-attr]
            self.running_var.fill_(1)  # type: ignore[union-attr]
            self.num_batches_tracked.zero_()  # type: ignore[union-attr]

    def reset_parameters(self) -> None:
        """Forget the batches seen; weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.ndim}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        mean, var = self.running_mean, self.running_var
        training = self.training or (mean is None and var is None)
        count, momentum = None, self.momentum
        if self.training:
            if self.track_running_stats:
                count = self.num_batches_tracked
            else:
                mean = var = None
        if momentum is None:
            momentum = 0.0 if count is None else 1 / (count.item() + 1)
        out = F.batch_norm(input, mean, var, self.weight, self.bias, training, momentum, self.eps)
        if count is not None:  # only now: an input that was refused does not count
            count.array += 1
            wrote(count)
        return out

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
                f"affine={self.affine}, bias={self.bias is not None}, "
                f"track_running_stats={self.track_running_stats}")


class LayerNorm(Module):
    """Each sample normalised over its last dimensions ``normalized_shape`` (Ba et al. 2016).

    Then times ``weight`` plus ``bias``, both of that shape, with ``elementwise_affine``.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        single = hasattr(normalized_shape, "__index__")
        self.normalized_shape = (int(normalized_shape),) if single else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            self.register_parameter(name, Parameter(empty(
                self.normalized_shape, device=device, dtype=dtype)) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, "
                f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}")
