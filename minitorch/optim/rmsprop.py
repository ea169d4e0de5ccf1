"""RMSprop."""

from __future__ import annotations

from typing import Any

from minitorch.optim.elementwise import Elementwise, State, check, check_rate, decayed, zeros_like
from minitorch.optim.state import count


class RMSprop(Elementwise):
    """The gradient by the root of its mean square (Tieleman & Hinton 2012, lecture 6.5).

    ``v = alpha * v + (1 - alpha) * g * g``, ``x -= lr * g / (sqrt(v) + eps)``. With ``centered``
    (Graves 2013) the square of the mean gradient, averaged likewise, is taken from ``v`` under the
    root. With ``momentum``, ``b = momentum * b + g / (sqrt(v) + eps)`` and ``x -= lr * b``.
    ``weight_decay`` adds ``weight_decay * x`` to ``g``; ``maximize`` climbs. ``foreach`` and
    ``capturable`` are accepted and change nothing; ``differentiable`` records the step. Raises
    ValueError for an option out of its range.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([x], lr=0.05)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.5000], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0, momentum: float = 0, centered: bool = False,
                 capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
                 differentiable: bool = False) -> None:
        check_rate(lr)
        check(eps >= 0, "epsilon value", eps)
        check(momentum >= 0, "momentum value", momentum)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        check(alpha >= 0, "alpha value", alpha)
        super().__init__(params, dict(
            lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered,
            weight_decay=weight_decay, capturable=capturable, foreach=foreach, maximize=maximize,
            differentiable=differentiable))

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        names = (["square_avg"] + ["momentum_buffer"] * (group["momentum"] > 0)
                 + ["grad_avg"] * group["centered"])
        return {"step": count(), **{name: zeros_like(p) for name in names}}

    @staticmethod
    def update(xp, x, g, o, square_avg, momentum_buffer=None, grad_avg=None):
        x, g = decayed(x, g, o)
        v = o.alpha * square_avg + (1 - o.alpha) * (g * g)
        state, variance = dict(square_avg=v), v
        if o.centered:
            mean = o.alpha * grad_avg + (1 - o.alpha) * g
            state, variance = state | dict(grad_avg=mean), v - mean * mean
        b = g / (xp.sqrt(variance) + o.eps)
        if o.momentum:
            b = o.momentum * momentum_buffer + b
            state |= dict(momentum_buffer=b)
        return x - o.lr * b, state
