"""A schedule goes on from where it was: from a state dict, a file, or the epoch last seen."""

import copy
import functools
import io

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minitorch
from tests.optim.schedules import (
    ANY,
    SCHEDULES,
    Memory,
    Run,
    made,
    quiet,
    same_state,
    same_traces,
    trace,
)

PLATEAUS = st.tuples(st.just("ReduceLROnPlateau"), st.fixed_dictionaries(dict(
    factor=st.sampled_from([0.5, 0.9]), patience=st.integers(0, 2), cooldown=st.integers(0, 2),
    mode=st.sampled_from(["min", "max"]))))


def chained(module, run):
    return [module.ChainedScheduler(run.schedulers)]


def sequential(module, run):
    milestones = [7 * (i + 1) for i in range(len(run.schedulers) - 1)]
    return [module.SequentialLR(run.optimizer, run.schedulers, milestones)]


def nested(module, run):
    first, *others = run.schedulers
    return [module.ChainedScheduler([first, *(sequential(module, run) if others else [])])]


SETUPS = st.tuples(st.lists(ANY, min_size=1, max_size=3),
                   st.sampled_from([None, chained, sequential, nested]),
                   st.sampled_from(["", "float64"]))


class Setup:
    """The same run, as often as wanted, in either engine."""

    def __init__(self, recipes, composed, tensors):
        self.arguments = dict(recipes=recipes, composed=composed, tensors=tensors)

    def run(self, engine):
        run, error = made(engine, **self.arguments)
        assume(not error)
        return run

    def continued(self, saved, engine, convert=lambda x: x):
        """A new run that goes on from a checkpoint: of the groups, and of the schedulers."""
        run = self.run(engine)
        for group, values in zip(run.optimizer.param_groups, convert(saved.groups())):
            group.update(copy.deepcopy(values))
        for scheduler, old in zip(run.schedulers, saved.schedulers):
            state = convert(old.state_dict())
            before = repr(state)
            scheduler.load_state_dict(state)
            assert repr(state) == before
        return run


def to_torch(value):
    if isinstance(value, minitorch.Tensor):
        return torch.from_numpy(np.array(value.numpy()))
    if isinstance(value, dict):
        return type(value)({k: to_torch(v) for k, v in value.items()})
    return type(value)(map(to_torch, value)) if isinstance(value, (list, tuple)) else value


def to_minitorch(value):
    """The groups of a PyTorch optimizer as its state dict would bring them here."""
    if isinstance(value, torch.Tensor):
        return minitorch.from_numpy(np.array(value.numpy()))
    if isinstance(value, dict):
        return type(value)({k: to_minitorch(v) for k, v in value.items()})
    return type(value)(map(to_minitorch, value)) if isinstance(value, (list, tuple)) else value


def through_a_file(value):
    file = io.BytesIO()
    minitorch.save(value, file)
    file.seek(0)
    return minitorch.load(file)


@given(SETUPS, st.integers(0, 40), st.booleans())
def test_resume_is_bit_exact(setup, n, by_file):
    setup = Setup(*setup)
    run = setup.run(minitorch)
    _, error = trace(run, n)
    assume(not error)
    again = setup.continued(run, minitorch, through_a_file if by_file else lambda x: x)
    for scheduler, old in zip(again.schedulers, run.schedulers):
        assert list(scheduler.state_dict()) == list(old.state_dict())
    (a, error_a), (b, error_b) = trace(again, 60), trace(run, 60)
    np.testing.assert_array_equal(a, b)
    assert error_a == error_b


@given(SETUPS, st.integers(0, 40), st.booleans())
def test_states_continue_in_the_other_engine(setup, n, from_torch):
    setup = Setup(*setup)
    first, second = (torch, minitorch) if from_torch else (minitorch, torch)
    run = setup.run(first)
    _, error = trace(run, n)
    assume(not error)
    again = setup.run(second)
    for group, values in zip(again.optimizer.param_groups, run.groups()):
        group.update(to_minitorch(values) if from_torch else to_torch(values))
    for scheduler, old in zip(again.schedulers, run.schedulers):
        state = old.state_dict()
        scheduler.load_state_dict(copy.deepcopy(state) if from_torch else to_torch(state))
    traces = [trace(again, 60), trace(run, 60)]
    same_traces(*(traces if from_torch else traces[::-1]))


