"""Products of matrices and vectors."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

from minitorch import ops
from minitorch.engine import shown_as
from minitorch.functions.common import into, method, require_float, require_one_dtype
from minitorch.functions.joining import _tensors
from minitorch.functions.reductions import norm, sum
from minitorch.functions.shapes import diagonal

__all__ = [
    "mm", "bmm", "mv", "dot", "vdot", "inner", "outer", "ger", "addmm", "addmv", "addbmm",
    "baddbmm", "addr", "einsum", "tensordot", "chain_matmul", "cdist", "diag", "diag_embed",
    "diagflat", "trace", "kron",
]


def _product(name: str, dims: tuple[int, int], second: str, doc: str) -> Callable[..., Any]:
    def product(input: Any, other: Any = None, *, out: Any = None, **named: Any) -> Any:
        other = named.pop(second) if other is None else other
        if (input.ndim, other.ndim) != dims:
            raise RuntimeError(f"{name}: expected {dims[0]}-D and {dims[1]}-D tensors, got shapes "
                               f"{tuple(input.shape)} and {tuple(other.shape)}")
        if dims == (3, 3) and input.shape[0] != other.shape[0]:
            raise RuntimeError(f"batch1 and batch2 must have same number of batches, got "
                               f"{input.shape[0]} and {other.shape[0]}")
        require_one_dtype(name, input, other)
        y = ops.matmul(input, other)
        return into(out, shown_as("BmmBackward0", y) if dims == (3, 3) else y)
    product.__name__, product.__doc__ = name, doc
    return method(product)


mm = _product("mm", (2, 2), "mat2", "The product of two matrices.")
bmm = _product("bmm", (3, 3), "mat2", "The products of two batches of matrices.")
mv = _product("mv", (2, 1), "vec", "A matrix times a vector.")
dot = _product("dot", (1, 1), "tensor", "The sum of products of two vectors.")
vdot = _product("vdot", (1, 1), "other", "The sum of products of two vectors.")


@method
def inner(input: Any, other: Any, *, out: Any = None) -> Any:
    """Sums of products over the last dimension of both."""
    if not input.ndim or not other.ndim:
        return into(out, input * other)
    require_one_dtype("inner", input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(f"inner() the last dimension must match on both input tensors but got "
                           f"shapes {list(input.shape)} and {list(other.shape)}")
    return into(out, tensordot(input, other, ([-1], [-1])))


@method
def outer(input: Any, vec2: Any, *, out: Any = None) -> Any:
    """``input[i] * vec2[j]`` of two vectors."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D arguments, but got {input.ndim}-D and "
                           f"{vec2.ndim}-D")
    return into(out, ops.multiply(ops.unsqueeze(input, 1), vec2))


