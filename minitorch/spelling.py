"""A program spelled as array calls into memory that is there already, run block by block.

A result goes where a value lies that is not needed any more: if possible into the array that it
is to become, else into a scratch array. A block, its state and the scratch fit in the processor's
cache, so memory is read and written once, however many calls there are.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minitorch.symbols import COMPARISONS, Program, Symbol

Array = Any
BLOCK = 1 << 15  # elements: 128 kB of float32

PYTHON = {"add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
          "power": "{} ** {}", "negative": "-{}", "sqrt": "math.sqrt({})"}


def places(steps: Sequence[Symbol], arrays: Sequence[Symbol],
           results: dict[str, Symbol]) -> dict[Symbol, str]:
    """Where each value lies: in an array, by its name, or in scratch ``a_0, a_1, ...``.

    ``results``: what each of the arrays that may be written into is to become. Comparisons lie in
    scratch of bools, ``b_0, ...``.
    """
    last = {a: i for i, step in enumerate(steps) for a in step.args if isinstance(a, Symbol)}
    last.update(dict.fromkeys(results.values(), len(steps)))
    place = {a: a.name for a in arrays}
    made: list[str] = []
    for i, step in enumerate(steps):
        kind = "b_" if step.op in COMPARISONS else "a_"
        living = {name for value, name in place.items() if last.get(value, -1) > i}
        home = [name for name, result in results.items() if result is step]
        dying = [place[a] for a in step.args if a in place and place[a] in (*results, *made)]
        new = f"{kind}{sum(name.startswith(kind) for name in made)}"
        taken = {place.get(a) for a in step.args[:2]} if step.op == "where" else set()
        place[step] = next(name for name in [*home, *dying, *made, new]
                           if name not in living and name not in taken
                           and (name.startswith(kind) or (kind == "a_" and name in results)))
        if place[step] == new:
            made.append(new)
    return place


def numbers(program: Program) -> tuple[str, dict[Any, str]]:
    """The text of ``numbers(o)``, which computes from the options what the array calls need, and
    what those numbers, literals among them, are called.
    """
    steps = program.needed()
    once = [s for s in steps if not s.array]
    used = {a for s in steps for a in s.args if a in program.options}
    names: dict[Any, str] = {s: f"n_{i}" for i, s in enumerate(once)}
    names |= {s: s.name for s in program.options if s in used}
    lines = [f"    {s.name} = {where}" for s, where in program.options.items() if s in used]
    for s in once:
        args = [names[a] if isinstance(a, Symbol) else repr(a) for a in s.args]
        lines.append(f"    {names[s]} = " + PYTHON[s.op].format(*args))
    passed: dict[Any, str] = {}
    for a in (a for s in steps if s.array for a in s.args):
        if not (isinstance(a, Symbol) and a.array) and a not in passed:
            passed[a] = names[a] if isinstance(a, Symbol) else f"c_{len(passed)}"
    values = [name if isinstance(a, Symbol) else repr(a) for a, name in passed.items()]
    return "\n".join(["def numbers(o):", *lines, f"    return [{', '.join(values)}]"]), passed


def source(program: Program, passed: dict[Any, str]) -> tuple[str, list[str]]:
    """The text of ``update(c, blocks)``, and the names of its scratch arrays."""
    each = [s for s in program.needed() if s.array]
    place = places(each, program.arrays, program.results)
    scratch = sorted({place[s] for s in each} - {a.name for a in program.arrays})
    names = passed | place

    lines: list[str] = []
    for s in each:
        args, out = [names[a] for a in s.args], place[s]
        if s.op == "where":
            lines += [f"        xp.copyto({out}, {args[2]})"] * (args[2] != out)
            lines += [f"        xp.copyto({out}, {args[1]}, where={args[0]})"]
        else:
            lines += [f"        xp.{s.op}({', '.join(args)}, out={out})"]
    moves = {name: place[s] for name, s in program.results.items() if place[s] != name}
    for name, source in moves.items():
        if source in moves:  # which will be overwritten: two arrays change places
            scratch.append(f"a_{len(scratch)}")
            lines += [f"        xp.copyto({scratch[-1]}, {source})"]
            moves[name] = scratch[-1]
    lines += [f"        xp.copyto({name}, {source})" for name, source in moves.items()]
    head = f"    for {', '.join([*(a.name for a in program.arrays), *scratch])} in blocks:"
    lines = lines or ["        pass"]
    once = [f"    {', '.join(passed.values())}, = c"] * bool(passed)
    return "\n".join(["def update(c, blocks):", *once, head, *lines]), scratch


def flat(arrays: Sequence[Array]) -> list[Array] | None:
    """The arrays as vectors, in memory's own order, if they have no gaps and all the same order."""
    strides = arrays[0].strides
    for a in arrays:
        if not a.flags.forc or a.strides != strides:
            return None
    return [a.ravel("K") for a in arrays]


