"""Laws of mutation: a wrong rule is in place while it should be, and the score counts it right."""

import numpy as np
import pytest
import torch

import minitorch
from minitorch.primitive import registry
from minitorch.testing import MUTATIONS, check_grad, mutate, mutation_score
from minitorch.testing.changes import UNBROADCAST
from minitorch.testing.rules import changes, mutants
from tests.mutate import LAWS, some_calls

LIBRARIES = [minitorch, torch]
x = np.random.default_rng(3).normal(size=(3, 3))
MISSING = "input 1: missing the sum over the broadcast axis 0: only the first slice is there"


def leaf(lib=minitorch, values=x):
    return lib.from_numpy(np.array(values)).requires_grad_()


# -- registered operators --------------------------------------------------------------------

@pytest.mark.parametrize("name", ["tanh", "multiply", "softmax", "matmul", "sum"])
def test_the_laws_catch_every_wrong_rule(name):
    """The gate on the suite, in small: ``python -m tests.mutate`` is all of it."""
    op = registry[name]
    drawn = {kind: some_calls(op, kind, n) for kind, n in (("smooth", 12), ("ties", 4))}

    def obeyed():
        for law, kinds in LAWS.items():
            for case in (case for kind in kinds for case in drawn[kind]):
                law(case)
    found = mutation_score(obeyed, name)
    assert found.score == 1, str(found)
    assert len(found.caught) > len(found.unchanged)


def test_a_wrong_rule_is_there_inside_with_and_gone_after_it():
    def gradient():
        a = leaf()
        minitorch.tanh(a).sum().backward()
        return a.grad
    right, rule = gradient(), registry["tanh"].rules[0]
    before = minitorch.tanh(b := leaf())
    with mutate("tanh", "x2", input="x"):
        assert (gradient() == 2 * right).all()
        before.sum().backward()  # recorded before
        recorded = minitorch.tanh(c := leaf())
    assert (gradient() == right).all() and (b.grad == right).all()
    assert registry["tanh"].rules[0] is rule
    recorded.sum().backward()
    assert (c.grad == 2 * right).all()


def test_a_wrong_rule_is_taken_out_after_an_error():
    rule = registry["exp"].rules[0]
    with pytest.raises(ZeroDivisionError), mutate("exp", lambda g: g / 0 if 1 / 0 else g):
        minitorch.exp(leaf()).sum().backward()
    assert registry["exp"].rules[0] is rule and not registry["exp"].plans


@pytest.mark.parametrize("change", [*MUTATIONS, UNBROADCAST, "without y"])
def test_check_grad_finds_a_wrong_rule(change):
    a, b = leaf(), leaf(values=x[:1] + 3 if change == UNBROADCAST else x.T + 3)
    with mutate("mul", change, input="x"):
        report = check_grad(minitorch.mul, a, b, raise_exception=False)
    assert report.verdict == "fail"
    if change == UNBROADCAST:
        assert report.cause == MISSING
    assert check_grad(minitorch.mul, a, b).verdict == "pass"


def test_second_order_is_spoilt_too():
    with mutate("sin", "detached"):
        assert check_grad(minitorch.sin, leaf()).verdict == "pass"
        assert not check_grad(minitorch.sin, leaf(), order=2, raise_exception=False)


@pytest.mark.parametrize("arguments, message", [
    (("tanhh", "x2"), "no operator 'tanhh': did you mean 'tanh'"),
    (("tanh", "x3"), "no mutation 'x3' of this rule: one of zero"),
    (("tanh", "x2", 1), "'tanh' has rules for x, not for 1"),
    (("tanh", "x2", "y"), "not for 'y'"),
    ((np.sin, "x3"), "no mutation 'x3'"),
    ((np.sin, "x2", "x"), "by its position"),
])
def test_what_cannot_be_spoilt_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        mutate(*arguments)


