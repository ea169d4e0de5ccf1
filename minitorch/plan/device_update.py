"""An optimizer's step on a GPU: all parameters of one program and dtype in one launch.

The program is the one that runs on a CPU (decision 7). Its numbers (learning rate, bias
corrections: whatever a step's update needs besides arrays) are computed by the optimizer's own
code on the host, and lie in device memory; the launch reads them there, so that a graph that
holds it can be replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch import symbols
from minitorch.optim.elementwise import HOW, Elementwise, flags, number
from minitorch.plan.device_words import TYPES, Untranslated
from minitorch.spelling import numbers
from minitorch.symbols import Program, Symbol

Array = Any
THREADS, CHUNK = 256, 1024  # elements of a block
SPELLING = {"add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
            "power": "pow({}, {})", "negative": "-{}", "sqrt": "sqrt({})", "abs": "magnitude({})",
            "sign": "(T)(({0} > 0) - ({0} < 0))", "maximum": "larger({}, {})",
            "minimum": "smaller({}, {})", "greater": "{} > {}", "less": "{} < {}",
            "where": "{} ? {} : {}"}


class Formula:
    """A program as CUDA C, and as a function of the options that gives its numbers."""

    def __init__(self, program: Program, state: tuple[str, ...]) -> None:
        self.state = state  # the names of its arrays
        text, passed = numbers(program)
        scope: dict[str, Any] = {}
        exec(f"import math\n{text}", scope)
        self.numbers: Callable[[dict[str, Any]], list[float]] = scope["numbers"]
        self.count, self.program, self.passed = len(passed), program, passed

    def text(self, name: str, dtype: Any) -> str:
        """``name(table, chunks, numbers)``. A row of the table: pointers to x, g and the state,
        how many elements, and where in ``numbers`` its own begin. A chunk: a row and the element
        that its block begins with.
        """
        arrays = self.program.arrays
        names: dict[Any, str] = {a: f"c{i}" for i, a in enumerate(self.passed)}
        head = [f"const T c{i} = c[{i}];" for i in range(self.count)]
        names |= {a: f"{a.name}_" for a in arrays}
        pointers = [f"T* {a.name} = (T*)row[{i}];" for i, a in enumerate(arrays)]
        body = [f"const T {a.name}_ = {a.name}[i];" for a in arrays]
        for s in self.program.needed():
            if s.array:
                names[s] = f"a{len(names)}"
                kind = "bool" if s.op in symbols.COMPARISONS else "T"
                args = [names[a] if a in names else literal(a) for a in s.args]
                body.append(f"const {kind} {names[s]} = {SPELLING[s.op].format(*args)};")
        own = {a.name: a for a in arrays}
        body += [f"{a}[i] = {names[s] if isinstance(s, Symbol) else literal(s)};"
                 for a, s in self.program.results.items() if s is not own[a]]
        lines = [f"typedef {TYPES[np.dtype(dtype)]} T;",
                 "const unsigned long long* row = table + chunks[2 * blockIdx.x] * "
                 f"{len(arrays) + 2};",
                 "const int first = chunks[2 * blockIdx.x + 1];",
                 f"const int end = min((int)row[{len(arrays)}], first + {CHUNK});",
                 f"const double* c = numbers + row[{len(arrays) + 1}];", *head, *pointers,
                 f"for (int i = first + threadIdx.x; i < end; i += {THREADS}) {{",
                 *[f"    {line}" for line in body], "}"]
        return "\n".join([f'extern "C" __global__ void __launch_bounds__({THREADS})',
                          f"{name}(const unsigned long long* table, const int* chunks, "
                          "const double* numbers) {", *[f"    {line}" for line in lines], "}"])


def literal(x: Any) -> str:
    return f"(T){x!r}" if x >= 0 else f"(T)({x!r})"


@dataclass(eq=False)
class Moves:
    """The parameters that one launch moves: for each its arrays, and where its numbers lie."""

    formula: Formula
    dtype: Any
    rows: list[tuple[list[Array], int]]

    def tables(self, address: Callable[[Array], int]) -> tuple[Array, Array]:
        """The rows and the chunks, for ``Formula.text``."""
        table = [[*map(address, arrays), arrays[0].size, place] for arrays, place in self.rows]
        chunks = [(i, first) for i, (arrays, _) in enumerate(self.rows)
                  for first in range(0, arrays[0].size, CHUNK)]
        return np.array(table, np.uint64), np.array(chunks, np.int32)


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

    def advance(self, start: int) -> tuple[list[Any], list[float]]:
        """Count a step, as ``Elementwise.step`` does: what its launches depend on, its numbers.

        A change of the first, as when momentum begins or a state is loaded, needs new launches.
        ``start``: where the numbers will begin among those of all optimizers.
        """
        o = self.optimizer
        o._opt_called = True  # schedulers ask
        values: list[float] = []
        built: list[Any] = []
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
                built.append((formula, place, member))
        return built, values

    def formula(self, names: tuple[str, ...], given: dict[str, Any]) -> Formula:
        key = type(self.optimizer), names, flags(given)
        if key not in self.formulas:
            self.formulas[key] = Formula(symbols.read(type(self.optimizer).update, names, given),
                                         names)
        return self.formulas[key]

    @staticmethod
    def moves(built: Any) -> list[Moves]:
        """The launches for what ``advance`` gave first."""
        out: dict[Any, Moves] = {}
        for formula, place, member in built:
            arrays = member.arrays
            dtype = np.dtype(arrays[0].dtype)
            if dtype not in (np.float32, np.float64) or any(
                    a.dtype != dtype or not a.flags.c_contiguous for a in arrays):
                raise Untranslated(f"a parameter of {dtype}, or one with gaps, has no translation "
                                   f"for the GPU")
            made = out.setdefault((id(formula), dtype), Moves(formula, dtype, []))
            made.rows.append((arrays, place))
        return list(out.values())


def same(a: list[Any], b: list[Any]) -> bool:
    """Whether two steps' launches are the same: the very arrays, formulas and places."""
    return len(a) == len(b) and all([f is g and p == q and x is y
                                     for (f, p, x), (g, q, y) in zip(a, b)])
