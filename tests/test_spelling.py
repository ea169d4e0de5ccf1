"""A program spelled in place computes what its definition computes, in little memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitorch.spelling import BLOCK, InPlace
from minitorch.symbols import read
from tests.formulas import LINES, OPTIONS, STATE, XP, definition, momentum


def spelled(update: Any, options: dict[str, Any]) -> InPlace:
    return InPlace(read(update, STATE, options), np)


@given(lines=LINES, becomes=st.lists(st.integers(0, 30), min_size=3, max_size=3),
       shape=st.sampled_from([(), (0,), (1,), (7,), (3, 4)]), seed=st.integers(0, 99),
       dtype=st.sampled_from([np.float64, np.float32]))
def test_in_place_equals_its_definition(lines: Any, becomes: Any, shape: Any, seed: int,
                                        dtype: Any) -> None:
    update, options = definition(lines, becomes), {"lr": 0.25}
    rng = np.random.default_rng(seed)
    x, g, s, t = (np.asarray(rng.normal(size=shape)).astype(dtype) for _ in range(4))
    with np.errstate(all="ignore"):
        new, state = update(XP, x, g, SimpleNamespace(**options), s, t)
    results = [np.array(a, dtype) for a in (new, state["s"], state["t"])]
    g.flags.writeable = False
    given_g = g.copy()
    with np.errstate(all="ignore"):
        spelled(update, options)([x, g, s, t], options)
    for mine, expected in zip((x, s, t), results):
        assert mine.dtype == dtype
        np.testing.assert_array_equal(mine, expected)
    np.testing.assert_array_equal(g, given_g)


def test_the_texts_are_what_one_would_write_by_hand() -> None:
    run = spelled(momentum, OPTIONS)
    assert run.numbers_source == """\
def numbers(o):
    lr = o['lr']
    b = o['b']
    eps = o['eps']
    n_0 = 1 - b
    n_1 = 1 - b
    return [b, n_0, n_1, eps, lr]"""
    assert run.source == """\
def update(c, blocks):
    b, n_0, n_1, eps, lr, = c
    for x, g, s, t, a_0 in blocks:
        xp.multiply(b, s, out=s)
        xp.multiply(n_0, g, out=a_0)
        xp.add(s, a_0, out=s)
        xp.multiply(b, t, out=t)
        xp.multiply(g, g, out=a_0)
        xp.multiply(n_1, a_0, out=a_0)
        xp.add(t, a_0, out=t)
        xp.sqrt(t, out=a_0)
        xp.add(a_0, eps, out=a_0)
        xp.divide(s, a_0, out=a_0)
        xp.multiply(lr, a_0, out=a_0)
        xp.subtract(x, a_0, out=x)"""


@pytest.mark.parametrize("shape", [
    (BLOCK,), (BLOCK + 1,), (3 * BLOCK - 5,), (400, 300), (3, 2 * BLOCK), (2, 3, 30000)])
@pytest.mark.parametrize("layout", ["rows", "columns", "gaps", "mixed"])
def test_blocks_change_nothing(shape: tuple[int, ...], layout: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for _ in range(4)]
    arrays[3] = abs(arrays[3])
    expected = [a.copy() for a in arrays]
    new, state = momentum(XP, *expected[:2], SimpleNamespace(**OPTIONS), *expected[2:])

    def laid(a: Any, how: str) -> Any:
        if how == "columns":
            return np.asfortranarray(a)
        if how == "gaps":
            out = np.zeros((2 * len(a), *a.shape[1:]))[::2]
            out[...] = a
            return out
        return a.copy()

    kinds = ["rows", "columns", "gaps", "rows"] if layout == "mixed" else [layout] * 4
    arrays = [laid(a, kind) for a, kind in zip(arrays, kinds)]
    spelled(momentum, OPTIONS)(arrays, OPTIONS)
    for mine, want in zip((arrays[0], *arrays[2:]), (new, state["s"], state["t"])):
        np.testing.assert_array_equal(mine, want)


def test_a_step_takes_no_memory_beyond_a_block_of_scratch() -> None:
    import tracemalloc

    arrays = [np.ones(1_000_000, np.float32) for _ in range(4)]
    run = spelled(momentum, OPTIONS)
    run(arrays, OPTIONS)
    tracemalloc.start()
    run(arrays, OPTIONS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000  # bytes; one array more would be 4 MB, one block 128 kB
