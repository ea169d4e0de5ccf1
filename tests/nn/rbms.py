"""Restricted Boltzmann machines by their definition: every state, its energy, exact gradients."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

import minitorch
from minitorch import nn

kinds = st.sampled_from(["bernoulli", "gaussian"])
sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)
# Sums of a few dozen float64 terms of moderate size.
close = pytest.approx
TOLERANCE = {"rel": 1e-11, "abs": 1e-11}


def binary(n: int) -> np.ndarray:
    """All states of n units."""
    return np.array(list(product([0.0, 1.0], repeat=n)))


def drawn(n_visible: int, n_hidden: int, kind: str = "bernoulli", seed: int = 0,
          scale: float = 1.0) -> nn.RBM:
    """An RBM in float64 with parameters that matter."""
    random = np.random.default_rng(seed)
    rbm = nn.RBM(n_visible, n_hidden, kind, dtype=minitorch.float64)
    for p in rbm.parameters():
        p.data.copy_(minitorch.from_numpy(random.normal(size=p.shape) * scale))
    return rbm


def parts(rbm: nn.RBM) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (rbm.weight.detach().numpy(), rbm.visible_bias.detach().numpy(),
            rbm.hidden_bias.detach().numpy())


def energies(rbm: nn.RBM, v: np.ndarray, h: np.ndarray) -> np.ndarray:
    """E(v, h) for every pair of rows, (N, M), term by term as it is defined."""
    W, a, c = parts(rbm)
    bias = -v @ a if rbm.visible == "bernoulli" else ((v - a) ** 2).sum(1) / 2
    return bias[:, None] - (h @ c)[None] - np.einsum("mj,ji,ni->nm", h, W, v)


def points(rbm: nn.RBM, seed: int, n: int = 5) -> np.ndarray:
    random = np.random.default_rng(seed + 1)
    if rbm.visible == "gaussian":
        return random.normal(size=(n, rbm.n_visible))
    return random.integers(0, 2, (n, rbm.n_visible)).astype(float)


def log_sum(x: np.ndarray, axis: Any = None) -> np.ndarray:
    return np.logaddexp.reduce(x.ravel() if axis is None else x, 0 if axis is None else axis)


def phases(rbm: nn.RBM, v: np.ndarray, weights: np.ndarray | None = None) -> list[np.ndarray]:
    """Weighted means over the rows of v of what multiplies W, a and c: hᵀv, v, h."""
    hidden = rbm.hidden_mean(minitorch.tensor(v)).detach().numpy()
    w = np.full(len(v), 1 / len(v)) if weights is None else weights
    _, a, _ = parts(rbm)
    return [np.einsum("n,nj,ni->ji", w, hidden, v),
            w @ (v if rbm.visible == "bernoulli" else v - a), w @ hidden]


def exact_gradient(rbm: nn.RBM, v: np.ndarray) -> list[np.ndarray]:
    """Of the mean log-likelihood: positive minus negative phase, over all states."""
    every = binary(rbm.n_visible)
    p = rbm.log_likelihood(minitorch.tensor(every)).exp().detach().numpy()
    return [x - y for x, y in zip(phases(rbm, v), phases(rbm, every, p))]


def gradients(rbm: nn.RBM, loss: Any) -> list[np.ndarray]:
    rbm.zero_grad()
    loss.backward()
    return [p.grad.numpy().copy() for p in (rbm.weight, rbm.visible_bias, rbm.hidden_bias)]
