"""Formulas to spell: drawn ones, and one as an optimizer has it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

STATE = ("s", "t")
XP = SimpleNamespace(sqrt=np.sqrt, abs=np.abs, sign=np.sign, maximum=np.maximum,
                     minimum=np.minimum, where=np.where)

# An expression is drawn as a small program of its own: each line combines earlier values.
BINARY = {"+": lambda xp, a, b: a + b, "-": lambda xp, a, b: a - b, "*": lambda xp, a, b: a * b,
          "max": lambda xp, a, b: xp.maximum(a, b), "min": lambda xp, a, b: xp.minimum(a, b),
          "/": lambda xp, a, b: a / (b * b + 1.0),
          "where": lambda xp, a, b: xp.where(a > b, b, a),
          "where 0": lambda xp, a, b: xp.where(a < 0, 0.5, b),
          "where &": lambda xp, a, b: xp.where((a >= b) & (a != 0), a, b),
          "where |": lambda xp, a, b: xp.where((a <= b) | ~(b == 1), b, a)}
UNARY = {"neg": lambda xp, a: -a, "abs": lambda xp, a: xp.abs(a), "sign": lambda xp, a: xp.sign(a),
         "sqrt": lambda xp, a: xp.sqrt(xp.abs(a)), "lr": lambda xp, a: a}
LINES = st.lists(st.tuples(st.sampled_from([*BINARY, *UNARY]), st.integers(0, 30),
                           st.integers(0, 30)), min_size=1, max_size=12)


def definition(lines: list[tuple[str, int, int]], results: list[int]) -> Any:
    def update(xp: Any, x: Any, g: Any, o: Any, s: Any, t: Any) -> Any:
        values = [x, g, s, t]
        for op, i, j in lines:
            a, b = values[i % len(values)], values[j % len(values)]
            if op == "lr":
                values.append(o.lr * a + (1 - o.lr ** 2) / 3)
            else:
                values.append(UNARY[op](xp, a) if op in UNARY else BINARY[op](xp, a, b))
        x, s, t = (values[i % len(values)] for i in results)
        return x, {"s": s, "t": t}
    return update


def momentum(xp: Any, x: Any, g: Any, o: Any, s: Any, t: Any) -> Any:
    s = o.b * s + (1 - o.b) * g
    t = o.b * t + (1 - o.b) * (g * g)
    return x - o.lr * (s / (xp.sqrt(t) + o.eps)), {"s": s, "t": t}


OPTIONS = {"lr": 0.1, "b": 0.9, "eps": 1e-3}
