"""Adam, and AdamW: its form with decoupled weight decay."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from minitorch.engine import Tensor, wrap
from minitorch.optim.optimizer import Array, Optimizer, check, check_rate


class Adam(Optimizer):
    """Adaptive moment estimation (Kingma & Ba 2015, Algorithm 1).

    ``m = b1 * m + (1 - b1) * g``, ``v = b2 * v + (1 - b2) * g * g``, and at step t
    ``x -= lr * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps)``. With ``amsgrad`` (Reddi et
    al. 2018) the largest ``v`` so far stands in the root. ``weight_decay`` adds
    ``weight_decay * x`` to ``g``. ``foreach``, ``fused``, ``capturable`` and ``differentiable``
    are accepted and change nothing.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.5000], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
                 foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False, fused: bool | None = None,
                 decoupled_weight_decay: bool = False) -> None:
        check_rate(lr)
        check(eps >= 0, "epsilon value", eps)
        if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        check(0 <= betas[0] < 1, "beta parameter at index 0", betas[0])
        check(0 <= betas[1] < 1, "beta parameter at index 1", betas[1])
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        super().__init__(params, dict(
            lr=lr, betas=tuple(map(float, betas)), eps=eps, weight_decay=weight_decay,
            amsgrad=amsgrad, maximize=maximize, foreach=foreach, capturable=capturable,
            differentiable=differentiable, fused=fused,
            decoupled_weight_decay=decoupled_weight_decay))

    def begin(self, x: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] = wrap(np.zeros((), np.float32))
        state["exp_avg"] = wrap(np.zeros_like(x))
        state["exp_avg_sq"] = wrap(np.zeros_like(x))
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = wrap(np.zeros_like(x))

    def constants(self, state: dict[str, Any], group: dict[str, Any]) -> Any:
        state["step"].array += 1
        t = float(state["step"].array)
        b1, b2 = group["betas"]
        lr = float(group["lr"])
        # Both corrections folded into the step size and eps: one pass less (ibid., section 2).
        root = sqrt(1 - b2 ** t)
        return group, b1, b2, lr, lr * root / (1 - b1 ** t), group["eps"] * root

    def update(self, x: Array, g: Array, c: Any, scratch: tuple[Array, Array],
               *state: Array) -> None:
        group, b1, b2, lr, step, eps = c
        m, v = state[:2]
        a, decayed = scratch
        if group["maximize"]:
            g = np.negative(g, decayed)
        if group["weight_decay"]:
            if group["decoupled_weight_decay"]:
                x *= 1 - lr * group["weight_decay"]
            else:
                g = np.add(g, np.multiply(x, group["weight_decay"], a), decayed)
        m *= b1
        m += np.multiply(g, 1 - b1, a)
        v *= b2
        np.multiply(g, g, a)
        a *= 1 - b2
        v += a
        if group["amsgrad"]:
            v = np.maximum(state[2], v, out=state[2])
        np.sqrt(v, a)
        a += eps
        np.divide(m, a, a)
        a *= step
        x -= a


class AdamW(Adam):
    """Adam whose weight decay shrinks ``x`` itself by ``lr * weight_decay``, outside the moments
    (Loshchilov & Hutter 2019).

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.AdamW([x], lr=0.5, weight_decay=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.3000], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *,
                 maximize: bool = False, foreach: bool | None = None, capturable: bool = False,
                 differentiable: bool = False, fused: bool | None = None) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach,
                         maximize=maximize, capturable=capturable, differentiable=differentiable,
                         fused=fused, decoupled_weight_decay=True)
