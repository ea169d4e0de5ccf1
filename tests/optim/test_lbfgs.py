"""LBFGS goes torch's way: points, losses, calls of the closure, and saved state."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.testing.db.runs import array, close
from tests.optim.test_saved_state import as_torch

# Some of the tolerances are so large that each of the reasons to stop comes to be the first one.
TOLERANCES = dict(tolerance_change=st.sampled_from([1e-9, 1e-2, 0.3, 3.0]),
                  tolerance_grad=st.sampled_from([1e-7, 0.1, 1.0]))
# With a line search any rate does. Without, small ones: large ones leap about, and rounding grows.
OPTIONS = st.one_of(
    st.fixed_dictionaries(dict(
        line_search_fn=st.just("strong_wolfe"), lr=st.sampled_from([1, 0.5, 0.01, 3]),
        history_size=st.sampled_from([100, 3, 1]), max_iter=st.integers(1, 8),
        max_eval=st.sampled_from([None, 1, 2, 5]), **TOLERANCES)),
    st.fixed_dictionaries(dict(
        lr=st.sampled_from([0.02, 0.1]), history_size=st.sampled_from([100, 2]),
        max_iter=st.integers(1, 5), max_eval=st.sampled_from([None, 3]), **TOLERANCES)))
SCALES = st.sampled_from([1.0, 0.01])

AROUND = (0.5, 0.995, 1.005, 2.0)  # a bound
# A scale c, and tolerances of the gradient and of the change. From 1 down c * x * x / 2 with rate
# 1/2, gradients are c and c/2, the slope -c * c, the step 1/2, and the loss changes by 3/8 * c:
# without any rounding.
BOUNDS = [(1, 1.0, 0.0), (1, 0.5, 0.0), (1, 0.0, 1.0), (4, 0.0, 0.5), (1, 0.0, 0.375)]


class Run:
    """A valley with a bend in four dimensions, and a parameter that has no gradient.

    ``scale``: of the loss; a small one makes the first step short.
    """

    def __init__(self, engine: Any, options: dict[str, Any], dtype: str = "float64",
                 seed: int = 0, scale: float = 1.0) -> None:
        self.engine, self.calls, self.scale = engine, 0, scale
        rng = np.random.default_rng(seed)
        kind = getattr(engine, dtype)
        self.params = [engine.tensor(rng.uniform(-1.5, 1.5, size), dtype=kind, requires_grad=True)
                       for size in ((4,), (1, 2), (3,))]
        self.optimizer = engine.optim.LBFGS(self.params, **options)

    def closure(self) -> Any:
        self.calls += 1
        assert self.calls < 1000
        self.optimizer.zero_grad()
        x, y, _ = self.params
        loss = (((1 - x[:-1]) ** 2 + 5 * (x[1:] - x[:-1] ** 2) ** 2).sum()
                + (y.sin() * x[:2]).sum() + (y ** 4).sum()) * self.scale
        loss.backward()
        return loss

    def steps(self, n: int) -> list[Any]:
        """Losses, number of calls, and the parameters."""
        losses = [self.optimizer.step(self.closure).item() for _ in range(n)]
        return [np.array([*losses, self.calls]), *(p.detach().numpy().copy() for p in self.params)]

    def way(self) -> Iterator[list[Any]]:
        """What is compared after 1, 2 and 3 steps: losses, calls, parameters, and the state."""
        for _ in range(3):
            yield self.steps(1)
            state = self.optimizer.state[self.params[0]]
            for name in sorted(state):
                value = state[name] if isinstance(state[name], list) else [state[name]]
                yield [array(v) for v in value if v is not None]


@given(OPTIONS, st.integers(0, 99), SCALES)
def test_the_way_down_is_torchs(options: dict[str, Any], seed: int, scale: float) -> None:
    ours, theirs = (Run(engine, options, seed=seed, scale=scale) for engine in (minitorch, torch))
    for mine, others in zip(ours.way(), theirs.way(), strict=True):
        close(mine, others, 1e-7, scale=1)  # curvature is a difference of gradients


def stopped(engine: Any, scale: int, tolerance_grad: float, tolerance_change: float) -> list[Any]:
    """Where the way ends if a tolerance is just met: parameter, calls, and iterations."""
    x = engine.tensor([1.0], dtype=engine.float64, requires_grad=True)
    optimizer = engine.optim.LBFGS([x], lr=0.5, max_iter=4, tolerance_grad=tolerance_grad,
                                   tolerance_change=tolerance_change)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (scale * x * x / 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    state = optimizer.state[x]
    return [array(x), np.array([state["func_evals"], state["n_iter"]])]


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_tolerance_that_is_just_met_stops_it_as_torch(bound: tuple[float, ...]) -> None:
    close(stopped(minitorch, *bound), stopped(torch, *bound), 0)


def remembered(engine: Any, curvature: float) -> int:
    """How many steps it remembers, after one along which ``y @ s`` is 1e-10 times ``curvature``."""
    x = engine.tensor([1.0], dtype=engine.float64, requires_grad=True)
    optimizer = engine.optim.LBFGS([x], lr=0.1, max_iter=2, max_eval=9)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (3 * x + curvature * 1e-8 * x * x / 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return len(optimizer.state[x]["old_dirs"])


@pytest.mark.parametrize("curvature", AROUND)
def test_a_step_of_almost_no_curvature_is_forgotten_as_by_torch(curvature: float) -> None:
    assert remembered(minitorch, curvature) == remembered(torch, curvature) == (curvature > 1)


def searched(engine: Any, width: float, tolerance_change: float) -> int:
    """How often a loss is asked for that only rises, if the first step is 1e-9 times ``width``."""
    x = engine.tensor([1.0, 1.0], dtype=engine.float64, requires_grad=True)
    g = engine.tensor([1.0, -0.01], dtype=engine.float64)
    optimizer = engine.optim.LBFGS([x], lr=width * 1.01e-9, max_iter=1, max_eval=9,
                                   tolerance_change=tolerance_change,
                                   line_search_fn="strong_wolfe")
    calls = 0

    def closure() -> Any:
        nonlocal calls
        calls += 1
        optimizer.zero_grad()
        loss = (x * g).sum() + calls
        loss.backward()
        return loss

    optimizer.step(closure)
    return calls


@pytest.mark.parametrize("tolerance_change", [0.0, 0.1])
@pytest.mark.parametrize("width", AROUND)
def test_a_search_in_almost_no_interval_ends_as_torchs(width: float,
                                                       tolerance_change: float) -> None:
    found = [searched(engine, width, tolerance_change) for engine in (minitorch, torch)]
    assert found[0] == found[1] == (2 if width < 1 else 3)


@given(OPTIONS, st.integers(0, 99))
def test_single_precision_stays_single(options: dict[str, Any], seed: int) -> None:
    run, twin = (Run(engine, options, "float32", seed) for engine in (minitorch, torch))
    mine, theirs = run.steps(1), twin.steps(1)
    assert abs(mine[0][0] - theirs[0][0]) <= 1e-5 * abs(theirs[0][0])
    assert all(a.dtype == np.float32 for a in mine[1:])
    for value in run.optimizer.state[run.params[0]].values():
        for each in value if isinstance(value, list) else [value]:
            assert not isinstance(each, minitorch.Tensor) or each.dtype is minitorch.float32


@given(OPTIONS, st.integers(1, 3), st.booleans())
def test_its_state_continues_in_either_engine(options: dict[str, Any], n: int,
                                              from_torch: bool) -> None:
    engines = (torch, minitorch) if from_torch else (minitorch, torch)
    source, target = (Run(engine, options) for engine in engines)
    arrays = source.steps(n)[1:]
    saved = copy.deepcopy(source.optimizer.state_dict())
    for p, value in zip(target.params, arrays):
        p.data = target.engine.tensor(value)
    target.optimizer.load_state_dict(saved if from_torch else as_torch(saved))
    close(target.steps(2)[1:], source.steps(2)[1:], 1e-7)


@given(OPTIONS, st.integers(1, 3))
def test_resume_is_bit_exact(options: dict[str, Any], n: int) -> None:
    whole = Run(minitorch, options).steps(n + 2)[1:]
    run, again = (Run(minitorch, options) for _ in range(2))
    for p, value in zip(again.params, run.steps(n)[1:]):
        p.data = minitorch.tensor(value)
    again.optimizer.load_state_dict(run.optimizer.state_dict())
    close(again.steps(2)[1:], whole, 0)


def test_another_line_search_is_refused_as_by_torch() -> None:
    texts = []
    for engine in (minitorch, torch):
        run = Run(engine, {"line_search_fn": "golden"})
        with pytest.raises(RuntimeError) as error:
            run.steps(1)
        texts.append(str(error.value))
    assert texts[0] == texts[1]
