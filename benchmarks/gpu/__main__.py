"""``python -m benchmarks.gpu``: minitorch on a GPU beside PyTorch, its CUDA graphs, and JAX.

    python -m benchmarks.gpu                        every table, what matters most first
    python -m benchmarks.gpu steps --rows A         one table; one row (``all``: all it has)
    python -m benchmarks.gpu --budget 300           stop after so many seconds
    python -m benchmarks.gpu --device cpu --quick   does the program work? (no events, no graphs)

What is measured, and what makes it fair, is said in benchmarks/README.md. Exit status: 1 if an
engine computes something else, 2 if one fails.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import epoch, report, runner
from benchmarks.gpu import floors
from benchmarks.gpu.clocks import Clocks
from benchmarks.gpu.engines import ENGINES
from benchmarks.gpu.placed import DEVICE
from benchmarks.gpu.steps import NETWORKS_OF
from benchmarks.gpu.tables import TABLES
from benchmarks.machine import cores
from benchmarks.runner import Cell, Cells
from benchmarks.table import Table
from minitorch import cuda
from minitorch.utils.benchmark import machine

LIMIT = 240.0  # seconds for one answer of a worker; torch.compile takes the longest
BEGUN = time.monotonic()


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", help=f"of {', '.join(TABLES)}; all by default")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--rows", nargs="+", help="instead of those that are usual; or all")
    parser.add_argument("--engines", nargs="+", metavar="ENGINE",
                        help=f"of {', '.join(ENGINES)}, instead of those that are usual")
    parser.add_argument("--rounds", type=int, help="processes per engine, one after the other")
    parser.add_argument("--seconds", type=float, help="of measuring per row and process")
    parser.add_argument("--budget", type=float, metavar="S", default=math.inf,
                        help="begin nothing more after so many seconds; each table but the last "
                             "may take half of what is left")
    parser.add_argument("--quick", action="store_true", help="few and short: does it work?")
    parser.add_argument("--data", metavar="DIR", help="where MNIST's four files are; else noise")
    parser.add_argument("--json", metavar="FILE", help="write all figures here, after each table")
    parser.add_argument("--table", metavar="FILE", help="write the tables here too")
    parser.add_argument("--compare", metavar="OLD.json", help="print what moved since")
    options = parser.parse_args(arguments)
    options.tables = options.tables or list(TABLES)
    for kind, given, known in (("table", options.tables, TABLES),
                               ("engine", options.engines or [], ENGINES)):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"no {kind} {', '.join(unknown)}, only {', '.join(known)}")
    every = {row for name in options.tables for row in TABLES[name].rows}
    if unknown := [row for row in options.rows or [] if row not in {*every, "all"}]:
        parser.error(f"no row {', '.join(unknown)}, only {', '.join(every)}")
    return options


def chosen(table: Table, options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """The rows and the engines of a table that are to be measured."""
    usual = list(table.usual or table.rows)
    rows = list(table.rows) if options.rows == ["all"] else [
        row for row in options.rows if row in table.rows] if options.rows else usual
    if options.quick and not options.rows:
        rows = rows[:1]
    return rows, [e for e in options.engines or table.engines if e in table.engines]


def floors_of(name: str, row: str, gpu: str) -> dict[str, float]:
    precision = "TF32" if name.endswith("tf32") else "FP32"
    return floors.floors(NETWORKS_OF[name][row], precision, gpu)


def with_floors(name: str, cells: Cells, gpu: str) -> Cells:
    """The figures of a table of steps, and the two floors beside them as if they were engines."""
    out = dict(cells)
    for _, row, _, threads in cells:
        if name in NETWORKS_OF:
            for e, seconds in floors_of(name, row, gpu).items():
                out[name, row, e, threads] = Cell(name, row, e, threads, "us")
                out[name, row, e, threads].rounds[0] = seconds
    return out


def by_clock(clock: str, cells: Cells) -> Cells:
    """The times of the same runs by another clock, where it was read."""
    out: Cells = {}
    for key, cell in cells.items():
        times: list[Any] = cell.extra.get(clock, [])
        out[key] = Cell(*key, cell.unit)
        out[key].rounds = {k: t for k, t in enumerate(times) if t is not None}
    return out


def text(name: str, table: Table, cells: Cells, gpu: str) -> str:
    """A table as it is printed: until all was done, then the host's share and the device's."""
    shown = {key: cell for key, cell in cells.items() if cell.rounds or cell.note != runner.LATE}
    late = dict.fromkeys(key[1] for key in cells if key not in shown)
    parts = [report.text(table, with_floors(name, shown, gpu), {})] if shown else []
    parts += [f"{row}: {said}" for (_, row, _, _), cell in shown.items() if name == "floors"
              and cell.rounds and (said := floors.rates(row, cell.value))]
    if any(by_clock("device", shown)[key].rounds for key in shown):
        for clock, meaning in (("host", "until it was free"), ("device", "by its events")):
            parts += report.figures(f"{clock} time, {meaning}",
                                    by_clock(clock, shown).values(), {})[:1]
    if late:
        parts.append(f"{name}: time ran out in {', '.join(late)}")
    return "\n\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    until = time.monotonic() + options.budget
    os.environ[DEVICE] = options.device
    if options.quick:
        os.environ.setdefault(epoch.IMAGES, "1000")
    gpu = machine.gpu("name").get("name", "") if options.device == "cuda" else ""
    if options.device == "cuda" and not gpu and not cuda.is_available():
        raise SystemExit("there is no GPU here: --device cpu tries the program without one")
    threads = len(cores()) if options.device == "cuda" else 1
    old = report.load(options.compare) if options.compare else None  # before minutes are spent
    about: dict[str, Any] = {"machine": machine.description(), "device": options.device,
                             "images": "MNIST" if options.data else "noise", "clocks": {}}
    print("; ".join(f"{k} {v}" for k, v in about["machine"].items()))
    everything: Cells = {}
    texts: list[str] = []
    with tempfile.TemporaryDirectory() as folder, Clocks() as clocks:
        if options.data and (wrong := epoch.prepare(Path(options.data), Path(folder))):
            raise SystemExit(wrong)
        for name in options.tables:
            table = TABLES[name]
            rows, engines = chosen(table, options)
            engines, missing = runner.runnable(engines, ENGINES)
            rounds, seconds = table.rounds, table.seconds
            if options.quick:
                rounds, seconds = 1, min(0.02, seconds)
            if options.rounds is not None:
                rounds = options.rounds
            if options.seconds is not None:
                seconds = options.seconds
            half = time.monotonic() + (until - time.monotonic()) / 2  # the rest is for the others
            plan = runner.Plan(rounds, seconds, tell, "benchmarks.gpu",
                               until if name == options.tables[-1] else half, LIMIT)
            cells, said = runner.measure(name, table, rows, engines, threads, plan)
            everything |= cells
            about["machine"] |= {k: v for s in said.values() for k, v in s.items()}
            about.setdefault("missing", {}).update(missing)
            about["clocks"][name] = clocks.since()
            if name in NETWORKS_OF:
                about.setdefault("floors", {})[name] = {row: floors_of(name, row, gpu)
                                                        for row in rows}
            found = [text(name, table, cells, gpu) if cells else "",
                     *(f"{name}: {e} left out: {why}" for e, why in missing.items())]
            texts.append("\n".join(filter(None, found)))
            print(f"\n{texts[-1]}", flush=True)
            if options.json:
                report.save(options.json, everything, about)
            if options.table:
                Path(options.table).write_text("\n\n".join(texts) + "\n")
    if old:
        print("\n" + report.comparison(*old, everything, about))
    notes = [cell.note.partition(" ")[0] for cell in everything.values()]
    return 1 if "DIFFERS" in notes else 2 if "FAILED:" in notes else 0


def tell(line: str) -> None:
    """Where it stands, a line each: it may run where nobody sees the terminal."""
    print(f"[{time.monotonic() - BEGUN:4.0f} s] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
