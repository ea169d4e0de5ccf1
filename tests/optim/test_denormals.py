"""A step on large parameters takes denormal numbers for 0, and leaves the processor as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import minitorch
from minitorch import runtime
from minitorch.kernels.updates import LARGE

pytestmark = pytest.mark.skipif(runtime._c() is None, reason="this system cannot flush them")
OPTIONS = {"Adam": {}, "SGD": {"momentum": 0.9}, "Adamax": {}}
STEPS = 60  # from 1e-36: 0.9**60 is 2e-3


def flushed() -> bool:
    """Whether this thread takes denormal numbers for 0 now."""
    return not (np.full(9, 1e-40, np.float32) * np.float32(1)).any()


def denormal(x: Any) -> int:
    """How many of these numbers are."""
    return int(((x != 0) & (abs(x) < np.finfo(x.dtype).tiny)).sum())


def after(engine: Any, name: str, steps: int, size: int) -> tuple[Any, list[Any]]:
    """Parameter and state after a gradient that became 0 in three quarters of the elements."""
    rng = np.random.default_rng(0)
    x = engine.tensor(rng.normal(size=size).astype(np.float32), requires_grad=True)
    optimizer = getattr(engine.optim, name)([x], lr=1e-3, **OPTIONS[name])
    g = rng.normal(size=size).astype(np.float32) * np.float32(1e-36)
    for _ in range(steps):
        x.grad = engine.tensor(g)
        optimizer.step()
        g = np.where(np.arange(size) % 4 == 0, g, np.float32(0))
    return x.detach().numpy(), [np.asarray(s.detach().numpy()) for s in optimizer.state[x].values()
                                if hasattr(s, "detach") and s.ndim]


@pytest.mark.parametrize("numba", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_means_of_vanished_gradients_end_at_0(name: str, numba: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr("minitorch.backends.numba.enabled", numba)
    ours, theirs = (after(engine, name, STEPS, LARGE) for engine in (minitorch, torch))
    assert sum(map(denormal, theirs[1])) > LARGE / 2, "else this shows nothing"
    assert sum(map(denormal, ours[1])) == 0
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    for mine, others in zip(ours[1], theirs[1], strict=True):  # two losses a step, which decay
        atol = 2 * np.finfo(np.float32).tiny / (1 - 0.9)
        np.testing.assert_allclose(mine, others, rtol=1e-4, atol=atol)
    assert not flushed()


def test_a_small_step_is_not_worth_the_switch() -> None:
    assert sum(map(denormal, after(minitorch, "SGD", STEPS, 64)[1])) > 0


@pytest.mark.parametrize("before", [True, False])
def test_the_thread_is_as_before_also_after_an_error(before: bool) -> None:
    x = minitorch.zeros(LARGE, requires_grad=True)
    x.grad = minitorch.ones(LARGE)
    optimizer = minitorch.optim.SGD([x], lr=0.1)
    minitorch.set_flush_denormal(before)
    try:
        optimizer.step()
        assert flushed() == before
        optimizer.param_groups[0]["lr"] = "fast"
        with pytest.raises(ValueError):
            optimizer.step()
        assert flushed() == before
    finally:
        minitorch.set_flush_denormal(False)
