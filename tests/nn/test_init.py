"""Initialisers draw PyTorch's numbers, in its order, and return the tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import nn
from tests.nn.both import assert_agree

seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(1, 7), min_size=2, max_size=4).map(tuple)
BOUNDS = [(0.0, 1.0, -2.0, 2.0), (0.0, 1.0, 1.0, 3.0), (1.0, 2.0, -1.0, 1.5),
          (0.0, 1.0, -9.0, -8.5), (0.5, 0.1, 0.0, 0.4), (2.0, 1.0, 1.0, 3.0)]  # mean, std, a, b

# Uniform and constant ones are exact; the others agree to the rounding of logarithms and sines.
EXACT: dict[str, Any] = {
    "uniform_": st.fixed_dictionaries({"a": st.sampled_from([-2.0, 0.0]),
                                       "b": st.sampled_from([0.5, 3.0])}),
    "constant_": st.fixed_dictionaries({"val": st.sampled_from([0, 2.5])}),
    "ones_": st.just({}),
    "zeros_": st.just({}),
    "xavier_uniform_": st.fixed_dictionaries({"gain": st.sampled_from([1.0, 5 / 3])}),
    "kaiming_uniform_": st.fixed_dictionaries({
        "a": st.sampled_from([0, 0.2, math.sqrt(5)]), "mode": st.sampled_from(["fan_in",
                                                                               "fan_out"]),
        "nonlinearity": st.sampled_from(["leaky_relu", "relu", "tanh", "linear", "selu"])}),
}
CLOSE: dict[str, Any] = {
    "normal_": st.fixed_dictionaries({"mean": st.sampled_from([0.0, -1.5]),
                                      "std": st.sampled_from([1.0, 0.02])}),
    "trunc_normal_": st.sampled_from(BOUNDS).map(lambda b: dict(zip(("mean", "std", "a", "b"), b))),
    "xavier_normal_": EXACT["xavier_uniform_"],
    "kaiming_normal_": EXACT["kaiming_uniform_"],
    "orthogonal_": st.fixed_dictionaries({"gain": st.sampled_from([1.0, 2.0])}),
}
ONLY_MATRICES = {"eye_": st.just({}),
                 "sparse_": st.fixed_dictionaries({"sparsity": st.sampled_from([0.0, 0.3, 1.0]),
                                                   "std": st.sampled_from([0.01, 1.0])})}


def drawn(name: str, options: Any, shape: Any, dtype: str, seed: int, own: bool) -> Any:
    def program(t: Any) -> Any:
        t.manual_seed(seed)
        p = t.nn.Parameter(t.empty(shape, dtype=getattr(t, dtype)))
        generator = t.Generator().manual_seed(seed + 1) if own else None
        given = {"generator": generator} if own else {}
        version = p._version
        returned = getattr(t.nn.init, name)(p, **options, **given)
        return returned is p, p, p.requires_grad, p.grad_fn, p._version > version, t.rand(2)

    return program


@pytest.mark.parametrize("name", [*EXACT, *CLOSE, *ONLY_MATRICES])
@given(data=st.data(), seed=st.integers(0, 2**31), dtype=st.sampled_from(["float32", "float64"]))
def test_initialisers_agree(name: str, data: Any, seed: int, dtype: str) -> None:
    """Values, the tensor itself, and where the random stream stands after."""
    options = data.draw({**EXACT, **CLOSE, **ONLY_MATRICES}[name])
    shape = data.draw(shapes)[:2 if name in ONLY_MATRICES else 4]
    own = name not in ("constant_", "ones_", "zeros_", "eye_") and data.draw(st.booleans())
    assert_agree(drawn(name, options, shape, dtype, seed, own), exact=name in EXACT)


@given(out=st.integers(1, 6), channels=st.integers(1, 4), groups=st.integers(1, 3),
       window=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_dirac_agrees(out: int, channels: int, groups: int, window: list[int]) -> None:
    assert_agree(lambda t: t.nn.init.dirac_(t.ones(out * groups, channels, *window), groups),
                 exact=True)


@pytest.mark.parametrize("param", [None, 0, 0.5, 2])
@pytest.mark.parametrize("name", ["linear", "conv2d", "conv_transpose3d", "sigmoid", "tanh",
                                  "relu", "leaky_relu", "selu"])
def test_gains_agree(name: str, param: Any) -> None:
    assert_agree(lambda t: t.nn.init.calculate_gain(name, param), exact=True)


@pytest.mark.parametrize("name", ["uniform", "normal", "constant", "eye", "dirac", "xavier_uniform",
                                  "xavier_normal", "kaiming_uniform", "kaiming_normal",
                                  "orthogonal", "sparse"])
def test_deprecated_names_agree(name: str) -> None:
    more: Any = {"constant": (0.5,), "sparse": (0.5,)}.get(name, ())

    def program(t: Any) -> Any:
        t.manual_seed(3)
        x = t.ones(4, 4, 3) if name == "dirac" else t.ones(4, 4)
        return getattr(t.nn.init, name)(x, *more), getattr(t.nn.init, name).__name__

    assert_agree(program)
    with pytest.warns(FutureWarning, match=f"nn.init.{name}_"):
        getattr(nn.init, name)(minitorch.ones(4, 4, 3) if name == "dirac" else minitorch.ones(4, 4),
                               *more)


@given(shape=shapes, seed=seeds)
def test_lecun_is_kaiming_with_gain_one(shape: Any, seed: int) -> None:
    """PyTorch has no LeCun initialisers; its Kaiming ones with gain 1 have the same variance."""
    def program(t: Any) -> Any:
        t.manual_seed(seed)
        x, y = t.ones(shape), t.ones(shape)
        if t is minitorch:
            return t.nn.init.lecun_uniform_(x), t.nn.init.lecun_normal_(y)
        return (t.nn.init.kaiming_uniform_(x, nonlinearity="linear"),
                t.nn.init.kaiming_normal_(y, nonlinearity="linear"))

    assert_agree(program)


def test_lecun_has_variance_one_over_fan_in() -> None:
    minitorch.manual_seed(0)
    for fill in (nn.init.lecun_uniform_, nn.init.lecun_normal_):
        x = fill(minitorch.empty(500, 300))
        assert abs(x.array.var() * 300 - 1) < 0.01  # 150,000 numbers: standard error 0.004
        assert abs(x.array.mean()) < 1e-3


@given(shape=shapes, seed=seeds)
def test_orthogonal_rows_or_columns(shape: Any, seed: int) -> None:
    minitorch.manual_seed(seed)
    x = nn.init.orthogonal_(minitorch.empty(shape, dtype=minitorch.float64), 2.0).array
    x = x.reshape(shape[0], -1) / 2
    small = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-12)


def test_tensors_without_elements_are_left_alone() -> None:
    def program(t: Any) -> Any:
        return [getattr(t.nn.init, n)(t.empty(0, 3)) for n in
                ("kaiming_uniform_", "kaiming_normal_", "orthogonal_")]

    assert_agree(program)
