"""Beyond values: what a function and its pullback may not do, whatever numbers they return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minitorch.testing.adapters import BadGradient, Pair, Tensors
from minitorch.testing.probes import Point

Array = Any
ROUNDINGS = 64  # between two summation orders
LAYOUTS = {"strided": "are not contiguous",
           "F": "are in Fortran order",
           "expanded": "are expanded: one memory location for many entries"}


def check_conduct(point: Point, first_order: bool = True) -> None:
    """Raise BadGradient for a function or pullback that breaks a rule no number shows.

    It may not write into inputs, outputs, cotangents or saved values, may not mind the memory
    layout of inputs and cotangents, and gives the same gradient twice. Of ``first_order`` also:
    gradients add up over calls, and none depends on which others are asked for.
    """
    problem, xs = point.problem, point.xs
    vs, ws = point.cotangent(), point.cotangent()
    problem.watching = True
    try:
        problem.value(xs)
        right = point.pull(vs)
    finally:
        problem.watching = False
    point.check_finite(right)
    if isinstance(problem, Tensors):
        same(point, problem.checked(xs, problem.second), right, vs, "is another one in a second "
             "backward pass through the same graph: the first wrote into a saved value")
    returned = [g for g in problem.returned if g is not None]
    before = [problem.array(g) for g in returned]
    names = [name for name, g in zip(problem.names, problem.returned) if g is not None]
    other = point.pull(ws)
    for name, g, old in zip(names, returned, before):
        if not np.array_equal(problem.array(g), old, equal_nan=True):
            raise BadGradient(f"the gradient of {name} changes after it was returned: the next "
                              f"call writes into the same memory")
    same(point, point.pull(vs), right, vs, "is not deterministic: it differs between two runs from "
         "the same random state")
    check_layouts(point, vs, right)
    if first_order:
        check_shared(point, vs)
    if first_order and isinstance(problem, Tensors):
        both = [g + h for g, h in zip(right, other)]
        together = problem.twice(xs, vs, ws)
        if together is not None:
            same(point, together, both, vs, "of a tensor that is used twice is not the sum of both")
        same(point, problem.accumulated(xs, vs, ws), both, vs,
             "does not add up in .grad over two calls of backward()")
        for asked in subsets(len(xs)):
            wanted = [g if k in asked else g * 0 for k, g in enumerate(right)]
            same(point, problem.subset(xs, vs, asked), wanted, vs, "is another one when only "
                 f"{', '.join(problem.names[k] for k in asked)} requires a gradient")


def same(point: Point, gs: Sequence[Array], right: Sequence[Array], vs: Sequence[Array],
         otherwise: str, slack: Sequence[float] | None = None) -> None:
    """Raise BadGradient, saying what is the matter, where gradients differ by more than rounding
    (and ``slack``)."""
    size = point.size(vs)
    for k, (g, h, s) in enumerate(zip(gs, right, point.units)):
        with np.errstate(all="ignore"):
            off = distance(g, h) * s
            most = ROUNDINGS * point.eps * (distance(h, 0 * h) * s + size)
            if slack is not None:
                most += slack[k] * s
        if not off <= most:
            raise BadGradient(f"the gradient of {point.problem.names[k]} {otherwise}", k)


def distance(g: Array, h: Array) -> float:
    return float(np.linalg.norm(np.subtract(g, h, dtype=np.float64)))


def subsets(n: int) -> Iterator[list[int]]:
    """For any two of n inputs a subset with the first and without the second: log n of them."""
    for bit in range((n - 1).bit_length()):
        for side in (0, 1):
            yield [k for k in range(n) if (k >> bit & 1) == side]


def check_layouts(point: Point, vs: Sequence[Array], right: Sequence[Array]) -> None:
    """Hold the gradient for each layout against the one for plain copies."""
    problem = point.problem
    if not isinstance(problem, (Pair, Tensors)):
        return
    laid_out(point, "strided", point.xs, vs, right)
    if any(a.ndim > 1 for a in (*point.xs, *vs)):
        try:
            laid_out(point, "F", point.xs, vs, right)
        except BadGradient:  # sums are taken in another order: is it more than rounding?
            found = undisturbed(point, point.xs, vs)
            if found is None:
                raise
            laid_out(point, "F", point.xs, vs, *found)
    flat = [collapsed(v) for v in vs]
    for xs in ([collapsed(x) for x in point.xs], point.xs):
        found = undisturbed(point, xs, flat)
        if found is not None:  # else f is not defined at such inputs
            laid_out(point, "expanded", xs, flat, *found)
            break


def laid_out(point: Point, layout: str, xs: Sequence[Array], vs: Sequence[Array],
             right: Sequence[Array], slack: Sequence[float] | None = None) -> None:
    problem = point.problem
    try:
        problem.layouts = layout, "plain"
        try:
            ys = problem.value(xs)
        except Exception:  # a forward may refuse, loudly
            problem.layouts = "plain", "plain"
        else:  # or draw its random numbers in the order of memory
            if layout == "F" and any(not 16 * distance(y, z) <= distance(y, 0 * y)
                                     for y, z in zip(point.ys, ys)):
                problem.layouts = "plain", "plain"
        problem.layouts = problem.layouts[0], layout
        try:
            found = problem.pull(xs, vs)
        except Exception as error:
            raise BadGradient(f"when inputs and cotangents {LAYOUTS[layout]}, the backward pass "
                              f"raises: {error}") from error
    finally:
        problem.layouts = "plain", "plain"
    same(point, found, right, vs, f"changes when inputs and cotangents {LAYOUTS[layout]}", slack)


def collapsed(x: Array) -> Array:
    """``x`` made constant along its first axis that is longer than 1."""
    for axis, n in enumerate(x.shape):
        if n > 1:
            return np.repeat(x.take([0], axis), n, axis)
    return x


def undisturbed(point: Point, xs: Sequence[Array], vs: Sequence[Array]
                ) -> tuple[list[Array], list[float]] | None:
    """The gradient at another point, and how far a few roundings move it; None off f's domain."""
    near = [(x + 8 * point.eps * u).astype(x.dtype) for x, u in zip(xs, point.direction())]
    try:
        with np.errstate(all="ignore"):
            gs, moved = (point.problem.pull(at, vs) for at in (xs, near))
    except Exception:  # some functions raise there
        return None
    if not all(np.isfinite(g).all() for g in (*gs, *moved)):
        return None
    return gs, [8 * distance(g, h) for g, h in zip(gs, moved)]


def check_shared(point: Point, vs: Sequence[Array]) -> None:
    """f(x, x) for the first two inputs of one shape and dtype: the gradient is the sum of both."""
    problem = point.problem
    kinds = [(x.shape, x.dtype) for x in point.xs[:len(problem.places)]]
    pair = next(((i, j) for j in range(len(kinds)) for i in range(j) if kinds[i] == kinds[j]), None)
    if pair is None or not isinstance(problem, (Pair, Tensors)):
        return
    i, j = pair
    xs = [point.xs[i] if k == j else x for k, x in enumerate(point.xs)]
    found = undisturbed(point, xs, vs)
    if found is None:
        return
    gs, slack = found
    size = distance(gs[i], 0 * gs[i]) + distance(gs[j], 0 * gs[j])
    with np.errstate(all="ignore"):
        off = distance(problem.shared(xs, vs, i, j), gs[i] + gs[j])
        most = ROUNDINGS * point.eps * (size + point.size(vs) / point.units[i])
    if not off <= most + slack[i] + slack[j]:
        raise BadGradient(f"the gradient of a tensor that is both {problem.names[i]} and "
                          f"{problem.names[j]} is not the sum of both", i)
