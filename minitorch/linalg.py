"""``minitorch.linalg``: norms under the names of PyTorch's linear-algebra module."""

from __future__ import annotations

from typing import Any

from minitorch import functions
from minitorch.functions import into
from minitorch.tensor import Tensor


def vector_norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *,
                dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """``(sum |x|**ord) ** (1/ord)`` over ``dim`` (all, one or several); ``ord`` may be 0 or ±inf.

    >>> import minitorch as torch
    >>> torch.linalg.vector_norm(torch.tensor([[3.0, 4.0]]))
    tensor(5.)
    """
    return into(out, functions.norm(x, ord, dim, keepdim, dtype))


def matrix_norm(A: Tensor, ord: Any = "fro", dim: tuple[int, int] = (-2, -1),
                keepdim: bool = False, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """The norm of matrices in two dimensions: "fro", ±1 (column sums) or ±inf (row sums).

    Norms by singular values (2, -2, "nuc") raise NotImplementedError.
    """
    rows, columns = (d % A.ndim for d in dim)
    if ord == "fro":
        return into(out, functions.norm(A, 2.0, (rows, columns), keepdim, dtype))
    if ord not in (1, -1, float("inf"), -float("inf")):
        raise NotImplementedError(f"matrix_norm: ord={ord!r} is not supported, only 'fro', 1, -1, "
                                  f"inf and -inf")
    summed, kept = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = functions.norm(A, 1.0, summed, True, dtype)
    norms = sums.amax(kept, True) if ord > 0 else sums.amin(kept, True)
    return into(out, norms if keepdim else norms.squeeze((rows, columns)))


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *,
         out: Tensor | None = None, dtype: Any = None) -> Tensor:
    """``vector_norm``, or ``matrix_norm`` where ``ord`` is given for a matrix or two dimensions."""
    pair = isinstance(dim, (tuple, list)) and len(dim) == 2
    if ord is not None and (pair or (dim is None and A.ndim == 2) or isinstance(ord, str)):
        return matrix_norm(A, ord, tuple(dim) if pair else (-2, -1), keepdim, dtype=dtype, out=out)
    if ord is not None and dim is None and A.ndim > 2:
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D "
                           f"or 2D. Got {A.ndim}D.")
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype, out=out)
