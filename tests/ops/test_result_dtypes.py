"""Result dtypes: PyTorch's promotion, and nothing that turns float32 into float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitorch.testing.db.cases import Case, is_float
from minitorch.testing.db.operators import calls
from tests.ops import laws
from tests.ops.test_laws import NAMES, OPERATORS

DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool"]
UNTRIED = {
    "einsum": ["int32", "uint8", "bool"],  # PyTorch's result depends on the way it takes
    "atan2": ["uint8"],  # PyTorch's gradient is wrong: it negates x, and -2 is 254 in uint8
    "l1_loss": ["int64", "int32", "uint8"],  # we refuse integers in every loss
    "subtract": ["bool"],  # refused by minitorch.sub, which sees the operands before promotion
}


def converted(a: Any, dtype: str) -> Any:
    """Small numbers that every dtype holds exactly."""
    if dtype == "bool":
        return np.asarray(a > 0)
    return np.asarray(np.abs(a) if dtype == "uint8" else a).astype(dtype)


def check(op: Any, data: Any) -> None:
    case = data.draw(calls(op, "ties"))
    dtypes = st.sampled_from([d for d in DTYPES if d not in UNTRIED.get(op.name, ())])
    mixing = op.promote in ("same", "float")  # operands that may each have their own dtype
    one = data.draw(dtypes)
    args = []
    for a in case.args:
        if is_float(a):
            a = converted(a, data.draw(dtypes) if mixing else one)
        elif isinstance(a, float) and mixing:
            a = data.draw(st.sampled_from([a, int(a), a > 0][:2 if op.name in UNTRIED else 3]))
        args.append(a)
    laws.agrees_or_both_raise(Case(op, tuple(args), case.seed))


@pytest.mark.parametrize("op", OPERATORS, **NAMES)
@given(data=st.data())
def test_dtype_agrees_with_torch(op: Any, data: Any) -> None:
    check(op, data)
