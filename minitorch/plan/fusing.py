"""Calls of a plan that follow each other, put into one compiled function where they can be."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable
from typing import Any

from minitorch.kernels import jit, runs
from minitorch.kernels.runs import Call, Loop
from minitorch.plan.memory import owner
from minitorch.plan.notes import Note, arrays_in

Array = Any
MANY = 16  # runs of a plan before it is compiled: a short program shall not wait for that


def possible() -> bool:
    """Whether a compiler is there, and loaded already: a small network's step never loads it."""
    return "numba" in sys.modules and jit.usable()


def fused(parts: list[list[Note]], made: Container[int],
          kept: Iterable[Array]) -> list[list[Note]]:
    """The same parts, with runs of calls that ``kernels.runs`` can spell as one call each."""
    uses: dict[int, set[int]] = {}  # by owner: the notes that touch its memory
    for note in (note for part in parts for note in part):
        for a in arrays_in((note.args, note.kwargs, note.into, note.writes)):
            uses.setdefault(id(owner(a)), set()).add(id(note))
    kept = {id(owner(a)) for a in kept}

    def local(loop: Loop, call: Call) -> bool:
        memory = id(owner(call.out.array))
        return memory in made and memory not in kept and uses[memory] <= set(loop.notes)

    def joined(run: list[tuple[Note, Call]]) -> list[Note]:
        loops: list[Loop] = []
        for note, call in run:
            if not loops or not loops[-1].takes(call):
                loops.append(Loop(call.space))
            loops[-1].calls.append(call)
            loops[-1].notes.append(id(note))
        inner = {id(call) for loop in loops for call in loop.calls if local(loop, call)}
        text, arrays = runs.spelled(loops, inner)
        kernel = runs.kernel(text, arrays) if len(run) > 1 and arrays else None
        if kernel is None:
            return [note for note, _ in run]
        operators = dict.fromkeys(note.operator for note, _ in run if note.operator)
        return [Note(kernel, tuple(arrays), {}, line=run[0][0].line, loops=text,
                     operator=", ".join(operators),
                     writes=[call.out.array for _, call in run if id(call) not in inner])]

    out = []
    for part in parts:
        new: list[Note] = []
        run: list[tuple[Note, Call]] = []
        for note in part:
            call = runs.call_of(note)
            if call is not None:
                run.append((note, call))
                continue
            new += [*(joined(run) if run else ()), note]
            run = []
        out.append([*new, *(joined(run) if run else ())])
    return out
