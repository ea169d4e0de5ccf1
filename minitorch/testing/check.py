"""``check_grad``: is this the gradient of that function? No tolerances to choose.

Directions u and cotangents v are random. From the gradient under test comes <J^T v, u>; from values
alone, the derivative of <f(x + t u), v> at t = 0, with its error bar (``numeric``). The two must
agree within three bars; and the bars must be so small that an error of one part in 200 would have
been seen, else the verdict is "unsure", which is no pass.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minitorch.testing.adapters import BadGradient, Pair, Problem, adapt
from minitorch.testing.conduct import check_conduct
from minitorch.testing.kinks import (
    TOGETHER,
    TooManyKinks,
    check_kink,
    find_kinks,
    freeze,
    tied,
    widened,
)
from minitorch.testing.numeric import START
from minitorch.testing.probes import Point
from minitorch.testing.randomness import frozen
from minitorch.testing.report import RESOLVED, Kink, Probe, Report


class WrongGradient(AssertionError):
    """The gradient under test is not the function's; ``report`` says where and by how much."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"\n{report}")
        self.report = report


class UnsureGradient(WrongGradient):
    """The function's values do not tell whether the gradient is right: that is no pass."""


class UnsureGradientWarning(UserWarning):
    """Given in place of ``UnsureGradient`` where ``allow_unsure`` is set."""


class Undecided(Exception):
    """The reason why values do not tell."""


def check_grad(f: Any, *inputs: Any, wrt: Sequence[int] | None = None, parameters: Any = None,
               method: str = "directions", order: int = 1, seed: int = 0, explain: bool = True,
               raise_exception: bool = True, allow_unsure: bool = False) -> Report:
    """Hold the gradient of ``f`` at ``inputs`` against its values; return a ``Report``.

    ``f``: a function or Module of minitorch or PyTorch, a function of JAX, or, for NumPy code, a
    pair ``(f, pullback)`` where ``pullback(v, *inputs)`` returns one gradient per input.
    ``wrt``: positions of the inputs to check; if not given, those that require gradients, or all
    floating point ones if none does. Beside values, the gradient must have its input's shape, dtype
    and device; neither ``f`` nor its pullback may write into what they are given or saved; memory
    layout may not matter, nor which inputs require gradients; gradients add up over calls.
    ``parameters``: leaf tensors that ``f`` reads beside its
    inputs; a Module's own if not given. Neither they nor the inputs are changed.
    ``method``: "directions" (about 70 evaluations of ``f`` whatever the size of the inputs),
    "jacobian" (every entry, with its bar) or "complex" (complex steps, NumPy pairs only).
    ``order``: 2 also checks the gradient of the gradient, by inputs and cotangents.
    ``explain``: after a failure, compare single entries (at most 2,000 evaluations) and guess why.

    Raises ``WrongGradient`` when the gradient is wrong, ``UnsureGradient`` when the values do not
    tell (only a warning with ``allow_unsure``); nothing with ``raise_exception=False``.

    >>> import numpy as np
    >>> from minitorch.testing import check_grad
    >>> f = lambda x: np.sin(x) * x
    >>> pullback = lambda v, x: v * (np.cos(x) * x + np.sin(x))
    >>> check_grad((f, pullback), np.linspace(0.0, 3.0, 7)).verdict
    'pass'
    >>> wrong = lambda v, x: v * np.cos(x) * x
    >>> check_grad((f, wrong), np.linspace(0.0, 3.0, 7), raise_exception=False).verdict
    'fail'
    """
    from minitorch.testing import jacobian
    from minitorch.testing.second import gradient_of

    methods: dict[str, Callable[[Point], Report]] = {
        "directions": directions, "jacobian": jacobian.full, "complex": jacobian.complex_step}
    if method not in methods:
        raise ValueError(f"method must be one of {', '.join(methods)}, got {method!r}")
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {order}")
    problem = adapt(f, inputs, wrt, parameters)
    if not problem.xs:
        raise ValueError("no floating point input to differentiate by")
    if method == "complex" and not isinstance(problem, Pair):
        raise TypeError("method='complex' needs NumPy code that takes complex numbers: a pair "
                        "(f, pullback)")
    report = examined(problem, methods[method], method, seed, explain)
    if order == 2 and report.ok:
        with frozen(problem, seed):
            cotangents = Point(problem, seed).cotangent()
        report = examined(gradient_of(problem, cotangents), methods[method], method, seed, explain,
                          first_order=False)
        report.reason += ", second order"
    report.order = order
    if wrt is not None:
        report.options.append(f"wrt={list(wrt)}")
    if parameters is not None:
        report.options.append("parameters=parameters")
    if not explain:
        report.options.append("explain=False")
    if raise_exception:
        enforce(report, allow_unsure)
    return report


