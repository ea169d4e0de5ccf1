"""Sparse arrays in coordinates: the gradient of a table of which only a few rows were read.

A ``Coo`` stands in ``Tensor.array`` where a NumPy array stands otherwise. It adds, scales and
converts itself; whatever else is asked of it raises, and says to call ``to_dense()``. Like
PyTorch's hybrid COO layout: ``indices`` (sparse_dim, nnz) int64 say where, ``values``
(nnz, *dense_shape) say what. Several entries may lie in one place: they add up.
"""

from __future__ import annotations

import operator
import sys
from math import inf, prod
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np

from minitorch.crossing import ask

Array = Any


def refusal(name: str) -> NotImplementedError:
    """What is raised where a sparse tensor stands in a place for dense ones."""
    return NotImplementedError(f"{name} is not implemented for sparse tensors; call .to_dense() "
                               f"first")


class Coo:
    """``values[k]`` at ``indices[:, k]`` of an array of ``shape``, and 0 elsewhere.

    ``coalesced`` promises that no two entries lie in one place and that they are in row-major
    order; fewer than two entries always are. The parts are shared values: nobody writes into them.

    >>> x = Coo(np.array([[2, 0, 2]]), np.array([1.0, 2.0, 3.0]), (4,))
    >>> x.to_dense()
    array([2., 0., 4., 0.])
    >>> x.coalesce().indices, x.coalesce().values
    (array([[0, 2]]), array([2., 4.]))
    """

    __slots__ = ("coalesced", "indices", "shape", "values")
    __array_ufunc__ = None  # ndarray + Coo is left to Coo
    base, is_sparse = None, True
    flags = SimpleNamespace(c_contiguous=True, writeable=True)

    def __init__(self, indices: Array, values: Array, shape: tuple[int, ...],
                 coalesced: bool | None = None) -> None:
        self.indices, self.values, self.shape = indices, values, tuple(shape)
        self.coalesced = len(values) < 2 if coalesced is None else coalesced

    # -- what it is --------------------------------------------------------------------------

    @property
    def dtype(self) -> Any:
        return self.values.dtype

    @property
    def itemsize(self) -> int:
        return int(self.values.itemsize)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements, those that are 0 included."""
        return prod(self.shape)

    @property
    def nnz(self) -> int:
        """The number of entries."""
        return len(self.values)

    def __getattr__(self, name: str) -> NoReturn:
        # Double underscores are asked for by hasattr(): it is no other library's array.
        raise AttributeError(name) if name.startswith("__") else refusal(name)

    # -- other forms -------------------------------------------------------------------------

    def like(self, values: Array, coalesced: bool | None = None) -> Coo:
        """Other values in the same places."""
        return Coo(self.indices, values, self.shape,
                   self.coalesced if coalesced is None else coalesced)

    def zeros(self) -> Coo:
        """No entries, in the same shape."""
        return Coo(self.indices[:, :0], self.values[:0], self.shape, True)

    def astype(self, dtype: Any, copy: bool = True) -> Coo:
        return self.like(self.values.astype(dtype, copy=copy))

    def copy(self) -> Coo:
        return Coo(self.indices.copy(), self.values.copy(), self.shape, self.coalesced)

    def coalesce(self) -> Coo:
        """One entry for each place, in row-major order; added up in the order they stood in."""
        if self.coalesced or self.nnz < 2:
            return self if self.coalesced else self.like(self.values, True)
        ask(self.values)
        np_ = library(self.values)
        places = self._places()
        order = np_.argsort(places, kind="stable")
        places = places[order]
        first = np_.concatenate([np_.ones(1, bool), places[1:] != places[:-1]])
        values = np_.zeros((int(first.sum()), *self.values.shape[1:]), self.dtype)
        add_rows(values, np_.cumsum(first) - 1, self.values[order])
        return Coo(self.indices[:, order[first]], values, self.shape, True)

    def to_dense(self) -> Array:
        """The same numbers in a dense array."""
        return self.add_to(library(self.values).zeros(self.shape, self.dtype))

    def add_to(self, out: Array) -> Array:
        """Add the entries to a dense array, in place."""
        if not out.flags.c_contiguous:
            out += self.to_dense()
            return out
        rows = out.reshape(prod(self.shape[:len(self.indices)]), *self.values.shape[1:])
        add_rows(rows, self._places(), self.values)
        return out

    def _places(self) -> Array:
        """Where each entry lies in row-major order over the sparse dimensions."""
        places = library(self.indices).zeros(self.nnz, np.int64)
        for row, n in zip(self.indices, self.shape):
            places = places * n + row
        return places

    # -- arithmetic --------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        if isinstance(other, (int, float)):
            raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) "
                               "instead.")
        if other.shape != self.shape:
            raise RuntimeError(f"add: expected sizes of 'self' and 'other' to match, but "
                               f"{list(self.shape)} != {list(other.shape)}")
        if isinstance(other, Coo):
            return joined(self, other)
        return self.add_to(other.astype(np.promote_types(other.dtype, self.dtype), order="C"))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return other + -self

    def __neg__(self) -> Coo:
        return self.like(-self.values)

    def __mul__(self, other: Any) -> Coo:
        """By a number, or by a dense array that broadcasts to this shape."""
        if isinstance(other, Coo):
            raise refusal("the product of two sparse tensors")
        if getattr(other, "ndim", 0):
            other = library(other).broadcast_to(other, self.shape)[key(self.indices)]
        return self.like(self.values * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Coo:
        if getattr(other, "ndim", 0):
            raise refusal("division by anything but a number")
        return self.like(self.values / other)

    def __setitem__(self, key: Any, value: Any) -> None:
        """``x[...] = y`` takes over the entries of ``y``: how in-place operators write."""
        if key is not Ellipsis or not isinstance(value, Coo):
            raise refusal("writing at an index")
        self.indices, self.coalesced = value.indices, value.coalesced
        self.values = value.values.astype(self.dtype, copy=False)


def _refusing(name: str) -> Any:
    def method(self: Coo, *args: Any, **options: Any) -> NoReturn:
        raise refusal(name)
    return method


for _name in """bool contains eq float floordiv ge getitem gt index int invert iter le len lt
matmul mod ne pow rfloordiv rmatmul rmod rpow rtruediv abs and or xor lshift rshift""".split():
    setattr(Coo, f"__{_name}__", _refusing(_name))
setattr(Coo, "__array__", _refusing("conversion to an array"))
setattr(Coo, "__hash__", object.__hash__)


def key(indices: Array) -> Any:
    """What reads the places ``indices`` off a dense array: ``x[key(indices)]`` are (nnz, ...)."""
    return tuple(indices) or np.asarray(indices.shape[1] > 0)  # a 0-d array has a single place


def library(array: Array) -> Any:
    """The module an array comes from: numpy or cupy."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def add_rows(out: Array, places: Array, rows: Array) -> None:
    """``out[places[k]] += rows[k]`` for each ``k`` in turn, in place.

    Element by element: a quarter of the time that ``add.at`` takes over rows of 64.
    """
    np_, n = library(out), prod(rows.shape[1:])
    elements = (places[:, None] * n + np_.arange(n)).reshape(-1)
    flat, rows = out.reshape(-1), rows.reshape(-1)
    if np_ is np or rows.dtype.kind == "f":
        np_.add.at(flat, elements, rows)
    else:  # of integers CuPy adds few kinds
        wide = flat.astype(np.int64)
        np_.add.at(wide, elements, rows.astype(np.int64))
        flat[...] = wide


