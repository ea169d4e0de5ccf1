"""The vocabulary of arrays, what is faster in it than NumPy, and devices."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import backend, faster
from minitorch.backend import numpy_words as xp

seeds = st.integers(0, 2**32 - 1)
floats = st.sampled_from(["float32", "float64"])


def mixed(rng, shape, dtype):
    """Numbers with nan, infinities and both zeros among them."""
    out = rng.normal(size=shape).astype(dtype)
    return np.where(rng.random(shape) < 0.3,
                    rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape).astype(dtype), out)


@given(seeds, floats, st.sampled_from([(3, 4), (70, 80), (2, 5000)]),
       st.sampled_from(["array", "zero", "number", "row", "minus zero"]), st.booleans())
def test_where_is_numpys_bit_for_bit(seed, dtype, shape, other, swapped):
    rng = np.random.default_rng(seed)
    x = mixed(rng, shape, dtype)
    y = {"array": mixed(rng, shape, dtype), "zero": 0.0, "number": 1.5, "minus zero": -0.0,
         "row": mixed(rng, shape[1:], dtype)}[other]
    condition = rng.random(shape if seed % 2 else shape[1:]) < 0.5
    args = (condition, y, x) if swapped else (condition, x, y)
    ours, theirs = xp.where(*args), np.where(*args)
    assert ours.dtype == theirs.dtype == dtype
    assert ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()


@given(seeds, floats, st.sampled_from([(5000, 3), (3, 5000), (40, 20, 30), (4096, 1), (2050, 4)]),
       st.sampled_from([None, (0,), (1,), (0, 1), (-1,), 0]), st.booleans(), st.booleans())
def test_sum_is_numpys(seed, dtype, shape, axis, keepdims, transposed):
    """Up to the order of the additions, and more precise over many rows."""
    x = np.random.default_rng(seed).random(shape).astype(dtype)
    x = x.T if transposed else x
    ours, theirs = xp.sum(x, axis, keepdims), x.astype(np.float64).sum(axis, keepdims=keepdims)
    assert ours.dtype == dtype and np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, rtol={"float32": 2e-6, "float64": 1e-13}[dtype])


def test_sum_of_infinities_and_nan_is_numpys():
    x = np.ones((3000, 4), np.float32)
    x[5] = [np.inf, -np.inf, np.nan, 1.0]
    x[2500] = [np.inf, np.inf, 1.0, 1.0]
    np.testing.assert_array_equal(xp.sum(x, (0,)), [np.inf, np.nan, np.nan, 3000])
    assert xp.sum(np.zeros((0, 5)), (0,)).tolist() == [0.0] * 5
    assert not faster._ones(7, np.dtype("float32")).flags.writeable, "shared by all callers"


@given(seeds)
def test_sign_knows_nan_and_every_dtype(seed):
    rng = np.random.default_rng(seed)
    for dtype in ("float32", "float16", "int8", "uint8", "bool"):
        x = mixed(rng, (9,), "float32") if dtype[0] == "f" else rng.integers(0, 3, 9) - 1
        x = x.astype(dtype)
        np.testing.assert_array_equal(xp.sign(x), torch.from_numpy(x).sign().numpy())
        assert xp.sign(x).dtype == dtype


@pytest.mark.parametrize("key", [0, -1, slice(None), slice(1, None, 2), Ellipsis, None, (0, 1),
                                 (slice(None), 0), (Ellipsis, 0), (), np.int64(1)])
def test_basic_keys_are_recognised(key):
    """Those that NumPy answers with a view, into which each position is added at most once."""
    x = np.arange(12.0).reshape(3, 4)
    assert backend.is_basic(key)
    assert np.asarray(xp.index(x, key)).base is not None
    g = np.ones_like(x[key])
    np.testing.assert_array_equal(xp.index_add(g, x.shape, key), np.isin(x, x[key]))


@pytest.mark.parametrize("key", [np.array([0, 0, 2]), [1, 1], (np.array([0, 0]), np.array([1, 1])),
                                 np.array([True, False, True]), (0, np.array([1, 1])), True])
def test_index_add_adds_where_a_position_repeats(key):
    assert not backend.is_basic(key)
    shape = (3, 4)
    g = np.random.default_rng(0).normal(size=np.zeros(shape)[key].shape)
    where = torch.arange(12).reshape(shape)[torch.tensor(key) if isinstance(key, list) else key]
    expected = torch.zeros(12).double().index_add(0, where.reshape(-1),
                                                  torch.from_numpy(g).reshape(-1))
    np.testing.assert_allclose(xp.index_add(g, shape, key), expected.reshape(shape).numpy())


def test_count_is_what_a_reduction_combines():
    assert [backend.count((2, 3, 4), axis) for axis in (None, 1, (0, 2), ())] == [24, 3, 8, 1]
    assert backend.count((2, 0), None) == 0


def test_numbers_that_overflow_are_quiet_here_and_loud_elsewhere():
    program = """
import warnings
warnings.simplefilter("error")
import numpy as np
import minitorch as torch
x = torch.tensor([0.0, 1e300], dtype=torch.float64)
x.log(), x / 0, x * x, torch.exp(x), x.sum() * np.inf - np.inf, x.cumsum(0), (x - np.inf).softmax(0)
torch.einsum("i,i->", x * np.inf, -x)
try:
    np.log(np.zeros(1))
except RuntimeWarning:
    print("loud")
"""
    # warnings.simplefilter("error") comes first: the package's own filter is the newer one.
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "loud", run.stderr


@pytest.mark.parametrize("args", [("cpu",), ("cuda",), ("cuda:1",), ("cuda", 0), ("cpu", 0)])
def test_device_is_torchs(args):
    ours, theirs = minitorch.device(*args), torch.device(*args)
    assert (ours.type, ours.index) == (theirs.type, theirs.index)
    assert repr(ours) == repr(theirs) and str(ours) == str(theirs)
    assert ours == minitorch.device(str(theirs)) and hash(ours) == hash(copy.copy(ours))
    assert minitorch.device(ours) == ours


@pytest.mark.parametrize("text", ["gpu", "cuda:x", "cpu:-1x", ""])
def test_what_is_no_device_is_refused_as_in_torch(text):
    with pytest.raises(RuntimeError):
        torch.device(text)
    with pytest.raises(RuntimeError):
        minitorch.device(text)


@pytest.mark.skipif(backend.cuda_count() > 0, reason="there is a GPU here")
def test_a_missing_gpu_is_refused_before_anything_is_made():
    for make in (lambda: minitorch.zeros(2, device="cuda"), lambda: minitorch.ones(2).to("cuda"),
                 lambda: minitorch.set_default_device("cuda")):
        with pytest.raises(RuntimeError, match=r"cupy|CuPy|GPU"):
            make()
    assert backend.get_default_device() == minitorch.device("cpu")
    assert backend.move(np.ones(2), backend.CPU) is not None


def test_arrays_stay_on_the_cpu_without_a_copy():
    x = np.ones(3)
    assert backend.move(x, backend.CPU) is x
    assert backend.device_of(x) == backend.CPU
    assert backend.namespace(x) is xp
