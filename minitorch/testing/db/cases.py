"""One call of an operator, and the sources a drawn call takes its values from.

Hypothesis draws shapes, options and a seed; NumPy makes the numbers from the seed, so that an array
of any size costs one draw. What values look like:

- ``smooth``: inside the operator's domain, all distinct, away from kinks: where a derivative can
  be measured.
- ``ties``: a few small numbers with 0 among them, so that ties and kinks are frequent.
- ``edges``: also infinities, nan and numbers whose exponential overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from minitorch.primitive import Primitive
from minitorch.testing.db.functions import call, convert
from minitorch.testing.drawing import st

TIES = {"": [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], "positive": [0.0, 0.5, 1.0, 2.0],
        "probability": [0.0, 0.5, 1.0]}
EDGES = {"": [-np.inf, -100.0, -1.0, 0.0, 1.0, 100.0, np.inf, np.nan],
         "probability": [0.0, 1e-30, 1.0]}

SMOOTH: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # from evenly spread u in (0, 1)
    "": lambda u: 4 * u - 2.03,
    "positive": lambda u: 0.2 + 2.8 * u,
    "nonzero": lambda u: np.where(u < 0.5, 4 * u - 2.2, 4 * u - 1.8),
    "unit": lambda u: 1.9 * u - 0.95,
    "above one": lambda u: 1.1 + 3 * u,
    "probability": lambda u: 0.05 + 0.9 * u,
    "fraction": lambda u: np.floor(6 * u - 3) + 0.1 + 0.8 * (6 * u % 1),
    "integer": lambda u: np.floor(9 * u).astype(np.int64) - 4,
}


def is_array(a: Any) -> bool:
    return isinstance(a, np.ndarray)


def is_float(a: Any) -> bool:
    return is_array(a) and a.dtype.kind == "f"


@dataclass(frozen=True, eq=False)
class Case:
    """One call of an operator, which any library with PyTorch's names can run.

    ``args``: the arguments by position (those of a variadic parameter spread out): NumPy arrays,
    numbers, tuples of ints, keys, ... A minitorch primitive takes them as they are.

    >>> from hypothesis import find
    >>> import minitorch
    >>> from minitorch.testing import check_grad, op_db
    >>> case = find(op_db["sum"].calls(), lambda case: case.args[0].shape == (2, 3))
    >>> case.op.parameters, case.args[1:], case.differentiable
    (('x', 'dim', 'keepdim'), (None, False), (0,))
    >>> out, (x,) = case.run(minitorch, needing=(0,))
    >>> x.shape, out.shape
    (torch.Size([2, 3]), torch.Size([]))
    >>> check_grad(case.function(minitorch), *case.inputs(minitorch)).verdict
    'pass'
    """

    op: Primitive
    args: tuple[Any, ...]
    seed: int  # of the numbers a law needs besides: cotangents, directions

    @property
    def differentiable(self) -> tuple[int, ...]:
        """Positions of the arguments that have a rule and are float arrays."""
        return tuple([i for i, a in enumerate(self.args)
                      if self.op.slot(i) in self.op.rules and is_float(a)])

    @property
    def named(self) -> dict[str, Any]:
        """Arguments by parameter; those of a variadic one as a tuple."""
        return by_name(self.op, self.args)

    def run(self, lib: Any, needing: tuple[int, ...] = ()) -> tuple[Any, list[Any]]:
        """``lib``'s result (without by-products), and its leaves at the positions ``needing``."""
        args = [convert(lib, a) for a in self.args]
        for i in needing:
            args[i].requires_grad_()
        return call(lib, self.op, by_name(self.op, args)), [args[i] for i in needing]

    def inputs(self, lib: Any) -> list[Any]:
        """The differentiable arguments as ``lib``'s tensors, copied, that require gradients."""
        return [convert(lib, self.args[i]).requires_grad_() for i in self.differentiable]

    def function(self, lib: Any) -> Callable[..., Any]:
        """What ``lib`` computes of the differentiable arguments, all others being as drawn."""
        def f(*inputs: Any) -> Any:
            args = [convert(lib, a) for a in self.args]
            for i, x in zip(self.differentiable, inputs, strict=True):
                args[i] = x
            return call(lib, self.op, by_name(self.op, args))
        return f

    @property
    def is_cut(self) -> bool:
        """Whether the gradient is not the derivative by design: a padding row of an embedding, or
        rows scaled by how often they were picked."""
        return self.named.get("padding_idx") is not None or self.named.get(
            "scale_grad_by_freq", False)

    def map(self, change: Callable[[np.ndarray], Any]) -> Case:
        """The same call with ``change`` applied to every array argument."""
        return replace(self, args=tuple([change(a) if is_array(a) else a for a in self.args]))

    def astype(self, dtype: Any) -> Case:
        """The same call with every float array converted."""
        return self.map(lambda a: a.astype(dtype) if is_float(a) else a)

    def with_arg(self, i: int, value: Any) -> Case:
        """The same call with another argument at position ``i``."""
        return replace(self, args=(*self.args[:i], value, *self.args[i + 1:]))

    def random(self, shape: tuple[int, ...], salt: int = 0) -> np.ndarray:
        """Numbers in (-1, 1), none near 0: cotangents and directions."""
        rng = np.random.default_rng((self.seed, salt))
        return np.asarray(rng.uniform(0.3, 1.0, shape) * rng.choice([-1.0, 1.0], shape))

    def __repr__(self) -> str:
        return f"{self.op.name}{self.args!r} (seed {self.seed})"


