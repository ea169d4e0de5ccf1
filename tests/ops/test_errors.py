"""What PyTorch refuses, we refuse, with the same type of exception; what it takes, we take.

A valid call is drawn, then one argument is spoilt. Some spoilt calls are still valid: then the
results must agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minitorch.testing.db.cases import is_array, is_float
from minitorch.testing.db.operators import calls
from tests.ops import laws
from tests.ops.test_laws import NAMES, OPERATORS

DIMS = ("dim", "dim0", "dim1", "dim2", "dims", "start_dim", "end_dim")


def another_shape(draw: Any, a: Any) -> Any:
    """One dimension longer, added, or lost."""
    shape = list(a.shape)
    change = draw(st.sampled_from(["longer", "added", "lost"]))
    if change == "added" or not shape:
        shape.insert(draw(st.integers(0, len(shape))), 5)
    elif change == "lost":
        del shape[draw(st.integers(0, len(shape) - 1))]
    else:
        shape[draw(st.integers(0, len(shape) - 1))] += 1
    out = np.resize(a, tuple(shape))
    if a.dtype.kind == "f":  # no ties
        out = np.asarray(out + 1e-3 * np.arange(out.size).reshape(shape))
    return out


def spoilt(draw: Any, name: str, value: Any) -> Any:
    """``value`` made (probably) wrong for the parameter ``name``."""
    if name in DIMS:
        wrong = draw(st.sampled_from([4, -5, 3, -4, 2, -3, 1, -2, 0, -1]))
        if name == "dims":
            return draw(st.sampled_from([(wrong,), (0, wrong), (0, 0), (0, -1), ()]))
        return wrong if not isinstance(value, tuple) else (*value, wrong)
    if name == "shape":
        return draw(st.sampled_from([(7,), (-1, -1), (*value, 2), (2, *value), (-2,)]))
    if name == "repeats":
        return value[1:]
    if name == "k":
        return draw(st.sampled_from([-1, 5]))
    if name == "reduction":
        return "average"
    if name == "approximate":
        return "nearly"
    if name == "equation":
        return draw(st.sampled_from([value + "k", "i" + value, value.replace("->", "->q"),
                                     value.replace(",", ""), value + ",i"]))
    if is_array(value) and value.dtype.kind == "i":  # indices, classes
        how = draw(st.sampled_from(["too large", "negative", "float", "shape"]))
        if how == "shape":
            return another_shape(draw, value)
        return (value.astype(float) if how == "float"
                else np.asarray(value + 9 if how == "too large" else value - 9))
    if is_array(value) and value.dtype == bool:
        return draw(st.sampled_from([value.astype(int), value.astype(float)]))
    if is_float(value):
        return another_shape(draw, value)
    return value


def check(op: Any, data: Any) -> None:
    case = data.draw(calls(op))
    i = data.draw(st.integers(0, len(case.args) - 1))
    before = case.args[i]
    value = spoilt(data.draw, op.parameters[op.slot(i)], before)
    assume(value is not before)
    if op.name == "view_put":
        assume(i > 0)  # the view is one of x
    case = case.with_arg(i, value)
    if op.name == "cat":  # PyTorch skips such tensors before it looks at anything else
        assume(not any(is_array(a) and a.shape == (0,) for a in case.args))
    if op.name == "batch_norm":  # PyTorch only counts the weights, and takes (1, C) too
        assume(not any(is_array(a) and a.ndim != 1 and a.size == before.size
                       for a in case.args[1:]))
    if op.name == "cross_entropy":  # of a single sample PyTorch's smoothing does not work
        assume(case.args[0].ndim > 1)
    laws.agrees_or_both_raise(case, public=True)


@pytest.mark.parametrize("op", OPERATORS, **NAMES)
@given(data=st.data())
def test_what_torch_refuses_is_refused(op: Any, data: Any) -> None:
    check(op, data)
