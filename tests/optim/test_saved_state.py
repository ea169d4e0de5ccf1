"""A state saved by either engine continues in the other; in the same one, bit for bit."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.testing.db.optimizers import OPTIONS, options
from minitorch.testing.db.runs import Run, close

ROOT = Path(__file__).parents[2]
NAMES = pytest.mark.parametrize("name", OPTIONS)


def as_torch(value: Any) -> Any:
    """A saved state with torch's tensors."""
    if isinstance(value, minitorch.Tensor):
        return torch.from_numpy(value.numpy().copy())
    if isinstance(value, dict):
        return {k: as_torch(v) for k, v in value.items()}
    return [as_torch(v) for v in value] if isinstance(value, list) else value


@NAMES
@given(data=st.data(), n=st.integers(1, 9), from_torch=st.booleans())
def test_state_dicts_continue_in_either_engine(name: str, data: Any, n: int,
                                               from_torch: bool) -> None:
    chosen = data.draw(options(name))
    source = Run(torch if from_torch else minitorch, name, chosen)
    arrays = source.steps(n)
    saved = copy.deepcopy(source.optimizer.state_dict())
    target = Run(minitorch if from_torch else torch, name, chosen)
    target.place(arrays)
    target.optimizer.load_state_dict(saved if from_torch else as_torch(saved))
    # PyTorch keeps eta, mu and mu_product in float32 until they are loaded.
    tolerance = 1e-6 if name in ("ASGD", "NAdam") and not from_torch else 1e-9
    close(target.steps(5, n), source.steps(5, n), tolerance)


@NAMES
@given(data=st.data())
def test_state_dicts_have_torchs_layout(name: str, data: Any) -> None:
    """The same keys, the same kinds, shapes and dtypes of values, at every stage."""
    chosen = data.draw(options(name))
    runs = [Run(engine, name, chosen) for engine in (minitorch, torch)]
    for n in (0, 4):
        found = []
        for run in runs:
            run.steps(n)
            saved = run.optimizer.state_dict()
            state = {i: {k: (str(v.dtype), tuple(v.shape)) if hasattr(v, "dtype") else v
                         for k, v in s.items()} for i, s in saved["state"].items()}
            found.append((state, saved["param_groups"]))
        assert found[0] == found[1]


@NAMES
@given(data=st.data(), n=st.integers(1, 9))
def test_resume_is_bit_exact(name: str, data: Any, n: int) -> None:
    chosen = data.draw(options(name))
    whole = Run(minitorch, name, chosen).steps(n + 5)
    run = Run(minitorch, name, chosen)
    arrays = run.steps(n)
    again = Run(minitorch, name, chosen)
    again.place(arrays)
    again.optimizer.load_state_dict(run.optimizer.state_dict())
    close(again.steps(5, n), whole, 0)


RESUME = """
import sys
import minitorch
from minitorch.testing.db.runs import Run
saved = minitorch.load(sys.argv[1])
for name, (options, n, arrays, state) in saved.items():
    run = Run(minitorch, name, options)
    run.place([a.numpy() for a in arrays])
    run.optimizer.load_state_dict(state)
    saved[name] = [minitorch.tensor(x) for x in run.steps(5, n)]
minitorch.save(saved, sys.argv[1])
"""


