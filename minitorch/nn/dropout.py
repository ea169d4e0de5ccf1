"""Layers that drop activations at random while training."""

from __future__ import annotations

from minitorch.nn import functional as F
from minitorch.nn.module import Module
from minitorch.tensor import Tensor


class Dropout(Module):
    """In training, each element zeroed with probability ``p``, the others times ``1 / (1 - p)``.

    Srivastava et al. (2014). In evaluation the input passes unchanged. The masks are PyTorch's for
    the same ``manual_seed``. Raises ValueError for ``p`` outside [0, 1].
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class AlphaDropout(Dropout):
    """Dropout for SELU networks: mean and variance are kept (Klambauer et al. 2017).

    As in PyTorch, ``inplace`` is accepted and has no effect.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)
