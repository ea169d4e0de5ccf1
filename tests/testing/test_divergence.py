"""``first_divergence`` names the operator, rule, formula or draw that is wrong, no right one."""

import copy
import functools
from unittest import mock

import numpy as np
import pytest
import torch

import minitorch
from minitorch.primitive import registry
from minitorch.testing import first_divergence
from reference import data
from reference.programs import PROGRAMS

DATA = np.random.default_rng(0).normal(size=(12, 6)).astype(np.float32)
OPTIMIZERS = {"SGD": dict(lr=0.1, momentum=0.9), "Adam": dict(lr=0.01), "Adadelta": {},
              "RMSprop": dict(lr=0.01), "LBFGS": dict(max_iter=4)}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ours(torch):
    return torch is minitorch


def penalty(weight):
    return 0.1 * weight.exp().square().mean()


def program(torch, data, optimizer="SGD", burn=None):
    """A small network; under minitorch it draws one number too many in step ``burn``."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.25), nn.Linear(8, 4), nn.ReLU(),
                          nn.Linear(4, 3))
    optimizer = getattr(torch.optim, optimizer)(model.parameters(), **OPTIMIZERS[optimizer])
    x, y = torch.from_numpy(data), torch.arange(len(data)) % 3
    for step in range(3):
        if step == burn and ours(torch):
            torch.rand(1)

        def closure():
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y) + penalty(model[0].weight)
            loss.backward()
            return loss
        closure()
        optimizer.step(closure if isinstance(optimizer, torch.optim.LBFGS) else None)


@pytest.mark.parametrize("float64", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_right_engines_do_not_diverge(optimizer, float64):
    found = first_divergence(program, DATA, optimizer, float64=float64)
    assert not found, found
    assert found.compared > 90 and str(found).startswith("NO DIVERGENCE")
    assert float64 is False or not found.blurred


@pytest.mark.parametrize("name", [name for name in PROGRAMS  # labs have lengths of their own
                                  if name != "optimizers" and not name.startswith("lab-")])
def test_reference_programs_do_not_diverge(name):
    few = {} if name == "xor" else dict(data=data.load().head(100, 10))
    found = first_divergence(PROGRAMS[name], **few, epochs=2, steps=3)
    assert not found and found.compared > 20, found


# What the program calls of each operator; its gradient then is wrong for what it was given.
SPOILT = {"tanh": "tanh", "relu": "relu", "linear": "linear", "masked_scale": "dropout",
          "cross_entropy": "cross_entropy", "mean": "mean", "square": "square", "exp": "exp",
          "multiply": "mul"}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_forward_is_named(name):
    op = registry[name]
    right = op.forward

    def wrong(xp, *args):
        out = right(xp, *args)
        if isinstance(out, tuple):
            return out[0] * out[0].dtype.type(1.001), *out[1:]
        return out * out.dtype.type(1.001)
    with mock.patch.object(op, "forward", wrong):
        found = first_divergence(program, DATA)
    assert (found.verdict, found.operator, found.step) == ("divergence", SPOILT[name], 0), found
    assert found.quantity.kind == "result" and found.last is not None
    assert found.ours == pytest.approx(1.001 * found.theirs, rel=1e-5)


@pytest.mark.parametrize(("name", "input"), [
    (name, i) for name in SPOILT for i in registry[name].rules
    if (name, i) not in [("multiply", 1), ("exp", 0)]])  # numbers have none; a leaf used twice
def test_a_spoilt_rule_is_named(name, input):
    op = registry[name]
    right = op.rules[input]

    @functools.wraps(right)  # its parameters' names say what is saved
    def wrong(*args):
        return right(*args) * args[1].dtype.type(1.001)
    op.plans.clear()  # they hold the rules
    op.rules[input] = wrong
    try:
        found = first_divergence(program, DATA, float64=True)
    finally:
        op.rules[input] = right
        op.plans.clear()
    assert (found.verdict, found.operator, found.step) == ("divergence", SPOILT[name], 0), found
    assert found.quantity.kind == "gradient"
    assert found.ours == pytest.approx(1.001 * found.theirs, rel=1e-5)
    assert all(i == input for _, i in found.quantity.by), found


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adadelta", "RMSprop"])
def test_a_spoilt_formula_is_named(name):
    kind = getattr(minitorch.optim, name)
    right = kind.update

    @functools.wraps(right)
    def wrong(xp, x, *args, **kwargs):
        new, state = right(xp, x, *args, **kwargs)
        return x + (new - x) * 1.001, state
    with (mock.patch.object(kind, "update", staticmethod(wrong)),
          mock.patch.object(kind, "programs", {})):
        found = first_divergence(program, DATA, name, float64=True)
    assert (found.verdict, found.operator, found.step) == ("divergence", f"{name}.step()", 0), found
    assert found.quantity.kind == "parameter" and found.last.kind == "gradient"


def test_a_shifted_random_stream_is_named_where_it_is_drawn_from():
    found = first_divergence(program, DATA, burn=2)
    assert (found.operator, found.step) == ("dropout", 2), found
    assert "called under minitorch only, not compared: rand" in str(found)
    found = first_divergence(lambda torch: torch.rand(3 + (ours(torch))))
    assert found.operator == "rand" and "shape" in str(found)


def test_other_data_is_no_operators_fault():
    def shuffled(torch):
        model = torch.nn.Linear(6, 2)
        torch.manual_seed(1 if ours(torch) else 0)
        dataset = torch.utils.data.TensorDataset(torch.from_numpy(DATA))
        for (x,) in torch.utils.data.DataLoader(dataset, batch_size=4, shuffle=True):
            model(x)
    found = first_divergence(shuffled)
    assert found.quantity.kind == "argument", found
    assert "argument 0 of linear (operator" in str(found) and "data, or a random stream" in str(
        found)


def test_the_last_digits_count_in_float64_only():
    """Each engine's rounding, magnified by training, is no divergence; 1e-7 is one in float64."""
    def near(torch, data):
        x = torch.from_numpy(data)
        y = x * (1 + 1e-7 * ours(torch))
        return (y @ y.T).exp().sum()
    assert not first_divergence(near, DATA)
    found = first_divergence(near, DATA, float64=True)
    assert found.operator == "mul", found


