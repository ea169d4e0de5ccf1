"""The engine: tensors that remember how they were made, and the walk back.

Calling an operator on tensors that need gradients leaves a ``Node``: the operator's rules, the
values they name, and the nodes its inputs came from. ``backpropagate`` walks the nodes newest
first; each rule pulls the cotangent ``g`` of the output back to one input.

Rules are written against a namespace ``xp``. Read with array functions they give plain numbers;
read with ``minitorch.ops``, the same words on Tensors, the backward pass is itself recorded, and
can be differentiated again.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import anomaly, backend
from minitorch.coo import Coo
from minitorch.errors import advised
from minitorch.kernels.cuda import cells
from minitorch.modes import modes, set_grad_enabled

if TYPE_CHECKING:
    from minitorch.primitive import Plan, Primitive
    from minitorch.views import View

Array = Any  # numpy.ndarray or cupy.ndarray
_clock = itertools.count()  # creation order is a topological order


class Tensor:
    """An array and its place in the graph; ``minitorch.Tensor`` adds PyTorch's spellings."""

    public: type[Any]  # the class that operators return: minitorch.Tensor
    words: Any  # minitorch.ops, the vocabulary of rules on Tensors

    array: Array
    version: list[int]  # counts writes; one counter for all tensors that share the memory
    node: Node | None = None  # what made it, or its Leaf; None where no gradient is wanted
    alias_of: View | None = None  # how it was read off the tensor whose memory it shares
    epoch = 0  # how often a recorded in-place write gave it a new history
    turns = 0  # how often it was reshaped in place
    _grad: Any = None


def wrap(array: Array, node: Node | None = None) -> Any:
    """A public Tensor around ``array``, without a copy."""
    t: Any = object.__new__(Tensor.public)
    t.array = array
    t.version = [0]
    if node is not None:
        t.node = node
    return t


class Node:
    """One recorded call of an operator."""

    __slots__ = (
        "__weakref__",
        "edges",
        "hooks",
        "inputs",
        "label",
        "op",
        "order",
        "plan",
        "retained",
        "saved",
        "trace",
        "versions",
    )

    def __init__(self, op: Primitive | None, plan: Plan | None) -> None:
        self.order = next(_clock)
        self.op = op
        self.plan = plan
        self.edges: tuple[Node | None, ...] = ()  # per rule: the node of that input
        self.inputs: tuple[Any, ...] = ()  # per rule: shape and dtype of that input
        self.saved: tuple[Any, ...] | None = ()  # the values that the rules name
        self.versions: tuple[Any, ...] = ()  # (counter, its value when saved, name)
        self.hooks: dict[int, Callable[..., Any]] | None = None
        self.trace: anomaly.Trace | None = None
        self.retained: Any = None  # weak reference to the output, after retain_grad()

    def name(self) -> str:
        return getattr(self, "label", "") or self.plan.op.shown(self)  # type: ignore[union-attr]

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        if self.plan is None:
            return tuple((edge, 0) for edge in self.edges)
        slots = list(self.op.rules)  # type: ignore[union-attr]  # listed as the rules are
        pairs = sorted(zip(self.plan.positions, self.edges),
                       key=lambda pair: slots.index(self.op.slot(pair[0])))  # type: ignore
        return tuple((edge, 0) for _, edge in pairs)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    def kept(self, parameter: str) -> Any:
        """The saved argument of that name; None if the rules did not ask for it."""
        source = "arg", self.op.parameters.index(parameter)  # type: ignore[union-attr]
        return dict(zip(self.plan.wanted, self.saved or ())).get(source)  # type: ignore

    def release(self) -> None:
        """Drop the saved arrays; a node that keeps only shapes can be walked again."""
        if any(is_array(v) or (type(v) is tuple and v and is_array(v[0]))
               for v in self.saved or ()):
            self.saved, self.versions = None, ()

    def check_saved(self) -> None:
        """Raise when what the rules need is gone, or no longer what the forward pass saw."""
        name = self.op.name if self.op else self.name()
        if self.saved is None:
            raise advised(RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved "
                "tensors after they have already been freed). Saved intermediate values of the "
                "graph are freed when you call .backward() or autograd.grad(). Specify "
                "retain_graph=True if you need to backward through the graph a second time or if "
                "you need to access saved tensors after calling backward."),
                f"The values that '{name}' saved were freed by the first backward().")
        for counter, before, what in self.versions:
            if counter[0] != before:
                raise RuntimeError(
                    f"one of the variables needed for gradient computation has been modified by "
                    f"an inplace operation: '{name}' saved its '{what}' at version {before}, and "
                    f"it is now at version {counter[0]}. Write a new tensor instead, or modify it "
                    f"before it is used." + anomaly.blame(self.trace, counter))

    def pull(self, g: Any, record: bool) -> Iterable[tuple[Node, Any]]:
        """The cotangent of each input, by its rule; broadcasting and promotion are undone."""
        plan: Any = self.plan
        saved: Any = plan.tensors(self) if record else self.saved
        xp = Tensor.words if record else backend.namespace(g)
        rules = plan.rules
        if xp is not backend.numpy_words and not record:
            rules = [(cells.cell(plan.op.name, part, rule), picks)
                     for part, (rule, picks) in zip(plan.parts, rules)]
        for edge, (shape, dtype), (rule, picks) in zip(self.edges, self.inputs, rules):
            if edge is None:
                continue
            out = rule(xp, g, *[saved[i] for i in picks])
            if out is None:
                continue
            if isinstance(out, np.generic):
                out = np.asarray(out)  # NumPy turns 0-d results into scalars
            if out.shape != shape:
                out = unbroadcast(xp, out, shape)
            if (out.array if record else out).dtype != dtype:
                out = xp.cast(out, dtype)
            if type(edge) is Leaf and not record and (
                    out is g or out.base is not None or any(out is s for s in saved)):
                out = out.copy()  # a leaf owns its gradient; elsewhere gradients are shared values
            yield edge, out


