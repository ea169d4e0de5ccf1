"""Parameter and Buffer: the tensors that a Module recognises as its own."""

from __future__ import annotations

from typing import Any

from minitorch import engine
from minitorch.creation import empty
from minitorch.engine import Leaf
from minitorch.tensor import Tensor


def _adopt(owner: Tensor, data: Any) -> None:
    """Share the memory of ``data``, and its count of writes."""
    if data is None:
        data = empty(0)
    if not isinstance(data, engine.Tensor):
        raise TypeError(f"{type(owner).__name__}() takes a Tensor, not {type(data).__name__}; "
                        f"make one with torch.tensor(...)")
    owner.array, owner.version = data.array, data.version


class Parameter(Tensor):
    """A tensor to be trained: assigned to a Module, it appears in ``parameters()``.

    It shares the memory of ``data``. Raises RuntimeError if a gradient is asked for and ``data``
    is not floating.

    >>> import minitorch as torch
    >>> torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        _adopt(self, data)
        self.requires_grad = requires_grad

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A copy without the gradient, as in PyTorch."""
        if id(self) not in memo:
            copy = memo[id(self)] = type(self).__new__(type(self))
            copy.array, copy.version = self.array.copy(), [0]
            copy.node = Leaf(copy) if self.requires_grad else None
        return memo[id(self)]

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor of state that is not trained: assigned to a Module, it appears in ``buffers()``.

    ``persistent``: whether it is part of the module's ``state_dict``.
    """

    persistent = True

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        _adopt(self, data)
        self.persistent = persistent
