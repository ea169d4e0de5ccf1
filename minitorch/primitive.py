"""``@primitive``: an operator is a forward and, beside it, one rule per differentiable input.

    @primitive(x=lambda xp, g, y: g * y,
               y=lambda xp, g, x: g * x)
    def multiply(xp, x, y):
        return xp.multiply(x, y)

A rule's parameter names say what the graph keeps: an argument by its name (``x``), its shape
(``x_shape``), the result (``out``), or a by-product of the forward listed in ``extras``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import anomaly, backend
from minitorch.coo import Coo
from minitorch.engine import Node, Tensor, is_array, wrap
from minitorch.kernels.cuda import cells
from minitorch.modes import modes
from minitorch.operands import convert, one_device, read_sparsely, refuse_mismatch
from minitorch.views import View, refresh

registry: dict[str, Primitive] = {}
ndarray = np.ndarray


class Plan:
    """What a call saves when a given set of its inputs needs gradients; made once, kept."""

    def __init__(self, op: Primitive, positions: tuple[int, ...]) -> None:
        self.op = op
        self.positions = positions
        asked = [[op.source(name, i) for name in op.needs[i]] for i in map(op.slot, positions)]
        asked = [[s if s[0] != "place" else ("place", i - op.arity + 1) for s in sources]
                 for i, sources in zip(positions, asked)]
        wanted = list(dict.fromkeys(s for sources in asked for s in sources))
        if op.extras and not op.constant and any(kind == "extra" for kind, _ in wanted):
            # Recording the backward pass computes by-products again, from all arguments.
            wanted += [("arg", i) for i in range(op.arity) if ("arg", i) not in wanted]
        self.wanted = tuple(wanted)
        self.rules = tuple((op.rules[op.slot(i)], tuple(wanted.index(s) for s in sources))
                           for i, sources in zip(positions, asked))
        self.parts = tuple(op.parameters[op.slot(i)] for i in positions)

    def save(self, node: Node, args: Sequence[Any], arrays: Sequence[Any], out: Tensor,
             extras: Sequence[Any]) -> None:
        node.edges = tuple([args[i].node for i in self.positions])
        node.inputs = tuple([(args[i].array.shape, args[i].array.dtype) for i in self.positions])
        saved, versions = [], []
        for kind, i in self.wanted:
            if kind == "arg":
                x = arrays[i]
                saved.append(x)
                if isinstance(args[i], Tensor) and x is args[i].array:
                    versions.append((args[i].version, args[i].version[0], self.op.parameters[i]))
            elif kind == "out":
                saved.append(out.array)
                versions.append((out.version, 0, "out"))
            elif kind == "shape":
                saved.append(arrays[i].shape)
            elif kind == "args":
                saved.append(tuple(arrays[i:]))
                versions += [(x.version, x.version[0], self.op.parameters[i])
                             for x in args[i:] if isinstance(x, Tensor)]
            elif kind == "shapes":
                saved.append(tuple([x.shape for x in arrays[i:]]))
            elif kind == "extra":
                saved.append(extras[i])
            else:  # "place": which of the variadic inputs
                saved.append(i)
        node.saved = tuple(saved)
        node.versions = tuple(versions)

    def tensors(self, node: Node) -> list[Any]:
        """The saved values as Tensors with their history, for a backward pass that is recorded."""
        edges = dict(zip(self.positions, node.edges))
        saved = dict(zip(self.wanted, node.saved or ()))
        out: list[Any] = []
        extras: Sequence[Any] | None = None
        for (kind, i), value in zip(self.wanted, node.saved or ()):
            if kind == "extra" and value.dtype.kind == "f" and not self.op.constant:
                if extras is None:
                    args = [saved["arg", k] for k in range(self.op.arity)]
                    args = [wrap(a, edges.get(k)) if is_array(a) else a
                            for k, a in enumerate(args)]
                    extras = self.op.forward(Tensor.words, *args)[1:]
                out.append(extras[i])
            elif kind == "args":
                out.append(tuple([wrap(a, edges.get(i + k)) for k, a in enumerate(value)]))
            elif is_array(value):
                out.append(wrap(value, node if kind == "out" else
                                edges.get(i) if kind == "arg" else None))
            else:
                out.append(value)
        return out


class Primitive:
    """A registered operator; calling it runs the forward and records what its rules need."""

    def __init__(self, forward: Callable[..., Any], rules: dict[str, Callable[..., Any]], *,
                 promote: str = "", view: bool = False, extras: Sequence[str] = (),
                 constant: bool = False, shown: Any = None, law: str | None = None,
                 domain: dict[str, str] | None = None, like: str | None = None,
                 aliases: Sequence[str] = (), result: Callable[..., Any] | None = None) -> None:
        self.forward = forward
        self.name = self.__name__ = forward.__name__.strip("_")
        self.__doc__, self.__module__ = forward.__doc__, forward.__module__
        found = list(inspect.signature(forward).parameters.values())[1:]
        self.variadic = found[-1].kind is inspect.Parameter.VAR_POSITIONAL
        self.parameters = tuple(p.name for p in found)
        self.defaults = tuple(p.default for p in found)
        self.arity = len(found)
        self.promote, self.view, self.extras, self.constant = promote, view, tuple(extras), constant
        self.law, self.domain, self.like, self.aliases = law, domain or {}, like, tuple(aliases)
        self.operands = [i for i, name in enumerate(self.parameters) if name in ("x", "y")]
        self.result = result
        self.rules = {self.parameters.index(name): rule for name, rule in rules.items()}
        self.needs = {i: tuple(inspect.signature(rule).parameters)[2:]
                      for i, rule in self.rules.items()}
        for i, names in self.needs.items():
            for name in names:
                self.source(name, i)  # a misspelt name is an error here, not at backward
        text = "".join(w.capitalize() for w in self.name.split("_")) + "Backward0"
        self.shown = shown if callable(shown) else lambda node, text=shown or text: text
        self.plans: dict[tuple[int, ...], Plan] = {}

    def slot(self, position: int) -> int:
        """The parameter that an argument position belongs to (the last one may be variadic)."""
        return min(position, self.arity - 1)

    def source(self, name: str, i: int) -> tuple[str, int]:
        """Where a value that a rule asks for comes from."""
        if name == "out":
            return "out", 0
        if self.variadic and name == self.parameters[-1]:
            return "args", self.arity - 1
        if name in self.parameters:
            return "arg", self.parameters.index(name)
        if name.endswith("_shape") and name[:-6] in self.parameters:
            return "shape", self.parameters.index(name[:-6])
        if name in self.extras:
            return "extra", self.extras.index(name)
        if self.variadic and name == "shapes":
            return "shapes", self.arity - 1
        if self.variadic and name == "place":
            return "place", 0
        raise TypeError(f"the rule for '{self.parameters[i]}' of '{self.name}' asks for '{name}': "
                        f"not one of {self.parameters}, NAME_shape, out, {self.extras}")

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments by position; PyTorch's and NumPy's keyword spellings are understood."""
        if len(args) > self.arity:
            raise TypeError(f"{self.name}() takes at most {self.arity} arguments {self.parameters}"
                            f", got {len(args)}")
        values = dict(zip(self.parameters, args))
        for name, value in kwargs.items():
            if name not in self.parameters:
                name = self.respell(name)
            if name in values:
                raise TypeError(f"{self.name}() got multiple values for argument '{name}'")
            values[name] = value
        for name, default in zip(self.parameters, self.defaults):
            if values.setdefault(name, default) is inspect.Parameter.empty:
                raise TypeError(f"{self.name}() missing 1 required positional argument: '{name}'")
        return tuple(values[name] for name in self.parameters)

    def respell(self, name: str) -> str:
        known = {"input": 0, "self": 0, "other": 1, "axis": "dim", "keepdims": "keepdim",
                 "exponent": 1, "mat2": 1, "tensor2": 1, "vec": 1, "target": 1}.get(name)
        if isinstance(known, int) and known < self.arity:
            known = self.parameters[known]
        if known not in self.parameters:
            raise TypeError(f"{self.name}() got an unexpected keyword argument '{name}'; "
                            f"it takes {self.parameters}")
        return str(known)

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        """As a class attribute, a method of Tensor."""
        return self if owner is None else Method(self, owner)

    def __repr__(self) -> str:
        return f"<operator {self.name}({', '.join(self.parameters)})>"

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if (kwargs or len(args) != self.arity) and not self.variadic:
            args = self.bind(args, kwargs)
        arrays: list[Any] = []
        needing: tuple[int, ...] = ()
        first = None
        mixed = False
        for i, x in enumerate(args):
            if isinstance(x, Tensor):
                if x.alias_of is not None:
                    refresh(x)
                if x.node is not None and (i in self.rules or (self.variadic and i >= self.arity)):
                    needing += (i,)
                if first is None:
                    first = x
                elif type(x.array) is not type(first.array):
                    mixed = True
                arrays.append(x.array)
            elif hasattr(x, "__dlpack__") and not backend.is_own(x):
                arrays.append(backend.from_dlpack(x))  # another library's tensor: a constant
                if first is None:
                    first = wrap(arrays[-1])
            else:
                arrays.append(x)
        if first is None:
            raise TypeError(f"{self.name}(): argument '{self.parameters[0]}' must be Tensor, not "
                            f"{type(args[0]).__name__}")
        if mixed:
            together = one_device(self, args, arrays, registry["transfer"])
            if together is not None:
                return self(*together, out=out)
        if type(first.array) is ndarray:
            xp, forward = backend.numpy_words, self.forward
        else:
            xp = backend.namespace(first.array)
            forward = cells.cell(self.name, "forward", self.forward)
        if self.promote:
            convert(self, arrays)
        try:
            array = forward(xp, *arrays)
        except (ValueError, TypeError, NotImplementedError) as error:
            refuse_mismatch(self, arrays, error)
            array = read_sparsely(self, arrays, error)
        extras: Sequence[Any] = ()
        if self.extras:
            array, *extras = array
        if type(array) is not type(first.array):
            if isinstance(array, np.generic) or not (type(array) is Coo or backend.is_own(array)):
                array = xp.asarray(array)  # NumPy turns 0-d results into scalars
        y = wrap(array)
        if self.view and (array.base is not None or array is first.array):
            alias(self, y, first, args)
        if needing and modes.grad and array.dtype.kind == "f":
            plan = self.plans.get(needing)
            if plan is None:
                plan = self.plans[needing] = Plan(self, needing)
            node = y.node = Node(self, plan)
            plan.save(node, args, arrays, y, extras)
            if modes.anomaly:
                node.trace = anomaly.Trace(self, arrays, array)
        if self.result is not None:
            return self.result(y, *extras)
        if out is not None:
            return out.receive(y)
        return (y, *extras) if self.extras else y


