"""A loop in parts is the same loop; threads are as many as asked for, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.kernels import threads, updates
from minitorch.kernels.updates import Fused
from minitorch.symbols import read
from tests.formulas import OPTIONS, STATE, momentum


def double(c: Any, x: Any) -> None:
    x *= c


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [7, 1000, 1001])
def test_every_element_once(n: int, size: int) -> None:
    x = np.arange(float(size))
    threads.split(double, 2.0, [x], n)
    np.testing.assert_array_equal(x, 2.0 * np.arange(size))


def test_an_error_in_a_part_is_raised_and_the_next_call_works() -> None:
    def fail(c: Any, x: Any) -> None:
        if x[0] == c:
            raise ValueError(f"at {c}")

    for at in (0, 5):
        with pytest.raises(ValueError, match=f"at {at}"):
            threads.split(fail, at, [np.arange(10)], 2)
        test_every_element_once(2, 10)


def test_where_the_threads_are_taken_the_caller_does_all() -> None:
    inside: list[int] = []

    def outer(c: Any, x: Any) -> None:
        threads.split(inner, c, [x], 2)

    def inner(c: Any, x: Any) -> None:
        inside.append(len(x))

    threads.split(outer, None, [np.zeros(10)], 2)
    assert inside == [5, 5]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_parts_are_as_many_as_threads_and_large_enough(n: int, monkeypatch: Any) -> None:
    asked: list[int] = []
    monkeypatch.setattr(threads, "split", lambda loop, c, vectors, n: asked.append(n))
    monkeypatch.setattr(updates.jit.switch, "enabled", True)
    minitorch.set_num_threads(n)
    program = Fused(read(momentum, STATE, OPTIONS))
    program.loops[np.dtype(float)] = lambda *arrays: None
    for size in (1, updates.PART, 2 * updates.PART, 9 * updates.PART):
        program([np.ones(size) for _ in range(4)], OPTIONS)
    assert [max(1, a) for a in asked] == [1, 1, min(2, n), n]


def test_threads_change_nothing(numba: Any) -> None:
    rng = np.random.default_rng(0)
    start = [rng.random(3 * updates.PART + 5).astype(np.float32) for _ in range(4)]
    program = Fused(read(momentum, STATE, OPTIONS))
    results = []
    for n in (1, 2, 3):
        minitorch.set_num_threads(n)
        arrays = [a.copy() for a in start]
        program(arrays, OPTIONS)
        results.append(arrays)
    for other in results[1:]:
        for x, y in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(x, y)


def test_two_callers_at_once(numba: Any) -> None:
    minitorch.set_num_threads(2)
    program = Fused(read(momentum, STATE, OPTIONS))

    def run(seed: int) -> list[Any]:
        rng = np.random.default_rng(seed)
        arrays = [rng.random(2 * updates.PART) for _ in range(4)]
        for _ in range(20):
            program(arrays, OPTIONS)
        return arrays

    alone, found = [run(0), run(1)], {}
    callers = [threading.Thread(target=lambda i=i: found.update({i: run(i)})) for i in (0, 1)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for i in (0, 1):
        for x, y in zip(found[i], alone[i], strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_threads_of_its_own() -> None:
    code = """if True:
        import os, numpy as np
        from minitorch.kernels import threads
        def double(c, x):
            x *= c
        x = np.arange(8.0)
        threads.split(double, 2.0, [x], 2)
        child = os.fork()
        threads.split(double, 2.0, [x], 2)
        right = (x == 4 * np.arange(8)).all()
        if not child:
            os._exit(0 if right else 1)
        assert right and os.waitpid(child, 0)[1] == 0
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(("value", "threads"), [("3", 3), ("4,2", 4)])
def test_the_number_of_threads_begins_as_the_environment_says(value: str, threads: int) -> None:
    out = subprocess.run([sys.executable, "-c", "import minitorch; "
                          "print(minitorch.get_num_threads())"], capture_output=True, text=True,
                         check=True, env={**os.environ, "OMP_NUM_THREADS": value})
    assert int(out.stdout) == threads
