"""All parameters of an optimizer in one launch move as they do one by one on a CPU."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch as torch
from minitorch import backends
from minitorch.kernels.cuda import launch, spelled, updates
from minitorch.optim.elementwise import number
from minitorch.spelling import InPlace
from minitorch.symbols import Program, read
from minitorch.testing.db.optimizers import OPTIONS, options
from tests import nvrtc
from tests.far import Far, gpu
from tests.formulas import OPTIONS as MOMENTUM
from tests.formulas import STATE, momentum

FEW = settings(max_examples=max(2, settings().max_examples // 50),
               suppress_health_check=[HealthCheck.function_scoped_fixture])
FLOATS = (np.float32, np.float64)


def reading(name: str, chosen: dict[str, Any], steps: int = 1) -> tuple[Program, dict[str, Any]]:
    """An optimizer's program at its n-th step, and the numbers of that."""
    p = torch.ones(3, requires_grad=True)
    optimizer = getattr(torch.optim, name)([p], **chosen)
    group = optimizer.param_groups[0]
    state = optimizer.state.get(p) or optimizer.begin(p, group)
    for _ in range(steps):
        own = optimizer.numbers(p, state, group)
    given = {k: number(group[k]) for k in optimizer.defaults if k not in (
        "foreach", "fused", "capturable", "differentiable")} | own
    names = [k for k in type(optimizer).kept if state.get(k) is not None]
    return read(type(optimizer).update, names, given), given


def tensors(rng: np.random.Generator, program: Program, dtype: Any) -> list[list[np.ndarray]]:
    """Parameters, each with its gradient and state, which is never negative."""
    return [[np.asarray(abs(rng.normal(size=shape)) if i > 1 else rng.normal(size=shape))
             .astype(dtype) for i in range(len(program.arrays))]
            for shape in [(), (0,), (700,), (2, 3), (1, 1)]]


def moved(program: Program, each: list[np.ndarray], given: dict[str, Any]) -> list[np.ndarray]:
    """What array calls make of them."""
    each = [a.copy() for a in each]
    with np.errstate(all="ignore"):
        InPlace(program, np)(each, given)
    return each


@FEW
@given(data=st.data())
def test_one_launch_equals_array_calls_for_every_optimizer(emulated: Any, data: Any) -> None:
    """Bit for bit, with the numbers given by value and from memory."""
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    todo = []
    for name in OPTIONS:
        program, numbers = reading(name, data.draw(options(name)), data.draw(st.integers(1, 9)))
        dtype = data.draw(st.sampled_from(FLOATS))
        for captured in (False, True):
            each = tensors(rng, program, dtype)
            expected = [moved(program, one, numbers) for one in each]
            c: Any = spelled.given(program)[0](numbers)
            made = updates.launches(program, each, np.array(c, dtype) if captured else c)
            todo.append((name, each, expected, made))
    for name, each, expected, made in todo:  # once all of them are asked for
        assert len(made) == 1
        made[0].function(*made[0][1:])
        for a, b in zip(chain(*each), chain(*expected), strict=True):
            np.testing.assert_array_equal(a, b, name)


def test_more_parameters_than_a_table_has_room_for(emulated: Any) -> None:
    program = read(momentum, STATE, MOMENTUM)
    count = updates.rows(program)
    rng = np.random.default_rng(0)
    each = [[abs(rng.normal(size=n % 5)) for _ in range(4)] for n in range(3 * count)]
    expected = [moved(program, one, MOMENTUM) for one in each]
    made = updates.launches(program, each, spelled.given(program)[0](MOMENTUM))
    assert len(made) == 3  # a fifth are empty
    for one in made:
        one.function(*one[1:])
    for a, b in zip(chain(*each), chain(*expected), strict=True):
        np.testing.assert_array_equal(a, b)
    assert updates.launches(program, [[np.ones(0)] * 4], [0.0] * 5) == []


def test_what_a_launch_is_given_takes_less_than_4_kB() -> None:
    for arrays in range(2, 12):
        program = Program()
        program.arrays = [None] * arrays  # type: ignore[list-item]
        assert 0 < updates.rows(program) * (8 * arrays + 8) <= updates.ROOM < 4000


