"""``autograd.gradcheck`` and ``gradgradcheck``, under torch's names, arguments and tolerances.

One fixed step ``eps``, central differences, and ``allclose`` with ``atol`` and ``rtol``. A check
that chooses these itself is ``minitorch.testing.check_grad``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import autograd
from minitorch.engine import wrap
from minitorch.tensor import Tensor

Array = Any


class GradcheckError(RuntimeError):
    """The gradients of the backward pass are not those of the values."""


def gradcheck(func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5,
              rtol: float = 1e-3, raise_exception: bool = True, nondet_tol: float = 0.0,
              check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
              check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
              check_forward_ad: bool = False, check_backward_ad: bool = True,
              fast_mode: bool = False, masked: bool | None = None) -> bool:
    """Compare Jacobians by backward and by central differences; True if all are close.

    ``func`` takes ``inputs`` (a tensor or a tuple) and returns a tensor or a tuple; inputs that
    require gradients are perturbed in place. ``eps``: the step; an entry a is close to the numeric
    n if |a - n| <= atol + rtol |n|. ``nondet_tol``: how far two backward passes may differ.
    ``fast_mode`` compares one random combination u^T J v instead of all entries. Raises
    ``GradcheckError`` on a mismatch, or returns False without ``raise_exception``.

    >>> import minitorch as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda x: x.sin() * x, x)
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_forward_ad or check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError("minitorch's forward mode and vmap are read from the same "
                                  "rules, so there is nothing to compare: leave check_forward_ad "
                                  "and check_batched_grad False")
    args = _tuple(inputs)
    _check_inputs(args)
    try:
        outputs = _floats(func(*args))
        if not any(y.requires_grad for y in outputs):
            _check_constant(func, args, eps)
            return True
        compare = _compare_fast if fast_mode else _compare_all
        compare(func, args, outputs, eps, atol, rtol, nondet_tol)
        _check_cotangents(func, args, check_undefined_grad)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *,
                  eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
                  gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
                  nondet_tol: float = 0.0, check_undefined_grad: bool = True,
                  check_grad_dtypes: bool = False, check_batched_grad: bool = False,
                  check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
                  fast_mode: bool = False, masked: bool = False) -> bool:
    """``gradcheck`` of the gradient itself, as a function of the inputs and of the cotangents.

    ``grad_outputs``: the cotangents at which; random ones in [-1, 1] if not given.

    >>> import minitorch as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(lambda x: x ** 3, x)
    True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError(
            "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    args = _tuple(inputs)
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        gs = []
        for y in _floats(func(*args)):
            g = rng.uniform(-1, 1, (*y.array.shape, 2)).astype(y.array.dtype)
            g = g[..., 0] if gen_non_contig_grad_outputs else np.array(g[..., 0])
            gs.append(wrap(g).requires_grad_())
        grad_outputs = tuple(gs)
    cotangents = _tuple(grad_outputs)
    wanted = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]

    def gradient(*both: Any) -> tuple[Any, ...]:
        xs, gs = both[:len(args)], both[len(args):]
        found = autograd.grad(_floats(func(*xs)), [xs[i] for i in wanted], gs, create_graph=True,
                              allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(gradient, (*args, *cotangents), eps=eps, atol=atol, rtol=rtol,
                     raise_exception=raise_exception, nondet_tol=nondet_tol,
                     check_undefined_grad=check_undefined_grad,
                     check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
                     check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev,
                     fast_mode=fast_mode, masked=masked)


def _tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _floats(outputs: Any) -> list[Any]:
    return [y for y in _tuple(outputs) if isinstance(y, Tensor) and y.is_floating_point()]


def _wanted(args: Sequence[Any]) -> list[Any]:
    return [x for x in args if isinstance(x, Tensor) and x.requires_grad]


def _check_inputs(args: Sequence[Any]) -> None:
    for i, x in enumerate(args):
        if not (isinstance(x, Tensor) and x.requires_grad):
            continue
        if x.array.dtype != np.float64:
            warnings.warn(f"Input #{i} requires gradient and is not a double precision floating "
                          f"point or complex. This check will likely fail if all the inputs are "
                          f"not of double precision floating point or complex. ", stacklevel=3)
        if any(s == 0 and n > 1 for s, n in zip(x.array.strides, x.array.shape)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs "
                f"that are non-overlapping to be able to compute the numerical gradients "
                f"correctly. You should call .contiguous on the input before passing it to "
                f"gradcheck.")
    if not _wanted(args):
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but "
                         "none of them have requires_grad=True.")


def _moved(func: Callable[..., Any], args: Sequence[Any], x: Any, step: Array) -> list[Array]:
    """The outputs with ``step`` added to ``x`` in place, where a closure sees it too."""
    kept = x.array.copy()
    try:
        x.array[...] = kept + step
        return [y.array.copy() for y in _floats(func(*args))]
    finally:
        x.array[...] = kept


def _slopes(func: Callable[..., Any], args: Sequence[Any], x: Any, u: Array,
            eps: float) -> list[Array]:
    up, down = (_moved(func, args, x, sign * eps * u) for sign in (1, -1))
    return [(a - b) / (2 * eps) for a, b in zip(up, down)]


def _units(x: Any) -> Any:
    for index in np.ndindex(x.array.shape):
        u = np.zeros(x.array.shape, x.array.dtype)
        u[index] = 1
        yield u


def _check_constant(func: Callable[..., Any], args: Sequence[Any], eps: float) -> None:
    for x in _wanted(args):
        for u in _units(x):
            if any(d.any() for d in _slopes(func, args, x, u, eps)):
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _pull(y: Any, xs: Sequence[Any], g: Array, nondet_tol: float) -> list[Array]:
    """The gradients of <y, g>, twice: they must not differ by more than ``nondet_tol``."""
    first, second = ([np.zeros(x.array.shape, x.array.dtype) if d is None else d.array
                      for x, d in zip(xs, autograd.grad(y, xs, wrap(g.copy()), retain_graph=True,
                                                        allow_unused=True))] for _ in range(2))
    for a, b in zip(first, second):
        if np.any(abs(a - b) > nondet_tol):
            raise GradcheckError(
                f"Backward is not reentrant, i.e., running backward with same input and "
                f"grad_output multiple times gives different values, although analytical gradient "
                f"matches numerical gradient. The tolerance for nondeterminism was {nondet_tol}.")
    return first


def _compare_all(func: Callable[..., Any], args: Sequence[Any], outputs: Sequence[Any], eps: float,
                 atol: float, rtol: float, nondet_tol: float) -> None:
    xs = _wanted(args)
    for i, x in enumerate(xs):
        columns = [_slopes(func, args, x, u, eps) for u in _units(x)]
        for j, y in enumerate(outputs):
            numeric = np.array([c[j].ravel() for c in columns]).reshape(x.array.size, y.array.size)
            analytic = np.zeros_like(numeric)
            if y.requires_grad:
                for k, g in enumerate(_units(y)):
                    analytic[:, k] = _pull(y, xs, g, nondet_tol)[i].ravel()
            _hold(analytic, numeric, atol, rtol, i, j)


def _compare_fast(func: Callable[..., Any], args: Sequence[Any], outputs: Sequence[Any],
                  eps: float, atol: float, rtol: float, nondet_tol: float) -> None:
    xs = _wanted(args)
    rng = np.random.default_rng(0)
    for i, x in enumerate(xs):
        u = rng.uniform(size=x.array.shape).astype(x.array.dtype)
        u /= np.linalg.norm(u) or 1
        slopes = _slopes(func, args, x, u, eps)
        for j, y in enumerate(outputs):
            v = rng.uniform(size=y.array.shape).astype(y.array.dtype)
            numeric = np.asarray(np.sum(slopes[j] * v))
            analytic = np.zeros(())
            if y.requires_grad:
                analytic = np.asarray(np.sum(_pull(y, xs, v, nondet_tol)[i] * u))
            # The sum over entries may be off by as much as each of them.
            _hold(analytic, numeric, atol * float(abs(u).sum() * abs(v).sum()), rtol, i, j)


def _hold(analytic: Array, numeric: Array, atol: float, rtol: float, i: int, j: int) -> None:
    if not np.allclose(analytic, numeric, rtol, atol):
        raise GradcheckError(f"Jacobian mismatch for output {j} with respect to input {i},\n"
                             f"numerical:{numeric}\nanalytical:{analytic}\n")


def _check_cotangents(func: Callable[..., Any], args: Sequence[Any], undefined: bool) -> None:
    """Backward is linear: a zero cotangent gives zeros, and so does one that is not there."""
    xs = _wanted(args)
    ys = [y for y in _floats(func(*args)) if y.requires_grad]
    zeros = [wrap(np.zeros(y.array.shape, y.array.dtype)) for y in ys]
    for x, d in zip(xs, autograd.grad(ys, xs, zeros, retain_graph=True, allow_unused=True)):
        if d is not None and d.array.any():
            raise GradcheckError("backward not multiplied by grad_output")
        if d is not None and (d.array.shape != x.array.shape or d.array.dtype != x.array.dtype):
            raise GradcheckError("grad is incorrect type")
    if undefined and len(ys) > 1:
        for i, y in enumerate(ys):  # the other outputs' cotangents stay undefined
            for d in autograd.grad(y, xs, zeros[i], retain_graph=True, allow_unused=True):
                if d is not None and d.array.any():
                    raise GradcheckError("Expected backward function to handle undefined output "
                                         "grads as zeros")
