"""What is written down while a step runs: its array calls, or why they would not do."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Array = Any
HOME = str(Path(__file__).parents[1])  # of this package


@dataclass(eq=False)
class Note:
    """One call: ``function(*args, **kwargs)``, whose result goes ``into`` an array if there is one.

    ``copies``: the function takes no ``out``, so its result is copied. ``line``: what in the user's
    program asked for it; ``operator``: and which operator or rule made it of that.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    into: Array | None = None
    copies: bool = False
    line: str = ""
    operator: str = ""
    writes: list[Array] = field(default_factory=list)  # beside ``into``
    loops: str = ""  # the text of a compiled function


class Recorder:
    """The notes of one run, in order."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.made: dict[int, Any] = {}  # the arrays whose memory is of this run, by id
        self.given: list[tuple[Any, Any]] = []  # parameters and gradients that optimizers took
        self.refused = ""  # why the notes would not do, once that is known
        self.stepping: Any = None  # what runs as one call: an optimizer, or a generator
        self.thread = threading.get_ident()

    @contextmanager
    def silent(self, what: Any) -> Iterator[None]:
        """Note nothing inside the block: ``what`` runs as one call."""
        self.stepping = what
        try:
            yield
        finally:
            self.stepping = None

    def add(self, note: Note) -> None:
        note.line, note.operator = origin()
        self.notes.append(note)


active: Recorder | None = None  # the one recording that runs


def recording() -> Recorder | None:
    """The recorder of this thread's step, if what runs now is to be noted call by call."""
    if (active is None or active.stepping is not None or active.refused
            or active.thread != threading.get_ident()):
        return None
    return active


def refuse(why: str) -> None:
    """Give up noting; the step itself goes on."""
    recorder = recording()
    if recorder is not None:
        line, operator = origin()
        recorder.refused = f"{why} ({line}{', in ' + operator if operator else ''})"


def origin() -> tuple[str, str]:
    """The line of the user's program that is running, and the operator or rule it asked for."""
    frame: Any = sys._getframe(1)
    operator = ""
    while frame is not None:
        home = frame.f_globals.get("__name__", "")
        if not frame.f_code.co_filename.startswith((HOME, "<__array_function__")):
            if not home.startswith("numpy"):
                return f"{frame.f_code.co_filename}:{frame.f_lineno}", operator
        elif not operator:
            self = frame.f_locals.get("self")
            if home == "minitorch.primitive" and frame.f_code.co_name == "__call__":
                operator = self.name
            elif home == "minitorch.engine" and frame.f_code.co_name == "pull":
                operator = f"{self.op.name} backward"
        frame = frame.f_back
    return "", operator


def arrays_in(x: Any) -> list[Array]:
    if isinstance(x, np.ndarray):
        return [x]
    if isinstance(x, (tuple, list)):
        return [a for v in x for a in arrays_in(v)]
    if isinstance(x, dict):
        return [a for v in x.values() for a in arrays_in(v)]
    return []
