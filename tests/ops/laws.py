"""The laws that every operator's rules obey, as checks of one call. See tests/mutate.py too.

All arrays are read-only while a law runs, and every cotangent is random: with a cotangent of
ones a softmax or batch norm whose gradient is always zero would pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import minitorch
from minitorch import ops
from minitorch.engine import wrap
from minitorch.testing.db.cases import Case, is_array
from minitorch.testing.db.functions import convert

# Relative to the largest entry, or to 1, the size of the drawn inputs. Sums are taken in another
# order than PyTorch's: a few units in the last place, which cancellation enlarges.
TOLERANCE = {np.dtype("float64"): 1e-10, np.dtype("float32"): 1e-5,
             np.dtype("float16"): 1e-2}  # where PyTorch computes in float32 and rounds once


def frozen(a: Any) -> Any:
    """A read-only view."""
    a = np.asarray(a).view()
    a.flags.writeable = False
    return a


def ours(case: Case, needing: tuple[int, ...] = ()) -> tuple[Any, list[Any]]:
    """The operator's result (without by-products), and its leaves at the positions ``needing``."""
    args = [wrap(frozen(a)) if is_array(a) else a for a in case.args]
    for i in needing:
        args[i].requires_grad_()
    out = case.op(*args)
    out = out[0] if isinstance(out, tuple) else out
    if out.array.flags.writeable:
        out.array.flags.writeable = False  # no rule may write into the result it was handed
    return out, [args[i] for i in needing]


def theirs(case: Case, needing: tuple[int, ...] = ()) -> tuple[Any, list[Any]]:
    return case.run(torch, needing)


def same(ours: Any, theirs: Any, what: str, case: Case, undefined: bool = False,
         precision: Any = np.float64) -> None:
    """Raise AssertionError unless two arrays agree in shape, dtype and values (nan is nan).

    ``undefined``: where the expected value is nan or infinite anything goes. ``precision``: the
    dtype they were computed in, if less than their own.
    """
    message = f"{what} of {case}: got {ours!r}, expected {theirs!r}"
    if undefined and theirs.dtype.kind == "f":
        ours = np.where(np.isfinite(theirs), ours, theirs)
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, message
    if theirs.dtype.kind != "f":
        assert np.array_equal(ours, theirs), message
        return
    tolerance = max(TOLERANCE[theirs.dtype], TOLERANCE[np.dtype(precision)])
    size = np.abs(theirs[np.isfinite(theirs)]).max(initial=1.0)
    assert np.allclose(ours, theirs, rtol=tolerance, atol=tolerance * size, equal_nan=True), message


def numbers(t: Any) -> Any:
    """A torch tensor as an array; force because PyTorch marks some zeros without storing them."""
    return t.numpy(force=True)


def values(t: Any) -> Any:
    return numbers(t) if isinstance(t, torch.Tensor) else t.array


def grads(out: Any, leaves: list[Any], g: Any, **options: Any) -> list[Any]:
    """Cotangents of ``leaves`` in either engine; zeros where none arrives."""
    library: Any = torch if isinstance(out, torch.Tensor) else minitorch
    if not out.requires_grad:
        return [library.zeros_like(x) for x in leaves]
    found = library.autograd.grad(out, leaves, g, allow_unused=True, **options)
    return [library.zeros_like(x) if d is None else d for d, x in zip(found, leaves)]


def cotangent(case: Case, like: Any, salt: int = 0) -> Any:
    return frozen(case.random(tuple(like.shape), salt).astype(like.dtype))


# -- against PyTorch -------------------------------------------------------------------------

# PyTorch's own derivative fails: of a scatter source larger than the index, and of bools in
# formulas with a minus. The numerical law covers ours.
TORCH_FAILS = ("returned an invalid gradient", "the `-` operator, on a bool",
               "the `-` operator, with a bool")
# Where PyTorch's derivative is nan and ours need not be: that of y log y at y = 0, and at 0 that
# of a norm which is nan.
UNDEFINED = {"kl_div", "vector_norm"}


def fails_in_torch(error: BaseException) -> bool:
    return any(text in str(error) for text in TORCH_FAILS)


def forward_agrees_with_torch(case: Case) -> None:
    same(ours(case)[0].array, numbers(theirs(case)[0]), "forward", case)


