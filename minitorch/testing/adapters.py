"""One face for every framework: values and pullbacks of a function, in NumPy arrays.

    problem.value(xs) -> ys          problem.pull(xs, vs) -> gs, one per differentiable input

The framework is read off the inputs (and off a Module); none is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

Array = Any


class BadGradient(Exception):
    """What the pullback returned or did is wrong whatever its values: ``input`` says of which."""

    def __init__(self, message: str, input: int = 0, got: tuple[int, ...] | None = None) -> None:
        super().__init__(message)
        self.input, self.got = input, got


class Problem:
    """A function at a point: ``xs`` are copies of the inputs that are differentiated."""

    framework = "numpy"

    def __init__(self, inputs: Sequence[Any], wrt: Sequence[int] | None) -> None:
        self.inputs = list(inputs)
        self.places = self.differentiable() if wrt is None else [
            range(len(inputs))[i] for i in wrt]
        self.xs = [self.array(self.inputs[i]) for i in self.places]
        self.names = [f"input {i}" for i in self.places]
        for x, name in zip(self.xs, self.names):
            if x.dtype.kind != "f":
                raise TypeError(f"{name} has dtype {x.dtype}: only real floating point inputs can "
                                f"be checked; leave it out of wrt")
        self.evaluations = 0
        self.strided = False  # hand over copies that are not contiguous?
        self.used: list[tuple[str, Any, Array]] = []  # what the last pullback got, and its values

    def laid_out(self, x: Array) -> Array:
        """A copy; every second element of a larger array if ``strided``."""
        if not self.strided or x.ndim == 0:
            return np.array(x)
        room = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
        room[..., ::2] = x
        return room[..., ::2]

    def restart(self) -> None:
        """Set the random generators back to where each call starts (``frozen`` says where)."""

    def differentiable(self) -> list[int]:
        return [i for i, x in enumerate(self.inputs) if self.is_float(x)]

    def is_float(self, x: Any) -> bool:
        return isinstance(x, (float, np.floating)) or (
            isinstance(x, np.ndarray) and x.dtype.kind == "f")

    def floats(self, outputs: Any) -> list[Any]:
        return [y for y in _tuple(outputs) if self.is_float(y)]

    def array(self, x: Any) -> Array:
        return np.array(x)

    def replaced(self, xs: Sequence[Array]) -> list[Any]:
        """The arguments of one call: fresh copies, which the function may do with as it likes."""
        args = [x.copy() if isinstance(x, np.ndarray) else x for x in self.inputs]
        for i, x in zip(self.places, xs):
            args[i] = self.laid_out(x)
        return args

    def value(self, xs: Sequence[Array]) -> list[Array]:
        """The floating outputs at ``xs``, computed from the same random state each time."""
        self.evaluations += 1
        self.restart()
        ys = self.outputs(xs)
        if not ys:
            raise TypeError("the function has no floating point output: nothing to differentiate")
        return ys

    def pull(self, xs: Sequence[Array], vs: Sequence[Array]) -> list[Array]:
        """The gradients of sum(<y, v>), each of its input's shape."""
        self.restart()
        gs = self.gradients(xs, vs)
        out = []
        for k, (x, g) in enumerate(zip(xs, gs)):
            g = np.zeros_like(x) if g is None else np.asarray(g)
            if g.shape != x.shape:
                raise BadGradient(f"the gradient of {self.names[k]} has shape {g.shape}, "
                                         f"the input has shape {x.shape}", k, g.shape)
            if g.dtype != x.dtype:
                raise BadGradient(f"the gradient of {self.names[k]} has dtype {g.dtype}, the input "
                                  f"has dtype {x.dtype}", k)
            out.append(g)
        return out

    def note(self, args: Sequence[Any], xs: Sequence[Array], cotangents: Sequence[Any],
             vs: Sequence[Array]) -> None:
        """Remember what the pullback is given, to see afterwards whether it wrote into it."""
        self.used = [(self.names[k], args[i], x) for k, (i, x) in enumerate(zip(self.places, xs))]
        self.used += [(f"the cotangent of output {o}", c, v)
                      for o, (c, v) in enumerate(zip(cotangents, vs))]

    def outputs(self, xs: Sequence[Array]) -> list[Array]:
        raise NotImplementedError

    def gradients(self, xs: Sequence[Array], vs: Sequence[Array]) -> Sequence[Array | None]:
        raise NotImplementedError


