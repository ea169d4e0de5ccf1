"""Second order: the gradient as a function of the inputs and the cotangents, itself to be checked.

    (x, v) -> J(x)^T v, whose own gradient comes from recording the backward pass
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch.testing.adapters import Jax, Problem, Tensors

Array = Any


def gradient_of(problem: Problem, cotangents: Sequence[Array]) -> Problem:
    """The problem of first order turned into that of second, at these cotangents."""
    if isinstance(problem, Tensors):
        return _of_tensors(problem, cotangents)
    if isinstance(problem, Jax):
        return _of_jax(problem, cotangents)
    raise TypeError("order=2 needs a framework that can record its backward pass: a NumPy pair has "
                    "no second derivative to check")


def _of_tensors(problem: Tensors, cotangents: Sequence[Array]) -> Problem:
    lib, n = problem.lib, len(problem.inputs)

    def gradient(*args: Any) -> tuple[Any, ...]:
        xs, vs = list(args[:n]), args[n:]
        with lib.enable_grad():
            for i in problem.places:
                if not xs[i].requires_grad:
                    xs[i] = xs[i].detach().requires_grad_()
            wanted = [xs[i] for i in problem.places] + problem.parameters
            ys = [y for y in problem.floats(problem.f(*xs))]
            pairs = [(y, v) for y, v in zip(ys, vs) if y.requires_grad]
            if not pairs:
                return tuple(x * 0 for x in wanted)
            gs = lib.autograd.grad([y for y, _ in pairs], wanted, [v for _, v in pairs],
                                   create_graph=True, allow_unused=True)
        return tuple(x * 0 if g is None else g for x, g in zip(wanted, gs))

    vs = [lib.from_numpy(np.array(v)) for v in cotangents]
    named = list(zip(problem.names[len(problem.places):], problem.parameters))
    second = Tensors(lib, gradient, [*problem.inputs, *vs],
                     [*problem.places, *range(n, n + len(vs))], named)
    second.buffers_of = problem.buffers_of
    return _renamed(second, problem, len(vs))


def _of_jax(problem: Jax, cotangents: Sequence[Array]) -> Problem:
    n = len(problem.inputs)
    jax = sys.modules["jax"]

    def gradient(*args: Any) -> Any:
        pull: Callable[..., Any] = jax.vjp(problem.chosen(args[:n]),
                                           *[args[i] for i in problem.places])[1]
        return pull(list(args[n:]))

    vs = [jax.numpy.asarray(v) for v in cotangents]
    second = Jax(gradient, [*problem.inputs, *vs], [*problem.places, *range(n, n + len(vs))])
    return _renamed(second, problem, len(vs))


def _renamed(second: Problem, problem: Problem, outputs: int) -> Problem:
    places = len(problem.places)
    second.names[places:places + outputs] = [f"cotangent {i}" for i in range(outputs)]
    return second
