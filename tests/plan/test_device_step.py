"""A training step translated for the GPU does what the step does: run here by an emulator.

The launches are those that a GPU would run, compiled by a C++ compiler; products are NumPy's. In
float64 whatever is more than rounding shows.
"""

import functools

import numpy as np
import pytest

import minitorch as torch
from minitorch import random
from minitorch.cuda import steps
from minitorch.data import DataLoader, DeviceLoader, TensorDataset
from minitorch.kernels.cuda import blas, launch
from minitorch.plan import Refused
from minitorch.plan.device import record as device_record
from minitorch.plan.device import words as device_words
from minitorch.plan.device.fusing import Kernel
from minitorch.plan.device.step import DeviceStep
from minitorch.plan.device.text import bringing
from tests import emulated, nvrtc
from tests.plan.translations import (
    ADAM,
    CASES,
    NETWORKS,
    PLAIN,
    SGD,
    SQUARES,
    Products,
    Stream,
    batches,
    both,
    perceptron,
    philox,
    programs,
    same,
    state,
)

nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.skipif(emulated.COMPILER is None, reason="needs g++ to run kernels")


@pytest.fixture(scope="module")
def emulator():
    """One emulator for all tests: their texts are asked for first, and compiled together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "launcher", emulated.Emulated())
        for name, optimizer, dtype in CASES:
            model, mine = both(name, optimizer, dtype)[0]
            x, y = batches(1)[0]
            step = DeviceStep(functools.partial(steps.train, model, F.cross_entropy, mine),
                              (x.to(dtype), y))
            for _ in range(2):  # momentum begins with the second
                built, numbers = step.updates[0].advance(0)
                step.compile([built], len(numbers))
        for step in [DeviceStep(f, SQUARES) for f in programs()]:
            step.compile([], 0)
        return launch.launcher


@pytest.fixture(autouse=True)
def gpu(monkeypatch, emulator):
    monkeypatch.setattr(launch, "launcher", emulator)
    monkeypatch.setattr(blas, "products", Products())
    return emulator


@pytest.mark.parametrize("name, optimizer", [("A", ADAM), ("B", ADAM), ("C", SGD),
                                             ("others", PLAIN), ("tanh", torch.optim.NAdam)])
def test_the_launches_train_as_the_step_does(name, optimizer, emulator, monkeypatch):
    """Losses, gradients, parameters, running statistics, counts and the optimizer's state.

    Every other time the threads of a block run last to first, which changes nothing.
    """
    (model, mine), (other, theirs) = both(name, optimizer)
    torch.manual_seed(77)
    data = batches(4)
    step = steps.make_graphed_step(model, F.cross_entropy, mine, data[0])
    assert same(model.state_dict().values(), other.state_dict().values(), 0), "it trained nothing"
    monkeypatch.setattr(random.default_generator, "bernoulli", Stream(77).bernoulli)
    for i, (x, y) in enumerate(data):
        if i == 2:  # a learning rate that is set from outside takes effect at the next call
            mine.param_groups[0]["lr"] = theirs.param_groups[0]["lr"] = 0.003
        emulator.backwards = bool(i % 2)
        loss = step(x, y)
        expected = steps.train(other, F.cross_entropy, theirs, x, y)
        assert np.isclose(loss.item(), expected.item(), 1e-10)
    assert same(state(model, mine), state(other, theirs), 1e-9)
    assert len(step.steps) == 1, "nothing was recorded anew"


def test_what_may_run_aside_may_run_as_late_as_the_optimizer():
    """On a GPU it is not said when; here it is as late as can be."""
    (model, mine), (other, theirs) = both("A", ADAM)
    x, y = batches(1)[0]
    train = functools.partial(steps.train, model, F.cross_entropy, mine)
    step = DeviceStep(train, (x, y))
    step.prepare([x.array, y.array])
    late = [each for each in step.launches if each.aside]
    assert len(late) == 2 and step.launches[-1].joins
    for each in [*[e for e in step.launches[:-1] if not e.aside], *late, step.launches[-1]]:
        each()
    step.finish()
    steps.train(other, F.cross_entropy, theirs, x, y)
    assert same(state(model, mine), state(other, theirs), 1e-9)


def test_in_float32_it_is_within_rounding():
    (model, mine), (other, theirs) = both("A", PLAIN, torch.float32)
    data = batches(3, dtype=np.float32)
    step = steps.make_graphed_step(model, F.cross_entropy, mine, data[0])
    for x, y in data:
        assert np.isclose(step(x, y).item(),
                          steps.train(other, F.cross_entropy, theirs, x, y).item(), 1e-5)
    assert same(state(model, mine), state(other, theirs), 1e-5)


@pytest.mark.parametrize("sizes, between, most", [
    ((784, 256, 256, 10), NETWORKS["A"][1], 15),
    ((784, 512, 512, 512, 10), NETWORKS["B"][1], 20),
    ((784, 32, 32, 10), NETWORKS["C"][1], 15)])
def test_a_step_of_the_course_is_few_launches(sizes, between, most, gpu):
    """Products, the numbers' launch and the optimizer's among them: 8 or 11 are products."""
    model = perceptron(sizes, between, torch.float32)
    train = functools.partial(steps.train, model, F.cross_entropy,
                              torch.optim.Adam(model.parameters()))
    step = DeviceStep(train, batches(1, 100, 784, np.float32)[0])
    assert len(step.units) + 1 == most


def test_large_products_are_not_made_while_recording(monkeypatch):
    """Only their shapes matter then; the launches make them."""
    monkeypatch.setattr(device_record, "LARGE", 0)
    x = torch.tensor(np.arange(12.0).reshape(4, 3))
    step = DeviceStep(lambda x: torch.mm(x.t(), x), (x,))
    assert np.linalg.matrix_rank(step.step.results[0].array) == 1, "this was no product"
    assert np.array_equal(step(x).array, x.array.T @ x.array)


def test_tensors_that_share_memory_are_refused():
    w = torch.ones(4, requires_grad=True)
    half = w.detach()[2:]
    with pytest.raises(Refused, match="share memory"):
        DeviceStep(lambda x: (x * w * 2).detach() + half.sum(), (torch.ones(4),))


def test_arguments_with_gaps_are_copied_too():
    x = torch.tensor(np.arange(12.0).reshape(4, 3))
    step = DeviceStep(lambda x: x * 2, (x,))
    y = torch.tensor(np.arange(12.0).reshape(3, 4)).t()
    assert step(y).tolist() == (y * 2).tolist()
    step.homes.xp = None  # as if the others were on a GPU
    with pytest.raises(device_words.Untranslated, match="is on the CPU"):
        step.homes.spot(step.step.inputs[0])


def test_an_explanation_names_each_launch():
    (model, mine), _ = both("A", ADAM, torch.float32)
    x, y = batches(1, dtype=np.float32)[0]
    step = steps.make_graphed_step(model, F.cross_entropy, mine, (x, y))
    lines = step.explain().splitlines()
    assert lines[0].startswith("15 launches, ") and len(lines) == 16
    assert lines[2] == "       product (32, 9) @ (9, 160) linear"
    assert lines[3].endswith("2 calls in 20 blocks of 256: linear, relu")
    assert sum(line.startswith("aside") for line in lines) == 2


def test_batches_and_steps_on_the_device_train_as_on_the_cpu():
    rng = np.random.default_rng(2)
    data = TensorDataset(torch.tensor(rng.normal(size=(70, 9))),
                         torch.tensor(rng.integers(0, 10, 70)))
    (model, mine), (other, theirs) = both("tanh", SGD)
    losses = []
    for kind, net, optimizer in ((DataLoader, other, theirs), (DeviceLoader, model, mine)):
        torch.manual_seed(9)
        loader = kind(data, batch_size=32, shuffle=True, drop_last=True)
        step = functools.partial(steps.train, net, F.cross_entropy, optimizer) \
            if kind is DataLoader else steps.make_graphed_step(
                net, F.cross_entropy, optimizer, (data.tensors[0][:32], data.tensors[1][:32]))
        losses.append([step(*batch).item() for _ in range(2) for batch in loader])
    assert len(losses[0]) == 4 and np.allclose(*losses, 1e-10)


def test_a_wide_batch_is_shared_among_blocks():
    """Where one block would be slow, rows of the softmax and columns of the bias are shared."""
    model = perceptron((4, 10), lambda n: [], torch.float32)
    train = functools.partial(steps.train, model, F.cross_entropy,
                              torch.optim.SGD(model.parameters()))
    step = DeviceStep(train, batches(1, 3000, 4, np.float32)[0])
    ways = [unit.way for unit in step.units if isinstance(unit, Kernel)]
    assert {"rows", "columns"} <= set(ways)
    x, y = batches(1, 3000, 4, np.float32)[0]
    assert np.isclose(step(x, y).item(), F.cross_entropy(model(x), y).item(), 1e-2)


def test_kernels_compile_for_gpus():
    """Those of the three networks and of the programs, for one of the architectures of the house:
    what differs between them is not spelled here."""
    sources = []
    for name, optimizer, dtype in CASES[1:5]:
        model, mine = both(name, optimizer, dtype)[0]
        x, y = batches(1)[0]
        step = DeviceStep(functools.partial(steps.train, model, F.cross_entropy, mine),
                          (x.to(dtype), y))
        sources.append(step.source)
    assert nvrtc.compiled([*sources, bringing([np.dtype(np.float32)], 3)], "sm_90")


def test_a_wrong_translation_is_found(monkeypatch):
    monkeypatch.setitem(device_words.SPELLING, np.maximum, "smaller({}, {})")
    (model, mine), (other, theirs) = both("A", ADAM)
    x, y = batches(1)[0]
    loss = steps.make_graphed_step(model, F.cross_entropy, mine, (x, y))(x, y)
    expected = steps.train(other, F.cross_entropy, theirs, x, y)
    assert not np.isclose(loss.item(), expected.item(), 1e-4)


def test_another_mode_is_recorded_anew_and_the_first_is_kept():
    (model, mine), _ = both("C", SGD)
    x, y = batches(1)[0]
    step = steps.make_graphed_step(model, F.cross_entropy, mine, (x, y))
    step(x, y)
    means = model[1].running_mean.array.copy()
    model.eval()
    step(x, y)
    assert np.array_equal(model[1].running_mean.array, means)
    model.train()
    step(x, y)
    assert not np.array_equal(model[1].running_mean.array, means)
    assert len(step.steps) == 2


def test_arguments_unlike_the_example_are_refused_before_anything():
    (model, mine), _ = both("tanh", SGD)
    x, y = batches(1)[0]
    step = steps.make_graphed_step(model, F.cross_entropy, mine, (x, y))
    before = [p.array.copy() for p in model.parameters()]
    for args in ((x[:5], y[:5]), (x.float(), y), (x,)):
        with pytest.raises(ValueError, match="like its example's"):
            step(*args)
    assert same([p.array for p in model.parameters()], before, 0)


@pytest.mark.parametrize("loss_fn, what", [
    (lambda x, y: x.sum() if x.mean().item() else x.mean(), "asks a tensor for its number"),
    (lambda x, y: x.sort(1)[0][:, 0].sum(), "has no translation for the GPU")])
def test_what_has_no_translation_is_refused_with_its_line(loss_fn, what):
    (model, mine), _ = both("tanh", SGD)
    with pytest.raises(Refused, match=rf"{what}.*test_device_step\.py:\d+"):
        steps.make_graphed_step(model, loss_fn, mine, batches(1)[0])
    assert all(p.grad is None for p in model.parameters()) and not mine.state


def test_what_is_more_than_its_record_is_refused():
    """Python's state, and tensors that the recording cannot see: found by a second run."""
    (model, mine), _ = both("tanh", SGD)
    calls = []

    def loss_fn(out, y):
        calls.append(1)
        return F.cross_entropy(out, y) * len(calls)

    def unseen(out, y):
        table = torch.zeros(32, 10, dtype=torch.float64)
        table[:, 0] = out[:, 0].detach()
        return (out * table).sum()

    for each in (loss_fn, unseen):
        with pytest.raises(Refused, match="more than its record"):
            steps.make_graphed_step(model, each, mine, batches(1)[0])


