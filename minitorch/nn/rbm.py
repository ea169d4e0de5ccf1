"""Restricted Boltzmann machines."""

from __future__ import annotations

from typing import Any

from minitorch.creation import empty
from minitorch.nn import init
from minitorch.nn.boltzmann import UNITS, Boltzmann
from minitorch.nn.module import Module
from minitorch.nn.parameter import Parameter
from minitorch.tensor import Tensor


class RBM(Boltzmann, Module):
    """A restricted Boltzmann machine: visible and hidden units, each joined to all on the other
    side.

    p(v, h) = exp(-E(v, h)) / Z. With ``visible="bernoulli"`` v and h are binary and
    E(v, h) = -a·v - c·h - h·W v; v in [0, 1] is taken for probabilities. With
    ``visible="gaussian"`` v is real, of variance 1 around its mean, and
    E(v, h) = |v - a|² / 2 - c·h - h·W v: standardise the data (Hinton 2010, section 13.2).

    ``weight`` W (n_hidden, n_visible) starts as N(0, 0.01²), ``visible_bias`` a and
    ``hidden_bias`` c as 0 (Hinton 2010, section 8, also sets a to the data's log odds:
    ``rbm.fit_visible_bias(data)``). Calling it gives p(h = 1 | v), so that RBMs stack.
    Random numbers are PyTorch's, from the default stream or from `generator`.

    It learns as any module does: `contrastive_divergence` is a loss. Momentum and weight decay
    are the optimizer's, sparsity is a term that is added. In Hinton's guide they decay only
    weights, and rates begin at 0.1 for binary and near 0.001 for Gaussian units.

    Raises ValueError for another kind of unit, or sizes below 1.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> rbm = torch.nn.RBM(6, 4)
    >>> rbm
    RBM(n_visible=6, n_hidden=4, visible='bernoulli')
    >>> v = torch.tensor([[1., 1., 1., 0., 0., 0.], [0., 0., 0., 1., 1., 1.]] * 5)
    >>> optimizer = torch.optim.SGD([
    ...     {"params": [rbm.weight], "weight_decay": 0.0002},
    ...     {"params": [rbm.visible_bias, rbm.hidden_bias]}], lr=0.1, momentum=0.5)
    >>> for step in range(500):
    ...     optimizer.zero_grad()
    ...     loss = rbm.contrastive_divergence(v, k=1)  # + 0.01 * rbm.sparsity(v, target=0.05)
    ...     loss.backward()
    ...     optimizer.step()
    >>> rbm.reconstruct(v[:2]).round().tolist()
    [[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]
    """

    def __init__(self, n_visible: int, n_hidden: int, visible: str = "bernoulli",
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        if visible not in UNITS:
            raise ValueError(f"visible must be one of {', '.join(UNITS)}, got {visible!r}")
        if n_visible < 1 or n_hidden < 1:
            raise ValueError(f"an RBM needs at least one unit on each side, got {n_visible=} and "
                             f"{n_hidden=}")
        self.n_visible, self.n_hidden, self.visible = n_visible, n_hidden, visible
        self.weight = Parameter(empty((n_hidden, n_visible), device=device, dtype=dtype))
        self.visible_bias = Parameter(empty(n_visible, device=device, dtype=dtype))
        self.hidden_bias = Parameter(empty(n_hidden, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights; biases become 0."""
        init.normal_(self.weight, std=0.01)
        init.zeros_(self.visible_bias)
        init.zeros_(self.hidden_bias)

    def forward(self, input: Tensor) -> Tensor:
        return self.hidden_mean(input)

    def extra_repr(self) -> str:
        return (f"n_visible={self.n_visible}, n_hidden={self.n_hidden}, "
                f"visible={self.visible!r}")
