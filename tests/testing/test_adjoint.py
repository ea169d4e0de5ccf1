"""Laws of the dot-product test: matching products pass, anything else does not."""

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
    check_adjoint,
    mutate,
)

LIBRARIES = [minitorch, torch]
seeds = st.integers(0, 2**32 - 1)


def verdict(f, *inputs, **options):
    return check_adjoint(f, *inputs, raise_exception=False, **options).verdict


def functions(lib):
    return {
        "sin": lib.sin,
        "softmax": lambda x: lib.softmax(x, 1),
        "matmul": lambda x: (x @ lib.tanh(x), x.sum()),
        "norm": lambda x: (x * x).sum().sqrt(),
        "relu at its kink": lambda x: lib.relu(x - x[0]),
        "max": lambda x: x.max(1).values,
        "tiny": lambda x: 1e-7 * lib.exp(x),
        "cancelling": lambda x: (x + 1e3) - x.mean() - 1e3,
        "vanishing": lambda x: (x - x) + lib.softmax(x, 1).sum(1, keepdim=True),
        "constant": lambda x: x * 0 + 2,
        "linear": lambda x: 3 * x,
    }


def matrix(seed, lib, dtype="float64"):
    return lib.from_numpy(np.random.default_rng(seed).normal(size=(3, 3)).astype(dtype))


@settings(deadline=None)
@given(lib=st.sampled_from(LIBRARIES), name=st.sampled_from(list(functions(torch))), seed=seeds,
       dtype=st.sampled_from(["float64", "float32"]))
def test_what_a_framework_derives_passes(lib, name, seed, dtype):
    if name in ("cancelling", "vanishing"):
        dtype = "float64"  # in float32 rounding is larger than the products
    assert verdict(functions(lib)[name], matrix(seed, lib, dtype), seed=seed) == "pass"


PAIRS = {  # f, pullback, jvp
    "sin": (np.sin, lambda v, x: v * np.cos(x), lambda u, x: u * np.cos(x)),
    "matmul": (lambda x: x @ x, lambda v, x: v @ x.T + x.T @ v, lambda u, x: u @ x + x @ u),
    "running sum": (np.cumsum, lambda v, x: np.cumsum(v[::-1])[::-1].reshape(x.shape),
                    lambda u, x: np.cumsum(u)),
}


@settings(deadline=None)
@given(name=st.sampled_from(list(PAIRS)), change=st.sampled_from([None, *MUTATIONS]), seed=seeds,
       dtype=st.sampled_from(["float64", "float32"]))
def test_numpy_pairs_pass_and_every_mutation_of_the_pullback_is_caught(name, change, seed, dtype):
    x = np.random.default_rng(seed).normal(size=(3, 3)).astype(dtype)
    f, pullback, jvp = PAIRS[name]
    pair = (f, pullback) if change is None else mutate((f, pullback), change)
    wanted = "pass" if change is None else "fail"
    assert verdict(pair, x, jvp=jvp, seed=seed) == wanted
    assert verdict((*pair, jvp), x, seed=seed) == wanted


@settings(deadline=None)
@given(name=st.sampled_from(list(PAIRS)), change=st.sampled_from(list(MUTATIONS)), seed=seeds)
def test_every_mutation_of_the_forward_product_is_caught(name, change, seed):
    x = np.random.default_rng(seed).normal(size=(3, 3))
    f, pullback, jvp = PAIRS[name]
    if name == "running sum" and change == "transposed":
        return  # of a vector: the same
    wrong = MUTATIONS[change]
    assert verdict((f, pullback), x, jvp=lambda u, x: wrong(jvp(u, x)), seed=seed) == "fail"


def test_several_inputs_and_outputs_in_numpy():
    def f(x, n, y):
        return x * y * n, (x + y).sum()

    def pullback(v, x, n, y):
        return v[0] * y * n + v[1], None, v[0] * x * n + v[1]

    def jvp(u, x, n, y):
        return (u[0] * y + x * u[1]) * n, (u[0] + u[1]).sum()

    x, y = np.random.default_rng(0).normal(size=(2, 4))
    assert verdict((f, pullback), x, 3, y, jvp=jvp) == "pass"
    assert verdict((f, lambda v, x, n, y: (v[0] * y * n, None, v[0] * x * n + v[1])), x, 3, y,
                   jvp=jvp) == "fail"
    assert verdict((f, pullback), x, 3, y, wrt=[2],
                   jvp=lambda u, x, n, y: (x * u * n, u.sum())) == "pass"


class Scaled(torch.autograd.Function):
    """Sine, with both products written by hand, each off by a factor."""

    forward_factor, reverse_factor = 1.0, 1.0

    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.cos() * Scaled.reverse_factor

    @staticmethod
    def jvp(ctx, u):
        (x,) = ctx.saved_tensors
        return u * x.cos() * Scaled.forward_factor


