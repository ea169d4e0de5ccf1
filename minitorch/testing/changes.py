"""What can be wrong with a gradient, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.engine import Tensor, wrap

Change = Callable[[Any], Any]  # of a gradient
UNBROADCAST = "un-broadcast dropped"


def transpose(g: Any) -> Any:
    return g.swapaxes(-1, -2).reshape(g.shape) if len(g.shape) > 1 else g


def drop_one(g: Any) -> Any:
    kept = np.ones(tuple(g.shape), getattr(g, "array", g).dtype)
    kept.reshape(-1)[kept.size // 2: kept.size // 2 + 1] = 0
    return g * kept


def roll(g: Any) -> Any:
    index = np.roll(np.arange(np.prod(g.shape, dtype=int)), 1)
    return g.reshape(-1)[index].reshape(g.shape)


def detach(g: Any) -> Any:
    """Right in first order, but cut off from the graph of the second."""
    return wrap(g.array) if isinstance(g, Tensor) else g


MUTATIONS: dict[str, Change] = {  # of NumPy arrays, and of minitorch's tensors where recorded
    "zero": lambda g: g * 0,
    "sign": lambda g: -g,
    "x2": lambda g: g * 2,
    "x1.01": lambda g: g * 1.01,
    "x(1+1e-4)": lambda g: g * (1 + 1e-4),
    "transposed": transpose,
    "one entry dropped": drop_one,
    "rolled": roll,
}

RULES: dict[str, Change] = {  # beside these, of a registered rule
    "shifted by 0.001": lambda g: g + 0.001,
    "detached": detach,
}