class Method:
    """An operator bound to its first tensor."""

    __slots__ = ("op", "owner")

    def __init__(self, op: Primitive, owner: Any) -> None:
        self.op, self.owner = op, owner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.op(self.owner, *args, **kwargs)


def alias(op: Primitive, y: Tensor, x: Tensor, args: tuple[Any, ...]) -> None:
    """``y`` sees the memory of ``x``: share the version, remember the way from the base."""
    if not backend.share_memory(y.array, x.array):
        return  # a copy after all: index arrays and masks make one
    y.version = x.version
    base, steps = (x, ()) if x.alias_of is None else (x.alias_of.base, x.alias_of.steps)
    y.alias_of = View(base, (*steps, (op, args[1:])))


def primitive(promote: str = "", view: bool = False, extras: Sequence[str] = (),
              constant: bool = False, shown: Any = None, law: str | None = None,
              domain: dict[str, str] | None = None, like: str | None = None,
              aliases: Sequence[str] = (), result: Callable[..., Any] | None = None,
              **rules: Callable[..., Any]) -> Callable[[Callable[..., Any]], Primitive]:
    """Register the decorated forward as an operator, with one rule per differentiable input.

    ``promote``: how the operands ``x, y`` are converted ("same", "float", "floating",
    "number" or not at all: see ``convert``). ``view``: the result shares memory. ``extras``: names
    of by-products that the forward returns after its result; ``constant`` if they carry no
    derivative (indices). ``shown``: the name in ``grad_fn``. ``law``: shapes in
    gufunc notation. ``domain``: where an input is smooth. ``like``: the torch
    function it equals, if not of the same name.
    """
    def register(forward: Callable[..., Any]) -> Primitive:
        op = Primitive(forward, rules, promote=promote, view=view, extras=extras,
                       constant=constant, shown=shown, law=law, domain=domain, like=like,
                       aliases=aliases, result=result)
        registry[op.name] = op
        return op
    return register