def gradient_agrees_with_torch(case: Case, needing: tuple[int, ...] | None = None) -> None:
    """Of the inputs ``needing`` (all that can): only those gradients are computed."""
    needing = case.differentiable if needing is None else needing
    if not needing:
        return
    out, leaves = ours(case, needing)
    expected, twins = theirs(case, needing)
    g = cotangent(case, out.array)
    if out.requires_grad:
        asked = out.node.plan.positions
        assert asked == needing, f"{case}: rules {asked} for inputs {needing}"
    try:
        wanted = grads(expected, twins, convert(torch, g))
    except RuntimeError as error:
        assert lacking(error) or fails_in_torch(error), f"{case}: {error!r}"
        return
    for i, d, t in zip(needing, grads(out, leaves, wrap(g)), wanted):
        same(d.array, numbers(t), f"gradient {i}", case, case.op.name in UNDEFINED,
             out.array.dtype)


def second_derivatives(library: Any, case: Case) -> list[Any]:
    """The gradients' own derivatives, with respect to the inputs and to the cotangent."""
    needing = case.differentiable
    if library is minitorch:
        (out, leaves), make = ours(case, needing), wrap
    else:
        (out, leaves), make = theirs(case, needing), lambda a: convert(torch, a)
    g = make(cotangent(case, values(out)))
    inputs = [*leaves, g]
    g.requires_grad_()
    first = enumerate(grads(out, leaves, g, create_graph=True), 1)
    pairs = [(d, make(cotangent(case, values(d), i))) for i, d in first if d.requires_grad]
    if not pairs:
        return [library.zeros_like(x) for x in inputs]
    roots, weights = zip(*pairs)
    second = library.autograd.grad(roots, inputs, weights, allow_unused=True)
    return [library.zeros_like(x) if d is None else d for d, x in zip(second, inputs)]


def second_order_agrees_with_torch(case: Case) -> None:
    """Where PyTorch's second derivative is finite, ours is the same."""
    if not case.differentiable or not np.isfinite(ours(case)[0].array).all():
        return  # of an undefined value
    if case.named.get("scale_grad_by_freq"):
        return  # PyTorch forgets the scale in its second derivative
    try:
        expected = second_derivatives(torch, case)
    except RuntimeError as error:
        assert fails_in_torch(error), f"{case}: {error!r}"
        return
    for i, (d, t) in enumerate(zip(second_derivatives(minitorch, case), expected)):
        same(d.array, numbers(t), f"second derivative {i}", case, undefined=True)


# -- against the definition of a derivative --------------------------------------------------

STEP = 5e-4


def numerical_jvp(case: Case, position: int, direction: Any) -> Any:
    """d/dt f(x + t v) by central differences of fourth order; None at a kink.

    At a kink within reach of the step the estimates by two steps differ.
    """
    def f(t: float) -> Any:
        moved = np.asarray(case.args[position] + t * direction)
        return ours(case.with_arg(position, moved))[0].array

    def central(h: float) -> Any:
        return (f(h) - f(-h)) / (2 * h)

    fine, middle, coarse = central(STEP / 2), central(STEP), central(2 * STEP)
    first, second = (4 * fine - middle) / 3, (4 * middle - coarse) / 3
    size = max(1.0, np.abs(first).max(initial=0))
    if not np.allclose(first, second, rtol=1e-6, atol=1e-6 * size):
        return None
    return first


def rule_is_the_adjoint_of_the_numerical_jvp(case: Case) -> bool:
    """``<rule(g), v> == <g, J v>``: to 1e-7, the error of fourth-order differences.

    False where nothing could be measured: at a kink, or in a result of low precision.
    """
    needing = case.differentiable
    out, leaves = ours(case, needing)
    if not needing or case.is_cut or out.array.dtype != np.float64:
        return not needing
    g = cotangent(case, out.array)
    measured = False
    for i, d in zip(needing, grads(out, leaves, wrap(g))):
        v = case.random(case.args[i].shape, 7)
        jvp = numerical_jvp(case, i, v)
        if jvp is None:
            continue
        measured = True
        left, right = float((d.array * v).sum()), float((g * jvp).sum())
        scale = np.abs(d.array * v).sum() + np.abs(g * jvp).sum() + 1e-3
        assert abs(left - right) <= 1e-7 * scale, (
            f"{case}: <rule(g), v> = {left}, <g, Jv> = {right}")
    return measured


def rule_is_linear_in_the_cotangent(case: Case) -> None:
    needing = case.differentiable
    if not needing:
        return
    out, leaves = ours(case, needing)
    if not out.requires_grad:
        return
    a, b = cotangent(case, out.array), cotangent(case, out.array, 1)
    pulled = [grads(out, leaves, wrap(frozen(np.asarray(g))), retain_graph=True)
              for g in (a, b, 2.5 * a - b)]
    for i, (da, db, dc) in enumerate(zip(*pulled)):
        same(dc.array, np.asarray(2.5 * da.array - db.array), f"linearity of gradient {i}", case,
             precision=out.array.dtype)


