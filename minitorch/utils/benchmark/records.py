"""Measurements as JSON, with the date and the machine; and two such files compared."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from os import PathLike
from typing import Any

from minitorch.utils.benchmark import machine, noise
from minitorch.utils.benchmark.measurement import Measurement, TaskSpec, select_unit


def save(path: str | PathLike[str], results: Iterable[Measurement]) -> None:
    """Write measurements and what they were made on; ``metadata`` must be JSON's kinds."""
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    found = {"date": date, "machine": machine.description(), "busy": machine.busy(),
             "measurements": [asdict(m) for m in results]}
    text = json.dumps(found, indent=1)  # before a file is touched
    with open(path, "w") as file:
        file.write(text + "\n")


def load(path: str | PathLike[str]) -> tuple[list[Measurement], dict[str, Any]]:
    """The measurements that ``save`` wrote, and the rest: date, machine, busy.

    Raises ValueError if it is no such file.
    """
    try:
        with open(path) as file:
            found = json.load(file)
        return [Measurement(**{**m, "task_spec": TaskSpec(**m["task_spec"])})
                for m in found.pop("measurements")], {key: found[key] for key in (
                    "date", "machine", "busy")}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} was not written by minitorch.utils.benchmark.save: "
                         f"{type(error).__name__}: {error}") from error


def comparison(old: str | PathLike[str], new: str | PathLike[str]) -> str:
    """What moved from one file to another, replicates taken together."""
    (first, before), (second, now) = load(old), load(new)
    a, b = ({m.task_spec: m.times for m in Measurement.merge(x)} for x in (first, second))
    return noise.comparison(a, before, b, now, name, seconds)


def name(task: TaskSpec) -> str:
    """What a line calls a task."""
    parts = [task.title, task.description, task.env, f"{task.num_threads} thread(s)"]
    return ", ".join(filter(None, parts))


def seconds(t: float) -> str:
    """A time in a handy unit: 11.2 us."""
    unit, scale = select_unit(t)
    return f"{t / scale:.3g} {unit}"