def enforce(report: Report, allow_unsure: bool) -> None:
    """Raise what the verdict asks for, in the name of the check that was called."""
    if report.verdict == "fail":
        raise WrongGradient(report)
    if report.verdict == "unsure":
        if not allow_unsure:
            raise UnsureGradient(report)
        warnings.warn(str(report), UnsureGradientWarning, stacklevel=3)


def examined(problem: Problem, examine: Callable[[Point], Report], method: str, seed: int,
             explain: bool, first_order: bool = True) -> Report:
    """The report of one method on one problem, with whatever stops it as the reason."""
    from minitorch.testing import causes

    with frozen(problem, seed):
        try:
            point = steady(problem, seed)
            check_conduct(point, first_order)
            report = examine(point)
            report.method = method
            if explain and report.verdict == "fail":
                causes.explain(point, report)
        except BadGradient as error:
            report = conclude(problem, "fail", str(error))
            report.cause = causes.of_shape(error)
        except Undecided as why:
            report = conclude(problem, "unsure", str(why))
    report.method, report.seed, report.evaluations = method, seed, problem.evaluations
    return report


def steady(problem: Problem, seed: int) -> Point:
    """The point, if f is finite there and the same over two runs."""
    point = Point(problem, seed)
    again = problem.value(problem.xs)
    for i, (y, z) in enumerate(zip(point.ys, again)):
        if not np.array_equal(y, z, equal_nan=True):
            raise Undecided(f"f is not deterministic: two runs from the same random state differ "
                            f"by {np.nanmax(abs(y - z)):.1e} in output {i}")
        if not np.isfinite(y).all():
            raise Undecided(f"output {i} of f is not finite at this point: "
                            f"{int((~np.isfinite(y)).sum())} of {y.size} entries")
    return point


def conclude(problem: Problem, verdict: str, reason: str, probes: Sequence[Probe] = (),
             kinks: Sequence[Kink] = ()) -> Report:
    dtypes = sorted({str(x.dtype) for x in problem.xs})
    return Report(verdict, reason, "", problem.framework, "/".join(dtypes), 0,
                  problem.evaluations, list(probes), list(kinks))


def directions(point: Point) -> Report:
    """The check along random directions; where one step does not fit all entries, each its own."""
    first = along_directions(point)
    if first.verdict != "unsure":
        return first
    point.entrywise, point.free = True, [np.ones(x.shape, bool) for x in point.xs]
    second = along_directions(point)
    return first if second.verdict == "unsure" else second


def along_directions(point: Point) -> Report:
    """Probes of all coordinates; at kinks coordinate by coordinate, and of the others."""
    problem = point.problem
    kinks: list[Kink] = []
    for _ in range(4):  # each round freezes the kinks that it finds
        trials = [trial(point, "a random direction", aligned=False),
                  trial(point, "along the gradient's signs", aligned=True)]
        trials += alone(point, [t[0] for t in trials])
        probes = [t[0] for t in trials]
        wrong = [p for p in probes if not p.agrees]
        if not wrong:
            shares = shared(point) if kinks else None
            if shares is not None:
                return conclude(problem, "fail", "where inputs tie, the gradient's shares do not "
                                "add up to the derivative", [*probes, shares], kinks)
            return passed(point, probes, kinks)
        kinked = [t for t in trials if t[0].kinked and t[0] in wrong] or [
            t for t in trials if t[0].kinked]
        if not kinked and all(p.maybe_kinked or p.blind for p in wrong):
            blind = [p for p in wrong if p.blind]
            return conclude(problem, "unsure", blurred(blind[0], point) if blind else
                            "the gradient is not the derivative of the values, but a kink close "
                            "to this point would explain it", probes, kinks)
        if not kinked:
            return conclude(problem, "fail", "the gradient is not the derivative of the values",
                            probes, kinks)
        probe, us, vs, gs = kinked[0]
        try:
            groups = find_kinks(point, us, vs, probe)
        except TooManyKinks:
            return conclude(problem, "unsure", "left and right slope seem to differ in very many "
                            f"coordinates: {off_kinks(point)}", probes, kinks)
        at_kinks = [check_kink(point, us, vs, gs, group) for group in groups]
        for i, (kink, group) in enumerate(zip(at_kinks, groups)):
            if not kink.inside:  # once more, independently, by steps that cross no other kink
                vs = point.cotangent()
                gs = point.pull(vs)
                at_kinks[i] = check_kink(point, us, vs, gs, group, START / 256)
                if not at_kinks[i].inside:
                    at_kinks[i] = widened(point, us, vs, gs, group, groups, at_kinks[i])
                if not at_kinks[i].inside:
                    break
        kinks += at_kinks
        if not all(kink.inside for kink in at_kinks):
            return conclude(problem, "fail", "at a kink, the gradient is not between the slopes of "
                            "the two sides", probes, kinks)
        if any(len(group) > TOGETHER for group in groups) or any(
                kink.tolerance > RESOLVED * probe.scale for kink in at_kinks):
            return conclude(problem, "unsure", "left and right slope seem to differ, and the "
                            f"values do not tell in which coordinates: {off_kinks(point)}", probes,
                            kinks)
        freeze(point, groups)
    return conclude(problem, "fail", "the gradient is not the derivative of the values, and it is "
                    "not the kinks", probes, kinks)


