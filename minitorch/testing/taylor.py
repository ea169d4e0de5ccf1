"""``check_taylor``: does the remainder of Taylor's formula fall as fast as it must?

    |f(x + h u) - f(x) - h <g, u>|               falls like h^2 where g is the gradient of f
    |f(x + h u) - f(x) - h <g, u> - h^2/2 <u, H u>|   falls like h^3 where H is its Hessian too

A wrong gradient leaves a term like h. The test is old in inverse problems and PDE-constrained
optimization (Farrell, Ham, Funke and Rognes, SIAM J. Sci. Comput. 35, 2013), where it is run on
whole models: it takes few evaluations and one gradient, whatever the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitorch.testing.adapters import BadGradient, Problem, adapt
from minitorch.testing.check import Undecided, enforce, steady
from minitorch.testing.numeric import START, noise_of
from minitorch.testing.probes import NOTHING, ROUNDINGS, Point
from minitorch.testing.randomness import frozen
from minitorch.testing.report import RESOLVED, Report
from minitorch.testing.second import gradient_of

Array = Any
CLEAR = 8  # a remainder counts from 8 times its rounding: its logarithm is then good to 1/8
WINDOW = 4  # rows that the slope is fitted over, the smallest steps that are clear


@dataclass
class Remainders:
    """The remainder at steps that halve, along one direction."""

    along: str
    order: int
    steps: list[float]
    values: list[float]
    floors: list[float]  # their rounding
    scale: float  # of the terms that were subtracted, per step
    kinked: bool = False  # f has a kink at the point: no gradient to test

    def is_clear(self, i: int) -> bool:
        return self.values[i] > CLEAR * self.floors[i]

    def fitted(self) -> list[int]:
        """The rows with the smallest steps at which the remainder is no rounding."""
        return [i for i in range(len(self.steps)) if self.is_clear(i)][-WINDOW:]

    @property
    def slope(self) -> float:
        """Of log remainder against log step, by least squares; inf where nothing remains.

        A remainder that is gone at the next step, where one like h would still be seen, was that of
        a kink further off.
        """
        rows = self.fitted()
        if len(rows) < 2:
            return float("inf")
        last, gone = rows[-1], 2**(self.order + 2) * CLEAR
        if last + 1 < len(self.steps) and self.values[last] > gone * self.floors[last + 1]:
            return float("inf")
        h, r = (np.log2([xs[i] for i in rows]) for xs in (self.steps, self.values))
        return float(np.polyfit(h, r, 1)[0])

    @property
    def unseen(self) -> float:
        """The largest relative error of the derivative that could hide in the last row fitted, or
        in the rounding of the one after it."""
        i = max(self.fitted(), default=-1)
        return min((max(self.values[k], CLEAR * self.floors[k]) / self.steps[k]**self.order
                    for k in (i, i + 1) if 0 <= k < len(self.steps)),
                   default=float("inf")) / self.scale

    @property
    def verdict(self) -> str:
        """A slope half way to the next power decides."""
        slope = self.slope
        if slope < self.order + 0.5:
            return "unsure" if slope < 0.5 or self.kinked else "fail"  # 0: more noise than measured
        return "pass" if self.unseen <= RESOLVED else "unsure"

    def __str__(self) -> str:
        fitted = self.fitted()
        lines = [f"{self.along}:", "    h          remainder   slope"]
        for i, (h, r, e) in enumerate(zip(self.steps, self.values, self.floors)):
            slope = f"{np.log2(self.values[i - 1] / r):.2f}" if i and r * self.values[i - 1] else ""
            note = "fitted" if i in fitted else "" if self.is_clear(i) else f"rounding: {e:.0e}"
            lines.append(f"    {h:.1e}    {r:.2e}    {slope:>5}   {note}".rstrip())
        wrong = " or ".join(str(k) for k in range(1, self.order + 1))
        found = f"slope {self.slope:.2f}" if np.isfinite(self.slope) else "only rounding is left"
        lines.append(f"    {found} (right: {self.order + 1} or more, wrong: {wrong})")
        return "\n".join(lines)


@dataclass
class TaylorReport(Report):
    """The result of ``check_taylor``: ``verdict`` is pass, unsure or fail."""

    tables: list[Remainders] = field(default_factory=list)

    def __str__(self) -> str:
        of = "f(x + h u) - f(x) - h <g, u>" + (" - h^2/2 <u, H u>" if self.order == 2 else "")
        lines = [f"{self.verdict.upper()}: {self.reason}"]
        if self.tables:
            lines.append(f"remainder = |{of}|")
        lines += [f"  {line}" for table in self.tables for line in str(table).split("\n")]
        lines.append(f"{self.framework}, {self.precision}, {self.evaluations} evaluations of f, "
                     f"seed {self.seed}")
        return "\n".join(lines)


def check_taylor(f: Any, *inputs: Any, wrt: Sequence[int] | None = None, parameters: Any = None,
                 order: int = 1, seed: int = 0, raise_exception: bool = True,
                 allow_unsure: bool = False) -> TaylorReport:
    """Hold the gradient of a model against its values by the slope of Taylor's remainder.

    ``f``, ``inputs``, ``wrt`` and ``parameters`` as for ``check_grad``; outputs that are no single
    number are first multiplied by a random cotangent. Along a random direction, and one with the
    gradient's signs, the step h halves from a quarter of the inputs' size until the remainder is
    rounding, which is measured; the slope is fitted over the last six steps before. ``order=2``
    also takes the Hessian-vector product off, of a framework that records its backward pass.

    Raises ``WrongGradient`` where the slope is nearer to that of a wrong derivative,
    ``UnsureGradient`` where rounding or a kink at the point hides one part in 200 of the
    derivative (only a warning with ``allow_unsure``); nothing with ``raise_exception=False``.

    >>> import minitorch as torch
    >>> from minitorch.testing import check_taylor, mutate
    >>> f = lambda x: (x.exp() * x).sum()
    >>> x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    >>> report = check_taylor(f, x)
    >>> report.verdict, round(report.tables[0].slope, 1)
    ('pass', 2.0)
    >>> report = check_taylor(mutate(f, "x1.01"), x, raise_exception=False)
    >>> report.verdict, round(report.tables[0].slope, 1)
    ('fail', 1.0)
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order}")
    problem = adapt(f, inputs, wrt, parameters)
    if not problem.xs:
        raise ValueError("no floating point input to differentiate by")
    tables: list[Remainders] = []
    with frozen(problem, seed):
        try:
            point = steady(problem, seed)
            for name, aligned in (("a random direction", False),
                                  ("along the gradient's signs", True)):
                table = remainders(point, name, aligned, order)
                if table.verdict == "fail":  # once more, by fresh draws
                    again = remainders(point, name, aligned, order)
                    table = again if again.verdict != "fail" else table
                tables.append(table)
            verdict, reason = judged(tables, order)
        except BadGradient as error:
            verdict, reason = "fail", str(error)
        except Undecided as why:
            verdict, reason = "unsure", str(why)
    dtypes = "/".join(sorted({str(x.dtype) for x in problem.xs}))
    report = TaylorReport(verdict, reason, "taylor", problem.framework, dtypes, seed,
                          problem.evaluations, order=order, tables=tables)
    if raise_exception:
        enforce(report, allow_unsure)
    return report


