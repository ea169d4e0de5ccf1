"""Tensors that share another's memory: how each was read off its base."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.engine import Tensor
from minitorch.modes import set_grad_enabled


class View:
    """How a tensor that shares memory was read off its base: operators and their arguments."""

    __slots__ = ("base", "epoch", "steps")

    def __init__(self, base: Tensor, steps: tuple[Any, ...]) -> None:
        self.base, self.steps, self.epoch = base, steps, base.epoch

    def replay(self, base: Any) -> Any:
        """The same view of another Tensor, or of a bare array."""
        for op, rest in self.steps:
            base = (op(base, *rest) if isinstance(base, Tensor)
                    else op.forward(backend.namespace(base), base, *rest))
        return base


    def mask(self, xp: Any, shape: tuple[int, ...]) -> Any:
        """Ones where this view does not read, zeros where it does."""
        out = np.ones(shape, bool)
        self.replay(out)[...] = False
        return xp.asarray(out)


def refresh(x: Tensor) -> None:
    """Give a view the history that a recorded in-place write gave its base."""
    if x.alias_of is not None and x.alias_of.epoch != x.alias_of.base.epoch:
        with set_grad_enabled(True):
            x.node = x.alias_of.replay(x.alias_of.base).node
        x.alias_of.epoch = x.alias_of.base.epoch
