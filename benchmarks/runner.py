"""Processes in turn: one per engine and round, each row measured by all before the next row.

A round starts a process for every engine. For each row they compute the numbers that must agree,
all of them; then they are timed one after the other, in an order that reverses with each round,
while the others wait. So what is compared was measured within seconds, and the ratio of a round
does not see the machine drift. Idle thread pools (OpenBLAS, OpenMP) go on spinning for
milliseconds after a call: hence a pause before each turn.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.engines import Engine
from benchmarks.machine import cores, environment
from benchmarks.table import Table

PAUSE = 0.1  # seconds; OpenBLAS's threads spin for about 30 ms, libgomp's for less
LIMIT = 600.0  # seconds for one answer, after which a worker is ended
GRACE = 5.0  # seconds for what has begun when time is up
LATE = "no time was left"


class Failed(RuntimeError):
    """A worker ended; the message is the end of what it wrote."""


@dataclass(frozen=True)
class Plan:
    """How to measure: ``home`` is the package of engines and tables; ``until``, by the clock
    ``time.monotonic``, is when to stop; ``limit``: seconds for a worker's answer."""

    rounds: int
    seconds: float
    tell: Callable[[str], None]
    home: str = "benchmarks"
    until: float = math.inf
    limit: float = LIMIT

    @property
    def late(self) -> bool:
        return time.monotonic() > self.until