def test_leaves_are_listened_to_however_they_came_to_be():
    def made(torch, how, factor=1.0):
        x = torch.ones(3)
        if how == "parameter":
            w = torch.nn.Parameter(torch.rand(3))
        else:
            w = torch.rand(3)
            w = copy.deepcopy(w) if how == "copy" else w
            w.requires_grad_()
        for _ in range(2):
            y = w * x
            if ours(torch):
                y.register_hook(lambda g: g * factor)
            y.sum().backward()
            with torch.no_grad():
                w -= 0.1 * w.grad
    for how in ("parameter", "copy", "late"):
        assert not first_divergence(made, how)
        found = first_divergence(made, how, 1.001)
        assert found.operator == "mul" and found.quantity.leaf, found


def test_sparse_gradients_are_compared_too():
    def table(torch, factor=1.0):
        layer = torch.nn.Embedding(5, 2, sparse=True)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1 * (factor if ours(torch) else 1))
        for i in range(3):
            optimizer.zero_grad()
            layer(torch.tensor([i, 1])).square().sum().backward()
            optimizer.step()
    assert not first_divergence(table)
    assert first_divergence(table, 1.001).operator == "SGD.step()"


def test_what_rounding_decides_is_not_compared_and_said_to_be_so():
    def chaos(torch, data):
        x = torch.from_numpy(data).sum()
        for _ in range(40):
            x = (x * 1000).sin()
        return x + 1
    found = first_divergence(chaos, DATA)
    assert not found and 4 < found.compared < 40 and "rounding alone" in str(found)


def test_an_error_is_reported_and_nothing_is_no_agreement():
    def stops(torch):
        y = torch.ones(3).exp()
        if ours(torch):
            raise ValueError("here")
        return y
    found = first_divergence(stops)
    assert found.verdict == "error" and found.last.call.name == "exp" and "here" in str(found)
    found = first_divergence(lambda torch: torch.ones(3).exp().softmx())
    assert found and found.verdict == "error" and found.compared and "softmx" in str(found)
    found = first_divergence(lambda torch: None)
    assert found and found.verdict == "nothing compared"


def test_nothing_is_left_behind():
    """Neither wrappers, nor random states, nor default dtypes, nor changed arguments."""
    before = DATA.copy(), vars(minitorch)["rand"], vars(minitorch.Tensor).get("relu")
    states = [engine.get_rng_state().tolist() for engine in (torch, minitorch)]
    first_divergence(program, DATA, float64=True)
    first_divergence(lambda torch, x: torch.from_numpy(x).add_(1), DATA)
    assert np.array_equal(DATA, before[0])
    assert vars(minitorch)["rand"] is before[1]
    assert vars(minitorch.Tensor).get("relu") is before[2]
    assert states == [engine.get_rng_state().tolist() for engine in (torch, minitorch)]
    assert torch.get_default_dtype() is torch.float32
    assert minitorch.get_default_dtype() is minitorch.float32


def test_a_program_is_stopped_after_so_many_steps_or_operators():
    def endless(torch):
        p = torch.nn.Parameter(torch.ones(2))
        optimizer = torch.optim.SGD([p], lr=0.1)
        while True:
            optimizer.zero_grad()
            p.square().sum().backward()
            optimizer.step()
    few, many = (first_divergence(endless, steps=n) for n in (2, 4))
    assert not few and not many and few.compared < many.compared
    assert not first_divergence(endless, steps=10**9, operators=20)
