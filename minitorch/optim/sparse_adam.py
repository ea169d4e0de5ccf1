"""Adam for sparse gradients."""

from __future__ import annotations

from typing import Any

from minitorch.engine import Tensor
from minitorch.optim.elementwise import Elementwise, State, check, check_betas, zeros_like


class SparseAdam(Elementwise):
    """Adam that moves, and remembers, only the rows that the gradient has values for.

    In those rows it is Adam (Kingma & Ba 2015) with ``eps`` outside the corrections:
    ``x -= lr * sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + eps)``, where t counts all steps of
    the parameter; other rows keep ``x``, ``m`` and ``v``. ``maximize`` climbs. Raises ValueError
    for an option out of its range, and RuntimeError for a dense gradient.

    >>> import minitorch as torch
    >>> table = torch.nn.Embedding(3, 1, sparse=True)
    >>> torch.nn.init.ones_(table.weight)
    Parameter containing:
    tensor([[1.],
            [1.],
            [1.]], requires_grad=True)
    >>> optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.5)
    >>> table(torch.tensor([2])).sum().backward()
    >>> optimizer.step()
    >>> table.weight.detach().flatten()
    tensor([1.0000, 1.0000, 0.5000])
    """

    sparse = "rows"

    def __init__(self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, maximize: bool = False) -> None:
        if isinstance(lr, Tensor) and lr.array.size != 1:
            raise ValueError("Tensor lr must be 1-element")
        check(lr > 0, "learning rate", lr)
        check(eps > 0, "epsilon value", eps)
        check_betas(betas)
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, maximize=maximize))
        places = [[i, j] for i, group in enumerate(self.param_groups)
                  for j, p in enumerate(group["params"]) if p.is_sparse]
        if places:
            raise ValueError(f"Sparse params at indices {places}: SparseAdam requires dense "
                             f"parameter tensors")

    def check(self, p: Any, group: dict[str, Any]) -> None:
        super().check(p, group)
        if not p._grad.is_sparse:
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam "
                               "instead")

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        return {"step": 0, "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def numbers(self, p: Any, state: State, group: dict[str, Any]) -> dict[str, Any]:
        state["step"] += 1
        return {"t": state["step"]}

    @staticmethod
    def update(xp, x, g, o, exp_avg, exp_avg_sq):
        b1, b2 = o.betas
        if o.maximize:
            g = -g
        m = b1 * exp_avg + (1 - b1) * g
        v = b2 * exp_avg_sq + (1 - b2) * (g * g)
        step = o.lr * (1 - b2 ** o.t) ** 0.5 / (1 - b1 ** o.t)
        return x - step * (m / (xp.sqrt(v) + o.eps)), dict(exp_avg=m, exp_avg_sq=v)