def test_a_suite_that_looks_at_one_operator_only_is_found_out():
    def suite():
        a = leaf(values=np.array([0.3, -2.0, 1.0]))
        minitorch.sin(a).sum().backward()
        np.testing.assert_allclose(a.grad.numpy(), np.cos([0.3, -2.0, 1.0]), rtol=1e-3)
    found = mutation_score(suite, "sin", "cos")
    unasked = [f"{m} (never asked for)" for m in mutants("cos")][:-1]
    assert found.survivors == ["sin, rule for 'x': x(1+1e-4)", *unasked]
    assert found.unchanged == ["sin, rule for 'x': transposed", "sin, rule for 'x': detached",
                               "sin: un-broadcast dropped", "cos: un-broadcast dropped"]
    assert len(found.caught) == len(changes(registry["sin"], 0)) - 3
    assert "SURVIVED  cos, rule for 'x': zero (never asked for)" in str(found)


# -- functions -------------------------------------------------------------------------------

@pytest.mark.parametrize("lib", LIBRARIES)
def test_un_broadcasting_is_dropped_from_functions(lib):
    a, b = lib.from_numpy(x.copy()), lib.from_numpy(x[0].copy())

    def f(a, b):
        return lib.tanh(a + b)
    report = check_grad(mutate(f, UNBROADCAST, input=1), a, b, raise_exception=False)
    assert report.cause == MISSING
    assert check_grad(mutate(f, UNBROADCAST, input=0), a, b).verdict == "pass"  # nothing to drop
    noisy = mutate(lambda a, b: lib.nn.functional.dropout(a + b), UNBROADCAST, input=1)
    assert check_grad(noisy, a, b, raise_exception=False).verdict == "fail"
    linear = mutate(lambda a, w: a @ w, UNBROADCAST, input=1)
    assert check_grad(linear, a, a).verdict == "pass"


def test_un_broadcasting_is_dropped_from_numpy_code():
    def pull(v, a, b):
        g = v * (1 - np.tanh(a + b)**2)
        axes = tuple(range(g.ndim - b.ndim)) + tuple(
            i - b.ndim for i, n in enumerate(b.shape) if n != g.shape[i - b.ndim])
        return g, g.sum(axes, keepdims=True).reshape(b.shape)
    pair = (lambda a, b: np.tanh(a + b), pull)
    for b, axis in ((x[0], 0), (x[:, :1], 1)):
        assert check_grad(pair, x, b).verdict == "pass"
        report = check_grad(mutate(pair, UNBROADCAST, input=1), x, b, raise_exception=False)
        assert f"missing the sum over the broadcast axis {axis}" in report.cause
    assert check_grad(mutate(pair, UNBROADCAST, input=1), x, x.T).verdict == "pass"


@pytest.mark.parametrize("lib", [None, *LIBRARIES])
def test_check_grad_has_score_1(lib):
    if lib is None:
        f, inputs = (lambda a, b: a * b, lambda v, a, b: (v * b, (v * a).sum(0))), (x, x[1])
    else:
        f, inputs = (lambda a, b: a * b), (lib.from_numpy(x.copy()), lib.from_numpy(x[1].copy()))
    found = mutation_score(lambda f: check_grad(f, *inputs, explain=False), f, inputs=(0, 1))
    assert found.score == 1, str(found)
    assert found.unchanged == ["input 0: un-broadcast dropped", "input 1: transposed"]
    assert len(found.caught) == 2 * 9 - 2


def test_a_check_without_teeth_has_score_0():
    pair = (np.sin, lambda v, x: v * np.cos(x))
    found = mutation_score(lambda f: (f[1](x, x), None)[1], pair)
    assert found.score == 0 and len(found.survivors) == 8
    assert np.isnan(mutation_score(lambda f: None, pair, mutations=["un-broadcast dropped"]).score)


def test_false_results_and_pytest_failures_are_refusals():
    pair = (np.sin, lambda v, x: v * np.cos(x))

    def failing(f):
        if not np.array_equal(np.ravel(f[1](1.0, x)), np.ravel(np.cos(x))):
            pytest.fail("no")
    assert mutation_score(failing, pair, mutations=["x2"]).score == 1
    assert mutation_score(lambda f: check_grad(f, x, raise_exception=False), pair,
                          mutations=["x2"]).score == 1


def test_a_check_that_refuses_what_is_right_has_no_score():
    with pytest.raises(ValueError, match="refuses the right gradient"):
        mutation_score(lambda f: False, (np.sin, lambda v, x: v * np.cos(x)))
    with pytest.raises(ValueError, match="refuses the right gradient: 1 != 2"):
        def suite():
            raise AssertionError("1 != 2")
        mutation_score(suite, "tanh")
