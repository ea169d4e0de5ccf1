"""A problem for optimizers that any library with PyTorch's names can run, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


class Run:
    """Parameters of a bounded, non-convex problem in two groups, moved by one library's optimizer.

    The second group has a rate of its own; every seventh step one gradient is missing; the first
    group's rate is halved at step 20.
    """

    def __init__(self, lib: Any, name: str, options: dict[str, Any], dtype: str = "float64",
                 seed: int = 0) -> None:
        self.lib = lib
        rng = np.random.default_rng(seed)
        self.params = [lib.tensor(rng.normal(size=shape), dtype=getattr(lib, dtype))
                       for shape in ((3, 4), (4,), ())]
        for p in self.params:
            p.requires_grad_(True)
        a, b, c = self.params
        groups: Any = [{"params": [a, c]}, {"params": [b], "lr": 0.02}]
        self.optimizer = getattr(lib.optim, name)(groups, **options)

    def loss(self) -> Any:
        a, b, c = self.params
        return ((a.sin() * b.cos()).sum() + (a * 0.5).tanh().sum() * c.cos()
                + (2 * b).sin().sum() * 0.3 + (a * a / (1 + a * a)).sum() * 0.2)

    def steps(self, n: int, start: int = 0) -> list[Any]:
        """Copies of the parameters after ``n`` more steps."""
        for t in range(start, start + n):
            self.optimizer.zero_grad()
            self.loss().backward()
            if t % 7 == 3:
                self.params[1].grad = None
            if t == 20:
                self.optimizer.param_groups[0]["lr"] *= 0.5
            self.optimizer.step()
        return [p.detach().cpu().numpy().copy() for p in self.params]

    def way(self) -> Iterator[list[Any]]:
        """What is compared after 1, 2, 10 and 60 steps: the parameters, and each kind of state.

        Both are of size 1 until a minimum is reached, and then what is left is rounding.
        """
        start = 0
        for n in (1, 1, 8, 50):
            yield self.steps(n, start)
            yield from kinds_of_state(self.optimizer, self.params)
            start += n

    def place(self, arrays: list[Any]) -> None:
        """Put the parameters somewhere else."""
        for p, array in zip(self.params, arrays):
            p.data = self.lib.tensor(array)


def kinds_of_state(optimizer: Any, params: list[Any]) -> Iterator[list[Any]]:
    """For each name in the optimizer's state, in their order, its values of all parameters."""
    states = [optimizer.state[p] for p in params]
    for name in sorted({name for state in states for name in state}):
        yield [array(state[name]) for state in states if state.get(name) is not None]


def array(value: Any) -> Any:
    """A copy of a tensor, or of a number, as a NumPy array."""
    if not hasattr(value, "detach"):
        return np.array(value)
    return np.array((value.to_dense() if value.is_sparse else value).detach().cpu().numpy())


def close(ours: list[Any], theirs: list[Any], tolerance: float, scale: float = 0) -> None:
    """Raise AssertionError unless all are equal to ``tolerance``, relative to the largest element.

    A number that happens to be near 0 is no more precise than what it is a difference of; if that
    is known to be of size ``scale``, so much is the largest at least.
    """
    largest = max([scale, *(abs(y).max(initial=0) for y in theirs)])
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * largest)