def shown_as(name: str, y: Any) -> Any:
    """Let a result of several operators name itself in ``grad_fn`` as PyTorch's single one does."""
    if y.node is not None:
        y.node.label = name
    return y


class Leaf(Node):
    """Where cotangents end and ``.grad`` is written. Holds its tensor weakly: no cycle."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(None, None)
        self.tensor = weakref.ref(tensor)

    def name(self) -> str:
        return "AccumulateGrad"

    @property
    def variable(self) -> Any:
        return self.tensor()

    def accumulate(self, g: Any, record: bool) -> None:
        x = self.tensor()
        if x is None:
            return
        if x._grad is None:
            x._grad = g if record else wrap(g.copy() if type(g) is Coo else g)
        elif record or x._grad.node is not None or not x._grad.array.flags.writeable:
            x._grad = x._grad + (g if record else wrap(g))
        else:
            if type(g) is Coo and type(x._grad.array) is not Coo:
                g.add_to(x._grad.array)
            else:
                x._grad.array += g
            x._grad.version[0] += 1


def unbroadcast(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the axes that broadcasting added or stretched, back to ``shape``."""
    extra = len(g.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    if axes:
        g = xp.sum(g, axes, True) if xp is backend.numpy_words else cells.sums(xp, g, axes)
    return xp.reshape(g, shape)


def history(roots: Sequence[Node]) -> list[Node]:
    """Every node that the roots depend on, newest first."""
    seen = {root: None for root in roots}
    todo = list(seen)
    while todo:
        for edge in todo.pop().edges:
            if edge is not None and edge not in seen:
                seen[edge] = None
                todo.append(edge)
    return sorted(seen, key=lambda node: node.order, reverse=True)


def on_the_way_to(targets: Iterable[Node], nodes: list[Node]) -> set[Node]:
    """Those of ``nodes`` (newest first) through which a cotangent can reach a target."""
    needed = set(targets)
    for node in reversed(nodes):
        if not needed.isdisjoint(node.edges):
            needed.add(node)
    return needed


def backpropagate(roots: Sequence[tuple[Node, Any]], *, targets: Sequence[Node] | None = None,
                  retain_graph: bool = False, create_graph: bool = False) -> dict[Node, Any]:
    """Carry the roots' cotangents back; return those of ``targets``, or fill leaves' ``.grad``.

    ``roots`` pairs nodes with Tensors. With ``create_graph`` the pass is recorded. Raises
    RuntimeError where a saved value was freed or modified; leaves are written last, so nothing
    has changed by then.
    """
    nodes = history([node for node, _ in roots])
    needed = None if targets is None else on_the_way_to(targets, nodes)
    for node in nodes:  # before anything is freed or written
        if not isinstance(node, Leaf) and (needed is None or node in needed):
            node.check_saved()
    if modes.anomaly:
        anomaly.check_forward(nodes)
    pending: dict[Node, Any] = {}
    for node, g in roots:
        g = g if create_graph else g.array
        if type(node) is Leaf and not create_graph:
            g = g.copy()
        pending[node] = pending[node] + g if node in pending else g
    found: dict[Node, Any] = {}
    leaves: list[tuple[Leaf, Any]] = []
    with set_grad_enabled(create_graph):
        for node in nodes:
            g = pending.pop(node, None)
            if g is None or (needed is not None and node not in needed):
                continue
            if isinstance(g, np.generic):
                g = np.asarray(g)  # two 0-d arrays add up to a scalar
            if node.hooks is not None:
                g = run_hooks(node, g, create_graph)
            if targets is not None and node in targets:
                found[node] = g if create_graph else wrap(g)
            retained = node.retained and node.retained()
            if retained is not None and targets is None:
                kept = g if create_graph else wrap(g.copy())
                retained._grad = kept if retained._grad is None else retained._grad + kept
            if isinstance(node, Leaf):
                if targets is None:
                    leaves.append((node, g))
                continue
            for edge, out in node.pull(g, create_graph):
                if modes.anomaly:
                    anomaly.check_rule(node, out, nodes)
                pending[edge] = out + pending[edge] if edge in pending else out
            if not retain_graph:
                node.release()
    for leaf, g in leaves:
        leaf.accumulate(g, create_graph)
    return found


def run_hooks(node: Node, g: Any, record: bool) -> Any:
    """Show the cotangent to the hooks; what a hook returns replaces it."""
    for hook in list((node.hooks or {}).values()):
        seen = g if record else wrap(g)
        new = hook(seen)
        if new is not None:
            if not isinstance(new, Tensor) or new.array.shape != seen.array.shape:
                raise RuntimeError(f"a hook must return None or a Tensor of the gradient's shape "
                                   f"{tuple(seen.array.shape)}, got {new!r}")
            g = new if record else new.array.copy()
    return g


def is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) or hasattr(x, "__cuda_array_interface__")
