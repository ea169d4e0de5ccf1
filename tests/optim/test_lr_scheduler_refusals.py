"""Schedulers refuse what torch's refuse, and warn when torch's warn, in the same words."""

import copy
import types
import warnings

import pytest
import torch

import minitorch
from tests.optim.schedules import SCHEDULES, Run, quiet, shown


def outcome(engine, call):
    """The error that a call raises, and the groups after it."""
    run = Run(engine, [])
    module = engine.optim.lr_scheduler
    before = copy.deepcopy(run.groups())
    try:
        call(module, run.optimizer)
    except Exception as error:
        return error, before, run.groups()
    raise AssertionError("nothing was raised")


def rms(module):
    """An optimizer without momentum, of the scheduler module's engine."""
    engine = minitorch if module is minitorch.optim.lr_scheduler else torch

    class Plain(engine.optim.Optimizer):
        def step(self, closure=None):
            pass

    return Plain([engine.ones(1, requires_grad=True)], dict(lr=0.1))


def swalr(module):
    return (minitorch if module is minitorch.optim.lr_scheduler else torch).optim.swa_utils.SWALR


CALLS = {
    "not an optimizer": lambda s, o: s.StepLR([], 3),
    "not an optimizer, plateau": lambda s, o: s.ReduceLROnPlateau("SGD"),
    "not an optimizer, cyclic": lambda s, o: s.CyclicLR(3, 0.1, 0.2),
    "not an optimizer, one cycle": lambda s, o: s.OneCycleLR(None, 0.1, 10),
    "too few functions": lambda s, o: s.LambdaLR(o, [len]),
    "too many functions": lambda s, o: s.MultiplicativeLR(o, (len, len, len)),
    "no function": lambda s, o: s.MultiplicativeLR(o, 0.5),
    "not all are functions": lambda s, o: s.MultiplicativeLR(o, [len, "len"]),
    "constant factor": lambda s, o: s.ConstantLR(o, 1.000001),
    "negative constant factor": lambda s, o: s.ConstantLR(o, -1e-6),
    "start factor 0": lambda s, o: s.LinearLR(o, 0.0),
    "start factor over 1": lambda s, o: s.LinearLR(o, 1.000001),
    "end factor": lambda s, o: s.LinearLR(o, 0.5, 1.000001),
    "negative end factor": lambda s, o: s.LinearLR(o, 0.5, -1e-6),
    "T_0 of 0": lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    "T_0 not an int": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2.5),
    "T_mult": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 0),
    "T_mult not an int": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 1.5),
    "eta_min": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, eta_min="0"),
    "negative epoch": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
    "base_lr": lambda s, o: s.CyclicLR(o, [0.1], 0.2),
    "max_lr": lambda s, o: s.CyclicLR(o, 0.1, (0.2, 0.3, 0.4)),
    "cyclic mode": lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square"),
    "cyclic base_momentum": lambda s, o: s.CyclicLR(o, 0.1, 0.2, base_momentum=[0.5]),
    "cyclic max_momentum": lambda s, o: s.CyclicLR(o, 0.1, 0.2, max_momentum=[0.5]),
    "cyclic without momentum": lambda s, o: s.CyclicLR(rms(s), 0.1, 0.2),
    "total_steps": lambda s, o: s.OneCycleLR(o, 0.1, 0),
    "total_steps not an int": lambda s, o: s.OneCycleLR(o, 0.1, 2.5),
    "epochs": lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3),
    "epochs not an int": lambda s, o: s.OneCycleLR(o, 0.1, epochs=1.5, steps_per_epoch=3),
    "steps_per_epoch": lambda s, o: s.OneCycleLR(o, 0.1, epochs=3, steps_per_epoch=-1),
    "no steps": lambda s, o: s.OneCycleLR(o, 0.1, epochs=3),
    "pct_start": lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=1.1),
    "negative pct_start": lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=-0.1),
    "pct_start an int": lambda s, o: s.OneCycleLR(o, 0.1, 10, pct_start=1),
    "anneal_strategy": lambda s, o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="log"),
    "one cycle max_lr": lambda s, o: s.OneCycleLR(o, [0.1], 10),
    "one cycle base_momentum": lambda s, o: s.OneCycleLR(o, 0.1, 10, base_momentum=[0.5]),
    "one cycle max_momentum": lambda s, o: s.OneCycleLR(o, 0.1, 10, max_momentum=[0.5]),
    "one cycle without momentum": lambda s, o: s.OneCycleLR(rms(s), 0.1, 10),
    "plateau factor": lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda s, o: s.ReduceLROnPlateau(o, "least"),
    "plateau threshold_mode": lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="part"),
    "plateau min_lr": lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    "swa_lr": lambda s, o: swalr(s)(o, [0.1]),
    "swa strategy": lambda s, o: swalr(s)(o, 0.1, anneal_strategy="log"),
    "swa epochs": lambda s, o: swalr(s)(o, 0.1, -1),
    "swa epochs not an int": lambda s, o: swalr(s)(o, 0.1, 1.5),
}

