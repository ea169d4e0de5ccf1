"""``python -m benchmarks``: minitorch beside PyTorch, JAX and the floors of a NumPy engine.

    python -m benchmarks                       steps of the networks A to E, on 1 and 2 threads
    python -m benchmarks steps A-width-1024    one row; ``all`` for all that a table has
    python -m benchmarks epoch --data DIR      an epoch of MNIST, from its files and from memory
    python -m benchmarks operators relu        each operator; optimizers, import, memory likewise
    python -m benchmarks --json new.json --compare old.json --picture new.png

What makes it fair is said in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import epoch, report, runner, steps
from benchmarks.engines import ENGINES
from benchmarks.machine import cores
from benchmarks.tables import TABLES
from minitorch.utils.benchmark import machine

QUICK: dict[str, Any] = {"threads": [1], "rounds": 1, "seconds": 0.02}


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", choices=list(TABLES), default="steps")
    parser.add_argument("rows", nargs="*", help="all that are usual by default")
    parser.add_argument("--threads", type=int, nargs="+", help="1 and 2 by default")
    parser.add_argument("--rounds", type=int, help="processes per engine, one after the other")
    parser.add_argument("--seconds", type=float, help="of measuring per row and process")
    parser.add_argument("--engines", nargs="+", metavar="ENGINE",
                        help=f"of {', '.join(ENGINES)}; or all")
    parser.add_argument("--quick", action="store_true", help="few and short: does it work?")
    parser.add_argument("--data", metavar="DIR", help="where MNIST's four files are")
    parser.add_argument("--json", metavar="FILE", help="write all figures here")
    parser.add_argument("--picture", metavar="FILE", help="draw them (png, svg, pdf)")
    parser.add_argument("--compare", metavar="OLD.json", help="print what moved since")
    options = parser.parse_args(arguments)
    table = TABLES[options.table]
    wanted = options.rows or list(table.usual or table.rows)
    options.rows = list(table.rows) if wanted == ["all"] else wanted
    unknown = [row for row in options.rows if row not in table.rows]
    if unknown:
        parser.error(f"{options.table} has no row {', '.join(unknown)}, only "
                     f"{', '.join(table.rows)}")
    engines = options.engines or list(table.engines)
    options.engines = list(ENGINES) if engines == ["all"] else engines
    unknown = [e for e in options.engines if e not in ENGINES]
    if unknown:
        parser.error(f"no engine {', '.join(unknown)}, only {', '.join(ENGINES)}")
    usual: dict[str, Any] = {"threads": [1, 2], "rounds": table.rounds, "seconds": table.seconds}
    for name, value in usual.items():
        if getattr(options, name) is None:
            setattr(options, name, min(QUICK[name], value) if options.quick else value)
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    table = TABLES[options.table]
    engines, missing = runner.runnable(options.engines, ENGINES)
    threads = [n for n in options.threads if runner.enough(n)]
    about: dict[str, Any] = {
        "machine": machine.description(), "rounds": options.rounds, "seconds": options.seconds,
        "busy": machine.busy(), "missing": missing}
    old = report.load(options.compare) if options.compare else None  # before minutes are spent
    print("; ".join(f"{k} {v}" for k, v in about["machine"].items()))
    for why in [*(f"{e} left out: {why}" for e, why in missing.items()),
                *(f"{n} threads left out: there are {len(cores())} cores"
                  for n in options.threads if n not in threads), about["busy"]]:
        if why:
            print(why)
    seconds = runner.estimate(table, len(options.rows), [ENGINES[e] for e in engines], len(threads),
                              options.rounds, options.seconds)
    print(f"{options.rounds} rounds, {options.seconds:g} s per row and process: about "
          f"{seconds / 60:.1f} min", flush=True)
    if options.quick:
        os.environ.setdefault(epoch.IMAGES, "6000")
    cells, begun = {}, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        if options.table == "epoch" and options.data:
            wrong = epoch.prepare(Path(options.data), Path(folder))
            if wrong:
                raise SystemExit(wrong)
        plan = runner.Plan(options.rounds, options.seconds, tell)
        for n in threads:
            found, said = runner.measure(options.table, table, options.rows, engines, n, plan)
            cells.update(found)
            about.setdefault("engines", {})[str(n)] = said
            about["machine"] |= {k: v for s in said.values() for k, v in s.items()
                                 if not k.endswith("threads")}
    tell("")
    names = {k: f"{k}: {v}" for k, v in steps.ABOUT.items()} if options.table == "steps" else {}
    print(f"\n{report.text(table, cells, names)}\n\n{(time.perf_counter() - begun) / 60:.1f} min")
    if options.json:
        report.save(options.json, cells, about)
    if options.picture:
        from benchmarks.picture import draw
        draw(cells, options.picture)
    if old:
        print("\n" + report.comparison(*old, cells, about))
    return int(any(cell.note.startswith(("DIFFERS", "FAILED")) for cell in cells.values()))


def tell(line: str) -> None:
    """Where it stands, on one line of the terminal."""
    if sys.stderr.isatty():
        print(f"\r{line[:99]:<99}\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
