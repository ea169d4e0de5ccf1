"""Adamax: Adam by the largest gradient instead of their squares."""

from __future__ import annotations

from typing import Any

from minitorch.optim.elementwise import (
    Elementwise,
    State,
    check,
    check_betas,
    check_rate,
    decayed,
    zeros_like,
)
from minitorch.optim.state import count


class Adamax(Elementwise):
    """Adam with the infinity norm (Kingma & Ba 2015, Algorithm 2).

    ``m = b1 * m + (1 - b1) * g``, ``u = max(b2 * u, |g| + eps)``, and at step t
    ``x -= lr / (1 - b1**t) * m / u``. ``weight_decay`` adds ``weight_decay * x`` to ``g``;
    ``maximize`` climbs. ``foreach`` and ``capturable`` are accepted and change nothing;
    ``differentiable`` records the step. Raises ValueError for an option out of its range.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.Adamax([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.5000], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, foreach: bool | None = None, *,
                 maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False) -> None:
        check_rate(lr)
        check(eps >= 0, "epsilon value", eps)
        check_betas(betas)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        super().__init__(params, dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach,
            maximize=maximize, differentiable=differentiable, capturable=capturable))

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        return {"step": count(), "exp_avg": zeros_like(p), "exp_inf": zeros_like(p)}

    @staticmethod
    def update(xp, x, g, o, exp_avg, exp_inf):
        b1, b2 = o.betas
        x, g = decayed(x, g, o)
        m = b1 * exp_avg + (1 - b1) * g
        u = xp.maximum(b2 * exp_inf, xp.abs(g) + o.eps)
        return x - o.lr / (1 - b1 ** o.t) * (m / u), dict(exp_avg=m, exp_inf=u)