def judged(tables: Sequence[Remainders], order: int) -> tuple[str, str]:
    wrong = [t for t in tables if t.verdict == "fail"]
    if wrong:
        power = 1 if min(t.slope for t in wrong) < 1.5 else 2
        what = "gradient" if power == 1 else "Hessian"
        return "fail", f"the remainder falls only like h^{power}: the {what} is wrong"
    if any(t.kinked for t in tables):
        return "unsure", ("left and right slope differ at this point: move the inputs off the "
                          "kink, or use check_grad, which knows kinks")
    if any(t.verdict == "unsure" for t in tables):
        return "unsure", "rounding hides what is left of the remainder"
    return "pass", f"the remainder falls like h^{order + 1}"


def remainders(point: Point, name: str, aligned: bool, order: int) -> Remainders:
    """Halve the step until the remainder is lost in rounding, twice in a row."""
    vs = point.cotangent()
    gs = point.pull(vs)
    point.check_finite(gs)
    us = point.direction(gs if aligned else None)
    line = point.line(us, vs)
    terms = point.terms(gs, us)
    slope, norm = float(terms.sum()), float(np.linalg.norm(terms))
    scale, curve, bend = max(norm, abs(slope)), 0.0, 0.0
    if order == 2:
        second = point.terms(curvature(point, us, vs), us)
        curve, bend = float(second.sum()) / 2, float(np.linalg.norm(second)) / 2
        scale = max(scale, bend)
    table = Remainders(name, order, [], [], [], max(scale, NOTHING * point.size(vs)) or 1.0)
    with np.errstate(all="ignore"):
        noise = 2 * float(noise_of(line, point.eps))  # of few values: doubled
        h, lost, sides = START, 0, []
        while lost < 2 and h > point.eps**0.85:
            up, rounding = line(h)
            if np.isfinite(up):
                value = abs(float(up) - h * slope - h * h * curve)
                floor = max(noise, float(rounding)) + ROUNDINGS * point.eps * h * (
                    norm + abs(slope) + h * bend)
                table.steps.append(h)
                table.values.append(value)
                table.floors.append(floor)
                lost = 0 if value > CLEAR * floor else lost + 1
            h /= 2
        if not table.steps:
            raise Undecided("f is not finite around this point at any step: move the inputs into "
                            "its domain")
        if table.verdict == "fail" and table.slope < 1.5:  # a kink leaves a term like h, too
            rows = table.fitted()
            sides = [abs(float(line(table.steps[i])[0] + line(-table.steps[i])[0])) for i in rows]
            even = Remainders("", 1, [table.steps[i] for i in rows], sides,
                              [2 * table.floors[i] for i in rows], 1.0)
            table.kinked = even.slope < 1.5
    return table


def curvature(point: Point, us: Sequence[Array], vs: Sequence[Array]) -> list[Array]:
    """H u, for the Hessian H of <f(x), v>: the pullback of x -> J(x)^T v, at u."""
    second: Problem = gradient_of(point.problem, vs)
    cotangents = [np.asarray(u, x.dtype) for u, x in zip(us, point.xs)]
    places = len(point.problem.places)
    xs = [*point.xs[:places], *vs, *point.xs[places:]]
    second.restart = point.problem.restart  # type: ignore[method-assign]
    second.value(xs)
    found = second.pull(xs, cotangents)
    return [*found[:places], *found[places + len(vs):]]
