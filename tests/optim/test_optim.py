"""SGD, Adam and AdamW are torch's, option by option and step by step."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch

RATES = st.floats(1e-3, 0.05)
DECAYS = st.sampled_from([0.0, 0.01, 0.3])


@st.composite
def sgd(draw):
    momentum = draw(st.sampled_from([0.0, 0.5, 0.9]))
    nesterov = momentum > 0 and draw(st.booleans())
    return "SGD", dict(lr=draw(RATES), momentum=momentum, nesterov=nesterov,
                       dampening=0.0 if nesterov else draw(st.sampled_from([0.0, 0.1])),
                       weight_decay=draw(DECAYS), maximize=draw(st.booleans()))


@st.composite
def adam(draw):
    return draw(st.sampled_from(["Adam", "AdamW"])), dict(
        lr=draw(RATES), betas=(draw(st.floats(0, 0.95)), draw(st.floats(0, 0.9999))),
        eps=draw(st.sampled_from([1e-8, 1e-3])), weight_decay=draw(DECAYS),
        amsgrad=draw(st.booleans()), maximize=draw(st.booleans()))


CONFIGURATIONS = st.one_of(sgd(), adam())


class Run:
    """Two parameters of a non-convex problem, some gradients missing, under one engine."""

    def __init__(self, engine, name, options, dtype="float64", seed=0):
        self.engine, self.options = engine, options
        rng = np.random.default_rng(seed)
        self.a = engine.tensor(rng.normal(size=(3, 4)), dtype=getattr(engine, dtype))
        self.b = engine.tensor(rng.normal(size=4), dtype=getattr(engine, dtype))
        self.a.requires_grad_(True)
        self.b.requires_grad_(True)
        self.make = getattr(engine.optim, name)
        self.optimizer = self.make([{"params": [self.a]}, {"params": [self.b], "lr": 0.02}],
                                   **options)

    def steps(self, n, start=0):
        for t in range(start, start + n):
            self.optimizer.zero_grad()
            loss = ((self.a.sin() * self.b).sum() + (self.a * self.a).mean()
                    + (2 * self.b).cos().sum() * 0.1)
            loss.backward()
            if t % 7 == 3:
                self.b.grad = None
            if t == 20:
                self.optimizer.param_groups[0]["lr"] *= 0.5
            self.optimizer.step()
        return [p.detach().numpy().copy() for p in (self.a, self.b)]


@given(CONFIGURATIONS)
def test_sixty_steps_agree_with_torch(configuration):
    ours, theirs = (Run(engine, *configuration) for engine in (minitorch, torch))
    start = 0
    for n in (1, 1, 8, 50):
        for x, y in zip(ours.steps(n, start), theirs.steps(n, start)):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)
        start += n


@given(CONFIGURATIONS)
def test_float32_state_stays_float32(configuration):
    run = Run(minitorch, *configuration, dtype="float32")
    twin = Run(torch, *configuration, dtype="float32")
    for x, y in zip(run.steps(12), twin.steps(12)):
        assert x.dtype == np.float32
        # Adam divides by sqrt(v): where v is tiny, single rounding errors weigh up to 1e-4.
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4)
    for state in run.optimizer.state.values():
        for value in state.values():
            assert value is None or value.dtype is minitorch.float32


@given(CONFIGURATIONS, st.integers(1, 9), st.booleans())
def test_state_dicts_continue_in_either_engine(configuration, n, from_torch):
    first, second = (torch, minitorch) if from_torch else (minitorch, torch)
    source = Run(first, *configuration)
    arrays = source.steps(n)
    saved = copy.deepcopy(source.optimizer.state_dict())  # torch would share its arrays
    target = Run(second, *configuration)
    for p, array in zip((target.a, target.b), arrays):
        p.data = second.tensor(array)
    if not from_torch:
        saved["state"] = {i: {k: v if v is None else torch.from_numpy(v.numpy())
                              for k, v in s.items()} for i, s in saved["state"].items()}
    target.optimizer.load_state_dict(saved)
    for x, y in zip(target.steps(5, n), source.steps(5, n)):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


@given(CONFIGURATIONS, st.integers(1, 9))
def test_resume_is_bit_exact(configuration, n):
    whole = Run(minitorch, *configuration).steps(n + 5)
    run = Run(minitorch, *configuration)
    arrays = run.steps(n)
    again = Run(minitorch, *configuration)
    for p, array in zip((again.a, again.b), arrays):
        p.data = minitorch.tensor(array)
    again.optimizer.load_state_dict(run.optimizer.state_dict())
    for x, y in zip(again.steps(5, n), whole):
        np.testing.assert_array_equal(x, y)


def test_blocks_change_nothing():
    """A parameter larger than one block, and one whose memory has gaps, move like any other."""
    rng = np.random.default_rng(1)
    value, g = rng.normal(size=(300, 300)), rng.normal(size=(300, 300))
    for name in ("SGD", "Adam"):
        results = []
        for engine, strided in ((minitorch, False), (minitorch, True), (torch, False)):
            x = engine.tensor(value.T.copy() if strided else value)
            x = (x.t().detach() if strided else x).requires_grad_(True)
            optimizer = getattr(engine.optim, name)([x], lr=0.1)
            for _ in range(3):
                x.grad = engine.tensor(g)
                optimizer.step()
            results.append(x.detach().numpy())
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_allclose(results[0], results[2], rtol=1e-12, atol=1e-15)


def test_step_returns_the_closures_loss():
    x = minitorch.tensor([3.0], requires_grad=True)
    optimizer = minitorch.optim.SGD([x], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 9.0
    assert abs(x.item() - 2.4) < 1e-6


@pytest.mark.parametrize(("name", "options"), [
    ("SGD", dict(lr=-1.0)), ("SGD", dict(momentum=-1.0)), ("SGD", dict(nesterov=True)),
    ("SGD", dict(weight_decay=-0.1)), ("Adam", dict(lr=-1.0)), ("Adam", dict(betas=(1.0, 0.9))),
    ("Adam", dict(betas=(0.9, -0.1))), ("Adam", dict(eps=-1.0)), ("AdamW", dict(weight_decay=-1.0)),
])
def test_bad_hyper_parameters_raise_what_torch_raises(name, options):
    raised = []
    for engine in (minitorch, torch):
        with pytest.raises(ValueError) as info:
            getattr(engine.optim, name)([engine.ones(2, requires_grad=True)], **options)
        raised.append(str(info.value))
    assert raised[0] == raised[1]


def test_bad_parameters_raise():
    x = minitorch.ones(2, requires_grad=True)
    for params, error in (([], ValueError), (x, TypeError), ([1], TypeError), ([x * 2], ValueError),
                          ([{"params": [x]}, {"params": [x]}], ValueError),
                          ([{"params": {x}}], TypeError)):
        with pytest.raises(error):
            minitorch.optim.SGD(params, lr=0.1)


def test_a_state_dict_of_another_shape_changes_nothing():
    x, y = (minitorch.ones(2, requires_grad=True) for _ in range(2))
    optimizer = minitorch.optim.Adam([x], lr=0.1)
    before = repr(optimizer)
    with pytest.raises(ValueError, match="doesn't match the size"):
        optimizer.load_state_dict(minitorch.optim.Adam([x, y], lr=0.7).state_dict())
    assert repr(optimizer) == before


def test_zero_grad():
    for engine in (minitorch, torch):
        x = engine.ones(2, requires_grad=True)
        (x * 3).sum().backward()
        optimizer = engine.optim.SGD([x], lr=0.1)
        optimizer.zero_grad(set_to_none=False)
        assert x.grad.tolist() == [0.0, 0.0]
        optimizer.zero_grad()
        assert x.grad is None


def test_repr_is_torchs():
    for name in ("SGD", "Adam", "AdamW"):
        texts = [repr(getattr(engine.optim, name)([engine.ones(1, requires_grad=True)], lr=0.1))
                 for engine in (minitorch, torch)]
        assert texts[0] == texts[1]
