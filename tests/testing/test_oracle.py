"""``assert_same_as_torch`` names every kind of difference, where it is, and how to see it again."""

import re
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.testing import assert_same_as_torch
from minitorch.testing.oracle import DiffersFromTorch, allowance, compare
from minitorch.testing.outcome import Given, Numbers
from tests.twins import tensors

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]], np.float32)


def ours(torch):
    return torch is minitorch


def difference(program, *args, **kwargs):
    with pytest.raises(DiffersFromTorch) as raised:
        assert_same_as_torch(program, *args, **kwargs)
    return raised.value.difference


def spoilt_gradient(torch, x, y):
    """x * y, whose gradient by y is a thousandth too large under minitorch."""
    if ours(torch):
        y.register_hook(lambda g: g * 1.001)
    return x * y


def spoilt_cotangent(torch, x):
    """A sum whose gradient is all ones, whatever the cotangent, under minitorch."""
    if ours(torch):
        x.register_hook(lambda g: torch.ones_like(g))
    return x.sum()


# Under minitorch each does something else; the quantity and the aspect that must be named.
WRONG = {
    "value": (lambda torch, x: x * (1.0001 if ours(torch) else 1), "result", "value"),
    "one value": (lambda torch, x: x + torch.tensor([0.0, 0.0, 1e-3 * ours(torch)]),
                  "result", "value"),
    "integer": (lambda torch, x: (x > 0).sum() + ours(torch), "result", "value"),
    "nan": (lambda torch, x: x * (float("nan") if ours(torch) else 1), "result", "value"),
    "number": (lambda torch, x: x.numel() + ours(torch), "result", "value"),
    "second of three": (lambda torch, x: (x, x + ours(torch), x), "result[1]", "value"),
    "in a dict": (lambda torch, x: {"a": x, "b": [x, x + ours(torch)]}, "result['b'][1]", "value"),
    "key": (lambda torch, x: {"ab"[ours(torch)]: x}, "result", "keys"),
    "length": (lambda torch, x: [x] * (1 + ours(torch)), "result", "length"),
    "type": (lambda torch, x: x if ours(torch) else [x], "result", "type"),
    "dtype": (lambda torch, x: x.double() if ours(torch) else x, "result", "dtype"),
    "shape": (lambda torch, x: x.sum(0, keepdim=ours(torch)), "result", "shape"),
    "requires_grad": (lambda torch, x: x.detach() if ours(torch) else x, "result",
                      "requires_grad"),
    "written": (lambda torch, x: x.add_(ours(torch)).sum() * 0, "argument 0 after the call",
                "value"),
    "written the same": (lambda torch, x: (x.mul_(1) if ours(torch) else x).sum(),
                         "number of writes to argument 0", "value"),
    "gradient": (lambda torch, x: spoilt_gradient(torch, 3.0, x), "gradient of argument 0",
                 "value"),
    "cotangent": (spoilt_cotangent, "gradient of argument 0", "value"),
    "no error": (lambda torch, x: x if ours(torch) else x.reshape(7), "error", "value"),
    "error": (lambda torch, x: x.reshape(7) if ours(torch) else x, "error", "value"),
    "another error": (lambda torch, x: x.reshape(7) if ours(torch) else [][1], "error", "value"),
    "sparse": (lambda torch, x: torch.sparse_coo_tensor([[0, 2]], [1.0, 2.0 + ours(torch)], (3,)),
               "result", "value"),
    "stream": (lambda torch, x: torch.rand(2) if not ours(torch) else torch.rand(3)[1:], "result",
               "value"),
}


@pytest.mark.parametrize("name", WRONG)
def test_every_kind_of_difference_is_named(name):
    program, quantity, aspect = WRONG[name]
    found = difference(program, X)
    assert (found.quantity, found.aspect) == (quantity, aspect), found


def test_a_refusal_must_leave_the_arguments_alone():
    def program(torch, x):
        if ours(torch):
            x.add_(1)
        return x.reshape(7)
    assert difference(program, X).quantity == "argument 0 after the error"


def test_the_message_says_where_and_both_values():
    program = WRONG["one value"][0]
    with pytest.raises(DiffersFromTorch, match=r"^result: value at .* entries differ") as raised:
        assert_same_as_torch(program, X)
    found = raised.value.difference
    assert found.index[1] == 2 and found.theirs == X[found.index]
    assert found.ours == pytest.approx(X[found.index] + 1e-3)
    assert "off by 0.001, allowed" in str(found) and "(2 of 6 entries differ)" in str(found)


@given(x=tensors(shape=st.sampled_from([(2, 3), (3,), (), (0, 2)]), dtype=["float32", "float64"],
                 wild=True), seed=st.integers(0, 9))
def test_the_message_ends_with_a_call_that_shows_it_again(x, seed):
    text = "torch.rand(2), x, x.numel() + ('mini' in torch.__name__) * 1000"
    with pytest.raises(DiffersFromTorch) as raised:
        assert_same_as_torch(text, x=x, seed=seed)
    again = re.search(r"(assert_same_as_torch\(.*)$", str(raised.value))[1]
    with pytest.raises(DiffersFromTorch) as repeated:
        eval(again, {"assert_same_as_torch": assert_same_as_torch, "Given": Given, "np": np})
    assert str(repeated.value) == str(raised.value)


