"""Every operator's result, every gradient and every parameter after a step, as a program runs.

PyTorch shows the calls of its public functions and methods to a ``TorchFunctionMode``; minitorch's
functions of the same names are wrapped for the duration. What a function calls in turn is not
shown by either, so that both engines give the same names in the same order however they compute.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitorch.testing.outcome import flat

# Results that hold no numbers yet, or nothing but the program's own data.
SILENT = {"empty", "empty_like", "new_empty", "from_numpy", "as_tensor", "detach", "detach_",
          "requires_grad_"}
OPERATORS = {
    "add": "add", "radd": "add", "iadd": "add_", "sub": "sub", "rsub": "rsub", "isub": "sub_",
    "mul": "mul", "rmul": "mul", "imul": "mul_", "div": "div", "truediv": "div", "rdiv": "rdiv",
    "rtruediv": "rdiv", "itruediv": "div_", "floordiv": "floordiv", "mod": "remainder",
    "pow": "pow", "rpow": "rpow", "ipow": "pow_", "matmul": "matmul", "rmatmul": "rmatmul",
    "neg": "neg", "abs": "abs", "invert": "invert", "eq": "eq", "ne": "ne", "lt": "lt", "le": "le",
    "gt": "gt", "ge": "ge", "and": "and", "or": "or", "xor": "xor", "getitem": "getitem",
    "setitem": "setitem"}
SAME = {"multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div",
        "negative": "neg", "absolute": "abs", "greater": "gt", "less": "lt", "mm": "matmul",
        # initialisers that PyTorch shows as what they call
        "xavier_uniform_": "uniform_", "xavier_normal_": "normal_", "kaiming_normal_": "normal_",
        "zeros_": "zero_", "ones_": "fill_", "constant_": "fill_"}


def canonical(name: str) -> str:
    """One name for what either engine calls ``__radd__``, ``add`` or ``__add__``."""
    if name.startswith("__") and name.endswith("__"):
        return OPERATORS.get(name[2:-2], "")
    return SAME.get(name, name)


@dataclass(eq=False)
class Call:
    """One call of an operator."""

    name: str
    number: int  # from 0 on, through the program
    step: int  # how many optimizer steps came before

    def __str__(self) -> str:
        return f"{self.name} (operator {self.number})"


@dataclass(eq=False)
class Quantity:
    """An array that can be compared: of which kind, and of which call."""

    kind: str  # "result", "argument", "gradient", "parameter"
    call: Call
    part: tuple[Any, ...]  # which result, argument, or parameter; for gradients, which in turn
    array: Any
    by: list[tuple[Call, int]] = field(default_factory=list)  # calls that pulled a gradient back
    leaf: bool = False  # the gradient of a leaf

    @property
    def key(self) -> tuple[Any, ...]:
        return self.kind, self.call, self.part

    def __str__(self) -> str:
        if self.kind == "parameter":
            return f"parameter {self.part[0]} after {self.call.name}"
        if self.kind == "argument":
            return (f"argument {self.part[0]} of {self.call}, which no recorded operator made: "
                    f"data, or a random stream")
        if self.kind == "result":
            return f"result of {self.call}"
        what = ("the leaf from" if self.leaf else "the result of" if self.part[0] == "result" else
                f"argument {self.part[1]} of")
        rules = " and ".join(f"{call} to its argument {i}" for call, i in self.by)
        return f"gradient of {what} {self.call}" + (f", pulled back by {rules}" if rules else "")


@dataclass(eq=False)
class Origin:
    """Where a tensor came from, and what has used it since its last gradient."""

    call: Call
    part: tuple[Any, ...]
    users: list[tuple[Call, int]] = field(default_factory=list)
    gradients: int = 0


class Enough(BaseException):
    """Stops a program that has run as many steps or operators as asked."""


class Recorder:
    """Passes each quantity of one run to ``see``; before, ``nudge`` may change new results and
    gradients (said by its second argument) in place."""

    def __init__(self, see: Callable[[Quantity], None], steps: int, operators: int,
                 nudge: Callable[[Any, bool], None] | None = None) -> None:
        self.see, self.steps, self.operators, self.nudge = see, steps, operators, nudge
        self.calls: list[Call] = []
        self.origins: dict[int, tuple[Origin, Any]] = {}  # by id; the tensors, so that ids stay
        self.listening: set[int] = set()  # the leaves that have a hook
        self.step = self.depth = self.optimized = 0

    def call(self, function: Callable[..., Any], name: str, args: tuple[Any, ...],
             kwargs: dict[str, Any]) -> Any:
        """Call ``function`` and record it, unless within another."""
        if self.depth:
            return function(*args, **kwargs)
        self.depth += 1
        try:
            if not name or name in SILENT:
                return function(*args, **kwargs)
            given = flat([*args, *kwargs.values()])
            new = [(i, x, numbers(x)) for i, x in enumerate(given) if self.origin(x) is None]
            out = function(*args, **kwargs)
            results = flat([args[0]] if name == "setitem" else out)
            if not results:
                return out
            call = Call(name, len(self.calls), self.step)
            self.calls.append(call)
            for i, x, array in new:
                if not any(x is y for y in results):
                    self.see(Quantity("argument", call, (i,), array))
                    self.mark(x, Origin(call, ("argument", i)))
            for i, x in enumerate(given):
                if (origin := self.origin(x)) is not None:
                    origin.users.append((call, i))
                    if x.is_leaf:
                        self.listen(x, origin)
            for i, y in enumerate(results):
                written = any(y is x for x in given)
                if self.nudge is not None and (written or not any(share(y, x) for x in given)):
                    self.nudge(y, False)
                self.see(Quantity("result", call, (i,), numbers(y)))
                self.mark(y, Origin(call, ("result", i)))
        finally:
            self.depth -= 1
        if len(self.calls) >= self.operators:
            raise Enough
        return out

    def origin(self, x: Any) -> Origin | None:
        return self.origins[id(x)][0] if id(x) in self.origins else None

    def mark(self, x: Any, origin: Origin) -> None:
        """Remember where a tensor came from, and listen for its gradient."""
        self.origins[id(x)] = origin, x
        self.listen(x, origin)

    def listen(self, x: Any, origin: Origin) -> None:
        if not x.requires_grad or id(x) in self.listening:
            return
        if x.is_leaf:  # it keeps its hook when it is written to; another tensor begins anew
            self.listening.add(id(x))

        def arrived(g: Any) -> Any:
            now = self.origin(x) if x.is_leaf else origin
            assert now is not None
            now.gradients += 1
            self.depth += 1  # what follows is no part of the program
            if self.nudge is not None:
                g = g.clone()
                self.nudge(g, True)
            self.see(Quantity("gradient", now.call, (*now.part, now.gradients), numbers(g),
                              list(dict.fromkeys(now.users)), x.is_leaf))
            self.depth -= 1
            if x.is_leaf:
                now.users = []  # later gradients come from later uses
            return g if self.nudge is not None else None
        x.register_hook(arrived)

    def before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self.depth += 1

    def after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """The parameters that an optimizer has moved."""
        call = Call(f"{type(optimizer).__name__}.step()", self.optimized, self.step)
        self.optimized += 1
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for i, p in enumerate(parameters):
            self.see(Quantity("parameter", call, (i,), numbers(p)))
        self.depth -= 1
        self.step += 1
        if self.step >= self.steps:
            raise Enough


def numbers(x: Any) -> Any:
    """A copy of a tensor's values."""
    x = x.detach()
    return np.array((x.to_dense() if x.is_sparse else x).numpy())


