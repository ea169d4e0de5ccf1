"""Each public strategy draws what it says."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import find, given
from hypothesis import strategies as st

import minitorch
from minitorch.testing.strategies import (
    LAYOUTS,
    arrays,
    broadcastable_shapes,
    dtypes,
    laid_out,
    layouts,
    shapes,
    tensors,
    values,
)
from minitorch.testing.values import KINDS

LIBS = pytest.mark.parametrize("lib", [minitorch, torch], ids=["minitorch", "torch"])
SIGNATURES = ["(n,k),(k,m)->(n,m)", "(n),(n)", "(m?,n),(n)->(m?)", "(),(3)->()"]


# -- shapes and dtypes -----------------------------------------------------------------------

@given(shapes(), shapes(min_dims=2, max_dims=2, min_side=0, max_side=1))
def test_shapes_keep_to_their_bounds(usual: Any, small: Any) -> None:
    assert len(usual) <= 3 and all(1 <= n <= 4 for n in usual)
    assert len(small) == 2 and set(small) <= {0, 1}


def test_shapes_reach_0d_and_empty() -> None:
    assert find(shapes(min_side=0), lambda shape: True) == ()
    assert 0 in find(shapes(min_side=0), lambda shape: 0 in shape and len(shape) == 3)


@given(st.data(), st.integers(1, 4))
def test_shapes_broadcast_together(data: Any, n: int) -> None:
    drawn = data.draw(broadcastable_shapes(n))
    assert len(drawn) == n
    np.broadcast_shapes(*drawn)


@given(broadcastable_shapes("(n,k),(k,m)"))
def test_shapes_of_a_matrix_product_multiply(drawn: Any) -> None:
    x, y = map(np.zeros, drawn)
    assert (x @ y).shape[-2:] == (x.shape[-2], y.shape[-1])


@pytest.mark.parametrize("signature", [s for s in SIGNATURES if "?" not in s])
@given(data=st.data())
def test_shapes_obey_their_signature(signature: str, data: Any) -> None:
    """NumPy, told the same signature, accepts them, and finds the same core dimensions."""
    xs = [np.zeros(shape) for shape in data.draw(broadcastable_shapes(signature))]
    cores = [term.count(",") + (term != "()") for term in
             (t if t.endswith(")") else t + ")" for t in signature.partition("->")[0].split("),"))]

    def core(*parts: Any) -> float:
        assert [p.ndim for p in parts] == cores
        return 0.0

    inputs = signature.partition("->")[0].replace("3", "k")  # NumPy has no fixed sizes here
    np.vectorize(core, signature=f"{inputs}->()")(*xs)
    if "3" in signature:
        assert xs[1].shape[-1] == 3


def test_optional_dimensions_come_and_go() -> None:
    for ndim in (1, 2):
        x, y = find(broadcastable_shapes("(m?,n),(n)->(m?)", max_dims=0),
                    lambda drawn, ndim=ndim: len(drawn[0]) == ndim)
        assert x[-1:] == y


@given(dtypes("float"), dtypes("int"), dtypes("bool", lib=minitorch), dtypes("float16", lib=torch))
def test_dtypes_are_of_their_kind(a: Any, b: Any, c: Any, d: Any) -> None:
    assert a.kind == "f" and b.kind in "iu" and c is minitorch.bool and d is torch.float16


@given(dtypes(lib=minitorch), dtypes(lib=torch))
def test_dtypes_are_those_of_the_library(a: Any, b: Any) -> None:
    assert isinstance(a, minitorch.dtype) and isinstance(b, torch.dtype)


# -- memory layouts --------------------------------------------------------------------------

def promised(x: np.ndarray, layout: str) -> bool:
    """Whether the strides are those that the layout's name promises."""
    if not x.size:
        return True  # no strides to speak of
    axes = [i for i, n in enumerate(x.shape) if n > 1]
    if layout in ("C", "F"):
        return bool(x.flags[f"{layout}_CONTIGUOUS"])
    if layout == "strided":
        return all(abs(x.strides[i]) % (2 * x.itemsize) == 0 for i in axes)
    if layout == "negative":
        return all(x.strides[i] < 0 for i in axes)
    return 0 in [x.strides[i] for i in axes]


@given(arrays(shapes(min_side=0), dtypes(), kind="ties"))
def test_all_layouts_have_equal_values_and_the_promised_strides(x: Any) -> None:
    found = laid_out(x)
    for layout, y in found.items():
        assert y.shape == x.shape and y.dtype == x.dtype and y.flags.writeable
        np.testing.assert_array_equal(y, x)
        assert promised(y, layout) and not np.shares_memory(x, y)
    assert set(found) >= ({"C", "strided"} if x.ndim == 0 else {"C", "F", "strided", "negative"})


