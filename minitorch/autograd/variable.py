"""``Variable``, for programs older than PyTorch 0.4."""

from __future__ import annotations

from typing import Any

from minitorch.engine import Tensor


class _IsTensor(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor)


class Variable(metaclass=_IsTensor):
    """A tensor, as programs older than PyTorch 0.4 spell it; every tensor is a Variable."""

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        if requires_grad and volatile:
            raise ValueError("Variable can't be volatile and require_grad at the same time!")
        return data.detach().requires_grad_(requires_grad)
