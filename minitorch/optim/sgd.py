"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from minitorch.optim.elementwise import (
    Elementwise,
    State,
    check,
    check_rate,
    check_way,
    decayed,
    zeros_like,
)


class SGD(Elementwise):
    """Stochastic gradient descent (Robbins & Monro 1951), with momentum if asked for.

    ``x -= lr * g``. With momentum ``b = momentum * b + (1 - dampening) * g``, the first ``b``
    being ``g``, and ``x -= lr * b`` (Polyak 1964, as PyTorch spells it); with ``nesterov`` too,
    ``x -= lr * (g + momentum * b)`` (Sutskever et al. 2013). ``weight_decay`` adds
    ``weight_decay * x`` to ``g``; ``maximize`` climbs. A sparse gradient without momentum moves
    the rows that it has. ``foreach`` and ``fused`` are accepted and change nothing;
    ``differentiable`` records the step. Raises ValueError for a negative rate, momentum or decay,
    and for ``nesterov`` without momentum or with dampening.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([x], lr=0.25)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([2.], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: Any = 0, nesterov: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, differentiable: bool = False,
                 fused: bool | None = None) -> None:
        check_rate(lr)
        check(momentum >= 0, "momentum value", momentum)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, dict(
            lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
            nesterov=nesterov, maximize=maximize, foreach=foreach, differentiable=differentiable,
            fused=fused))
        check_way(fused, foreach, differentiable)

    def sparse_way(self, group: dict[str, Any]) -> str:
        return "dense" if group["momentum"] else "rows"

    def check_sparse(self, group: dict[str, Any]) -> None:
        if group["weight_decay"]:
            raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) "
                               "instead.")

    def numbers(self, p: Any, state: State, group: dict[str, Any]) -> dict[str, Any]:
        first = bool(group["momentum"]) and state.get("momentum_buffer") is None
        if first:
            state["momentum_buffer"] = zeros_like(p)
        return {"first": first}

    @staticmethod
    def update(xp, x, g, o, momentum_buffer=None):
        x, g = decayed(x, g, o)
        if not o.momentum:
            return x - o.lr * g, {}
        if o.first:
            b = g
        else:
            b = o.momentum * momentum_buffer + ((1 - o.dampening) * g if o.dampening else g)
        step = g + o.momentum * b if o.nesterov else b
        return x - o.lr * step, dict(momentum_buffer=b)
