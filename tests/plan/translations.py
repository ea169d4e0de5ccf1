"""Tests of translated steps: what stands for a GPU (products by NumPy, Philox in Python), networks
to be trained, and programs.
"""

import functools
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import as_strided

import minitorch as torch

nn, F = torch.nn, torch.nn.functional


class Products:
    """``Blas.multiply`` over host memory; ``count`` of the products."""

    def __init__(self):
        self.count = 0

    def handle(self):
        """Nothing to make ready."""

    def multiply(self, a, b, out, m, n, k, ta, tb, lda, ldb, ldc, beta=0.0):
        self.count += 1
        a, b, out = [getattr(x, "host", x) for x in (a, b, out)]  # of the stand-in
        a, b = matrix(a, m, k, ta, lda), matrix(b, k, n, tb, ldb)
        out = matrix(out, m, n, False, ldc)
        out[...] = a @ b + (beta * out if beta else 0)


def matrix(x, rows, columns, by_columns, step):
    """The matrix that begins with a vector's first element; it must lie within the vector."""
    last = ((rows - 1) + (columns - 1) * step if by_columns else (rows - 1) * step + columns - 1)
    assert last < x.size
    steps = (x.itemsize, step * x.itemsize)
    return as_strided(x, (rows, columns), steps if by_columns else steps[::-1])


def philox(counter, seed):
    """The first of the four words of Philox4x32-10 (Salmon et al. 2011), with Python's integers."""
    low = 0xFFFFFFFF
    x, y, z, w = counter & low, counter >> 32 & low, 0, 0
    key, other = seed & low, seed >> 32
    for _ in range(10):
        a, b = divmod(0xD2511F53 * x, 1 << 32)
        c, d = divmod(0xCD9E8D57 * z, 1 << 32)
        x, y, z, w = c ^ y ^ key, d, a ^ w ^ other, b
        key, other = (key + 0x9E3779B9) & low, (other + 0xBB67AE85) & low
    return x


class Stream:
    """``Generator.bernoulli`` with the numbers that a translated step draws."""

    def __init__(self, seed):
        self.seed, self.place = seed, 0

    def bernoulli(self, shape, p):
        n = int(np.prod(shape))
        words = [philox(self.place + i, self.seed) for i in range(n)]
        self.place += n
        return np.array([word < round(p * 2**32) for word in words]).reshape(shape)


def perceptron(sizes, between, dtype=torch.float64):
    torch.manual_seed(3)
    layers = []
    for i, o in pairwise(sizes):
        layers += [nn.Linear(i, o), *between(o)]
    return nn.Sequential(*layers[:len(layers) - len(between(1))]).to(dtype)


NETWORKS = {
    "A": ((9, 160, 90, 10), lambda n: [nn.ReLU()]),
    "B": ((9, 160, 90, 70, 10), lambda n: [nn.ReLU(), nn.Dropout(0.2)]),
    "C": ((9, 150, 32, 10), lambda n: [nn.BatchNorm1d(n), nn.ReLU()]),
    "others": ((9, 12, 10), lambda n: [nn.LayerNorm(n), nn.GELU(), nn.PReLU(), nn.Softplus()]),
    "tanh": ((9, 20, 10), lambda n: [nn.Tanh()])}


def batches(n, rows=32, inputs=9, dtype=np.float64):
    rng = np.random.default_rng(1)
    return [(torch.tensor(rng.normal(size=(rows, inputs)).astype(dtype)),
             torch.tensor(rng.integers(0, 10, rows))) for _ in range(n)]


def both(name, optimizer, dtype=torch.float64):
    """A model and its optimizer, for the graph; and the same again."""
    out = []
    for _ in range(2):
        model = perceptron(*NETWORKS[name], dtype)
        out.append((model, optimizer(model.parameters())))
    return out


def state(model, optimizer):
    arrays = [t.array for t in model.state_dict().values()]
    arrays += [p.grad.array for p in model.parameters()]
    for p in model.parameters():
        arrays += [t.array for t in optimizer.state[p].values() if isinstance(t, torch.Tensor)]
    return arrays


def same(mine, theirs, tolerance):
    return all(np.allclose(a, b, tolerance, tolerance) for a, b in zip(mine, theirs, strict=True))


SGD = functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01)
ADAM = functools.partial(torch.optim.Adam, lr=0.01)
PLAIN = functools.partial(torch.optim.SGD, lr=0.1)
CASES = [("A", PLAIN, torch.float32), ("A", ADAM, torch.float64), ("B", ADAM, torch.float64),
         ("C", SGD, torch.float64), ("others", PLAIN, torch.float64), ("tanh", SGD, torch.float64),
         ("tanh", torch.optim.NAdam, torch.float64)]


SQUARES = tuple(torch.tensor(np.random.default_rng(4).normal(size=(2, 5, 4)) ** 2))


def programs():
    """Functions of (x (5, 4), y (5, 4)), each with something that fusing must not overlook."""
    def column(x, y):
        return (x - x.mean(0)) / (x.var(0) + 1).sqrt() * y.sum(1, keepdim=True)

    def whole(x, y):
        return x * (x.sum() + y.amax()) - y.exp().sum(0)

    def in_place(x, y):
        z = x + 1
        z *= 2
        w = z.sum(1)
        z += y
        return z * w.unsqueeze(1), w

    def square(x, y):  # rows and columns of one length
        z = torch.matmul(x, y.t())
        return z + z.t().sum(0) * z.sum(0), torch.where(z > 0, z, -z).softmax(1)

    def transposed(x, y):
        return (x.t() * y.t().sum(1, keepdim=True)).t() + x, (x.t() + 1).log1p().sum(1)

    def parts(x, y):
        z = x * 0
        z[1:, 2] = y[:4, 0]
        return z.maximum(x)[:, 1:] * 3, (x > y).float().mean(), x.clamp(-0.5, 0.5) ** 3

    def chosen(x, y):
        picks = torch.tensor([[0], [3], [1], [1], [2]])
        return x.gather(1, picks), (x @ y.t())[:, 0], F.gelu(x, approximate="tanh")
    return [column, whole, in_place, square, transposed, parts, chosen]