class InPlace:
    """A program as a function of arrays that are written into; ``source`` is its text.

    ``xp`` is numpy or cupy.
    """

    def __init__(self, program: Program, xp: Any) -> None:
        self.xp = xp
        self.numbers_source, passed = numbers(program)
        self.source, scratch = source(program, passed)
        self.scratch = tuple(scratch)
        scope: dict[str, Any] = {"xp": xp, "math": math}
        exec(f"{self.numbers_source}\n{self.source}", scope)
        self.numbers, self.update = scope["numbers"], scope["update"]
        self.last: Any = None  # options, dtype, and their numbers as an array

    def __call__(self, arrays: Sequence[Array], options: dict[str, Any]) -> None:
        """Update ``arrays`` (x, g and state), all of one shape and dtype, in place."""
        self.bound([arrays[0], *arrays[2:]])(arrays[1], options)

    def bound(self, arrays: Sequence[Array]) -> Callable[[Array, dict[str, Any]], None]:
        """``run(g, options)`` on these arrays: x and its state."""
        x, *state = arrays
        return lambda g, options: self.calls([x, g, *state], options)

    def calls(self, arrays: Sequence[Array], options: dict[str, Any]) -> None:
        x = arrays[0]
        c = self.constants(options, x.dtype)[1]
        if x.size > BLOCK and self.xp is np:
            self.update(c, self.blocks(arrays))
        else:
            self.update(c, ([*arrays, *self.registers(x.shape, x.dtype)],))

    def constants(self, options: dict[str, Any], dtype: Any) -> tuple[Array, list[Any]]:
        """The numbers in an array, and one by one: once for all parameters at the same step.

        They have the arrays' dtype already: to convert a Python number takes each call as long as
        to compute with a small array.
        """
        last = self.last
        if last is None or last[0] is not options or last[1] != dtype:
            c = np.array(self.numbers(options), dtype)
            last = self.last = options, dtype, (c, list(c))
        return last[2]

    def blocks(self, arrays: Sequence[Array]) -> Iterator[list[Array]]:
        """The arrays block by block, with scratch of the same shape."""
        arrays = flat(arrays) or arrays
        x = arrays[0]
        rows = max(1, BLOCK * len(x) // x.size)  # at least one, however long
        for start in range(0, len(x), rows):
            block = [a[start:start + rows] for a in arrays]
            yield [*block, *self.registers(block[0].shape, x.dtype)]

    def registers(self, shape: tuple[int, ...], dtype: Any) -> list[Array]:
        """Scratch arrays, kept between calls on a CPU; CuPy's memory pool keeps its own."""
        if self.xp is not np:
            return [self.xp.empty(shape, dtype if name.startswith("a_") else np.bool_)
                    for name in self.scratch]
        key = self.scratch, shape, dtype
        views = _kept.views.get(key)
        if views is None:
            if len(_kept.views) > 1000:  # sparse rows come in ever new numbers
                _kept.views.clear()
            views = _kept.views[key] = [self.part(name, shape, dtype) for name in self.scratch]
        return views

    def part(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """The first elements of a scratch array, which grows if it must."""
        size = math.prod(shape)
        memory = _kept.memory.get((name, dtype))
        if memory is None or memory.size < size:
            kind = dtype if name.startswith("a_") else np.bool_
            memory = _kept.memory[name, dtype] = np.empty(max(size, BLOCK), kind)
            _kept.views.clear()  # of what was too small
        return memory[:size].reshape(shape)


class _Kept(threading.local):
    def __init__(self) -> None:
        self.memory: dict[Any, Array] = {}
        self.views: dict[Any, list[Array]] = {}  # parts of it, by the shapes that were asked for


_kept = _Kept()
