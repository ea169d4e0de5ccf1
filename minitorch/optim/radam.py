"""RAdam: Adam that waits until its second moment can be trusted."""

from __future__ import annotations

from math import sqrt
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


class RAdam(Elementwise):
    """Adam with its variance rectified (Liu et al. 2020, Algorithm 2).

    ``m`` and ``v`` are Adam's; ``c = m / (1 - b1**t)``. The length of the average behind ``v`` is
    ``rho = R - 2 * t * b2**t / (1 - b2**t)`` with ``R = 2 / (1 - b2) - 1``. Where ``rho > 5``,
    ``x -= lr * c * r * sqrt(1 - b2**t) / (sqrt(v) + eps)`` with ``r = sqrt((rho - 4) * (rho - 2)
    * R / ((R - 4) * (R - 2) * rho))``; before that, ``x -= lr * c``. ``weight_decay`` adds
    ``weight_decay * x`` to ``g``, or with ``decoupled_weight_decay`` shrinks ``x`` by
    ``lr * weight_decay``; ``maximize`` climbs. ``foreach`` and ``capturable`` are accepted and
    change nothing; ``differentiable`` records the step. Raises ValueError for an option out of its
    range.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.RAdam([x], lr=0.25)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([2.], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0,
                 decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False) -> None:
        check_rate(lr)
        check(eps >= 0, "epsilon value", eps)
        check_betas(betas)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        super().__init__(params, dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize,
            foreach=foreach, capturable=capturable, decoupled_weight_decay=decoupled_weight_decay,
            differentiable=differentiable))

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        return {"step": count(), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def numbers(self, p: Any, state: State, group: dict[str, Any]) -> dict[str, Any]:
        t = super().numbers(p, state, group)["t"]
        b2 = float(group["betas"][1])
        longest = 2 / (1 - b2) - 1
        rho = longest - 2 * t * b2 ** t / (1 - b2 ** t)
        rectification = 0.0
        if rho > 5:
            rectification = sqrt((rho - 4) * (rho - 2) * longest
                                 / ((longest - 4) * (longest - 2) * rho))
        return {"t": t, "rectification": rectification}

    @staticmethod
    def update(xp, x, g, o, exp_avg, exp_avg_sq):
        b1, b2 = o.betas
        x, g = decayed(x, g, o)
        m = b1 * exp_avg + (1 - b1) * g
        v = b2 * exp_avg_sq + (1 - b2) * (g * g)
        step = o.lr / (1 - b1 ** o.t)
        if o.rectification:
            step = step * o.rectification * (1 - b2 ** o.t) ** 0.5
            x = x - step * (m / (xp.sqrt(v) + o.eps))
        else:
            x = x - step * m
        return x, dict(exp_avg=m, exp_avg_sq=v)