@given(arrays(shapes(min_dims=1, min_side=2), layout="expanded"))
def test_expanded_arrays_have_all_layouts(x: Any) -> None:
    assert promised(x, "expanded") and set(laid_out(x)) == set(LAYOUTS)


@LIBS
@given(data=st.data())
def test_tensors_are_laid_out_alike(lib: Any, data: Any) -> None:
    x = data.draw(tensors(shapes(min_side=0), lib=lib, kind="ties", requires_grad=st.booleans()))
    found = laid_out(x)
    assert "negative" not in found
    for layout, y in found.items():
        assert type(y) is type(x) and y.is_leaf and y.requires_grad == x.requires_grad
        assert y.dtype == x.dtype and y.shape == x.shape
        twin = laid_out(x.detach().numpy(), layout)
        np.testing.assert_array_equal(y.detach().numpy(), twin)
        assert y.detach().numpy().strides == twin.strides or not twin.size


@LIBS
@given(data=st.data())
def test_drawn_layouts_are_kept_by_tensors(lib: Any, data: Any) -> None:
    layout = data.draw(layouts(lib))
    x = data.draw(tensors(shapes(min_dims=1, min_side=2), lib=lib, layout=layout))
    assert promised(x.numpy(), layout)


@given(arrays(layout=layouts()), arrays((), layout="expanded"))
def test_arrays_without_the_layout_are_plain(x: Any, y: Any) -> None:
    assert isinstance(x, np.ndarray) and y.shape == ()


def test_what_lies_between_strided_elements_is_found_by_who_reads_it() -> None:
    for dtype, between in (("float32", np.isnan), ("int8", lambda v: v == -128),
                           ("uint8", lambda v: v == 255), ("bool", lambda v: v)):
        x = laid_out(np.zeros((2, 3), dtype), "strided")
        outside = np.ones(x.base.shape, bool)
        assert x.ctypes.data > x.base.ctypes.data, "nor does it begin where its memory does"
        outside[1::2, 1::2] = False
        assert between(x.base[outside]).all()


def test_a_layout_that_is_not_there_is_refused() -> None:
    for x, layout, text in ((np.ones(2), "diagonal", "only C, F, strided"),
                            (np.float64(1) + np.zeros(()), "F", "a 0-d array has no layout 'F'"),
                            (torch.ones(2), "negative", "lay out a NumPy array"),
                            (np.arange(3.0), "expanded", "no axis of shape (3,)")):
        with pytest.raises(ValueError) as caught:
            laid_out(x, layout)
        assert text in str(caught.value)


# -- values ----------------------------------------------------------------------------------

bounds = st.tuples(st.integers(-30, 10), st.integers(1, 40)).map(
    lambda pair: (pair[0] / 10, (pair[0] + pair[1]) / 10))
kinks = st.lists(st.integers(-40, 40).map(lambda n: n / 10), max_size=3)
ROUNDING = 1e-9


@given(st.data(), bounds, kinks, st.sampled_from([0.01, 0.1]), st.integers(0, 300))
def test_smooth_values_are_distinct_and_off_the_kinks(data: Any, ends: Any, kinks: Any, gap: float,
                                                      n: int) -> None:
    low, high = ends
    try:
        x = data.draw(arrays((n,), low=low, high=high, kinks=kinks, gap=gap))
    except ValueError as error:
        assert "give a smaller gap" in str(error)
        grid = np.linspace(low, high, 1001)
        assert all(min(abs(v - k) for k in kinks) < gap + ROUNDING for v in grid)
        return
    assert x.dtype == np.float64 and len(np.unique(x)) == n
    assert ((x >= low - ROUNDING) & (x <= high + ROUNDING)).all()
    for k in kinks:
        assert (abs(x - k) >= gap - ROUNDING).all()


@given(arrays(broadcastable_shapes(3)))
def test_arrays_drawn_together_do_not_tie(xs: Any) -> None:
    flat = np.concatenate([x.reshape(-1) for x in xs])
    assert len(xs) == 3 and len(np.unique(flat)) == flat.size


def test_several_shapes_may_be_given() -> None:
    for given_shapes in ([(2, 3), (3,)], ((2, 3), (3,))):
        x, y = find(arrays(given_shapes, ("float32")), lambda xs: True)
        assert x.shape == (2, 3) and y.shape == (3,) and x.dtype == y.dtype == np.float32


@given(st.data(), kinks.filter(bool))
def test_ties_hit_the_kinks_and_each_other(data: Any, kinks: Any) -> None:
    x = data.draw(arrays((400,), kind="ties", kinks=kinks, low=-4, high=4))
    at = np.isin(x, kinks)
    assert 0.3 < at.mean() and set(kinks) <= set(x)
    assert len(np.unique(x)) < 20 and ((x >= -4) & (x <= 4)).all()


