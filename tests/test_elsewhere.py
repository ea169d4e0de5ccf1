"""On the GPU everything is as on the CPU: checked on a stand-in, whose numbers are NumPy's too."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from minitorch import backend
from minitorch.coo import Coo
from tests import elsewhere
from tests.standin import gpu, ndarray


def host(x: Any) -> Any:
    """The numbers of a tensor, wherever it lies."""
    array = x.array
    if isinstance(array, Coo):
        array = array.coalesce().to_dense()
    return array.host if isinstance(array, ndarray) else array


def holds(name: str, program: Any) -> bool:
    """Whether a program gives on the stand-in, to the bit, what it gives on the CPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            here = program("cpu")
        except (RuntimeError, TypeError, IndexError, ValueError, NotImplementedError) as error:
            with pytest.raises(type(error)), np.errstate(all="ignore"):
                program("cuda")
            return False
        with np.errstate(all="ignore"):
            there = program("cuda")
    assert len(here) == len(there)
    for x, y in zip(here, there):
        a, b = host(x), host(y)
        assert a.shape == b.shape and a.dtype == b.dtype, name
        np.testing.assert_array_equal(a, b, name)
    assert name in ("transfer", "to") or all(
        str(y.device) == "cuda:0" for y in there), f"{name}: a result is not on the device"
    return True


def compare(kind: str, n: int) -> None:
    failures, held = [], 0
    with gpu():
        for name, program in getattr(elsewhere, kind)(n):
            try:
                held += holds(name, program)
            except Exception as error:
                failures.append(f"{name}: {error!r}"[:600])
    assert not failures, f"{len(failures)}:\n" + "\n".join(failures)
    assert held > 10 * n


@pytest.mark.parametrize("kind, n", [("operators", 3), ("layers", 2), ("optimizers", 1)])
def test_results_and_gradients_are_those_of_the_cpu(kind: str, n: int) -> None:
    compare(kind, n)


@pytest.mark.parametrize("word", ["remainder", "floor_divide", "fmod"])
def test_words_that_cupy_computes_less_well_are_numpys(word: str) -> None:
    values = np.array([7, -7, 0.0, -0.0, 1, -1, 8, np.inf, -np.inf, np.nan, 1e30, 0.1, 0.3, 5e-324])
    large = np.array([7, -7, 1, -1, 8, 2**62 + 1, -2**62 - 3])
    with gpu(), np.errstate(all="ignore"):
        for some in (values, values.astype(np.float32), values.astype(np.float16), large):
            x, y = [a.ravel() for a in np.meshgrid(some, some)]
            xp = backend.namespace(ndarray(x))
            for a, b in ((x, y), (x, 3), (-2, y), *([(x, 2.5)] if x.dtype.kind == "f" else [])):
                there = [ndarray(v) if isinstance(v, np.ndarray) else v for v in (a, b)]
                ours, numpys = getattr(xp, word)(*there).host, getattr(np, word)(a, b)
                assert ours.dtype == numpys.dtype
                np.testing.assert_array_equal(ours, numpys)
                if word != "remainder":  # whose zeros have PyTorch's sign, not NumPy's
                    assert (np.signbit(ours) == np.signbit(numpys))[~np.isnan(numpys)].all()
