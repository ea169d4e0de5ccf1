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
    """The lines of the engines as they come in, and the verdict over them.

    Lines of the form ``Epoch: 0001 cost = 0.281`` become a table of costs; all others are put side
    by side.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.epochs: list[list[re.Match[str]]] = []
        self.seconds: list[list[float]] = []
        self.accuracies: list[float] = []
        self.lines = self.identical = 0
        self.worst = 0.0

    def add(self, *lines: Line | None) -> None:
        """One line of each engine: PyTorch, minitorch, and PyTorch again if it is the yardstick."""
        texts = [line.text if line else "(ended)" for line in lines]
        if found := matches(EPOCH, texts):
            self.epoch(found, [line.seconds for line in lines if line])
        elif self.epochs and (found := matches(ACCURACY, texts)):
            self.accuracies = [float(match[1]) for match in found]
        elif not (self.epochs and set(texts) == {"Learning finished"}):
            self.pair(texts[0], texts[1])

    def epoch(self, costs: list[re.Match[str]], seconds: list[float]) -> None:
        """A row of the table: the digits on which the costs agree stand out."""
        yardstick = len(costs) > 2
        if not self.epochs:
            heads = f"{'epoch':>7}{'PyTorch':>17}{'minitorch':>19}{'difference':>14}"
            heads += f"{'yardstick':>12}" * yardstick + f"{'PyTorch':>15}{'minitorch':>12}"
            self.screen.show()
            self.screen.show((heads, "bold"))
            self.rule = "  " + "─" * (len(heads) - 2)
            self.screen.show((self.rule, "dim"))
        self.epochs.append(costs)
        self.seconds.append(seconds)
        a, b, *_ = texts = [match[2] for match in costs]
        differences = [relative(float(a), float(other)) for other in texts[1:]]
        self.screen.show(
            f"{len(self.epochs):7d}",
            *agreeing(a, b, 17),
            *agreeing(b, a, 19),
            (f"{scientific(differences[0]):>14}", colour(differences[0])),
            (f"{scientific(differences[-1]):>12}" * yardstick, "dim"),
            (f"{seconds[0]:13.2f} s{seconds[1]:10.2f} s", "dim"),
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
        self.screen.show(f"  {a:42}", (f" {sign}  ", colour(difference)), b)

    def conclude(self) -> bool:
        """Show what the lines amount to; whether the two engines agree."""
        agree = bool(self.epochs or self.lines)
        if self.lines:
            agree = self.conclude_lines() and agree
        if self.epochs:
            agree = self.conclude_epochs() and agree
        return agree

    def conclude_lines(self) -> bool:
        self.screen.show()
        if self.identical == self.lines:
            self.screen.show((f"  All {self.lines} lines are identical.", "bold green"))
        else:
            largest = f"the largest relative difference is {self.worst:.1e}"
            self.screen.show(f"  {self.identical} of {self.lines} lines are identical; {largest}.")
        if self.worst >= 1e-4:
            self.screen.show(("  If that is rounding which training magnified, the lines are equal "
                              "with --float64.", "dim"))
        return self.worst < 1e-4

    def conclude_epochs(self) -> bool:
        """The first five epochs within 1% and the accuracy within half a point, or else within
        three times of what PyTorch differs from itself."""
        show = self.screen.show
        costs = [[float(match[2]) for match in row] for row in self.epochs]
        ours, *own = ([relative(row[0], row[k]) for row in costs] for k in range(1, len(costs[0])))
        n = len(ours)
        agree = max(ours[:5]) <= max([0.01, *(3 * max(each[:5]) for each in own)])

        # The median: an engine's first epoch may include its own late imports.
        times = [f"{median(column):.2f} s" for column in zip(*self.seconds)]
        show((self.rule, "dim"))
        end = len(self.rule)
        if self.accuracies:
            a, b, *yardstick = self.accuracies
            agree = agree and abs(a - b) <= max([0.005, *(3 * abs(a - c) for c in yardstick)])
            points = "".join(f"{f'{100 * (c - a):+.2f} pp':>{w}}"
                             for c, w in zip((b, *yardstick), (14, 12)))
            show((f"{'accuracy':>10}{a:14.4f}{b:19.4f}{points}", "bold"))
        text = f"{times[0]:>15}{times[1]:>12}"
        show(f"{'median time of an epoch':>28}{text:>{end - 28}}")
        show()
        if not max(ours):
            show((f"  All {n} costs are identical.", "bold green"))
            return agree
        if max(ours[:5]) <= 0.01 and agree:
            show(("  The same numbers:", "bold green"), " the costs differ by")
        elif agree:
            show(("  No further apart than PyTorch from itself:", "bold green"),
                 " the costs differ by")
        else:
            show(("  The numbers have drifted apart:", "bold yellow"), " the costs differ by")
        for k in sorted({1, min(5, n), n}):
            epochs = f"all {n} epochs" if k == n > 1 else f"the first {k} epochs"
            show(f"{scientific(max(ours[:k])):>12} in ",
                 f"{'the first epoch' if k == 1 else epochs:20}",
                 *(f"PyTorch from itself by {scientific(max(each[:k]))}" for each in own))
        show(("  Engines add in another order, which changes the last bit of a sum, and every step "
              "of training", "dim"))
        if own:
            show(("  magnifies that. So it does in the yardstick: PyTorch on images changed in "
                  "their last bit.", "dim"))
        else:
            show(("  magnifies that. See --yardstick: PyTorch on images changed in their last bit; "
                  "and --float64.", "dim"))
        return agree


def relative(a: float, b: float) -> float:
    """The difference of two numbers as a fraction of PyTorch's, `a`; 0 if both are nan."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    return abs(a - b) / abs(a) if a and math.isfinite(a - b) else math.inf


def matches(pattern: re.Pattern[str], texts: list[str]) -> list[re.Match[str]]:
    """The match in every text, or nothing if one does not match."""
    found = [match for text in texts if (match := pattern.fullmatch(text))]
    return found if len(found) == len(texts) else []


def agreeing(text: str, other: str, width: int) -> list[tuple[str, str]]:
    """A number of which those digits stand out that the other has too."""
    same = next((i for i, (a, b) in enumerate(zip(text, other)) if a != b), len(text))
    return [(" " * (width - len(text)) + text[:same], ""), (text[same:], "dim")]


def scientific(difference: float) -> str:
    return f"{difference:.1e}" if difference else "0"


def colour(difference: float) -> str:
    return "green" if difference < 1e-4 else "yellow" if difference < 0.01 else "red"
