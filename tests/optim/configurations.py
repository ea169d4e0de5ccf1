"""What is drawn for the optimizers' laws: options of each, and a problem run under one engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

RATE = st.floats(1e-3, 0.05)
DECAY = st.sampled_from([0.0, 0.01, 0.3])
EPS = st.sampled_from([1e-8, 1e-3])
FLAG = st.booleans()
# The average under a root must have a memory: without one a step is nearly the sign of g, and where
# g crosses 0 rounding decides. (Two steps with none are a test of their own.)
MEMORY = st.floats(0.9, 0.9999)
BETAS = st.tuples(st.floats(0, 0.95), MEMORY)
WAYS = {"foreach": st.sampled_from([None, False])}  # accepted: they change nothing

OPTIONS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "SGD": dict(lr=RATE, momentum=st.sampled_from([0.0, 0.5, 0.9]), nesterov=FLAG,
                dampening=st.sampled_from([0.0, 0.1]), weight_decay=DECAY, maximize=FLAG),
    "Adadelta": dict(lr=st.floats(0.01, 0.2), rho=MEMORY, eps=st.sampled_from([1e-6, 1e-3]),
                     weight_decay=DECAY, maximize=FLAG),
    "Adagrad": dict(lr=RATE, lr_decay=st.sampled_from([0.0, 0.1]), weight_decay=DECAY,
                    initial_accumulator_value=st.sampled_from([0.0, 0.1]), eps=EPS, maximize=FLAG),
    "Adam": dict(lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY, amsgrad=FLAG, maximize=FLAG,
                 decoupled_weight_decay=FLAG),
    "AdamW": dict(lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY, amsgrad=FLAG, maximize=FLAG),
    "Adamax": dict(lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY, maximize=FLAG),
    "ASGD": dict(lr=RATE, lambd=st.sampled_from([0.0, 1e-4, 0.1]), alpha=st.floats(0.3, 1),
                 t0=st.sampled_from([0.0, 5.0, 1e6]), weight_decay=DECAY, maximize=FLAG),
    "NAdam": dict(lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY,
                  momentum_decay=st.sampled_from([0.0, 4e-3, 0.1]), decoupled_weight_decay=FLAG,
                  maximize=FLAG),
    # Both sides of the rectification: b2 under 0.67 never reaches rho > 5; 0.844 and larger ones do
    # at step 6, 0.844 only just.
    "RAdam": dict(lr=RATE, betas=st.tuples(st.floats(0, 0.95),
                                           st.sampled_from([0.5, 0.844, 0.9, 0.999])),
                  eps=EPS, weight_decay=DECAY, decoupled_weight_decay=FLAG, maximize=FLAG),
    "RMSprop": dict(lr=RATE, alpha=MEMORY, eps=EPS, weight_decay=DECAY,
                    momentum=st.sampled_from([0.0, 0.005, 0.9]), centered=FLAG, maximize=FLAG),
    "Rprop": dict(lr=RATE, etas=st.tuples(st.floats(0.2, 0.8), st.floats(1.05, 1.5)),
                  step_sizes=st.sampled_from([(1e-6, 50), (1e-3, 0.02)]), maximize=FLAG),
}


@st.composite
def options(draw: Any, name: str) -> dict[str, Any]:
    """Options that the optimizer accepts."""
    out: dict[str, Any] = draw(st.fixed_dictionaries(OPTIONS[name], optional=WAYS))
    if name == "SGD" and (not out["momentum"] or out["nesterov"]):
        out["dampening"], out["nesterov"] = 0.0, bool(out["momentum"]) and out["nesterov"]
    if name == "RMSprop" and out["centered"]:
        out["eps"] = 1e-3  # v - mean(g)**2 is nothing but rounding where gradients hardly change
    return out


class Run:
    """Parameters of a bounded, non-convex problem in two groups, moved under one engine.

    The second group has a rate of its own; every seventh step one gradient is missing; the first
    group's rate is halved at step 20.
    """

    def __init__(self, engine: Any, name: str, options: dict[str, Any], dtype: str = "float64",
                 seed: int = 0) -> None:
        self.engine = engine
        rng = np.random.default_rng(seed)
        self.params = [engine.tensor(rng.normal(size=shape), dtype=getattr(engine, dtype))
                       for shape in ((3, 4), (4,), ())]
        for p in self.params:
            p.requires_grad_(True)
        a, b, c = self.params
        groups: Any = [{"params": [a, c]}, {"params": [b], "lr": 0.02}]
        self.optimizer = getattr(engine.optim, name)(groups, **options)

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
        return [p.detach().numpy().copy() for p in self.params]

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
            p.data = self.engine.tensor(array)


def kinds_of_state(optimizer: Any, params: list[Any]) -> Iterator[list[Any]]:
    """For each name in the optimizer's state, in their order, its values of all parameters."""
    states = [optimizer.state[p] for p in params]
    for name in sorted({name for state in states for name in state}):
        yield [array(state[name]) for state in states if state.get(name) is not None]


def array(value: Any) -> Any:
    """A copy of a tensor, or of a number, as a NumPy array."""
    if not hasattr(value, "detach"):
        return np.array(value)
    return np.array((value.to_dense() if value.is_sparse else value).detach().numpy())


def close(ours: list[Any], theirs: list[Any], tolerance: float, scale: float = 0) -> None:
    """Raise AssertionError unless all are equal to ``tolerance``, relative to the largest element.

    A number that happens to be near 0 is no more precise than what it is a difference of; if that
    is known to be of size ``scale``, so much is the largest at least.
    """
    largest = max([scale, *(abs(y).max(initial=0) for y in theirs)])
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * largest)
