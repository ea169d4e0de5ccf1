"""Negative controls: a check of gradients that cannot fail is no check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.testing.changes import MUTATIONS
from minitorch.testing.mutations import mutate
from minitorch.testing.score import accepts

Array = Any


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _softmax_pullback(v: Array, x: Array) -> Array:
    y = _softmax(x)
    return y * (v - (v * y).sum(-1, keepdims=True))


FUNCTIONS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {  # of a 3 x 3 matrix
    "sin": (np.sin, lambda v, x: v * np.cos(x)),
    "x @ x": (lambda x: x @ x, lambda v, x: v @ x.T + x.T @ v),
    "softmax": (_softmax, _softmax_pullback),  # a gradient of zero passes under all ones
    "1e-7 x**2": (lambda x: 1e-7 * x**2, lambda v, x: 2e-7 * x * v),  # ... under atol
    "sum of squares": (lambda x: (x * x).sum(), lambda v, x: 2 * x * v),
}


def assert_detects_wrong_grad(check: Callable[..., Any], lib: Any = None,
                              mutations: Any = MUTATIONS, functions: Any = FUNCTIONS) -> None:
    """Raise AssertionError unless ``check`` accepts right gradients and refuses wrong ones.

    ``check(f, x)`` refuses by raising or by returning False. ``f`` is a pair ``(f, pullback)`` of
    NumPy code, or with ``lib`` (minitorch or torch) a function of its tensors; ``x`` is a 3 x 3
    float64 matrix. The message lists every wrong verdict.

    >>> from minitorch.testing import assert_detects_wrong_grad, check_grad
    >>> assert_detects_wrong_grad(check_grad)
    >>> assert_detects_wrong_grad(lambda f, x: True)
    Traceback (most recent call last):
        ...
    AssertionError: the check let 40 of 40 wrong gradients pass: sin, zero; sin, sign; ...
    """
    x = np.random.default_rng(0).normal(size=(3, 3))
    point = x if lib is None else lib.from_numpy(x.copy()).requires_grad_()
    missed, refused = [], []
    for name, pair in functions.items():
        if not _accepts(check, _of(lib, pair), point):
            refused.append(name)
        missed += [f"{name}, {change}" for change in mutations
                   if _accepts(check, _of(lib, mutate(pair, mutations[change])), point)]
    total = len(functions) * len(mutations)
    if missed:
        raise AssertionError(f"the check let {len(missed)} of {total} wrong gradients pass: "
                             f"{'; '.join(missed)}")
    if refused:
        raise AssertionError(f"the check refused right gradients: {'; '.join(refused)}")


def _accepts(check: Callable[..., Any], f: Any, x: Any) -> bool:
    try:
        return accepts(check, f, x)
    except Exception:
        return False


def _of(lib: Any, pair: Any) -> Any:
    """The pair as it is, or as a function of the library's tensors."""
    if lib is None:
        return pair
    f, pullback = pair

    class Spoiled(lib.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return lib.from_numpy(np.array(f(x.detach().numpy())))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            g = pullback(g.detach().numpy(), x.detach().numpy())
            return lib.from_numpy(np.array(g[0] if isinstance(g, tuple) else g))
    return Spoiled.apply
