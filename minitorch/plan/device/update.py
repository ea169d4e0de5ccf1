"""An optimizer's step in a translated step: what its launches depend on, and its numbers.

The numbers (learning rate, bias corrections: whatever an update needs besides arrays) are computed
by the optimizer's own code on the host, and lie in device memory; the launches
(``kernels.cuda.updates``) read them there, so that a graph which holds them can be replayed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitorch import symbols
from minitorch.kernels.cuda import spelled, updates
from minitorch.optim.elementwise import HOW, Elementwise, flags, number
from minitorch.plan.device.words import Untranslated

Array = Any


class Formula:
    """A program, and ``numbers``, the function of the options that gives what it is passed."""

    def __init__(self, program: symbols.Program, state: tuple[str, ...]) -> None:
        self.program, self.state = program, state  # the names of its arrays
        self.numbers, passed = spelled.given(program)
        self.count = len(passed)


class Moved(NamedTuple):
    """What moves a parameter: a formula, where its numbers begin, and the arrays."""

    formula: Formula
    place: int
    member: Member


class Member:
    """A parameter with its gradient and the state that its update takes, as they are now."""

    def __init__(self, optimizer: Any, p: Any, g: Array, state: dict[str, Any]) -> None:
        self.names = tuple([name for name in optimizer.kept if state.get(name) is not None])
        self.state = [(name, state[name].array) for name in self.names]
        self.arrays = [p.array, g, *[a for _, a in self.state]]
        self.size = len(state)

    def holds(self, p: Any, state: dict[str, Any]) -> bool:
        return (p.array is self.arrays[0] and len(state) == self.size
                and all([state[name].array is a for name, a in self.state]))


class Update:
    """One call of ``optimizer.step()``: its launches, and the numbers of the next step."""

    formulas: dict[Any, Formula] = {}  # by the optimizer's class and what its program depends on

    def __init__(self, optimizer: Any, gradients: dict[Any, Array]) -> None:
        if not isinstance(optimizer, Elementwise) or optimizer.defaults.get("differentiable"):
            raise Untranslated(f"{type(optimizer).__name__} has no translation for the GPU: only "
                               f"optimizers that move each element by one formula have")
        if optimizer._step_pre_hooks or optimizer._step_post_hooks:
            raise Untranslated("hooks of an optimizer's step have no translation for the GPU")
        self.optimizer, self.gradients = optimizer, gradients
        self.members: dict[Any, Member] = {}

    def advance(self, start: int) -> tuple[list[Moved], list[float]]:
        """Count a step, as ``Elementwise.step`` does: what its launches depend on, its numbers.

        A change of the first, as when momentum begins or a state is loaded, needs new launches.
        ``start``: where the numbers will begin among those of all optimizers.
        """
        o = self.optimizer
        o._opt_called = True  # schedulers ask
        values: list[float] = []
        moved: list[Moved] = []
        for group in o.param_groups:
            options = {name: number(group[name]) for name in o.defaults if name not in HOW}
            numbers: Any = None
            formula: Formula | None = None
            place = 0
            for p in group["params"]:
                if p not in self.gradients:
                    continue
                state = o.state.get(p) or o.begin(p, group)
                own = o.numbers(p, state, group)
                if state:
                    o.state[p] = state
                member = self.members.get(p)
                if member is None or not member.holds(p, state):
                    member = self.members[p] = Member(o, p, self.gradients[p], state)
                if formula is None or own != numbers or member.names != formula.state:
                    numbers, given = own, options | own
                    formula = self.formula(member.names, given)
                    place = start + len(values)
                    values += formula.numbers(given)
                moved.append(Moved(formula, place, member))
        return moved, values

    def formula(self, names: tuple[str, ...], given: dict[str, Any]) -> Formula:
        key = type(self.optimizer), names, flags(given)
        if key not in self.formulas:
            self.formulas[key] = Formula(symbols.read(type(self.optimizer).update, names, given),
                                         names)
        return self.formulas[key]


def launches(moved: list[Moved], numbers: dict[Any, Array]) -> list[updates.Launch]:
    """The launches for what ``advance`` gave first; ``numbers``: their memory, by its dtype."""
    groups: dict[Any, list[list[Array]]] = {}
    for formula, place, member in moved:
        if not updates.fits(member.arrays):
            x = member.arrays[0]
            raise Untranslated(f"a parameter of {x.dtype} and shape {x.shape}, with its gradient "
                               f"and state, has no update on the GPU")
        groups.setdefault((formula, place, member.arrays[0].dtype), []).append(member.arrays)
    out: list[updates.Launch] = []
    for (formula, place, dtype), tensors in groups.items():
        mine = numbers[np.float64 if dtype == np.float64 else np.float32]
        out += updates.launches(formula.program, tensors, mine[place:place + formula.count])
    return out


def same(a: list[Moved], b: list[Moved]) -> bool:
    """Whether two steps' launches are the same: the very arrays, formulas and places."""
    return len(a) == len(b) and all([f is g and p == q and x is y
                                     for (f, p, x), (g, q, y) in zip(a, b)])