COMPOSITIONS = {
    "chain of none": lambda s, o: s.ChainedScheduler([]),
    "chain of what is none": lambda s, o: s.ChainedScheduler([s.StepLR(o, 3), 3]),
    "chain with a plateau": lambda s, o: s.ChainedScheduler([s.StepLR(o, 3),
                                                             s.ReduceLROnPlateau(o)]),
    "chain of two optimizers": lambda s, o: s.ChainedScheduler([s.StepLR(o, 3),
                                                                s.StepLR(rms(s), 3)]),
    "chain of another optimizer": lambda s, o: s.ChainedScheduler([s.StepLR(o, 3)], rms(s)),
    "sequence of none": lambda s, o: s.SequentialLR(o, [], []),
    "sequence of what is none": lambda s, o: s.SequentialLR(o, [3], []),
    "sequence with a plateau": lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
    "sequence of another optimizer": lambda s, o: s.SequentialLR(rms(s), [s.StepLR(o, 3)], []),
    "sequence of too many milestones": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 3)], [3]),
}


@pytest.mark.parametrize("name", [*CALLS, *COMPOSITIONS])
def test_bad_calls_raise_what_torch_raises(name):
    with quiet():
        ours, theirs = (outcome(engine, {**CALLS, **COMPOSITIONS}[name])
                        for engine in (minitorch, torch))
    assert shown(ours[0]).splitlines()[0] == shown(theirs[0]).splitlines()[0]
    if name in CALLS and name != "negative epoch":
        assert ours[1] == ours[2]  # nothing was changed before


def test_more_than_the_total_of_steps_raises():
    texts = []
    for engine in (minitorch, torch):
        run = Run(engine, [("OneCycleLR", dict(max_lr=0.1, total_steps=3))])
        for _ in range(3):
            run.step()
        with pytest.raises(ValueError) as info:
            run.step()
        texts.append(str(info.value))
    assert texts[0] == texts[1]


def test_a_schedule_without_get_lr_is_none():
    for engine in (minitorch, torch):
        with pytest.raises(NotImplementedError):
            engine.optim.lr_scheduler.LRScheduler(Run(engine, []).optimizer)


# -- warnings ------------------------------------------------------------------------------------

def in_order(engine, optimizer):
    scheduler = engine.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    scheduler.step()
    scheduler.step()


def reversed_order(engine, optimizer):
    scheduler = engine.optim.lr_scheduler.StepLR(optimizer, 3)
    scheduler.step()
    scheduler.step()
    optimizer.step()


def steps_before_the_first_scheduler_do_not_count(engine, optimizer):
    optimizer.step()
    engine.optim.lr_scheduler.StepLR(optimizer, 3).step()


def steps_before_the_second_scheduler_count(engine, optimizer):
    engine.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    engine.optim.lr_scheduler.ExponentialLR(optimizer, 0.9).step()


def overridden_later(engine, optimizer):
    scheduler = engine.optim.lr_scheduler.StepLR(optimizer, 3)
    old = optimizer.step
    optimizer.step = types.MethodType(lambda self, *args: old(*args), optimizer)
    optimizer.step()
    scheduler.step()
    scheduler.step()


def overridden_before(engine, optimizer):
    old = optimizer.step
    optimizer.step = types.MethodType(lambda self, *args: old(*args), optimizer)
    scheduler = engine.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    scheduler.step()


def overridden_between_two(engine, optimizer):
    first = engine.optim.lr_scheduler.StepLR(optimizer, 3)
    old = optimizer.step
    optimizer.step = types.MethodType(lambda self, *args: old(*args), optimizer)
    second = engine.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    first.step()
    second.step()


