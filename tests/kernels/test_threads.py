"""In parts or whole, by however many threads: the same bits, and no thread more than allowed."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.kernels import threads
from minitorch.kernels.threads import Helpers, Job, shared
from minitorch.kernels.updates import Fused
from minitorch.symbols import read
from tests.formulas import OPTIONS, STATE, momentum

PART = 64
NEAR = st.integers(1, 5).flatmap(lambda n: st.integers(n * PART - 2, n * PART + 2))
FEW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: Any) -> Any:
    """Few elements are many; threads are as before afterwards."""
    before = minitorch.get_num_threads()
    monkeypatch.setattr(threads, "PART", PART)
    monkeypatch.setattr(threads, "helpers", Helpers())
    yield
    minitorch.set_num_threads(before)


@FEW
@given(size=NEAR, dtype=st.sampled_from([np.float32, np.float64]), seed=st.integers(0, 99))
def test_an_update_has_the_same_bits_on_1_2_and_3_threads(size: int, dtype: Any, seed: int,
                                                          whatever_the_size: None) -> None:
    rng = np.random.default_rng(seed)
    first = [rng.normal(size=size).astype(dtype) for _ in range(4)]
    first[3] = abs(first[3])
    first[1].flags.writeable = False
    program = Fused(read(momentum, STATE, OPTIONS))
    ends = []
    for n in (1, 2, 3):
        minitorch.set_num_threads(n)
        arrays = [first[0].copy(), first[1], first[2].copy(), first[3].copy()]
        program(arrays, OPTIONS)
        ends.append(arrays)
    assert program.loops, "compiled"
    minitorch.backends.numba.enabled = False
    arrays = [first[0].copy(), first[1], first[2].copy(), first[3].copy()]
    program(arrays, OPTIONS)
    for end in ends:
        for ours, theirs in zip(end, arrays):
            np.testing.assert_array_equal(ours, theirs)
    minitorch.backends.numba.enabled = True


@FEW
@given(size=st.one_of(NEAR, st.integers(0, 2 * PART)), n=st.integers(1, 4))
def test_every_element_is_passed_once_and_by_no_more_threads_than_set(size: int, n: int) -> None:
    minitorch.set_num_threads(n)
    calls: list[tuple[int, int]] = []

    def loop(c: Any, x: Any, y: Any) -> None:
        x += c
        y -= c
        calls.append((threading.get_ident(), x.size))

    x, y = np.zeros(size), np.zeros(size)
    shared(loop, 1.0, [x, y])
    assert (x == 1).all() and (y == -1).all()
    assert len(calls) == (1 if size < 2 * PART else min(n, size // PART))
    assert len({thread for thread, _ in calls}) <= n
    assert len(threads.helpers.threads) < max(n, (threads.helpers.threads and 4) or 1)
    if len(calls) == 1:
        assert calls[0][0] == threading.get_ident(), "no other thread for a small array"


def test_helpers_come_with_the_first_large_array_and_stay() -> None:
    def loop(c: Any, x: Any) -> None:
        x += c

    minitorch.set_num_threads(1)
    shared(loop, 1, [np.zeros(9 * PART)])
    minitorch.set_num_threads(3)
    shared(loop, 1, [np.zeros(2 * PART - 1)])
    assert threads.helpers.threads == []
    for _ in range(3):
        shared(loop, 1, [np.zeros(9 * PART)])
    assert len(threads.helpers.threads) == 2
    assert all(thread.daemon for thread in threads.helpers.threads)


def test_a_helper_that_is_busy_is_not_waited_for() -> None:
    minitorch.set_num_threads(2)
    over = threading.Event()
    busy = Job(over.wait)
    threads.helpers.ask([busy])
    x = np.zeros(2 * PART)

    def loop(c: Any, x: Any) -> None:
        x += c

    shared(loop, 1, [x])  # would wait for ever
    assert (x == 1).all()
    over.set()
    busy.finish()


def test_an_error_of_a_part_comes_to_the_caller() -> None:
    minitorch.set_num_threads(2)

    def loop(c: Any, x: Any) -> None:
        if x[0]:
            raise FloatingPointError("in the second part")

    with pytest.raises(FloatingPointError, match="in the second part"):
        shared(loop, 1, [np.arange(2 * PART)])
    shared(loop, 1, [np.zeros(2 * PART)])


def test_threads_of_the_users_may_ask_at_once() -> None:
    minitorch.set_num_threads(3)

    def loop(c: Any, x: Any) -> None:
        x += c

    arrays = [np.zeros(5 * PART) for _ in range(4)]
    users = [threading.Thread(target=lambda x=x: [shared(loop, 1, [x]) for _ in range(200)])
             for x in arrays]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert all((x == 200).all() for x in arrays)


@pytest.mark.skipif(not hasattr(threads.os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_helpers_of_its_own(numba: Any) -> None:
    code = """if True:
        import os, numpy as np, minitorch as torch
        from minitorch.kernels import threads
        torch.set_num_threads(2)
        x = torch.ones(4 * threads.PART, requires_grad=True)
        x.grad = torch.ones_like(x)
        optimizer = torch.optim.SGD([x], lr=0.5)
        optimizer.step()
        mine = threads.helpers
        assert len(mine.threads) == 1
        child = os.fork()
        if child == 0:
            optimizer.step()
            right = (x.detach().numpy() == 0).all() and threads.helpers is not mine
            os._exit(0 if right and threads.helpers.threads[0].is_alive() else 1)
        print(os.waitpid(child, 0)[1], (x.detach().numpy() == 0.5).all())
    """
    out = subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
                         capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout.split() == ["0", "True"], out.stderr
