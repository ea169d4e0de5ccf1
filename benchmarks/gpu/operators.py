"""The operators' table of the CPU, with arguments on the device: 100 x 512 where any shape will do.

At that size a call on a GPU is nearly all overhead, which is what small networks pay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from benchmarks import operators
from benchmarks.table import Work

USUAL = ("add", "relu", "exp", "sum", "matmul", "linear", "softmax", "cross_entropy", "batch_norm",
         "layer_norm", "embedding", "index", "cat")


def placed(row: Callable[[Any], Work]) -> Callable[[Any], Work]:
    def work(engine: Any) -> Work:
        engine.precise("FP32")
        return row(SimpleNamespace(lib=engine.placed))
    return work


ROWS = {name: placed(row) for name, row in operators.TABLE.rows.items()}
TABLE = replace(operators.TABLE, title=operators.TABLE.title + ", FP32", rows=ROWS,
                usual=tuple(row for name in USUAL for row in (name, f"{name} + backward")
                            if row in ROWS))
