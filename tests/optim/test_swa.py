"""Averaged models, and the batch statistics they need, are torch's."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch

VALUES = st.integers(0, 2**32 - 1)


class Net:
    """A model with parameters and buffers of several dtypes, and its average, in one engine."""

    def __init__(self, engine, seed=0, **options):
        class Model(engine.nn.Module):
            def __init__(self):
                super().__init__()
                self.first = engine.nn.Linear(3, 4)
                self.norm = engine.nn.BatchNorm1d(4)
                self.second = engine.nn.Linear(4, 2)

            def forward(self, x):
                return self.second(self.norm(self.first(x)).tanh())

        self.engine = engine
        self.model = Model().double()
        self.model.extra = engine.nn.Parameter(engine.ones(2, 3, dtype=engine.float32))
        self.fill(seed)
        self.averaged = engine.optim.swa_utils.AveragedModel(self.model, **options)

    def fill(self, seed):
        """New weights, and buffers that are integers too."""
        random = np.random.default_rng(seed)
        with self.engine.no_grad():
            for x in [*self.model.parameters(), *self.model.buffers()]:
                value = (random.normal(size=tuple(x.shape)) if x.is_floating_point()
                         else random.integers(0, 100))
                x.copy_(self.engine.tensor(value))

    def visit(self, seeds):
        for seed in seeds:
            self.fill(seed)
            self.averaged.update_parameters(self.model)


def same(ours, theirs):
    """Of a float64 average all digits agree, of a float32 one those that it has."""
    assert list(ours) == list(theirs)
    for name in theirs:
        same_array(ours[name].numpy(), theirs[name].numpy(), name)


def same_array(x, y, name=""):
    assert x.dtype == y.dtype
    digits = 1e-12 if y.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(x, y, rtol=digits, atol=digits / 10, err_msg=name)


def own_average(average, current, n):
    return average * 0.5 + current * 0.25 + n


def own_averages(averages, currents, n):
    for average, current in zip(averages, currents):
        average.mul_(0.5).add_(current * (1 / (n + 3)))


FUNCTIONS = {  # of the engine's swa_utils and a drawn decay
    "none": lambda utils, decay: {},
    "swa": lambda utils, decay: dict(avg_fn=utils.get_swa_avg_fn()),
    "swa of lists": lambda utils, decay: dict(multi_avg_fn=utils.get_swa_multi_avg_fn()),
    "ema": lambda utils, decay: dict(avg_fn=utils.get_ema_avg_fn(*decay)),
    "ema of lists": lambda utils, decay: dict(multi_avg_fn=utils.get_ema_multi_avg_fn(*decay)),
    "own": lambda utils, decay: dict(avg_fn=own_average),
    "own of lists": lambda utils, decay: dict(multi_avg_fn=own_averages),
}
DECAYS = st.tuples() | st.tuples(st.floats(0, 1))  # first the default


def averaged(engine, name, decay, use_buffers, seeds):
    """The states of an average, from before it takes weights drawn by each of ``seeds`` on."""
    options = FUNCTIONS[name](engine.optim.swa_utils, decay)
    net = Net(engine, use_buffers=use_buffers, **options)
    if use_buffers and "multi_avg_fn" in options:  # for integers torch has no such function
        net.model.norm.num_batches_tracked = None
        net.averaged.module.norm.num_batches_tracked = None
    yield copy.deepcopy(net.averaged.state_dict())
    for seed in seeds:
        net.visit([seed])
        yield copy.deepcopy(net.averaged.state_dict())


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=12)
@given(DECAYS, st.booleans(), st.lists(VALUES, max_size=6))
def test_averages_agree_with_torch(name, decay, use_buffers, seeds):
    for n, (ours, theirs) in enumerate(zip(
            *(averaged(engine, name, decay, use_buffers, seeds) for engine in (minitorch, torch)),
            strict=True)):
        same(ours, theirs)
        assert ours["n_averaged"] == n


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_the_equal_average_is_the_mean(seeds):
    net, seen = Net(minitorch), []
    for seed in seeds:
        net.visit([seed])
        seen.append([p.detach().numpy().copy() for p in net.model.parameters()])
    for i, p in enumerate(net.averaged.module.parameters()):
        np.testing.assert_allclose(p.detach().numpy(), np.mean([s[i] for s in seen], 0),
                                   rtol=1e-4, atol=1e-6)


def test_equal_averages_of_lists_take_integers_too():
    average = [minitorch.tensor([3, 7])]
    minitorch.optim.swa_utils.get_swa_multi_avg_fn()(average, [minitorch.tensor([10, 1])], 2)
    assert average[0].tolist() == [5, 5]


@given(st.booleans(), st.lists(VALUES, min_size=2, max_size=6), st.integers(0, 5))
def test_an_average_continues_in_either_engine(from_torch, seeds, n):
    first, second = (torch, minitorch) if from_torch else (minitorch, torch)
    source = Net(first)
    source.visit(seeds[:n])
    target = Net(second, seed=1)
    state = source.averaged.state_dict()
    target.averaged.load_state_dict(state if from_torch else {
        k: torch.from_numpy(v.numpy().copy()) for k, v in state.items()})
    source.visit(seeds[n:])
    target.visit(seeds[n:])
    ours, theirs = (target, source) if from_torch else (source, target)
    same(ours.averaged.state_dict(), theirs.averaged.state_dict())


def test_the_average_is_apart_from_the_model():
    for engine in (minitorch, torch):
        net = Net(engine)
        net.visit([1, 2])
        before = copy.deepcopy(net.averaged.state_dict())
        net.fill(3)
        for name, value in net.averaged.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), before[name].numpy())
        x = engine.ones(5, 3, dtype=engine.float64)
        assert net.averaged(x).tolist() == net.averaged.module(x).tolist()
        assert all(p.requires_grad for p in net.averaged.parameters())
        assert [p.grad for p in net.averaged.parameters()] == [None] * 7
        placed = engine.optim.swa_utils.AveragedModel(net.model, "cpu")
        assert str(placed.n_averaged.device) == "cpu"


def test_a_model_of_other_shape_is_refused_and_changes_nothing():
    net = Net(minitorch)
    net.visit([1])
    before = repr(net.averaged.state_dict())
    with pytest.raises(ValueError):
        net.averaged.update_parameters(minitorch.nn.Linear(3, 4))
    assert repr(net.averaged.state_dict()) == before


@pytest.mark.parametrize(("error", "call"), [
    (AssertionError, lambda utils, model: utils.AveragedModel(model, None, min, max)),
    (ValueError, lambda utils, model: utils.get_ema_avg_fn(1.1)),
    (ValueError, lambda utils, model: utils.get_ema_avg_fn(-0.1)),
    (ValueError, lambda utils, model: utils.get_ema_multi_avg_fn(1.1)),
    (ValueError, lambda utils, model: utils.get_ema_multi_avg_fn(-0.1)),
])
def test_bad_calls_raise_what_torch_raises(error, call):
    texts = []
    for engine in (minitorch, torch):
        with pytest.raises(error) as info:
            call(engine.optim.swa_utils, engine.nn.Linear(1, 1))
        texts.append(str(info.value))
    assert texts[0] == texts[1]


@given(st.lists(st.integers(2, 6), min_size=1, max_size=4), st.booleans(), st.booleans(),
       st.sampled_from([None, 0.3]))
def test_update_bn_agrees_with_torch(sizes, pairs, training, momentum):
    random = np.random.default_rng(0)
    batches = [random.normal(size=(n, 3)) for n in sizes]
    states = []
    for engine in (minitorch, torch):
        net = Net(engine)
        net.model.train(training)
        net.model.norm.momentum = momentum
        loader = [engine.tensor(batch) for batch in batches]
        engine.optim.swa_utils.update_bn([(x, 1) for x in loader] if pairs else loader, net.model,
                                         "cpu" if pairs else None)
        assert net.model.training == net.model.norm.training == training
        assert net.model.norm.momentum == momentum
        states.append(net.model.state_dict())
    same(*states)
    assert states[0]["norm.num_batches_tracked"] == len(sizes)


def test_update_bn_without_batch_norms_reads_nothing():
    for engine in (minitorch, torch):
        engine.optim.swa_utils.update_bn(iter([0]), engine.nn.Linear(1, 1))


def test_update_bn_puts_modes_and_momenta_back_when_a_batch_fails():
    net = Net(minitorch)
    net.model.eval()
    with pytest.raises(RuntimeError):
        minitorch.optim.swa_utils.update_bn([minitorch.ones(2, 7)], net.model)
    assert net.model.norm.momentum == 0.1
    assert not net.model.training and not net.model.norm.training


def test_a_whole_run_agrees_with_torch():
    """Train, average from the middle on under SWALR, then compute the statistics."""
    states = []
    random = np.random.default_rng(0)
    x, y = random.normal(size=(12, 3)), random.normal(size=(12, 2))
    for engine in (minitorch, torch):
        utils = engine.optim.swa_utils
        net = Net(engine)
        inputs, targets = engine.tensor(x), engine.tensor(y)
        optimizer = engine.optim.SGD(net.model.parameters(), lr=0.1, momentum=0.5)
        early = engine.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
        late = utils.SWALR(optimizer, 0.05, anneal_epochs=3)
        for epoch in range(12):
            optimizer.zero_grad()
            ((net.model(inputs) - targets) ** 2).mean().backward()
            optimizer.step()
            if epoch > 5:
                net.averaged.update_parameters(net.model)
                late.step()
            else:
                early.step()
        utils.update_bn([inputs], net.averaged)
        states.append(net.averaged.state_dict())
    for name in states[1]:  # rounding errors grow along a run
        np.testing.assert_allclose(states[0][name].numpy(), states[1][name].numpy(), rtol=1e-8,
                                   atol=1e-10, err_msg=name)
