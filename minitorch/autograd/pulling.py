"""J^T v, J u and J, from one backward pass.

A backward pass is the pullback v -> J^T v. It is linear in v, so its own pullback is u -> J u, and
no operator needs a second rule: ``transposed`` records the pullback once, at v = 0, and each J u is
one more backward pass through that record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from minitorch import ops
from minitorch.autograd.gradients import grad
from minitorch.engine import Leaf, Tensor, wrap


def pulled(ys: Sequence[Any], xs: Sequence[Any], vs: Sequence[Any] | None = None,
           create_graph: bool = False, retain_graph: bool | None = None) -> list[Any]:
    """J^T v for each of ``xs``; None for one that no ``y`` depends on."""
    vs = [None] * len(ys) if vs is None else vs
    pairs = [(y, v) for y, v in zip(ys, vs) if y is not None and y.requires_grad]
    wanted = [x for x in xs if x.requires_grad]
    if not pairs or not wanted:
        return [None] * len(xs)
    found = iter(grad([y for y, _ in pairs], wanted, [v for _, v in pairs], allow_unused=True,
                      create_graph=create_graph, retain_graph=retain_graph))
    return [next(found) if x.requires_grad else None for x in xs]


class StandIn(Leaf):
    """The leaf of a tensor that stands for an input while a function is transformed.

    ``open`` until the transform has called the function; then nobody can ask for its gradient.
    """

    __slots__ = ("open",)

    def __init__(self, tensor: Tensor, open: bool) -> None:
        super().__init__(tensor)
        self.open = open

    def accumulate(self, g: Any, record: bool) -> None:
        if self.open:
            raise RuntimeError("backward() called inside a functorch transform. This is not "
                               "supported, please use functorch.grad or functorch.vjp instead or "
                               "call backward() outside of functorch transforms.")


def stand_in(array: Any, open: bool) -> Any:
    x = wrap(array)
    if array.dtype.kind == "f":
        x.node = StandIn(x, open)
    return x


def transposed(ys: Sequence[Any], xs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Cotangents v = 0 and J^T v, recorded: ``pulled(gs, vs, us)`` is then J u."""
    vs = [stand_in(ops.zeros_like(y).array, open=False) for y in ys]
    return vs, pulled(ys, xs, vs, create_graph=True)


def by_rows(ys: Sequence[Any], xs: Sequence[Any], create_graph: bool,
            strict: bool = False) -> list[list[Any]]:
    """Jacobians [of y][by x], one backward pass per entry of each y."""
    out = []
    for i, y in enumerate(ys):
        rows: list[list[Any]] = [[] for _ in xs]
        for v in _units(y):
            for k, g in enumerate(pulled([y], xs, [v], create_graph, retain_graph=True)):
                if strict and g is None:
                    raise RuntimeError(f"Output {i} of the user-provided function is independent "
                                       f"of input {k}. This is not allowed in strict mode.")
                if strict and create_graph and not g.requires_grad:
                    raise RuntimeError(
                        f"The jacobian of the user-provided function is independent of input {i}. "
                        f"This is not allowed in strict mode when create_graph=True.")
                rows[k].append(ops.zeros_like(xs[k]) if g is None else g)
        out.append([_stacked(0, row, x, (*y.shape, *x.shape)) for row, x in zip(rows, xs)])
    return out


def by_columns(ys: Sequence[Any], xs: Sequence[Any], create_graph: bool) -> list[list[Any]]:
    """Jacobians [of y][by x], one backward pass through the recorded one per entry of each x."""
    vs, gs = transposed(ys, xs)
    out: list[list[Any]] = [[] for _ in ys]
    for x, g in zip(xs, gs):
        columns: list[list[Any]] = [[] for _ in ys]
        for u in _units(x):
            for k, du in enumerate(pulled([g], vs, [u], create_graph, retain_graph=True)):
                columns[k].append(ops.zeros_like(ys[k]) if du is None else du)
        for row, column, y in zip(out, columns, ys):
            row.append(_stacked(-1, column, y, (*y.shape, *x.shape)))
    return out


def _units(x: Any) -> Iterator[Any]:
    for i in range(x.numel()):
        out = ops.zeros_like(x)
        out.array.flat[i] = 1
        yield out


def _stacked(dim: int, parts: list[Any], like: Any, shape: tuple[int, ...]) -> Any:
    return ops.reshape(ops.stack(dim, *parts), shape) if parts else ops.new_zeros(like, shape)
