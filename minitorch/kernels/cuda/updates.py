"""An optimizer's update for all its parameters in one launch.

A launch carries a table by value: for each parameter where it, its gradient and its state lie. So
nothing is copied to the GPU before it, and gradients may lie elsewhere at each step. The numbers of
a step come by value too; in a captured graph, where they could not change, from a small buffer on
the GPU (``launches``), which a kernel of one thread can compute there (``stepping``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minitorch.kernels.cuda import launch, spelled
from minitorch.spelling import InPlace
from minitorch.symbols import Program, Symbol

Array = Any
ROOM = 3 << 10  # bytes of a table: what a kernel is given may take 4096


def rows(program: Program) -> int:
    """How many parameters a table has room for."""
    return ROOM // (8 * len(program.arrays) + 8)


@cache
def source(program: Program, dtype: Any, captured: bool) -> str:
    """The text of ``update(table, c)``; ``c`` are numbers by value, or ``captured`` their address.

    Each parameter has blocks of its own, up to ``ends``.
    """
    passed = spelled.given(program)[1]
    names = {a: f"c[{i}]" if captured else f"c.of[{i}]" for i, a in enumerate(passed)}
    loads = []
    for i, a in enumerate(program.arrays):
        names[a] = f"{a.name}_"
        loads.append(f"const T {names[a]} = {spelled.read(dtype, f'arrays[{i}][i]')};")
    lines = [*loads, *spelled.body(program, names)]
    for i, a in enumerate(program.arrays):
        new = program.results.get(a.name, a)
        if new is not a:
            lines.append(f"arrays[{i}][i] = {spelled.rounded(dtype, names[new])};")
    inner = "\n        ".join(lines)
    kind, arrays, count = spelled.TYPES[np.dtype(dtype)], len(program.arrays), rows(program)
    return f"""{spelled.head(dtype)}
struct Table {{ {kind}* arrays[{count}][{arrays}]; unsigned sizes[{count}], ends[{count}]; }};
struct Numbers {{ T of[{max(1, len(passed))}]; }};
extern "C" __global__ void update(const __grid_constant__ Table table,
        {'const T* c' if captured else 'const __grid_constant__ Numbers c'}) {{
    unsigned k = 0;
    while (blockIdx.x >= table.ends[k]) k++;
    const unsigned first = k ? table.ends[k - 1] : 0, n = table.sizes[k];
    const unsigned step = (table.ends[k] - first) * blockDim.x;
    {kind}* const* arrays = table.arrays[k];
    for (unsigned i = (blockIdx.x - first) * blockDim.x + threadIdx.x; i < n; i += step) {{
        {inner}
    }}
}}
"""


def stepping(program: Program, dtype: Any) -> str:
    """The text of ``step(o, c)``, of one thread: the numbers ``c`` of the next step.

    ``o`` are the program's options as doubles, in their order; that named ``t`` is counted on. For
    optimizers whose numbers are options and the step count alone.
    """
    passed = spelled.given(program)[1]
    names = {s: f"o[{i}]" for i, s in enumerate(program.options)}
    lines = [f"{names[s]} += 1;" for s in program.options if s.name == "t"]
    for s in program.needed():
        if not s.array:
            args = [names[a] if isinstance(a, Symbol) else repr(float(a)) for a in s.args]
            names[s] = f"n{len(lines)}"
            lines.append(f"const double {names[s]} = {spelled.SPELLING[s.op].format(*args)};")
    lines += [f"c[{i}] = {names[a]};" for i, a in enumerate(passed)]
    inner = "\n    ".join(lines)
    return f"""{spelled.head(dtype)}
extern "C" __global__ void step(double* o, T* c) {{
    {inner}
}}
"""


class Launch(NamedTuple):
    """A launch, ready to be made, again and again: ``function(grid, block, args)``."""

    function: launch.Function
    grid: tuple[int]
    block: tuple[int]
    args: list[Any]


def launches(program: Program, tensors: Sequence[Sequence[Array]],
             numbers: Array | Sequence[float]) -> list[Launch]:
    """What moves the parameters: ``tensors`` holds for each [x, g, *state], of one dtype and
    without gaps.

    ``numbers``: those of the step (see ``spelled.given``), or an array on the GPU that holds them,
    of the type that is computed in: float64, or float32 for all others.
    """
    captured = type(numbers) is launch.launcher.ndarray
    dtype = tensors[0][0].dtype
    function = launch.launcher.function(source(program, dtype, captured), "update")
    count, width = rows(program), len(program.arrays)
    kind = np.dtype([("arrays", np.uint64, (count, width)), ("sizes", np.uint32, count),
                     ("ends", np.uint32, count)])
    given: Any = numbers
    if not captured:
        one = np.float64 if dtype == np.float64 else np.float32
        given = np.zeros(1, [("of", one, max(1, len(numbers)))])
        given["of"][0, :len(numbers)] = numbers
    made = []
    tensors = [each for each in tensors if each[0].size]
    for start in range(0, len(tensors), count):
        table, end = np.zeros(1, kind), 0
        arrays, sizes, ends = table["arrays"][0], table["sizes"][0], table["ends"][0]
        for k, each in enumerate(tensors[start:start + count]):
            arrays[k] = list(map(launch.launcher.address, each))
            sizes[k] = each[0].size
            end += spelled.grid(each[0].size)[0]
            ends[k] = end
        made.append(Launch(function, (end,), (spelled.THREADS,), [table, given]))
    return made


class Together(InPlace):
    """A program on a GPU. What ``bound`` parameters are to move by waits for ``launch_waiting``."""

    def __init__(self, program: Program, xp: Any) -> None:
        super().__init__(program, xp)
        self.program = program
        self.given = spelled.given(program)[0]

    def __call__(self, arrays: Sequence[Array], options: dict[str, Any]) -> None:
        if fits(arrays):
            for each in launches(self.program, [arrays], self.given(options)):
                each.function(*each[1:])
        else:
            self.calls(arrays, options)

    def bound(self, arrays: Sequence[Array]) -> Callable[[Array, dict[str, Any]], None]:
        x, *state = arrays

        def run(g: Array, options: dict[str, Any]) -> None:
            each = [x, g, *state]
            if fits(each):
                waiting.moves.append((self, options, each))
            else:
                self.calls(each, options)
        return run


class _Waiting(threading.local):
    def __init__(self) -> None:
        self.moves: list[tuple[Together, dict[str, Any], list[Array]]] = []


waiting = _Waiting()


def launch_waiting() -> None:
    """Move all parameters that wait; those of one program, step and dtype together."""
    groups: dict[Any, list[list[Array]]] = {}
    moves, waiting.moves = waiting.moves, []
    for program, options, each in moves:
        groups.setdefault((program, id(options), each[0].dtype), []).append(each)
    steps = {id(options): options for _, options, _ in moves}
    for (program, step, _), tensors in groups.items():
        for one in launches(program.program, tensors, program.given(steps[step])):
            one.function(*one[1:])


def fits(arrays: Sequence[Array]) -> bool:
    """Whether a kernel takes them: on a GPU, of one dtype and memory order, without gaps."""
    there: Any = launch.launcher.ndarray
    x = arrays[0]
    if not (type(x) is there and x.dtype.kind == "f" and x.dtype in spelled.TYPES
            and x.size < spelled.LIMIT):
        return False
    if any(type(a) is not there or a.dtype != x.dtype or a.shape != x.shape for a in arrays):
        return False
    flags = [a.flags for a in arrays]
    return all(f.c_contiguous for f in flags) or all(f.f_contiguous for f in flags)
