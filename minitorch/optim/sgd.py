"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.engine import wrap
from minitorch.optim.optimizer import Array, Optimizer, check, check_rate


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and weight decay if asked for.

    ``b = momentum * b + (1 - dampening) * g``, then ``x -= lr * b`` (Sutskever et al. 2013, as
    PyTorch spells it); the first step takes ``b = g``. With ``nesterov``, ``x -= lr * (g +
    momentum * b)``. ``weight_decay`` adds ``weight_decay * x`` to ``g``; ``maximize`` climbs.
    ``foreach``, ``fused`` and ``differentiable`` are accepted and change nothing.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([x], lr=0.25)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([2.], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False,
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

    def constants(self, state: dict[str, Any], group: dict[str, Any]) -> Any:
        c = {**group, "lr": float(group["lr"]), "first": False}
        if group["momentum"] and state.get("momentum_buffer") is None:
            c["first"] = True
        return c

    def walk(self, p: Any, g: Array, state: dict[str, Any], c: Any) -> None:
        if c["first"]:
            state["momentum_buffer"] = wrap(np.empty(p.array.shape, p.array.dtype))
        super().walk(p, g, state, c)

    def update(self, x: Array, g: Array, c: Any, scratch: tuple[Array, Array],
               *state: Array) -> None:
        step, decayed = scratch
        if c["weight_decay"]:
            np.multiply(x, c["weight_decay"], decayed)
            if c["maximize"]:
                decayed -= g
            else:
                decayed += g
            g = decayed
        elif c["maximize"]:
            g = np.negative(g, decayed)
        if c["momentum"]:
            (b,) = state
            if c["first"]:
                b[...] = g
            else:
                b *= c["momentum"]
                b += np.multiply(g, 1 - c["dampening"], step)
            if c["nesterov"]:
                g = np.add(g, np.multiply(b, c["momentum"], step), step)
            else:
                g = b
        x -= np.multiply(g, c["lr"], step)
