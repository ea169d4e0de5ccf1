"""With kernels or without, an optimizer goes the same way, bit for bit."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.kernels import jit, updates
from minitorch.kernels.updates import Fused
from minitorch.symbols import read
from minitorch.testing.db.optimizers import OPTIONS, options
from tests.formulas import OPTIONS as MOMENTUM
from tests.formulas import STATE, momentum

# Each set of options is another formula, and takes a quarter of a second to compile.
FEW = settings(max_examples=max(2, settings().max_examples // 25),
               suppress_health_check=[HealthCheck.function_scoped_fixture])
DTYPES = st.sampled_from([np.float32, np.float64])


def way(name: str, chosen: dict[str, Any], kernels: bool, params: list[Any],
        gradient: Any) -> list[Any]:
    """Parameters and state after four steps; ``gradient(k, p)`` is one of step k."""
    minitorch.backends.numba.enabled = kernels
    for p in params:
        p.requires_grad_(True)
    optimizer = getattr(minitorch.optim, name)(params, **chosen)
    for k in range(4):
        for p in params:
            p.grad = gradient(k, p)
        optimizer.step()
    assert not kernels or any(program.loops for program in type(optimizer).programs.values())
    arrays = [p.array for p in params]
    for p in params:
        arrays += [s.array for s in optimizer.state[p].values() if hasattr(s, "array")]
    return arrays


def same(ours: list[Any], theirs: list[Any]) -> None:
    for x, y in zip(ours, theirs, strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", OPTIONS)
@FEW
@given(data=st.data())
def test_kernel_equals_the_update_it_replaces(name: str, data: Any,
                                              whatever_the_size: None) -> None:
    chosen, dtype = data.draw(options(name)), data.draw(DTYPES)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    shapes = [(33, 5), (), (0,), (2, 0), (1, 1), (70,)]
    values = [np.asarray(rng.normal(size=shape)).astype(dtype) for shape in shapes]
    gradients = {(k, v.shape): np.asarray(rng.normal(size=v.shape) * (rng.random(v.shape) > 0.2))
                 .astype(dtype) for k in range(4) for v in values}
    for g in gradients.values():
        g.flags.writeable = False

    def gradient(k: int, p: Any) -> Any:
        return minitorch.from_numpy(gradients[k, p.array.shape])

    same(*(way(name, chosen, kernels, [minitorch.tensor(v) for v in values], gradient)
           for kernels in (True, False)))


@FEW
@given(name=st.sampled_from(["SGD", "Adagrad", "SparseAdam"]), dtype=DTYPES,
       seed=st.integers(0, 99))
def test_rows_of_a_sparse_gradient_move_alike(name: str, dtype: Any, seed: int,
                                              whatever_the_size: None) -> None:
    def gradient(k: int, p: Any) -> Any:
        rng = np.random.default_rng([seed, k])
        rows = minitorch.tensor(rng.integers(0, 9, (1, 5)))
        return minitorch.sparse_coo_tensor(rows, minitorch.tensor(rng.normal(size=(5, 3)),
                                                                  dtype=p.dtype), (9, 3))

    value = np.random.default_rng(seed).normal(size=(9, 3)).astype(dtype)
    same(*(way(name, {"lr": 0.1}, kernels, [minitorch.tensor(value)], gradient)
           for kernels in (True, False)))


def test_a_rate_of_numpys_is_a_number_like_another(whatever_the_size: None) -> None:
    value, g = np.random.default_rng(0).normal(size=(2, 99)).astype(np.float32)
    ways = [way("Adam", {"lr": lr}, kernels, [minitorch.tensor(value)],
                lambda k, p: minitorch.tensor(g))
            for lr in (0.1, np.float64(0.1)) for kernels in (True, False)]
    for other in ways[1:]:
        same(other, ways[0])


def columns(a: Any) -> Any:
    return np.asfortranarray(a)


def gaps(a: Any) -> Any:
    out = np.zeros((2 * len(a), *a.shape[1:]), a.dtype)[::2]
    out[...] = a
    return out


def askew(a: Any) -> Any:
    """At an address that is no multiple of the element's size."""
    out = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    out[...] = a
    return out


def swapped(a: Any) -> Any:
    """Of the other byte order."""
    return a.astype(a.dtype.newbyteorder())


def half(a: Any) -> Any:
    return a.astype(np.float16)


def subclass(a: Any) -> Any:
    return a.copy().view(type("Noted", (np.ndarray,), {}))


@pytest.mark.parametrize("kinds", [
    [columns] * 4, [gaps] * 4, [askew] * 4, [swapped] * 4, [half] * 4, [subclass] * 4,
    [np.array, columns, np.array, np.array], [np.array, gaps, np.array, np.array],
    [np.array, np.array, askew, np.array], [columns, np.array, columns, columns]])
def test_layout_does_not_matter(kinds: Any, whatever_the_size: None) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(6, 7)).astype(np.float32) for _ in range(4)]
    arrays[3] = abs(arrays[3])
    results = []
    for kernels in (True, False):
        minitorch.backends.numba.enabled = kernels
        laid = [kind(a) for kind, a in zip(kinds, arrays)]
        Fused(read(momentum, STATE, MOMENTUM))(laid, MOMENTUM)
        results.append([np.array(a) for a in laid])
    same(*results)


def test_a_gradient_may_be_the_parameter_itself(whatever_the_size: None) -> None:
    """``x.grad = x``: each element is read before it is written."""
    results = []
    for kernels in (True, False):
        minitorch.backends.numba.enabled = kernels
        x, s, t = np.linspace(-1, 1, 99), np.zeros(99), np.ones(99)
        Fused(read(momentum, STATE, MOMENTUM))([x, x, s, t], MOMENTUM)
        results.append([x, s, t])
    same(results[0][1:], results[1][1:])
    assert np.isfinite(results[0][0]).all()


def test_one_kernel_for_each_formula_and_dtype(whatever_the_size: None) -> None:
    jit.compiled.cache_clear()
    for dtype in (np.float32, np.float64, np.float16):
        program = Fused(read(momentum, STATE, MOMENTUM))
        for shape in ((3,), (4, 5), (), (0,), (2, 3, 4), (1000,)):
            program([np.ones(shape, dtype) for _ in range(4)], MOMENTUM)
        assert len(program.loops) == (dtype is not np.float16)
    assert jit.compiled.cache_info().misses == 2


def test_a_kernel_is_made_for_a_large_array_and_serves_small_ones(numba: Any) -> None:
    program = Fused(read(momentum, STATE, MOMENTUM))
    small, large = ([np.ones(n) for _ in range(4)] for n in (10, updates.LARGE))
    program(small, MOMENTUM)
    assert not program.loops
    program(large, MOMENTUM)
    assert program.loops

    def refuse(*args: Any) -> None:
        raise AssertionError("array calls")

    program.update = refuse
    program(small, MOMENTUM)
    minitorch.backends.numba.enabled = False
    with pytest.raises(AssertionError, match="array calls"):
        program(small, MOMENTUM)


def test_numba_is_loaded_by_the_first_large_step(numba: Any) -> None:
    code = """if True:
        import sys, minitorch as torch
        print(torch.backends.numba.is_available(), "numba" in sys.modules)
        for n in (100, 100_000):
            x = torch.ones(n, requires_grad=True)
            x.grad = torch.ones(n)
            torch.optim.Adam([x]).step()
            print("numba" in sys.modules)
    """
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["True", "False", "False", "True"]
