"""Laws of the guess: the mistake behind a wrong gradient is named, in any size and library."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.testing import check_grad, mutate

NUMPY = "numpy"
libraries = st.sampled_from([NUMPY, minitorch, torch])
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(3, 4)


def forward(x, w, b):
    return np.tanh(x @ w + b)


def backward(v, x, w, b):
    g = v * (1 - forward(x, w, b)**2)
    return g @ w.T, x.T @ g, g.sum(0)


def layer(lib):
    """tanh(x @ w + b)"""
    return (forward, backward) if lib is NUMPY else lambda x, w, b: lib.tanh(x @ w + b)


def mean_square(lib):
    """Its loss over a batch: one number."""
    if lib is not NUMPY:
        return lambda x, w, b: (layer(lib)(x, w, b)**2).mean()
    return (lambda x, w, b: (forward(x, w, b)**2).mean(),
            lambda v, x, w, b: backward(v * 2 * forward(x, w, b) / (len(x) * len(b)), x, w, b))


def arrays(lib, seed, n, m, k):
    rng = np.random.default_rng(seed)
    drawn = [rng.normal(size=shape) for shape in ((n, m), (m, k), (k,))]
    return drawn if lib is NUMPY else [lib.from_numpy(a) for a in drawn]


def cause(f, inputs, change, at, **options):
    report = check_grad(mutate(f, change, input=at), *inputs, wrt=[at], raise_exception=False,
                        **options)
    assert report.verdict == "fail"
    return report.cause


CAUSES = {
    "zero": "zero everywhere (is the input cut off from the output?)",
    "sign": "the sign",
    "x2": "×2 everywhere",
    "x1.01": "×1.01 everywhere",
    "transposed": "transposed",
    "rolled": "rolled by 1",
}


@settings(deadline=None, max_examples=10)
@given(lib=libraries, seed=seeds, n=sizes, m=sizes, k=sizes, at=st.integers(0, 1),
       change=st.sampled_from(list(CAUSES)))
def test_known_mistakes_are_named(lib, seed, n, m, k, at, change):
    found = cause(layer(lib), arrays(lib, seed, n, m, k), change, at, seed=seed)
    assert found == CAUSES[change]


@settings(deadline=None, max_examples=4)
@given(lib=libraries, seed=seeds, n=sizes, m=sizes, k=sizes, at=st.integers(0, 2),
       factor=st.sampled_from([0.5, -3.0, 1.25, 0.9]))
def test_a_constant_factor_is_told(lib, seed, n, m, k, at, factor):
    found = cause(layer(lib), arrays(lib, seed, n, m, k), lambda g: g * factor, at)
    assert found == f"×{factor:g} everywhere"


@settings(deadline=None, max_examples=6)
@given(lib=libraries, seed=seeds, n=sizes, m=sizes, k=sizes, at=st.integers(0, 2),
       times=st.booleans())
def test_a_batch_size_too_many_or_too_few_is_told(lib, seed, n, m, k, at, times):
    found = cause(mean_square(lib), arrays(lib, seed, n, m, k),
                  lambda g: g * n if times else g / n, at)
    assert re.fullmatch(rf"{'×N' if times else '1/N'} everywhere, N = {n}, .*", found)


@settings(deadline=None, max_examples=6)
@given(lib=libraries, seed=seeds, n=sizes, m=sizes, k=sizes, axis=st.integers(0, 1),
       index=st.integers(0, 2), factor=st.sampled_from([0, 3.0, None]))
def test_one_row_or_column_is_told(lib, seed, n, m, k, axis, index, factor):
    def change(g):
        g = g.copy()
        part = (slice(None),) * axis + (index,)
        g[part] = g[part][::-1] + 1 if factor is None else g[part] * factor
        return g
    found = cause(layer(lib), arrays(lib, seed, n, m, k), change, 0)
    if factor == 0:
        assert found.startswith(f"index {index} of axis {axis} never written (")
    else:
        assert found == f"only index {index} of axis {axis} is wrong" + (
            "" if factor is None else ": ×3")


@settings(deadline=None, max_examples=4)
@given(lib=libraries, seed=seeds, n=sizes, m=sizes, k=sizes, data=st.data())
def test_an_entry_is_told(lib, seed, n, m, k, data):
    i, j = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, m - 1))
    for factor in (0, 2):
        def change(g):
            g = g.copy()
            g[i, j] *= factor  # noqa: B023
            return g
        found = cause(layer(lib), arrays(lib, seed, n, m, k), change, 0)
        assert found == (
            f"1 entry never written ([{i}, {j}])" if factor == 0
            else f"only the entry [{i}, {j}] is wrong: ×2")


@settings(deadline=None, max_examples=3)
@given(lib=libraries, seed=seeds, n=sizes, m=sizes, k=sizes)
def test_a_forgotten_sum_is_told(lib, seed, n, m, k):
    found = cause(layer(lib), arrays(lib, seed, n, m, k), "un-broadcast dropped", 2)
    assert found == "missing the sum over the broadcast axis 0: only the first slice is there"


@pytest.mark.parametrize("lib", [minitorch, torch])
def test_shapes_that_the_engine_refuses_are_told(lib):
    def function(backward):
        return type("Wrong", (lib.autograd.Function,), {
            "forward": staticmethod(lambda ctx, x, b: x + b),
            "backward": staticmethod(backward)}).apply
    x, b = lib.from_numpy(np.ones((4, 3))), lib.from_numpy(np.ones(3))
    for backward, expected in [
            (lambda ctx, g: (g.T, g.sum(0)), "transposed"),
            (lambda ctx, g: (g, g), "missing the sum over the broadcast axis 0")]:
        report = check_grad(function(backward), x, b, raise_exception=False)
        if lib is torch and expected != "transposed":
            assert report.verdict == "pass"  # PyTorch sums what is missing itself
        else:
            assert report.verdict == "fail" and report.cause == expected


ROWS = np.array([0, 2, 2, 1, 2])


def accumulated(v, w):
    g = np.zeros_like(w)
    np.add.at(g, ROWS, v)
    return g


def assigned(v, w):
    g = np.zeros_like(w)
    g[ROWS] = v
    return g


def added_in_a_buffer(v, w):
    g = np.zeros_like(w)
    g[ROWS] += v
    return g


@pytest.mark.parametrize("wrong", [assigned, added_in_a_buffer])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_repeated_indices_are_told(wrong, dtype):
    w = np.random.default_rng(0).normal(size=(4, 3)).astype(dtype)
    assert check_grad((lambda w: w[ROWS], accumulated), w).verdict == "pass"
    report = check_grad((lambda w: w[ROWS], wrong), w, raise_exception=False)
    assert report.verdict == "fail" and "only the last one counts" in report.cause


@pytest.mark.parametrize("method", ["directions", "jacobian"])
def test_swapped_gradients_are_told(method):
    x, y, z = np.random.default_rng(0).uniform(1, 2, (3, 4))
    f = lambda x, y, z: x * y**2 + z  # noqa: E731
    swapped = lambda v, x, y, z: (2 * v * x * y, v * y**2, v)  # noqa: E731
    report = check_grad((f, swapped), x, y, z, method=method, raise_exception=False)
    assert report.cause == "the gradients of input 0 and input 1 are swapped"
    doubled = lambda v, x, y, z: (2 * v * x * y, v * y**2, 2 * v)  # noqa: E731
    report = check_grad((f, doubled), x, y, z, raise_exception=False)
    assert report.cause.split("; ")[1] == "input 2: ×2 everywhere"


@pytest.mark.parametrize("at_zero", [1.5, -0.5])
def test_a_mistake_at_a_kink_is_no_factor(at_zero):
    x = np.array([0.0, 1.0, -2.0, 0.5, 0.0])
    wrong = lambda v, x: v * np.where(x == 0, at_zero, x > 0)  # noqa: E731
    report = check_grad((lambda x: np.maximum(x, 0), wrong), x, raise_exception=False)
    assert report.verdict == "fail" and report.cause.startswith("only at kinks")
    assert "a kink: " in str(report) and "everywhere" not in str(report)
    doubled = lambda v, x: v * np.where(x == 0, at_zero, 2 * (x > 0))  # noqa: E731
    report = check_grad((lambda x: np.maximum(x, 0), doubled), x, raise_exception=False)
    assert report.cause == "×2 everywhere"


@settings(deadline=None, max_examples=4)
@given(seed=seeds, at=st.integers(0, 2999))
def test_one_wrong_entry_of_thousands_is_found(seed, at):
    x = np.random.default_rng(seed).uniform(0.2, 1, 3000)

    def dropped(v, x):
        g = v * np.cos(x)
        g[at] = 0
        return g
    report = check_grad((np.sin, dropped), x, seed=seed, raise_exception=False)
    assert report.cause == f"1 entry never written ([{at}])"
