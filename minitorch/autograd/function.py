"""``Function``: an operator with a derivative written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minitorch import backend
from minitorch.engine import Leaf, Node, Tensor, wrap
from minitorch.modes import modes, no_grad
from minitorch.views import refresh


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
        given: Any = next(iter(g.values()))
        xp = backend.namespace(getattr(given, "array", given))  # where the outputs are
        gs = []
        for i, (shape, dt) in enumerate(self.outputs):
            part = g.get(i)
            if part is None and self.ctx._materialize:
                part = xp.zeros(shape, dt)
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
            if not record:  # a leaf owns its gradient; elsewhere gradients are shared values
                p = p.array.copy() if type(edge) is Leaf else p.array
            yield edge, p


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
