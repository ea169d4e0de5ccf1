"""Laws of the checker: what is right passes, what is wrong does not, in every framework."""

import warnings

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
    check_grad,
    mutate,
)

LIBRARIES = [minitorch, torch]
seeds = st.integers(0, 2**32 - 1)


def verdict(f, *inputs, **options):
    report = check_grad(f, *inputs, explain=False, raise_exception=False, **options)
    return report.verdict


def functions(lib):
    """Smooth functions of a square matrix, by name."""
    return {
        "sin": lib.sin,
        "cubic": lambda x: x**3 - x,
        "softmax": lambda x: lib.softmax(x, 1),
        "matmul": lambda x: x @ lib.tanh(x),
        "norm": lambda x: (x * x).sum().sqrt(),
        "scaled": lambda x: 1e-7 * lib.exp(x),
    }


def matrix(seed, lib, dtype="float64"):
    return lib.from_numpy(np.random.default_rng(seed).normal(size=(3, 3)).astype(dtype))


@settings(deadline=None, max_examples=25)
@given(lib=st.sampled_from(LIBRARIES), name=st.sampled_from(list(functions(torch))), seed=seeds,
       dtype=st.sampled_from(["float64", "float32"]))
def test_right_gradients_pass(lib, name, seed, dtype):
    assert verdict(functions(lib)[name], matrix(seed, lib, dtype), seed=seed) == "pass"


@settings(deadline=None, max_examples=40)
@given(lib=st.sampled_from(LIBRARIES), name=st.sampled_from(list(functions(torch))), seed=seeds,
       change=st.sampled_from(list(MUTATIONS)))
def test_every_mutation_is_caught(lib, name, seed, change):
    f = mutate(functions(lib)[name], change)
    assert verdict(f, matrix(seed, lib), seed=seed) == "fail"


PAIRS = {
    "sin": (np.sin, lambda v, x: v * np.cos(x)),
    "product": (lambda x: x.prod(), lambda v, x: v * x.prod() / x),
    "matmul": (lambda x: x @ x, lambda v, x: (v @ x.T + x.T @ v,)),
}


@settings(deadline=None, max_examples=25)
@given(name=st.sampled_from(list(PAIRS)), seed=seeds, change=st.sampled_from([None, *MUTATIONS]),
       method=st.sampled_from(["directions", "jacobian", "complex"]))
def test_numpy_pairs_by_every_method(name, seed, change, method):
    x = np.random.default_rng(seed).normal(size=(3, 3)) + 2 * np.eye(3)
    f = PAIRS[name] if change is None else mutate(PAIRS[name], change)
    if name == "matmul" and change == "rolled" and np.allclose(x, np.roll(x, 1)):
        return
    assert verdict(f, x, method=method, seed=seed) == ("pass" if change is None else "fail")


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("method", ["directions", "jacobian"])
def test_at_a_kink_any_subgradient_passes_and_the_rest_is_strict(lib, method):
    x = lib.from_numpy(np.array([0.0, 1.5, 0.0, -2.0]))
    assert verdict(lib.relu, x, method=method) == "pass-at-kink"
    assert verdict(lib.abs, x, method=method) == "pass-at-kink"
    assert verdict(mutate(lib.relu, "x1.01"), x, method=method) == "fail"


@pytest.mark.parametrize("at_zero, expected", [(0.0, "pass-at-kink"), (1.0, "pass-at-kink"),
                                               (0.3, "pass-at-kink"), (1.2, "fail"),
                                               (-0.1, "fail")])
def test_at_a_kink_the_gradient_lies_between_the_slopes(at_zero, expected):
    def pullback(v, x):
        return v * np.where(x == 0, at_zero, x > 0)
    x = np.array([0.0, 1.5, 0.0, -2.0])
    assert verdict((lambda x: np.maximum(x, 0), pullback), x) == expected


def test_a_kink_nearby_is_no_kink():
    x = np.array([1e-3, -1e-4, 1.0])
    right = (lambda x: abs(x), lambda v, x: v * np.sign(x))
    assert verdict(right, x) == "pass"
    assert verdict((right[0], lambda v, x: v * np.array([0.0, -1, 1])), x) == "fail"


def test_unsure_is_not_pass():
    """In float32, 1e8 + x moves by steps of 8: its values do not tell whether the slope is 1."""
    f = (lambda x: np.float32(1e8) + x, lambda v, x: v)
    x = np.ones(3, np.float32)
    report = check_grad(f, x, raise_exception=False)
    assert report.verdict == "unsure" and not report
    with pytest.raises(UnsureGradient, match="float64"):
        check_grad(f, x)
    with pytest.warns(UnsureGradientWarning, match="UNSURE"):
        assert not check_grad(f, x, allow_unsure=True)


