"""Products by MKL are NumPy's to rounding, and what MKL cannot do is left to NumPy."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch as torch
from minitorch.backends import mkl

installed = pytest.mark.skipif(not mkl.is_available(),
                               reason="MKL is not installed (the extra: mkl)")


@pytest.fixture(autouse=True)
def whatever_the_size(monkeypatch):
    monkeypatch.setattr(mkl, "LARGE", 0)
    monkeypatch.setattr(mkl, "enabled", True)


@pytest.fixture
def calls(monkeypatch):
    """The shapes (n, m, k) of the products that MKL has computed."""
    seen, gemm = [], mkl.gemm

    def watched(dtype):
        f = gemm(dtype)
        return f and (lambda *args: (seen.append(args[3:6]), f(*args))[1])
    monkeypatch.setattr(mkl, "gemm", watched)
    return seen


def matrix(draw, n, m, dtype):
    """Numbers that lie by rows or by columns, perhaps in a larger matrix; read-only."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    whole = rng.standard_normal((n + draw(st.integers(0, 2)), m + draw(st.integers(0, 2))))
    order = draw(st.sampled_from("CF"))
    x = np.array(whole, dtype, order=order)[whole.shape[0] - n:, whole.shape[1] - m:]
    x.flags.writeable = False
    return x


@installed
@given(st.data(), st.sampled_from([np.float32, np.float64]), *[st.integers(1, 9)] * 3)
def test_a_product_is_that_of_numpy_in_double(data, dtype, n, k, m):
    x, y = matrix(data.draw, n, k, dtype), matrix(data.draw, k, m, dtype)
    out = mkl.matmul(x, y)
    assert out.dtype == dtype and out.flags.c_contiguous
    # Higham (2002), section 3.5: each sum of k products is off by at most k eps |x| |y|.
    bound = k * np.finfo(dtype).eps * (abs(x).astype(float) @ abs(y).astype(float))
    assert (abs(out - x.astype(float) @ y.astype(float)) <= bound).all()
    given = np.full((n, m), np.nan, dtype)  # what lay there does not count
    assert mkl.matmul(x, y, out=given) is given
    np.testing.assert_array_equal(given, out)


@installed
def test_mkl_takes_matrices_and_their_transposes_as_they_lie(calls):
    x, w = np.ones((5, 3), np.float32), np.ones((4, 3), np.float32)
    for a, b in [(x, w.T), (np.ones((5, 4), np.float32), w), (x.T, x), (x[1:, 1:], w[:2, 1:].T)]:
        np.testing.assert_array_equal(mkl.matmul(a, b), a @ b)
    assert calls == [(5, 4, 3), (5, 3, 4), (3, 3, 5), (4, 2, 2)]


@installed
@pytest.mark.parametrize(("x", "y"), [
    (np.ones((4, 6), np.float32)[:, ::2], np.ones((3, 4), np.float32)),  # gaps in a row
    (np.ones((4, 3), np.float32)[::-1], np.ones((3, 4), np.float32)),  # backwards
    (np.broadcast_to(np.float32(2), (4, 3)), np.ones((3, 4), np.float32)),  # one number
    (np.ones((4, 3), np.float32), np.ones((3, 4))),  # two dtypes
    (np.ones((4, 3), ">f4"), np.ones((3, 4), ">f4")),  # the other byte order
    (np.ones((4, 3), np.float16), np.ones((3, 4), np.float16)),
    (np.ones((4, 3), int), np.ones((3, 4), int)),
    (np.ones((2, 4, 3), np.float32), np.ones((3, 4), np.float32)),  # a stack
    (np.ones((4, 3), np.float32), np.ones(3, np.float32)),  # a vector
    (np.ones((0, 3), np.float32)[::2], np.ones((3, 4), np.float32)),
], ids=str)
def test_numpy_does_the_rest(x, y, calls):
    np.testing.assert_array_equal(mkl.matmul(x, y), np.matmul(x, y))
    assert not calls


def test_numpy_refuses_what_does_not_fit(calls):
    with pytest.raises(ValueError, match="mismatch"):
        mkl.matmul(np.ones((2, 3), np.float32), np.ones((2, 3), np.float32))
    assert not calls


@installed
def test_small_products_and_a_switched_off_mkl_are_numpys(calls, monkeypatch):
    x = np.ones((9, 9), np.float32)
    monkeypatch.setattr(mkl, "LARGE", 9**3 + 1)
    mkl.matmul(x, x)
    monkeypatch.setattr(mkl, "LARGE", 9**3)
    monkeypatch.setattr(mkl, "enabled", False)
    mkl.matmul(x, x)
    assert not calls
    monkeypatch.setattr(mkl, "enabled", True)
    mkl.matmul(x, x)
    assert calls == [(9, 9, 9)]


@installed
def test_layers_use_it_forward_and_backward_and_a_replay_has_the_same_bits(calls):
    def trained(compiled):
        torch.manual_seed(3)
        model = torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
            return loss
        step = torch.compile(step, fullgraph=True) if compiled else step
        del calls[:]
        losses = [step(torch.randn(4, 7)).item() for _ in range(5)]
        return losses, [p.detach().numpy().copy() for p in model.parameters()], calls[:]

    (a, ps, eager), (b, qs, replayed) = trained(False), trained(True)
    assert a == b and all((p == q).all() for p, q in zip(ps, qs))
    # Per step x w.T and g.T x of both layers, and g w of the second.
    step = [(4, 5, 7), (4, 3, 5), (4, 5, 3), (3, 5, 4), (5, 7, 4)]
    assert sorted(eager) == sorted(step * 5)
    assert sorted(replayed[-10:]) == sorted(step * 2), "and the last two calls were replays"


@installed
def test_set_num_threads_rules_mkl():
    before = torch.get_num_threads()
    try:
        for n in (1, 2, 1):
            torch.set_num_threads(n)
            assert mkl.library().MKL_Get_Max_Threads() == n
    finally:
        torch.set_num_threads(before)


def python(code, **environment):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env=os.environ | environment).stdout.split()


@installed
def test_the_library_is_loaded_by_the_first_large_product_and_has_the_threads_set_before():
    assert python("import minitorch as t; from minitorch.backends import mkl\n"
                  "t.set_num_threads(1)\n"
                  "loaded = lambda: mkl.library.cache_info().currsize\n"
                  "a = t.ones(9, 9) @ t.ones(9, 9); print(loaded())\n"
                  "a = t.ones(199, 199) @ t.ones(199, 199); print(loaded())\n"
                  "print(mkl.library().MKL_Get_Max_Threads())") == ["0", "1", "1"]


def test_the_environment_switches_it_off():
    code = "from minitorch.backends import mkl; print(mkl.enabled)"
    assert python(code, MINITORCH_MKL="0") == ["False"]
    assert python(code, MINITORCH_MKL="1") == ["True"]


def test_without_the_library_numpy_multiplies(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert not mkl.is_available() and mkl.library.__wrapped__() is None


@pytest.mark.skipif(sys.platform != "linux", reason="the name of the file is Linux's")
def test_a_library_that_does_not_load_is_said_and_not_used(monkeypatch, tmp_path):
    Path(tmp_path, "lib").mkdir()
    Path(tmp_path, "lib", "libmkl_rt.so.9").write_text("no library")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="MKL is installed but cannot be loaded"):
        assert mkl.library.__wrapped__() is None