def share(x: Any, y: Any) -> bool:
    """Whether two tensors may share memory."""
    if x.is_sparse or y.is_sparse:
        return False
    return bool(np.may_share_memory(x.detach().numpy(), y.detach().numpy()))


@contextmanager
def recording(torch: Any, recorder: Recorder) -> Iterator[None]:
    """Within the ``with`` block, the engine's calls and steps go to the recorder."""
    optim = importlib.import_module(f"{torch.__name__}.optim.optimizer")
    hooks = [optim.register_optimizer_step_pre_hook(recorder.before_step),
             optim.register_optimizer_step_post_hook(recorder.after_step)]
    loader = importlib.import_module(f"{torch.__name__}.utils.data").DataLoader
    batches = loader.__iter__
    loader.__iter__ = lambda self: unwatched(recorder, batches(self))
    try:
        with watched_torch(recorder) if torch.__name__ == "torch" else watched(torch, recorder):
            yield
    finally:
        loader.__iter__ = batches
        for hook in hooks:
            hook.remove()


def unwatched(recorder: Recorder, batches: Iterator[Any]) -> Iterator[Any]:
    """The batches of a DataLoader: how it makes them is its own affair."""
    while True:
        recorder.depth += 1
        try:
            batch = next(batches)
        except StopIteration:
            return
        finally:
            recorder.depth -= 1
        yield batch


def watched_torch(recorder: Recorder) -> AbstractContextManager[Any]:
    overrides = importlib.import_module("torch.overrides")

    class Watch(overrides.TorchFunctionMode):  # type: ignore[name-defined]
        def __torch_function__(self, function: Any, types: Any, args: Any = (),
                               kwargs: Any = None) -> Any:
            return recorder.call(function, canonical(getattr(function, "__name__", "")), args,
                                 kwargs or {})
    return Watch()


@contextmanager
def watched(minitorch: Any, recorder: Recorder) -> Iterator[None]:
    """minitorch's public functions and methods, those that PyTorch has too, tell the recorder."""
    torch = importlib.import_module("torch")
    replaced: list[tuple[Any, str, Any]] = []
    pairs = [(minitorch, torch), (minitorch.nn.functional, torch.nn.functional),
             (minitorch.nn.init, torch.nn.init),
             *[(cls, torch.Tensor) for cls in minitorch.Tensor.__mro__[:-1]]]
    try:
        for home, twin in pairs:
            for name, function in list(vars(home).items()):
                if (canonical(name) and (name[0] != "_" or name[:2] == "__") and callable(function)
                        and not isinstance(function, type) and hasattr(twin, name)):
                    setattr(home, name, telling(recorder, function, canonical(name)))
                    replaced.append((home, name, function))
        yield
    finally:
        for home, name, function in replaced:
            setattr(home, name, function)


def telling(recorder: Recorder, function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return recorder.call(function, name, args, kwargs)
    call.__name__ = name
    return call
