"""NAdam: Adam with Nesterov's momentum."""

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


class NAdam(Elementwise):
    """Adam that looks one momentum step ahead (Dozat 2016).

    ``m`` and ``v`` are Adam's. With ``mu(t) = b1 * (1 - 0.96**(t * momentum_decay) / 2)`` and
    their product ``M(t) = mu(1) * ... * mu(t)``, step t is ``x -= lr * ((1 - mu(t)) /
    (1 - M(t)) * g + mu(t+1) / (1 - M(t+1)) * m) / (sqrt(v / (1 - b2**t)) + eps)``.
    ``weight_decay`` adds ``weight_decay * x`` to ``g``, or with ``decoupled_weight_decay`` shrinks
    ``x`` by ``lr * weight_decay``; ``maximize`` climbs. ``foreach`` and ``capturable`` are accepted
    and change nothing; ``differentiable`` records the step. Raises ValueError for an option out of
    its range.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.NAdam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> f"{x.item():.6f}"
    '3.471774'
    """

    def __init__(self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, momentum_decay: float = 4e-3,
                 decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False) -> None:
        check_rate(lr)
        check(eps >= 0, "epsilon value", eps)
        check_betas(betas)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        check(momentum_decay >= 0, "momentum_decay value", momentum_decay)
        super().__init__(params, dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize, foreach=foreach,
            capturable=capturable, differentiable=differentiable))

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        return {"step": count(), "mu_product": count(1.0), "exp_avg": zeros_like(p),
                "exp_avg_sq": zeros_like(p)}

    def numbers(self, p: Any, state: State, group: dict[str, Any]) -> dict[str, Any]:
        t = super().numbers(p, state, group)["t"]

        def mu(t: float) -> float:
            return float(group["betas"][0]) * (1 - 0.96 ** (t * group["momentum_decay"]) / 2)

        state["mu_product"].array *= mu(t)
        product = float(state["mu_product"].array)
        return {"t": t, "of_g": (1 - mu(t)) / (1 - product),
                "of_m": mu(t + 1) / (1 - product * mu(t + 1))}

    @staticmethod
    def update(xp, x, g, o, exp_avg, exp_avg_sq):
        b1, b2 = o.betas
        x, g = decayed(x, g, o)
        m = b1 * exp_avg + (1 - b1) * g
        v = b2 * exp_avg_sq + (1 - b2) * (g * g)
        root = (1 - b2 ** o.t) ** 0.5
        step = o.lr * root
        ahead = step * o.of_g * g + step * o.of_m * m
        return x - ahead / (xp.sqrt(v) + o.eps * root), dict(exp_avg=m, exp_avg_sq=v)
