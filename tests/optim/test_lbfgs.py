"""LBFGS goes torch's way: points, losses, calls of the closure, and saved state."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.optim.line_search import C1, C2, Point, strong_wolfe
from tests.optim.configurations import close
from tests.optim.test_saved_state import as_torch

# With a line search any rate does. Without, small ones: large ones leap about, and rounding grows.
OPTIONS = st.one_of(
    st.fixed_dictionaries(dict(
        line_search_fn=st.just("strong_wolfe"), lr=st.sampled_from([1, 0.5, 0.01, 3]),
        history_size=st.sampled_from([100, 3, 1]), max_iter=st.integers(1, 8),
        max_eval=st.sampled_from([None, 1, 2, 5]))),
    st.fixed_dictionaries(dict(
        lr=st.sampled_from([0.02, 0.1]), history_size=st.sampled_from([100, 2]),
        max_iter=st.integers(1, 5), max_eval=st.sampled_from([None, 3]),
        tolerance_change=st.sampled_from([1e-9, 1e-2]),
        tolerance_grad=st.sampled_from([1e-7, 0.5]))))


class Run:
    """A valley with a bend in four dimensions, and a parameter that has no gradient."""

    def __init__(self, engine: Any, options: dict[str, Any], dtype: str = "float64",
                 seed: int = 0) -> None:
        self.engine, self.calls = engine, 0
        rng = np.random.default_rng(seed)
        kind = getattr(engine, dtype)
        self.params = [engine.tensor(rng.uniform(-1.5, 1.5, size), dtype=kind, requires_grad=True)
                       for size in ((4,), (1, 2), (3,))]
        self.optimizer = engine.optim.LBFGS(self.params, **options)

    def closure(self) -> Any:
        self.calls += 1
        self.optimizer.zero_grad()
        x, y, _ = self.params
        loss = (((1 - x[:-1]) ** 2 + 5 * (x[1:] - x[:-1] ** 2) ** 2).sum()
                + (y.sin() * x[:2]).sum() + (y ** 4).sum())
        loss.backward()
        return loss

    def steps(self, n: int) -> list[Any]:
        """Losses, number of calls, and the parameters."""
        losses = [self.optimizer.step(self.closure).item() for _ in range(n)]
        return [np.array([*losses, self.calls]), *(p.detach().numpy().copy() for p in self.params)]


@given(OPTIONS, st.integers(0, 99))
def test_the_way_down_is_torchs(options: dict[str, Any], seed: int) -> None:
    ours, theirs = (Run(engine, options, seed=seed) for engine in (minitorch, torch))
    for _ in range(3):
        close(ours.steps(1), theirs.steps(1), 1e-7)  # curvature is a difference of gradients


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
    for p, array in zip(target.params, arrays):
        p.data = target.engine.tensor(array)
    target.optimizer.load_state_dict(saved if from_torch else as_torch(saved))
    close(target.steps(2)[1:], source.steps(2)[1:], 1e-7)


@given(OPTIONS, st.integers(1, 3))
def test_resume_is_bit_exact(options: dict[str, Any], n: int) -> None:
    whole = Run(minitorch, options).steps(n + 2)[1:]
    run, again = (Run(minitorch, options) for _ in range(2))
    for p, array in zip(again.params, run.steps(n)[1:]):
        p.data = minitorch.tensor(array)
    again.optimizer.load_state_dict(run.optimizer.state_dict())
    close(again.steps(2)[1:], whole, 0)


@given(st.integers(0, 99), st.sampled_from([0.001, 0.3, 1.0, 7.0]))
def test_the_line_search_finds_what_the_conditions_ask_for(seed: int, first: float) -> None:
    """On drawn quartics with a slope down at 0."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(0.1, 2), rng.normal(), -rng.uniform(0.1, 3)

    def phi(t: float) -> Point:
        return Point(t, a * t ** 4 + b * t ** 2 + c * t, None, 4 * a * t ** 3 + 2 * b * t + c)

    start = phi(0.0)
    end, calls = strong_wolfe(phi, start, first, 1.0, 1e-9, 25)
    assert end.loss <= start.loss + C1 * end.t * start.slope
    assert abs(end.slope) <= -C2 * start.slope
    assert calls <= 26


def test_another_line_search_is_refused_as_by_torch() -> None:
    texts = []
    for engine in (minitorch, torch):
        run = Run(engine, {"line_search_fn": "golden"})
        with pytest.raises(RuntimeError) as error:
            run.steps(1)
        texts.append(str(error.value))
    assert texts[0] == texts[1]
