"""What a step can reach: the tensors it may write, and the plain values it may go by.

Found from the function's closure, the globals it names, its arguments and default values, and
from there through modules, optimizers, lists, dicts and objects of the user's own classes.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable
from typing import Any

from minitorch import random
from minitorch.engine import Tensor
from minitorch.nn.module import Module
from minitorch.optim.lr_scheduler import LRScheduler
from minitorch.optim.optimizer import Optimizer
from minitorch.plan.notes import HOME

VALUES = (bool, int, float, str, type(None))
OURS = ("minitorch.", "numpy", "builtins")


class Reach:
    """Everything found from ``roots``: each list holds a thing once, in the order of finding.

    ``values`` are (holder, key, value): places where a plain value was found that Python may
    decide by.
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        self.tensors: list[Any] = []
        self.optimizers: list[Any] = []
        self.schedulers: list[Any] = []
        self.generators: list[Any] = [random.default_generator]
        self.values: list[tuple[Any, Any, Any]] = []
        self.containers: list[tuple[Any, int]] = []
        self.seen: dict[int, Any] = {}
        for root in roots:
            self.visit(root)

    def visit(self, x: Any) -> None:
        if id(x) in self.seen or isinstance(x, (*VALUES, type, types.ModuleType)):
            return
        self.seen[id(x)] = x
        if isinstance(x, Tensor):
            self.tensors.append(x)
            self.visit(x._grad)
        elif isinstance(x, random.Generator):
            if x not in self.generators:
                self.generators.append(x)
        elif isinstance(x, Optimizer):
            self.optimizers.append(x)
            self.visit([group["params"] for group in x.param_groups])
            self.visit(list(x.state.values()))
        elif isinstance(x, LRScheduler):
            self.schedulers.append(x)
        elif isinstance(x, types.MethodType):
            self.visit(x.__self__)
            self.visit(x.__func__)
        elif isinstance(x, functools.partial):
            self.visit([x.func, x.args, x.keywords])
        elif isinstance(x, types.FunctionType):
            self.function(x)
        elif isinstance(x, (list, tuple, dict, set)):
            if len(x) <= 10_000:  # a data set is no part of the step
                self.container(x)
        elif isinstance(x, Module):
            self.members(x)
        elif not type(x).__module__.startswith(OURS) and hasattr(x, "__dict__"):
            self.members(x)

    def container(self, x: Any) -> None:
        if not isinstance(x, tuple):
            self.containers.append((x, len(x)))
        items = x.items() if isinstance(x, dict) else enumerate(x)
        for key, value in items:
            if isinstance(value, VALUES) and isinstance(x, (list, dict)):
                self.values.append((x, key, value))
            self.visit(value)

    def members(self, x: Any) -> None:
        for name, value in vars(x).items():
            if isinstance(value, VALUES):
                self.values.append((vars(x), name, value))
            self.visit(value)
        self.visit(getattr(type(x), "forward", None))
        self.visit(type(x).__call__ if "__call__" in vars(type(x)) else None)

    def function(self, f: Any) -> None:
        if f.__code__.co_filename.startswith(HOME) or (f.__module__ or "").startswith("numpy"):
            return
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or ()):
            try:
                value = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
            if isinstance(value, VALUES):
                self.values.append((Cell(cell), name, value))
            self.visit(value)
        for name in named(f.__code__):
            if name in f.__globals__:
                value = f.__globals__[name]
                if isinstance(value, VALUES):
                    self.values.append((f.__globals__, name, value))
                self.visit(value)
        self.visit([f.__defaults__, f.__kwdefaults__])


class Cell:
    """A closure's variable, read as the others are."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def __getitem__(self, name: str) -> Any:
        return self.cell.cell_contents


def named(code: types.CodeType) -> set[str]:
    """The names that a function's code, and the functions in it, look up."""
    inner = [named(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*inner)
