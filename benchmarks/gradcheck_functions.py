"""Functions for the trial of gradient checkers: a development set, and a held-out one.

The checker's method and its constants were settled on the development set alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

Array = Any


@dataclass(frozen=True)
class Case:
    """A function of torch tensors with a draw of its inputs.

    ``kinks``: per input, which coordinates are nearer than 1e-4 to a kink. ``expanded``: the shape
    to which input 0 is broadcast inside.
    """

    name: str
    f: Callable[..., Any]
    inputs: Callable[[np.random.Generator], list[Any]]
    kinks: Callable[..., list[Array]] | None = None
    expanded: tuple[int, ...] | None = None


def normal(*shapes: Any, scale: float = 1.0, shift: float = 0.0) -> Any:
    return lambda r: [r.normal(shift, scale, s if isinstance(s, tuple) else (s,)) for s in shapes]


def positive(*shapes: Any, low: float = 0.3, high: float = 3.0) -> Any:
    return lambda r: [r.uniform(low, high, s if isinstance(s, tuple) else (s,)) for s in shapes]


def zeros_among(x: Array) -> Array:
    """Every third entry 0."""
    x = x.copy()
    x.reshape(-1)[::3] = 0
    return x


def at_zero(*xs: Array) -> list[Array]:
    return [abs(x) < 1e-4 for x in xs]


DEVELOPMENT = [
    Case("tanh", torch.tanh, normal((4, 5))),
    Case("x**2 - x", lambda x: x**2 - x, normal(7)),
    Case("1e-6 * x**3", lambda x: 1e-6 * x**3, normal((3, 3))),
    Case("1e7 * sin", lambda x: 1e7 * torch.sin(x), normal(6)),
    Case("cos(30 x)", lambda x: torch.cos(30 * x), normal(5)),
    Case("sqrt(1e-4)", torch.sqrt, positive(4, low=1e-5, high=1e-3)),
    Case("sqrt mixed", torch.sqrt, lambda r: [10.0 ** r.uniform(-5, 1, 6)]),
    Case("1/x", lambda x: 1 / x, lambda r: [r.choice([-1, 1], 5) * r.uniform(.2, 2, 5)]),
    Case("exp(80)", torch.exp, lambda r: [r.uniform(60, 80, 4)]),
    Case("log", torch.log, positive((2, 4))),
    Case("relu", torch.relu, normal(40)),
    Case("relu with zeros", torch.relu, lambda r: [zeros_among(r.normal(size=(3, 4)))], at_zero),
    Case("relu at zero", torch.relu, lambda r: [np.zeros(5)], at_zero),
    Case("leaky relu, zeros", lambda x: F.leaky_relu(x, 0.1).sum(0),
         lambda r: [zeros_among(r.normal(size=(5, 2)))], at_zero),
    Case("mlp", lambda x, w, b, u: torch.relu(x @ w + b) @ u, normal((5, 4), (4, 6), 6, (6, 2))),
    Case("linear broadcast", lambda b, a: torch.tanh(b + a), normal(3, (4, 3)), None, (4, 3)),
    Case("scale column", lambda b, a: b * a, normal((4, 1), (4, 3)), None, (4, 3)),
    Case("log_softmax", lambda x: F.log_softmax(x, 1), normal((4, 6))),
    Case("softmax temperature", lambda x: torch.softmax(50 * x, 0), normal(6)),
    Case("layer norm", lambda x: F.layer_norm(x, (6,)), normal((3, 6))),
    Case("batch norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
         normal((8, 3), 3, 3)),
    Case("mean of squares", lambda x: (x * x).mean(), normal((5, 5))),
    Case("std", lambda x: x.std(1), normal((4, 7), shift=10)),
    Case("dropout", lambda x: F.dropout(torch.tanh(x), 0.4), normal((4, 4))),
    Case("floor", torch.floor, positive(5, low=1.1, high=1.9)),
    Case("min ties", lambda x: torch.amin(x, 1), lambda r: [np.round(r.normal(size=(4, 3)))],
         lambda x: [(x == x.min(1, keepdims=True)) & ((x == x.min(1, keepdims=True)).sum(
             1, keepdims=True) > 1)]),
    Case("det", torch.linalg.det, normal((2, 3, 3))),
    Case("inverse", torch.linalg.inv, lambda r: [r.normal(size=(4, 4)) + 4 * np.eye(4)]),
    Case("cumsum", lambda x: torch.cumsum(x, 0), normal(20)),
    Case("two outputs", lambda x, y: (torch.sin(x * y), 1e6 * (x - y)), normal(4, 4)),
    Case("gather", lambda x, i: x[i] ** 2, lambda r: [r.normal(size=6), r.integers(0, 6, 9)]),
    Case("shifted 1e3", lambda x: torch.sin(x - 1e3), lambda r: [1e3 + r.normal(size=4)]),
    Case("steep sigmoid", lambda x: torch.sigmoid(200 * x), normal(5, scale=0.02)),
    Case("0-d", lambda x: torch.atan(x), lambda r: [np.array(r.normal())]),
    Case("cross entropy", lambda x, t: F.cross_entropy(x, t),
         lambda r: [r.normal(size=(5, 4)), r.integers(0, 4, 5)]),
    Case("big sum", lambda x: (x * x).sum(), normal(3000)),
]

SETS = {"development": DEVELOPMENT}
