"""set_num_threads rules the library that multiplies matrices, set_flush_denormal the processor."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import minitorch as torch
from minitorch import runtime


@pytest.fixture(autouse=True)
def same_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_numpys_library_is_told_and_asked():
    limits = pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")

    def openblas():
        return {pool["num_threads"] for pool in limits.threadpool_info()
                if pool["internal_api"] == "openblas" and "numpy" in pool["filepath"]}
    if not openblas() or runtime._blas() is None:
        pytest.skip("NumPy multiplies by another library than OpenBLAS")
    for n in (1, 3, 2):
        torch.set_num_threads(n)
        assert openblas() == {n} and torch.get_num_threads() == n
    with limits.threadpool_limits(1, user_api="blas"):
        assert torch.get_num_threads() == 1, "what others set counts too"


def test_what_was_set_is_remembered_where_the_library_does_not_say(monkeypatch):
    monkeypatch.setattr(runtime, "_blas", lambda: None)
    torch.set_num_threads(3)
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("wrong", [0, -1, True, 1.0, "2"])
def test_a_wrong_number_changes_nothing(wrong):
    torch.set_num_threads(1)
    with pytest.raises(RuntimeError, match="set_num_threads expects"):
        torch.set_num_threads(wrong)
    assert torch.get_num_threads() == 1


def test_at_first_the_environment_rules():
    if runtime._blas() is None:
        pytest.skip("NumPy multiplies by another library than OpenBLAS")
    code = "import minitorch; print(minitorch.get_num_threads())"
    for n in ("1", "2"):
        environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                             check=True, env=environment | {"OMP_NUM_THREADS": n})
        assert out.stdout.split() == [n]


def test_denormal_numbers_are_0_in_the_thread_that_asks():
    if runtime._c() is None:
        assert torch.set_flush_denormal(True) is False
        pytest.skip("this system cannot")
    small = np.full(9, 1e-40, np.float32)

    def products():
        return [bool((small * np.float32(1)).any()), bool((small * 1.0).any()),
                bool(torch.from_numpy(small).mul(1.0).numpy().any())]

    elsewhere = []
    waits, go = threading.Event(), threading.Event()

    def other():
        waits.set()
        go.wait()
        elsewhere.extend(products())

    thread = threading.Thread(target=other)  # it begins with what its maker had
    thread.start()
    waits.wait()
    try:
        assert torch.set_flush_denormal(True) is True
        assert products() == [False] * 3
        go.set()
        thread.join()
        with runtime.flushing():
            assert products() == [False] * 3
        assert products() == [False] * 3, "as it was before the block"
    finally:
        assert torch.set_flush_denormal(False) is True
    assert products() == elsewhere == [True] * 3
    with runtime.flushing():
        assert products() == [False] * 3
    assert products() == [True] * 3
