"""Which of PyTorch's operator records (OpInfo) minitorch has an operator for, and how it is called.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from torch.testing._internal.common_methods_invocations import op_db

import minitorch


def found(name: str) -> Any:
    """``minitorch.NAME`` (dotted), or the method of that name; None where there is neither."""
    home: Any = minitorch
    for part in name.split("."):
        home = getattr(home, part, None)
    return home if home is not None or "." in name else getattr(minitorch.Tensor, name, None)


def _seeded(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    minitorch.manual_seed(42)
    return op(*args, **kwargs)


def ours(op: Any) -> Any:
    """minitorch's function for an OpInfo.

    Where the record calls PyTorch through a lambda of its own, that lambda runs with ``torch``
    meaning minitorch.
    """
    f = op.op
    if isinstance(f, types.FunctionType) and f.__name__ == "<lambda>":
        return types.FunctionType(f.__code__, {**f.__globals__, "torch": minitorch,
                                               "wrapper_set_seed": _seeded})
    return found(op.name)


def title(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else str(op.name)


OPERATORS = {title(op): op for op in op_db if found(op.name) is not None}