class OwnRule(Exception):
    """The forward is a word of its own: there is nothing smaller to differentiate."""


class Words:
    """``minitorch.ops`` without the operator itself: the smaller words its forward is made of."""

    def __init__(self, op: Any) -> None:
        self._op = op

    def __getattr__(self, name: str) -> Any:
        word = getattr(ops, name, None)
        if word is None or word is self._op:
            raise OwnRule(name)
        return word


def rule_equals_its_forward_differentiated(case: Case) -> bool:
    """Our operators, composed as the forward says and differentiated, give the rule's gradient.

    False where the forward is a single word, or its composition 0/0 where the rule knows better
    (the standard deviation of equal numbers).
    """
    needing = case.differentiable
    if not needing or case.is_cut:
        return False
    args = [wrap(a) if is_array(a) else a for a in case.args]
    for i in needing:
        args[i].requires_grad_()
    try:
        out = case.op.forward(Words(case.op), *args)
    except OwnRule:
        return False
    out = out[0] if case.op.extras else out
    whole, leaves = ours(case, needing)
    same(out.array, whole.array, "composed forward", case)
    g = wrap(cotangent(case, whole.array))
    composed = grads(out, [args[i] for i in needing], g)
    if not all(np.isfinite(d.array).all() for d in composed):
        return False
    for i, d, t in zip(needing, composed, grads(whole, leaves, g)):
        same(t.array, d.array, f"gradient {i} against its forward differentiated", case)
    return True


# -- of arrays -------------------------------------------------------------------------------

def everything(case: Case) -> list[Any]:
    """The result and all first gradients as arrays."""
    needing = case.differentiable
    out, leaves = ours(case, needing)
    g = wrap(cotangent(case, out.array))
    return [out.array, *[d.array for d in grads(out, leaves, g)]]


def neither_inputs_nor_cotangent_are_written(case: Case) -> None:
    """Arrays are read-only in every law; here their bytes are also compared."""
    before = [a.tobytes() for a in case.args if is_array(a)]
    needing = case.differentiable
    out, leaves = ours(case, needing)
    if needing:
        result, g = out.array.tobytes(), wrap(cotangent(case, out.array))
        seed = g.array.tobytes()
        grads(out, leaves, g, create_graph=True)
        grads(out, leaves, g)
        assert (result, seed) == (out.array.tobytes(), g.array.tobytes()), case
    assert before == [a.tobytes() for a in case.args if is_array(a)], case


def layout_does_not_matter(case: Case, relaid: Case) -> None:
    """The same numbers, laid out otherwise in memory, give the same result and gradients."""
    for a, b in zip(everything(relaid), everything(case)):
        same(a, b, "another layout", case)


# -- what is refused -------------------------------------------------------------------------

def lacking(error: BaseException) -> bool:
    """Whether PyTorch merely lacks a kernel for this dtype: there we may give a result."""
    return "not implemented for" in str(error) or isinstance(error, NotImplementedError)


def related(a: BaseException, b: BaseException) -> bool:
    """Of one type; PyTorch itself mixes RuntimeError and IndexError for shapes that do not fit."""
    mixed = (RuntimeError, IndexError, AssertionError)
    return isinstance(a, type(b)) or isinstance(b, type(a)) or (
        isinstance(a, mixed) and isinstance(b, mixed))


def agrees_or_both_raise(case: Case, public: bool = False) -> None:
    """The forward and, for floats, the gradient; where PyTorch raises, so do we.

    ``public``: the forward only, by the function that minitorch offers: it may check more than
    its operator does.
    """
    def own() -> Any:
        return (case.run(minitorch) if public else ours(case))[0].array

    try:
        expected = numbers(theirs(case)[0])
    except (RuntimeError, TypeError, ValueError, IndexError, AssertionError) as error:
        refused = error
    else:
        try:
            found = own()
        except ValueError as error:  # a (N, 1) target for (N,): refused on purpose
            assert "almost never meant" in str(error), f"{case}: {error!r}"
            return
        same(found, expected, "forward", case)
        if expected.dtype.kind == "f" and not public:
            gradient_agrees_with_torch(case)
        return
    try:
        out = own()
    except Exception as error:
        assert lacking(refused) or related(error, refused), (
            f"{case}: PyTorch raises {refused!r}, we raise {error!r}")
    else:
        assert lacking(refused), f"{case}: PyTorch raises {refused!r}, we give {out!r}"
