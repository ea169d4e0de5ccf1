"""Every schedule has torch's rates and momentums at every epoch, alone and in company."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from tests.optim.schedules import (
    ANY,
    EDITS,
    JUMPS,
    SCHEDULES,
    STEPS,
    Run,
    agree,
    quiet,
    same_state,
)

OPTIMIZERS = st.sampled_from(["SGD", "Adam"])


@pytest.mark.parametrize("name", SCHEDULES)
@given(st.data())
def test_two_hundred_epochs_agree_with_torch(name, data):
    agree([(name, data.draw(SCHEDULES[name]))], data.draw(OPTIMIZERS), edits=data.draw(EDITS))


@pytest.mark.parametrize("name", SCHEDULES)
@given(st.data())
def test_jumps_to_an_epoch_agree_with_torch(name, data):
    if name == "CosineAnnealingWarmRestarts":  # may also lie between two epochs
        jumps = [j._replace(to=j.to + data.draw(st.sampled_from([0, 0.25, 0.9])))
                 for j in data.draw(JUMPS)]
    else:
        jumps = data.draw(JUMPS)
    agree([(name, data.draw(SCHEDULES[name]))], data.draw(OPTIMIZERS), steps=90, edits=jumps)


@pytest.mark.parametrize("scale", [
    dict(mode="triangular"), dict(mode="triangular2"), dict(mode="exp_range", gamma=0.98),
    dict(scale_fn=0.9, scale_mode="iterations"), dict(scale_fn="inverse")])
@pytest.mark.parametrize("down", [None, 3, 8])
def test_cycles_of_every_kind_agree_with_torch(scale, down):
    agree([("CyclicLR", dict(base_lr=0.01, max_lr=[0.1, 0.3], step_size_up=4, step_size_down=down,
                             **scale))], steps=60)


@settings(max_examples=40)
@given(st.lists(ANY, min_size=2, max_size=3), OPTIMIZERS, EDITS)
def test_several_schedulers_of_one_optimizer_agree_with_torch(recipes, optimizer, edits):
    agree(recipes, optimizer, edits=edits)


@settings(max_examples=40)
@given(st.lists(ANY, min_size=1, max_size=3), EDITS)
def test_chained_schedulers_agree_with_torch(recipes, edits):
    agree(recipes, edits=edits,
          composed=lambda module, run: [module.ChainedScheduler(run.schedulers, run.optimizer)])


@st.composite
def sequences(draw):
    recipes = draw(st.lists(ANY, min_size=1, max_size=4))
    n = len(recipes) - 1
    return recipes, sorted(draw(st.lists(st.integers(0, STEPS), min_size=n, max_size=n)))


@settings(max_examples=40)
@given(sequences(), EDITS)
def test_sequences_agree_with_torch(sequence, edits):
    recipes, milestones = sequence
    agree(recipes, edits=edits, composed=lambda module, run: [
        module.SequentialLR(run.optimizer, run.schedulers, milestones)])


@settings(max_examples=40)
@given(sequences(), st.lists(ANY, min_size=1, max_size=2), st.booleans())
def test_compositions_of_compositions_agree_with_torch(sequence, others, sequence_first):
    recipes, milestones = sequence

    def composed(module, run):
        inner = module.SequentialLR(run.optimizer, run.schedulers[len(others):], milestones)
        rest = module.ChainedScheduler(run.schedulers[:len(others)])
        if sequence_first:
            return [module.ChainedScheduler([inner, rest])]
        return [module.SequentialLR(run.optimizer, [rest, inner], [STEPS // 2])]

    agree([*others, *recipes], composed=composed)


@settings(max_examples=40)
@given(ANY, st.sampled_from(["float64", "float32"]), OPTIMIZERS)
def test_a_rate_that_is_a_tensor_is_filled_in_place(recipe, dtype, optimizer):
    try:
        ours = Run(minitorch, [recipe], optimizer, dtype)
    except ZeroDivisionError:
        return
    theirs = Run(torch, [recipe], optimizer, dtype)
    tensors = [group["lr"] for group in ours.optimizer.param_groups]
    base = list(map(float, ours.schedulers[0].base_lrs))
    for _ in range(12):
        before = ours.schedulers[0].get_last_lr(), [*map(float, ours.schedulers[0].get_last_lr())]
        try:
            theirs.step()
        except (ZeroDivisionError, ValueError):
            return
        ours.step()
        assert all(group["lr"] is t for group, t in zip(ours.optimizer.param_groups, tensors))
        assert [*map(float, before[0])] == before[1]  # copies, not the tensors of the groups
        same_state(ours.groups(), theirs.groups())
        for scheduler, twin in zip(ours.schedulers, theirs.schedulers):
            same_state(scheduler.state_dict(), twin.state_dict())
    assert base == list(map(float, ours.schedulers[0].base_lrs))


def test_a_rate_of_one_element_is_filled_too():
    for engine in (minitorch, torch):
        lr = engine.tensor([0.5])
        optimizer = engine.optim.SGD([engine.ones(1, requires_grad=True)], lr=lr)
        scheduler = engine.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        optimizer.step()
        scheduler.step()
        assert optimizer.param_groups[0]["lr"] is lr and lr.tolist() == [0.25]


METRICS = st.one_of(
    st.floats(-2, 2), st.integers(-2, 2), st.sampled_from([math.nan, math.inf, -math.inf, 1.0]),
    st.sampled_from([0.9, 0.9999, 1.0001, 1.1, 0.99 * 0.9]))


@settings(max_examples=100)
@given(
    st.fixed_dictionaries(dict(
        mode=st.sampled_from(["min", "max"]), factor=st.sampled_from([0.1, 0.5, 0.99, 0.0]),
        patience=st.integers(0, 4), threshold=st.sampled_from([0.0, 1e-4, 0.1, 0.01]),
        threshold_mode=st.sampled_from(["rel", "abs"]), cooldown=st.integers(0, 4),
        min_lr=st.sampled_from([0, 0.01, 0.05, [0.01, 0.02], (0.0, 0.05)]),
        eps=st.sampled_from([1e-8, 0.0, 0.01]))) | st.just({}),
    st.lists(METRICS, min_size=1, max_size=60), st.sampled_from(["", "float64", "float32"]),
    st.booleans())
def test_plateaus_agree_with_torch(options, metrics, tensors, metric_is_a_tensor):
    ours, theirs = (Run(engine, [("ReduceLROnPlateau", options)], tensors=tensors)
                    for engine in (minitorch, torch))
    same_state(ours.schedulers[0].state_dict(), theirs.schedulers[0].state_dict())
    for metric in metrics:
        for run in (ours, theirs):
            run.step(run.engine.tensor(float(metric)) if metric_is_a_tensor else metric)
        same_state(ours.schedulers[0].state_dict(), theirs.schedulers[0].state_dict())
        same_state(ours.groups(), theirs.groups())
        assert ours.schedulers[0].in_cooldown == theirs.schedulers[0].in_cooldown


def test_a_plateau_takes_a_jump_and_a_new_group():
    for engine in (minitorch, torch):
        run = Run(engine, [("ReduceLROnPlateau", dict(patience=0, factor=0.5, min_lr=0.02))])
        run.step(1.0, 7)
        assert run.schedulers[0].last_epoch == 7
        run.optimizer.add_param_group({"params": [engine.ones(1, requires_grad=True)], "lr": 1.0})
        run.step(1.0)
        assert [group["lr"] for group in run.optimizer.param_groups] == [0.05, 0.02, 0.5]
        listed = Run(engine, [("ReduceLROnPlateau", dict(patience=0, min_lr=[0.0, 0.0]))])
        listed.optimizer.add_param_group({"params": [engine.ones(1, requires_grad=True)]})
        listed.step(1.0)
        with pytest.raises(RuntimeError, match=r"optimizer` \(3\) differs .* \(2\), usually due"):
            listed.step(1.0)


@pytest.mark.parametrize("first", [math.nan, 1.0])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_a_metric_at_the_threshold_is_not_better(first, mode, threshold_mode):
    """Also 0.25 is no reduction where ``eps`` is 0.25."""
    options = dict(mode=mode, threshold_mode=threshold_mode, threshold=0.25, factor=0.5,
                   patience=0, eps=0.25)
    metrics = [first, 4.0, 3.75, 4.25, 3.0, 5.0, 2.9, 5.1, 2.65, 5.35, 2.0, 7.0]
    ours, theirs = (Run(engine, [("ReduceLROnPlateau", options)]) for engine in (minitorch, torch))
    for run in (ours, theirs):
        run.optimizer.param_groups[0]["lr"], run.optimizer.param_groups[1]["lr"] = 0.5, 8.0
    for metric in metrics:
        for run in (ours, theirs):
            run.step(metric)
        same_state(ours.schedulers[0].state_dict(), theirs.schedulers[0].state_dict())
        same_state(ours.groups(), theirs.groups())
    assert ours.optimizer.param_groups[0]["lr"] == 0.5


def test_a_schedule_of_ones_own():
    """A subclass may give the closed form, under PyTorch's name for it, and add groups later."""
    results = []
    for engine in (minitorch, torch):
        class Own(engine.optim.lr_scheduler._LRScheduler):
            def get_lr(self):
                return [group["lr"] * 0.5 for group in self.optimizer.param_groups]

            def _get_closed_form_lr(self):
                return [lr * 10 ** -self.last_epoch for lr in self.base_lrs]

        optimizer = engine.optim.SGD([engine.ones(1, requires_grad=True)], lr=0.5)
        scheduler = Own(optimizer)
        seen = [*scheduler.get_last_lr()]
        with quiet():
            for args in ((), (), (3,), ()):
                optimizer.step()
                scheduler.step(*args)
                seen += scheduler.get_last_lr()
            optimizer.add_param_group({"params": [engine.ones(2, requires_grad=True)], "lr": 1.0})
            scheduler.step()
            seen += scheduler.get_last_lr()
            with pytest.raises(ValueError):  # it has no initial rate
                scheduler.step(1)
        results.append(seen)
    np.testing.assert_array_equal(*results)
