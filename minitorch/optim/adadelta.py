"""Adadelta."""

from __future__ import annotations

from typing import Any

from minitorch.optim.elementwise import Elementwise, State, check, check_rate, decayed, zeros_like
from minitorch.optim.state import count


class Adadelta(Elementwise):
    """Steps in units of the parameter itself (Zeiler 2012, Algorithm 1).

    ``v = rho * v + (1 - rho) * g * g``, ``d = sqrt(u + eps) / sqrt(v + eps) * g``,
    ``u = rho * u + (1 - rho) * d * d``, ``x -= lr * d``: ``v`` averages squared gradients, ``u``
    squared steps. ``weight_decay`` adds ``weight_decay * x`` to ``g``; ``maximize`` climbs.
    ``foreach`` and ``capturable`` are accepted and change nothing; ``differentiable`` records the
    step. Raises ValueError for an option out of its range.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([x])
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> f"{x.item():.6f}"
    '3.996838'
    """

    def __init__(self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6,
                 weight_decay: float = 0, foreach: bool | None = None, *,
                 capturable: bool = False, maximize: bool = False,
                 differentiable: bool = False) -> None:
        check_rate(lr)
        check(0 <= rho <= 1, "rho value", rho)
        check(eps >= 0, "epsilon value", eps)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        super().__init__(params, dict(
            lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize,
            capturable=capturable, foreach=foreach, differentiable=differentiable))

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        return {"step": count(), "square_avg": zeros_like(p), "acc_delta": zeros_like(p)}

    @staticmethod
    def update(xp, x, g, o, square_avg, acc_delta):
        x, g = decayed(x, g, o)  # maximize, weight_decay
        v = o.rho * square_avg + (1 - o.rho) * (g * g)
        d = xp.sqrt(acc_delta + o.eps) / xp.sqrt(v + o.eps) * g
        u = o.rho * acc_delta + (1 - o.rho) * (d * d)
        return x - o.lr * d, dict(square_avg=v, acc_delta=u)