def test_float16_is_computed_in_float(emulated: Any) -> None:
    program = read(momentum, STATE, MOMENTUM)
    rng = np.random.default_rng(0)
    each = [abs(rng.normal(size=50)).astype(np.float16) for _ in range(4)]
    single = [a.astype(np.float32) for a in each]
    updates.Together(program, np)(each, MOMENTUM)
    updates.Together(program, np)(single, MOMENTUM)
    assert emulated.launches == 2
    for a, b in zip(each, single):
        np.testing.assert_array_equal(a, b.astype(np.float16))


@pytest.mark.parametrize("spoil", [
    lambda a: a.astype(np.float64), lambda a: np.asfortranarray(a),
    lambda a: np.repeat(a, 2, 0)[::2]])
@pytest.mark.parametrize("which", range(4))
def test_arrays_that_do_not_fit_move_by_array_calls(spoil: Any, which: int, emulated: Any) -> None:
    program = read(momentum, STATE, MOMENTUM)
    each = [np.linspace(0.5, 2, 6, dtype=np.float32).reshape(2, 3) for _ in range(4)]
    expected = moved(program, each, MOMENTUM)
    each[which] = spoil(each[which])
    together = updates.Together(program, np)
    together.bound([each[0], *each[2:]])(each[1], MOMENTUM)
    assert not updates.waiting.moves and emulated.launches == 0
    for a, b in zip(each, expected):
        np.testing.assert_allclose(a, b, rtol=1e-6)  # one may be float64


def runs(device: str, name: str, chosen: dict[str, Any]) -> tuple[list[Any], list[int]]:
    """Parameters and state after nine steps, and the launches of each."""
    rng = np.random.default_rng(0)
    shapes = [(4, 3), (3,), (), (3, 4), (4,)]
    params = [torch.tensor(rng.normal(size=s).astype("f"), device=device).requires_grad_()
              for s in shapes]
    groups = [{"params": params[:3]}, {"params": params[3:], "lr": 0.01}]
    optimizer = getattr(torch.optim, name)(groups, **chosen)
    counts = []
    for _ in range(9):
        for p in params:
            p.grad = torch.tensor(rng.normal(size=p.shape).astype("f"), device=device)
        before = launch.launcher.launches
        optimizer.step()
        counts.append(launch.launcher.launches - before)
    state = [s for p in params for s in optimizer.state[p].values() if hasattr(s, "array")]
    return [t.detach().cpu().numpy() for t in (*params, *state)], counts


@pytest.mark.parametrize("name", ["Adam", "SGD", "RAdam"])
def test_a_step_of_an_optimizer_is_one_launch_for_each_group(name: str, emulated: Any,
                                                             monkeypatch: Any) -> None:
    monkeypatch.setattr(backends.numba, "enabled", False)
    monkeypatch.setattr(getattr(torch.optim, name), "programs", {})  # the class's, for all devices
    chosen = {"lr": 0.1} | ({"momentum": 0.9} if name == "SGD" else {})
    expected, _ = runs("cpu", name, chosen)
    with gpu():
        monkeypatch.setattr(emulated, "ndarray", Far, raising=False)
        found, counts = runs("cuda", name, chosen)
    assert counts == [2] * 9
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_numbers_of_the_next_step_are_computed_where_the_parameters_are(emulated: Any) -> None:
    """A rate that changes is written into the options; the kernel counts on."""
    chosen = {"lr": 0.1, "betas": (0.9, 0.99), "weight_decay": 0.01}
    program, given = reading("AdamW", chosen)
    o = np.array([given["betas"][int(s.name[-1])] if s.name.startswith("betas") else given[s.name]
                  for s in program.options], np.float64)
    place = {s.name: i for i, s in enumerate(program.options)}
    compute, passed = spelled.given(program)
    c = np.zeros(len(passed))
    step = launch.launcher.function(updates.stepping(program, np.float64), "step")
    o[place["t"]] = 0
    for t in range(1, 6):
        o[place["lr"]] = 0.1 / t
        step((1,), (1,), [o, c])
        # pow is the C library's on both sides; only CUDA's own may differ, in the last place.
        np.testing.assert_array_equal(c, compute(given | {"t": float(t), "lr": 0.1 / t}))


@pytest.mark.parametrize("architecture", nvrtc.ARCHITECTURES)
def test_updates_compile_for_gpus(architecture: str) -> None:
    texts = []
    for name in OPTIONS:
        program, _ = reading(name, {"lr": 0.1}, 7)
        texts += [updates.source(program, np.float32, False),
                  updates.source(program, np.float64, True), updates.stepping(program, np.float32)]
    texts.append(updates.source(program, np.float16, False))
    nvrtc.compiled(texts, architecture)
