"""What a check found, for people: the verdict, the numbers it rests on, what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import Any

Index = tuple[int, ...]
RESOLVED = 1 / 200  # of a derivative: what a pass would have seen


@dataclass(frozen=True)
class Probe:
    """One comparison: the derivative of <f(x), v> along u, from the gradient and from values."""

    along: str
    analytic: float
    numeric: float
    bar: float
    rounding: float  # of the analytic side
    jump: float  # half of right slope - left slope
    jump_bar: float
    scale: float  # the size of a directional derivative whose terms do not cancel
    nothing: float  # a derivative so small is as good as none
    still: bool  # f did not move at all

    @property
    def tolerance(self) -> float:
        """Three error bars, and the rounding of the gradient."""
        return 3 * self.bar + self.rounding

    def resolved(self, size: float) -> bool:
        """Would an error of one part in 200 of a derivative of that size have been seen?"""
        return self.still or self.tolerance <= RESOLVED * max(size, self.nothing) < float("inf")

    @property
    def agrees(self) -> bool:
        return not abs(self.analytic - self.numeric) > self.tolerance  # nan: nothing was seen

    @property
    def kinked(self) -> bool:
        """Left and right slope differ, by more than their error."""
        return abs(self.jump) > max(3 * self.jump_bar + self.rounding, self.nothing)

    @property
    def maybe_kinked(self) -> bool:
        """It disagrees, but no more than by a jump that is too small to be told from its error."""
        most = self.tolerance + abs(self.jump) + 3 * self.jump_bar
        return not self.agrees and abs(self.analytic - self.numeric) <= most

    @property
    def blind(self) -> bool:
        """It disagrees, but all that the values say is a bar not much smaller than the gap: f
        changes within less than a step, as next to a pole."""
        return (not self.agrees and abs(self.numeric) <= self.bar
                and abs(self.analytic - self.numeric) <= 16 * (self.bar + self.jump_bar))

    def __str__(self) -> str:
        off = abs(self.analytic - self.numeric)
        line = (f"{self.along:<28} analytic {self.analytic:+z.8e}   numeric {self.numeric:+z.8e} "
                f"± {self.bar:.1e}   off by {off:.1e}, allowed {self.tolerance:.1e}")
        if self.kinked:
            line += (f"   left slope {self.numeric - self.jump:+.4e}, "
                     f"right {self.numeric + self.jump:+.4e}")
        return line


@dataclass(frozen=True)
class Kink:
    """A coordinate (or a group that could not be split) where left and right slope differ."""

    where: str
    analytic: float
    low: float
    high: float
    tolerance: float

    @property
    def inside(self) -> bool:
        return self.low - self.tolerance <= self.analytic <= self.high + self.tolerance

    def __str__(self) -> str:
        return (f"{self.where:<28} analytic {self.analytic:+.6e}   between the slopes "
                f"{self.low:+.6e} and {self.high:+.6e}" + ("" if self.inside else "   NO"))


@dataclass(frozen=True)
class Entry:
    """One entry of the gradient of <f(x), v>, analytic and numeric."""

    input: int
    name: str
    index: Index
    analytic: float
    numeric: float
    bar: float
    tolerance: float
    jump: float = 0.0  # half of right slope - left slope, at a kink

    @property
    def off(self) -> float:
        off = abs(self.analytic - self.numeric)
        return off if off == off else float("inf")

    @property
    def wrong(self) -> bool:
        return not self.off <= self.tolerance

    def __str__(self) -> str:
        place = f"{self.name}{list(self.index)}" if self.index else self.name
        ratio = f"{self.analytic / self.numeric:.6g}" if self.numeric else "-"
        if self.jump:
            low, high = self.numeric - self.jump, self.numeric + self.jump
            return f"{place:<28} {self.analytic:+z.8e}  a kink: {low:+z.4e} to {high:+z.4e}"
        return (f"{place:<28} {self.analytic:+z.8e}  {self.numeric:+z.8e} ± {self.bar:.1e}  "
                f"{ratio:>10}")


@dataclass
class Report:
    """The result of ``check_grad``: ``verdict`` is pass, pass-at-kink, unsure or fail."""

    verdict: str
    reason: str
    method: str
    framework: str
    precision: str
    seed: int
    evaluations: int
    probes: list[Probe] = field(default_factory=list)
    kinks: list[Kink] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    left_out: int = 0  # entries that were not compared, by the limits of ``causes``
    cause: str = ""
    order: int = 1
    # Each has name, analytic, numeric, bar (nan where not looked at) and wrong, all but the name
    # arrays: Jacobians by method="jacobian", gradients of <f(x), v> after a failure.
    jacobians: list[dict[str, Any]] = field(default_factory=list)
    gradients: list[dict[str, Any]] = field(default_factory=list)
    options: list[str] = field(default_factory=list)  # further ones that the check was called with

    @property
    def ok(self) -> bool:
        return self.verdict in ("pass", "pass-at-kink")

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        lines = [f"{self.verdict.upper()}: {self.reason}"]
        if self.cause:
            lines.append(f"Looks like: {self.cause}.")
        if self.probes:
            lines.append("derivative of <f(x), v> along u, analytic = <J^T v, u> of the gradient "
                         "under test, numeric = from values of f:")
            lines += [f"  {probe}" for probe in self.probes]
        if self.kinks:
            lines.append("coordinates at a kink, where any value between the slopes is right:")
            lines += [f"  {kink}" for kink in self.kinks[:12]]
            if len(self.kinks) > 12:
                lines.append(f"  ... and {len(self.kinks) - 12} more")
        wrong = sorted((e for e in self.entries if e.wrong), key=lambda e: -e.off)
        if wrong:
            what = ("the Jacobian" if self.method == "jacobian"
                    else "the gradient of <f(x), v>")
            cut = f"; {self.left_out} others were left out, to end soon" if self.left_out else ""
            lines.append(f"the worst of {len(wrong)} wrong entries of {what} (of "
                         f"{len(self.entries)} compared{cut}):")
            lines.append(f"  {'entry':<28} {'analytic':<15}  {'numeric':<25}  analytic/numeric")
            lines += [f"  {entry}" for entry in wrong[:8]]
        lines.append(f"{self.framework}, {self.precision}, {self.evaluations} evaluations of f, "
                     f"seed {self.seed}")
        if not self.ok:
            lines += ["again, with the same f and inputs:", self.snippet]
        return "\n".join(lines)

    @property
    def snippet(self) -> str:
        """The lines that give this report once more, where f and inputs are what they were."""
        options = [f"seed={self.seed}", *self.options, "raise_exception=False"]
        if self.order == 2:
            options.insert(1, "order=2")
        if self.method != "directions":
            options.insert(1, f'method="{self.method}"')
        return (f"from minitorch.testing import check_grad\n"
                f"print(check_grad(f, *inputs, {', '.join(options)}))")

    def to_html(self) -> str:
        """A page of its own, with the Jacobians (or what was compared of the gradient) as maps."""
        from minitorch.testing.heatmaps import page

        return page(self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to a file."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.to_html())

    def _repr_html_(self) -> str:
        from minitorch.testing.heatmaps import body

        return body(self)
