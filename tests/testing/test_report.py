"""Laws of the report: it agrees with its own numbers, names the mistake, and can be repeated."""

import contextlib
import io
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.testing import MUTATIONS, WrongGradient, check_grad, mutate

x = np.random.default_rng(3).normal(size=(3, 3))
w = np.random.default_rng(4).normal(size=(3, 3))
f = (lambda x: np.sin(x @ w), lambda v, x: (v * np.cos(x @ w)) @ w.T)

CAUSES = {
    "zero": "zero everywhere (is the input cut off from the output?)",
    "sign": "the sign",
    "x2": "×2 everywhere",
    "x1.01": "×1.01 everywhere",
    "x(1+1e-4)": "×1.0001 everywhere",
    "transposed": "transposed",
    "one entry dropped": "1 entry never written ([1, 1])",
    "rolled": "rolled by 1",
}


def report(f, *inputs, **options):
    return check_grad(f, *inputs, raise_exception=False, **options)


@pytest.mark.parametrize("change", MUTATIONS)
@pytest.mark.parametrize("method", ["directions", "jacobian", "complex"])
def test_the_cause_is_guessed(change, method):
    found = report(mutate(f, change), x, method=method)
    assert found.verdict == "fail"
    assert found.cause == CAUSES[change]


@pytest.mark.parametrize("pullback, cause", [
    (lambda v, b: 0 * b + v[0], "missing the sum over the broadcast axis 0: only the first slice"),
    (lambda v, b: v.mean(0), "1/N everywhere, N = 4, axis 0 of output 0"),
    (lambda v, b: 0 * b + 4.0, "the cotangent is not used"),
    (lambda v, b: v.sum(0) * [1, 0, 0], "2 entries never written ([1], [2])"),
])
def test_causes_of_a_broadcast_sum(pullback, cause):
    found = report((lambda b: b + np.ones((4, 3)), pullback), np.array([0.3, -1.2, 0.8]))
    assert cause in found.cause


def test_the_input_at_fault_is_named():
    def pull(v, x, y):
        return v * y, -v * x
    found = report((lambda x, y: x * y, pull), x, w)
    assert found.cause == "input 1: the sign"
    assert {e.input for e in found.entries if e.wrong} == {1}


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), change=st.sampled_from([None, *MUTATIONS]))
def test_the_verdict_follows_from_the_numbers_beside_it(seed, change):
    found = report(f if change is None else mutate(f, change), x, seed=seed, explain=False)
    lines = re.findall(r"analytic (\S+)\s+numeric (\S+) ± (\S+)\s+off by (\S+), allowed (\S+)",
                       str(found))
    assert len(lines) == len(found.probes) >= 2
    within = True
    for line in lines:
        analytic, numeric, bar, off, allowed = map(float, line)
        within &= off <= allowed
        assert abs(abs(analytic - numeric) - off) <= 1e-7 * abs(numeric) + off / 10
        assert 3 * bar <= allowed * 1.1
    assert within == (found.verdict == "pass") == bool(found)


def test_a_report_depends_on_its_seed():
    wrong = mutate(f, "x1.01")
    assert str(report(wrong, x, seed=11)) != str(report(wrong, x, seed=12))


def half_right(lib):
    """The first derivative is right, the second is not."""
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x.detach() * g
    return type("Cube", (lib.autograd.Function,), {
        "forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


def to_repeat(lib, options):
    """A wrong function and its inputs."""
    if lib is None:
        return mutate((lambda a, b: np.sin(a) * b, lambda v, a, b: (v * np.cos(a) * b,
                                                                    v * np.sin(a))), "x2"), (x, w)
    a = lib.from_numpy(x.copy())
    if options.get("order") == 2:
        return half_right(lib), (a,)
    return mutate(lambda a, b: lib.nn.functional.dropout(a, 0.2) * b, "x2"), (a, a + 1)


@pytest.mark.parametrize("lib", [None, minitorch, torch])
@pytest.mark.parametrize("options", [
    {"seed": 11}, {"method": "jacobian", "seed": 3}, {"method": "complex"}, {"order": 2},
    {"wrt": (0,)}, {"explain": False}])
def test_the_snippet_gives_the_same_report(lib, options):
    if "order" in options if lib is None else "complex" in options.values():
        return
    function, inputs = to_repeat(lib, options)
    first = str(report(function, *inputs, **options))
    assert first.startswith("FAIL")
    snippet = first.split("again, with the same f and inputs:\n")[1]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(snippet, {"f": function, "inputs": inputs})
    assert out.getvalue() == first + "\n"


def test_parameters_are_named_in_the_snippet():
    weight = torch.ones(3, dtype=torch.float64, requires_grad=True)
    found = report(lambda a: a * weight.detach(), torch.from_numpy(x.copy()), parameters=[weight])
    exec(found.snippet, {"f": lambda a: a * weight.detach(), "inputs": [torch.from_numpy(x)],
                         "parameters": [weight]})
    assert "parameters=parameters" in found.snippet


def test_the_error_carries_the_report():
    with pytest.raises(WrongGradient, match="×2 everywhere") as caught:
        check_grad(mutate(f, "x2"), x)
    assert caught.value.report.verdict == "fail"
    assert str(caught.value.report) in str(caught.value)


def test_entries_of_a_large_input_are_a_sample():
    big = np.random.default_rng(0).normal(size=600)
    found = report(mutate((np.sin, lambda v, x: v * np.cos(x)), "x2"), big)
    assert found.cause == "×2 everywhere"
    assert 40 < len(found.entries) < 128 and all(e.wrong for e in found.entries)
    assert found.evaluations < 2500
    assert f"; {600 - len(found.entries)} others were left out" in str(found)


def test_kinks_are_listed_with_both_slopes():
    found = report((lambda x: abs(x), lambda v, x: v * np.where(x == 0, 1.5, np.sign(x))),
                   np.array([0.0, 2.0]))
    assert found.verdict == "fail"
    (kink,) = found.kinks
    assert kink.where == "input 0[0]" and not kink.inside
    assert kink.low == -kink.high and "between the slopes" in str(found)


def test_the_jacobian_is_given_with_a_bar_for_each_entry():
    found = report(f, x, method="jacobian")
    (j,) = found.jacobians
    assert j["analytic"].shape == j["numeric"].shape == j["bar"].shape == (9, 9)
    assert found.verdict == "pass"
    assert np.all(abs(j["analytic"] - j["numeric"]) <= 3 * j["bar"] + 1e-14)
    assert j["bar"].max() < 1e-9
