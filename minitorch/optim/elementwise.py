"""Optimizers whose update is the same for every element: one definition, read in three ways.

``update(xp, x, g, o, **state)`` gives the new parameter and its new state by name; ``o`` holds the
options and the numbers of this step. It is written as in its paper and computes nothing by itself:

- read once with symbols, it becomes array calls in place, over blocks that stay in the cache, or
  on a GPU one launch for all parameters;
- on Tensors, with ``differentiable=True``, it is recorded, and gradients flow through the step;
- ``minitorch.symbols`` spells kernels from the same reading.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from operator import is_
from types import SimpleNamespace
from typing import Any

import numpy as np

from minitorch import backend, coo, engine, ops
from minitorch.engine import Tensor, wrap
from minitorch.inplace import assign, require_own_places, wrote
from minitorch.kernels.cuda.updates import Together, launch_waiting, waiting
from minitorch.kernels.updates import Fused
from minitorch.modes import enable_grad, set_grad_enabled
from minitorch.optim.optimizer import Optimizer
from minitorch.spelling import InPlace
from minitorch.symbols import read

Array = Any
State = dict[str, Any]
HOW = {"foreach", "fused", "capturable", "differentiable"}  # PyTorch's ways to run; ours is one


class Elementwise(Optimizer):
    """Base of the optimizers that say how one element moves.

    ``foreach``, ``fused`` and ``capturable`` are accepted and change nothing: an update is always
    fused as far as NumPy can.
    """

    update: Callable[..., tuple[Any, dict[str, Any]]]
    sparse = ""  # how it takes a sparse gradient: "rows" (only those), "dense", or not at all
    refusal = ""  # what is said where it does not, if it is not the usual sentence

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update" in vars(cls):
            cls.kept = tuple(inspect.signature(cls.update).parameters)[4:]
            cls.programs = {}

    kept: tuple[str, ...] = ()  # the names of the state that update takes
    programs: dict[Any, InPlace]  # by the state there is and the options that are not zero

    def _without_hooks(self) -> None:
        super()._without_hooks()
        self.bound: dict[Any, Bound] = {}  # by parameter

    def begin(self, p: Any, group: dict[str, Any]) -> State:
        """The state of a parameter that is moved for the first time."""
        return {}

    def numbers(self, p: Any, state: State, group: dict[str, Any]) -> dict[str, Any]:
        """The numbers of this step besides the options: the step count ``t``."""
        steps = state["step"].array
        steps.fill(float(steps) + 1)  # a sixth of the time of += 1
        return {"t": float(steps)}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; returns what ``closure``, if any, computes."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with set_grad_enabled(bool(self.defaults.get("differentiable"))):
            try:
                for group in self.param_groups:
                    self.move_group(group)
            finally:
                if waiting.moves:  # arrays on a GPU
                    launch_waiting()
        return loss

    def move_group(self, group: dict[str, Any]) -> None:
        """Move the parameters of a group that have gradients; on a GPU, let them wait."""
        moved = [p for p in group["params"] if p._grad is not None]
        for p in moved:  # before any of them moves
            self.check(p, group)
        options = {name: number(group[name]) for name in self.defaults if name not in HOW}
        numbers = None
        for p in moved:
            state = self.state.get(p) or self.begin(p, group)
            own = self.numbers(p, state, group)
            if own != numbers:  # else they are those of the parameter before
                numbers, given = own, options | own
                chosen = flags(given)
            if state:
                self.state[p] = state
            self.move(p, group, state, given, chosen)

    def sparse_way(self, group: dict[str, Any]) -> str:
        """How a group takes sparse gradients."""
        return self.sparse

    def check(self, p: Any, group: dict[str, Any]) -> None:
        """Raise RuntimeError if ``p`` cannot be written or its gradient is of the wrong kind."""
        memory = p.array.flags
        if not (memory.c_contiguous and memory.writeable):
            require_own_places(p)
        if type(p._grad.array) is coo.Coo:
            self.check_sparse(group)

    def check_sparse(self, group: dict[str, Any]) -> None:
        """Raise RuntimeError if the group cannot take a sparse gradient."""
        if not self.sparse_way(group):
            raise RuntimeError(self.refusal or f"{type(self).__name__} does not support sparse "
                                               f"gradients")

    def move(self, p: Any, group: dict[str, Any], state: State, options: dict[str, Any],
             chosen: Any) -> None:
        """Move one parameter; ``chosen`` are the flags of the options and of its numbers."""
        arrays = [p.array, *[state[name].array for name in self.kept
                             if state.get(name) is not None]]
        bound = self.bound.get(p)
        if (bound is None or bound.chosen != chosen or len(bound.arrays) != len(arrays)
                or not all(map(is_, bound.arrays, arrays))):
            names = tuple([name for name in self.kept if state.get(name) is not None])
            if group.get("differentiable"):
                self.record(p, group, options, names)
                return
            program = self.program(names, options, chosen, isinstance(p.array, np.ndarray))
            bound = self.bound[p] = Bound(program, arrays, chosen)
        g = p._grad.array
        if type(g) is not coo.Coo:
            bound.run(g, options)
        elif self.sparse_way(group) == "rows":
            move_rows(bound.program, g, arrays, options)
        else:
            bound.run(g.to_dense(), options)
        wrote(p)

    def program(self, names: tuple[str, ...], options: dict[str, Any], chosen: Any,
                on_cpu: bool) -> InPlace:
        """The update for the state there is and the options that are zero: read once for each."""
        key = on_cpu, names, chosen
        program = self.programs.get(key)
        if program is None:
            reading = read(type(self).update, names, options)
            program = self.programs[key] = Fused(reading) if on_cpu else Together(
                reading, backend.cupy_module())
        return program

    def record(self, p: Any, group: dict[str, Any], options: dict[str, Any],
               names: tuple[str, ...]) -> None:
        """Move ``p`` by recorded operators; options that are tensors keep their graph."""
        options = options | {name: group[name] for name in self.defaults if name not in HOW}
        state = self.state[p]
        before = wrap(p.array.copy(), p.node)
        new, new_state = type(self).update(ops, before, p._grad, SimpleNamespace(**options),
                                           **{name: state[name] for name in names})
        assign(p, new)
        state.update(new_state)


class Bound:
    """A program bound to a parameter and its state, for as long as they are the same arrays.

    Gradients are brought by each step, and not kept.
    """

    def __init__(self, program: InPlace, arrays: list[Array], chosen: Any) -> None:
        self.program, self.arrays, self.chosen = program, arrays, chosen
        self.run = program.bound(arrays)


def flags(options: dict[str, Any]) -> tuple[Any, ...]:
    """What a program depends on: which options are zero, and those that are no numbers."""
    return tuple([v if v is None or type(v) is bool else bool(v) for v in options.values()])


def move_rows(program: InPlace, g: coo.Coo, arrays: list[Array], options: dict[str, Any]) -> None:
    """Move only the rows that a sparse gradient has values for."""
    g = g.coalesce()  # the update is not linear: each row once
    where = coo.key(g.indices)
    if g.nnz:
        rows = [a[where] for a in arrays]
        program([rows[0], g.values, *rows[1:]], options)
        for whole, new in zip(arrays, rows):
            whole[where] = new


def decayed(x: Any, g: Any, o: Any) -> tuple[Any, Any]:
    """What most updates begin with: ``maximize``, and either form of ``weight_decay``.

    It adds the gradient of ``weight_decay * x**2 / 2``, or decoupled from it shrinks ``x`` itself
    (Loshchilov & Hutter 2019).
    """
    if o.maximize:
        g = -g
    if o.weight_decay:
        if getattr(o, "decoupled_weight_decay", False):
            x = x * (1 - o.lr * o.weight_decay)
        else:
            g = g + o.weight_decay * x
    return x, g


def number(value: Any) -> Any:
    """An option as Python's number; tuples of them too."""
    if type(value) in (float, bool):
        return value
    if isinstance(value, tuple):
        return tuple([number(v) for v in value])
    if isinstance(value, np.generic):
        return value.item()  # NumPy's own would make float32 arithmetic double
    return value.array.item() if isinstance(value, engine.Tensor) else value


def zeros_like(p: Any) -> Any:
    """State of the shape, dtype and memory order of a parameter."""
    return wrap(backend.namespace(p.array).zeros_like(p.array))


def check(valid: Any, what: str, value: Any) -> None:
    """Raise ValueError for a hyper-parameter out of its range."""
    if not valid:
        raise ValueError(f"Invalid {what}: {value}")


def check_rate(lr: Any) -> None:
    """Raise ValueError unless ``lr`` is a number, or a tensor of one, of at least 0."""
    if isinstance(lr, Tensor) and lr.array.size != 1:
        raise ValueError("Tensor lr must be 1-element")
    check(lr >= 0, "learning rate", lr)


def check_betas(betas: Any) -> None:
    """Raise ValueError unless both are in [0, 1)."""
    for i in (0, 1):
        check(0 <= betas[i] < 1, f"beta parameter at index {i}", betas[i])


def check_way(fused: Any, foreach: Any, differentiable: Any) -> None:
    """Raise RuntimeError for ways to run that PyTorch does not combine."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
