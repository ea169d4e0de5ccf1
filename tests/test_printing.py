"""Every printed tensor equals, letter for letter, what PyTorch prints for the same numbers."""

from contextlib import contextmanager

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings

from minitorch.printing import get_printoptions, printoptions, set_printoptions, tensor_text

FLOATS = [np.float16, np.float32, np.float64]
WHOLE = [np.bool_, np.uint8, np.int8, np.int16, np.int32, np.int64, np.uint16, np.uint32, np.uint64]

SHAPES = st.one_of(
    hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
    hnp.array_shapes(min_dims=1, max_dims=2, max_side=25),
)


@st.composite
def float_arrays(draw, shapes=SHAPES):
    """Floats of one magnitude (round or not), of many, with zeros, nan and inf among them.

    Drawing each element on its own would nearly always give a wild mixture, hence scientific
    notation; so a whole array is scaled, rounded and spoilt at once.
    """
    dtype = draw(st.sampled_from(FLOATS))
    shape = draw(shapes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    exponent = draw(st.integers(-6, 10))
    spread = draw(st.sampled_from([0, 0, 1, 3, 4, 12, 300]))
    values = rng.normal(size=shape) * 10.0 ** (exponent + spread * rng.uniform(-0.5, 0.5, shape))
    if draw(st.booleans()):
        values = np.round(values, draw(st.integers(0, 2)))
    if draw(st.booleans()):
        edges = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-4, 0.1, 1.0, 1000.0, 1001.0, 1e8, 5e-324]
        spoilt = rng.uniform(size=shape) < draw(st.sampled_from([0.1, 0.5, 1.0]))
        picked = draw(st.lists(st.sampled_from(edges), min_size=1, max_size=4))
        values = np.where(spoilt, rng.choice(picked, size=shape), values)
    with np.errstate(over="ignore"):
        return np.asarray(values).astype(dtype)


ARRAYS = st.one_of(
    float_arrays(),
    hnp.arrays(st.sampled_from(FLOATS), SHAPES),
    hnp.arrays(st.sampled_from(WHOLE), SHAPES),
    hnp.arrays(np.int64, SHAPES, elements=st.integers(-200, 200)),
)

OPTIONS = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "profile": st.sampled_from(["default", "short", "full"]),
            "precision": st.integers(0, 9),
            "threshold": st.one_of(st.integers(-1, 30), st.just(float("inf"))),
            "edgeitems": st.integers(0, 4),
            "linewidth": st.integers(-1, 130),
            "sci_mode": st.sampled_from([None, True, False]),
        },
    ),
)


@contextmanager
def both_with(options):
    """Set the same options in both engines, each from its defaults."""
    torch.set_printoptions(profile="default")
    try:
        torch.set_printoptions(**options)
        with printoptions(profile="default"):
            set_printoptions(**options)
            yield
    finally:
        torch.set_printoptions(profile="default")


@given(ARRAYS, OPTIONS)
@settings(max_examples=500, deadline=None)
@example(np.float32(1e-4) * np.ones(1, np.float32), {})
@example(np.array([1.0, 1000.5]), {})
@example(np.array([0.1, 100.0], np.float32), {})
@example(np.array([5e-324, 1.7e308]), {})
@example(np.zeros(25), {})
@example(np.array([0.0, np.inf]), {"sci_mode": True})
@example(np.arange(12.0), {"threshold": 0, "edgeitems": 0})
@example(np.arange(12).reshape(3, 4), {"threshold": 0, "edgeitems": 0})
@example(np.zeros((0, 3), np.int64), {"edgeitems": 0})
@example(np.array(1e8, np.float32), {"threshold": -1, "edgeitems": 0})
def test_text_agrees_with_torch(array, options):
    with both_with(options):
        assert tensor_text(array) == repr(torch.from_numpy(array))


