"""``jacrev``, ``jacfwd``, ``hessian``: whole Jacobians of functions of tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minitorch.autograd.pulling import by_columns, by_rows
from minitorch.func.transforms import (
    JVP,
    check_floating,
    checked_outputs,
    cut,
    outside,
    traced,
)
from minitorch.func.trees import filled, leaves
from minitorch.modes import enable_grad, modes


def jacrev(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, has_aux: bool = False,
           chunk_size: int | None = None) -> Callable[..., Any]:
    """A function that returns d output / d input, of shape (*output.shape, *input.shape).

    Row by row: one backward pass per entry of the output. The result is like the output, with a
    structure like the chosen argument (a tuple of them for a tuple ``argnums``) at each tensor.
    ``has_aux`` as in ``grad``; ``chunk_size`` changes nothing.

    >>> import minitorch as torch
    >>> torch.func.jacrev(lambda x: x * x.sum())(torch.tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")
    return _jacobian(func, argnums, has_aux, "vjp(f, *primals)", by_rows)


def jacfwd(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *,
           randomness: str = "error") -> Callable[..., Any]:
    """Like ``jacrev``, column by column: one J u per entry of the input.

    The cheaper one where the output has far more entries than the input. ``randomness`` changes
    nothing: ``func`` is called once.

    >>> import minitorch as torch
    >>> torch.func.jacfwd(lambda x: x * x.sum())(torch.tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """
    return _jacobian(func, argnums, has_aux, JVP, by_columns)


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that returns the second derivatives of ``func``: ``jacrev`` of ``jacrev``.

    >>> import minitorch as torch
    >>> torch.func.hessian(lambda x: (x ** 3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


def _jacobian(func: Callable[..., Any], argnums: int | tuple[int, ...], has_aux: bool, name: str,
              assemble: Callable[..., list[list[Any]]]) -> Callable[..., Any]:
    @functools.wraps(func, updated=())
    def jacobian(*args: Any) -> Any:
        chosen, out, aux = traced(func, args, {}, argnums, has_aux, name)
        ys: Sequence[Any] = checked_outputs(out, name)
        if assemble is by_rows:
            check_floating(ys)
        record = modes.grad and any(outside(y) for y in ys)
        with enable_grad():
            rows = assemble(ys, leaves(chosen), record)
        rows = [[cut(block) for block in row] for row in rows]
        result = filled(out, [filled(chosen, row) for row in rows])
        return (result, aux) if has_aux else result
    return jacobian
