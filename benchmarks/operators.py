"""Each operator of the registry at one realistic size, forward alone and with its backward pass.

Arguments are what ``minitorch.testing.op_db`` would draw, without chance: 100 x 512 float32 where
an operator takes any shape, the first choice of every option. The function called is the public
one, with its arguments as a program writes them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.table import SEED, Table, Unfit, Work

try:
    from minitorch.testing import op_db
    from minitorch.testing.db import functions
    from minitorch.testing.db.cases import Call, Case, convert
except ImportError:  # without Hypothesis
    op_db, Call, Case = [], object, object  # type: ignore[assignment, misc]

Array = Any
SHAPE = (100, 512)


def normal(*shape: int) -> Array:
    return np.random.default_rng(SEED).normal(size=shape)


def integers(high: int, *shape: int) -> Array:
    return np.random.default_rng(SEED).integers(0, high, shape)


def given() -> dict[str, dict[str, Any]]:
    """Arguments that follow from no rule, by operator and parameter."""
    classes = {"x": normal(100, 10), "target": integers(10, 100), "weight": None}
    channels = {"x": normal(*SHAPE), "weight": normal(512), "bias": normal(512)}
    image = slice(10, 60)
    return {
        "matmul": {"x": normal(100, 784), "y": normal(784, 256)},
        "linear": {"x": normal(100, 784), "weight": normal(256, 784), "bias": normal(256)},
        "einsum": {"equation": "ij,jk->ik", "xs": (normal(100, 784), normal(784, 256))},
        "softmax": {"x": normal(*SHAPE)}, "log_softmax": {"x": normal(*SHAPE)},
        "prod": {"x": 1 + normal(*SHAPE) / 100}, "squeeze": {"x": normal(100, 1, 512)},
        "reshape": {"shape": (512, 100)}, "permute": {"dims": (1, 0)},
        "flip": {"dims": (0, 1)}, "repeat": {"repeats": (2, 1)},
        "broadcast_to": {"x": normal(512), "shape": SHAPE},
        "diagonal": {"dim1": 0, "dim2": 1}, "swapaxes": {"dim0": 0, "dim1": 1},
        "index": {"key": (integers(100, 64),)}, "index_put": {"key": image, "value": 1.5},
        "index_add": {"shape": SHAPE, "key": (integers(100, 64),), "g": normal(64, 512)},
        "view_put": {}, "overwrite": {"value": normal(*SHAPE)},
        "gather": {"index": integers(512, 100, 64)},
        "scatter_add": {"index": integers(512, 100, 64), "source": normal(100, 64)},
        "scatter": {"index": np.argsort(normal(*SHAPE), 1)[:, :64], "source": normal(100, 64)},
        "masked_fill": {"value": 0.5}, "topk": {"k": 10},
        "clamp": {"min": -1.0, "max": 1.0},
        "embedding": {"weight": normal(1000, 64), "index": integers(1000, 100, 20)},
        "cat": {"dim": 1, "xs": (normal(100, 256),) * 2},
        "stack": {"dim": 0, "xs": (normal(*SHAPE),) * 2},
        "nll_loss": classes, "cross_entropy": classes,
        "batch_norm": {**channels, "running_mean": normal(512), "running_var": normal(512) ** 2},
        "layer_norm": {**channels, "dims": 1},
        "binary_cross_entropy": {"weight": None},
        "bce_with_logits": {"weight": None, "pos_weight": None},
    }


class Settled(Call):
    """A call whose every choice is settled: the first option, the last dimension, one shape."""

    def __init__(self, op: Any) -> None:
        self.op, self.kind, self.least, self.seed = op, "smooth", 1, SEED
        self.rng = np.random.default_rng(SEED)
        size = int(np.prod(SHAPE)) * 2
        self.pool = self.rng.permutation(np.arange(size) + 0.5) / size
        self.values = {"dim": 1, **given().get(op.name, {})}
        inputs = (op.law or "").partition("->")[0].count("()")  # those of any shape
        self.shapes = dict.fromkeys(op.parameters[:inputs], SHAPE)

    def choose(self, *values: Any) -> Any:
        return values[0]

    def integer(self, low: int, high: int) -> int:
        return high

    def shape(self, least: int = 0, most: int = 3, side: int = 4) -> tuple[int, ...]:
        return SHAPE

    def broadcastable(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def case(self) -> Any:
        args = [self.need(name) for name in self.op.parameters]
        if self.op.variadic:
            args[-1:] = args[-1]
        return Case(self.op, tuple(args), SEED).astype(np.float32)


def spelled(lib: Any, op: Any, args: list[Any]) -> Callable[[], Any]:
    """The call as a program writes it, with nothing of ours around it."""
    named = dict(zip(op.parameters, args))
    if op.variadic:
        named[op.parameters[-1]] = tuple(args[op.arity - 1:])
    if op.name in functions.ADAPTERS:  # a line or two, the same for both
        return functools.partial(functions.ADAPTERS[op.name][1], lib, **named)
    function = functions.found(lib, functions.public_name(lib, op))
    args, named = functions.spelled(lib, lambda *a, **k: (a, k), op, named)
    return functools.partial(function, *args, **named)


def fingerprint(x: Any) -> float:
    """A number that depends on every element, and is far from 0 whatever they are."""
    x = np.asarray(x.detach().cpu().numpy(), np.float64)
    return float(np.sqrt(np.mean((x - np.random.default_rng(SEED).normal(size=x.shape)) ** 2)))


def forward(op: Any) -> Callable[[Any], Work]:
    def work(engine: Any) -> Work:
        call = spelled(engine.lib, op, [convert(engine.lib, a) for a in Settled(op).case().args])
        return Work(call, lambda: [fingerprint(only(call()))])
    return work


def with_backward(op: Any) -> Callable[[Any], Work]:
    def work(engine: Any) -> Work:
        lib, case = engine.lib, Settled(op).case()
        args = [convert(lib, a) for a in case.args]
        leaves = [args[i].requires_grad_(True) for i in case.differentiable]
        call = spelled(lib, op, args)
        out = only(call())
        if not out.requires_grad:
            raise Unfit("no gradient flows through it")
        g = lib.from_numpy(case.random(tuple(out.shape)).astype(np.float32))

        def run() -> None:
            for x in leaves:
                x.grad = None
            only(call()).backward(g)

        def check() -> list[float]:
            run()
            return [fingerprint(x.grad) for x in leaves if x.grad is not None]
        return Work(run, check)
    return work


def only(out: Any) -> Any:
    return out[0] if isinstance(out, tuple) else out


def rows() -> dict[str, Callable[[Any], Work]]:
    found = {}
    for entry in op_db:
        found[entry.name] = forward(entry.op)
        if entry.differentiable:
            found[f"{entry.name} + backward"] = with_backward(entry.op)
    return found


TABLE = Table("Operators, 100 x 512 where any shape will do", rows(),
              engines=("minitorch", "torch"), unit="us", seconds=0.03, rounds=3, setup=0.05, warm=5)
