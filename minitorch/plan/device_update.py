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
from minitorch.plan.device_notes import TYPES, Untranslated
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

    def __init__(self, program: Program) -> None:
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

    def advance(self, start: int) -> tuple[Any, list[float]]:
        """Count a step, as ``Elementwise.step`` does: what its launches depend on, its numbers.

        A change of the first, as when momentum begins or a state is loaded, needs new launches.
        ``start``: where the numbers will begin among those of all optimizers.
        """
        o = self.optimizer
        o._opt_called = True  # schedulers ask
        values: list[float] = []
        built = []
        for group in o.param_groups:
            options = {name: number(group[name]) for name in o.defaults if name not in HOW}
            before: Any = None
            for p in group["params"]:
                if p not in self.gradients:
                    continue
                state = o.state.get(p) or o.begin(p, group)
                own = o.numbers(p, state, group)
                if state:
                    o.state[p] = state
                names = tuple([name for name in o.kept if state.get(name) is not None])
                if (own, names) != before:
                    before, given = (own, names), options | own
                    key = type(o), names, flags(given)
                    formula = self.formulas.get(key)
                    if formula is None:
                        formula = self.formulas[key] = Formula(
                            symbols.read(type(o).update, names, given))
                    place = start + len(values)
                    values += formula.numbers(given)
                arrays = [p.array, self.gradients[p], *[state[n].array for n in names]]
                built.append((formula, place, arrays))
        return built, values

    @staticmethod
    def moves(built: Any) -> list[Moves]:
        """The launches for what ``advance`` gave first."""
        out: dict[Any, Moves] = {}
        for formula, place, arrays in built:
            dtype = np.dtype(arrays[0].dtype)
            if dtype not in (np.float32, np.float64) or any(
                    a.dtype != dtype or not a.flags.c_contiguous for a in arrays):
                raise Untranslated(f"a parameter of {dtype}, or one with gaps, has no translation "
                                   f"for the GPU")
            made = out.setdefault((id(formula), dtype), Moves(formula, dtype, []))
            made.rows.append((arrays, place))
        return list(out.values())


def same(a: Any, b: Any) -> bool:
    """Whether two steps' launches are the same: the very arrays, formulas and places."""
    return len(a) == len(b) and all(
        f is g and p == q and len(x) == len(y) and all(map(lambda u, v: u is v, x, y))
        for (f, p, x), (g, q, y) in zip(a, b))
