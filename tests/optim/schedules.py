"""Schedules drawn at random and run under either engine, and the comparison of what they do."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st

import minitorch

LRS = (0.1, 0.03)  # of the two groups
STEPS = 200

FUNCTIONS = {
    "inverse": lambda t: 1 / (t + 1),
    "decay": lambda t: 0.97 ** t,
    "steps": lambda t: 1.0 - 0.2 * (t % 3),
    "wave": lambda t: 1.1 if t % 7 == 0 else 0.98,
}


class Memory:
    """A callable object with state of its own: schedulers save its attributes."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, t: float) -> float:
        return self.rate ** (t % 5)


def function(name: Any) -> Any:
    return FUNCTIONS[name] if isinstance(name, str) else Memory(name)


FUNCTION_NAMES = st.sampled_from([*FUNCTIONS, 0.9, 1.05])
GAMMAS = st.sampled_from([0.0, 0.5, 0.9, 0.97, 1.0, 1.02])
FACTORS = st.floats(0.01, 1) | st.just(1.0)
PERIODS = st.integers(1, 60) | st.integers(100, 250)


def each_or_all(numbers: Any) -> Any:
    """One number for both groups, or one for each."""
    return numbers | st.tuples(numbers, numbers).map(list) | st.tuples(numbers, numbers)


RATES = each_or_all(st.floats(0.001, 0.5))
MOMENTUMS = dict(cycle_momentum=st.booleans(), base_momentum=each_or_all(st.floats(0.5, 0.8)),
                 max_momentum=each_or_all(st.floats(0.8, 0.99)))

SCALES = st.one_of(
    st.sampled_from([dict(mode="triangular"), dict(mode="triangular2"), dict(),
                     dict(mode="exp_range", gamma=0.99), dict(mode="exp_range")]),
    st.fixed_dictionaries(dict(scale_fn=FUNCTION_NAMES, scale_mode=st.sampled_from([
        "cycle", "iterations"])), optional=dict(mode=st.sampled_from(["exp_range", "own"]))))

SCHEDULES = {name: st.fixed_dictionaries({}, optional=options) for name, options in {
    "ConstantLR": dict(factor=FACTORS | st.just(0.0), total_iters=st.integers(0, 60)),
    "LinearLR": dict(start_factor=FACTORS, end_factor=FACTORS | st.just(0.0),
                     total_iters=st.integers(0, 250)),
    "PolynomialLR": dict(total_iters=PERIODS, power=st.sampled_from([0.5, 1.0, 1, 2, 3.5])),
}.items()} | {
    "LambdaLR": st.fixed_dictionaries(dict(lr_lambda=each_or_all(FUNCTION_NAMES))),
    "MultiplicativeLR": st.fixed_dictionaries(dict(lr_lambda=each_or_all(FUNCTION_NAMES))),
    "StepLR": st.fixed_dictionaries(dict(step_size=PERIODS), optional=dict(gamma=GAMMAS)),
    "MultiStepLR": st.fixed_dictionaries(
        dict(milestones=st.lists(st.integers(0, 220), max_size=6).map(sorted)),
        optional=dict(gamma=GAMMAS)),
    "ExponentialLR": st.fixed_dictionaries(dict(gamma=GAMMAS)),
    "CosineAnnealingLR": st.fixed_dictionaries(
        dict(T_max=PERIODS), optional=dict(eta_min=st.sampled_from([0, 0.001, 0.02, 0.05]))),
    "CosineAnnealingWarmRestarts": st.fixed_dictionaries(
        dict(T_0=PERIODS),
        optional=dict(T_mult=st.integers(1, 4), eta_min=st.sampled_from([0, 0.001, 0.05]))),
    "CyclicLR": st.fixed_dictionaries(
        dict(base_lr=RATES, max_lr=RATES, step_size_up=PERIODS),
        optional=dict(step_size_down=PERIODS, **MOMENTUMS)).flatmap(
            lambda options: SCALES.map(lambda scale: {**options, **scale})),
    "OneCycleLR": st.fixed_dictionaries(
        dict(max_lr=RATES),
        optional=dict(
            pct_start=st.floats(0, 1), anneal_strategy=st.sampled_from(["cos", "linear"]),
            div_factor=st.floats(1, 30), final_div_factor=st.floats(1, 1e4),
            three_phase=st.booleans(), **MOMENTUMS)).flatmap(lambda options: st.one_of(
                st.builds(lambda n: {**options, "total_steps": n}, st.integers(1, 250)),
                st.builds(lambda n, m: {**options, "epochs": n, "steps_per_epoch": m},
                          st.integers(1, 10), st.integers(1, 25)))),
    "SWALR": st.fixed_dictionaries(
        dict(swa_lr=RATES),
        optional=dict(anneal_epochs=st.sampled_from([0, 0, 1, 2, 30]) | st.integers(0, 250),
                      anneal_strategy=st.sampled_from(["cos", "linear"]))),
}
ANY = st.sampled_from(sorted(SCHEDULES)).flatmap(
    lambda name: st.tuples(st.just(name), SCHEDULES[name]))


