"""Random tensors are the same on every device: streams are the CPU's."""

import numpy as np
import pytest

import minitorch as torch
from tests.standin import gpu, ndarray


@pytest.mark.parametrize("draw", [
    lambda p: torch.bernoulli(p), lambda p: p.bernoulli(), lambda p: torch.bernoulli(p, 0.25),
    lambda p: torch.empty_like(p).bernoulli_(p), lambda p: torch.empty_like(p).bernoulli_(p[0]),
    lambda p: torch.multinomial(p, 2), lambda p: torch.multinomial(p, 9, replacement=True),
    lambda p: torch.poisson(20 * p), lambda p: torch.normal(p, 2.0), lambda p: torch.normal(p, p),
    lambda p: torch.normal(1.0, p), lambda p: torch.empty_like(p).normal_(),
    lambda p: torch.rand_like(p)])
def test_draws_are_the_same_on_the_device_of_what_they_are_of(draw):
    p = np.random.default_rng(0).random((4, 5), np.float32)
    torch.manual_seed(3)
    here = draw(torch.tensor(p))
    with gpu():
        torch.manual_seed(3)
        there = draw(torch.tensor(p, device="cuda"))
        assert isinstance(there.array, ndarray) and str(there.device) == "cuda:0"
        assert there.dtype == here.dtype
        np.testing.assert_array_equal(there.cpu().numpy(), here.numpy())
    assert not isinstance(here.array, ndarray)


def test_probabilities_that_are_none_are_refused_on_the_device():
    with gpu(), pytest.raises(RuntimeError, match="p_in"):
        torch.full((3,), 1.5, device="cuda").bernoulli()


def test_the_wall_between_devices_stands():
    """What stands in for the GPU refuses as CuPy does, or it would prove nothing."""
    with gpu():
        x = torch.ones(3, device="cuda").array
        for mixed in (lambda: x + np.ones(3), lambda: np.ones(3) * x, lambda: np.asarray(x),
                      lambda: np.add(x, 1)):
            with pytest.raises(TypeError):
                mixed()
