"""Adagrad."""

from __future__ import annotations

from typing import Any

from minitorch.optim.elementwise import (
    Elementwise,
    State,
    check,
    check_rate,
    check_way,
    decayed,
    number,
    zeros_like,
)
from minitorch.optim.state import count


class Adagrad(Elementwise):
    """A rate for each element that falls with the gradients it has seen (Duchi et al. 2011).

    ``s += g * g`` from ``initial_accumulator_value`` on, and at step t
    ``x -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)``. ``weight_decay`` adds
    ``weight_decay * x`` to ``g``; ``maximize`` climbs. A sparse gradient moves the rows that it
    has. ``foreach`` and ``fused`` are accepted and change nothing; ``differentiable`` records the
    step. Raises ValueError for an option out of its range.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.5000], requires_grad=True)
    """

    sparse = "rows"

    def __init__(self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10,
                 foreach: bool | None = None, *, maximize: bool = False,
                 differentiable: bool = False, fused: bool | None = None) -> None:
        check_rate(lr)
        check(lr_decay >= 0, "lr_decay value", lr_decay)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        check(initial_accumulator_value >= 0, "initial_accumulator_value value",
              initial_accumulator_value)
        check(eps >= 0, "epsilon value", eps)
        super().__init__(params, dict(
            lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, foreach=foreach,
            maximize=maximize, differentiable=differentiable, fused=fused))
        check_way(fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = self.begin(p, group)

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        total = zeros_like(p)
        total.array += number(self.defaults["initial_accumulator_value"])
        return {"step": count(), "sum": total}

    def check_sparse(self, group: dict[str, Any]) -> None:
        if group["weight_decay"]:
            raise RuntimeError("weight_decay option is not compatible with sparse gradients")

    @staticmethod
    def update(xp, x, g, o, sum):
        x, g = decayed(x, g, o)
        s = sum + g * g
        rate = o.lr / (1 + (o.t - 1) * o.lr_decay)
        return x - rate * (g / (xp.sqrt(s) + o.eps)), dict(sum=s)