class Worker:
    """A process with one engine, as ``benchmarks.worker`` answers it; ``ready`` waits for it."""

    def __init__(self, engine: str, threads: int, plan: Plan) -> None:
        self.plan = plan
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", engine, str(threads), plan.home],
            env=environment(threads), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, text=True)
        self.engine = engine
        self.about: dict[str, Any] = {}

    def ready(self) -> None:
        self.about = self.answer()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            self.process.kill()

        limit = min(self.plan.limit, max(self.plan.until - time.monotonic(), GRACE))
        clock = threading.Timer(limit, end)
        clock.start()
        line = self.process.stdout.readline()
        clock.cancel()
        if late.is_set():
            raise Failed(f"{self.engine}: no answer in {limit:.3g} s")
        if not line:
            self.errors.seek(0)
            raise Failed(f"{self.engine}: {self.errors.read()[-2000:].strip()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            print(json.dumps({"do": do, **request}), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # answer() says why
        return self.answer()

    def close(self) -> None:
        self.process.communicate()  # the end of its input ends it
        self.errors.close()


class Cell:
    """What one engine showed in one row with so many threads, a figure per round."""

    def __init__(self, table: str, row: str, engine: str, threads: int, unit: str) -> None:
        self.key = table, row, engine, threads
        self.unit = unit
        self.rounds: dict[int, float] = {}
        self.extra: dict[str, list[float]] = {}
        self.note = ""  # why there are no figures

    @property
    def value(self) -> float:
        return statistics.median(self.rounds.values()) if self.rounds else math.nan

    def ratios(self, other: Cell) -> list[float]:
        """To another engine's figures, round by round."""
        return [self.rounds[k] / other.rounds[k] for k in self.rounds if other.rounds.get(k)]

    def as_dict(self) -> dict[str, Any]:
        table, row, engine, threads = self.key
        return {"table": table, "row": row, "engine": engine, "threads": threads,
                "unit": self.unit, "value": self.value if self.rounds else None,
                "rounds": list(self.rounds.values()), "note": self.note, **self.extra}


Cells = dict[tuple[str, str, str, int], Cell]


def disagreement(mine: list[float], theirs: list[float], tolerance: float) -> str:
    """How far two engines' numbers are apart, if too far. Those that only one has do not count."""
    for i, (a, b) in enumerate(zip(mine, theirs)):
        if not (abs(a - b) <= tolerance * abs(b) or (math.isnan(a) and math.isnan(b))):
            return f"number {i} is {a:.7g} and not {b:.7g}"
    return ""


def measure(name: str, table: Table, rows: Iterable[str], engines: list[str], threads: int,
            plan: Plan) -> tuple[Cells, dict]:
    """All cells of a table for one number of threads, and what the workers say of themselves."""
    rows = list(rows)
    cells = {(name, row, e, threads): Cell(name, row, e, threads, table.unit)
             for row in rows for e in engines}
    about: dict[str, Any] = {}
    for k in range(plan.rounds):
        order = engines if k % 2 == 0 else engines[::-1]
        for group in [[row] for row in rows] if table.alone else [rows]:
            place = f"{name}, {threads} thread(s), round {k + 1} of {plan.rounds}"
            with ExitStack() as stack:
                plan.tell(f"{place}: starting {', '.join(order)}")
                mine = {e: [cells[name, row, e, threads] for row in group] for e in order}
                workers = start({e: found for e, found in mine.items() if not plan.late
                                 and not all(cell.note for cell in found)}, threads, plan, stack)
                for e, worker in workers.items():
                    about[e] = worker.about
                for row in group:
                    if not plan.late:
                        plan.tell(f"{place}: {row}")
                        turn(name, table, row, workers, {e: cells[name, row, e, threads]
                                                         for e in order if e in workers}, k, plan)
    for cell in cells.values():
        if not cell.rounds and plan.late:
            cell.note = cell.note or LATE
    return cells, about


def start(cells: dict[str, list[Cell]], threads: int, plan: Plan,
          stack: ExitStack) -> dict[str, Worker]:
    """A worker of each engine, all started at the same time; those that came up."""
    workers = {e: Worker(e, threads, plan) for e in cells}
    for e, worker in list(workers.items()):
        stack.callback(worker.close)
        try:
            worker.ready()
        except Failed as why:
            del workers[e]
            for cell in cells[e]:
                cell.note = f"FAILED: {why}"
    return workers


def turn(name: str, table: Table, row: str, workers: dict[str, Worker], cells: dict[str, Cell],
         k: int, plan: Plan) -> None:
    """One row in one round: the check of all engines, then the measurement of each."""
    checks: dict[str, list[float]] = {}

    def asked(e: str, do: str, **request: Any) -> dict[str, Any]:
        try:
            return workers[e].ask(do, **request)
        except Failed as why:
            del workers[e]
            return {"note": LATE if plan.late else f"FAILED: {why}"}

    for e, cell in cells.items():
        if cell.note:
            continue
        answer = asked(e, "prepare", table=name, row=row)
        if "note" in answer:
            cell.note = answer["note"]
            continue
        checks[e] = answer["check"]
        cell.extra.setdefault("prepared", []).append(answer["prepared"])
    judge = next((e for e in ("torch", *cells) if checks.get(e)), None)
    for e, mine in checks.items():
        wrong = disagreement(mine, checks[judge], table.tolerance) if judge else ""
        if wrong:
            cells[e].note = f"DIFFERS from {judge}: {wrong}; not timed"
            continue
        time.sleep(PAUSE if table.seconds else 0)
        answer = asked(e, "measure", seconds=plan.seconds, least=table.least, warm=table.warm)
        if "note" in answer:
            cells[e].note = answer["note"]
            continue
        cells[e].rounds[k] = answer.pop("value")
        for key, value in answer.items():
            cells[e].extra.setdefault(key, []).append(value)


def estimate(table: Table, rows: int, engines: list[Engine], threads: int, rounds: int,
             seconds: float) -> float:
    """About how many seconds ``measure`` will take for so many numbers of threads."""
    starts = sum(e.startup for e in engines) * (rows if table.alone else 1)
    compiling = rows * sum(e.compiling for e in engines)
    return threads * (compiling + rounds * (
        starts + rows * len(engines) * (seconds + table.setup + PAUSE)))


def runnable(engines: Iterable[str],
             known: Mapping[str, Engine]) -> tuple[list[str], dict[str, str]]:
    """Those engines that can run here, and why the others cannot."""
    missing = {e: known[e].missing() for e in engines}
    return [e for e, why in missing.items() if not why], {e: w for e, w in missing.items() if w}


def enough(threads: int) -> bool:
    return threads <= len(cores())
