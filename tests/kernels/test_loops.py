"""A program spelled as a loop over elements computes what it computes as array calls.

The loop's text is Python too, slow and exact: no compiler is needed for this law.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minitorch.kernels import loops
from minitorch.spelling import InPlace, numbers
from minitorch.symbols import read
from tests.formulas import LINES, OPTIONS, STATE, definition, momentum


def interpreted(program: Any, arrays: list[Any], options: dict[str, Any]) -> None:
    """Run the two texts of a program as they stand."""
    scope: dict[str, Any] = {"np": np, "math": math}
    exec(f"{numbers(program)[0]}\n{loops.source(program)}", scope)
    scope["loop"](np.array(scope["numbers"](options), arrays[0].dtype), *arrays)


@given(lines=LINES, becomes=st.lists(st.integers(0, 30), min_size=3, max_size=3),
       n=st.sampled_from([0, 1, 7]), seed=st.integers(0, 99),
       dtype=st.sampled_from([np.float64, np.float32]))
def test_a_loop_equals_the_array_calls(lines: Any, becomes: Any, n: int, seed: int,
                                       dtype: Any) -> None:
    program = read(definition(lines, becomes), STATE, {"lr": 0.25})
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=n).astype(dtype) for _ in range(4)]
    arrays[1].flags.writeable = False
    expected = [a.copy() for a in arrays]
    with np.errstate(all="ignore"):
        InPlace(program, np)(expected, {"lr": 0.25})
        interpreted(program, arrays, {"lr": 0.25})
    for mine, want in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(mine, want)


def test_the_text_is_what_one_would_write_by_hand() -> None:
    assert loops.source(read(momentum, STATE, OPTIONS)) == """\
def loop(c, x, g, s, t):
    b = c[0]
    n_0 = c[1]
    n_1 = c[2]
    eps = c[3]
    lr = c[4]
    for i in range(x.size):
        x_ = x[i]
        g_ = g[i]
        s_ = s[i]
        t_ = t[i]
        a_0 = b * s_
        a_1 = n_0 * g_
        a_2 = a_0 + a_1
        a_3 = b * t_
        a_4 = g_ * g_
        a_5 = n_1 * a_4
        a_6 = a_3 + a_5
        a_7 = np.sqrt(a_6)
        a_8 = a_7 + eps
        a_9 = a_2 / a_8
        a_10 = lr * a_9
        a_11 = x_ - a_10
        x[i] = a_11
        s[i] = a_2
        t[i] = a_6"""
