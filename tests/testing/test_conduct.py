"""Laws of conduct: what no value of a gradient shows is found out.

Each offender returns the right numbers where it is called once, with plain arrays.
"""

import numpy as np
import pytest
import torch

import minitorch
from minitorch.testing import WrongGradient, check_grad
from minitorch.testing.conduct import subsets

LIBRARIES = [minitorch, torch]
x = np.random.default_rng(0).normal(size=(4, 3))


def refused(f, *inputs, **options):
    with pytest.raises(WrongGradient) as caught:
        check_grad(f, *inputs, **options)
    return caught.value.report.reason


# -- NumPy code ------------------------------------------------------------------------------

def cos(v, x):
    return v * np.cos(x)


def writes_input(v, x):
    g = cos(v, x)
    x += 1
    return g


def writes_cotangent(v, x):
    v *= np.cos(x)
    return v


def forward_writes(x):
    return np.sin(x, out=x)


def as_if_contiguous(v, x):
    flat = np.lib.stride_tricks.as_strided(v, (v.size,), (v.itemsize,))
    return flat.reshape(v.shape) * np.cos(x)


class Layer:
    """tanh, with a cache."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, v, x):
        return v * (1 - self.y**2)

    def careless(self, v, x):
        self.y *= self.y  # the caller has it too
        return v * (1 - self.y)


class Buffer:
    """One array for every result."""

    def __init__(self, shape):
        self.out = np.empty(shape)

    def pullback(self, v, x):
        return np.multiply(v, np.cos(x), out=self.out)


def random_sign(v, x, rng=np.random.default_rng(0)):  # noqa: B008
    return cos(v, x) * (1 + 1e-6 * rng.normal())


def by_identity(v, x, y):
    return (v * y, v * x) if x is not y else (v * y, v * 0)


@pytest.mark.parametrize("pair, n, reason", [
    ((np.sin, writes_input), 1, "the pullback wrote into input 0"),
    ((np.sin, writes_cotangent), 1, "the pullback wrote into the cotangent of output 0"),
    ((forward_writes, cos), 1, "the function wrote into input 0"),
    ((np.sin, as_if_contiguous), 1, "changes when inputs and cotangents are not contiguous"),
    (((one := Layer()).forward, one.careless), 1, "the pullback wrote into output 0"),
    ((np.sin, Buffer(x.shape).pullback), 1, "the next call writes into the same memory"),
    ((np.sin, random_sign), 1, "is not deterministic"),
    ((np.multiply, by_identity), 2, "both input 0 and input 1 is not the sum of both"),
    ((np.sin, lambda v, x: cos(v, x).astype("float32")), 1,
     "dtype float32, the input has dtype float64"),
    ((np.sin, lambda v, x: cos(v, x)[None]), 1, "has shape (1, 4, 3), the input has shape (4, 3)"),
])
def test_numpy_offenders_are_found(pair, n, reason):
    assert reason in refused(pair, *[x, x[::-1].copy()][:n])


def test_a_pullback_that_takes_expanded_arrays_for_their_memory_fails():
    def pullback(v, x):
        return v * np.cos(x) if v.strides[0] else v * np.cos(x) * len(v)
    assert "expanded" in refused((np.sin, pullback), x)


def test_other_inputs_may_not_be_written_either():
    def f(x, weights):
        y = x * weights
        weights[0] = 1
        return y
    reason = refused((f, lambda v, x, w: (v * w, None)), x, np.arange(3), wrt=[0])
    assert reason == "the function wrote into input 1"


def test_a_layer_with_a_cache_passes():
    layer = Layer()
    assert check_grad((layer.forward, layer.backward), x).verdict == "pass"


# -- tensors ---------------------------------------------------------------------------------

def function(lib, forward, backward):
    return type("Offender", (lib.autograd.Function,), {
        "forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


def offender(lib, name):
    """A function of one tensor by name."""
    calls = []

    def forward(ctx, x):
        y = lib.sin(x)
        ctx.save_for_backward(x)
        return y

    def right(ctx, g):
        return g * lib.cos(ctx.saved_tensors[0])

    def writes_cotangent(ctx, g):
        g *= lib.cos(ctx.saved_tensors[0])
        return g

    def forward_writes(ctx, x):
        ctx.save_for_backward(x.clone())
        if lib is torch:
            x.copy_(torch.sin(x))
        else:
            x.array[...] = np.sin(x.array)
        return x * 1

    def keeps(ctx, x):
        ctx.c = lib.cos(x)
        return lib.sin(x)

    def writes_saved(ctx, g):
        ctx.c *= g
        return ctx.c * 1

    def stores(ctx, g):
        out = right(ctx, g)
        if not calls:
            calls.append(out)
        with lib.no_grad():
            calls[0].copy_(out)
        return calls[0]

    def random(ctx, g):
        calls.append(1)
        return right(ctx, g) * (1 + 1e-6 * (-1) ** len(calls))

    def transposed(ctx, g):
        return right(ctx, g).T

    def by_stride(ctx, g):
        return right(ctx, g) * (1 if g.is_contiguous() else 2)

    def by_expanse(ctx, g):
        return right(ctx, g) * (1 if g.stride()[0] else 2)

    def views(ctx, g):
        return g.view(-1).view(g.shape) * lib.cos(ctx.saved_tensors[0])
    return {
        "writes the cotangent": (forward, writes_cotangent),
        "forward writes": (forward_writes, right),
        "writes what it saved": (keeps, writes_saved),
        "stores its result": (forward, stores),
        "random": (forward, random),
        "transposed": (forward, transposed),
        "minds strides": (forward, by_stride),
        "minds expansion": (forward, by_expanse),
        "views": (forward, views),
    }[name]


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("name, reason", [
    ("writes the cotangent", "wrote into the cotangent of output 0"),
    ("forward writes", "the function wrote into input 0"),
    ("writes what it saved", "second backward pass through the same graph"),
    ("stores its result", "the next call writes into the same memory"),
    ("random", "not deterministic|second backward pass"),
    ("transposed", "the backward pass raised: .*invalid gradient at index 0"),
    ("minds strides", "not contiguous"),
    ("minds expansion", "expanded"),
    ("views", "are not contiguous, the backward pass raises"),
])
def test_offenders_in_custom_functions_are_found(lib, name, reason):
    f = function(lib, *offender(lib, name))
    if name == "stores its result" and lib is minitorch:  # which hands out copies
        assert check_grad(f, lib.from_numpy(x.copy())).verdict == "pass"
        return
    with pytest.raises(WrongGradient, match=reason):
        check_grad(f, lib.from_numpy(x.copy()))


@pytest.mark.parametrize("lib", LIBRARIES)
def test_a_rule_that_is_wrong_only_when_another_input_needs_none_is_found(lib):
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * y * (1 if ctx.needs_input_grad[1] else 2), g * x
    f = function(lib, forward, backward)
    inputs = [lib.from_numpy(x.copy()), lib.from_numpy(x[::-1].copy())]
    assert refused(f, *inputs) == ("the gradient of input 0 is another one when only input 0 "
                                   "requires a gradient")
    weight = inputs[1].requires_grad_()
    assert "only input 0 requires" in refused(lambda x: f(x, weight), inputs[0],
                                              parameters=[("weight", weight)])
    assert weight.requires_grad and weight.grad is None


@pytest.mark.parametrize("lib", LIBRARIES)
def test_an_input_that_is_counted_by_what_it_is_not_by_place_is_found(lib):
    def f(x, y):
        return x * (y if x is not y else y.detach())
    assert "is not the sum of both" in refused(f, *[lib.from_numpy(a.copy()) for a in (x, -x)])


@pytest.mark.parametrize("lib", LIBRARIES)
def test_calls_that_share_state_do_not_add_up(lib):
    state = {}

    def forward(ctx, x):
        state["x"] = x.detach() * 1
        state["calls"] = state.get("calls", 0) + 1
        ctx.number = state["calls"]
        return x * x

    def backward(ctx, g):  # right only for the last call
        return 2 * state["x"] * g * (ctx.number == state["calls"])
    assert "used twice" in refused(function(lib, forward, backward), lib.from_numpy(x.copy()))


@pytest.mark.parametrize("lib", LIBRARIES)
def test_a_hook_that_counts_is_found_by_accumulation(lib):
    def f(x):
        if x.grad is not None:
            return (x * 2).detach() + x
        return x * 2
    assert "does not add up in .grad" in refused(f, lib.from_numpy(x.copy()))


def test_a_gradient_on_another_device_fails():
    f = function(torch, lambda ctx, x: x * 1, lambda ctx, g: g.to("meta"))
    assert "expected device cpu but got meta" in refused(f, torch.from_numpy(x.copy()))


@pytest.mark.parametrize("n", range(1, 12))
def test_for_any_two_inputs_some_subset_has_the_first_alone(n):
    found = list(subsets(n))
    assert all(any(i in s and j not in s for s in found) for i in range(n) for j in range(n)
               if i != j)
    assert len(found) <= 2 * np.ceil(np.log2(n))


def test_fortran_order_is_tried():
    """ravel() is a view of rows in C order, and a copy of anything else."""
    x = np.random.default_rng(0).normal(size=(3, 4))

    def right(v, x):
        g = np.empty(v.shape)
        g.ravel()[:] = (v * np.cos(x)).ravel()
        return g

    def of_the_cotangents_layout(v, x):
        g = np.empty_like(v)
        g.ravel()[:] = (v * np.cos(x)).ravel()
        return g

    def by_memory(v, x):
        return (v.ravel("K") * np.cos(x).ravel()).reshape(x.shape)

    assert check_grad((np.sin, right), x).verdict == "pass"
    for wrong in (of_the_cotangents_layout, by_memory):
        report = check_grad((np.sin, wrong), x, raise_exception=False)
        assert report.verdict == "fail" and "Fortran order" in report.reason


def test_another_order_of_summation_is_no_other_gradient():
    """In float32 at mean 1e3, sums by rows and by columns differ a lot; so do nearby points."""
    def f(x):
        return (x - x.mean(0)) / x.std(0)

    def pullback(v, x):
        y = f(x)
        return (v - v.mean(0) - y * (v * y).mean(0)) / x.std(0)

    for seed in range(4):
        x = (np.random.default_rng(seed).normal(size=(64, 3)) + 1e3).astype(np.float32)
        report = check_grad((f, pullback), x, seed=seed, explain=False, raise_exception=False)
        assert "Fortran" not in report.reason
