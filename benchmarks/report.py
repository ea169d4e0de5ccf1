"""A run as a table (Markdown), as JSON, and what changed between two runs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
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


def figures(head: str, cells: Iterable[Cell], about: dict[str, str]) -> list[str]:
    """The figures of rows and engines, then their ratios to PyTorch's default."""
    at = {(cell.key[1], cell.key[2]): cell for cell in cells if cell.rounds}
    if not at:
        return []
    unit = next(iter(at.values())).unit
    rows, used = (list(dict.fromkeys(key[i] for key in at)) for i in (0, 1))
    out = [grid([[f"{head}, {unit}", *used], *[[about.get(row, row), *[
        number(at[row, e].value * UNITS[unit]) if (row, e) in at else "-" for e in used]]
        for row in rows]])]
    if JUDGE in used and len(used) > 1:
        others = [e for e in used if e != JUDGE]
        out.append(grid([[f"{head}, ratio to {JUDGE} (spread)", *others], *[
            [row, *[ratio(at[row, e], at[row, JUDGE]) if (row, e) in at and (row, JUDGE) in at
                    else "-" for e in others]] for row in rows]]))
    return out


def text(table: Table, cells: Cells, about: dict[str, str]) -> str:
    """Per number of threads the figures and their ratios to PyTorch's default; then notes."""
    out = [table.title + "."]
    for threads in dict.fromkeys(key[3] for key in cells):
        head = f"{threads} thread{'s' * (threads > 1)}"
        out += [f"\n{part}" for part in figures(
            head, [cell for key, cell in cells.items() if key[3] == threads], about)]
    notes = [f"{row}, {e}: {cell.note}" for (_, row, e, _), cell in cells.items() if cell.note]
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