def test_a_jump_is_never_a_pass():
    f = (np.floor, lambda v, x: v * 0)
    assert verdict(f, np.array([1.0, 2.5])) == "unsure"


def test_values_that_are_not_finite_are_unsure():
    with np.errstate(all="ignore"):
        assert verdict((np.log, lambda v, x: v / x), np.array([0.0, 1.0])) == "unsure"
        report = check_grad((np.sqrt, lambda v, x: v), np.array([0.0]), raise_exception=False)
    assert report.verdict == "unsure" and "domain" in report.reason


def test_a_function_that_raises_off_its_domain_is_checked_inside():
    def log(x):
        if not (x > 0).all():
            raise ValueError("positive numbers only")
        return np.log(x)
    pair = (log, lambda v, x: v / x)
    assert verdict(pair, np.array([1e-3, 1.0])) == "pass"
    assert verdict(mutate(pair, "x1.01"), np.array([1e-3, 1.0])) == "fail"
    with pytest.raises(ValueError, match="positive"):
        check_grad(pair, np.array([-1.0, 1.0]))


def test_a_function_that_is_not_deterministic_is_reported_as_that():
    rng = np.random.default_rng(0)
    f = (lambda x: x * rng.normal(), lambda v, x: v)
    with pytest.raises(UnsureGradient, match="not deterministic"):
        check_grad(f, np.ones(2))


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1,)])
def test_0d_and_empty_inputs(lib, shape):
    x = lib.from_numpy(np.full(shape, 0.7))
    assert verdict(lib.sin, x) == "pass"
    if x.numel():
        assert verdict(mutate(lib.sin, "x1.01"), x) == "fail"


def test_an_input_with_a_small_share_is_checked_by_itself():
    f = lambda x, y: 1e6 * np.sin(x) + 1e-7 * np.sin(y)  # noqa: E731

    def pull(v, x, y):
        return v * 1e6 * np.cos(x), v * 1e-7 * np.cos(y)
    x = np.array([0.3, 0.9])
    parts = (lambda x, y: (1e6 * np.sin(x), 1e-7 * np.sin(y)),
             lambda v, x, y: (v[0] * 1e6 * np.cos(x), v[1] * 1e-7 * np.cos(y)))
    assert verdict(parts, x, x) == "pass"
    assert verdict(mutate(parts, "x1.01", input=1), x, x) == "fail"
    assert verdict(mutate((f, pull), "zero", input=1), x, x) in ("fail", "unsure")


def test_wrong_shapes_and_counts_fail_with_the_cause():
    x, b = np.ones((4, 3)), np.ones(3)
    add = (lambda x, b: x + b, lambda v, x, b: (v, v))
    with pytest.raises(WrongGradient, match="missing the sum over the broadcast axis 0"):
        check_grad(add, x, b)
    with pytest.raises(WrongGradient, match="transposed"):
        check_grad((lambda x: 2 * x, lambda v, x: 2 * v.T), x)
    with pytest.raises(WrongGradient, match="returned 3 gradients for 2 inputs"):
        check_grad((add[0], lambda v, x, b: (v, v, v)), x, b)
    with pytest.raises(WrongGradient, match=r"nan at input 0\[1\]"):
        check_grad((np.sin, lambda v, x: v * np.array([1, np.nan])), np.array([1.0, 2.0]))


def test_what_it_cannot_take_it_says():
    with pytest.raises(TypeError, match="pair"):
        check_grad(np.sin, np.ones(2))
    with pytest.raises(TypeError, match="pair"):
        check_grad(torch.sin, torch.ones(2), method="complex")
    with pytest.raises(ValueError, match="method"):
        check_grad(torch.sin, torch.ones(2), method="magic")
    with pytest.raises(TypeError, match="complex128"):
        check_grad((np.sin, np.cos), np.ones(2, complex), wrt=[0])


def test_the_cost_does_not_grow_with_the_input():
    small, large = (check_grad(torch.tanh, torch.randn(n, dtype=torch.float64,
                                                       generator=torch.Generator().manual_seed(n)))
                    for n in (3, 30_000))
    assert small.evaluations < 100 and large.evaluations < 100


def test_no_warning_escapes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert verdict(torch.sqrt, torch.tensor([1e-6, 1.0], dtype=torch.float64)) == "pass"


def test_a_gradient_of_another_dtype_fails():
    pair = (np.sin, lambda v, x: (v * np.cos(x)).astype("float64"))
    assert verdict(pair, np.ones(3)) == "pass"
    with pytest.raises(WrongGradient, match="has dtype float64, the input has dtype float32"):
        check_grad(pair, np.ones(3, np.float32))
