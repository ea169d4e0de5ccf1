"""A recorded step as a straight line of array calls over memory that is there already."""

from __future__ import annotations

import itertools
import re
import time
import types
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from minitorch.plan import memory
from minitorch.plan.notes import Note, arrays_in

Array = Any


class Plan:
    """Calls in order, in one or several ``parts`` to be run one after the other.

    ``lines`` is the text that is run. ``made``: the ids of the arrays whose memory may be placed
    anew; ``kept``: those that are read after a run, which may not.
    """

    def __init__(self, parts: Iterable[list[Note]], made: Container[int],
                 kept: Iterable[Array] = ()) -> None:
        parts = list(parts)
        notes = list(itertools.chain(*parts))
        offsets, size = memory.arranged(notes, made, kept)
        self.memory = memory.block(size)
        self.before = sum({id(x): x.nbytes for note in notes
                           for x in map(memory.owner, arrays_in((note.args, note.into)))
                           if id(x) in offsets}.values())  # without sharing

        def put(x: Any) -> Any:
            if isinstance(x, np.ndarray):
                return memory.moved(x, offsets, self.memory)
            if type(x) in (tuple, list):
                return type(x)([put(v) for v in x])
            if type(x) is dict:
                return {k: put(v) for k, v in x.items()}
            return x
        self.notes = [replace(note, args=put(note.args), kwargs=put(note.kwargs),
                              into=put(note.into), writes=put(note.writes)) for note in notes]
        self.lines, self.scope = spelled(self.notes)
        head = f"def run({', '.join(f'{n}={n}' for n in self.scope)}):\n    "
        self.parts: list[Callable[[], None]] = []
        for part in parts:
            lines = self.lines[sum(map(len, parts[:len(self.parts)])):][:len(part)]
            scope = {**self.scope, "__name__": __name__}  # whose warnings are quiet
            exec(compile(head + "\n    ".join(lines or ["pass"]), "<plan>", "exec"), scope)
            self.parts.append(scope["run"])

    def explain(self, times: int = 0) -> str:
        """The calls as text; after ``times`` runs, with the median time of each."""
        spent = self.measured(times) if times else None
        lines = [f"{len(self.notes)} calls, {self.memory.nbytes / 1024:.0f} kB for values "
                 f"({self.before / 1024:.0f} kB if each had its own memory)"]
        for i, (note, text) in enumerate(zip(self.notes, self.lines)):
            shape = "" if note.into is None else f"{note.into.dtype}{list(note.into.shape)}"
            clock = "" if spent is None else f"{spent[i] * 1e6:8.1f} us  "
            place = note.line.rpartition("/")[2]
            text = NUMBER.sub(lambda name: str(self.scope[name[0]]), text)
            lines.append(f"{i:4}  {clock}{text:<48} {shape:<20} {note.operator:<24} {place}"
                         .rstrip())
            lines += [" " * 11 + line for line in note.loops.splitlines()[1:]]
        if spent is not None:
            lines.append(f"      {sum(spent) * 1e6:8.1f} us  in all")
        return "\n".join(lines)

    def measured(self, times: int) -> list[float]:
        """The median time of each call, in seconds, over that many runs."""
        scope = {**self.scope, "__name__": __name__}
        calls = []
        for text in self.lines:
            exec(f"def call({', '.join(f'{n}={n}' for n in self.scope)}):\n    {text}", scope)
            calls.append(scope["call"])
        clock = time.perf_counter
        table = np.empty((times, len(calls)))
        for row, (i, call) in itertools.product(table, enumerate(calls)):
            start = clock()
            call()
            row[i] = clock() - start
        return [float(m) for m in np.median(table, 0)]


NUMBER = re.compile(r"\bn\d+\b")  # the name of a constant
KEYWORD = {np.maximum, np.minimum}  # NumPy does not take their ``out`` by position


