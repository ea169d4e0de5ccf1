"""Adam, and AdamW: its form with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from minitorch.engine import Tensor
from minitorch.optim.elementwise import (
    Elementwise,
    State,
    check,
    check_betas,
    check_rate,
    check_way,
    decayed,
    number,
    zeros_like,
)
from minitorch.optim.state import count


class Adam(Elementwise):
    """Adaptive moment estimation (Kingma & Ba 2015, Algorithm 1).

    ``m = b1 * m + (1 - b1) * g``, ``v = b2 * v + (1 - b2) * g * g``, and at step t
    ``x -= lr * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps)``. With ``amsgrad`` (Reddi et
    al. 2018) the largest ``v`` so far stands in the root. ``weight_decay`` adds
    ``weight_decay * x`` to ``g``, or with ``decoupled_weight_decay`` is what AdamW does;
    ``maximize`` climbs. ``foreach``, ``fused`` and ``capturable`` are accepted and change nothing;
    ``differentiable`` records the step. Raises ValueError for an option out of its range.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.5000], requires_grad=True)
    """

    refusal = "Adam does not support sparse gradients, please consider SparseAdam instead"

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
                 foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False, fused: bool | None = None,
                 decoupled_weight_decay: bool = False) -> None:
        for name, value in ("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1]):
            if isinstance(value, Tensor):
                if foreach and not capturable:
                    raise ValueError(f"{name} as a Tensor is not supported for capturable=False "
                                     f"and foreach=True")
                if value.array.size != 1:
                    raise ValueError(f"Tensor {name} must be 1-element")
        check_rate(lr)
        check(eps >= 0, "epsilon value", eps)
        check_betas(betas)
        check(weight_decay >= 0, "weight_decay value", weight_decay)
        if not any(all(isinstance(b, kind) for b in betas) for kind in (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        super().__init__(params, dict(
            lr=lr, betas=number(tuple(betas)), eps=eps, weight_decay=weight_decay,
            amsgrad=amsgrad, maximize=maximize, foreach=foreach, capturable=capturable,
            differentiable=differentiable, fused=fused,
            decoupled_weight_decay=decoupled_weight_decay))
        check_way(fused, foreach, differentiable)

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        names = ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * group["amsgrad"]
        return {"step": count(), **{name: zeros_like(p) for name in names}}

    @staticmethod
    def update(xp, x, g, o, exp_avg, exp_avg_sq, max_exp_avg_sq=None):
        b1, b2 = o.betas
        x, g = decayed(x, g, o)
        m = b1 * exp_avg + (1 - b1) * g
        v = b2 * exp_avg_sq + (1 - b2) * (g * g)
        largest = xp.maximum(max_exp_avg_sq, v) if o.amsgrad else v
        # Both corrections folded into the step and eps: one pass less (ibid., end of section 2).
        root = (1 - b2 ** o.t) ** 0.5
        step = o.lr * root / (1 - b1 ** o.t)
        x = x - step * (m / (xp.sqrt(largest) + o.eps * root))
        state = dict(exp_avg=m, exp_avg_sq=v)
        return x, state | dict(max_exp_avg_sq=largest) if o.amsgrad else state


class AdamW(Adam):
    """Adam whose weight decay shrinks ``x`` itself by ``lr * weight_decay``, outside the moments.

    Loshchilov & Hutter (2019), Algorithm 2. Options as for Adam.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> optimizer = torch.optim.AdamW([x], lr=0.5, weight_decay=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.3000], requires_grad=True)
    """

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *,
                 maximize: bool = False, foreach: bool | None = None, capturable: bool = False,
                 differentiable: bool = False, fused: bool | None = None) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach,
                         maximize=maximize, capturable=capturable, differentiable=differentiable,
                         fused=fused, decoupled_weight_decay=True)

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        super().__setstate__(attributes)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # also in states that Adam saved
