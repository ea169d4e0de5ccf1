"""Gradients on request: ``backward``, ``grad``, custom ``Function``s, anomaly mode."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import Any

from minitorch import backend
from minitorch.anomaly import detect_anomaly, set_detect_anomaly
from minitorch.engine import Node, Tensor, backpropagate, wrap
from minitorch.errors import advised
from minitorch.modes import (
    enable_grad,
    inference_mode,
    modes,
    no_grad,
    set_grad_enabled,
)
from minitorch.views import refresh

__all__ = ["Function", "Variable", "backward", "detect_anomaly", "enable_grad", "grad",
           "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled"]


def __getattr__(name: str) -> Any:
    """The gradient checkers live upstairs, in ``minitorch.testing``."""
    if name in ("gradcheck", "gradgradcheck"):
        return getattr(importlib.import_module("minitorch.testing.gradcheck"), name)
    raise AttributeError(f"module 'minitorch.autograd' has no attribute '{name}'")


def _sequence(x: Any) -> list[Any]:
    return [x] if isinstance(x, Tensor) or x is None else list(x)


def _roots(outputs: Any, cotangents: Any) -> list[tuple[Node, Any]]:
    """Pair each output's node with its cotangent; raise for what cannot start a backward pass."""
    outputs = _sequence(outputs)
    given = [None] * len(outputs) if cotangents is None else _sequence(cotangents)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    roots = []
    for i, (y, g) in enumerate(zip(outputs, given)):
        refresh(y)
        if y.node is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have "
                               f"a grad_fn")
        if g is None:
            if y.array.size != 1:
                raise advised(
                    RuntimeError("grad can be implicitly created only for scalar outputs"),
                    f"This one has shape {tuple(y.array.shape)}: reduce it first, as in .sum(), or "
                    f"pass the gradient to backward().")
            g = wrap(backend.namespace(y.array).ones_like(y.array))
        elif not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g.array.shape != y.array.shape:
            raise RuntimeError(f"Mismatch in shape: grad_output[{i}] has a shape of "
                               f"{tuple(g.array.shape)} and output[{i}] has a shape of "
                               f"{tuple(y.array.shape)}.")
        if g.array.dtype != y.array.dtype:
            g = wrap(g.array.astype(y.array.dtype), g.node)
        roots.append((y.node, g))
    return roots


def backward(tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None,
             create_graph: bool = False, inputs: Any = None) -> None:
    """Add the gradients of ``tensors`` to the ``.grad`` of every leaf, or only of ``inputs``.

    ``grad_tensors``: the cotangent of each tensor, of its shape; 1 for scalars if not given.

    >>> import minitorch as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    roots = _roots(tensors, grad_tensors)
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        backpropagate(roots, retain_graph=retain, create_graph=create_graph)
        return
    inputs = _sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward` cannot be empty.")
    targets = _targets(inputs)
    found = backpropagate(roots, targets=targets, retain_graph=retain, create_graph=create_graph)
    for x, node in zip(inputs, targets):
        if node in found:
            x._grad = found[node] if x._grad is None else x._grad + found[node]


def _targets(inputs: Sequence[Any]) -> list[Node]:
    for x in inputs:
        refresh(x)
        if x.node is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    return [x.node for x in inputs]


def grad(outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
         create_graph: bool = False, only_inputs: bool = True, allow_unused: bool | None = None,
         is_grads_batched: bool = False, materialize_grads: bool = False) -> tuple[Any, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``; no ``.grad`` is touched.

    Raises RuntimeError for an input that the outputs do not depend on, unless ``allow_unused``
    (then None stands for it) or ``materialize_grads`` (then zeros).

    >>> import minitorch as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (dx,) = torch.autograd.grad(x ** 3, x, create_graph=True)
    >>> torch.autograd.grad(dx, x)
    (tensor(18.),)
    """
    if is_grads_batched:
        raise RuntimeError("is_grads_batched=True is not supported: call grad() once per cotangent")
    roots = _roots(outputs, grad_outputs)
    inputs = _sequence(inputs)
    targets = _targets(inputs)
    found = backpropagate(roots, targets=targets, create_graph=create_graph,
                          retain_graph=create_graph if retain_graph is None else retain_graph)
    out = []
    for x, node in zip(inputs, targets):
        g = found.get(node)
        if g is None and materialize_grads:
            g = wrap(backend.namespace(x.array).zeros_like(x.array))
        elif g is None and not allow_unused:
            raise RuntimeError("One of the differentiated Tensors appears to not have been used "
                               "in the graph. Set allow_unused=True if this is the desired "
                               "behavior.")
        out.append(g)
    return tuple(out)


class _IsTensor(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor)


class Variable(metaclass=_IsTensor):
    """A tensor, as programs older than PyTorch 0.4 spell it; every tensor is a Variable."""

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        if requires_grad and volatile:
            raise ValueError("Variable can't be volatile and require_grad at the same time!")
        return data.detach().requires_grad_(requires_grad)