@settings(max_examples=settings().max_examples // 8)
@given(data=st.data())
def test_a_fresh_process_continues_bit_for_bit(tmp_path_factory: Any, data: Any) -> None:
    """Every optimizer, saved to a file at some step and continued elsewhere."""
    path = tmp_path_factory.mktemp("resume") / "run.pt"
    saved, expected = {}, {}
    for name in OPTIONS:
        chosen, n = data.draw(options(name)), data.draw(st.integers(1, 30))
        run = Run(minitorch, name, chosen)
        arrays = [minitorch.tensor(a) for a in run.steps(n)]
        saved[name] = chosen, n, arrays, copy.deepcopy(run.optimizer.state_dict())
        expected[name] = run.steps(5, n)
    minitorch.save(saved, path)
    subprocess.run([sys.executable, "-c", RESUME, str(path)], cwd=ROOT, check=True)
    for name, arrays in minitorch.load(path).items():
        close([a.numpy() for a in arrays], expected[name], 0)


def test_a_state_dict_of_another_shape_changes_nothing() -> None:
    x, y = (minitorch.ones(2, requires_grad=True) for _ in range(2))
    optimizer = minitorch.optim.Adam([x], lr=0.1)
    before = repr(optimizer)
    for other in (minitorch.optim.Adam([x, y], lr=0.7),
                  minitorch.optim.Adam([{"params": [x]}, {"params": [y]}], lr=0.7)):
        with pytest.raises(ValueError, match=r"doesn't match the size|different number"):
            optimizer.load_state_dict(other.state_dict())
        assert repr(optimizer) == before


def test_loading_copies() -> None:
    """A loaded optimizer and the one it was saved from do not move each other's state."""
    run, again = Run(minitorch, "Adam", {}), Run(minitorch, "Adam", {})
    run.steps(2)
    again.optimizer.load_state_dict(run.optimizer.state_dict())
    before = run.optimizer.state[run.params[0]]["exp_avg"].numpy().copy()
    again.steps(2, 2)
    np.testing.assert_array_equal(run.optimizer.state[run.params[0]]["exp_avg"].numpy(), before)


def test_state_of_float64_becomes_that_of_the_parameter() -> None:
    run = Run(minitorch, "Adam", {}, "float64")
    run.steps(2)
    small = Run(minitorch, "Adam", {}, "float32")
    small.optimizer.load_state_dict(run.optimizer.state_dict())
    state = small.optimizer.state[small.params[0]]
    assert state["exp_avg"].dtype is state["step"].dtype is minitorch.float32


def test_an_adamw_stays_one_whatever_it_loads() -> None:
    x = minitorch.ones(2, requires_grad=True)
    adam, adamw = minitorch.optim.Adam([x]), minitorch.optim.AdamW([x])
    adamw.load_state_dict(adam.state_dict())
    assert adamw.param_groups[0]["decoupled_weight_decay"] is True


def test_hooks_of_saving_and_loading_see_and_replace_as_torchs() -> None:
    def program(engine: Any) -> list[Any]:
        seen: list[Any] = []
        x = engine.ones(2, requires_grad=True)
        optimizer = engine.optim.SGD([x], lr=0.5)
        optimizer.register_state_dict_pre_hook(lambda o: seen.append("save"))
        optimizer.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
        optimizer.register_state_dict_post_hook(lambda o, d: {**d, "more": 1})
        saved = optimizer.state_dict()
        seen.append(sorted(saved))

        def change(o: Any, d: Any) -> Any:
            seen.append(sorted(d))
            groups = [{**group, "lr": 0.125} for group in d["param_groups"]]
            return {**d, "param_groups": groups}

        optimizer.register_load_state_dict_pre_hook(change)
        handle = optimizer.register_load_state_dict_post_hook(
            lambda o: seen.append(o.param_groups[0]["lr"]))
        optimizer.load_state_dict(saved)
        handle.remove()
        optimizer.load_state_dict(saved)
        return seen

    assert program(minitorch) == program(torch)


@NAMES
def test_a_state_without_newer_options_gets_their_defaults(name: str) -> None:
    run, again = Run(minitorch, name, {}), Run(minitorch, name, {})
    arrays = run.steps(2)
    saved = run.optimizer.state_dict()
    for group in saved["param_groups"]:
        for option in ("maximize", "decoupled_weight_decay", "momentum", "foreach"):
            group.pop(option, None)
    again.place(arrays)
    again.optimizer.load_state_dict(saved)
    close(again.steps(3, 2), run.steps(3, 2), 0)
