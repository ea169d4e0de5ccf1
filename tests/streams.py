"""Two generators at one seed, ours and PyTorch's, and what must be the same of them."""

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st

from minitorch import random

SIZES = (0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 100, 1000)
DTYPES = {np.float16: torch.float16, np.float32: torch.float32, np.float64: torch.float64}
INTEGERS = {np.int64: torch.int64, np.int32: torch.int32, np.int16: torch.int16,
            np.uint8: torch.uint8, np.bool_: torch.bool}
# Without AVX2 PyTorch runs other loops, whose float32 rounds otherwise in the last bits.
VECTORISED = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")

seeds = st.integers(-(2**63), 2**64 - 1)
sizes = st.sampled_from(SIZES) | st.integers(0, 2000)
floats = st.sampled_from(list(DTYPES))
many = settings(max_examples=60, deadline=None)


def reals(least, most):
    """Numbers the float64 fused multiply-add can take apart: none so small that it vanishes."""
    return st.floats(least, most).filter(lambda v: v == 0 or abs(v) > 1e-6)


def pair(seed):
    return random.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def assert_same_numbers(ours, theirs, exact=True):
    """Equal bit for bit; `exact=False` where NumPy's float64 log, sin, tan or exp shows."""
    theirs = theirs.numpy()
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    if exact and VECTORISED:
        np.testing.assert_array_equal(ours, theirs)
    else:
        # NumPy's functions and the C library's each err by up to a unit of the last place.
        eps = 4 * np.finfo(ours.dtype).eps
        np.testing.assert_allclose(ours, theirs, rtol=eps, atol=eps)


def assert_same_state(ours, theirs):
    np.testing.assert_array_equal(ours.get_state(), theirs.get_state().numpy())
