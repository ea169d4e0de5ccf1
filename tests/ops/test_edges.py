"""Values where implementations differ: kinks, ties, zeros, infinities, overflow, lost digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.twins import Given, agree

INF, NAN = float("inf"), float("nan")


def grad(*values: float, dtype: str = "float64") -> Given:
    return Given(np.array(values, dtype), grad=True)


def whole(*values: int, dtype: str = "int64") -> Given:
    return Given(np.array(values, dtype))


KINKS = grad(-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)


@pytest.mark.parametrize("program", """
abs(x); x.sign(); torch.relu(x); x.round(); x.floor(); x.ceil(); x.trunc()
x ** 0; x ** 1; x ** 2; x ** 3; x ** 0.5; x ** -1; x ** 0.0; x ** x; 0 ** x; 2 ** x; 0.0 ** x
x.clamp(-1, 1); x.clamp(0, 0); x.clamp(1, -1); x.clamp(min=0); x.clamp(max=-1)
torch.clamp(x, x, x); torch.clamp(x, x, -x); torch.clamp(x, torch.zeros_like(x), 1 + 0 * x)
torch.maximum(x, x); torch.minimum(x, -x); torch.maximum(x, 0 * x); x.max(); x.min(); x.amax(0)
torch.nn.functional.leaky_relu(x, 0.1); torch.nn.functional.elu(x); torch.nn.functional.selu(x)
torch.nn.functional.hardtanh(x); torch.nn.functional.softplus(x, 10.0, 5.0)
torch.nn.functional.gelu(x); torch.nn.functional.silu(x); torch.nn.functional.logsigmoid(x)
torch.nn.functional.smooth_l1_loss(x, 0 * x); torch.nn.functional.l1_loss(x, x)
torch.nn.functional.huber_loss(x, 0 * x); torch.atan2(x, 0 * x); torch.atan2(0 * x, x)
x.sort()[0]; x.sort(descending=True)[0]; x.prod(); x.cumsum(0); x.logsumexp(0)
""".replace("\n", "; ").strip("; ").split("; "))
def test_kinks_and_ties_agree_with_torch(program: str) -> None:
    agree(program, x=KINKS)


@pytest.mark.parametrize("values", [(0.0, 0.0, 0.0), (2.0, 2.0, 2.0), (0.0,), (3.0, -4.0, 0.0)])
@pytest.mark.parametrize("program", [
    "x.std()", "x.var()", "x.std(0, False)", "x.prod()",
    *[f"x.norm({p})" for p in (0, 0.5, 1, 1.5, 2, 3, "float('inf')", "float('-inf')")]])
def test_constant_and_zero_vectors_agree_with_torch(program: str, values: tuple) -> None:
    agree(program, x=grad(*values))


@pytest.mark.parametrize("values", [(-INF, -INF), (-INF, 0.0), (INF, 0.0), (INF, -INF), (NAN, 0.0),
                                    (1e4, -1e4), (800.0, 800.5)])
@pytest.mark.parametrize("program", [
    "x.logsumexp(0)", "x.softmax(0)", "x.log_softmax(0)", "x.sigmoid()", "x.tanh()",
    "x.amax(0)", "x.argmax()", "x.argmin()", "x.sort()[0]", "x.sort(descending=True)[1]",
    "x.topk(1)[0]", "x.topk(1, largest=False)[0]", "torch.maximum(x, 0 * x + 1)",
    "torch.nn.functional.softplus(x)", "torch.nn.functional.logsigmoid(x)", "x.isfinite()",
    "torch.nn.functional.binary_cross_entropy_with_logits(x, torch.tensor([0.0, 1.0]).double())",
    "torch.nn.functional.cross_entropy(x.reshape(1, 2), torch.tensor([1]))"])
def test_extreme_numbers_agree_with_torch(program: str, values: tuple) -> None:
    agree(program, x=grad(*values))


def test_a_nan_on_the_side_not_chosen_does_not_spread() -> None:
    """The value is clean, and so is the gradient of ``where`` itself."""
    x = minitorch.tensor([4.0, -1.0], requires_grad=True)
    bad = minitorch.tensor([NAN, NAN], requires_grad=True)
    out = minitorch.where(minitorch.tensor([True, True]), x, bad * 2)
    out.backward(minitorch.tensor([1.0, INF]))
    assert x.grad.tolist() == [1.0, INF]
    assert bad.grad.tolist() == [0.0, 0.0]
    agree("torch.where(x > 0, x, 1 / (x - x))", x=grad(1.0, -1.0))
    agree("torch.where(x > 0, x.log(), 0 * x)", x=grad(2.0, 0.0))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
@pytest.mark.parametrize("program", ["x + x", "x * x", "x - y", "-x", "x.abs()", "x ** 3",
                                     "x.sum()",
                                     "x.cumsum(0)", "x.prod()", "x.square()", "x // 2", "x % 7",
                                     "x.max()", "x.amin(0)", "torch.relu(x)", "x.clamp(0, 5)"])
def test_integers_overflow_as_in_torch(program: str, dtype: str) -> None:
    limits = np.iinfo(dtype)
    agree(program, x=whole(limits.max, limits.min, 3, limits.max, dtype=dtype),
          y=whole(1, 2, 3, 4, dtype=dtype))


@pytest.mark.parametrize("program", ["x + y", "x * y", "x.sum()", "x.prod()", "x.any()", "x.all()",
                                     "x.cumsum(0)", "x.max()", "x.amax(0)", "x & y", "~x", "x ^ y"])
def test_bools_agree_with_torch(program: str) -> None:
    agree(program, x=whole(1, 0, 1, dtype="bool"), y=whole(1, 1, 0, dtype="bool"))


@pytest.mark.parametrize("program", ["x / y", "x // y", "x % y", "torch.fmod(x, y)",
                                     "torch.div(x, y, rounding_mode='trunc')"])
@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_division_agrees_with_torch(program: str, dtype: str) -> None:
    x, y = [a.reshape(-1) for a in np.meshgrid([7, -7, 0, 1, -1, 8], [2, -2, 3, -3, 1, -1])]
    agree(program, x=Given(x.astype(dtype), grad=dtype[0] == "f"), y=Given(y.astype(dtype)))
    if dtype == "float64":
        z = np.array([0.0, -0.0, INF, -INF, NAN, 1e-300])
        agree(program, x=grad(1.0, -1.0, 5.0, -5.0, 1.0, 1.0), y=Given(z))
        agree(program, x=grad(0.0, INF, INF, 0.0, NAN, 0.0), y=Given(z))


@pytest.mark.parametrize("program", ["x.sum()", "x.sum(0)", "x.sum(1)", "x.mean(0)", "x.mean()",
                                     "x.cumsum(0)", "x.t() @ x", "x.norm(2, 0)"])
def test_many_float16_numbers_add_up(program: str) -> None:
    """NumPy's running float16 sum of ones stops at 2048."""
    agree(program, x=Given(np.ones((4096, 2), np.float16) / 4))


@given(st.integers(1, 3_000), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_sums_over_a_batch_keep_float32_precision(n: int, m: int, seed: int) -> None:
    """As for the gradient of a bias: within a few units in the last place, whatever the order."""
    x = np.random.default_rng(seed).random((n, m), np.float32)
    exact = x.astype(np.float64).sum(0)
    np.testing.assert_allclose(minitorch.tensor(x).sum(0).numpy(), exact, rtol=2e-6)


def test_a_zero_factor_leaves_the_products_of_the_others() -> None:
    for values in [(0.0, 2.0, 3.0), (0.0, 0.0, 3.0), (0.0, 0.0, 0.0)]:
        agree("x.prod()", x=grad(*values))
        agree("torch.autograd.grad(x.prod(), x, create_graph=True)[0] * y",
              x=grad(*values), y=Given(np.array([1.0, 2.0, 5.0])))
    n = 5_000  # and needs no matrix of n by n
    x = minitorch.ones(n, dtype=minitorch.float64)
    x[7] = 0.0
    x.requires_grad_()
    x.prod().backward()
    assert x.grad.sum().item() == x.grad[7].item() == 1.0
