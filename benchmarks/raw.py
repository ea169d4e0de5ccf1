"""The floor: a training step in plain NumPy, by hand, with every buffer made beforehand.

No tape, no dispatch, no allocation: what is left is what NumPy itself takes. It is also what a
training step *is*, on one page: products with the weights going forward, products with their
transposes coming back, and an update. Weights lie as (inputs, outputs), which is the faster layout
here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.networks import Network, endless, weights
from benchmarks.table import SEED

Array = Any
EPS = np.float32(1e-5)  # of batch normalisation
BLOCK = 32768  # elements that an update goes through at once: they stay in the cache


class Adam:
    """Kingma and Ba (2015), section 2's faster order: the corrections go into step size and eps.

    m and v are sums, not averages, which saves two passes: m = b1 m + g, v = b2 v + g^2.
    """

    def __init__(self, p: Array, g: Array, lr: float) -> None:
        m, v, t = np.zeros_like(p), np.zeros_like(p), np.empty_like(p[:BLOCK])
        self.blocks = [(p[i:i + BLOCK], g[i:i + BLOCK], m[i:i + BLOCK], v[i:i + BLOCK],
                        t[:len(p[i:i + BLOCK])]) for i in range(0, len(p), BLOCK)]
        self.lr, self.steps = lr, 0

    def step(self) -> None:
        self.steps += 1
        b1, b2, eps = 0.9, 0.999, 1e-8
        root = ((1 - b2) / (1 - b2**self.steps)) ** 0.5
        size = self.lr * (1 - b1) / (1 - b1**self.steps) / root
        for p, g, m, v, t in self.blocks:
            np.multiply(m, b1, out=m)
            np.add(m, g, out=m)
            np.multiply(g, g, out=t)
            np.multiply(v, b2, out=v)
            np.add(v, t, out=v)
            np.sqrt(v, out=t)
            np.add(t, eps / root, out=t)
            np.divide(m, t, out=t)
            np.multiply(t, size, out=t)
            np.subtract(p, t, out=p)


class SGD:
    def __init__(self, p: Array, g: Array, lr: float) -> None:
        self.blocks = [(p[i:i + BLOCK], g[i:i + BLOCK]) for i in range(0, len(p), BLOCK)]
        self.lr = lr

    def step(self) -> None:
        for p, g in self.blocks:
            np.multiply(g, self.lr, out=g)
            np.subtract(p, g, out=p)


def flat(arrays: list[Array]) -> tuple[Array, list[Array]]:
    """One vector that holds all the arrays, and views of it in their shapes."""
    vector = np.concatenate([a.ravel() for a in arrays])
    cuts = np.cumsum([a.size for a in arrays])[:-1]
    return vector, [v.reshape(a.shape) for v, a in zip(np.split(vector, cuts), arrays)]


class BatchNorm:
    """Ioffe and Szegedy (2015): y = gamma (x - mean) / sqrt(var + eps) + beta, per column."""

    def __init__(self, n: int, gamma: Array, beta: Array, dgamma: Array, dbeta: Array) -> None:
        m = len(gamma)
        self.gamma, self.beta, self.dgamma, self.dbeta = gamma, beta, dgamma, dbeta
        self.xhat, self.t = np.empty((2, n, m), np.float32)
        self.mean, self.var, self.scale, self.row = np.empty((4, m), np.float32)
        self.ones = np.ones(n, np.float32)
        self.running_mean, self.running_var = np.zeros(m, np.float32), np.ones(m, np.float32)

    def forward(self, x: Array) -> None:
        n, xhat = len(x), self.xhat
        np.matmul(self.ones, x, out=self.mean)
        self.mean /= n
        np.subtract(x, self.mean, out=xhat)
        np.multiply(xhat, xhat, out=self.t)
        np.matmul(self.ones, self.t, out=self.var)
        self.var /= n
        for running, now, factor in ((self.running_mean, self.mean, 0.1),
                                     (self.running_var, self.var, 0.1 * n / (n - 1))):
            running *= 0.9
            np.multiply(now, factor, out=self.row)
            running += self.row
        np.add(self.var, EPS, out=self.scale)
        np.sqrt(self.scale, out=self.scale)
        np.divide(1, self.scale, out=self.scale)
        np.multiply(xhat, self.scale, out=xhat)
        np.multiply(xhat, self.gamma, out=x)
        np.add(x, self.beta, out=x)

    def backward(self, g: Array) -> None:
        """dx = gamma / sqrt(var + eps) (g - mean(g) - xhat mean(g xhat))."""
        n = len(g)
        np.multiply(g, self.xhat, out=self.t)
        np.matmul(self.ones, self.t, out=self.dgamma)
        np.matmul(self.ones, g, out=self.dbeta)
        np.divide(self.dgamma, n, out=self.row)
        np.multiply(self.xhat, self.row, out=self.t)
        np.subtract(g, self.t, out=g)
        np.divide(self.dbeta, n, out=self.row)
        np.subtract(g, self.row, out=g)
        np.multiply(self.gamma, self.scale, out=self.row)
        np.multiply(g, self.row, out=g)


def train(network: Network) -> Callable[[], float]:
    """A function that makes one training step and returns the loss."""
    n, widths, last = network.batch, network.widths, len(network.widths) - 2
    arrays = [a for w, b in weights(network) for a in (w.T, b)]
    if network.norm:
        arrays += [f(m, np.float32) for m in widths[1:-1] for f in (np.ones, np.zeros)]
    p, params = flat(arrays)
    dp, grads = flat([np.zeros_like(a) for a in arrays])
    k = 2 * (last + 1)
    W, b, dW, db = params[:k:2], params[1:k:2], grads[:k:2], grads[1:k:2]
    norms = [BatchNorm(n, *pair) for pair in zip(
        params[k::2], params[k + 1::2], grads[k::2], grads[k + 1::2])]
    optimizer = (Adam if network.optimizer == "Adam" else SGD)(p, dp, network.lr)
    h = [np.empty((n, m), np.float32) for m in widths]  # h[i]: what goes into layer i
    dh = [np.empty((n, m), np.float32) for m in widths]
    mask = [np.empty((n, m), bool) for m in widths]
    ones, rows, column = np.ones(n, np.float32), np.arange(n), np.empty((n, 1), np.float32)
    activate, pull = ACTIVATIONS[network.activation]
    drop, scale = network.dropout, 1 / (1 - network.dropout)
    bits, data = np.random.SFC64(0), endless(network, lambda a: a)

    def forward(x: Array) -> None:
        h[0] = x
        for i in range(last + 1):
            y = np.matmul(h[i], W[i], out=h[i + 1])
            np.add(y, b[i], out=y)
            if i < last:
                if norms:
                    norms[i].forward(y)
                activate(y)
                if drop:  # an element stays if its 16 random bits are at least p 2^16
                    words = bits.random_raw(-(-y.size // 4)).view(np.uint16)[:y.size]
                    np.greater_equal(words.reshape(y.shape), int(drop * 65536), out=mask[i + 1])
                    np.multiply(y, mask[i + 1], out=y)
                    np.multiply(y, scale, out=y)

    def cross_entropy(z: Array, y: Array, g: Array) -> float:
        """mean(log sum exp(z) - z[y]); g = (softmax(z) - onehot(y)) / n."""
        np.subtract(z, np.maximum.reduce(z, 1, out=column[:, 0])[:, None], out=z)
        np.exp(z, out=g)
        np.add.reduce(g, 1, keepdims=True, out=column)
        np.divide(g, column, out=g)
        np.log(column, out=column)
        loss = float(column.sum() - z[rows, y].sum()) / n
        g[rows, y] -= 1
        np.divide(g, n, out=g)
        return loss

    def binary_cross_entropy(z: Array, y: Array, g: Array) -> float:
        """-mean(y log s + (1 - y) log(1 - s)) of s = sigmoid(z); g = (s - y) / n."""
        sigmoid(z)
        loss = -float(np.log(np.where(y == 1, z, 1 - z)).sum()) / n
        np.subtract(z, y, out=g)
        np.divide(g, n, out=g)
        return loss

    criterion = binary_cross_entropy if network.binary else cross_entropy

    def backward() -> None:
        for i in range(last, -1, -1):
            g = dh[i + 1]
            np.matmul(h[i].T, g, out=dW[i])
            np.matmul(ones, g, out=db[i])
            if i:
                g = np.matmul(g, W[i].T, out=dh[i])
                pull(g, h[i], mask[i])  # a dropped element is 0, and so is relu's cotangent there
                if drop:
                    np.multiply(g, scale, out=g)
                if norms:
                    norms[i - 1].backward(g)

    def step() -> float:
        x, y = next(data)
        forward(x)
        loss = criterion(h[-1], y, dh[-1])
        backward()
        optimizer.step()
        return loss

    return step


def relu(y: Array) -> None:
    np.maximum(y, 0, out=y)


def pull_relu(g: Array, y: Array, mask: Array) -> None:
    np.greater(y, 0, out=mask)
    np.multiply(g, mask, out=g)


def tanh(y: Array) -> None:
    np.tanh(y, out=y)


def pull_tanh(g: Array, y: Array, mask: Array) -> None:
    """g (1 - y^2); y is not needed any more."""
    np.multiply(y, y, out=y)
    np.subtract(1, y, out=y)
    np.multiply(g, y, out=g)


def sigmoid(y: Array) -> None:
    """1 / (1 + exp(-y))."""
    np.negative(y, out=y)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    np.divide(1, y, out=y)


def pull_sigmoid(g: Array, y: Array, mask: Array) -> None:
    """g y (1 - y)."""
    np.multiply(g, y, out=g)
    np.subtract(1, y, out=y)
    np.multiply(g, y, out=g)


ACTIVATIONS = {"ReLU": (relu, pull_relu), "Tanh": (tanh, pull_tanh),
               "Sigmoid": (sigmoid, pull_sigmoid)}


def operands(network: Network) -> list[tuple[Array, Array, Array]]:
    """Of each matrix product of a step: both factors, and the array for the result."""
    x = next(endless(network, lambda a: a))[0]
    rng = np.random.default_rng(SEED)  # a GPU multiplies equal numbers faster than random ones
    calls = []
    for i, ((n, m), (w, _)) in enumerate(zip(pairwise(network.widths), weights(network))):
        h = x if i == 0 else rng.random((network.batch, n), np.float32)
        w, g = np.ascontiguousarray(w.T), rng.random((network.batch, m), np.float32)
        calls += [(h, w, g.copy()), (h.T, g, np.empty((n, m), np.float32))]
        if i:
            calls.append((g, w.T, h.copy()))
    return calls


def products(network: Network) -> Callable[[], float]:
    """The matrix products of a step and nothing else; there is no loss, and 0.0 is returned."""
    calls = operands(network)

    def step() -> float:
        for a, b, out in calls:
            np.matmul(a, b, out=out)
        return 0.0

    return step
