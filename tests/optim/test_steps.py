"""Every optimizer moves as torch's does: each option, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.testing import optim_db
from minitorch.testing.db.optimizers import OPTIONS, options
from minitorch.testing.db.runs import Run, array, close

NAMES = pytest.mark.parametrize("name", [*map(str, optim_db)])
COPIED = (0.0, 4.0)


@NAMES
@given(data=st.data())
def test_sixty_steps_agree_with_torch(name: str, data: Any) -> None:
    chosen = data.draw(options(name))
    seed = data.draw(st.integers(0, 99))
    ours, theirs = (Run(engine, name, chosen, seed=seed) for engine in (minitorch, torch))
    for mine, others in zip(ours.way(), theirs.way(), strict=True):
        close(mine, others, 1e-9, scale=1)


def copied(engine: Any, t0: float) -> Iterator[list[Any]]:
    """Where ASGD's average is the parameter bit for bit, step by step."""
    run = Run(engine, "ASGD", {"t0": t0, "lr": 0.5})
    for t in range(9):
        run.steps(1, t)
        averages = [run.optimizer.state[p]["ax"] for p in run.params]
        yield [array(ax) == array(p) for ax, p in zip(averages, run.params)]


@pytest.mark.parametrize("t0", COPIED)
def test_until_it_averages_asgd_copies(t0: float) -> None:
    for mine, others in zip(copied(minitorch, t0), copied(torch, t0), strict=True):
        close(mine, others, 0)


@pytest.mark.parametrize(("name", "options"), [
    ("Adadelta", dict(rho=0.0)), ("Adadelta", dict(rho=1.0)), ("RMSprop", dict(alpha=0.0)),
    ("RMSprop", dict(alpha=1.0, momentum=0.9)), *((name, dict(betas=betas)) for betas in (
        (0.0, 0.0), (0.9, 0.0), (0.0, 0.999)) for name in ("Adam", "Adamax", "NAdam", "RAdam"))])
def test_two_steps_without_memory_agree_with_torch(name: str, options: dict[str, Any]) -> None:
    runs = [Run(engine, name, options) for engine in (minitorch, torch)]
    close(*(run.steps(2) for run in runs), 1e-9)


@NAMES
@given(data=st.data())
def test_float32_agrees_with_torch_and_stays_float32(name: str, data: Any) -> None:
    chosen = data.draw(options(name))
    run, twin = (Run(engine, name, chosen, "float32") for engine in (minitorch, torch))
    # A step is at most 0.05 for each element, and its rounding 1e-7 of it; but where a squared
    # gradient is tiny (Adam and its kind divide by its root) or a gradient is near 0 (Rprop takes
    # its sign), rounding of the gradient weighs up to 1e-3 of a step.
    close(run.steps(12), twin.steps(12), 1e-4 if name != "Adadelta" else 2e-3)
    for p in run.params:
        assert p.dtype is minitorch.float32
        for key, value in run.optimizer.state[p].items():
            assert value is None or value.dtype is minitorch.float32, key


@NAMES
def test_blocks_and_layout_change_nothing(name: str) -> None:
    """Parameters of several blocks, with gaps in memory or in column order, move like any other."""
    rng = np.random.default_rng(1)
    value, g = rng.normal(size=(300, 301)), rng.normal(size=(300, 301))

    def column_order(x: Any) -> Any:
        return minitorch.tensor(x.T.copy()).t().detach()

    def with_gaps(x: Any) -> Any:
        out = minitorch.zeros(600, 301, dtype=minitorch.float64)[::2].detach()
        out.array[...] = x
        return out

    results = []
    for engine, make in ((torch, torch.tensor), (minitorch, minitorch.tensor),
                         (minitorch, column_order), (minitorch, with_gaps)):
        x = make(value).requires_grad_(True)
        optimizer = getattr(engine.optim, name)([x], lr=0.1)
        for _ in range(3):
            x.grad = engine.tensor(g)
            optimizer.step()
        results.append(x.detach().numpy())
    close(results[1:2], results[:1], 1e-12)
    for other in results[2:]:
        np.testing.assert_array_equal(other, results[1])


@NAMES
def test_gradients_are_not_written(name: str) -> None:
    for chosen in ({}, {"maximize": True}):
        x = minitorch.tensor([1.0, -2.0, 3.0], requires_grad=True)
        optimizer = getattr(minitorch.optim, name)([x], lr=0.1, **chosen)
        g = np.array([1.0, 0.5, -2.0], np.float32)
        g.flags.writeable = False
        for _ in range(8):
            x.grad = minitorch.from_numpy(g)
            optimizer.step()


@NAMES
def test_a_rate_may_be_a_tensor(name: str) -> None:
    """A 0-d tensor, or one of a single element; changed in place, it takes effect."""
    for shape in ((), (1,)):
        results = []
        for engine in (minitorch, torch):
            lr = engine.full(shape, 0.1, dtype=engine.float64)
            run = Run(engine, name, {"lr": lr, "foreach": False})
            run.steps(3)
            lr.fill_(0.02)
            results.append(run.steps(4, 3))
        close(*results, 1e-9)


@NAMES
@given(data=st.data())
def test_an_option_may_become_zero_or_not(name: str, data: Any) -> None:
    """What is spelled for one set of options is not used for another."""
    chosen = data.draw(options(name))
    runs = [Run(engine, name, chosen) for engine in (minitorch, torch)]
    numbers = [k for k in chosen if k in ("lr", "weight_decay", "lr_decay", "lambd",
                                          "momentum_decay", "dampening")]
    for start in (0, 3, 6):
        close(*(run.steps(3, start) for run in runs), 1e-9)
        option = data.draw(st.sampled_from(numbers))
        value = data.draw(st.sampled_from([0.0, 0.01]))
        for run in runs:
            run.optimizer.param_groups[0][option] = value


def travelled(name: str, chosen: dict[str, Any], start: Any, recorded: bool) -> Any:
    """Where three steps lead whose gradients depend on the start too."""
    x = start.clone() if recorded else start.detach().clone().requires_grad_(True)
    optimizer = getattr(minitorch.optim, name)([x], **chosen, differentiable=recorded)
    for t in range(3):
        x.grad = (start * (t + 0.3)).cos() * start
        optimizer.step()
    return x


@NAMES
@given(data=st.data())
def test_a_recorded_step_moves_alike_and_can_be_differentiated(name: str, data: Any) -> None:
    """With ``differentiable=True`` gradients flow through the steps: the law of small changes.

    PyTorch is no judge here: its own recorded steps cut the graph (SGD's first momentum), or raise.
    """
    chosen = data.draw(options(name)) | {"eps": 1e-3} if "eps" in OPTIONS[name] else data.draw(
        options(name))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    at, v, u = rng.uniform(0.5, 1.2, 3), rng.normal(size=3), rng.uniform(0.5, 1, 3)
    start = minitorch.tensor(at, requires_grad=True)
    x = travelled(name, chosen, start, recorded=True)
    (x * minitorch.tensor(v)).sum().backward()
    close([x.detach().numpy()], [travelled(name, chosen, start, False).detach().numpy()], 1e-12)

    def along(h: float) -> float:
        moved = travelled(name, chosen, minitorch.tensor(at + h * u), recorded=False)
        return float((moved.detach().numpy() * v).sum())

    h = 1e-5  # error h**2 of central differences, and rounding / h: both about 1e-10
    numeric = (along(h) - along(-h)) / (2 * h)
    np.testing.assert_allclose((start.grad.numpy() * u).sum(), numeric, rtol=1e-5, atol=1e-7)
