"""What stands for a GPU in tests of translated steps: products by NumPy, and Philox in NumPy."""

import numpy as np
from numpy.lib.stride_tricks import as_strided


class Products:
    """``Blas.multiply`` over host memory; ``count`` of the products."""

    def __init__(self):
        self.count = 0

    def handle(self):
        """Nothing to make ready."""

    def multiply(self, a, b, out, m, n, k, ta, tb, lda, ldb, ldc, beta=0.0):
        self.count += 1
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
