"""A function at a point, in NumPy arrays; and the simplest of them, NumPy code with a pullback.

    problem.value(xs) -> ys          problem.pull(xs, vs) -> gs, one per differentiable input
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any


class BadGradient(Exception):
    """What the pullback returned or did is wrong whatever its values.

    ``input`` says of which; ``got`` and ``want`` are shapes, where they differ.
    """

    def __init__(self, message: str, input: int = 0, got: tuple[int, ...] | None = None,
                 want: tuple[int, ...] | None = None) -> None:
        super().__init__(message)
        self.input, self.got, self.want = input, got, want


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
        self.layouts = "plain", "plain"  # of inputs and of cotangents, see ``laid_out``
        self.watching = False  # see whether somebody writes into what is not his?
        self.returned: Sequence[Any] = ()  # the last gradients, as they came

    def laid_out(self, x: Array, layout: str) -> Array:
        """A copy: plain, F (the first axis the fastest), strided (every second element of a larger
        array) or expanded (one memory location for all that is equal along an axis)."""
        if layout == "F":
            return np.array(x, order="F")
        if layout == "strided" and x.ndim:
            room = np.full((*x.shape[:-1], 2 * x.shape[-1] + 1), np.nan, x.dtype)
            room[..., 1::2] = x
            return room[..., 1::2]
        if layout == "expanded":
            row = x
            for axis in range(x.ndim):
                first = row.take([0], axis) if x.shape[axis] > 1 else row
                row = first if (row == first).all() else row
            row = row.copy()
            steps = [0 if n == 1 else s for n, s in zip(row.shape, row.strides)]
            return np.lib.stride_tricks.as_strided(row, x.shape, steps)
        return np.array(x)

    def restart(self) -> None:
        """Set the random generators back to where each call starts (``frozen`` says where)."""

    def differentiable(self) -> list[int]:
        return [i for i, x in enumerate(self.inputs) if self.is_float(x)]

    def is_float(self, x: Any) -> bool:
        return isinstance(x, (float, np.floating)) or (
            isinstance(x, np.ndarray) and x.dtype.kind == "f")

    def floats(self, outputs: Any) -> list[Any]:
        return [y for y in as_tuple(outputs) if self.is_float(y)]

    def array(self, x: Any) -> Array:
        return np.array(x)

    def replaced(self, xs: Sequence[Array]) -> list[Any]:
        """The arguments of one call: fresh copies."""
        args = [x.copy() if isinstance(x, np.ndarray) else x for x in self.inputs]
        for i, x in zip(self.places, xs):
            args[i] = self.laid_out(x, self.layouts[0])
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
        self.returned = self.gradients(xs, vs)
        return self.checked(xs, self.returned)

    def checked(self, xs: Sequence[Array], gs: Sequence[Any]) -> list[Array]:
        """Copies of the gradients, if shapes and dtypes are the inputs'."""
        out = []
        for k, (x, g) in enumerate(zip(xs, gs)):
            g = np.zeros_like(x) if g is None else self.array(g)
            if g.shape != x.shape:
                raise BadGradient(f"the gradient of {self.names[k]} has shape {g.shape}, "
                                  f"the input has shape {x.shape}", k, g.shape, x.shape)
            if g.dtype != x.dtype:
                raise BadGradient(f"the gradient of {self.names[k]} has dtype {g.dtype}, the input "
                                  f"has dtype {x.dtype}", k)
            out.append(g)
        return out

    def guard(self, who: str, given: Sequence[tuple[str, Any, Any]]) -> None:
        """Raise BadGradient if one of the ``given`` (name, array, value before) was written."""
        for name, array, before in given if self.watching else ():
            if not np.array_equal(self.array(array), self.array(before), equal_nan=True):
                raise BadGradient(f"{who} wrote into {name}")

    def given(self, args: Sequence[Any], xs: Sequence[Array]) -> list[tuple[str, Any, Any]]:
        """Every array among the arguments of a call, with its value before it."""
        before = [*self.inputs]
        for i, x in zip(self.places, xs):
            before[i] = x
        return [(f"input {i}", arg, old) for i, (arg, old) in enumerate(zip(args, before))
                if getattr(arg, "shape", None) is not None]

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
        args = self.replaced(xs)
        self.raw = as_tuple(self.f(*args))
        self.guard("the function", self.given(args, xs))
        return [np.array(y) for y in self.floats(self.raw)]

    def complex_value(self, xs: Sequence[Array]) -> list[Array]:
        """All outputs at complex ``xs``."""
        self.evaluations += 1
        self.restart()
        ys = as_tuple(self.f(*self.replaced(xs)))
        return [np.asarray(y) for y, old in zip(ys, self.raw) if self.is_float(old)]

    def gradients(self, xs: Sequence[Array], vs: Sequence[Array]) -> Sequence[Array | None]:
        return self.pulled(self.replaced(xs), xs, vs)

    def pulled(self, args: list[Any], xs: Sequence[Array], vs: Sequence[Array]
               ) -> Sequence[Array | None]:
        """First ``f``, for code whose forward keeps a cache, then the pullback."""
        ys = as_tuple(self.f(*args))  # random numbers go on: a mask must not be drawn anew
        self.evaluations += 1
        rest = iter(vs)
        full = [self.laid_out(next(rest), self.layouts[1]) if self.is_float(y) else None
                for y in ys]
        given = [*self.given(args, xs), *[
            (f"output {o}", y, np.array(y)) for o, y in enumerate(ys) if self.is_float(y)]]
        cotangents = [(o, v) for o, v in enumerate(full) if v is not None]
        given += [(f"the cotangent of output {o}", v, old) for (o, v), old in zip(cotangents, vs)]
        gs = self.pullback(tuple(full) if len(full) > 1 else full[0], *args)
        self.guard("the pullback", given)
        gs = gs if isinstance(gs, (tuple, list)) else (gs,)
        if len(gs) == len(self.inputs):
            return [gs[i] for i in self.places]
        if len(gs) == len(self.places):
            return gs
        raise BadGradient(f"the pullback returned {len(gs)} gradients for {len(self.inputs)} "
                          f"inputs: return one each, None for an input without gradient")

    def shared(self, xs: Sequence[Array], vs: Sequence[Array], i: int, j: int) -> Array:
        """The gradient of an input that is handed over twice, as the i-th and the j-th."""
        args = self.replaced(xs)
        args[self.places[j]] = args[self.places[i]]
        self.restart()
        gs = self.checked(xs, self.pulled(args, xs, vs))
        return gs[i] + gs[j]


def as_tuple(y: Any) -> tuple[Any, ...]:
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)
