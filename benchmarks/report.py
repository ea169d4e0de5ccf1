"""A run as a table (Markdown), as JSON, and what changed between two runs."""

from __future__ import annotations

import json
import statistics
from datetime import datetime
from typing import Any

from benchmarks.runner import Cell, Cells
from benchmarks.table import UNITS, Table
from minitorch.utils.benchmark import noise

JUDGE = "torch"
Key = tuple[str, str, str, int]


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


def ratios(cells: Cells, key: Key) -> list[float]:
    """To PyTorch's default in the same round, if that was measured too and is not this."""
    judge = (*key[:2], JUDGE, key[3])
    return cells[key].ratios(cells[judge]) if key in cells and judge in cells and (
        key != judge) else []


def comparable(old: Cells, new: Cells) -> tuple[dict[Key, list[float]], dict[Key, list[float]]]:
    """What is compared: ratios to PyTorch's default if both runs have them, since the machine
    drifts by a fifth from run to run; else the figures. PyTorch's own only where it is alone."""
    was, is_ = {}, {}
    for key, cell in new.items():
        if key[2] == JUDGE and any(k[:2] == key[:2] and k != key for k in new):
            continue
        was[key], is_[key] = ratios(old, key), ratios(new, key)
        if not (was[key] and is_[key]):
            was[key] = list(old[key].rounds.values()) if key in old else []
            is_[key] = list(cell.rounds.values())
    return was, is_


def comparison(old: Cells, before: dict[str, Any], new: Cells, now: dict[str, Any]) -> str:
    """What moved, and what else differs between the runs."""
    was, is_ = comparable(old, new)
    return noise.comparison(was, before, is_, now,
                            lambda key: f"{', '.join(key[:3])}, {key[3]} thread(s)")
