"""The whole Jacobian, with an error bar per entry; and directions by complex steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.testing.check import Undecided, conclude
from minitorch.testing.kinks import place
from minitorch.testing.numeric import START
from minitorch.testing.probes import NOTHING, ROUNDINGS, Point
from minitorch.testing.report import RESOLVED, Entry, Probe, Report

Array = Any
TINY = 1e-30  # a complex step: its square is lost in rounding, and nothing is subtracted


def full(point: Point) -> Report:
    """Every entry of the Jacobian; about 20 evaluations per input entry, a pullback per output."""
    ones = [np.ones(y.shape, y.dtype) for y in point.ys]
    weights = point.flat(point.ys)
    analytic = rows(point)
    numeric, bars, allowed, sizes = (
        [np.zeros((len(weights), x.size)) for x in point.xs] for _ in range(4))
    moving = [np.ones((len(weights), x.size), bool) for x in point.xs]
    kinked = False
    for number in range(sum(x.size for x in point.xs)):
        k, index = place(point, number)
        i = int(np.ravel_multi_index(index, point.xs[k].shape))
        us, s = point.axis(k, index), point.units[k]
        a = analytic[k][:, i]
        for start in (START, START * 3 / 4, START / 4):  # a wrong entry must be wrong each time
            found = point.slopes(us, ones, fold=False, start=start)
            jump = np.where(abs(found.jump) > 3 * found.jump_bar, abs(found.jump), 0) / s
            tolerance = 3 * found.bar / s + ROUNDINGS * point.eps * abs(a)
            if not np.any(abs(a - found.mean / s) > tolerance + jump):
                break
        kinked |= bool(jump.any())
        numeric[k][:, i], bars[k][:, i] = found.mean / s, found.bar / s
        allowed[k][:, i] = tolerance + jump
        sizes[k][:, i] = (abs(found.mean / s) + jump) * s
        moving[k][:, i] = ~(found.still & (a == 0))
    entries = list(compared(point, analytic, numeric, bars, allowed))
    if any(e.wrong for e in entries):
        report = conclude(point.problem, "fail", "entries of the Jacobian are wrong")
    else:
        size = np.concatenate(sizes, 1).max(1, initial=0)
        least = RESOLVED * np.maximum(size, NOTHING * abs(weights))[:, None]
        blurred = sum(int(np.sum(m & ~(b * 3 * s <= least)))
                      for m, b, s in zip(moving, bars, point.units))
        if blurred:
            raise Undecided(f"the values tell too little about {blurred} entries of the Jacobian")
        report = conclude(point.problem, "pass-at-kink" if kinked else "pass",
                          f"all {len(entries)} entries of the Jacobian are right" + (
                              ", or between the slopes of the two sides" if kinked else ""))
    report.entries = sorted(entries, key=lambda e: -e.off)
    report.jacobians = [
        {"name": name, "analytic": a, "numeric": n, "bar": b, "wrong": ~(abs(a - n) <= most)}
        for name, a, n, b, most in zip(point.problem.names, analytic, numeric, bars, allowed)]
    return report


def rows(point: Point) -> list[Array]:
    """The analytic Jacobian by each input: one pullback per output entry."""
    out = [np.zeros((sum(y.size for y in point.ys), x.size)) for x in point.xs]
    j = 0
    for o, y in enumerate(point.ys):
        for i in range(y.size):
            vs = [np.zeros(z.shape, z.dtype) for z in point.ys]
            vs[o].reshape(-1)[i] = 1
            gs = point.pull(vs)
            point.check_finite(gs)
            for row, g in zip(out, gs):
                row[j] = np.asarray(g, np.float64).ravel()
            j += 1
    return out


def compared(point: Point, analytic: list[Array], numeric: list[Array], bars: list[Array],
             allowed: list[Array]) -> Any:
    outputs = [f"d output {o}{list(index)}" if y.ndim else f"d output {o}"
               for o, y in enumerate(point.ys) for index in np.ndindex(y.shape)]
    for k, x in enumerate(point.xs):
        for i, index in enumerate(np.ndindex(x.shape)):
            for j, output in enumerate(outputs):
                yield Entry(k, f"{output} / d {point.problem.names[k]}", index,
                            float(analytic[k][j, i]), float(numeric[k][j, i]),
                            float(bars[k][j, i]), float(allowed[k][j, i]))


def complex_step(point: Point) -> Report:
    """Im f(x + ih u) / h with h = 1e-30: no difference, so no error but rounding.

    Squire and Trapp, SIAM Review 40, 1998. Only for analytic code that takes complex numbers: abs,
    max, conj and comparisons make it wrong.
    """
    problem: Any = point.problem
    probes = []
    for name, aligned in (("a random direction", False), ("along the gradient's signs", True)):
        vs = point.cotangent()
        gs = point.pull(vs)
        point.check_finite(gs)
        us = point.direction(gs if aligned else None)
        ys = problem.complex_value([x + 1j * TINY * u for x, u in zip(point.xs, us)])
        slopes = point.flat(vs) * np.concatenate([np.imag(y).ravel() / TINY for y in ys])
        terms = np.concatenate([(np.asarray(g, np.float64) * u).ravel() for g, u in zip(gs, us)])
        analytic, numeric = float(terms.sum()), float(slopes.sum())
        norm = float(np.linalg.norm(terms))
        size = norm + abs(analytic) + float(np.linalg.norm(slopes))
        probes.append(Probe(name, analytic, numeric, ROUNDINGS * point.eps * size,
                            ROUNDINGS * point.eps * size, 0.0, 0.0, size, 0.0, size == 0))
    if all(p.agrees for p in probes):
        return conclude(problem, "pass", "the gradient is the derivative by complex steps", probes)
    return conclude(problem, "fail", "the gradient is not the derivative by complex steps", probes)
