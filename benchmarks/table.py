"""What a benchmark is made of: a table has rows, and a row gives each engine some work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SEED = 777
TOLERANCE = 1e-3  # of float32 losses after ten steps of training


class Unfit(Exception):
    """This engine does not have this row; the message says why."""


@dataclass
class Work:
    """``run`` is timed, again and again; or ``measure`` gives a number of another kind, once.

    ``check`` comes first, and gives numbers that must be the same for every engine: what computes
    different things is not compared. It also warms up what is warmed up by running.
    """

    run: Callable[[], Any] | None = None
    check: Callable[[], Sequence[float]] = tuple
    measure: Callable[[], float] | None = None


@dataclass(frozen=True)
class Table:
    """``rows``: by name, a function of an engine that returns its Work, or raises Unfit.

    ``least``: how often the work is run at least, however short the time. ``warm``: how often
    before the clock starts. ``alone``: each row has processes of its own. ``setup``: about how
    many seconds a row costs each process besides the measuring, to say how long a run will take.
    """

    title: str
    rows: dict[str, Callable[[Any], Work]]
    engines: tuple[str, ...]
    usual: tuple[str, ...] = ()  # the rows that are run if none are named; all if empty
    unit: str = "ms"
    seconds: float = 0.4
    rounds: int = 5
    least: int = 10
    warm: int = 3
    alone: bool = False
    setup: float = 0.1
    tolerance: float = TOLERANCE


UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "MB": 1e-6}
