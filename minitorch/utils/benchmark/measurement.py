"""What was measured: the task, the times of its runs, and what they say."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

HIGH, GROSS = 0.1, 0.25  # an interquartile range of so much of the median is warned of
FINEST = 25e-9  # seconds; no interval of confidence is taken to be smaller
MOST_FIGURES = 4
Z = 1.645  # of a normal distribution, 90% lie within so many standard deviations
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
NAMES = {"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}


@dataclass(frozen=True)
class TaskSpec:
    """What a Timer runs, all but its globals: measurements of equal ones are replicates."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """``label: sub_label``, or the statement in the label's place."""
        name = self.stmt if self.label is None else self.label
        if self.label is None and "\n" in name:
            extra = f" ({self.sub_label})" if self.sub_label else ""
            return f"stmt:{extra}\n{textwrap.indent(name, '  ')}"
        return f"{name}: {self.sub_label}" if self.sub_label else name

    def setup_str(self) -> str:
        """The setup as it is printed; "" if there is none."""
        if self.setup in ("pass", ""):
            return ""
        several = "\n" in self.setup
        return "setup:\n" + textwrap.indent(self.setup, "  ") if several else "setup: " + self.setup

    def summarize(self) -> str:
        """Title, description and setup; an empty line after each of several lines."""
        parts = filter(None, (self.title, self.description, self.setup_str()))
        return "\n".join(part + "\n" * ("\n" in part) for part in parts)


_TASK = {field.name for field in fields(TaskSpec)}


@dataclass(repr=False)
class Measurement:
    """Times of a task, in seconds: ``raw_times`` of blocks of ``number_per_run`` runs each.

    A Timer leaves in ``metadata["threads"]`` how many threads each library had. The task's fields
    can be read from the measurement: ``m.label``. Raises ValueError without times.

    >>> m = Measurement(2, [1.0, 2.0, 4.0], TaskSpec("f(x)", "pass", label="f"))
    >>> m.times, m.median, m.iqr, m.title
    ([0.5, 1.0, 2.0], 1.0, 0.75, 'f')
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __post_init__(self) -> None:
        if not self.raw_times:
            raise ValueError("a Measurement needs at least one time, got none")

    def __getattr__(self, name: str) -> Any:
        if name in _TASK:
            return getattr(self.task_spec, name)
        raise AttributeError(f"'Measurement' object has no attribute '{name}'")

    @property
    def times(self) -> list[float]:
        """Seconds per run, one of each block."""
        return [t / self.number_per_run for t in self.raw_times]

    def quantile(self, q: float) -> float:
        """The q-th quantile of ``times``, between two of them on the line that joins them."""
        return float(np.quantile(self.times, q))

    @property
    def median(self) -> float:
        """Half of the times are above it."""
        return self.quantile(0.5)

    @property
    def mean(self) -> float:
        """The sum of the times over their number."""
        return float(np.mean(self.times))

    @property
    def iqr(self) -> float:
        """Interquartile range: how far apart the times' third and first quartile are."""
        return self.quantile(0.75) - self.quantile(0.25)

    @property
    def significant_figures(self) -> int:
        """How many digits of the median mean something, about: from 1 to 4.

        floor(log10(median / c)), where c = 1.645 s / sqrt(n), and s is the standard deviation of
        the n times in the middle half; c is at least 25 ns.
        """
        n = len(self.raw_times)
        middle = sorted(self.times)[n // 4:math.ceil(3 * n / 4)]
        confidence = max(Z * float(np.std(middle)) / math.sqrt(len(middle)), FINEST)
        return min(max(math.floor(math.log10(self.median / confidence)), 1), MOST_FIGURES)

    def meets_confidence(self, threshold: float = HIGH) -> bool:
        """Whether the interquartile range is less than this part of the median."""
        return self.iqr / self.median < threshold

    @property
    def has_warnings(self) -> bool:
        """Whether the interquartile range is a tenth of the median or more."""
        return not self.meets_confidence()

    @property
    def title(self) -> str:
        return self.task_spec.title

    @property
    def as_row_name(self) -> str:
        """What the measurement's row is called in a table."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self) -> str:
        n, m = len(self.raw_times), self.median
        unit, scale = select_unit(m)
        lines = [object.__repr__(self), self.task_spec.summarize(),
                 f"  {'Median: ' if n > 1 else ''}{m / scale:.2f} {unit}"]
        if n >= 4:
            low, high = self.quantile(0.25) / scale, self.quantile(0.75) / scale
            lines.append(f"  IQR:    {high - low:.2f} {unit} ({low:.2f} to {high:.2f})")
        lines.append(f"  {n} measurement{'s' * (n > 1)}, {self.number_per_run} runs "
                     f"{'per measurement' * (n > 1)}, {self.num_threads} "
                     f"thread{'s' * (self.num_threads > 1)}")
        if self.has_warnings:
            why = ("could indicate system fluctuation" if self.meets_confidence(GROSS)
                   else "suggests significant environmental influence")
            lines += [f"  WARNING: Interquartile range is {self.iqr / m * 100:.1f}% of the median "
                      f"measurement.", f"           This {why}."]
        return "\n".join(lines)

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One measurement of each task with the times of all its replicates, each of one run."""
        found: dict[TaskSpec, list[float]] = {}
        for m in measurements:
            found.setdefault(m.task_spec, []).extend(m.times)
        return [Measurement(1, times, task) for task, times in found.items()]


def select_unit(t: float) -> tuple[str, float]:
    """The unit in which a time of ``t`` seconds is a handy number, and that unit in seconds.

    >>> select_unit(0.02)
    ('ms', 0.001)
    """
    unit = {-3: "ns", -2: "us", -1: "ms"}.get(max(math.floor(math.log10(t) / 3), -3), "s")
    return unit, SECONDS[unit]


def unit_to_english(u: str) -> str:
    """A unit's full name: of "us", "microsecond"."""
    return NAMES[u]


def trim_sigfig(x: float, n: int) -> float:
    """``x`` rounded to ``n`` significant figures.

    >>> trim_sigfig(31416.0, 2)
    31000.0
    """
    if x == 0:
        return x
    scale = 10.0 ** (math.ceil(math.log10(abs(x))) - n)
    return round(x / scale) * scale