def shared(point: Point) -> Probe | None:
    """A probe that shows tied inputs to have too much of the gradient, or too little, each time."""
    for alike in (False, True):
        for start in (START, START * 3 / 4, START / 256):
            probe = tied(point, start, alike)
            if probe is None or probe.agrees or probe.kinked or probe.maybe_kinked:
                break
        else:
            return probe
    return None


Trial = tuple[Probe, list[Any], list[Any], list[Any]]  # a probe with its u, v and J^T v


def trial(point: Point, name: str, aligned: bool, only: int | None = None) -> Trial:
    """A probe. If it disagrees, another of fresh draws with other steps. If that does too, its
    draws by far smaller steps, which do not reach across a kink nearby; and by the smallest, which
    stay on this side of a pole. These decide where they contradict the larger steps."""
    trials: list[Trial] = []
    for start in (START, START * 3 / 4):
        vs = point.cotangent()
        gs = point.pull(vs)
        point.check_finite(gs)
        us = point.direction(gs if aligned else None)
        if only is not None:
            us = [u if k == only else u * 0 for k, u in enumerate(us)]
        probe = point.compare(name, us, vs, gs, start)
        if trials:  # what contradicts another must be sharp: nothing is as good as none
            probe = replace(probe, nothing=0.0)
        trials.append((probe, us, vs, gs))
        if probe.kinked or trials[0][0].agrees:
            return trials[-1]
    near = replace(point.compare(name, us, vs, gs, START / 256), nothing=0.0)
    if near.kinked or (near.agrees != probe.agrees and not same_side(near, probe)):
        return near, us, vs, gs
    if probe.agrees:
        return probe, us, vs, gs
    close = replace(point.compare(name, us, vs, gs, point.eps**0.6, np.float64(0)), nothing=0.0)
    apart = abs(close.numeric - probe.numeric) > 3 * (close.bar + probe.bar)
    sharp = close.tolerance <= RESOLVED * abs(close.numeric)
    return (close if sharp and (probe.blind or (close.agrees and apart)) else probe), us, vs, gs


def same_side(near: Probe, probe: Probe) -> bool:
    """Does a blurred look, within whose bars much agrees, still side with the sharp one?"""
    between = abs(near.numeric - probe.numeric)
    return between <= near.bar + probe.bar and 2 * between < abs(near.numeric - near.analytic)


def alone(point: Point, probes: Sequence[Probe]) -> list[Trial]:
    """Each input whose share of the derivative drowns in the others' error, by itself."""
    if sum(free.any() for free in point.free) < 2 or any(not p.agrees for p in probes):
        return []
    vs = point.cotangent()
    gs = point.pull(vs)
    coarse = max(p.tolerance for p in probes)
    out = []
    for k, (g, s, free) in enumerate(zip(gs, point.units, point.free)):
        share = float(np.linalg.norm((g * free).astype(np.float64))) * s
        if free.any() and share * RESOLVED < coarse:
            out.append(trial(point, f"{point.problem.names[k]} alone", aligned=True, only=k))
    return out


def passed(point: Point, probes: Sequence[Probe], kinks: Sequence[Kink]) -> Report:
    """All agree: a pass, if the bars are small enough to mean something."""
    problem = point.problem
    point.check_linear()
    together = [p for p in probes if not p.along.endswith("alone")]
    scale = max(p.scale for p in together)
    for p in probes:
        size = scale if p in together else p.scale
        if not p.resolved(size):
            return conclude(problem, "unsure", blurred(p, point), probes, kinks)
    if kinks or any(p.kinked for p in probes):
        return conclude(problem, "pass-at-kink", "the gradient is right where f is smooth, and "
                        "between the slopes where it is not", probes, kinks)
    return conclude(problem, "pass", "the gradient is the derivative of the values", probes)


def off_kinks(point: Point) -> str:
    return ("move the inputs off the kinks; or if f has none here, its rounding looks like some" +
            (", and float64 would tell more" if point.eps > 1e-10 else ""))


def blurred(p: Probe, point: Point) -> str:
    if not np.isfinite(p.bar):
        return ("f is not finite around this point, on both sides, at any step: move the inputs "
                "into its domain")
    advice = (" In float64 the values would tell more." if point.eps > 1e-10 else "")
    return (f"the values tell too little: the derivative {p.along} is {p.numeric:.2e} ± "
            f"{p.bar:.1e}, next to {p.analytic:.2e} by the gradient.{advice}")
