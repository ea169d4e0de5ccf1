"""Mistakes that people make in backpropagation, to be planted in ``backprop.chain_rule``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

# A slip, the line (without its beginning) and what stands there instead.
MISTAKES = [
    ("output's s'(z) forgotten", "d_z2 = d_a2 * a2 * (1 - a2)", "d_z2 = d_a2"),
    ("hidden s'(z) forgotten", "d_z1 = d_a1 * a1 * (1 - a1)", "d_z1 = d_a1"),
    ("s'(a) instead of s'(z)", "d_z1 = d_a1 * a1 * (1 - a1)",
     "s = torch.sigmoid(a1); d_z1 = d_a1 * s * (1 - s)"),
    ("not divided by n", "d_a2 = (a2 - t) / n", "d_a2 = a2 - t"),
    ("sign turned round", "d_a2 = (a2 - t) / n", "d_a2 = (t - a2) / n"),
    ("reshaped, not transposed", "d_a1 = d_z2 @ w2.T", "d_a1 = d_z2 @ w2.reshape(w2.T.shape)"),
    ("W2 after its step", "d_a1 = d_z2 @ w2.T", "d_a1 = d_z2 @ (w2 - RATE * d_w2).T"),
    ("mean instead of sum", "d_b1 = d_z1.sum(0)", "d_b1 = d_z1.mean(0)"),
    ("last image left out", "d_w1 = x.T @ d_z1", "d_w1 = x[:-1].T @ d_z1[:-1]"),
    ("not transposed", "d_a1 = d_z2 @ w2.T", "d_a1 = d_z2 @ w2"),
]


def planted(function: Callable[..., Any], line: str, instead: str) -> Callable[..., Any]:
    """The function with one line of its source replaced.

    Raises ValueError if the source has no such line, or several.
    """
    source = inspect.getsource(function)
    if source.count(line) != 1:
        raise ValueError(f"{function.__name__} has {source.count(line)} lines {line!r}, not one")
    scope = dict(function.__globals__)
    exec(source.replace(line, instead), scope)
    wrong: Callable[..., Any] = scope[function.__name__]
    return wrong