@pytest.mark.parametrize("forward, reverse, wanted", [
    (1.0, 1.0, "pass"), (1.0, 1.0001, "fail"), (-1.0, 1.0, "fail"), (0.0, 1.0, "fail"),
    (1.0, 2.0, "fail"), (2.0, 2.0, "pass")])  # 2, 2: the adjoint of each other, as it says
def test_a_torch_function_with_both_products(monkeypatch, forward, reverse, wanted):
    monkeypatch.setattr(Scaled, "forward_factor", forward)
    monkeypatch.setattr(Scaled, "reverse_factor", reverse)
    assert verdict(lambda x: Scaled.apply(x).sum(0), matrix(0, torch)) == wanted


class Bent(minitorch.autograd.Function):
    """Squares, with a pullback that is not linear in the cotangent."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g * g.abs()


class Unrecorded(minitorch.autograd.Function):
    """Squares, with a pullback that leaves for NumPy."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return minitorch.from_numpy(2 * x.detach().numpy() * g.detach().numpy())


@pytest.mark.parametrize("function", [Bent, Unrecorded])
def test_pullbacks_of_minitorch_that_are_not_linear_or_not_recorded_fail(function):
    assert verdict(function.apply, matrix(0, minitorch)) == "fail"


@settings(deadline=None)
@given(name=st.sampled_from(["sin", "softmax", "matmul", "norm"]),
       change=st.sampled_from([m for m in MUTATIONS if m != "zero"]), seed=seeds)
def test_mutations_in_minitorch_fail(name, change, seed):
    """But zero: these hooks leave for NumPy, so J u is 0, the adjoint of what is 0."""
    f = mutate(functions(minitorch)[name], change)
    assert verdict(f, matrix(seed, minitorch), seed=seed) == "fail"


@pytest.mark.parametrize("lib", LIBRARIES)
def test_modules_with_their_parameters_and_dropout(lib):
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Dropout(0.5), lib.nn.Tanh(),
                            lib.nn.Linear(4, 2)).double()
    before = {name: p.tolist() for name, p in net.state_dict().items()}
    state = lib.get_rng_state().tolist()
    assert verdict(net, matrix(1, lib)) == "pass"
    assert {name: p.tolist() for name, p in net.state_dict().items()} == before
    assert lib.get_rng_state().tolist() == state
    assert all(p.grad is None for p in net.parameters())


def test_batch_norm_keeps_its_statistics():
    net = minitorch.nn.BatchNorm1d(3, dtype=minitorch.float64)
    assert verdict(net, matrix(1, minitorch)) == "pass"
    assert net.running_mean.tolist() == [0, 0, 0] and net.num_batches_tracked.item() == 0


def test_reports_and_errors():
    f, pullback, jvp = PAIRS["sin"]
    x = np.linspace(0.1, 1.0, 4)
    with pytest.raises(WrongGradient, match=r"FAIL: J u and J\^T v") as caught:
        check_adjoint(mutate((f, pullback), "x1.01"), x, jvp=jvp)
    assert all(p.off > p.tolerance for p in caught.value.report.products)
    assert "<J u, v>" in str(check_adjoint((f, pullback), x, jvp=jvp))
    with pytest.raises(TypeError, match="pass jvp="):
        check_adjoint((f, pullback), x)
    with pytest.raises(TypeError, match="is for NumPy code"):
        check_adjoint(torch.sin, torch.ones(2), jvp=jvp)
    with pytest.raises(ValueError, match="no floating point input"):
        check_adjoint((f, pullback), 3, jvp=jvp)
    assert "shapes" in check_adjoint((f, pullback), x, jvp=lambda u, x: jvp(u, x)[1:],
                                     raise_exception=False).reason
    assert "not finite" in check_adjoint((f, pullback), x, jvp=lambda u, x: u * np.nan,
                                         raise_exception=False).reason


def test_what_does_not_tell_is_no_pass():
    draw = np.random.default_rng(0).normal

    def noisy(x):
        return np.sin(x) + draw(size=x.shape)
    _, pullback, jvp = PAIRS["sin"]
    with pytest.raises(UnsureGradient, match="not deterministic"):
        check_adjoint((noisy, pullback), np.ones(3), jvp=jvp)
    with pytest.warns(UnsureGradientWarning):
        assert not check_adjoint((noisy, pullback), np.ones(3), jvp=jvp, allow_unsure=True)


def test_jax_functions():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = jax.numpy.asarray(np.random.default_rng(0).normal(size=(3, 3)))

    def tripled(factor):
        """3 x, with a transpose of its own."""
        return lambda x: jax.custom_derivatives.linear_call(
            lambda _, x: 3 * x, lambda _, v: factor * v, (), x)
    assert verdict(lambda x: jax.nn.softmax(x, 1), x) == "pass"
    assert verdict(tripled(3.0), x) == "pass"
    assert verdict(tripled(3.01), x) == "fail"
