"""The transforms agree with torchvision's, value for value and line for line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minitorch.creation import from_numpy
from minitorch.data import transforms

BYTES = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=3, max_side=6))
FLOATS = st.floats(-4, 4, width=32)


def assert_same(ours, theirs) -> None:
    assert str(ours.dtype) == str(theirs.dtype) and tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())  # not one bit of difference


@given(image=BYTES, transpose=st.booleans())
def test_totensor_of_bytes_agrees_with_torchvision(torchvision, image, transpose):
    image = image.T if transpose else image
    assert_same(transforms.ToTensor()(image), torchvision.transforms.ToTensor()(image))


@given(
    image=st.sampled_from([np.float32, np.float64, np.int16, np.int64, np.bool_]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=3))
    )
)
def test_totensor_keeps_other_dtypes_as_torchvision_does(torchvision, image):
    assert_same(transforms.ToTensor()(image), torchvision.transforms.ToTensor()(image))


@given(image=hnp.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))))
@pytest.mark.parametrize("mode", "1 L LA P RGB RGBA CMYK YCbCr I F I;16".split())
def test_totensor_of_a_pil_image_agrees_with_torchvision(torchvision, mode, image):
    image = pytest.importorskip("PIL.Image").fromarray(image)
    if mode == "LA":
        image = image.convert("RGBA")
    image = image.convert("I").convert(mode) if mode == "I;16" else image.convert(mode)
    assert_same(transforms.ToTensor()(image), torchvision.transforms.ToTensor()(image))


def test_totensor_of_a_pil_image_and_of_its_pixels_are_the_same():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    image = pytest.importorskip("PIL.Image").fromarray(pixels)
    ours = [transforms.ToTensor()(each).numpy() for each in (image, pixels)]
    np.testing.assert_array_equal(*ours)


def test_totensor_does_not_share_memory_with_bytes():
    pixels = np.ones((2, 2), np.uint8)
    result = transforms.ToTensor()(pixels)
    pixels[:] = 0
    assert (result.numpy() == np.float32(1) / np.float32(255)).all()


@given(data=st.data())
def test_normalize_agrees_with_torchvision(torchvision, data):
    import torch

    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    shape = data.draw(hnp.array_shapes(min_dims=3, max_dims=4, max_side=4))
    image = data.draw(hnp.arrays(dtype, shape, elements=st.floats(-4, 4, width=32)))
    channels = data.draw(st.sampled_from([1, shape[-3]]))
    mean = data.draw(st.lists(FLOATS, min_size=channels, max_size=channels))
    std = data.draw(
        st.lists(FLOATS.filter(lambda s: abs(s) > 0.01), min_size=channels, max_size=channels)
    )
    if channels == 1 and data.draw(st.booleans()):
        mean, std = mean[0], std[0]
    inplace = data.draw(st.booleans())
    ours, theirs = from_numpy(image.copy()), torch.from_numpy(image.copy())
    our_result = transforms.Normalize(mean, std, inplace)(ours)
    assert_same(our_result, torchvision.transforms.Normalize(mean, std, inplace)(theirs))
    assert_same(ours, theirs)  # changed in place, or not at all
    assert (our_result is ours) == inplace


def bad_calls(package, tensor):
    return [
        lambda: package.ToTensor()([[1, 2]]),
        lambda: package.ToTensor()(tensor(np.zeros((3, 3), np.float32))),
        lambda: package.ToTensor()(np.zeros(3, np.uint8)),
        lambda: package.ToTensor()(np.zeros((1, 1, 1, 1), np.uint8)),
        lambda: package.Normalize((0.5,), (0.5,))(np.zeros((1, 2, 2), np.float32)),
        lambda: package.Normalize((0.5,), (0.5,))(tensor(np.zeros((1, 2, 2), np.uint8))),
        lambda: package.Normalize((0.5,), (0.5,))(tensor(np.zeros((2, 2), np.float32))),
        lambda: package.Normalize((0.5,), (0.0,))(tensor(np.zeros((1, 2, 2), np.float32))),
        lambda: package.Normalize((0.5,), (1e-50,))(tensor(np.zeros((1, 2, 2), np.float32))),
        lambda: package.Lambda(3),
    ]


@pytest.mark.parametrize("case", range(10))
def test_what_torchvision_refuses_is_refused(torchvision, case):
    import torch

    with pytest.raises((TypeError, ValueError)) as theirs:
        bad_calls(torchvision.transforms, torch.from_numpy)[case]()
    with pytest.raises(theirs.type):
        bad_calls(transforms, from_numpy)[case]()


def test_a_refused_inplace_normalize_changes_nothing():
    image = from_numpy(np.ones((1, 2, 2), np.float32))
    with pytest.raises(ValueError, match="zero"):
        transforms.Normalize((0.5,), (0.0,), inplace=True)(image)
    assert (image.numpy() == 1).all()


def test_repr_agrees_with_torchvision(torchvision):
    def build(package):
        return package.Compose([
            package.ToTensor(),
            package.Normalize((0.1307,), (0.3081,)),
            package.Normalize([0.5], 1, inplace=True),
            package.Compose([]),
            package.Lambda(abs),
        ])  # fmt: skip

    assert repr(build(transforms)) == repr(build(torchvision.transforms))


def test_compose_applies_in_order():
    double, add = (transforms.Lambda(f) for f in (lambda x: 2 * x, lambda x: x + 1))
    assert transforms.Compose([double, add])(5) == 11
    assert transforms.Compose([add, double])(5) == 12
    assert transforms.Compose([])(5) == 5
