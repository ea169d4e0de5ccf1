"""One sample under both engines: every way to call it, values, gradients and second order.

Each check yields what differs, as text; nothing means agreement.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import minitorch
from tests.samples.bridge import Arguments, OutOfScope, bare, call, cotangents, flat, is_tensor

SMALL = 100  # elements of an input up to which second derivatives are compared
# PyTorch's own defaults for comparing results (torch.testing.assert_close), relative and absolute.
TOLERANCE = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def same(ours: Any, theirs: Any, undefined: bool = False) -> str:
    """"" if two results are equal up to rounding, else what differs.

    ``undefined``: where PyTorch's value is nan anything goes.
    """
    if not is_tensor(theirs):
        if is_tensor(ours):
            return f"a tensor instead of {theirs!r}"
        return "" if ours == theirs or (ours != ours and theirs != theirs) else (
            f"{ours!r} instead of {theirs!r}")
    if not is_tensor(ours):
        return f"{type(ours).__name__} instead of a tensor"
    if repr(ours.dtype) != repr(theirs.dtype):
        return f"dtype {ours.dtype} instead of {theirs.dtype}"
    if tuple(ours.shape) != tuple(theirs.shape):
        return f"shape {tuple(ours.shape)} instead of {tuple(theirs.shape)}"
    x, y = bare(ours), bare(theirs)
    if y.dtype.kind != "f":
        good = x == y
    else:
        # Rounding scales with the largest number that took part.
        rtol, atol = TOLERANCE[y.dtype.name]
        atol *= max(1.0, np.abs(y, where=np.isfinite(y), out=np.zeros_like(y)).max(initial=0))
        good = np.isclose(x.astype("f8"), y.astype("f8"), rtol, atol, equal_nan=True)
        good |= undefined & np.isnan(y)
    if good.all():
        return ""
    at = tuple(map(int, np.argwhere(~good)[0]))
    return f"value {x[at]!r} instead of {y[at]!r} at {at} of {x.shape}"


def same_all(ours: Any, theirs: Any, what: str) -> Iterator[str]:
    a, b = list(flat(ours)), list(flat(theirs))
    if len(a) != len(b):
        yield f"{what}: {len(a)} results instead of {len(b)}"
        return
    for i, (x, y) in enumerate(zip(a, b)):
        if found := same(x, y):
            yield f"{what}{f'[{i}]' if len(a) > 1 else ''}: {found}"


def is_finite(values: Any) -> bool:
    return all(np.isfinite(bare(x)).all() for x in values)


class Sample:
    """One sample of one operator, with the functions that the two engines call it by."""

    def __init__(self, sample: Any, theirs: Callable[..., Any], ours: Callable[..., Any],
                 values: bool = True) -> None:
        self.sample, self.functions, self.values = sample, (theirs, ours), values

    def both(self, functions: Any = None, grad: bool = True) -> Any:
        """Results and leaves under PyTorch and under minitorch; or text, where only ours raised."""
        theirs, ours = functions or self.functions
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = call(torch, self.sample, theirs, grad)
            try:
                found = call(minitorch, self.sample, ours, grad)
            except OutOfScope:
                raise
            except Exception as error:
                return f"raised {type(error).__name__}: {error}"
        return expected, found

    def check(self, second: bool) -> Iterator[str]:
        """The plain call: results, which of them require a gradient, the gradients."""
        found = self.both()
        if isinstance(found, str):
            yield found
            return
        (expected, theirs), (result, ours) = found
        if not self.values:  # uninitialised memory
            expected, result = [[(tuple(t.shape), str(t.dtype)) for t in flat(r)]
                                for r in (expected, result)]
            if expected != result:
                yield f"forward: {result} instead of {expected}"
            return
        differences = list(same_all(result, expected, "forward"))
        yield from differences
        pairs = [(x, y) for x, y in zip(flat(result), flat(expected)) if is_tensor(y)]
        if not differences:
            for x, y in pairs:
                if theirs.shared_with(y) != ours.shared_with(x):
                    yield f"{'no ' * theirs.shared_with(y)}view of an argument"
                    return
                if x.requires_grad != y.requires_grad:
                    yield f"requires_grad {x.requires_grad} instead of {y.requires_grad}"
                    return
            roots = [pair for pair in pairs if pair[1].requires_grad]
            if roots and theirs.leaves:
                yield from self.gradients(roots, ours.leaves, theirs.leaves, second)

    def gradients(self, roots: Any, ours: list[Any], theirs: list[Any],
                  second: bool) -> Iterator[str]:
        second = second and all(t.numel() <= SMALL and t.dtype == torch.float64 for t in theirs)
        finite = is_finite([*theirs, *(y for _, y in roots)])
        second = second and finite
        grads = []
        weights = cotangents([y for _, y in roots], 1)
        for engine, leaves, side in ((torch, theirs, 1), (minitorch, ours, 0)):
            cotangent = [engine.from_numpy(g.copy()).requires_grad_(second) for g in weights]
            try:
                first = engine.autograd.grad([pair[side] for pair in roots], leaves, cotangent,
                                             allow_unused=True, create_graph=second)
            except Exception as error:
                if engine is minitorch:
                    yield f"gradient: raised {type(error).__name__}: {error}"
                return
            grads.append((first, [*leaves, *cotangent]))
        (expected, their_inputs), (found, our_inputs) = grads
        for i, (d, e, x) in enumerate(zip(found, expected, theirs)):
            e = torch.zeros_like(x) if e is None else e
            d = minitorch.zeros_like(ours[i]) if d is None else d
            if text := same(d, e, undefined=not finite):
                yield f"gradient {i}: {text}"
                return
        if second:
            yield from self.second_order(found, expected, our_inputs, their_inputs)

    def second_order(self, ours: Any, theirs: Any, our_inputs: Any,
                     their_inputs: Any) -> Iterator[str]:
        kept = [i for i, e in enumerate(theirs) if e is not None and e.requires_grad]
        if not kept:
            return
        weights = cotangents([theirs[i] for i in kept], 2)
        results = []
        for engine, firsts, inputs in ((torch, theirs, their_inputs),
                                       (minitorch, ours, our_inputs)):
            pairs = [(firsts[i], engine.from_numpy(g.copy())) for i, g in zip(kept, weights)
                     if firsts[i] is not None and firsts[i].requires_grad]
            try:
                results.append(engine.autograd.grad(
                    [d for d, _ in pairs], inputs, [g for _, g in pairs],
                    allow_unused=True) if pairs else [None] * len(inputs))
            except Exception as error:
                if engine is minitorch:
                    yield f"second order: raised {type(error).__name__}: {error}"
                return
        for i, (e, d) in enumerate(zip(*results)):
            e = torch.zeros_like(their_inputs[i]) if e is None else e
            d = minitorch.zeros_like(our_inputs[i]) if d is None else d
            # PyTorch's formulas divide 0 by 0 at kinks where the derivative is taken as 0.
            if text := same(d, e, undefined=True):
                yield f"second order {i}: {text}"
                return

    def check_method(self, theirs: Any, ours: Any) -> Iterator[str]:
        found = self.both((theirs, ours), grad=False)
        if isinstance(found, str):
            yield f"method: {found}"
        else:
            yield from same_all(found[1][0], found[0][0], "method")

    def check_out(self) -> Iterator[str]:
        """``out=``: given tensors of the right shape, and of a shape that has to change."""
        theirs, ours = self.functions
        expected, _ = call(torch, self.sample, theirs, grad=False)
        outs = [t for t in flat(expected) if is_tensor(t)]
        for empty in (False, True):
            def into(engine: Any, function: Any, empty: bool = empty) -> Any:
                def run(*args: Any, **kwargs: Any) -> Any:
                    made = [engine.zeros((0,) if empty else tuple(t.shape), dtype=Arguments(
                        engine).convert(t.dtype)) for t in outs]
                    function(*args, **kwargs, out=made[0] if is_tensor(expected) else made)
                    return made
                return run
            try:
                found = self.both((into(torch, theirs), into(minitorch, ours)), grad=False)
            except OutOfScope:
                raise
            except (RuntimeError, TypeError):
                return  # PyTorch has no out= here
            if isinstance(found, str):
                yield f"out=: {found}"
                return
            yield from same_all(found[1][0], found[0][0], "out=")

    def check_in_place(self, theirs: Any, ours: Any) -> Iterator[str]:
        """The in-place form on a clone: result, identity, gradients; or errors on both sides."""
        def on_clone(function: Any) -> Any:
            def run(x: Any, *args: Any, **kwargs: Any) -> Any:
                y = x.clone()
                if function(y, *args, **kwargs) is not y:
                    raise AssertionError("did not return its own tensor")
                return y
            return run
        try:
            found = self.both((on_clone(theirs), on_clone(ours)))
        except (RuntimeError, TypeError, IndexError) as error:
            try:
                call(minitorch, self.sample, on_clone(ours))
            except Exception:
                return
            yield f"in place: no error where PyTorch raises {type(error).__name__}: {error}"
            return
        if isinstance(found, str):
            yield f"in place: {found}"
            return
        (expected, theirs), (result, ours) = found
        if text := same(result, expected):
            yield f"in place: {text}"
        elif expected.requires_grad != result.requires_grad:
            yield f"in place: requires_grad {result.requires_grad}"
        elif expected.requires_grad and theirs.leaves:
            for text in self.gradients([(result, expected)], ours.leaves, theirs.leaves, False):
                yield f"in place: {text}"


def check_error(sample: Any, theirs: Any, ours: Any) -> Iterator[str]:
    """Where PyTorch raises minitorch must, too; the type should be its type, or one of its kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(torch, sample, theirs)
        except OutOfScope:
            raise
        except Exception as error:
            expected = error
        else:
            return
        try:
            call(minitorch, sample, ours)
        except OutOfScope:
            raise
        except Exception as error:
            if not isinstance(error, type(expected)) and not isinstance(expected, type(error)):
                yield (f"error: {type(error).__name__} ({error}) instead of "
                       f"{type(expected).__name__} ({expected})")
        else:
            yield f"error: none instead of {type(expected).__name__} ({expected})"