@given(st.data(), dtypes("float"))
def test_edges_are_reached(data: Any, dtype: Any) -> None:
    x = data.draw(arrays((2000,), dtype, kind="edges"))
    info = np.finfo(dtype)
    assert np.isnan(x).any() and x.dtype == dtype
    assert {np.inf, -np.inf, 0.0, float(info.max), float(info.smallest_subnormal)} <= set(
        x.astype(float))
    assert (np.signbit(x) & (x == 0)).any(), "-0"
    finite = x[np.isfinite(x)]
    with np.errstate(all="ignore"):
        assert (np.isinf(np.exp(finite)) & (finite < 2e3)).any(), "an exponential overflows"
    y = data.draw(arrays((2000,), dtype, kind="edges", low=0.0))
    assert not np.signbit(y[~np.isnan(y)]).any()


@given(st.data(), dtypes("int"), st.sampled_from(KINDS))
def test_integers_lie_between_the_bounds(data: Any, dtype: Any, kind: str) -> None:
    x = data.draw(arrays((300,), dtype, kind=kind, low=-2.5, high=3.5))
    info = np.iinfo(dtype)
    inside = set(range(max(-2, info.min), 4))
    assert x.dtype == dtype and set(x.tolist()) == inside | (
        {info.min, info.max} if kind == "edges" else set())


@given(arrays((64,), "bool"))
def test_bools_are_mixed(x: Any) -> None:
    assert x.dtype == bool and x.any() and not x.all()


@given(values(kinks=[0.5]), values("ties", kinks=[0.25]), values("edges"))
def test_single_values_are_floats_of_their_kind(smooth: Any, tie: Any, edge: Any) -> None:
    assert all(type(v) is float for v in (smooth, tie, edge))
    assert abs(smooth - 0.5) >= 0.1 - ROUNDING and -2 <= smooth <= 2
    assert tie in {0.25, 0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0}


@given(values(low=0.33331, high=0.33339))
def test_a_narrow_interval_has_values_too(x: float) -> None:
    assert 0.33331 <= x <= 0.33339


def test_impossible_values_are_refused() -> None:
    for options, text in ((dict(kind="rough"), "only smooth, ties, edges"),
                          (dict(low=1.0, high=1.0), "must be less than"),
                          (dict(gap=5.0), "give a smaller gap"),
                          (dict(shape=(9999,), dtype="float16"), "no 9999 distinct numbers"),
                          (dict(dtype="int64", low=0.2, high=0.8), "no number from 0.2 to 0.8")):
        with pytest.raises(ValueError, match=text):
            find(arrays(**options), lambda x: True)


def test_arrays_shrink_to_small_shapes_in_the_plain_layout() -> None:
    x = find(arrays(shapes(min_side=0), layout=layouts()), lambda x: x.size > 1)
    assert x.size == 2 and x.flags["C_CONTIGUOUS"]
    assert all(len(repr(abs(float(v)))) <= 4 for v in x.flat), "two decimals"


# -- tensors ---------------------------------------------------------------------------------

@LIBS
@given(data=st.data())
def test_tensors_are_leaves_of_their_library(lib: Any, data: Any) -> None:
    x = data.draw(tensors(lib=lib))
    assert type(x) is lib.Tensor and x.dtype is lib.float32 and not x.requires_grad
    x, y = data.draw(tensors(broadcastable_shapes(2), dtypes("float", "int", lib=lib), lib=lib,
                             requires_grad=True))
    for t in (x, y):
        assert t.is_leaf and t.requires_grad == t.is_floating_point()
    assert (x + y).shape == torch.broadcast_shapes(tuple(x.shape), tuple(y.shape))


@given(tensors((2, 3), "float64"), tensors((2, 3), lib=np), tensors(3, lib=torch))
def test_a_library_and_a_dtype_may_be_left_out(x: Any, y: Any, z: Any) -> None:
    assert type(x) is minitorch.Tensor and x.dtype is minitorch.float64
    assert type(y) is np.ndarray and y.dtype == np.float64
    assert tuple(z.shape) == (3,)


@LIBS
def test_whether_a_gradient_is_required_may_be_drawn(lib: Any) -> None:
    for wanted in (True, False):
        assert find(tensors(lib=lib, requires_grad=st.booleans()),
                    lambda x, wanted=wanted: x.requires_grad == wanted) is not None


# -- what is optional ------------------------------------------------------------------------

def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          check=True).stdout


def test_hypothesis_is_not_loaded_before_it_is_needed() -> None:
    assert python("import sys, minitorch.testing; print('hypothesis' in sys.modules)") == "False\n"


@pytest.mark.parametrize("wanted", ["minitorch.testing.strategies import arrays",
                                    "minitorch.testing import op_db"])
def test_without_hypothesis_the_extra_to_install_is_named(wanted: str) -> None:
    out = python(f"""
import sys
sys.modules["hypothesis"] = None
try:
    from {wanted}
except ImportError as error:
    print(error)
""")
    assert "pip install 'minitorch-xp[testing]'" in out
