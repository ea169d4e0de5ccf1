"""Special functions to the last digits."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minitorch import special

numbers = st.floats(-8, 8) | st.sampled_from([0.0, -0.0, 0.46875, -0.46875, 4.0, -4.0, 6.0, 1e-300])


@given(st.lists(numbers, min_size=1))
def test_erf_agrees_with_the_c_library(values):
    """Within 4 units in the last place."""
    x = np.array(values)
    expected = np.array([math.erf(v) for v in values])
    np.testing.assert_array_max_ulp(special.erf(np, x), expected, 4)


@given(st.lists(st.floats(-8, 8, width=32), min_size=1))
def test_erf_of_float32_is_the_nearest_float32(values):
    x = np.array(values, np.float32)
    expected = np.array([math.erf(v) for v in values]).astype(np.float32)
    out = special.erf(np, x)
    assert out.dtype == np.float32
    np.testing.assert_array_max_ulp(out, expected, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@given(values=st.lists(numbers | st.sampled_from([math.inf, -math.inf, math.nan, 1e4]),
                       max_size=40))
def test_erf_piece_by_piece_is_erf_to_the_bit(values, dtype):
    x = np.array(values, dtype).reshape(2, -1) if len(values) % 2 == 0 else np.array(values, dtype)
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(special, "BLOCK", 7)
        for each in (x, x.T, x[..., ::2]):
            out, expected = special.erf_of_numpy(each), special.erf(np, each)
            assert out.dtype == dtype and out.shape == each.shape
            np.testing.assert_array_equal(out, expected)
            np.testing.assert_array_equal(np.signbit(out), np.signbit(expected))


@given(st.lists(st.floats(-0.999999, 0.999999), min_size=1))
def test_erfinv_undoes_erf(values):
    """To the precision that erf itself leaves of the argument where it is flat."""
    y = np.array(values)
    x = special.erfinv(np, y)
    np.testing.assert_allclose(x, torch.erfinv(torch.from_numpy(y)).numpy(), 1e-9, 1e-300)
    np.testing.assert_allclose(special.erf(np, x), y, 1e-14, 1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ends_and_shapes(dtype):
    edge = np.array([[math.inf, -math.inf, math.nan, 0.0, -0.0]], dtype)
    np.testing.assert_array_equal(special.erf(np, edge), np.array([[1, -1, math.nan, 0, 0]], dtype))
    y = np.array([1.0, -1.0, 2.0, math.nan, 0.0], dtype)
    np.testing.assert_array_equal(
        special.erfinv(np, y), np.array([math.inf, -math.inf, math.nan, math.nan, 0], dtype))
    for x in (np.array(0.5, dtype), np.zeros((0, 3), dtype), np.zeros((2, 3), dtype)[:, ::-1]):
        assert special.erf(np, x).shape == x.shape
        assert special.erfinv(np, x).shape == x.shape