@given(float_arrays(hnp.array_shapes(max_dims=2)), st.integers(-9, 60), st.sampled_from(FLOATS[1:]))
@settings(max_examples=300, deadline=None)
@example(np.array([0.1257, -0.1321], np.float16), 20, np.float32)
@example(np.array([0.5], np.float16), 42, np.float32)
@example(np.array([0.5], np.float16), 43, np.float32)
def test_suffixes_wrap_as_in_torch(array, room, default_dtype):
    name = {np.float32: torch.float32, np.float64: torch.float64}
    leaf = torch.from_numpy(array).requires_grad_()
    # Lines about as long as the last one of the numbers with none, one or both suffixes after it.
    last_line = tensor_text(array, default_dtype=array.dtype).rpartition("\n")[2]
    with both_with({"linewidth": len(last_line) + room}):
        torch.set_default_dtype(name[default_dtype])
        try:
            for tensor, suffix in [
                (leaf, "requires_grad=True"),
                (leaf.clone(), "grad_fn=<CloneBackward0>"),
                (leaf.view(leaf.shape), "grad_fn=<ViewBackward0>"),
            ]:
                text = tensor_text(array, suffixes=[suffix], default_dtype=default_dtype)
                assert text == repr(tensor)
        finally:
            torch.set_default_dtype(torch.float32)


@given(float_arrays(), st.integers(1, 130), st.sampled_from(["T", "Parameter", "A" * 40]))
@settings(max_examples=50, deadline=None)
def test_prefix_indents_as_in_torch(array, linewidth, name):
    # PyTorch takes the name of a subclass as the word before the bracket.
    tensor = torch.from_numpy(array).as_subclass(type(name, (torch.Tensor,), {}))
    with both_with({"linewidth": linewidth}):
        assert tensor_text(array, prefix=f"{name}(") == repr(tensor)


@pytest.mark.parametrize("shape", [(1000,), (1001,), (9, 11, 12), (2, 0, 1001), (3, 400), (7, 200)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_long_tensors_are_summarised_as_in_torch(shape, dtype):
    array = (np.random.default_rng(0).normal(size=shape) * 100).astype(dtype)
    assert tensor_text(array) == repr(torch.from_numpy(array))


def test_device_comes_before_size_and_dtype():
    # A meta tensor shows no numbers, so only what stands after them is compared, on one line.
    other = torch.zeros(0, 2, dtype=torch.float64, device="meta", requires_grad=True)
    with both_with({"linewidth": 200}):
        text = tensor_text(np.zeros((0, 2)), suffixes=["requires_grad=True", "device='meta'"])
        assert text.removeprefix("tensor([]") == repr(other).removeprefix("tensor(...")


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=6)))
def test_layout_does_not_matter(array):
    array.flags.writeable = False
    for view in (array.T, array[::-1], array[..., ::2], np.broadcast_to(array, (2, *array.shape))):
        assert tensor_text(view) == tensor_text(view.copy())


@given(st.lists(OPTIONS, max_size=3))
def test_options_follow_torch_through_any_calls(calls):
    with both_with({}):
        for options in calls:
            torch.set_printoptions(**options)
            set_printoptions(**options)
            assert get_printoptions() == torch._tensor_str.get_printoptions()


def test_printoptions_restores_even_after_an_error():
    before = get_printoptions()
    with pytest.raises(KeyError), printoptions(precision=1, sci_mode=True):
        assert get_printoptions() == before | {"precision": 1, "sci_mode": True}
        raise KeyError
    assert get_printoptions() == before


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"precision": -1}, "precision must be at least 0, not -1"),
        ({"precision": 2.5}, "precision must be a whole number, not 2.5"),
        ({"edgeitems": -1}, "edgeitems must be at least 0, not -1"),
        ({"linewidth": float("inf")}, "linewidth must be a whole number, not inf"),
        ({"profile": "bogus"}, "profile must be one of default, short, full, not 'bogus'"),
    ],
)
def test_options_that_cannot_be_printed_with_are_refused_and_nothing_changes(wrong, message):
    before = get_printoptions()
    with pytest.raises(ValueError, match=message):
        set_printoptions(threshold=7, **wrong)
    assert get_printoptions() == before


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None]), np.array([1j])])
def test_other_kinds_of_array_are_refused(array):
    with pytest.raises(TypeError, match="cannot print an array of dtype"):
        tensor_text(array)
