"""Tensors that share another's memory: how each was read off its base."""

from __future__ import annotations

from typing import Any

from minitorch import backend
from minitorch.engine import Node, Tensor
from minitorch.modes import set_grad_enabled


class View:
    """How a tensor that shares memory was read off its base: operators and their arguments."""

    __slots__ = ("base", "epoch", "steps", "turns")

    def __init__(self, base: Tensor, steps: tuple[Any, ...]) -> None:
        self.base, self.steps, self.epoch, self.turns = base, steps, base.epoch, base.turns

    def replay(self, base: Any) -> Any:
        """The same view of another Tensor, or of a bare array."""
        self.check()
        for op, rest in self.steps:
            base = (op(base, *rest) if isinstance(base, Tensor)
                    else op.forward(backend.namespace(base), base, *rest))
        return base

    def check(self) -> None:
        """Raise where the base has another shape than when the view was read off it."""
        if self.turns != self.base.turns:
            raise RuntimeError("this tensor is a view of one that was since reshaped in place (by "
                               "t_(), squeeze_() or the like), which leaves its history unknown. "
                               "Reshape out of place instead, as in x = x.t().")

    def mask(self, xp: Any) -> Any:
        """Ones where this view does not read, zeros where it does."""
        base = self.base.array
        out = backend.namespace(base).ones_like(base, dtype=bool)  # in the order of its memory
        self.replay(out)[...] = False
        return xp.asarray(out)


def refresh(x: Tensor) -> None:
    """Give a view the history that a recorded in-place write gave its base."""
    if x.alias_of is not None and x.alias_of.epoch != x.alias_of.base.epoch:
        with set_grad_enabled(True):
            x.node = x.alias_of.replay(x.alias_of.base).node
        x.alias_of.epoch = x.alias_of.base.epoch


def node_of(x: Tensor) -> Node | None:
    """Where ``x`` stands in the graph: for a view, after every write into its base."""
    refresh(x)
    return x.node
