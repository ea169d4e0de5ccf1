"""Laws of the Taylor test: the slope tells right derivatives from wrong ones."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.testing import (
    MUTATIONS,
    UnsureGradient,
    UnsureGradientWarning,
    WrongGradient,
    check_taylor,
    mutate,
)

LIBRARIES = [minitorch, torch]
seeds = st.integers(0, 2**32 - 1)


def check(f, *inputs, **options):
    return check_taylor(f, *inputs, raise_exception=False, **options)


def functions(lib):
    return {
        "sin": lib.sin,
        "softmax": lambda x: lib.softmax(x, 1),
        "matmul": lambda x: (x @ lib.tanh(x), x.exp().sum()),
        "norm": lambda x: (x * x).sum().sqrt(),
        "tiny": lambda x: 1e-7 * lib.exp(x),
        "quadratic": lambda x: (x * x).sum(),
        "linear": lambda x: 3 * x,
        "relu net": lambda x: lib.relu(lib.relu(x @ x) @ x).sum(),
    }


def matrix(seed, lib, dtype="float64"):
    return lib.from_numpy(np.random.default_rng(seed).normal(size=(3, 3)).astype(dtype))


@settings(deadline=None)
@given(lib=st.sampled_from(LIBRARIES), name=st.sampled_from(list(functions(torch))), seed=seeds,
       order=st.sampled_from([1, 2]))
def test_right_derivatives_pass(lib, name, seed, order):
    report = check(functions(lib)[name], matrix(seed, lib), seed=seed, order=order)
    assert report.verdict == "pass", report


@settings(deadline=None)
@given(lib=st.sampled_from(LIBRARIES), name=st.sampled_from(["sin", "matmul", "norm", "relu net"]),
       seed=seeds)
def test_right_gradients_pass_in_float32(lib, name, seed):
    report = check(functions(lib)[name], matrix(seed, lib, "float32"), seed=seed)
    assert report.verdict != "fail", report


@settings(deadline=None)
@given(lib=st.sampled_from(LIBRARIES), seed=seeds, change=st.sampled_from(list(MUTATIONS)),
       name=st.sampled_from(["sin", "softmax", "matmul", "norm", "tiny", "relu net"]))
def test_every_mutation_is_caught(lib, name, seed, change):
    f, x = functions(lib)[name], matrix(seed, lib)
    if name == "relu net":  # units may be off: a mutation of zeros changes nothing
        g = lib.func.grad(f)(x).numpy()
        if np.array_equal(g, MUTATIONS[change](g)):
            return
    report = check(mutate(f, change), x, seed=seed)
    assert report.verdict == "fail", report


@settings(deadline=None)
@given(seeds, st.sampled_from([None, *MUTATIONS]))
def test_numpy_pairs(seed, change):
    pair = (lambda x: np.exp(x) @ x, lambda v, x: np.exp(x) * (v @ x.T) + np.exp(x).T @ v)
    x = np.random.default_rng(seed).normal(size=(3, 3))
    f = pair if change is None else mutate(pair, change)
    assert check(f, x, seed=seed).verdict == ("pass" if change is None else "fail")


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("factor, verdict, slope", [(1.0, "pass", 2), (1.01, "fail", 1)])
def test_the_slope_is_two_for_a_right_gradient_and_one_for_a_wrong(lib, factor, verdict, slope):
    f = mutate(lib.exp, lambda g: g * factor)
    report = check(f, matrix(0, lib))
    assert report.verdict == verdict
    for table in report.tables:
        assert abs(table.slope - slope) < 0.1


class BadSecond(minitorch.autograd.Function):
    """Cubes, with a gradient that is right and whose own gradient is not."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x.detach() * g


def test_a_wrong_hessian_shows_at_second_order_only():
    x = matrix(0, minitorch)
    assert check(BadSecond.apply, x).verdict == "pass"
    report = check(BadSecond.apply, x, order=2)
    assert report.verdict == "fail" and "Hessian" in report.reason
    assert all(abs(table.slope - 2) < 0.1 for table in report.tables)
    wrong = check(mutate(minitorch.exp, "x1.01"), x, order=2)  # and a wrong gradient as such
    assert wrong.verdict == "fail"


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("order", [1, 2])
def test_a_whole_model_with_its_parameters(lib, order):
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Linear(3, 8), lib.nn.BatchNorm1d(8), lib.nn.Tanh(),
                            lib.nn.Dropout(0.3), lib.nn.Linear(8, 3)).double()
    x, y = matrix(0, lib), lib.tensor([0, 2, 1])

    def loss(x):
        return lib.nn.functional.cross_entropy(net(x), y)
    before = {name: p.tolist() for name, p in net.named_parameters()}
    parameters = list(net.named_parameters())
    report = check(loss, x, parameters=parameters, order=order)
    assert report.verdict == "pass", report
    assert {name: p.tolist() for name, p in net.named_parameters()} == before
    assert all(p.grad is None for p in net.parameters())
    net[0].weight.register_hook(lambda g: g * 1.01)
    assert check(loss, x, parameters=parameters).verdict == "fail"


def test_at_a_kink_it_is_unsure():
    report = check(minitorch.relu, minitorch.zeros(3, dtype=minitorch.float64))
    assert report.verdict == "unsure" and "kink" in report.reason


def test_what_rounding_hides_is_no_pass():
    with pytest.raises(UnsureGradient, match="rounding"):
        check_taylor(lambda x: 1e8 + x.sin(), torch.ones(3))
    with pytest.warns(UnsureGradientWarning):
        assert not check_taylor(lambda x: 1e8 + x.sin(), torch.ones(3), allow_unsure=True)
    with pytest.raises(UnsureGradient, match="not finite"):
        check_taylor((np.log, lambda v, x: v / x), -np.ones(3))


def test_report_and_errors():
    x = matrix(0, minitorch)
    with pytest.raises(WrongGradient, match=r"FAIL: the remainder falls only like h\^1") as caught:
        check_taylor(mutate(minitorch.exp, "x1.01"), x)
    text = str(caught.value.report)
    assert "remainder = |f(x + h u) - f(x) - h <g, u>|" in text and "fitted" in text
    assert "h^2/2 <u, H u>" in str(check_taylor(minitorch.exp, x, order=2))
    with pytest.raises(ValueError, match="order must be 1 or 2"):
        check_taylor(minitorch.exp, x, order=3)
    with pytest.raises(ValueError, match="no floating point input"):
        check_taylor(lambda x: x, minitorch.tensor([1, 2]))
    with pytest.raises(TypeError, match="NumPy pair has no second derivative"):
        check_taylor((np.exp, lambda v, x: v * np.exp(x)), np.ones(2), order=2)