class _Parts(dict[int, Any]):
    """Cotangents of several outputs of one function, by output number."""

    def __add__(self, other: _Parts) -> _Parts:
        out = _Parts(self)
        for i, g in other.items():
            out[i] = out[i] + g if i in out else g
        return out


class _Context:
    """What a Function's forward leaves for its backward."""

    def __init__(self) -> None:
        self._kept: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True
        self.needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors; backward reads them as ``ctx.saved_tensors``, checked for modification."""
        self._kept = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        return self._kept

    def mark_non_differentiable(self, *tensors: Any) -> None:
        self._constant = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        self._dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        self._materialize = value


class _FunctionNode(Node):
    """A user's Function in the graph: calls its ``backward`` with the outputs' cotangents."""

    __slots__ = ("ctx", "function", "outputs")

    def __init__(self, function: Any, ctx: _Context) -> None:
        super().__init__(None, None)
        self.function, self.ctx = function, ctx
        self.outputs: list[Any] = []  # (shape, dtype) of each

    def name(self) -> str:
        return self.function.__name__ + "Backward"

    def release(self) -> None:
        if self.ctx._kept:
            self.saved, self.versions = None, ()
            self.ctx._kept = ()

    def pull(self, g: Any, record: bool) -> Iterable[tuple[Node, Any]]:
        import numpy as np
        gs = []
        for i, (shape, dt) in enumerate(self.outputs):
            part = g.get(i)
            if part is None and self.ctx._materialize:
                part = np.zeros(shape, dt)
            gs.append(part if part is None or isinstance(part, Tensor) else wrap(part))
        pulled = self.function.backward(self.ctx, *gs)
        pulled = pulled if isinstance(pulled, tuple) else (pulled,)
        if len(pulled) != len(self.edges):
            extra = pulled[len(self.edges):]
            if len(pulled) < len(self.edges) or any(p is not None for p in extra):
                raise RuntimeError(f"function {self.name()} returned an incorrect number of "
                                   f"gradients (expected {len(self.edges)}, got {len(pulled)})")
        for i, (edge, p) in enumerate(zip(self.edges, pulled)):
            if edge is None or p is None:
                continue
            if tuple(p.array.shape) != self.inputs[i][0]:
                raise RuntimeError(f"Function {self.name()} returned an invalid gradient at index "
                                   f"{i} - got {list(p.array.shape)} but expected shape "
                                   f"compatible with {list(self.inputs[i][0])}")
            yield edge, p if record else p.array.copy()


class _OutputNode(Node):
    """One output of a Function: hands its cotangent to the function's node."""

    __slots__ = ("place",)

    def __init__(self, function: _FunctionNode, place: int) -> None:
        super().__init__(None, None)
        self.edges, self.place = (function,), place

    def name(self) -> str:
        return self.edges[0].name()  # type: ignore[union-attr]

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        return self.edges[0].next_functions  # type: ignore[union-attr]

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.name()} object at {id(self):#x}>"

    def release(self) -> None:
        pass

    def pull(self, g: Any, record: bool) -> Iterable[tuple[Node, Any]]:
        yield self.edges[0], _Parts({self.place: g})  # type: ignore[misc]


class Function:
    """An operator with a hand-written derivative: subclass, give ``forward`` and ``backward``.

    >>> import minitorch as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x * x * g
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        raise NotImplementedError("a Function needs a static forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError("a Function needs a static backward(ctx, *grad_outputs)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Call ``forward`` unrecorded and leave a node that will call ``backward``."""
        ctx = _Context()
        for x in args:
            if isinstance(x, Tensor):
                refresh(x)
        nodes = [x.node if isinstance(x, Tensor) else None for x in args]
        ctx.needs_input_grad = tuple(n is not None for n in nodes)
        with no_grad():
            out = cls.forward(ctx, *args)
        if not modes.grad or not any(ctx.needs_input_grad):
            return out
        hub = _FunctionNode(cls, ctx)
        hub.edges = tuple(nodes)
        hub.inputs = tuple((tuple(x.array.shape), x.array.dtype) if isinstance(x, Tensor) else None
                           for x in args)
        outs = list(out) if isinstance(out, tuple) else [out]
        for i, y in enumerate(outs):
            if not isinstance(y, Tensor):
                hub.outputs.append(((), None))
                continue
            hub.outputs.append((y.array.shape, y.array.dtype))
            if any(y is c for c in ctx._constant) or y.array.dtype.kind != "f":
                continue
            if any(y is x for x in args) and not any(y is d for d in ctx._dirty):
                y = wrap(y.array)
                y.version = outs[i].version
            y.node = _OutputNode(hub, i)
            outs[i] = y
        saved = [t for t in ctx._kept if isinstance(t, Tensor)]
        hub.saved = ()
        hub.versions = tuple((t.version, t.version[0], "saved_tensors") for t in saved)
        # An output kept for backward must not keep its own node alive: that is a cycle.
        ctx._kept = tuple(_alias(t) if any(t is y for y in outs) else t for t in ctx._kept)
        return tuple(outs) if isinstance(out, tuple) else outs[0]


def _alias(t: Any) -> Any:
    out = wrap(t.array)
    out.version = t.version
    return out
