"""A run as a table (Markdown), as JSON, and what changed between two runs."""

from __future__ import annotations

import json
import statistics
from datetime import datetime
from typing import Any

from benchmarks.runner import Cell, Cells
from benchmarks.table import UNITS, Table

JUDGE = "torch"
LEAST = 0.05  # a smaller change is not worth a line


def number(x: float) -> str:
    """Three digits that count: 0.123, 1.23, 12.3, 123, 1,230."""
    return f"{x:,.{0 if x >= 100 else 1 if x >= 10 else 2 if x >= 1 else 3}f}"


def ratio(cell: Cell, judge: Cell) -> str:
    """The median of the rounds' ratios, and the smallest and largest."""
    found = sorted(cell.ratios(judge))
    if not found:
        return "-"
    spread = f" ({found[0]:.2f}-{found[-1]:.2f})" if len(found) > 1 else ""
    return f"{statistics.median(found):.2f}{spread}"


def grid(lines: list[list[str]]) -> str:
    """A Markdown table whose columns are aligned for reading as it is."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    rule = ["-" * widths[0], *["-" * (w - 1) + ":" for w in widths[1:]]]
    return "\n".join("| " + " | ".join([row[0].ljust(widths[0]), *[
        text.rjust(w) for text, w in zip(row[1:], widths[1:])]]) + " |"
        for row in [lines[0], rule, *lines[1:]])


def text(table: Table, cells: Cells, about: dict[str, str]) -> str:
    """Per number of threads: the figures, then their ratios to PyTorch's default; then notes."""
    out, notes = [table.title + "."], []
    name = next(iter(cells))[0]
    rows = list(dict.fromkeys(key[1] for key in cells))
    engines = list(dict.fromkeys(key[2] for key in cells))
    counts = dict.fromkeys(key[3] for key in cells)
    for threads in counts:
        def at(row: str, e: str, threads: int = threads) -> Cell:
            return cells[name, row, e, threads]
        shown = [row for row in rows if any(at(row, e).rounds for e in engines)]
        used = [e for e in engines if any(at(row, e).rounds for row in rows)]
        figures = [[about.get(row, row), *[number(at(row, e).value * UNITS[table.unit])
                    if at(row, e).rounds else "-" for e in used]] for row in shown]
        head = f"{threads} thread{'s' * (threads > 1)}"
        out.append("\n" + grid([[f"{head}, {table.unit}", *used], *figures]))
        if JUDGE in used and len(used) > 1:
            others = [e for e in used if e != JUDGE]
            out.append("\n" + grid([[f"{head}, ratio to {JUDGE} (spread)", *others], *[
                [row, *[ratio(at(row, e), at(row, JUDGE)) for e in others]] for row in shown]]))
        notes += [f"{row}, {e}: {at(row, e).note}" for row in rows for e in engines
                  if at(row, e).note]
    if notes:
        out.append("\n" + "\n".join(dict.fromkeys(notes)))
    return "\n".join(out)


def save(path: str, cells: Cells, about: dict[str, Any]) -> None:
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    with open(path, "w") as file:
        json.dump({"date": date, **about, "cells": [c.as_dict() for c in cells.values()]}, file,
                  indent=1)
        file.write("\n")


def load(path: str) -> tuple[Cells, dict[str, Any]]:
    with open(path) as file:
        found = json.load(file)
    cells = {}
    for c in found.pop("cells"):
        cell = Cell(c["table"], c["row"], c["engine"], c["threads"], c["unit"])
        cell.rounds, cell.note = dict(enumerate(c["rounds"])), c["note"]
        cells[cell.key] = cell
    return cells, found


def figures(cells: Cells, cell: Cell) -> list[float]:
    """What is compared between runs: ratios to PyTorch's default in the same round if there are
    any, since the machine drifts by a fifth from run to run; else the figures themselves."""
    judge = cells.get((*cell.key[:2], JUDGE, cell.key[3]))
    found = cell.ratios(judge) if judge is not None and cell is not judge else []
    return sorted(found or cell.rounds.values())


def moved(old: Cells, new: Cells) -> list[str]:
    """The cells whose medians are farther apart than the spreads of both runs together.

    Of noise alone that happens to 1 cell in 7,000 with five rounds, 1 in 70 with three (normal
    noise, simulated); fewer rounds are not compared. PyTorch's own figures, by which the others
    are judged, only where they stand alone.
    """
    lines = []
    for key, cell in new.items():
        before = old.get(key)
        if before is None or min(len(cell.rounds), len(before.rounds)) < 3 or (
                key[2] == JUDGE and any(k[:2] == key[:2] and k != key for k in new)):
            continue
        a, b = figures(old, before), figures(new, cell)
        x, y = statistics.median(a), statistics.median(b)
        if abs(y - x) > max(b[-1] - b[0] + a[-1] - a[0], LEAST * x):
            lines.append(f"{'more' if y > x else 'less'} {y / x - 1:+.0%}  {', '.join(key[:3])}, "
                         f"{key[3]} thread(s): {a[0]:.3g}-{a[-1]:.3g} -> {b[0]:.3g}-{b[-1]:.3g}")
    return lines


def comparison(old: Cells, before: dict[str, Any], new: Cells, now: dict[str, Any]) -> str:
    """What moved, and what else differs between the runs."""
    lines = [f"Compared with {before['date']}:"]
    lines += [f"  {k} was {before['machine'].get(k)}, is {now['machine'][k]}"
              for k in now["machine"] if before["machine"].get(k) != now["machine"][k]]
    both = [key for key in new if key in old and min(
        len(new[key].rounds), len(old[key].rounds)) >= 3]
    if both:
        lines += [f"  {line}" for line in moved(old, new)] or ["  nothing moved beyond the noise"]
    if len(both) < len(new):
        lines.append(f"  only {len(both)} of {len(new)} cells have three rounds or more in both "
                     f"runs, and are compared")
    return "\n".join(lines)
