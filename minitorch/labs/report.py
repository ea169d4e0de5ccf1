"""What a lab leaves behind: claims as lines of text, tables as CSV, everything as JSON."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any


def claim_lines(result: dict[str, Any]) -> list[str]:
    """A line per claim: seen or not, and the numbers."""
    claims = result["claims"]
    return [f"{'seen    ' if seen else 'NOT SEEN'}  {claim}: {numbers}" for claim, seen, numbers
            in zip(claims["claim"], claims["seen"], claims["numbers"])]


def save(result: dict[str, Any], folder: Path, lab: str) -> list[Path]:
    """Write LAB.json with everything, and LAB-TABLE.csv for each table; returns the files."""
    files = [folder / f"{lab}.json"]
    files[0].write_text(json.dumps(plain(result), indent=1), encoding="utf-8")
    for table, columns in result.items():
        files.append(folder / f"{lab}-{table}.csv")
        with open(files[-1], "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values()))
    return files


def plain(value: Any) -> Any:
    """``value`` as JSON has it: numbers that are not finite as text."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
