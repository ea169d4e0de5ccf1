"""Functions of minitorch's or PyTorch's tensors, whose names are the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitorch.testing.problem import BadGradient, Problem

Array = Any


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
        return np.array(x.numpy(force=True))

    def tensor(self, x: Array, like: Any, layout: str) -> Any:
        return self.lib.from_numpy(self.laid_out(x, layout)).to(like.device)

    def replaced(self, xs: Sequence[Array]) -> list[Any]:
        args = [x.detach().clone() if isinstance(x, self.lib.Tensor) else x for x in self.inputs]
        for i, x in zip(self.places, xs):
            args[i] = self.tensor(x, self.inputs[i], self.layouts[0])
        return args

    @contextmanager
    def loaded(self, xs: Sequence[Array], needing: Sequence[int] | None = None) -> Iterator[None]:
        """The parameters hold the last of ``xs``, and buffers may be written, for one call."""
        old = [(p.data, p.requires_grad) for p in self.parameters]
        buffers = self.buffers_of.buffers() if hasattr(self.buffers_of, "buffers") else ()
        kept = [(b, b.detach().clone()) for b in buffers]
        places = len(self.places)
        try:
            for k, (p, x) in enumerate(zip(self.parameters, xs[places:]), places):
                p.data = self.lib.from_numpy(np.array(x)).to(p.device)
                if needing is not None:
                    p.requires_grad_(k in needing)
            yield
        finally:
            for p, (data, needed) in zip(self.parameters, old):
                p.data = data
                p.requires_grad_(needed)
            with self.lib.no_grad():
                for b, before in kept:
                    b.copy_(before)

    def given(self, args: Sequence[Any], xs: Sequence[Array]) -> list[tuple[str, Any, Any]]:
        return [*super().given(args, xs), *zip(
            self.names[len(self.places):], self.parameters, xs[len(self.places):])]

    def outputs(self, xs: Sequence[Array]) -> list[Array]:
        with self.lib.no_grad(), self.loaded(xs):
            args = self.replaced(xs)
            ys = [self.array(y) for y in self.floats(self.f(*args))]
            self.guard("the function", self.given(args, xs))
            return ys

    def gradients(self, xs: Sequence[Array], vs: Sequence[Array],
                  needing: Sequence[int] | None = None) -> Sequence[Any]:
        """The gradients of the inputs and parameters; None of those not in ``needing``."""
        with self.lib.enable_grad(), self.loaded(xs, needing):
            args = self.replaced(xs)
            wanted = self.leaves(args, needing)
            ys, cotangents = self.called(args, vs)
            given = [*self.given(args, xs), *[
                (f"output {o}", y, self.array(y)) for o, y in enumerate(ys) if self.watching], *[
                (f"the cotangent of output {o}", c, v)
                for o, (c, v) in enumerate(zip(cotangents, vs))]]
            gs = self.back(ys, cotangents, wanted, retain=self.watching)
            self.guard("the function or its backward", given)
            if self.watching:
                self.second = self.back(ys, cotangents, wanted)
        for x, g, name in zip(wanted, gs, self.names):
            if g is not None and g.device != x.device:
                raise BadGradient(f"the gradient of {name} is on {g.device}, the input is on "
                                  f"{x.device}")
        return gs

    def leaves(self, args: Sequence[Any], needing: Sequence[int] | None = None) -> list[Any]:
        """The tensors whose gradients are asked for."""
        for k, i in enumerate(self.places):
            args[i].requires_grad_(needing is None or k in needing)
        return [args[i] for i in self.places] + self.parameters

    def called(self, args: Sequence[Any], vs: Sequence[Array]) -> tuple[list[Any], list[Any]]:
        """Outputs, and cotangents for them."""
        self.evaluations += 1
        self.restart()
        ys = self.floats(self.f(*args))
        return ys, [self.tensor(v, y, self.layouts[1]) for y, v in zip(ys, vs)]

    def back(self, ys: Sequence[Any], cotangents: Sequence[Any], wanted: Sequence[Any],
             retain: bool = False) -> Sequence[Any]:
        pairs = [(y, v) for y, v in zip(ys, cotangents) if y.requires_grad]
        asked = [x for x in wanted if x.requires_grad]
        if not pairs or not asked:
            return [None] * len(wanted)
        try:
            gs = iter(self.lib.autograd.grad([y for y, _ in pairs], asked, [v for _, v in pairs],
                                             retain_graph=retain, allow_unused=True))
        except RuntimeError as error:  # of the engine, which looks at what it is given
            shapes = re.search(r"got \[(.*?)\] but expected shape compatible with \[(.*?)\]",
                               str(error))
            got, want = ([tuple(map(int, s.split(", "))) if s else () for s in shapes.groups()]
                         if shapes else (None, None))
            raise BadGradient(f"the backward pass raised: {error}", 0, got, want) from error
        return [next(gs) if x.requires_grad else None for x in wanted]

    def subset(self, xs: Sequence[Array], vs: Sequence[Array], needing: Sequence[int]
               ) -> list[Array]:
        """The gradients when no others are asked for; zeros in their place."""
        return self.checked(xs, self.gradients(xs, vs, needing))

    def shared(self, xs: Sequence[Array], vs: Sequence[Array], i: int, j: int) -> Array:
        """The gradient of an input that is handed over twice, as the i-th and the j-th."""
        with self.lib.enable_grad(), self.loaded(xs):
            args = self.replaced(xs)
            args[self.places[j]] = args[self.places[i]]
            self.leaves(args)
            gs = self.back(*self.called(args, vs), [args[self.places[i]]])
        return self.checked([xs[i]], gs)[0]

    def twice(self, xs: Sequence[Array], vs: Sequence[Array], ws: Sequence[Array]
              ) -> list[Array] | None:
        """The gradients of two calls in one graph; None for a function that keeps state."""
        with self.lib.enable_grad(), self.loaded(xs):
            buffers = [*self.buffers_of.buffers()] if hasattr(self.buffers_of, "buffers") else []
            kept = [self.array(b) for b in buffers]
            args = self.replaced(xs)
            wanted = self.leaves(args)
            first = self.called(args, vs)
            if not all(np.array_equal(self.array(b), old) for b, old in zip(buffers, kept)):
                return None
            second = self.called(args, ws)
            gs = self.back(first[0] + second[0], first[1] + second[1], wanted)
        return self.checked(xs, gs)

    def accumulated(self, xs: Sequence[Array], vs: Sequence[Array], ws: Sequence[Array]
                    ) -> list[Array]:
        """What two calls of ``backward`` leave in ``.grad``."""
        args = self.replaced(xs)
        wanted = self.leaves(args)
        before = [p.grad for p in self.parameters]
        try:
            for p in self.parameters:
                p.grad = None
            for cotangents in (vs, ws):
                with self.lib.enable_grad(), self.loaded(xs):
                    pairs = [(y, v) for y, v in zip(*self.called(args, cotangents))
                             if y.requires_grad]
                    if pairs:
                        self.lib.autograd.backward([y for y, _ in pairs], [v for _, v in pairs])
            return self.checked(xs, [x.grad for x in wanted])
        finally:
            for p, g in zip(self.parameters, before):
                p.grad = g