def test_large_arguments_are_described():
    with pytest.raises(DiffersFromTorch, match=r"Given\(<float64 array of shape \(9, 9\)>"):
        assert_same_as_torch(lambda torch, x: x + ours(torch), np.ones((9, 9)))


def test_arrays_and_tensors_of_either_engine_are_the_same_argument():
    seen = []

    def program(torch, x, xs, n, *, y):
        assert isinstance(x, torch.Tensor) and isinstance(xs[1], torch.Tensor)
        assert x.tolist() == X.tolist() == xs[1].tolist() == y.tolist() and n == 2
        seen.append(x.requires_grad)
        return x * n, torch.cat(xs)
    for x in (X, torch.from_numpy(X), minitorch.from_numpy(X)):
        seen.clear()
        assert_same_as_torch(program, x, [x, x], 2, y=x)
        assert seen == [x is X] * 2  # arrays require a gradient, tensors if they do
        assert_same_as_torch(program, x, (x, x), 2, y=x, grad=False)
        assert seen[2:] == [False, False]


def test_gradients_are_compared_in_lists_and_by_returned_parameters():
    def program(torch, xs):
        layer = torch.nn.Linear(3, 2)
        if ours(torch):
            layer.bias.register_hook(lambda g: g * 1.01)
        return layer(torch.cat(xs)), layer.weight, layer.bias
    assert difference(program, [X, X]).quantity == "gradient of the leaf in result 1"
    found = difference(lambda torch, xs: spoilt_gradient(torch, xs[0], xs[1]), [X, X])
    assert found.quantity == "gradient of argument 0[1]"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_three_quarters_of_the_digits_count(dtype, factor):
    """Relative to the number, and to the middle one of its neighbours."""
    b = np.array([100.0, 1.0, 1.0, -1.0, 0.0], dtype)
    for i, size in enumerate([101, 2, 2, 2, 1]):
        a = b.astype(np.float64)
        a[i] += factor * size * allowance(b.dtype)
        found = compare("x", Numbers("", False, a.astype(dtype)), Numbers("", False, b))
        assert (found is not None) == (factor > 1)
        assert found is None or found.index == (i,)


def test_a_tolerance_may_be_given():
    program = WRONG["value"][0]
    difference(program, X)
    assert_same_as_torch(program, X, tolerance=1e-3)
    close = lambda torch, x: x * (1 + 1e-14 * ours(torch))  # noqa: E731
    assert_same_as_torch(close, X.astype("float64"))
    difference(close, X.astype("float64"), tolerance=1e-15)
    assert_same_as_torch(lambda torch, x: x / 0 - x / 0, X, tolerance=0.0)


def test_nan_and_infinities_are_numbers_too():
    x = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert_same_as_torch(lambda torch, x: (x, x.exp(), x.sum()), x)
    assert difference(lambda torch, x: x.abs() if ours(torch) else x, x).index == (2,)


def test_both_engines_start_from_the_seed_and_are_put_back():
    states = [engine.get_rng_state().tolist() for engine in (torch, minitorch)]
    drawn = []
    for seed in (3, 3, 4):
        assert_same_as_torch(lambda torch: drawn.append(torch.rand(3).tolist()), seed=seed)
    assert drawn[0] == drawn[1] == drawn[2] == drawn[3] != drawn[4] == drawn[5]
    assert states == [engine.get_rng_state().tolist() for engine in (torch, minitorch)]


def test_arguments_are_not_written_to():
    x = X.copy()
    assert_same_as_torch(lambda torch, x: x.zero_(), x)
    assert np.array_equal(x, X)


def test_errors_must_be_expected():
    """Else a misspelt program would be one in which the engines agree."""
    assert_same_as_torch(lambda torch, x: x.reshape(7), X, raises=RuntimeError)
    with pytest.raises(RuntimeError, match="invalid for input of size 6") as raised:
        assert_same_as_torch(lambda torch, x: x.reshape(7), X)
    assert "say raises=" in raised.value.__notes__[0]
    with pytest.raises(AttributeError, match="softmx"):
        assert_same_as_torch("torch.softmx(x)", x=X, raises=(RuntimeError, TypeError))
    with pytest.raises(AssertionError, match="neither engine raised"):
        assert_same_as_torch("x", x=X, raises=RuntimeError)


def test_misuse_is_refused():
    with pytest.raises(TypeError, match="by name"):
        assert_same_as_torch("x + 1", X)
    with pytest.raises(TypeError, match="Linear is a module of one engine: build it inside"):
        assert_same_as_torch(lambda torch, m: m, minitorch.nn.Linear(2, 2))
    with pytest.raises(SyntaxError):
        assert_same_as_torch("x +", x=X)


def test_without_torch_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch"):
        assert_same_as_torch("x", x=X)


def test_minitorch_in_torchs_place_is_not_compared_with_itself(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", minitorch)
    with pytest.raises(ImportError, match="compared with itself"):
        assert_same_as_torch("x", x=X)
