"""Calls of the operators that work on single elements, with arrays of one shape."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import minitorch
from minitorch.engine import wrap
from minitorch.kernels.cuda.cells import Generated, Kernel, kind_of
from minitorch.primitive import Primitive, registry
from minitorch.testing.db.cases import EDGES, SMOOTH

OPERATORS = [op for op in dict.fromkeys(registry.values()) if op.law in ("()->()", "(),()->()")]
OTHERS: dict[str, dict[str, Any]] = {"gelu": {"approximate": "tanh"}, "pow": {"y": 2}}


class Cell(NamedTuple):
    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]

    def kernel(self) -> Kernel | None:
        kind = kind_of(self.args)
        return Generated(self.name, self.function).kernel(kind[0], self.args) if kind else None


def frozen(a: np.ndarray) -> np.ndarray:
    a.flags.writeable = False
    return a


def cells(op: Primitive, rng: np.random.Generator, shape: tuple[int, ...], dtype: Any,
          edges: bool = False, **chosen: Any) -> Iterator[Cell]:
    """The forward of a call and the rules that it recorded, each with its arguments."""
    args: list[Any] = []
    for name, default in zip(op.parameters, op.defaults):
        domain = op.domain.get(name, "")
        if name in chosen:
            args.append(chosen[name])
        elif name in ("x", "y"):
            values = SMOOTH[domain](rng.random(shape))
            if edges:
                found = EDGES.get(domain, EDGES[""])
                values = np.where(rng.random(shape) < 0.5, rng.choice(found, shape), values)
            args.append(frozen(np.asarray(values).astype(dtype)))
        elif name == "condition":
            args.append(frozen(rng.random(shape) < 0.5))
        elif default is inspect.Parameter.empty:
            return
        else:
            args.append(rng.uniform(0.5, 2) if type(default) is float else default)
    try:
        y = op(*[wrap(a).requires_grad_(a.dtype != bool) if isinstance(a, np.ndarray) else a
                 for a in args])
    except (TypeError, RuntimeError):  # it does not take floats, or not such
        return
    if type(y) is not minitorch.Tensor:
        return
    yield Cell(f"{op.name}_forward", op.forward, tuple(args))
    if y.node is not None:
        g = frozen(np.asarray(rng.normal(size=shape)).astype(dtype))
        for part, (rule, picks) in zip(y.node.plan.parts, y.node.plan.rules):
            yield Cell(f"{op.name}_{part}", rule, (g, *[y.node.saved[i] for i in picks]))


def every(dtype: Any) -> Iterator[tuple[Cell, Kernel]]:
    """All cells that can be spelled, with their kernels."""
    rng = np.random.default_rng(0)
    for op in OPERATORS:
        for chosen in ({}, OTHERS.get(op.name, {})):
            for cell in cells(op, rng, (3, 4), dtype, **chosen):
                kernel = cell.kernel()
                if kernel is not None:
                    yield cell, kernel
