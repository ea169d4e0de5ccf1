"""Runs of calls that became one function compute what the calls compute, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch as torch
from minitorch import nn
from minitorch.kernels import jit, runs
from minitorch.plan import Plan, fusing
from minitorch.plan.notes import Note

SHAPES = [(3, 4), (4,), (1, 4), (3, 1), (), (1, 1)]
OPS = [np.add, np.subtract, np.multiply, np.true_divide, np.negative, np.sqrt, np.reciprocal,
       np.square, np.maximum, np.minimum, np.greater, np.not_equal, np.less_equal, np.copyto,
       np.where, runs.SUM, np.exp]  # exp is not spelled: it parts the runs
DRAW = st.integers(0, 10_000)


def interpreted(text: str, arrays: list[Any]) -> Any:
    """The text is Python too: no compiler is needed for its law."""
    scope: dict[str, Any] = {"np": np}
    exec(text, scope)
    return scope["run"]


def program(draws: list[list[int]], dtype: Any) -> tuple[list[Note], dict[int, Any], list[Any]]:
    """Notes of drawn calls, each on what was there before; the arrays that they make; all."""
    rng = np.random.default_rng(0)
    pool: list[Any] = [np.asarray(rng.normal(size=shape), dtype) for shape in SHAPES]
    pool += [np.asarray(rng.random(shape) > 0.5) for shape in SHAPES]
    pool += [0, 0.25, -1.5, float("inf")]
    notes, made = [], {}
    for op, *picks, place in draws:
        f = OPS[op % len(OPS)]
        floats = [x for x in pool if not isinstance(x, np.ndarray) or x.dtype == dtype]
        bools = [x for x in pool if isinstance(x, np.ndarray) and x.dtype == bool]
        arrays = [x for x in floats if isinstance(x, np.ndarray)]
        if f is runs.SUM:
            matrices = [x for x in arrays if x.shape == (3, 4)]
            args = [matrices[picks[0] % len(matrices)]]
            kwargs: dict[str, Any] = {"axis": (0,), "keepdims": True}
        elif f is np.where:
            args, kwargs = [bools[picks[0] % len(bools)], arrays[picks[1] % len(arrays)],
                            floats[picks[2] % len(floats)]], {}
        else:
            n = 1 if f is np.copyto else f.nin
            args = [arrays[picks[0] % len(arrays)], pool[picks[1] % len(pool)]][:n]
            kwargs = {}
        shape = np.broadcast_shapes(*[np.shape(a) for a in args])
        if f is runs.SUM:
            out = np.empty((1, 4), dtype)
        elif f in (np.copyto, np.where):
            out = np.empty(shape, dtype)
        else:
            out = np.empty(shape, f(*args).dtype)
            same = [a for a in arrays if a.shape == shape and a.dtype == out.dtype]
            if same and place % 3 == 0:  # into what is there
                out = same[place % len(same)]
        if any(out is x for x in pool):
            notes.append(Note(f, tuple(args), {"out": (out,)}, writes=[out]))
        else:
            made[id(out)] = out
            pool.append(out)
            notes.append(Note(f, tuple(args), kwargs, out, copies=f is np.where))
    return notes, made, [x for x in pool if isinstance(x, np.ndarray)]


@given(st.lists(st.tuples(*[DRAW] * 5), min_size=1, max_size=14),
       st.sampled_from([np.float32, np.float64]), st.sets(st.integers(0, 30)))
def test_a_compiled_plan_equals_the_calls(draws: Any, dtype: Any, read: set[int]) -> None:
    """What is read afterwards, and what was there before, ends with the same bits."""
    ends = []
    for fuse in (False, True):
        with np.errstate(all="ignore"):
            notes, made, pool = program(draws, dtype)
        kept = [x for i, x in enumerate(pool) if i in read or id(x) not in made]
        parts = [notes]
        with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
            patch.setattr(runs, "kernel", interpreted)
            if fuse:
                parts = fusing.fused(parts, made, kept)
                assert len(parts[0]) <= len(notes)
            for part in Plan(parts, made, kept).parts:
                part()
        ends.append(kept)
    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def network(activation: Any = nn.ReLU) -> tuple[Any, Any]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), activation(), nn.Dropout(0.3),
                          nn.Linear(5, 4), nn.Sigmoid(), nn.Linear(4, 3))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def steps(compiled: bool, n: int, bad: int = -1) -> tuple[list[float], list[Any], Any]:
    """Losses, state, and the step after ``n`` runs; run ``bad`` has a class that is not there."""
    model, optimizer = network()

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss
    run = torch.compile(step, fullgraph=True) if compiled else step
    rng = np.random.default_rng(1)
    losses = []
    for k in range(n):
        x = torch.tensor(rng.normal(size=(7, 6)), dtype=torch.float32)
        y = torch.tensor(rng.integers(0, 3, 7))
        if k == bad:
            y[4] = 3
            with pytest.raises(IndexError, match="Target 3"):
                run(x, y)
        else:
            losses.append(run(x, y).item())
    return losses, [v.numpy() for v in model.state_dict().values()], run


@pytest.fixture
def compiler(monkeypatch: Any) -> None:
    if not jit.usable():
        pytest.skip("Numba is not installed")
    monkeypatch.setattr(fusing, "MANY", 3)


@pytest.mark.usefixtures("compiler")
def test_a_training_step_is_compiled_when_it_is_run_often() -> None:
    losses, state, _ = steps(False, 9)
    ours, mine, run = steps(True, 9)
    assert ours == losses
    for a, b in zip(mine, state, strict=True):
        np.testing.assert_array_equal(a, b)
    text = run.explain()
    assert "run(" in text and "np.sqrt(" in text and "for j in range(5):" in text
    assert len(run.plans[-1].notes) < 45  # of 105 calls


@pytest.mark.usefixtures("compiler")
def test_what_would_end_otherwise_is_not_kept(monkeypatch: Any) -> None:
    monkeypatch.setitem(runs.SPELLING, np.subtract, "{1} - {0}")
    losses, _, _ = steps(False, 9)
    ours, _, run = steps(True, 9)
    assert ours == losses
    assert "run(" not in run.explain()


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("bad", range(7))
def test_an_error_of_the_step_comes_through_and_changes_nothing_else(bad: int) -> None:
    """Also in the call in which the plan is compiled."""
    assert steps(True, 9, bad)[0] == steps(False, 9, bad)[0]


@pytest.mark.usefixtures("compiler")
def test_what_cannot_be_compiled_runs_as_calls(monkeypatch: Any) -> None:
    monkeypatch.setitem(runs.SPELLING, np.subtract, "{} ?? {}")
    with pytest.warns(RuntimeWarning, match="could not be compiled"):
        ours = steps(True, 9)[0]
    assert ours == steps(False, 9)[0]


@pytest.mark.usefixtures("compiler")
def test_the_switch_turns_it_off(monkeypatch: Any) -> None:
    monkeypatch.setattr(torch.backends.numba, "enabled", False)
    _, _, run = steps(True, 9)
    assert "run(" not in run.explain()