def _add_product(name: str, product: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def function(input: Any, one: Any, two: Any, *, beta: Any = 1, alpha: Any = 1,
                 out: Any = None) -> Any:
        y = product(one, two)
        require_one_dtype(name, y, input)
        y = _times(y, alpha)
        if not _expands(input.shape, y.shape):
            raise RuntimeError(f"{name}: input of shape {tuple(input.shape)} does not broadcast to "
                               f"the product's shape {tuple(y.shape)}")
        if beta == 0:  # whatever input holds, nan included, is ignored
            input, beta = ops.where(input == 0, input, 0), 0
        return into(out, shown_as(f"{name.capitalize()}Backward0", ops.add(y, _times(input, beta))))
    function.__name__, function.__doc__ = name, doc
    return method(function)


def _times(x: Any, factor: Any) -> Any:
    """``factor * x`` in the dtype of ``x``: PyTorch cuts off the factor's fraction for integers."""
    kind = x.array.dtype.kind
    factor = factor if kind == "f" else bool(factor) if kind == "b" else int(factor)
    return x if factor == 1 else x * factor


def _expands(shape: Any, to: Any) -> bool:
    return len(shape) <= len(to) and all(n in (1, m) for n, m in zip(shape[::-1], to[::-1]))


addmm = _add_product("addmm", mm, "``beta * input + alpha * (mat1 @ mat2)``.")
addmv = _add_product("addmv", mv, "``beta * input + alpha * (mat @ vec)``.")
addr = _add_product("addr", outer, "``beta * input + alpha * outer(vec1, vec2)``.")
baddbmm = _add_product("baddbmm", bmm, "``beta * input + alpha * (batch1 @ batch2)``, batched.")
addbmm = _add_product("addbmm", lambda a, b: sum(bmm(a, b), 0),
                      "``beta * input + alpha * (batch1 @ batch2)``, summed over the batch.")


def einsum(equation: str, *operands: Any) -> Any:
    """Products summed by labels: ``einsum("ij,jk->ik", x, y)`` is ``x @ y``."""
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = tuple(operands[0])
    return ops.einsum(equation, *_tensors(operands, "einsum"))


def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> Any:
    """Products summed over the last ``dims`` dimensions of ``a`` and the first of ``b``.

    Or over the pairs of dimensions that two lists name.
    """
    left, right = ((list(range(a.ndim - dims, a.ndim)), list(range(dims))) if isinstance(dims, int)
                   else ([d] if isinstance(d, int) else list(d) for d in dims))
    letters = iter(string.ascii_letters)
    one = [next(letters) for _ in range(a.ndim)]
    two = [next(letters) for _ in range(b.ndim)]
    for i, j in zip(left, right):
        if 1 in (a.shape[i], b.shape[j]):  # a size of 1 broadcasts: the other's sum remains
            a, b = sum(a, i, True), sum(b, j, True)
        if a.shape[i] != b.shape[j]:
            raise RuntimeError(f"contracted dimensions need to match, but first has size "
                               f"{a.shape[i]} in dim {i} and second has size {b.shape[j]} in dim "
                               f"{j}")
        two[j] = one[i]
    kept = [c for c in one if c not in two] + [c for c in two if c not in one]
    return into(out, einsum(f"{''.join(one)},{''.join(two)}->{''.join(kept)}", a, b))


def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """The product of several matrices."""
    y = matrices[0]
    for matrix in matrices[1:]:
        y = mm(y, matrix)
    return into(out, y)


@method
def kron(input: Any, other: Any, *, out: Any = None) -> Any:
    """The Kronecker product: ``other`` repeated, scaled by each element of ``input``."""
    n = max(input.ndim, other.ndim)
    a, b = [(1,) * (n - x.ndim) + tuple(x.shape) for x in (input, other)]
    pairs = [tuple(k for pair in zip(p, q) for k in pair) for p, q in (
        (a, (1,) * n), ((1,) * n, b))]
    product = ops.multiply(ops.reshape(input, pairs[0]), ops.reshape(other, pairs[1]))
    return into(out, ops.reshape(product, tuple(p * q for p, q in zip(a, b))))


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: Any = None) -> Any:
    """The p-norm distance of every row of ``x1`` to every row of ``x2``: (..., n, m)."""
    require_float("cdist", x1)
    require_float("cdist", x2)
    return norm(ops.subtract(ops.unsqueeze(x1, -2), ops.unsqueeze(x2, -3)), p, -1)


# -- diagonals -------------------------------------------------------------------------------

@method
def diag(input: Any, diagonal: int = 0, *, out: Any = None) -> Any:
    """The diagonal of a matrix (a copy), or the matrix with a vector on its diagonal."""
    if input.ndim == 1:
        return into(out, diag_embed(input, diagonal))
    if input.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return into(out, ops.clone(ops.diagonal(input, diagonal, 0, 1)))


@method
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices, in two new dimensions, with the last dimension on their diagonals."""
    if not input.ndim:
        raise IndexError("diag_embed needs at least one dimension")
    n = input.ndim + 1
    if not (-n <= dim1 < n and -n <= dim2 < n):
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but "
                         f"got {dim1} and {dim2})")
    first, second = dim1 % n, dim2 % n
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = input.shape[-1] + abs(offset)
    i = range(input.shape[-1])
    rows, columns = [k - min(offset, 0) for k in i], [k + max(offset, 0) for k in i]
    zeros = input.new_zeros(*input.shape[:-1], size, size)
    out = ops.index_put(zeros, (Ellipsis, rows, columns), input)
    others = iter(range(n - 1))
    order = [n - 1 if d == second else n - 2 if d == first else next(others) for d in range(n)]
    out = ops.permute(out, tuple(order)) if order != list(range(n)) else out
    return shown_as("DiagEmbedBackward0", out)


@method
def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix with all elements, flattened, on its diagonal."""
    return diag_embed(ops.reshape(input, (-1,)), offset)


@method
def trace(input: Any) -> Any:
    """The sum of a matrix's diagonal."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return shown_as("TraceBackward0", sum(diagonal(input)))


ger = outer