class Pair(Problem):
    """NumPy code: ``f(*inputs)`` and ``pullback(v, *inputs)``, a tuple with one entry per input."""

    def __init__(self, f: Callable[..., Any], pullback: Callable[..., Any],
                 inputs: Sequence[Any], wrt: Sequence[int] | None) -> None:
        self.f, self.pullback = f, pullback
        super().__init__(inputs, wrt)

    def outputs(self, xs: Sequence[Array]) -> list[Array]:
        self.raw = _tuple(self.f(*self.replaced(xs)))
        return [np.array(y) for y in self.floats(self.raw)]

    def complex_value(self, xs: Sequence[Array]) -> list[Array]:
        """All outputs at complex ``xs``."""
        self.evaluations += 1
        self.restart()
        ys = _tuple(self.f(*self.replaced(xs)))
        return [np.asarray(y) for y, old in zip(ys, self.raw) if self.is_float(old)]

    def gradients(self, xs: Sequence[Array], vs: Sequence[Array]) -> Sequence[Array | None]:
        args = self.replaced(xs)
        raw = _tuple(self.f(*args))  # as in use: the pullback may read what this call kept
        given = iter(vs)
        full = [self.laid_out(next(given)) if self.is_float(y) else None for y in raw]
        self.note(args, xs, [v for v in full if v is not None], vs)
        gs = self.pullback(tuple(full) if len(full) > 1 else full[0], *args)
        gs = gs if isinstance(gs, (tuple, list)) else (gs,)
        if len(gs) == len(self.inputs):
            return [gs[i] for i in self.places]
        if len(gs) == len(self.places):
            return gs
        raise BadGradient(f"the pullback returned {len(gs)} gradients for "
                                 f"{len(self.inputs)} inputs: return one each, None for an input "
                                 f"without gradient")


class Tensors(Problem):
    """minitorch or PyTorch, whose names are the same; parameters follow the inputs in ``xs``."""

    def __init__(self, lib: Any, f: Callable[..., Any], inputs: Sequence[Any],
                 wrt: Sequence[int] | None, parameters: Sequence[tuple[str, Any]]) -> None:
        self.lib, self.f, self.framework = lib, f, lib.__name__
        self.buffers_of = f  # a Module's running statistics are put back after each call
        super().__init__(inputs, wrt)
        self.parameters = [p for _, p in parameters]
        self.xs += [self.array(p) for p in self.parameters]
        self.names += [name for name, _ in parameters]

    def differentiable(self) -> list[int]:
        floats = super().differentiable()
        marked = [i for i in floats if self.inputs[i].requires_grad]
        return marked or floats

    def is_float(self, x: Any) -> bool:
        return isinstance(x, self.lib.Tensor) and x.is_floating_point()

    def array(self, x: Any) -> Array:
        if not isinstance(x, self.lib.Tensor):
            return np.array(x)
        return np.array(x.detach().cpu().numpy())

    def tensor(self, x: Array, like: Any) -> Any:
        return self.lib.from_numpy(self.laid_out(x)).to(like.device)

    def replaced(self, xs: Sequence[Array]) -> list[Any]:
        args = [x.detach().clone() if isinstance(x, self.lib.Tensor) else x for x in self.inputs]
        for i, x in zip(self.places, xs):
            args[i] = self.tensor(x, self.inputs[i])
        return args

    @contextmanager
    def loaded(self, xs: Sequence[Array]) -> Iterator[None]:
        """The parameters hold the last of ``xs``, and buffers may be written, for one call."""
        old = [p.data for p in self.parameters]
        buffers = self.buffers_of.buffers() if hasattr(self.buffers_of, "buffers") else ()
        kept = [(b, b.detach().clone()) for b in buffers]
        try:
            for p, x in zip(self.parameters, xs[len(self.places):]):
                p.data = self.lib.from_numpy(np.array(x)).to(p.device)
            yield
        finally:
            for p, data in zip(self.parameters, old):
                p.data = data
            with self.lib.no_grad():
                for b, before in kept:
                    b.copy_(before)

    def outputs(self, xs: Sequence[Array]) -> list[Array]:
        with self.lib.no_grad(), self.loaded(xs):
            return [self.array(y) for y in self.floats(self.f(*self.replaced(xs)))]

    def gradients(self, xs: Sequence[Array], vs: Sequence[Array]) -> Sequence[Array | None]:
        with self.lib.enable_grad(), self.loaded(xs):
            args = self.replaced(xs)
            wanted = [args[i].requires_grad_() for i in self.places] + self.parameters
            ys = self.floats(self.f(*args))
            cotangents = [self.tensor(v, y) for y, v in zip(ys, vs)]
            self.note(args, xs, cotangents, vs)
            pairs = [(y, v) for y, v in zip(ys, cotangents) if y.requires_grad]
            if not pairs:
                return [None] * len(wanted)
            gs = self.lib.autograd.grad([y for y, _ in pairs], wanted, [v for _, v in pairs],
                                        allow_unused=True)
        return [None if g is None else self.array(g) for g in gs]


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


def _tuple(y: Any) -> tuple[Any, ...]:
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)