def test_a_loss_may_come_with_others_and_a_replay_makes_no_array(gpu):
    (model, mine), (other, theirs) = both("tanh", SGD)

    def loss_fn(out, y):
        return F.cross_entropy(out, y), (out * out).mean(), out.amax(1)

    data = batches(4)
    step = steps.make_graphed_step(model, loss_fn, mine, data[0])
    step(*data[0])
    step(*data[1])  # momentum has begun: another update
    step.steps[0][0].homes.xp = None  # whoever makes an array now fails
    launched = gpu.launches
    results = step(*data[2])
    assert gpu.launches - launched == len(step.steps[0][0].launches) + 1 - 5  # 5 products
    for batch in data[:3]:
        expected = steps.train(other, loss_fn, theirs, *batch)
    assert same([t.array for t in results], [t.array for t in expected], 1e-10)
    assert step(*data[3])[0] is results[0], "the next call overwrites the loss"


def test_a_label_out_of_range_makes_the_loss_nan_and_an_ignored_one_does_not_count():
    (model, mine), _ = both("tanh", SGD)
    x, y = batches(1)[0]
    step = steps.make_graphed_step(model, F.cross_entropy, mine, (x, y))
    y[3] = -100
    expected = F.cross_entropy(model(x), y).item()
    assert np.isclose(step(x, y).item(), expected, 1e-12)
    y[3] = 11
    assert np.isnan(step(x, y).item())


