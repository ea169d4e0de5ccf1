"""One face for every framework, read off the inputs (and off a Module); none is imported here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch.testing.problem import BadGradient, Pair, Problem
from minitorch.testing.tensors import Tensors

__all__ = ["BadGradient", "Jax", "Pair", "Problem", "Tensors", "adapt"]
Array = Any


class Jax(Problem):
    """A JAX function of arrays; ``jax.vjp`` gives the pullback."""

    framework = "jax"

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any],
                 wrt: Sequence[int] | None) -> None:
        self.f = f
        super().__init__(inputs, wrt)

    def is_float(self, x: Any) -> bool:
        return np.dtype(getattr(x, "dtype", "O")).kind == "f"

    def replaced(self, xs: Sequence[Array]) -> list[Any]:
        args = list(self.inputs)
        for i, x in zip(self.places, xs):
            args[i] = sys.modules["jax"].numpy.asarray(x)
        return args

    def outputs(self, xs: Sequence[Array]) -> list[Array]:
        return [np.array(y) for y in self.floats(self.f(*self.replaced(xs)))]

    def chosen(self, args: Sequence[Any]) -> Callable[..., list[Any]]:
        """The floating outputs as a function of the differentiable inputs alone."""
        def f(*xs: Any) -> list[Any]:
            full = list(args)
            for i, x in zip(self.places, xs):
                full[i] = x
            return self.floats(self.f(*full))
        return f

    def gradients(self, xs: Sequence[Array], vs: Sequence[Array]) -> Sequence[Array | None]:
        args = self.replaced(xs)
        jax = sys.modules["jax"]
        pull = jax.vjp(self.chosen(args), *[args[i] for i in self.places])[1]
        return pull([jax.numpy.asarray(v) for v in vs])


def adapt(f: Any, inputs: Sequence[Any], wrt: Sequence[int] | None = None,
          parameters: Any = None) -> Problem:
    """The problem that ``f`` at ``inputs`` poses, in the framework of the inputs or the Module.

    ``parameters``: leaf tensors that ``f`` reads beside its inputs; those of a Module that require
    gradients if not given. Raises TypeError where no framework is recognised.
    """
    if isinstance(f, tuple):
        if len(f) != 2 or not all(map(callable, f)):
            raise TypeError("a function in NumPy is checked as a pair (f, pullback), where "
                            "pullback(v, *inputs) returns one gradient per input")
        return Pair(f[0], f[1], inputs, wrt)
    roots = {base.__module__.split(".")[0] for x in (f, *inputs, *_listed(parameters))
             for base in type(x).__mro__ if base.__name__ in ("Tensor", "Module", "Array")}
    for name in ("torch", "minitorch"):
        lib = sys.modules.get(name)
        if name in roots and lib is not None:
            return Tensors(lib, f, inputs, wrt, _named(f, parameters))
    if any(hasattr(x, "aval") for x in inputs):
        return Jax(f, inputs, wrt)
    raise TypeError(f"no framework recognised in {[type(x).__name__ for x in inputs]}: pass "
                    f"tensors of minitorch or PyTorch, JAX arrays, or for NumPy a pair "
                    f"(f, pullback) as the function")


def _listed(parameters: Any) -> list[Any]:
    return [p[1] if isinstance(p, tuple) else p for p in parameters or ()]


def _named(f: Any, parameters: Any) -> list[tuple[str, Any]]:
    if parameters is None:
        found = f.named_parameters() if hasattr(f, "named_parameters") else ()
        return [(name, p) for name, p in found if p.requires_grad]
    return [p if isinstance(p, tuple) else (f"parameter {i}", p) for i, p in enumerate(parameters)]
