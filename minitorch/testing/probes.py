"""Random directions and cotangents, and the derivative along them from both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.testing.adapters import BadGradient, Problem
from minitorch.testing.numeric import START, Slopes, slopes
from minitorch.testing.report import RESOLVED, Probe

Array = Any
NOTHING = 1e-8  # of f's own size, or of its slope over a whole step: as good as no derivative
ROUNDINGS = 8  # of the analytic side: as many roundings, all the same way, as an entry may have
REFUSALS = (ValueError, ArithmeticError, RuntimeError, AssertionError)  # off f's domain, like a nan


def unit(x: Array) -> float:
    """The power of two nearest to the size of ``x``; 1 if it has none."""
    with np.errstate(all="ignore"):
        top = abs(np.asarray(x, np.float64)).max(initial=0)
        size = top * np.sqrt(np.mean((x / top) ** 2, dtype=np.float64)) if 0 < top < np.inf else 1
    limit = 3 * np.finfo(x.dtype).maxexp // 4
    return 2.0 ** np.clip(round(np.log2(size)), -limit, limit)


class Point:
    """A problem at its inputs, with what every probe needs."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.xs = problem, problem.xs
        self.rng = np.random.default_rng(seed)
        self.ys = problem.value(self.xs)
        self.eps = max(float(np.finfo(a.dtype).eps) for a in (*self.xs, *self.ys))
        self.units = [unit(x) for x in self.xs]
        self.sizes = [unit(y) for y in self.ys]
        self.entrywise = False  # a step of each entry's own size?
        self.free = [np.ones(x.shape, bool) for x in self.xs]  # False: frozen, at a kink
        if len(self.ys) > 1:
            self.limit_sizes()

    def limit_sizes(self) -> None:
        """Blow up no output that is all rounding, like a gradient that vanishes identically."""
        tiny = 8 * self.eps
        near = self.problem.value([(x + tiny * u).astype(x.dtype)
                                   for x, u in zip(self.xs, self.direction())])
        for i, (y, z) in enumerate(zip(self.ys, near)):
            with np.errstate(all="ignore"):
                moved = np.abs(z - y).max(initial=0) / (8 * tiny)
            if np.isfinite(moved):
                self.sizes[i] = max(self.sizes[i], 2.0 ** np.ceil(np.log2(moved or 1e-300)))

    def draw(self, shape: tuple[int, ...], parts: int = 16) -> Array:
        """Entries of size 1/2 to 1, either sign. In sixteenths, x + h u rounds nowhere."""
        size = self.rng.integers(parts // 2, parts + 1, shape) / parts
        return size * self.rng.choice([-1.0, 1.0], shape)

    def cotangent(self) -> list[Array]:
        """Random, not uniform, and of the size at which each output counts the same."""
        return [(self.draw(y.shape, 1024) / s).astype(y.dtype)
                for y, s in zip(self.ys, self.sizes)]

    def direction(self, along: Sequence[Array] | None = None) -> list[Array]:
        """Random, of each input's size (or each entry's); with the signs of ``along``."""
        out = []
        for k, (x, s, free) in enumerate(zip(self.xs, self.units, self.free)):
            u = self.draw(x.shape)
            if along is not None:
                u = np.where(along[k] != 0, abs(u) * np.sign(along[k]), u)
            if self.entrywise and x.any():
                least = 1e3 * np.finfo(x.dtype).tiny  # zeros move as the smallest others do
                size = np.where(abs(x) > least, abs(x), abs(x[abs(x) > least]).min(initial=s))
                s = 2.0 ** np.round(np.log2(size.astype(np.float64)))
            out.append(u * s * free)
        return out

    def axis(self, k: int, index: tuple[int, ...]) -> list[Array | None]:
        """The direction of one coordinate."""
        u = np.zeros(self.xs[k].shape)
        u[index] = self.units[k]
        return [u if i == k else None for i in range(len(self.xs))]

    def pull(self, vs: Sequence[Array]) -> list[Array]:
        return self.problem.pull(self.xs, vs)

    def check_finite(self, gs: Sequence[Array]) -> None:
        """Raise BadGradient for a gradient that is not finite: here f is."""
        for name, g in zip(self.problem.names, gs):
            if not np.isfinite(g).all():
                index = [int(i) for i in np.argwhere(~np.isfinite(g))[0]]
                raise BadGradient(f"the gradient is {g[tuple(index)]} at {name}"
                                  f"{index if index else ''}, where f is finite")

    def check_linear(self) -> None:
        """Raise BadGradient where 1024 times the cotangent does not give 1024 times the gradient,
        as with clipping: cotangents of one size do not show that."""
        vs = self.cotangent()
        gs = self.pull(vs)
        with np.errstate(all="ignore"):
            scaled = self.pull([v * v.dtype.type(1024) for v in vs])
            for name, g, h in zip(self.problem.names, gs, scaled):
                wanted = 1024 * np.asarray(g, np.float64)
                off, size = np.linalg.norm(h - wanted), np.linalg.norm(wanted)
                least = max(np.finfo(g.dtype).tiny / self.eps, 1e3 * self.eps * size)
                if least < off < np.inf:
                    raise BadGradient(f"the gradient of {name} is not linear in the cotangent: "
                                      f"1024 times one does not give 1024 times the other")

    def line(self, us: Sequence[Array | None], vs: Sequence[Array], fold: bool = True) -> Any:
        """t -> <f(x + t u) - f(x), v> and its rounding; without ``fold``, the terms of the sum.

        Outputs are subtracted before they are summed, so that the sum's rounding is of the size of
        the difference.
        """
        weights = np.concatenate([np.asarray(v, np.float64).ravel() for v in vs])
        base = self.flat(self.ys)

        def at(t: float) -> tuple[Array, Array]:
            moved = [x if u is None else (x + t * u).astype(x.dtype) for x, u in zip(self.xs, us)]
            try:
                ys = self.flat(self.problem.value(moved))
            except REFUSALS:
                ys = np.full_like(base, np.nan)
            if ys.shape != base.shape:
                raise ValueError(f"f returned {ys.size} numbers near the point and {base.size} at "
                                 f"it: its output may not change shape")
            terms, rounding = weights * (ys - base), self.eps / 2 * abs(weights * ys)
            return (terms.sum(), np.sqrt(rounding @ rounding)) if fold else (terms, rounding)
        return at

    @staticmethod
    def flat(ys: Sequence[Array]) -> Array:
        return np.concatenate([np.asarray(y, np.float64).ravel() for y in ys])

    def size(self, vs: Sequence[Array]) -> float:
        """The size of <f(x), v> whose terms do not cancel."""
        return float(np.linalg.norm(self.flat(vs) * self.flat(self.ys)))

    def slopes(self, us: Sequence[Array | None], vs: Sequence[Array], fold: bool = True,
               start: float = START, noise: Array | None = None) -> Slopes:
        return slopes(self.line(us, vs, fold), self.eps, start, noise)

    @staticmethod
    def terms(gs: Sequence[Array], us: Sequence[Array | None]) -> Array:
        return np.concatenate([(np.asarray(g, np.float64) * u).ravel()
                               for g, u in zip(gs, us) if u is not None])

    def pull_nearby(self, us: Sequence[Array | None], vs: Sequence[Array]) -> Array:
        """The terms of <J^T v, u> a few roundings off the point, in all inputs."""
        near = [(x + ROUNDINGS * self.eps * w).astype(x.dtype)
                for x, w in zip(self.xs, self.direction())]
        return self.terms(self.problem.pull(near, vs), us)

    def compare(self, name: str, us: Sequence[Array | None], vs: Sequence[Array],
                gs: Sequence[Array], start: float = START,
                noise: Array | None = None) -> Probe:
        """The derivative of <f, v> along u, from the gradients ``gs`` and from values."""
        terms = self.terms(gs, us)
        analytic = float(terms.sum())
        norm = float(np.linalg.norm(terms))
        found = self.slopes(us, vs, start=start, noise=noise)
        # Roundings of single entries add up as their norm, one common to all as the sum does.
        size = self.size(vs)
        rounding = ROUNDINGS * self.eps * (norm + abs(analytic))
        if norm <= NOTHING * size:  # all that is left may be rounding of what cancelled: look
            off = self.pull_nearby(us, vs) - terms
            rounding += min(float(4 * np.linalg.norm(off)), RESOLVED * NOTHING * size)
        elif rounding < abs(analytic - found.mean) - 3 * found.bar <= self.eps**0.5 * norm:
            off = self.pull_nearby(us, vs) - terms  # ill-conditioned: it may be all rounding
            rounding += min(float(4 * np.linalg.norm(off)), self.eps**0.5 * norm)
        return Probe(name, analytic, float(found.mean), float(found.bar), rounding,
                     float(found.jump), float(found.jump_bar),
                     max(norm, abs(analytic), abs(float(found.mean)), abs(float(found.jump)),
                         NOTHING * float(found.reach)),
                     NOTHING * size, bool(found.still) and norm == 0)