def test_seeds_repeat_dropout_and_its_share_is_right():
    x = torch.ones(50, 40)
    step = DeviceStep(lambda x: F.dropout(x, 0.3), (x,))
    torch.manual_seed(1)
    first, second = step(x).array.copy(), step(x).array.copy()
    torch.manual_seed(2)
    other = step(x).array.copy()
    torch.manual_seed(1)
    assert np.array_equal(step(x).array, first)
    for y in (first, second, other):
        assert abs((y != 0).mean() - 0.7) < 0.05  # 4.9 standard deviations of 2,000 draws
    assert (first != second).mean() > 0.3 and (first != other).mean() > 0.3


def test_philox_is_philox():
    """The known answer of the authors' own test of Philox4x32-10 for a counter and a key of 0."""
    assert philox(0, 0) == 0x6627E8D5


def test_programs_of_many_kinds_come_to_the_same_numbers(emulator):
    x, y = SQUARES
    for f in programs():
        step = DeviceStep(f, (x, y))
        for emulator.backwards, (a, b) in enumerate([(x, y), (y, x * 2)]):
            mine, expected = step(a, b), f(a, b)
            for m, e in zip(*[v if isinstance(v, tuple) else (v,) for v in (mine, expected)]):
                assert m.array.dtype == e.array.dtype
                assert np.allclose(m.array, e.array, 1e-12, 1e-12), f.__name__


def test_a_graphed_callable_stands_in_autograd():
    (model, mine), (other, theirs) = both("C", SGD)
    data = batches(3)
    graphed = steps.make_graphed_callables(model, (data[0][0],))
    for x, y in data:
        for net, optimizer in ((graphed, mine), (other, theirs)):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x) * 2, y)
            loss.backward()
            optimizer.step()
    assert same(state(model, mine), state(other, theirs), 1e-9)
    with pytest.raises(RuntimeError, match="last call only"):
        first = graphed(data[0][0])
        graphed(data[1][0])
        first.sum().backward()
    model.eval()
    assert np.allclose(graphed(data[0][0]).array, model(data[0][0]).array), "as it is"


def test_on_a_cpu_without_an_emulator_it_says_where_to_go(monkeypatch):
    monkeypatch.setattr(launch, "launcher", launch.Launcher())
    (model, mine), _ = both("tanh", SGD)
    with pytest.raises(Refused, match=r"torch\.compile"):
        steps.make_graphed_step(model, F.cross_entropy, mine, batches(1)[0])