@given(PLATEAUS, st.lists(st.sampled_from([0.5, 1.0, 2.0, float("nan")]), min_size=8, max_size=20),
       st.integers(0, 8), st.booleans())
def test_plateaus_continue_too(recipe, metrics, n, from_torch):
    run = Run(torch if from_torch else minitorch, [recipe])
    for metric in metrics[:n]:
        run.step(metric)
    (plateau,) = run.schedulers
    for engine in (minitorch, torch):
        again = Run(engine, [recipe], groups=run.groups())
        again.schedulers[0].load_state_dict(through_a_file(plateau.state_dict()))
        twin = Run(run.engine, [recipe], groups=run.groups())
        twin.schedulers[0].load_state_dict(plateau.state_dict())
        for metric in metrics[n:]:
            again.step(metric)
            twin.step(metric)
        ours, theirs = (again, twin) if engine is minitorch else (twin, again)
        same_state(ours.schedulers[0].state_dict(), theirs.schedulers[0].state_dict())
        same_state(ours.groups(), theirs.groups())


@pytest.mark.parametrize("name", SCHEDULES)
@settings(max_examples=8)
@given(st.data(), st.integers(0, 40), st.booleans())
def test_the_epoch_last_seen_does_what_it_does_in_torch(name, data, n, changed):
    options = data.draw(SCHEDULES[name])
    others = data.draw(SCHEDULES[name]) if changed else options
    traces, errors = [], []
    for engine in (minitorch, torch):
        run, error = made(engine, [(name, options)])
        if not error:
            _, error = trace(run, n)
        assume(not error)
        again, error = made(engine, [(name, others)], groups=run.groups(), last_epoch=n)
        errors.append(error)
        if not error:
            traces.append(trace(again, 30))
    assert errors[0] == errors[1]
    if traces:
        same_traces(*traces)


def test_only_the_attributes_of_callable_objects_are_saved():
    for engine in (minitorch, torch):
        run = Run(engine, [("LambdaLR", dict(lr_lambda=["inverse", 0.5])),
                           ("MultiplicativeLR", dict(lr_lambda=[0.7, "wave"])),
                           ("CyclicLR", dict(base_lr=0.1, max_lr=0.2, scale_fn=0.3)),
                           ("CyclicLR", dict(base_lr=0.1, max_lr=0.2, scale_fn="wave"))])
        states = [scheduler.state_dict() for scheduler in run.schedulers]
        assert states[0]["lr_lambdas"] == [None, {"rate": 0.5}]
        assert states[1]["lr_lambdas"] == [{"rate": 0.7}, None]
        assert [state["_scale_fn_custom"] for state in states[2:]] == [{"rate": 0.3}, None]
        states[0]["lr_lambdas"][1]["rate"] = states[2]["_scale_fn_custom"]["rate"] = 0.6
        assert run.schedulers[0].lr_lambdas[1].rate == 0.5  # a copy was saved
        for scheduler, state in zip(run.schedulers, states):
            scheduler.load_state_dict(state)
        assert run.schedulers[0].lr_lambdas[1].rate == 0.6
        assert run.schedulers[0].lr_lambdas[0](1) == 0.5
        assert run.schedulers[2].scale_fn(1) == 0.6


def test_a_partial_function_is_a_callable_object():
    run = Run(minitorch, [])
    scheduler = minitorch.optim.lr_scheduler.LambdaLR(
        run.optimizer, functools.partial(Memory(0.5).__call__))
    assert scheduler.state_dict()["lr_lambdas"] == [{}, {}]


def test_without_initial_rates_an_epoch_last_seen_raises():
    texts = []
    for engine in (minitorch, torch):
        with quiet(), pytest.raises(KeyError) as info:
            Run(engine, [("StepLR", dict(step_size=2))], last_epoch=3)
        texts.append(str(info.value))
    assert texts[0] == texts[1]
