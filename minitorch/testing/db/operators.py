"""``op_db``: every operator, with calls drawn from what its registration says.

Shapes come from the operator's law (gufunc notation), values from its domain, every other
argument from the strategy filed under the parameter's name in ``parameters``, ``dimensions`` or
``indices``. A new operator whose parameters have known names needs no code here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from minitorch import ops
from minitorch.primitive import Primitive
from minitorch.testing.db import (  # noqa: F401  (they file their strategies)
    dimensions,
    functions,
    indices,
    parameters,
)
from minitorch.testing.db.cases import Call, Case
from minitorch.testing.db.database import Database, Entry
from minitorch.testing.drawing import hnp, st


@cache  # to make a strategy takes longer than to draw from it
def shapes(law: str, least: int) -> Any:
    """Shapes that obey a law in gufunc notation."""
    return hnp.mutually_broadcastable_shapes(signature=law, max_dims=3, min_side=least, max_side=4)


@cache
@st.composite
def calls(draw: Any, op: Primitive, kind: str = "smooth", least: int = 1) -> Case:
    """Any valid call of ``op``; ``least`` is the smallest size of a dimension.

    ``kind``: what values look like, see ``Operator.calls``.
    """
    call = Call(draw, op, kind, least)
    if op.law:
        drawn = draw(shapes(op.law, least))
        call.shapes = dict(zip(op.parameters, drawn.input_shapes))
    args = [call.need(name) for name in op.parameters]
    if op.variadic:
        args[-1:] = args[-1]
    elif len(op.operands) == 2 and op.promote and "reduction" not in op.parameters \
            and call.integer(0, 5) == 5:
        i = call.choose(*op.operands)  # a Python number beside a tensor
        args[i] = call.operand(op.parameters[i], ()).item()
    return Case(op, tuple(args), call.seed)


@dataclass(frozen=True)
class Operator(Entry):
    """What is known of one operator; ``Operator(op)`` is also an entry for a primitive of one's
    own.

    >>> from minitorch.testing import op_db
    >>> matmul = op_db["matmul"]
    >>> matmul.law, matmul.differentiable
    ('(n?,k),(k,m?)->(n?,m?)', ('x', 'y'))
    >>> op_db["log"].domain
    {'x': 'positive'}
    """

    op: Primitive

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.op.name

    @property
    def differentiable(self) -> tuple[str, ...]:
        """The parameters that a gradient flows to."""
        return tuple([self.op.parameters[i] for i in sorted(self.op.rules)])

    @property
    def domain(self) -> dict[str, str]:
        """Where smooth values lie, by parameter ("positive", "nonzero", ...): else around 0."""
        return self.op.domain

    @property
    def law(self) -> str | None:
        """The shapes of inputs and output in gufunc notation, if they obey such a law."""
        return self.op.law

    def torch_name(self, lib: Any) -> str:
        """What the operator is called in ``lib``: one of ``nn.functional``'s functions, of the
        package's, or of Tensor's methods. Raises LookupError if it is none of them.

        >>> import minitorch
        >>> from minitorch.testing import op_db
        >>> [op_db[name].torch_name(minitorch) for name in ("softmax", "subtract", "index_put")]
        ['nn.functional.softmax', 'subtract', 'Tensor.__setitem__']
        """
        return functions.public_name(lib, self.op)

    def function(self, lib: Any) -> Callable[..., Any]:
        """``lib``'s function for the operator, which takes all arguments by minitorch's names.

        >>> import minitorch as torch
        >>> from minitorch.testing import op_db
        >>> softmax = op_db["softmax"].function(torch)
        >>> softmax(x=torch.tensor([0.0, 0.0]), dim=0)
        tensor([0.5000, 0.5000])
        """
        return lambda **named: functions.call(lib, self.op, named)

    def calls(self, kind: str = "smooth", least: int = 1) -> st.SearchStrategy[Case]:
        """A strategy for valid calls; ``least`` is the smallest size of a dimension (0: empty too).

        Float values (float64) of the ``kind``

        - "smooth" lie inside the operator's domain, all distinct and away from kinks: where a
          derivative can be measured;
        - "ties" are a few small numbers with 0 among them, so that ties and kinks are frequent;
        - "edges" are also infinities, nan, and numbers whose exponential overflows.

        Hypothesis draws shapes, options and a seed, NumPy the numbers: shrinking makes a call
        simpler and its arrays smaller, not the numbers in them.

        >>> from hypothesis import find
        >>> from minitorch.testing import op_db
        >>> find(op_db["maximum"].calls("ties"), lambda case: (case.args[0] == case.args[1]).all())
        maximum(array(...), array(...)) (seed ...)
        """
        return calls(self.op, kind, least)


# Those of sparse tensors take no arrays.
op_db = Database(Operator(op) for op in ops.registry.values() if op.__module__.startswith(
    "minitorch.") and op.__module__ != "minitorch.ops.sparse")