def an_optimizer_of_ones_own(engine, optimizer):
    class Own(engine.optim.Optimizer):
        def step(self, closure=None):
            return None

    optimizer = Own([engine.ones(1, requires_grad=True)], dict(lr=0.1))
    scheduler = engine.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    scheduler.step()
    again = Own([engine.ones(1, requires_grad=True)], dict(lr=0.1))
    engine.optim.lr_scheduler.StepLR(again, 3).step()


def to_an_epoch(engine, optimizer):
    scheduler = engine.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    scheduler.step(4)
    engine.optim.lr_scheduler.ReduceLROnPlateau(optimizer).step(1.0, 4)
    engine.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3).step(4)


def a_chain(engine, optimizer):
    module = engine.optim.lr_scheduler
    module.ChainedScheduler([module.StepLR(optimizer, 3), module.ExponentialLR(optimizer, 0.9),
                             module.CosineAnnealingWarmRestarts(optimizer, 3)]).step()


def a_sequence(engine, optimizer):
    module = engine.optim.lr_scheduler
    scheduler = module.SequentialLR(optimizer, [
        module.StepLR(optimizer, 3), module.ExponentialLR(optimizer, 0.9)], [2])
    for _ in range(4):
        scheduler.step()


def a_plateau(engine, optimizer):
    engine.optim.lr_scheduler.ReduceLROnPlateau(optimizer).step(1.0)


def a_step_of_ones_own(engine, optimizer):
    class Own(engine.optim.lr_scheduler.StepLR):
        def step(self):
            self.last_epoch += 1
            self._last_lr = self.get_lr()

    Own(optimizer, 3).step()


@pytest.mark.parametrize("program", [
    in_order, reversed_order, steps_before_the_first_scheduler_do_not_count,
    steps_before_the_second_scheduler_count, overridden_later, overridden_before,
    overridden_between_two, an_optimizer_of_ones_own, to_an_epoch, a_chain, a_sequence, a_plateau,
    a_step_of_ones_own])
def test_warnings_are_torchs(program):
    found = []
    for engine in (minitorch, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            program(engine, Run(engine, []).optimizer)
        found.append([(w.category, str(w.message)) for w in caught])
        if program not in (a_chain, a_sequence, a_step_of_ones_own):  # their parts warn
            assert {w.filename for w in caught} <= {__file__}
    assert found[0] == found[1]


OPTIONS = dict(
    LambdaLR=dict(lr_lambda=0.5), MultiplicativeLR=dict(lr_lambda=0.5), StepLR=dict(step_size=2),
    MultiStepLR=dict(milestones=[1]), ConstantLR={}, LinearLR={}, ExponentialLR=dict(gamma=0.5),
    PolynomialLR={}, CosineAnnealingLR=dict(T_max=3), CosineAnnealingWarmRestarts=dict(T_0=3),
    CyclicLR=dict(base_lr=0.1, max_lr=0.3), OneCycleLR=dict(max_lr=0.3, total_steps=9),
    SWALR=dict(swa_lr=0.2))


@pytest.mark.parametrize("name", SCHEDULES)
def test_get_lr_outside_of_step_warns(name):
    results = []
    for engine in (minitorch, torch):
        run = Run(engine, [(name, OPTIONS[name])])
        with pytest.warns(UserWarning) as caught:
            rates = run.schedulers[0].get_lr()
        (warning,) = caught
        results.append((str(warning.message), rates))
    assert results[0][0] == results[1][0]
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_group_added_later_is_taken_or_refused_as_by_torch(name):
    results = []
    for engine in (minitorch, torch):
        run = Run(engine, [(name, OPTIONS[name])])
        run.optimizer.add_param_group(
            {"params": [engine.ones(1, requires_grad=True)], "lr": 0.2, "swa_lr": 0.1})
        try:
            run.step()
            results.append(run.schedulers[0].get_last_lr())
        except (ValueError, KeyError) as error:
            results.append(type(error))
    assert results[0] == (results[1] if isinstance(results[1], type)
                          else pytest.approx(results[1], rel=1e-12))


def test_a_flag_is_lowered_when_get_lr_fails():
    run = Run(minitorch, [("OneCycleLR", dict(max_lr=0.1, total_steps=1, pct_start=0.0))])
    run.step()
    with pytest.raises(ValueError, match="Tried to step 2 times"):
        run.step()
    assert not run.schedulers[0]._get_lr_called_within_step
