"""The compiled words of the Mersenne Twister are NumPy's, and leave its state where NumPy would."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.kernels import jit, twister


def state(twister: np.random.RandomState) -> tuple[list[int], int]:
    found: Any = twister.get_state(legacy=False)
    return found["state"]["key"].tolist(), found["state"]["pos"]


@given(st.integers(0, 2**32 - 1), st.integers(0, 700), st.lists(st.integers(1, 2000), min_size=1,
                                                                max_size=3))
def test_the_loop_makes_numpys_words(seed: int, before: int, sizes: list[int]) -> None:
    """Interpreted: the same text that is compiled."""
    ours, theirs = np.random.RandomState(seed), np.random.RandomState(seed)
    for generator in (ours, theirs):
        generator.randint(0, 2**32, size=before, dtype=np.uint32)
    key, pos = (np.array(part, np.uint32) if i == 0 else part
                for i, part in enumerate(state(ours)))
    with np.errstate(over="ignore"):
        for n in sizes:
            out = np.empty(n, np.uint32)
            pos = twister.loop(key, pos, out)
            np.testing.assert_array_equal(out, theirs.randint(0, 2**32, size=n, dtype=np.uint32))
    assert (key.tolist(), pos) == state(theirs)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=40), st.floats(0, 1))
def test_words_are_compared_as_units_are(words: list[int], p: float) -> None:
    pairs = np.array(words[:len(words) // 2 * 2], np.uint32).reshape(-1, 2)
    units = [(int(a) << 32 | int(b)) % 2**53 / 2**53 for a, b in pairs]
    found = np.empty(len(pairs), bool)
    twister.compare(pairs[:, 1].astype(np.uint64) << np.uint64(32) | pairs[:, 0],
                    np.uint64(math.ceil(p * 2.0**53)), found)
    assert found.tolist() == [unit < p for unit in units]


@pytest.fixture
def compiled() -> None:
    if not jit.usable():
        pytest.skip("Numba is not installed")


@pytest.mark.usefixtures("compiled")
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(twister.MANY, 9000), min_size=1, max_size=4))
def test_compiled_words_are_numpys_and_the_state_moves_on(seed: int, sizes: list[int]) -> None:
    ours, theirs = np.random.RandomState(seed), np.random.RandomState(seed)
    for n in sizes:
        found = twister.words(ours, n)
        assert found is not None
        np.testing.assert_array_equal(found, theirs.randint(0, 2**32, size=n, dtype=np.uint32))
        assert ours.randint(0, 7) == theirs.randint(0, 7)  # drawn by NumPy, in between
    assert state(ours) == state(theirs)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("draw", [
    lambda g: g.bernoulli((70, 90), 0.3), lambda g: g.uniform((70, 90)),
    lambda g: g.uniform(6000, dtype=np.float64), lambda g: g.normal((6000,)),
    lambda g: g.randint(0, 1000, 6000), lambda g: g.randperm(6000)])
def test_every_draw_is_the_same_with_and_without(draw: Any, monkeypatch: Any) -> None:
    def drawn() -> tuple[Any, Any]:
        generator = minitorch.Generator().manual_seed(5)
        return draw(generator), generator.get_state().numpy()

    with_kernel = drawn()
    monkeypatch.setattr(minitorch.backends.numba, "enabled", False)
    for a, b in zip(with_kernel, drawn()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.usefixtures("compiled")
def test_few_words_and_a_switched_off_compiler_leave_it_to_numpy(monkeypatch: Any) -> None:
    generator = np.random.RandomState(0)
    assert twister.words(generator, twister.MANY - 1) is None
    monkeypatch.setattr(minitorch.backends.numba, "enabled", False)
    assert twister.words(generator, twister.MANY) is None
    assert state(generator) == state(np.random.RandomState(0))
