"""``minitorch.Tensor``: PyTorch's spellings over the engine.

Here stands its place in the graph. What a tensor is (shape, dtype, memory) is in ``facts``,
Python's operators in ``operators``, numbers, arrays and text in ``exchange``; functions become
methods where they are defined (``functions``), operators by their registration (``methods``).
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minitorch import autograd, backend, dtypes, engine, ops
from minitorch.engine import Leaf, wrap
from minitorch.exchange import Exchange
from minitorch.facts import Facts, Size
from minitorch.literals import legacy_array
from minitorch.operators import Operators
from minitorch.views import node_of


class Handle:
    """What ``register_hook`` returns: ``remove()`` takes the hook away."""

    _next = 0

    def __init__(self, hooks: dict[int, Any]) -> None:
        Handle._next += 1
        self.id, self.hooks = Handle._next, hooks

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class _Named(type):
    """Classes that print under PyTorch's name, as dtypes do: ``<class 'torch.Tensor'>``."""

    def __repr__(cls) -> str:
        home = "torch" if cls.__module__ == __name__ else cls.__module__
        return f"<class '{home.replace('minitorch', 'torch')}.{cls.__qualname__}'>"


class Tensor(Operators, Exchange, Facts, metaclass=_Named):
    """An n-dimensional array that can remember how it was computed.

    ``Tensor(2, 3)`` is uninitialised (here: zeros), ``Tensor([1, 2])`` float32, as in PyTorch's
    legacy constructor; ``minitorch.tensor`` is the one to use. The bare array is ``.array``.
    """

    def __init__(self, *data: Any, device: Any = None) -> None:
        to = backend.CPU if device is None else backend.device(device)
        self.array = backend.move(legacy_array(data, dtypes.default(), any_dtype=True), to)
        alias = data and isinstance(data[0], engine.Tensor)
        self.version = data[0].version if alias else [0]

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...  # functions and operators

    # -- its place in the graph --------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        return node_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not self.is_leaf:
            if not value:
                raise RuntimeError("you can only change requires_grad flags of leaf variables. If "
                                   "you want to use a computed variable in a subgraph that doesn't "
                                   "require differentiation use var_no_grad = var.detach().")
            return
        if value and self.array.dtype.kind != "f":
            raise RuntimeError(f"only Tensors of floating point dtype can require gradients, not "
                               f"{self.dtype}; convert it first, as in x.float()")
        if value != (self.node is not None):
            self.node = Leaf(self) if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient (or not), in place."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        node = node_of(self)
        return node is None or isinstance(node, Leaf)

    @property
    def grad_fn(self) -> Any:
        """The node that made this tensor; None for leaves."""
        return None if self.is_leaf else self.node

    @property
    def grad(self) -> Tensor | None:
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, engine.Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got "
                                f"{type(value).__name__}")
            if value.array.shape != self.array.shape:
                raise RuntimeError(f"assigned grad has data of a different size: "
                                   f"{list(value.array.shape)} for {list(self.array.shape)}")
            if value.array.dtype != self.array.dtype:
                raise RuntimeError(f"assigned grad has data of a different type: {value.dtype} "
                                   f"for {self.dtype}")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph; writes still count as modifications."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, engine.Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        # What the graph has saved keeps the old memory and its counter.
        self.array, self.version, self.alias_of = value.array, value.version, None

    def detach(self) -> Tensor:
        """The same memory outside the graph."""
        out = wrap(self.array)
        out.version = self.version
        return out

    def detach_(self) -> Tensor:
        """Leave the graph, in place."""
        if self.alias_of is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self.node = None
        return self

    @property
    def _base(self) -> Tensor | None:
        return None if self.alias_of is None else self.alias_of.base  # type: ignore

    def _is_view(self) -> bool:
        return self.alias_of is not None

    def backward(self, gradient: Tensor | None = None, retain_graph: bool | None = None,
                 create_graph: bool = False, inputs: Any = None) -> None:
        """Add the gradient of this tensor to the ``.grad`` of every leaf it depends on."""
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Keep ``.grad`` here too, although this tensor is not a leaf."""
        node = node_of(self)
        if node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not self.is_leaf:
            node.retained = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        return not self.is_leaf and self.node is not None and self.node.retained is not None

    def register_hook(self, hook: Callable[[Any], Any]) -> Handle:
        """Call ``hook(gradient)`` in backward; what it returns replaces the gradient."""
        node = node_of(self)
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if node.hooks is None:
            node.hooks = {}
        handle = Handle(node.hooks)
        node.hooks[handle.id] = hook
        return handle

    # -- copying and pickling: of leaves only, as in PyTorch ---------------------------------

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support "
                               "the deepcopy protocol at the moment. Use .detach().clone().")
        out = type(self).__new__(type(self))
        memo[id(self)] = out
        out.__dict__.update({k: copy.deepcopy(v, memo) for k, v in self.__dict__.items()
                             if k not in ("array", "node", "version", "alias_of", "epoch")})
        out.array, out.version = self.array.copy(), [0]
        out.node = Leaf(out) if self.node is not None else None
        return out

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise RuntimeError("Cowardly refusing to serialize non-leaf tensor which "
                               "requires_grad. Use .detach() first.")
        array = self.array if self.is_sparse else self.detach().numpy(force=True)
        return _restore, (type(self), array, self.requires_grad)


def _restore(cls: Any, array: Any, requires_grad: bool) -> Any:
    out = cls.__new__(cls)
    out.array, out.version = array, [0]
    out.requires_grad = requires_grad
    return out


engine.Tensor.public = Tensor
engine.Tensor.words = ops
__all__ = ["Handle", "Size", "Tensor"]