def joined(x: Coo, y: Coo) -> Coo:
    """The entries of both, in the order in which PyTorch adds sparse tensors up."""
    if len(x.indices) != len(y.indices):
        raise RuntimeError(f"add: expected 'self' and 'other' to have same density, but 'self' has "
                           f"{len(x.indices)} sparse dimensions while 'other' has "
                           f"{len(y.indices)} sparse dimensions")
    if not x.nnz or not y.nnz:
        return (x if x.nnz or not y.nnz else y).copy()
    np_ = library(x.values)
    if np_ is not np or not (x.values.flags.c_contiguous and y.values.flags.c_contiguous):
        both = Coo(np_.concatenate([x.indices, y.indices], 1),
                   np_.concatenate([x.values, y.values]), x.shape)
        if both.nnz > both.size:  # more than it would have if it were dense
            both = both.coalesce()
        return Coo(both.indices, both.values, both.shape)
    of_x, of_y, n = merged(x._places().tolist(), y._places().tolist())
    indices = np.empty((len(x.indices), n), np.int64)
    indices[:, of_x], indices[:, of_y] = x.indices, y.indices
    values = np.zeros((n, *x.values.shape[1:]), np.promote_types(x.dtype, y.dtype))
    values[of_x] = x.values
    values[of_y] += y.values
    return Coo(indices, values, x.shape, x.coalesced and y.coalesced)


def merged(x: list[float], y: list[float]) -> tuple[list[int], list[int], int]:
    """Where the items of two lists go, and how many places that takes, when of the two heads
    always the smaller is taken next, and equal ones together."""
    of_x: list[int] = []
    of_y: list[int] = []
    n = i = j = 0
    nx, ny = len(x), len(y)
    x, y = [*x, inf], [*y, inf]
    while i < nx or j < ny:
        a, b = x[i], y[j]
        if a <= b:
            of_x.append(n)
            i += 1
        if b <= a:
            of_y.append(n)
            j += 1
        n += 1
    return of_x, of_y, n


# -- the vocabulary that operators are read in where an argument is sparse ---------------------

class Words(SimpleNamespace):
    """The namespace ``xp`` of sparse arrays: the few words they know; any other raises."""

    def __getattr__(self, word: str) -> NoReturn:
        raise AttributeError(word) if word.startswith("__") else refusal(word)


def cast(x: Any, dtype: Any) -> Any:
    return x.astype(dtype, copy=False)


def asarray(x: Any) -> Any:
    if not hasattr(x, "dtype"):
        raise refusal("a number in every place")
    return x


words = Words(
    add=operator.add, subtract=operator.sub, multiply=operator.mul, divide=operator.truediv,
    negative=operator.neg, copy=Coo.copy, cast=cast, asarray=asarray,
    coo=lambda values, indices, shape, coalesced=None: Coo(indices, values, shape, coalesced))
