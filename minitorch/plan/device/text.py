"""Kernels as CUDA C: a loop for each phase, with values in registers from call to call."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.plan.device.fusing import Kernel, Laid, Phase, Touch
from minitorch.plan.device.shape import Shape, shape, within
from minitorch.plan.device.words import FOLDS, TYPES, Statement

Array = Any
HEADER = """
#define INFINITE __int_as_float(0x7f800000)
#define UNKNOWN __int_as_float(0x7fffffff)
template <class T> __device__ T larger(T x, T y) { return x > y || x != x ? x : y; }
template <class T> __device__ T smaller(T x, T y) { return x < y || x != x ? x : y; }
template <class T> __device__ T magnitude(T x) { return x <= 0 ? 0 - x : x; }

// Philox4x32-10 (Salmon et al. 2011): the first word of four that belong to a counter and a seed.
__device__ unsigned random_word(unsigned long long counter, unsigned long long seed) {
    unsigned x = counter, y = counter >> 32, z = 0, w = 0, k = seed, l = seed >> 32;
    for (int i = 0; i < 10; i++) {
        unsigned a = __umulhi(0xD2511F53u, x), b = 0xD2511F53u * x;
        unsigned c = __umulhi(0xCD9E8D57u, z), d = 0xCD9E8D57u * z;
        x = c ^ y ^ k; y = d; z = a ^ w ^ l; w = b;
        k += 0x9E3779B9u; l += 0xBB67AE85u;
    }
    return x;
}
"""


@dataclass(eq=False)
class Spelled:
    """The text of a kernel, the arrays that it is called with, and how many threads."""

    name: str
    text: str
    arrays: list[Array]
    grid: int
    block: int
    random: bool  # whether its first argument is the seed and place of the random stream


class Text:
    """Writes one kernel. ``store``: the ids of the statements whose results go to memory."""

    def __init__(self, kernel: Kernel, name: str, store: Container[int]) -> None:
        self.kernel, self.store = kernel, store
        self.names: dict[Any, str] = {}
        self.arrays: list[Array] = []
        self.written: dict[str, Array] = {}
        self.shared: set[str] = set()
        self.random = False
        self.count = 0
        self.shape = shape(kernel)
        lines: list[str] = []
        for k, phase in enumerate(kernel.phases):
            barrier = k and kernel.way != "each" and not phase.members[0].scalar
            if barrier or (k and kernel.way == "one"):
                lines.append("__syncthreads();")
            lines += self.phase(phase)
        types = [f"{'' if n in self.written else 'const '}{TYPES[a.dtype]}* {n}"
                 for n, a in zip(self.names.values(), self.arrays)]
        head = ["const unsigned long long* random"] * self.random + types
        shared = [f"__shared__ {t} {pool(t)}[{self.shape.block}];" for t in sorted(self.shared)]
        text = "\n".join([
            f"// {kernel.way}: {kernel.about}",
            f'extern "C" __global__ void __launch_bounds__({self.shape.block})',
            f"{name}({', '.join(head)}) {{", *[f"    {line}" for line in (*shared, *lines)], "}"])
        self.spelled = Spelled(name, text, self.arrays, self.shape.blocks, self.shape.block,
                               self.random)

    def name(self, x: Array, first: int, write: bool = False) -> str:
        key = first, x.dtype
        if key not in self.names:
            self.names[key] = f"p{len(self.arrays)}"
            self.arrays.append(x)
        if write:
            self.written[self.names[key]] = x
        return self.names[key]

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    # ---- loops

    def phase(self, phase: Phase) -> list[str]:
        if phase.space == (1, 1):
            first = "blockIdx.x == 0 && threadIdx.x == 0"
            body = ["const int i = 0, j = 0;", *self.body(phase)[1]]
            return [f"if ({first}) {{", *indented(body), "}"]
        way = self.kernel.way
        if way == "each" or (way == "one" and phase.fold is None):
            return self.each(phase)
        if way == "one":
            return self.lined(phase, within(phase, self.shape.block), phase.fold == 1)
        return self.lined(phase, self.shape, way == "rows")

    def each(self, phase: Phase) -> list[str]:
        rows, columns = phase.space
        begin = "blockIdx.x * blockDim.x + threadIdx.x"
        place = ("const int i = 0, j = e;" if rows == 1 else "const int i = e, j = 0;"
                 if columns == 1 else f"const int i = e / {columns}, j = e % {columns};")
        return [f"for (int e = {begin}; e < {rows * columns}; e += gridDim.x * blockDim.x) {{",
                *indented([place, *self.body(phase)[1]]), "}"]

    def lined(self, phase: Phase, shape: Shape, rows: bool) -> list[str]:
        """Each row (or column) by ``shape.lanes`` threads; what they fold is joined at the end."""
        line, lane = ("i", "j") if rows else ("j", "i")
        n, length = phase.space if rows else phase.space[::-1]
        my = "threadIdx.x"
        at, part = ((f"{my} / {shape.lanes}", f"{my} % {shape.lanes}") if rows else
                    (f"{my} % {shape.lines}", f"{my} / {shape.lines}"))
        before, body, folds = self.body(phase)
        after: list[str] = []
        for laid, name in folds:
            after += self.joined(laid, name, shape, 1 if rows else shape.lines, line, n)
        return [f"for (int base = blockIdx.x * {shape.lines}; base < {n}; "
                f"base += gridDim.x * {shape.lines}) {{",
                *indented([f"const int {line} = base + {at}, lane = {part};", *before,
                           f"if ({line} < {n}) for (int {lane} = lane; {lane} < {length}; "
                           f"{lane} += {shape.lanes}) {{", *indented(body), "}", *after]), "}"]

    def joined(self, laid: Laid, name: str, shape: Shape, apart: int, line: str,
               n: int) -> list[str]:
        """The folded parts of a line's threads, ``apart`` from each other, made one and written.

        Threads of a warp hand each other their parts; what is left of each warp goes through shared
        memory. The order is the same in every run.
        """
        s = laid.statement
        kind = TYPES[s.kinds[0]]
        out, fold = self.written_place(laid.out), FOLDS[s.fold][0]
        threads, step = shape.lanes * apart, apart
        lines: list[str] = []
        while step < min(32, threads):
            theirs = f"__shfl_xor_sync(~0u, {name}, {step})"
            lines.append(f"{name} = {fold.format(name, theirs)};")
            step *= 2
        if threads > max(32, apart):
            self.shared.add(kind)
            part = min(apart, 32)  # of a warp's threads have parts of different lines
            mine = f"threadIdx.x / 32 * {part} + threadIdx.x % {part}"
            theirs = f"{pool(kind)}[{mine} + k * {apart}]"
            lines += [f"if (threadIdx.x % 32 < {part}) {pool(kind)}[{mine}] = {name};",
                      "__syncthreads();",
                      f"if (lane == 0) for (int k = 1; k < {threads // max(32, apart)}; k++)",
                      f"    {name} = {fold.format(name, theirs)};", "__syncthreads();"]
        other = "j" if line == "i" else "i"
        return [*lines, f"if (lane == 0 && {line} < {n}) {{ const int {other} = 0; {out} = {name}; "
                        "}"]

    # ---- what happens to one element

    def body(self, phase: Phase) -> tuple[list[str], list[str], list[tuple[Laid, str]]]:
        """Lines before the loop, lines in it, and what is folded: a statement, and in which name.
        """
        self.values: dict[Any, str] = {}
        self.flat = phase.fold is None and self.kernel.way in ("each", "one") and \
            min(phase.space) > 1
        before: list[str] = []
        self.lines: list[str] = []
        folds: list[tuple[Laid, str]] = []
        stores: dict[Any, str] = {}
        for laid in phase.members:
            s = laid.statement
            if s.draw is not None:
                text = self.drawn(s, laid.out)
            else:
                args: list[str] = []
                for a, kind in zip(laid.args, s.kinds):
                    args.append(self.value(a, kind, args))
                text = s.text.format(*args)
            if s.fold is not None:
                name, kind = self.fresh("a"), TYPES[s.kinds[0]]
                fold, start = FOLDS[s.fold]
                start = start.replace("INFINITY", "INFINITE")
                before.append(f"{kind} {name} = {start};")
                self.lines.append(f"{name} = {fold.format(name, text)};")
                folds.append((laid, name))
                continue
            name = self.fresh("t")
            out = laid.out
            if s.scatters:
                self.scatter(laid, args, text)
                continue
            self.lines.append(f"const {TYPES[out.operand.array.dtype]} {name} = {text};")
            self.values[key(out)] = name
            if id(s) in self.store:
                stores[key(out)] = f"{self.written_place(out)} = {name};"
        return before, [*self.lines, *stores.values()], folds

    def written_place(self, out: Touch) -> str:
        return f"{self.name(out.operand.array, out.first, True)}[{self.index(out)}]"

    def value(self, x: Any, kind: Any, others: list[str]) -> str:
        """An argument, read and converted where that is needed."""
        if not isinstance(x, Touch):
            special = {"inf": "INFINITE", "-inf": "-INFINITE", "nan": "UNKNOWN",
                       "True": "true", "False": "false"}
            number = special.get(repr(x), repr(x))
            return f"({TYPES[np.dtype(kind)]})({number})"
        array = x.operand.array
        if x.operand.jumps:
            place = f"{self.name(array, x.first)}[{self.index(x, others)}]"
            inside = self.inside(x, others)
            lost = "UNKNOWN" if array.dtype.kind == "f" else "0"
            return f"({inside} ? {place} : ({TYPES[array.dtype]}){lost})"
        if key(x) not in self.values:
            name = self.values[key(x)] = self.fresh("v")
            place = f"{self.name(array, x.first)}[{self.index(x)}]"
            self.lines.append(f"const {TYPES[array.dtype]} {name} = {place};")
        text = self.values[key(x)]
        return text if array.dtype == kind else f"({TYPES[np.dtype(kind)]}){text}"

    def index(self, x: Touch, others: list[str] | None = None) -> str:
        (r, c), jumps = x.steps, x.operand.jumps
        terms = [f"{times}{name}" for step, name in ((r, "i"), (c, "j"))
                 if step for times in ("" if step == 1 else f"{step} * ",)]
        if self.flat and c and r == c * x.space[1]:
            terms = ["e" if c == 1 else f"{c} * e"]
        terms += [f"{step} * {wrapped((others or [])[arg], n)}" for arg, step, n in jumps]
        return " + ".join(terms) or "0"

    def inside(self, x: Touch, others: list[str]) -> str:
        return " && ".join(f"{others[arg]} >= -{n} && {others[arg]} < {n}"
                           for arg, _, n in x.operand.jumps)

    def scatter(self, laid: Laid, args: list[str], text: str) -> None:
        """Write, or add, where other arrays say; nowhere, if a place is out of range."""
        out = laid.out
        place = f"{self.name(out.operand.array, out.first, True)}[{self.index(out, args)}]"
        test = f"if ({self.inside(out, args)}) " if out.operand.jumps else ""
        self.lines.append(f"{test}{place} {'+' * laid.statement.adds}= {text};")
        self.values.pop(key(out), None)

    def drawn(self, s: Statement, out: Touch) -> str:
        first, p = s.draw or (0, 0.0)
        self.random = True
        counter = f"random[1] + {first} + ({self.index(out)})"
        return f"random_word({counter}, random[0]) < {round(p * 2**32)}ull"


def key(x: Touch) -> Any:
    return x.first, x.operand.array.dtype, x.steps, x.space


def wrapped(k: str, n: int) -> str:
    return f"({k} < 0 ? {k} + {n} : {k})"


def pool(kind: str) -> str:
    return f"shared_{kind.replace(' ', '_')}"


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def spelled(kernel: Kernel, name: str, store: Container[int]) -> Spelled:
    return Text(kernel, name, store).spelled




def bringing(kinds: list[Any], count: int) -> str:
    """The text of ``bring``: what changes from step to step into the launches' memory.

    ``count`` numbers, seed and offset of the generator, which moves on by what the step draws, and
    an array for each argument.
    """
    parameters = ["float* singles", "double* doubles", *[f"double v{i}" for i in range(count)],
                  "unsigned long long* random", "unsigned long long* generator",
                  "long long drawn"]
    lines = ["if (blockIdx.x == 0 && threadIdx.x == 0) {",
             *[f"    singles[{i}] = v{i}; doubles[{i}] = v{i};" for i in range(count)],
             "    random[0] = generator[0]; random[1] = generator[1];",
             "    generator[1] += drawn;", "}"]
    for k, kind in enumerate(kinds):
        parameters += [f"const {TYPES[kind]}* x{k}", f"{TYPES[kind]}* mine{k}", f"long long n{k}"]
        lines += [f"for (long long e = blockIdx.x * blockDim.x + threadIdx.x; e < n{k}; "
                  "e += gridDim.x * blockDim.x)", f"    mine{k}[e] = x{k}[e];"]
    return "\n".join(['extern "C" __global__ void', f"bring({', '.join(parameters)}) {{",
                      *indented(lines), "}"])