class Run:
    """An optimizer of two groups and its schedulers, under one engine.

    ``recipes``: the name and the options of each scheduler. ``tensors``: a dtype, if the rates
    are to be tensors of it.
    """

    def __init__(self, engine: Any, recipes: Any, optimizer: str = "SGD", tensors: str = "",
                 last_epoch: int = -1, groups: Any = None, composed: Any = None) -> None:
        self.engine = engine
        lrs = [engine.tensor(lr, dtype=getattr(engine, tensors)) if tensors else lr for lr in LRS]
        self.optimizer = getattr(engine.optim, optimizer)(
            [{"params": [engine.ones(1, requires_grad=True)], "lr": lr} for lr in lrs],
            **({"momentum": 0.5} if optimizer == "SGD" else {}))
        for group, saved in zip(self.optimizer.param_groups, groups or ()):
            group.update(saved)
        with quiet():
            self.schedulers = [self.make(*recipe, last_epoch) for recipe in recipes]
            if composed is not None:
                self.schedulers = composed(engine.optim.lr_scheduler, self)

    def make(self, name: str, options: dict[str, Any], last_epoch: int = -1) -> Any:
        module = self.engine.optim.lr_scheduler
        options = dict(options)
        for key in ("lr_lambda", "scale_fn"):
            if key in options:
                given = options[key]
                options[key] = (list(map(function, given)) if isinstance(given, (list, tuple))
                                else function(given))
        if last_epoch != -1:
            options["last_epoch"] = last_epoch
        if name == "SWALR":
            module = self.engine.optim.swa_utils
        return getattr(module, name)(self.optimizer, **options)

    def step(self, *args: Any) -> None:
        with quiet():
            self.optimizer.step()
            for scheduler in self.schedulers:
                scheduler.step(*args)

    def groups(self) -> list[dict[str, Any]]:
        """What a checkpoint would keep of the groups."""
        return [{k: v for k, v in group.items() if k != "params"}
                for group in self.optimizer.param_groups]

    def numbers(self) -> Any:
        """All that schedules set: rates, as the groups and the schedulers have them; momentums."""
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        last = [float(lr) for scheduler in self.schedulers for lr in scheduler.get_last_lr()]
        momentums = [float(x) for group in self.optimizer.param_groups
                     for x in group.get("betas", (group.get("momentum"),))]
        return rates + last + momentums


class Edit(NamedTuple):
    """What happens at one epoch besides the step: a change by hand, or a jump."""

    epoch: int
    factors: tuple[float, float] | None = None
    to: int | None = None


EDITS = st.lists(st.builds(Edit, st.integers(0, STEPS), to=st.none(), factors=st.tuples(
    st.floats(0.1, 3), st.floats(0.1, 3))), max_size=3)
JUMPS = st.lists(st.builds(Edit, st.integers(0, 60), to=st.integers(0, 150), factors=st.none()),
                 max_size=3)


def trace(run: Run, steps: int = STEPS, edits: Any = ()) -> tuple[Any, str]:
    """The numbers of every epoch; and the error that ended the run before its time, if any."""
    rows = [run.numbers()]
    for t in range(steps):
        args = []
        for edit in edits:
            if edit.epoch == t and edit.factors:
                for group, factor in zip(run.optimizer.param_groups, edit.factors):
                    group["lr"] = group["lr"] * factor
            if edit.epoch == t and edit.to is not None:
                args = [edit.to]
        try:
            run.step(*args)
        except Exception as error:
            return np.array(rows), shown(error)
        rows.append(run.numbers())
    return np.array(rows), ""


def shown(error: BaseException) -> str:
    """An error's type, and its text where it is PyTorch's rather than Python's."""
    own = isinstance(error, (ZeroDivisionError, AttributeError, NotImplementedError))
    return type(error).__name__ + ("" if own else f": {error}")


def made(engine: Any, *args: Any, **kwargs: Any) -> tuple[Run | None, str]:
    """A run, or the error that making it raises."""
    try:
        return Run(engine, *args, **kwargs), ""
    except Exception as error:
        return None, shown(error)


def agree(*args: Any, steps: int = STEPS, edits: Any = (), **kwargs: Any) -> None:
    """Assert that both engines do the same at every epoch."""
    (ours, error), (theirs, expected) = (made(engine, *args, **kwargs)
                                         for engine in (minitorch, torch))
    assert error == expected
    if ours is not None and theirs is not None:
        same_traces(trace(ours, steps, edits), trace(theirs, steps, edits))
        for scheduler, twin in zip(ours.schedulers, theirs.schedulers):
            same_state(scheduler.state_dict(), twin.state_dict())
        same_state(ours.groups(), theirs.groups())


def same_traces(ours: Any, theirs: Any) -> None:
    assert ours[1] == theirs[1]
    # Where LinearLR ends at 0, PyTorch's ends at a rounding error of the rates before, up to 0.5.
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12, atol=1e-14)


def same_state(ours: Any, theirs: Any, where: str = "state") -> None:
    """Assert that two state dicts have the same layout and, up to rounding, the same numbers."""
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs), where
        for key in theirs:
            same_state(ours[key], theirs[key], f"{where}[{key!r}]")
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs) and type(ours) is type(theirs), where
        for i, (x, y) in enumerate(zip(ours, theirs)):
            same_state(x, y, f"{where}[{i}]")
    elif isinstance(theirs, (float, int, torch.Tensor)) and not isinstance(theirs, bool):
        assert isinstance(ours, minitorch.Tensor) == isinstance(theirs, torch.Tensor), where
        assert isinstance(theirs, torch.Tensor) or type(ours) is type(theirs), where
        digits = 1e-6 if getattr(theirs, "dtype", None) is torch.float32 else 1e-12
        x, y = float(ours), float(theirs)
        assert math.isclose(x, y, rel_tol=digits, abs_tol=1e-14) or (x != x and y != y), (
            f"{where}: {x} instead of {y}")
    else:
        assert ours == theirs, where


@contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
