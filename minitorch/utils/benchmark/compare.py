"""Measurements as tables: a table of each label, a column of each description."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from minitorch.utils.benchmark.measurement import (
    Measurement,
    select_unit,
    trim_sigfig,
    unit_to_english,
)

# A terminal's codes: bold green, bold blue, faint red, bold dark red.
BEST, GOOD, SLOW, SLOWEST = (
    "\033[92m\033[1m", "\033[34m\033[1m", "\033[2m\033[91m", "\033[31m\033[1m")
END = "\033[0m\033[0m"


class Colorize(Enum):
    """Among which measurements the best is looked for."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


class Compare:
    """A table of medians, as ``print(Compare(results))``; replicates are merged.

    ``label`` heads a table, ``sub_label`` (else the statement) names a row, ``description`` a
    column; rows are grouped by ``num_threads``, and within that by ``env`` if there are several.
    """

    def __init__(self, results: list[Measurement]) -> None:
        self._results: list[Measurement] = []
        self._style = Style()
        self.extend_results(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        results = list(results)
        for r in results:
            if not isinstance(r, Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(r)} instead.")
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Show no more digits than mean something."""
        self._style.trim = True

    def colorize(self, rowwise: bool = False) -> None:
        """Colour the best and the worst of each column (within a number of threads), or row."""
        self._style.colorize = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self) -> None:
        """Show the spread of measurements whose interquartile range is large."""
        self._style.warn = True

    def print(self) -> None:
        """Print the tables."""
        print(str(self))

    def __str__(self) -> str:
        tables: dict[str | None, list[Measurement]] = {}
        for m in Measurement.merge(self._results):
            tables.setdefault(m.label, []).append(m)
        return "\n".join(table(results, self._style) for results in tables.values())


@dataclass
class Style:
    trim: bool = False
    colorize: Colorize = Colorize.NONE
    warn: bool = False


def table(results: list[Measurement], style: Style) -> str:
    """The measurements of one label: a heading, a line of each row, and the unit."""
    unit, scale = select_unit(min(m.median for m in results))
    grid: dict[Any, dict[str, Measurement]] = {}
    for m in results:
        row = m.num_threads, m.env or "Unspecified env", m.as_row_name
        grid.setdefault(row, {})[m.description or ""] = m
    rows = sorted(grid, key=lambda row: row[:2])  # a stable sort: names stay as they came
    columns = list(dict.fromkeys(m.description or "" for m in results))
    forms = {c: Form([cells[c] for cells in grid.values() if c in cells], scale, style)
             for c in columns}
    lines = [["", *columns]]
    lines += [[name, *[forms[c].text(grid[row].get(c)) for c in columns]]
              for row, name in zip(rows, names(rows))]
    widths = [max(map(len, column)) for column in zip(*lines)]

    out = ["  |  ".join(text.center(w) for text, w in zip(lines[0], widths))]
    whole = len(out[0])
    threads = None
    for row, line in zip(rows, lines[1:]):
        if row[0] != threads:
            threads = row[0]
            out.append(f"{threads} threads: ".ljust(whole, "-"))
        texts = [line[0].ljust(widths[0])]
        for c, text, w in zip(columns, line[1:], widths[1:]):
            rivals = (list(grid[row].values()) if style.colorize is Colorize.ROWWISE else
                      [grid[r][c] for r in rows if r[0] == threads and c in grid[r]])
            text = text.center(w)
            if style.colorize is not Colorize.NONE and c in grid[row]:
                text = coloured(text, grid[row][c].median, min(m.median for m in rivals))
            texts.append(text)
        out.append("  |  ".join(texts))
    head = f" {results[0].label or ''} ".center(whole - 2, "-")
    foot = ["", f"Times are in {unit_to_english(unit)}s ({unit}).", ""]
    if style.warn and any(m.has_warnings for m in results):
        foot.insert(2, "(! XX%) Measurement has high variance, where XX is the IQR / median * 100.")
    return "\n".join([f"[{head}]", *out, *foot])


def names(rows: list[Any]) -> list[str]:
    """The rows' names, each env before the first of its rows if there are several."""
    envs = {env for _, env, _ in rows}
    width = 4 + (max(map(len, envs)) if len(envs) > 1 else 0)
    out, before = [], None
    for threads, env, name in rows:
        shown = f"({env})" if len(envs) > 1 and (threads, env) != before else ""
        out.append(f"  {shown:<{width}}{name}")
        before = threads, env
    return out


class Form:
    """How the numbers of a column are written, so that they stand below each other."""

    def __init__(self, column: list[Measurement], scale: float, style: Style) -> None:
        digits = [math.ceil(math.log10(m.median / scale)) for m in column]
        self.decimals = min(max(m.significant_figures - d, 0) for m, d in zip(
            column, digits)) if style.trim else 1
        self.width = max(digits) + self.decimals + (self.decimals > 0)
        self.warn = style.warn and any(m.has_warnings for m in column)
        self.scale, self.trim = scale, style.trim

    def text(self, m: Measurement | None) -> str:
        """A median, and its spread if that is to be warned of; as many blanks where none is."""
        if m is None:
            return " " * len(self.number(1.0) + " " * 7 * self.warn)
        value = m.median / self.scale
        spread = f" (! {m.iqr / m.median * 100:.0f}%)" if self.warn and m.has_warnings else ""
        return (self.number(trim_sigfig(value, m.significant_figures) if self.trim else value)
                + f"{spread:>{7 * self.warn}}")

    def number(self, x: float) -> str:
        return f"{x:>{self.width}.{self.decimals}f}"


def coloured(text: str, value: float, best: float) -> str:
    """Within 1% (or 100 ns) and 10% of the best, and twice and five times as slow."""
    if value <= max(best * 1.01, best + 100e-9):
        return BEST + text + END
    if value <= best * 1.1:
        return GOOD + text + END
    if value >= best * 5:
        return SLOWEST + text + END
    return SLOW + text + END if value >= best * 2 else text