def spelled(notes: list[Note]) -> tuple[list[str], dict[str, Any]]:
    """A line of text for each call, and what the names in them stand for."""
    scope: dict[str, Any] = {}
    names: dict[Any, str] = {}
    count = itertools.count()

    def named(x: Any, name: str = "") -> str:
        array = isinstance(x, np.ndarray)
        key = (memory.address(x), x.shape, x.strides, x.dtype) if array else id(x)
        if key not in names:
            names[key] = name or f"{'a' if array else 'c'}{next(count)}"
            scope[names[key]] = x
        return names[key]

    def text(x: Any) -> str:
        if isinstance(x, np.ndarray):
            number = x.ndim == 0 and id(x) not in known
            return named(x, f"n{next(count)}" if number else "")
        if x is None or x is Ellipsis or type(x) in (bool, int, str):
            return repr(x)
        if type(x) is float and x - x == 0:  # inf and nan have no literal
            return repr(x)
        if type(x) is tuple:
            return f"({', '.join(map(text, x))}{',' * (len(x) == 1)})"
        if type(x) is list:
            return f"[{', '.join(map(text, x))}]"
        if type(x) is slice:
            return f"slice({text(x.start)}, {text(x.stop)}, {text(x.step)})"
        return named(x)

    def called(f: Any) -> str:
        owner = getattr(f, "__self__", None)
        if isinstance(owner, np.ufunc):
            name = f"{owner.__name__}_{f.__name__}"
        elif owner is not None and not isinstance(owner, types.ModuleType):
            name = f"{type(owner).__name__}_{f.__name__}"
        else:
            name = getattr(f, "__name__", "call").strip("_").replace("<lambda>", "call")
        if scope.get(name, f) is not f:
            name = f"{name}_{next(count)}"
        return named(f, name)

    lines = []
    known = {id(a) for note in notes for a in arrays_in((note.args, note.kwargs, note.into))}
    for note in notes:
        note = settled(note)
        args = [text(a) for a in note.args]
        extra = [f"{k}={text(v)}" for k, v in note.kwargs.items()]
        f = called(note.function)
        if note.into is None:
            lines.append(f"{f}({', '.join(args + extra)})")
        elif note.function is np.copyto:
            lines.append(f"{f}({', '.join([text(note.into), *args, *extra])})")
        elif note.copies:
            lines.append(f"{called(store)}({text(note.into)}, {f}({', '.join(args + extra)}))")
        elif isinstance(note.function, np.ufunc) and note.function not in KEYWORD:
            lines.append(f"{f}({', '.join([*args, text(note.into), *extra])})")
        else:
            lines.append(f"{f}({', '.join([*args, *extra, f'out={text(note.into)}'])})")
    return lines, scope


def settled(note: Note) -> Note:
    """A ufunc's numbers as 0-d arrays of the dtype it computes in, which NumPy takes as they are.

    To convert a Python number takes each call as long as to compute with a small array.
    """
    f, args = note.function, note.args
    if not isinstance(f, np.ufunc) or f.signature is not None or len(args) != f.nin:
        return note
    kinds = (*[a.dtype if isinstance(a, np.ndarray) else type(a) for a in args], *[None] * f.nout)
    kwargs = dict(note.kwargs)
    try:
        if "dtype" in kwargs and kwargs["dtype"] == f.resolve_dtypes(kinds)[-1]:
            del kwargs["dtype"]  # it would be that anyway
        if kwargs.keys() <= {"out"}:
            args = tuple([np.asarray(a, d) if type(a) in (int, float) else a
                          for a, d in zip(args, f.resolve_dtypes(kinds))])
    except (TypeError, OverflowError):  # the call itself may know better
        return note
    return replace(note, args=args, kwargs=kwargs)


def store(into: Array, result: Any) -> None:
    """Copy a result to where it is to lie."""
    if into.shape != np.shape(result):
        raise RuntimeError(f"a call gave shape {np.shape(result)} where {into.shape} was recorded")
    into[...] = result