def by_name(op: Primitive, args: Sequence[Any]) -> dict[str, Any]:
    """Arguments by parameter; those of a variadic one as a tuple."""
    if op.variadic:
        args = (*args[:op.arity - 1], tuple(args[op.arity - 1:]))
    return dict(zip(op.parameters, args))


class Call:
    """A call while it is being drawn: what is known so far, and sources of choice."""

    def __init__(self, draw: Any, op: Primitive, kind: str, least: int) -> None:
        self.draw, self.op, self.kind = draw, op, kind
        self.least = least  # the smallest size of a dimension
        self.values: dict[str, Any] = {}  # drawn so far, by parameter
        self.shapes: dict[str, tuple[int, ...]] = {}  # laid down by the operator's law
        self.seed = draw(st.integers(0, 2**32 - 1))
        self.rng = np.random.default_rng(self.seed)
        # One pool for all arrays of a call: maximum(x, y) must not tie where it is measured.
        self.pool = self.rng.permutation(np.arange(512) + self.rng.uniform(0.2, 0.8, 512)) / 512

    def choose(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def shape(self, least: int = 0, most: int = 3, side: int = 4) -> tuple[int, ...]:
        return tuple([self.integer(self.least, side) for _ in range(self.integer(least, most))])

    def broadcastable(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to ``shape`` without enlarging it."""
        return tuple([self.choose(n, 1) for n in shape[self.integer(0, len(shape)):]])

    def array(self, shape: tuple[int, ...], domain: str = "", kind: str | None = None) -> Any:
        """Float64 values of the drawn kind (integers for the domain "integer")."""
        kind = kind or self.kind
        if kind != "smooth" and domain != "integer":
            table = TIES if kind == "ties" else EDGES
            return np.asarray(self.rng.choice(table.get(domain, table[""]), shape))
        size = int(np.prod(shape))
        u, self.pool = self.pool[:size], np.roll(self.pool, -size)
        return SMOOTH[domain](np.resize(u, size)).reshape(shape)

    def operand(self, name: str, shape: tuple[int, ...]) -> Any:
        """An array argument with values from the operator's domain."""
        return self.array(shape, self.op.domain.get(name, ""))

    def need(self, name: str) -> Any:
        """The value of a parameter, drawn now if it was not before."""
        if name not in self.values:
            special = f"{self.op.name}.{name}"
            if special in PARAMETERS:
                value = PARAMETERS[special](self)
            elif name in self.shapes:
                value = self.operand(name, self.shapes[name])
            elif name in PARAMETERS:
                value = PARAMETERS[name](self)
            else:
                raise LookupError(f"there is no strategy for the parameter '{name}' of the "
                                  f"operator '{self.op.name}': file one with "
                                  f"@minitorch.testing.db.parameter('{name}')")
            self.values.setdefault(name, value)
        return self.values[name]

    @property
    def x(self) -> Any:
        """The array that options refer to."""
        return self.need(next(n for n in ("x", "g", "weight") if n in self.op.parameters))

    @property
    def axes(self) -> int:
        return max(self.x.ndim, 1)  # PyTorch takes dim 0 and -1 of a 0-d tensor

    def axis(self) -> int:
        return self.integer(-self.axes, self.axes - 1)


PARAMETERS: dict[str, Callable[[Call], Any]] = {}


def parameter(*names: str) -> Callable[[Any], Any]:
    """File a strategy under parameter names, or under "operator.parameter".

    It takes the ``Call`` being drawn and returns the argument. Raises ValueError if there is one
    already under the name.

    >>> from hypothesis import find
    >>> from minitorch.primitive import Primitive
    >>> from minitorch.testing.db import Operator, parameter
    >>> @parameter("scale_by.factor")
    ... def factor(call):
    ...     return call.choose(2.0, 0.5)
    >>> def scale_by(xp, x, factor):
    ...     return x * factor
    >>> op = Primitive(scale_by, {"x": lambda xp, g, factor: g * factor})
    >>> find(Operator(op).calls(), lambda case: case.args[0].size == 2).args[1]
    2.0
    """
    def file(strategy: Callable[[Call], Any]) -> Callable[[Call], Any]:
        for name in names:
            if name in PARAMETERS:
                raise ValueError(f"there is a strategy for '{name}' already: file this one under "
                                 f"operator.parameter")
            PARAMETERS[name] = strategy
        return strategy
    return file


def choices(**values: list[Any]) -> None:
    """Parameters that are simply one of several values; ``operator__name`` means one operator's."""
    for name, some in values.items():
        PARAMETERS[name.replace("__", ".")] = partial(_one_of, some)


def _one_of(values: list[Any], call: Call) -> Any:
    return call.choose(*values)
