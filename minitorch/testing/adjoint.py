"""``check_adjoint``: are J u and J^T v products with the same matrix?

The dot-product test: <J u, v> = <u, J^T v> for random u and v, whatever J is. Both sides come from
derivatives, none from differences, so all that may separate them is rounding.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitorch.testing.adapters import BadGradient, Jax, Pair, Problem, Tensors, adapt
from minitorch.testing.check import Undecided, enforce, steady
from minitorch.testing.probes import NOTHING, ROUNDINGS, Point
from minitorch.testing.randomness import frozen
from minitorch.testing.report import RESOLVED, Report

Array = Any


@dataclass(frozen=True)
class Products:
    """One comparison of <J u, v> and <u, J^T v>."""

    along: str
    forward: float
    reverse: float
    tolerance: float
    scale: float  # of such products, where their terms do not cancel

    @property
    def off(self) -> float:
        return abs(self.forward - self.reverse)

    @property
    def agrees(self) -> bool:
        return not self.off > self.tolerance

    def __str__(self) -> str:
        return (f"{self.along:<28} <J u, v> {self.forward:+.8e}   <u, J^T v> {self.reverse:+.8e}   "
                f"off by {self.off:.1e}, allowed {self.tolerance:.1e}")


@dataclass
class AdjointReport(Report):
    """The result of ``check_adjoint``: ``verdict`` is pass, unsure or fail."""

    products: list[Products] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.verdict.upper()}: {self.reason}"]
        lines += [f"  {p}" for p in self.products]
        lines.append(f"{self.framework}, {self.precision}, seed {self.seed}")
        return "\n".join(lines)


def check_adjoint(f: Any, *inputs: Any, jvp: Callable[..., Any] | None = None,
                  wrt: Sequence[int] | None = None, seed: int = 0, raise_exception: bool = True,
                  allow_unsure: bool = False) -> AdjointReport:
    """Hold forward and reverse products against each other: <J u, v> = <u, J^T v>.

    ``f``, ``wrt``: as for ``check_grad``; a Module's parameters are inputs too. J u is PyTorch's or
    JAX's forward mode; for NumPy code it is ``jvp(u, *inputs)``, where u is an array, or a tuple
    with one per input in ``wrt``, or the third of ``(f, pullback, jvp)``. Neither side says that J
    is the derivative of ``f``: one of them needs ``check_grad``, and this test is for the other. In
    minitorch J u comes from the pullback itself, so a wrong rule passes here; what fails is a
    pullback that is not linear or is not recorded, as that of a Function that leaves for NumPy.

    No tolerance to choose: the two may differ by rounding, 8 roundings of all terms, or, if that is
    not enough, by four times what both products change when the inputs move by a few roundings.

    Raises ``WrongGradient`` where they differ by more, ``UnsureGradient`` where rounding hides one
    part in 200 (only a warning with ``allow_unsure``); nothing with ``raise_exception=False``.

    >>> import numpy as np
    >>> from minitorch.testing import check_adjoint
    >>> forward = lambda u, x: np.roll(u, 1)  # of np.roll(x, 1), which is linear
    >>> wrong, right = lambda v, x: np.roll(v, 1), lambda v, x: np.roll(v, -1)
    >>> for pullback in (right, wrong):
    ...     pair = lambda x: np.roll(x, 1), pullback
    ...     print(check_adjoint(pair, np.arange(5.0), jvp=forward, raise_exception=False).verdict)
    pass
    fail
    """
    if isinstance(f, tuple) and len(f) == 3:
        f, jvp = f[:2], f[2]
    problem = adapt(f, inputs, wrt)
    if not problem.xs:
        raise ValueError("no floating point input to differentiate by")
    with frozen(problem, seed):
        try:
            point = steady(problem, seed)
            push = pushforward(problem, jvp)
            products = [compared(point, push, name, aligned) for name, aligned in
                        (("a random direction", False), ("along the gradient's signs", True))]
            verdict, reason = judged(products)
        except BadGradient as error:
            products, verdict, reason = [], "fail", str(error)
        except Undecided as why:
            products, verdict, reason = [], "unsure", str(why)
    dtypes = "/".join(sorted({str(x.dtype) for x in problem.xs}))
    report = AdjointReport(verdict, reason, "adjoint", problem.framework, dtypes, seed,
                           problem.evaluations, products=products)
    if raise_exception:
        enforce(report, allow_unsure)
    return report


def judged(products: Sequence[Products]) -> tuple[str, str]:
    if not all(p.agrees for p in products):
        return "fail", "J u and J^T v are not products with the same matrix"
    if any(p.tolerance > RESOLVED * p.scale for p in products):
        return "unsure", "rounding hides more than one part in 200 of the products"
    return "pass", "J u and J^T v are products with the same matrix"


def compared(point: Point, push: Callable[..., list[Array]], name: str,
             aligned: bool) -> Products:
    vs = point.cotangent()
    gs = point.pull(vs)
    point.check_finite(gs)
    us = [u.astype(x.dtype) for u, x in zip(point.direction(gs if aligned else None), point.xs)]

    def terms(xs: Sequence[Array]) -> tuple[Array, Array]:
        forward = point.flat(push(xs, us)) * point.flat(vs)
        if not np.isfinite(forward).all():
            raise BadGradient("J u is not finite, where f is")
        return forward, point.terms(point.problem.pull(xs, vs), us)

    forward, reverse = terms(point.xs)
    one, other = float(forward.sum()), float(reverse.sum())
    norm = float(np.linalg.norm(forward) + np.linalg.norm(reverse))
    tolerance = ROUNDINGS * point.eps * (norm + abs(one) + abs(other))
    if abs(one - other) > tolerance:  # is it rounding inside f, where larger terms cancelled?
        tolerance += 4 * max(moved(point, terms, forward, reverse) for _ in range(3))
    scale = max(norm, NOTHING * point.size(vs)) or 1.0
    return Products(name, one, other, tolerance, scale)


def moved(point: Point, terms: Callable[..., tuple[Array, Array]], forward: Array,
          reverse: Array) -> float:
    """How far both products move with inputs a few roundings off; zeros stay where they are."""
    near = [(x * (1 + ROUNDINGS * point.eps * point.draw(x.shape))).astype(x.dtype)
            for x in point.xs]
    a, b = terms(near)
    return float(np.linalg.norm(a - forward) + np.linalg.norm(b - reverse))


# -- forward products, by framework ----------------------------------------------------------------

def pushforward(problem: Problem, jvp: Callable[..., Any] | None) -> Callable[..., list[Array]]:
    """(xs, us) -> J u, one array for each floating point output."""
    if jvp is not None and not isinstance(problem, Pair):
        raise TypeError("jvp= is for NumPy code: PyTorch, JAX and minitorch have their own")
    if isinstance(problem, Tensors):
        return _of_tensors(problem)
    if isinstance(problem, Jax):
        return _of_jax(problem)
    if jvp is None:
        raise TypeError("a NumPy pair (f, pullback) has no J u: pass jvp=, a function of a "
                        "direction u and the inputs")
    return _of_pair(problem, jvp)


def _checked(found: Sequence[Array], problem: Problem, like: Sequence[Array]) -> list[Array]:
    found = [np.asarray(u) for u in found]
    if [u.shape for u in found] != [y.shape for y in like]:
        raise BadGradient(f"J u has shapes {[u.shape for u in found]}, the outputs have shapes "
                          f"{[y.shape for y in like]}")
    return found


def _of_pair(problem: Any, jvp: Callable[..., Any]) -> Callable[..., list[Array]]:
    def push(xs: Sequence[Array], us: Sequence[Array]) -> list[Array]:
        problem.restart()
        du = jvp(tuple(us) if len(us) > 1 else us[0], *problem.replaced(xs))
        given = list(du) if isinstance(du, (tuple, list)) else [du]
        return _checked(given, problem, problem.floats(problem.raw))
    return push


def _of_tensors(problem: Tensors) -> Callable[..., list[Array]]:
    lib, f = problem.lib, problem.f
    names = problem.names[len(problem.places):]

    def push(xs: Sequence[Array], us: Sequence[Array]) -> list[Array]:
        problem.restart()
        args = problem.replaced(xs)

        def outputs(*given: Any) -> tuple[Any, ...]:
            full = list(args)
            for i, x in zip(problem.places, given):
                full[i] = x
            if not names:
                return tuple(problem.floats(f(*full)))
            parameters = dict(zip(names, given[len(problem.places):]))
            return tuple(problem.floats(lib.func.functional_call(f, parameters, tuple(full))))

        likes = [*(problem.inputs[i] for i in problem.places), *problem.parameters]
        given = tuple(lib.from_numpy(np.array(x)).to(like.device) for x, like in zip(xs, likes))
        along = tuple(lib.from_numpy(np.array(u)).to(like.device) for u, like in zip(us, likes))
        with problem.loaded(xs), warnings.catch_warnings():
            # PyTorch warns of its own doings when its forward mode is loaded.
            warnings.filterwarnings("ignore", message=".*torch.jit.script")
            found = lib.func.jvp(outputs, given, along)[1]
        return [problem.array(u) for u in found]
    return push


def _of_jax(problem: Jax) -> Callable[..., list[Array]]:
    def push(xs: Sequence[Array], us: Sequence[Array]) -> list[Array]:
        jax = sys.modules["jax"]
        problem.restart()
        args = problem.replaced(xs)
        found = jax.jvp(problem.chosen(args), [args[i] for i in problem.places],
                        [jax.numpy.asarray(u) for u in us])[1]
        return [np.array(u) for u in found]
    return push
