"""Rprop: steps by the sign of the gradient alone."""

from __future__ import annotations

from typing import Any

from minitorch.optim.elementwise import Elementwise, State, check_rate, number, zeros_like
from minitorch.optim.state import count


class Rprop(Elementwise):
    """Resilient backpropagation (Riedmiller & Braun 1993; without weight backtracking).

    Each element has a step size of its own, at first ``lr``. Where the gradient keeps its sign, the
    size is multiplied by ``etas[1]``; where the sign changes, by ``etas[0]``, and the gradient
    counts as 0 this time. Sizes stay within ``step_sizes``. ``x -= sign(g) * size``. For full
    batches; ``maximize`` climbs. ``foreach`` and ``capturable`` are accepted and change nothing;
    ``differentiable`` records the step. Raises ValueError unless ``0 < etas[0] < 1 < etas[1]``
    and ``lr >= 0``.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.Rprop([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.5000], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
                 step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False,
                 foreach: bool | None = None, maximize: bool = False,
                 differentiable: bool = False) -> None:
        check_rate(lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, dict(
            lr=lr, etas=etas, step_sizes=step_sizes, foreach=foreach, maximize=maximize,
            differentiable=differentiable, capturable=capturable))

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        size = zeros_like(p)
        size.array += number(group["lr"])
        return {"step": count(), "prev": zeros_like(p), "step_size": size}

    @staticmethod
    def update(xp, x, g, o, prev, step_size):
        (shrink, grow), (smallest, largest) = o.etas, o.step_sizes
        if o.maximize:
            g = -g
        agreement = g * prev
        turned = agreement < 0
        size = xp.where(turned, shrink * step_size, step_size)
        size = xp.where(agreement > 0, grow * step_size, size)
        size = xp.minimum(xp.maximum(size, smallest), largest)
        g = xp.where(turned, 0.0, g)
        return x - xp.sign(g) * size, dict(prev=g, step_size=size)
