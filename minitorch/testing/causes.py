"""What went wrong: the entries of a wrong gradient, and a guess at the mistake behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minitorch.testing.adapters import BadGradient
from minitorch.testing.kinks import part, place
from minitorch.testing.probes import ROUNDINGS, Point
from minitorch.testing.report import Entry, Report

Array = Any
MOST = 128  # entries that are compared one by one
EVALUATIONS = 2000, 800  # after which no more are begun: about 60 entries; of large arrays 12
LARGE = 2**15
JACOBIAN = 2**16  # numbers in the largest one that is made


def of_shape(error: BadGradient) -> str:
    """The cause that a gradient of the wrong shape gives away."""
    got, want = error.got, error.want
    if got is None or want is None:
        return ""
    if len(got) > 1 and got == want[::-1]:
        return "transposed"
    try:
        broadcast = np.broadcast_shapes(got, want) == got
    except ValueError:
        return ""
    if broadcast:
        axes = [i for i, n in enumerate(got)
                if i < len(got) - len(want) or n != want[i - len(got) + len(want)]]
        return f"missing the sum over the broadcast {named(axes)}"
    return ""


def named(axes: list[int]) -> str:
    return ("axis " if len(axes) == 1 else "axes ") + ", ".join(map(str, axes))


def explain(point: Point, report: Report) -> None:
    """Add the cause to the report of a failure, and the entries if it has none yet."""
    point.free = [np.ones(x.shape, bool) for x in point.xs]
    vs = point.cotangent()
    gs = [np.asarray(g, np.float64) for g in point.pull(vs)]
    weights = point.flat(vs)
    total = sum(x.size for x in point.xs)
    apart = total <= MOST and total * len(weights) <= JACOBIAN  # output by output?
    numeric, bars = ([np.full(x.shape, np.nan) for x in point.xs] for _ in range(2))
    columns = [np.full((len(weights), x.size), np.nan) for x in point.xs] if apart else []
    compared: list[Entry] = []
    last = point.problem.evaluations + EVALUATIONS[total + len(weights) > LARGE]
    for number in chosen(point, vs, gs, total):
        if point.problem.evaluations > last:
            break
        k, index = place(point, number)
        s = point.units[k]
        found = point.slopes(point.axis(k, index), vs, fold=not apart)
        mean = float(found.mean.sum()) / s
        bar = float(np.sqrt(np.sum(found.bar**2))) / s
        g = float(gs[k][index])
        jumps = np.where(abs(found.jump) > 3 * found.jump_bar, found.jump, 0.0) / s
        jump = float(np.sum(abs(jumps)))
        rounding = ROUNDINGS * point.eps * (abs(g) + abs(mean))
        jump = jump if jump > rounding else 0.0
        compared.append(Entry(k, point.problem.names[k], index, g, mean, bar,
                              3 * bar + jump + rounding, jump))
        numeric[k][index] = np.nan if jump else mean  # at a kink there is no one derivative
        bars[k][index] = bar
        if columns:
            columns[k][:, np.ravel_multi_index(index, point.xs[k].shape)] = (
                found.mean / s / weights)
    compared.sort(key=lambda e: (e.input, e.index))
    report.cause = "; ".join(guesses(point, gs, numeric, compared, columns, weights))
    if not report.entries:
        report.entries, report.left_out = compared, total - len(compared)
    wrong = [np.zeros(x.shape, bool) for x in point.xs]
    for e in compared:
        wrong[e.input][e.index] = e.wrong
    report.gradients = [
        {"name": name, "analytic": g, "numeric": n, "bar": b, "wrong": w}
        for name, g, n, b, w in zip(point.problem.names, gs, numeric, bars, wrong)]


def chosen(point: Point, vs: Sequence[Array], gs: Sequence[Array], total: int) -> list[int]:
    """The entries to compare, in random order; of many, first those where the error seems to be."""
    some = [int(n) for n in point.rng.permutation(total)[:MOST]]
    return some if total <= MOST else list(dict.fromkeys([*suspects(point, vs, gs, total), *some]))


def suspects(point: Point, vs: Sequence[Array], gs: Sequence[Array], total: int) -> list[int]:
    """Eight neighbours, where the error is: of each two halves, that with the larger one."""
    us = point.direction()

    def off(group: Array) -> float:
        along = part(us, group)
        return float(point.terms(gs, along).sum() - point.slopes(along, vs).mean)

    group, error = np.arange(total), off(np.arange(total))
    while len(group) > 8:
        first, second = np.array_split(group, 2)
        of_first = off(first)  # the rest is the other's, where f is smooth
        group, error = ((first, of_first) if abs(of_first) >= abs(error - of_first)
                        else (second, error - of_first))
    return [int(n) for n in group]


def guesses(point: Point, gs: list[Array], numeric: list[Array], compared: list[Entry],
            columns: list[Array], weights: Array) -> Iterator[str]:
    """What may have gone wrong, input by input; swapped gradients first."""
    names, swapped = point.problem.names, set()
    for j in range(len(gs)):
        for k in range(j):
            both = [e for e in compared if e.input in (j, k)]
            if gs[j].shape == gs[k].shape and any(e.wrong for e in both) and all(
                    matches(gs[a], numeric[b], both) for a, b in ((j, k), (k, j))):
                yield f"the gradients of {names[k]} and {names[j]} are swapped"
                swapped |= {j, k}
    for k, name in enumerate(names):
        entries = [e for e in compared if e.input == k]
        if k not in swapped and any(e.wrong for e in entries):
            cause = guess(point, k, gs[k], numeric[k], entries, columns[k] if columns else None,
                          weights)
            if cause:
                yield cause if len(point.xs) == 1 else f"{name}: {cause}"


def slack_of(true: Array, entries: list[Entry]) -> float:
    """How far apart two numbers may be that are taken to be the same."""
    tolerance = max((e.tolerance for e in entries if not e.jump), default=0.0)
    return float(6 * tolerance + 1e-6 * abs(true[np.isfinite(true)]).max(initial=0))


def matches(g: Array, other: Array, entries: list[Entry]) -> bool:
    """Is the gradient ``other``, as far as that is known?"""
    both = np.isfinite(other)
    return bool(both.sum() >= min(3, g.size) and 8 * both.sum() >= len(entries)
                and np.all(abs(g[both] - other[both]) <= slack_of(other, entries)))


def guess(point: Point, k: int, g: Array, true: Array, entries: list[Entry],
          columns: Array | None, weights: Array) -> str:
    """The mistake that turns the true gradient into ``g``; empty if none of those known does."""
    known = np.isfinite(true)
    slack = slack_of(true, entries)
    wrong = [e for e in entries if e.wrong]
    smooth = [e for e in wrong if not e.jump]
    if not smooth:
        return "only at kinks, where it is not between the slopes"

    def explains(other: Array) -> bool:
        both = known & np.isfinite(other)
        return bool(any(both[e.index] for e in smooth) and 8 * both.sum() >= known.sum()
                    and both.sum() >= min(3, known.sum())
                    and np.all(abs(g[both] - other[both]) <= slack))

    if not g[known].any():
        return "zero everywhere (is the input cut off from the output?)"
    scale = float(true[known] @ true[known])
    factor = float(g[known] @ true[known]) / scale if scale else 0.0
    if factor and np.all(abs(g[known] - factor * true[known]) <= slack * max(1, abs(factor))):
        return of_factor(point, k, factor)
    places = where(wrong, entries)
    if all(e.analytic == 0 for e in wrong):
        many = f"{len(wrong)} entries" if len(wrong) > 1 else "1 entry"
        many = places if places.startswith("index") else many
        listed = ", ".join(str(list(e.index)) for e in wrong[:4])
        return f"{many} never written ({listed}{', ...' if len(wrong) > 4 else ''})"
    for text, other in rearranged(true):
        if explains(other):
            return text
    if columns is not None:
        for text, kept in partial_sums(point, weights):
            if explains((kept @ columns).reshape(g.shape)):
                return text
        for text, one in single_terms(columns, weights, point.eps):
            if explains(one.reshape(g.shape)):
                return text
    if not places:
        return ""
    ratios = [e.analytic / e.numeric for e in wrong if e.numeric]
    constant = bool(ratios) and all(
        abs(e.analytic - ratios[0] * e.numeric) <= slack * max(1, abs(ratios[0])) for e in wrong)
    return f"only {places} is wrong" + (f": ×{ratios[0]:.6g}" if constant else "")


def where(wrong: list[Entry], entries: list[Entry]) -> str:
    """The row, column or single entry that the wrong ones all lie in; empty if there is none."""
    if len(wrong) == len(entries):
        return ""
    axes = len(wrong[0].index)
    for axis in range(axes if axes > 1 else 0):
        (i, *others) = {e.index[axis] for e in wrong}
        if not others and len(wrong) == sum(e.index[axis] == i for e in entries):
            return f"index {i} of axis {axis}"
    return f"the entry {list(wrong[0].index)}" if len(wrong) == 1 and axes else ""


def of_factor(point: Point, k: int, factor: float) -> str:
    """A wrong factor, named after a size in the problem if it is one."""
    if abs(factor + 1) < 1e-3:
        return "the sign"
    sizes = {"the number of entries": point.xs[k].size}
    for i, y in enumerate(point.ys):
        sizes.setdefault(f"the size of output {i}", y.size)
    for array, what in [(point.xs[k], point.problem.names[k]), *[
            (y, f"output {i}") for i, y in enumerate(point.ys)]]:
        sizes |= {f"axis {a} of {what}": n for a, n in enumerate(array.shape)}
    for i, x in enumerate(point.problem.inputs):
        for a, n in enumerate(getattr(x, "shape", ())):
            sizes.setdefault(f"axis {a} of input {i}", n)
    for what, n in sizes.items():
        if n > 2 and abs(factor * n - 1) < 1e-3:
            return f"1/N everywhere, N = {n}, {what}"
        if n > 2 and abs(factor / n - 1) < 1e-3:
            return f"×N everywhere, N = {n}, {what}"
    return f"×{factor:.6g} everywhere"


def rearranged(true: Array) -> Iterator[tuple[str, Array]]:
    if true.ndim >= 2 and true.shape[-1] > 1 and true.shape[-2] > 1:
        yield "transposed", np.swapaxes(true, -1, -2).reshape(true.shape)
    for axis in range(true.ndim):
        for shift in (1, -1, 2, -2):
            if true.shape[axis] > 1:
                yield f"rolled by {shift} along axis {axis}", np.roll(true, shift, axis)
    for shift in (1, -1):
        yield f"rolled by {shift}", np.roll(true, shift)


def partial_sums(point: Point, weights: Array) -> Iterator[tuple[str, Array]]:
    """Cotangents with a part forgotten."""
    pick: Callable[[Array], Array] = np.ravel
    yield "the cotangent is not used, as if it were all ones", np.ones_like(weights)
    if len(point.ys) == 1:
        shape = point.ys[0].shape
        for axis, n in enumerate(shape):
            for i, word in ((0, "first"), (n - 1, "last")):
                if n > 1:
                    kept = np.zeros(shape)
                    kept[(slice(None),) * axis + (i,)] = 1
                    yield (f"missing the sum over the broadcast axis {axis}: only the {word} slice "
                           f"is there", weights * pick(kept))


def single_terms(columns: Array, weights: Array, eps: float) -> Iterator[tuple[str, Array]]:
    """Of each entry's sum over outputs, one term."""
    if not len(weights):
        return
    terms = weights[:, None] * columns
    there = abs(columns) > eps**0.25 * abs(columns).max(0, initial=0)
    for word, order in (("last", -1), ("first", 1)):
        at = there[::order].argmax(0)
        yield (f"where an entry goes into several outputs, only the {word} one counts: = or [i] += "
               f"where np.add.at belongs", terms[::order][at, np.arange(terms.shape[1])])
