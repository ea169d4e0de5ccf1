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


def tied(reduce: Any, axis: int) -> Callable[..., list[Array]]:
    """Where several entries share the extreme value along an axis."""
    def mask(x: Array) -> list[Array]:
        at = abs(x - reduce(x, axis=axis, keepdims=True)) < 1e-4
        return [at & (at.sum(axis, keepdims=True) > 1)]
    return mask


def rounded(*shape: int) -> Any:
    return lambda r: [np.round(r.normal(size=shape))]


def attention(q: Any, k: Any, v: Any) -> Any:
    return torch.softmax(q @ k.T / q.shape[1] ** 0.5, 1) @ v


def recurrent(x: Any, h: Any, w: Any) -> Any:
    for step in x:
        h = torch.tanh(h @ w + step)
    return h


def chain(x: Any, *ws: Any) -> Any:
    for w in ws:
        x = torch.tanh(x @ w)
    return x


def deep(x: Any, w: Any) -> Any:
    for _ in range(12):
        x = x + 0.3 * torch.relu(x @ w)
    return x


HELD_OUT = [
    # smooth, elementwise
    Case("sin(x) exp(-x)", lambda x: torch.sin(x) * torch.exp(-x), normal((3, 5))),
    Case("sigmoid", torch.sigmoid, normal((2, 3, 2))),
    Case("erf", torch.erf, normal(9)),
    Case("softplus", F.softplus, normal((4, 4), scale=5)),
    Case("gelu", F.gelu, normal(11)),
    Case("atan2", torch.atan2, positive((3, 2), (3, 2))),
    Case("x**2.5", lambda x: x**2.5, positive((2, 5))),
    Case("x**y", lambda x, y: x**y, positive((2, 3), (2, 3))),
    Case("log1p", torch.log1p, normal(6, scale=0.1)),
    Case("sinc-like", lambda x: torch.sin(x) / x, normal(5, shift=2, scale=0.3)),
    Case("lgamma", torch.lgamma, positive(6, low=1)),
    Case("quintic", lambda x: x**5 - 4 * x**3 + x, normal(6)),
    Case("scalar in, vector out", lambda x: torch.stack([x, x**2, torch.exp(x)]),
         lambda r: [np.array(r.normal())]),
    # badly scaled
    Case("1e-7 x**2", lambda x: 1e-7 * x**2, normal(5)),
    Case("1e8 x", lambda x: 1e8 * x, normal((2, 3))),
    Case("1e-12 exp", lambda x: 1e-12 * torch.exp(x), normal((3, 3))),
    Case("tiny inputs", lambda x: torch.sin(1e6 * x), normal(6, scale=1e-6)),
    Case("huge inputs", lambda x: torch.log(x) ** 2, lambda r: [r.uniform(1e9, 5e9, 5)]),
    Case("inputs over 8 decades", lambda x: torch.log(x), lambda r: [10.0 ** r.uniform(-4, 4, 7)]),
    Case("x and 1e5 y", lambda x, y: torch.tanh(x) + 1e-5 * y**2,
         lambda r: [r.normal(size=(3, 3)), 1e5 * r.normal(size=(3, 3)) ** 3]),
    Case("offset 100", lambda x: 100 + torch.sin(x), normal(8)),
    Case("fast oscillation", lambda x: torch.sin(100 * x), normal(4)),
    Case("outputs of two scales", lambda x: (torch.sin(x), 1e-6 * torch.cos(x)), normal((2, 4))),
    # edges of the domain and of the range
    Case("sqrt near 0", torch.sqrt, lambda r: [r.uniform(1e-6, 4e-6, 4)]),
    Case("sqrt, one near 0", torch.sqrt, lambda r: [np.array([1e-5, 1.0, 2.0]) * r.uniform(.5, 1)]),
    Case("1/x near 0", lambda x: 1 / x, lambda r: [r.uniform(1e-4, 1e-3, 4)]),
    Case("log near 0", torch.log, lambda r: [r.uniform(1e-5, 1e-1, 6)]),
    Case("exp near overflow", torch.exp, lambda r: [r.uniform(84, 88, 4)]),
    Case("exp near underflow", torch.exp, lambda r: [r.uniform(-80, -70, 4)]),
    Case("logsumexp of large", lambda x: torch.logsumexp(x, 1), normal((3, 4), shift=600)),
    Case("asin near 1", torch.asin, lambda r: [1 - r.uniform(1e-4, 1e-3, 5)]),
    Case("cube root", lambda x: torch.sign(x) * abs(x) ** (1 / 3), normal(6)),
    # kinked
    Case("abs", torch.abs, normal((3, 4)), at_zero),
    Case("abs with zeros", torch.abs, lambda r: [zeros_among(r.normal(size=(2, 6)))], at_zero),
    Case("relu net at zeros", lambda x, w: torch.relu(x) @ w,
         lambda r: [zeros_among(r.normal(size=(3, 4))), r.normal(size=(4, 2))],
         lambda x, w: [abs(x) < 1e-4, np.zeros(w.shape, bool)]),
    Case("relu next to 0", torch.relu,
         lambda r: [np.concatenate([r.normal(size=6), [1e-9, -1e-9]])], at_zero),
    Case("relu of 300", torch.relu, normal(300), at_zero),
    Case("hardtanh", F.hardtanh, lambda r: [np.concatenate([r.normal(size=5), [1.0, -1.0]])],
         lambda x: [abs(abs(x) - 1) < 1e-4]),
    Case("max ties", lambda x: torch.amax(x, 1), rounded(3, 5), tied(np.max, 1)),
    Case("max of one", lambda x: x.max(0).values, normal((4, 3))),
    Case("maximum of two", torch.maximum, normal((3, 3), (3, 3))),
    Case("elementwise ties", torch.maximum,
         lambda r: [np.round(r.normal(size=(3, 4))), np.round(r.normal(size=(3, 4)))],
         lambda x, y: [x == y, x == y]),
    Case("sorted", lambda x: torch.sort(x, 0).values ** 2, normal((5, 2))),
    Case("l1 loss", lambda x, y: F.l1_loss(x, y), normal((4, 3), (4, 3))),
    Case("huber", lambda x, y: F.smooth_l1_loss(x, y, beta=0.5), normal(8, 8)),
    Case("deep relu net", deep, lambda r: [r.normal(size=(3, 6)), r.normal(size=(6, 6)) * 0.4]),
    # piecewise constant
    Case("round", torch.round, lambda r: [r.integers(1, 4, 5) + r.uniform(-.3, .3, 5)]),
    Case("sign", torch.sign, positive((2, 3))),
    # reductions and normalisations
    Case("sum over axis", lambda x: (x**3).sum(1), normal((4, 6))),
    Case("mean over axes", lambda x: torch.exp(x).mean((0, 2)), normal((2, 3, 4))),
    Case("variance", lambda x: x.var(0), normal((6, 3))),
    Case("product", lambda x: x.prod(1), positive((3, 4))),
    Case("euclidean norm", lambda x: x.norm(), normal((3, 5))),
    Case("sum of 10000", lambda x: torch.tanh(x).sum(), normal(10000)),
    Case("softmax", lambda x: torch.softmax(x, -1), normal((3, 7))),
    Case("log-softmax, far apart", lambda x: F.log_softmax(x, 0), normal((5, 2), scale=8)),
    Case("cross entropy, classes", lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1),
         lambda r: [r.normal(size=(6, 5)), r.integers(0, 5, 6)]),
    Case("nll of sequences", lambda x, t: F.nll_loss(F.log_softmax(x, 1), t, reduction="none"),
         lambda r: [r.normal(size=(2, 4, 3)), r.integers(0, 4, (2, 3))]),
    Case("batch norm, training", lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
         normal((10, 4), 4, 4)),
    Case("batch norm, offset", lambda x: F.batch_norm(x, None, None, training=True),
         normal((8, 3), shift=20)),
    Case("group norm", lambda x: F.group_norm(x, 2), normal((3, 4, 5))),
    Case("cosine similarity", lambda x, y: F.cosine_similarity(x, y), normal((3, 5), (3, 5))),
    # linear algebra and layers
    Case("matmul chain", lambda a, b, c: a @ b @ c, normal((3, 4), (4, 5), (5, 2))),
    Case("square matmul", lambda a, b: a @ b, normal((4, 4), (4, 4))),
    Case("tanh net of four", chain, normal((4, 5), (5, 5), (5, 5), (5, 5), (5, 1))),
    Case("solve", torch.linalg.solve,
         lambda r: [r.normal(size=(4, 4)) + 4 * np.eye(4), r.normal(size=(4, 2))]),
    Case("logdet", lambda a: torch.logdet(a @ a.T + torch.eye(3, dtype=a.dtype)), normal((3, 3))),
    Case("convolution", lambda x, w: F.conv2d(x, w, padding=1),
         normal((2, 2, 5, 5), (3, 2, 3, 3))),
    Case("max pooling", lambda x: F.max_pool2d(x, 2), normal((1, 2, 6, 6))),
    Case("attention", attention, normal((4, 3), (5, 3), (5, 2))),
    Case("recurrent", recurrent, normal((6, 2, 3), (2, 3), (3, 3), scale=0.7)),
    Case("embedding", lambda w, i: F.embedding(i, w) ** 2,
         lambda r: [r.normal(size=(6, 3)), r.integers(0, 6, (2, 5))]),
    Case("einsum", lambda a, b: torch.einsum("bij,bjk->bki", a, b), normal((2, 3, 3), (2, 3, 3))),
    # broadcast
    Case("add bias", lambda b, x: torch.sigmoid(x + b), normal(4, (3, 4)), None, (3, 4)),
    Case("scale rows", lambda s, x: s * torch.sin(x), normal((5, 1), (5, 3)), None, (5, 3)),
    Case("outer", lambda a, b: torch.exp(a * b), normal((1, 4), (3, 1), scale=0.5), None, (3, 4)),
    Case("batch of bias", lambda b, x: (x * b).sum(-1), normal(3, (4, 2, 3)), None, (4, 2, 3)),
    # random state
    Case("dropout", lambda x: F.dropout(x * x, 0.5), normal((4, 5))),
    Case("dropout net", lambda x, w: torch.tanh(F.dropout(x, 0.3) @ w), normal((5, 6), (6, 3))),
    Case("noise added", lambda x: torch.tanh(x + torch.randn_like(x)), normal((3, 3))),
]

SETS = {"held-out": HELD_OUT, "development": DEVELOPMENT}
