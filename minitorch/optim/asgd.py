"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from minitorch.optim.elementwise import (
    Elementwise,
    State,
    check,
    check_rate,
    decayed,
    number,
    zeros_like,
)
from minitorch.optim.state import count


class ASGD(Elementwise):
    """SGD with a falling rate, and the average of where it has been (Polyak & Juditsky 1992).

    ``x = (1 - lambd * eta) * x - eta * g`` with ``eta = lr / (1 + lambd * lr * t)**alpha``
    (Bottou 2010), the first ``eta`` being ``lr``. The average is ``state[x]["ax"]``: ``x`` itself
    until step ``t0``, from then on ``ax += mu * (x - ax)`` with ``mu = 1 / (t - t0)``.
    ``weight_decay`` adds ``weight_decay * x`` to ``g``; ``maximize`` climbs. ``foreach`` and
    ``capturable`` are accepted and change nothing; ``differentiable`` records the step. Raises
    ValueError for a negative rate or decay.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.ASGD([x], lr=0.25, lambd=0)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x, optimizer.state[x]["ax"]
    (tensor([2.], requires_grad=True), tensor([2.]))
    """

    def __init__(self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75,
                 t0: float = 1e6, weight_decay: float = 0, foreach: bool | None = None,
                 maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False) -> None:
        check_rate(lr)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        super().__init__(params, dict(
            lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, foreach=foreach,
            maximize=maximize, differentiable=differentiable, capturable=capturable))

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        return {"step": count(), "eta": count(number(group["lr"])), "mu": count(1.0),
                "ax": zeros_like(p)}

    def numbers(self, p: Any, state: State, group: dict[str, Any]) -> dict[str, Any]:
        """``eta`` and ``mu`` of this step; those of the next one become the state."""
        t = super().numbers(p, state, group)["t"]
        eta, mu = float(state["eta"].array), float(state["mu"].array)
        lr = number(group["lr"])
        state["eta"].array[...] = lr / (1 + group["lambd"] * lr * t) ** group["alpha"]
        state["mu"].array[...] = 1 / max(1, t - group["t0"])
        return {"eta": eta, "mu": mu, "averaging": mu != 1}

    @staticmethod
    def update(xp, x, g, o, ax):
        x, g = decayed(x, g, o)
        x = (1 - o.lambd * o.eta) * x - o.eta * g
        return x, dict(ax=ax + o.mu * (x - ax) if o.averaging else x)
