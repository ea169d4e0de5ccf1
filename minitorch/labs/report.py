"""What a lab leaves behind: its numbers as JSON and CSV, its claims as lines, its pictures."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minitorch.labs.networks import Table

TEXTS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}  # JSON has no such numbers


def claim_lines(result: dict[str, Table]) -> list[str]:
    """A line per claim: seen or not, and the numbers."""
    claims = result["claims"]
    return [f"{'seen    ' if seen else 'NOT SEEN'}  {claim}: {numbers}" for claim, seen, numbers
            in zip(claims["claim"], claims["seen"], claims["numbers"])]


def summary_lines(result: dict[str, Table]) -> list[str]:
    """A line per row of the summary: what it is about, then name and number of each column."""
    return ["  ".join(f"{key} {value:.4g}" if isinstance(value, float) else str(value)
                      for key, value in row.items()) for row in rows(result["summary"])]


def rows(table: Table) -> Iterator[dict[str, Any]]:
    """The rows of a table, as dicts by column."""
    return (dict(zip(table, values)) for values in zip(*table.values()))


def stem(lab: str, engine: str) -> str:
    """How the files of a run begin: the lab's name, and the engine's unless it is minitorch."""
    return lab if engine == "minitorch" else f"{lab}-{engine}"


def save(about: dict[str, Any], result: dict[str, Table], folder: Path) -> list[Path]:
    """Write STEM.json with everything, and STEM-TABLE.csv for each table; returns the files.

    ``about`` says what was run: "lab", "engine" and whatever else tells one run from another.
    """
    name = stem(about["lab"], about["engine"])
    files = [folder / f"{name}.json"]
    for table, columns in result.items():
        files.append(folder / f"{name}-{table}.csv")
        with open(files[-1], "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values()))
    # Last and at once, so that a JSON that is there tells of a run that is whole.
    part = folder / f"{name}.json.part"
    part.write_text(json.dumps(plain({"about": about, "tables": result})), encoding="utf-8")
    os.replace(part, files[0])
    return files


def load(path: Path) -> tuple[dict[str, Any], dict[str, Table]]:
    """What ``save`` wrote: what was run, and its tables.

    Raises OSError if the file is not there, and ValueError if it is no lab's.
    """
    saved = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(saved, dict) or set(saved) != {"about", "tables"}:
        raise ValueError(f"{path} is not a lab's file of numbers")
    return saved["about"], {
        table: {key: [TEXTS.get(v, v) if isinstance(v, str) else v for v in column]
                for key, column in columns.items()}
        for table, columns in saved["tables"].items()}


def plain(value: Any) -> Any:
    """``value`` as JSON has it: numbers that are not finite as text."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
