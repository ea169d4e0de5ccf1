"""Clipping gradients and parameters as vectors, as in PyTorch; norms of ``linalg``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import nn
from tests.nn.both import assert_agree

norms = st.sampled_from([2.0, 1, 3.0, 0.5, float("inf")])


def graded(t: Any, seed: int, count: int, dtype: str = "float32") -> list[Any]:
    """Parameters with gradients, the last one without."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        p = t.nn.Parameter(t.from_numpy(rng.standard_normal((i + 1, 2)).astype(dtype)))
        if i < count - 1:
            p.grad = t.from_numpy((rng.standard_normal((i + 1, 2)) * 3).astype(dtype))
        made.append(p)
    return made


@given(seed=st.integers(0, 99), count=st.integers(1, 4), p=norms,
       limit=st.sampled_from([0.1, 1.0, 100.0]), dtype=st.sampled_from(["float32", "float64"]))
def test_clip_grad_norm_agrees(seed: int, count: int, p: Any, limit: float, dtype: str) -> None:
    def program(t: Any) -> Any:
        ps = graded(t, seed, count, dtype)
        versions = [q.grad._version for q in ps if q.grad is not None]
        total = t.nn.utils.clip_grad_norm_(iter(ps), limit, norm_type=p)
        raised = [q.grad._version > v for q, v in zip(ps, versions)]
        return total, [q.grad for q in ps], raised, t.nn.utils.get_total_norm(
            [q.grad for q in ps if q.grad is not None], p)

    assert_agree(program)


@given(seed=st.integers(0, 99), limit=st.sampled_from([0.1, 1, 10.0]))
def test_clip_grad_value_agrees(seed: int, limit: float) -> None:
    def program(t: Any) -> Any:
        ps = graded(t, seed, 3)
        t.nn.utils.clip_grad_value_(ps, limit)
        t.nn.utils.clip_grad_value_(ps[0], limit / 2)
        return [q.grad for q in ps]

    assert_agree(program)


def test_clipping_a_nan_spreads_it_unless_told_to_raise() -> None:
    def program(t: Any) -> Any:
        p = t.nn.Parameter(t.ones(2))
        p.grad = t.tensor([1.0, float("inf")])
        return t.nn.utils.clip_grad_norm_(p, 1.0), p.grad

    assert_agree(program)


@given(seed=st.integers(0, 99), count=st.integers(1, 4))
def test_vectors_of_parameters_agree(seed: int, count: int) -> None:
    def program(t: Any) -> Any:
        ps = graded(t, seed, count)
        v = t.nn.utils.parameters_to_vector(ps)
        (v * v).sum().backward()
        t.nn.utils.vector_to_parameters(t.arange(float(len(v))), ps)
        return v, [q.grad for q in ps], ps, [q.requires_grad for q in ps]

    assert_agree(program)


def test_a_short_vector_is_refused() -> None:
    p = nn.Parameter(minitorch.ones(3))
    with pytest.raises(RuntimeError, match="2 elements"):
        nn.utils.vector_to_parameters(minitorch.zeros(2), [p])
    assert p.array.tolist() == [1, 1, 1]


NORMS = {
    "vector": lambda t, x: t.linalg.norm(x),
    "vector_norm": lambda t, x: t.linalg.vector_norm(x, 3, 0),
    "vector_norm keepdim": lambda t, x: t.linalg.vector_norm(x, 1, (0, 1), True),
    "rows": lambda t, x: t.linalg.norm(x, dim=1),
    "rows inf": lambda t, x: t.linalg.norm(x, float("inf"), 1, True),
    "both dims": lambda t, x: t.linalg.norm(x, dim=(0, 1)),
    "fro": lambda t, x: t.linalg.norm(x, "fro"),
    "matrix 1": lambda t, x: t.linalg.norm(x, 1),
    "matrix -1": lambda t, x: t.linalg.matrix_norm(x, -1, keepdim=True),
    "matrix inf": lambda t, x: t.linalg.norm(x, float("inf"), (0, 1)),
    "matrix -inf": lambda t, x: t.linalg.norm(x, -float("inf"), (1, 0)),
    "3-D with ord": lambda t, x: t.linalg.norm(x.reshape(2, 2, 3), 2),
    "integers": lambda t, x: t.linalg.vector_norm(t.tensor([1, 2])),
    "dtype": lambda t, x: t.linalg.vector_norm(x, dtype=t.float64),
}


@pytest.mark.parametrize("name", NORMS)
def test_norms_agree(name: str) -> None:
    def program(t: Any) -> Any:
        x = t.tensor([[1.0, -2.0, 3.0], [4.0, 0.5, -6.0], [0.1, 0.2, 0.4], [1.5, 2.0, 9.0]],
                     requires_grad=True)
        y = NORMS[name](t, x)
        y.sum().backward()
        return y, x.grad

    assert_agree(program)
