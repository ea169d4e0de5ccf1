"""What is shown: a row for each pair of lines, and at the end what they amount to."""

from __future__ import annotations

import math
import re
from statistics import median

from minitorch.cli.screen import Screen
from reference.compare import Line

EPOCH = re.compile(r"Epoch: (\d+) cost = (\S+)")
ACCURACY = re.compile(r"Accuracy: (\S+)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


class Report:
    """The pairs of lines as they come in, and the verdict over them.

    Lines of the form ``Epoch: 0001 cost = 0.281`` become a table of costs; all others are put side
    by side.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.costs: list[tuple[float, float]] = []
        self.seconds: list[tuple[float, float]] = []
        self.accuracies: tuple[float, float] | None = None
        self.lines = self.identical = 0
        self.worst = 0.0

    def add(self, one: Line | None, other: Line | None) -> None:
        a, b = one.text if one else "(ended)", other.text if other else "(ended)"
        if one and other and (found := _both(EPOCH, a, b)):
            self.epoch(found[0][2], found[1][2], one.seconds, other.seconds)
        elif self.costs and (found := _both(ACCURACY, a, b)):
            self.accuracies = float(found[0][1]), float(found[1][1])
        elif not (self.costs and a == b == "Learning finished"):
            self.pair(a, b)

    def epoch(self, a: str, b: str, *seconds: float) -> None:
        """A row of the table: the digits on which the costs agree stand out."""
        if not self.costs:
            heads = ("epoch", 7), ("PyTorch's cost", 19), ("minitorch's cost", 21)
            heads += ("difference", 15), ("PyTorch", 13), ("minitorch", 12)
            self.screen.show()
            self.screen.show(("".join(f"{text:>{width}}" for text, width in heads), "bold"))
            self.screen.show(("  " + "─" * 85, "dim"))
        self.costs.append((float(a), float(b)))
        self.seconds.append((seconds[0], seconds[1]))
        difference = relative(*self.costs[-1])
        self.screen.show(
            f"{len(self.costs):7d}",
            *_agreeing(a, b, 19),
            *_agreeing(b, a, 21),
            (f"{_scientific(difference):>15}", _colour(difference)),
            (f"{seconds[0]:11.2f} s{seconds[1]:10.2f} s", "dim"),
        )

    def pair(self, a: str, b: str) -> None:
        """Two lines side by side."""
        if not self.lines:
            self.screen.show()
            self.screen.show((f"  {'PyTorch':42}    minitorch", "bold"))
            self.screen.show(("  " + "─" * 85, "dim"))
        self.lines += 1
        self.identical += a == b
        numbers = [list(map(float, NUMBER.findall(text))) for text in (a, b)]
        same_words = NUMBER.sub("#", a) == NUMBER.sub("#", b)
        difference = max(map(relative, *numbers), default=0.0) if same_words else math.inf
        self.worst = max(self.worst, difference)
        sign = "=" if a == b else "≈" if difference < 1e-4 else "≠"
        self.screen.show(f"  {a:42}", (f" {sign}  ", _colour(difference)), b)

    def conclude(self) -> bool:
        """Show what the pairs amount to; whether the two engines agree."""
        agree = bool(self.costs or self.lines)
        if self.lines:
            agree = self._conclude_lines() and agree
        if self.costs:
            agree = self._conclude_epochs() and agree
        return agree

    def _conclude_lines(self) -> bool:
        self.screen.show()
        if self.identical == self.lines:
            self.screen.show((f"  All {self.lines} lines are identical.", "bold green"))
        else:
            largest = f"the largest relative difference is {self.worst:.1e}"
            self.screen.show(f"  {self.identical} of {self.lines} lines are identical; {largest}.")
        return self.worst < 1e-4

    def _conclude_epochs(self) -> bool:
        show = self.screen.show
        differences = [relative(a, b) for a, b in self.costs]
        n = len(differences)
        agree = max(differences[:5]) < 0.01
        show(("  " + "─" * 85, "dim"))
        # The median: an engine's first epoch may include its own late imports.
        times = [f"{median(column):.2f} s" for column in zip(*self.seconds)]
        if self.accuracies is not None:
            a, b = self.accuracies
            agree = agree and abs(a - b) <= 0.005
            show(("accuracy".rjust(10) + f"{a:16.4f}{b:21.4f}", "bold"),
                 f"{100 * (b - a):+12.2f} pp")
        show("median time of an epoch".rjust(25), f"{times[0]:>50}{times[1]:>12}")
        show()
        if not max(differences):
            show((f"  All {n} costs are identical.", "bold green"))
            return agree
        show(("  The same numbers:" if agree else "  Not the same numbers:",
              "bold green" if agree else "bold red"), " the costs differ by")
        for k in sorted({1, min(5, n), n}):
            epochs = f"all {n} epochs" if k == n > 1 else f"the first {k} epochs"
            show(f"  {max(differences[:k]):10.1e} in {'the first epoch' if k == 1 else epochs}")
        if agree:
            show(("  Sums are taken in another order, which changes their last bit, and every step "
                  "of training\n  magnifies that. With --float64 the last bit is a smaller one.",
                  "dim"))
        return agree


def relative(a: float, b: float) -> float:
    """The difference of two numbers as a fraction of PyTorch's, `a`; 0 if both are nan."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    return abs(a - b) / abs(a) if a and math.isfinite(a - b) else math.inf


def _both(pattern: re.Pattern[str], a: str, b: str) -> tuple[re.Match[str], re.Match[str]] | None:
    found, other = pattern.fullmatch(a), pattern.fullmatch(b)
    return (found, other) if found and other else None


def _agreeing(text: str, other: str, width: int) -> list[tuple[str, str]]:
    same = next((i for i, (a, b) in enumerate(zip(text, other)) if a != b), len(text))
    return [(" " * (width - len(text)) + text[:same], ""), (text[same:], "dim")]


def _scientific(difference: float) -> str:
    return f"{difference:.1e}" if difference else "0"


def _colour(difference: float) -> str:
    return "green" if difference < 1e-4 else "yellow" if difference < 0.01 else "red"
