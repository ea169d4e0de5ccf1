"""Laws of the negative controls: they tell a check that bites from one that does not."""

import numpy as np
import pytest
import torch

import minitorch
from minitorch.testing import assert_detects_wrong_grad, check_grad


@pytest.mark.parametrize(("lib", "options"), [
    (None, {}), (minitorch, {}), (torch, {}), (None, {"method": "jacobian"})])
def test_check_grad_detects_every_wrong_gradient(lib, options):
    assert_detects_wrong_grad(lambda f, x: check_grad(f, x, explain=False, **options), lib)


@pytest.mark.parametrize("lib", [minitorch, torch])
def test_fixed_tolerances_let_small_gradients_pass(lib):
    with pytest.raises(AssertionError, match=r"1e-7 x\*\*2, zero; 1e-7 x\*\*2, sign"):
        assert_detects_wrong_grad(lib.autograd.gradcheck, lib)


def test_ones_as_cotangent_let_a_zero_softmax_pass():
    def check(pair, x):
        f, pullback = pair
        g = pullback(np.ones_like(f(x)), x)
        g = g[0] if isinstance(g, tuple) else g
        for i in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[i] = 1e-6
            n = (f(x + step).sum() - f(x - step).sum()) / 2e-6
            assert abs(g[i] - n) <= 1e-5 + 1e-3 * abs(n)
    with pytest.raises(AssertionError, match="softmax, zero"):
        assert_detects_wrong_grad(check)


def test_a_check_that_refuses_everything_is_found_out():
    with pytest.raises(AssertionError, match="refused right gradients: sin; x @ x"):
        assert_detects_wrong_grad(lambda f, x: False)
