"""MNIST is torchvision's class over again, and its batches are its items."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from minitorch.data import DataLoader, default_collate, mnist, transforms
from minitorch.data.mnist import KMNIST, MNIST, FashionMNIST
from tests.data.tiny_mnist import CONTENTS, NAMES, Tiny, assert_is_tiny, write

# ---- the real files


@pytest.fixture(scope="module")
def real(mnist_folder: Path) -> dict[bool, MNIST]:
    return {train: MNIST(mnist_folder, train) for train in (True, False)}


LABEL_COUNTS = {
    True: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    False: [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}


@pytest.mark.parametrize("train", [True, False])
def test_the_real_mnist_has_its_known_contents(real, train):
    data, targets = real[train].data.numpy(), real[train].targets.numpy()
    assert data.shape == (len(targets), 28, 28) and data.dtype == np.uint8
    assert targets.dtype == np.int64 and len(real[train]) == len(targets)
    assert np.bincount(targets).tolist() == LABEL_COUNTS[train]
    if train:  # the two numbers that everybody normalises with
        weights = np.bincount(data.ravel(), minlength=256)
        mean = np.average(np.arange(256) / 255, weights=weights)
        std = np.average((np.arange(256) / 255 - mean) ** 2, weights=weights) ** 0.5
        assert (round(mean, 4), round(std, 4)) == (0.1307, 0.3081)


def test_the_real_mnist_agrees_with_torchvision(real, torchvision, mnist_folder, tmp_path):
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for name in NAMES:
        with gzip.open(mnist_folder / f"{name}.gz") as packed, (raw / name).open("wb") as plain:
            shutil.copyfileobj(packed, plain, 2**20)
    for train in (True, False):
        ours, theirs = MNIST(tmp_path, train), torchvision.datasets.MNIST(tmp_path, train)
        np.testing.assert_array_equal(ours.data.numpy(), theirs.data.numpy())
        np.testing.assert_array_equal(ours.targets.numpy(), theirs.targets.numpy())
        assert len(ours) == len(theirs)
        assert repr(ours) == repr(theirs)
        for name in ("classes", "class_to_idx", "raw_folder", "processed_folder", "train", "root"):
            ours_is, theirs_is = getattr(ours, name), getattr(theirs, name)
            assert str(ours_is) == str(theirs_is), name
        for index in (0, 1, len(ours) - 1, -1):
            (our_image, our_label), (image, label) = ours[index], theirs[index]
            assert (type(our_label), our_label) == (type(label), label)
            assert (our_image.mode, our_image.tobytes()) == (image.mode, image.tobytes())


def test_repr_with_transforms_agrees_with_torchvision(torchvision, tmp_path):
    write(tmp_path / "MNIST/raw", CONTENTS)
    write(tmp_path / "Tiny/raw", CONTENTS)
    for options in (
        {"transform": transforms.Compose([transforms.ToTensor(), transforms.Lambda(abs)])},
        {"target_transform": transforms.Lambda(abs)},
        {"transform": transforms.ToTensor(), "target_transform": transforms.Lambda(abs)},
    ):
        theirs = repr(torchvision.datasets.MNIST(tmp_path, **options))
        assert repr(Tiny(tmp_path, **options)) == theirs.replace("MNIST", "Tiny")


def test_torchvisions_transforms_apply(torchvision, tmp_path, monkeypatch):
    write(tmp_path, CONTENTS)
    dataset = Tiny(tmp_path, transform=torchvision.transforms.ToTensor())
    expected = dataset.data.numpy()[2:3].astype(np.float32) / np.float32(255)
    for pillow in (mnist._pillow(), None):
        monkeypatch.setattr(mnist, "_pillow", lambda pillow=pillow: pillow)
        np.testing.assert_array_equal(dataset[2][0].numpy(), expected)


@pytest.mark.parametrize("ours", [MNIST, FashionMNIST, KMNIST], ids=lambda c: c.__name__)
def test_published_md5_and_classes_agree_with_torchvision(torchvision, ours):
    theirs = getattr(torchvision.datasets, ours.__name__)
    assert ours.resources == theirs.resources
    assert ours.classes == theirs.classes


def test_md5_of_the_contents_agrees_with_the_real_files(mnist_folder):
    for line in (mnist_folder / "MD5SUMS").read_text().splitlines():
        published, name = line.split()
        assert MNIST.content_md5[name] == published


# ---- items


def test_an_item_is_an_image_and_an_int(tmp_path, monkeypatch):
    write(tmp_path, CONTENTS)
    dataset = Tiny(tmp_path)
    pixels, label = dataset.data.numpy()[1], int(dataset.targets[1])
    if mnist._pillow() is not None:
        image, target = dataset[1]
        assert (image.mode, image.size, type(target), target) == ("L", (28, 28), int, label)
        assert image.tobytes() == pixels.tobytes()
    monkeypatch.setattr(mnist, "_pillow", lambda: None)
    image, target = dataset[1]
    assert type(image) is np.ndarray and image.dtype == np.uint8
    np.testing.assert_array_equal(image, pixels)


@pytest.mark.parametrize("pillow", [True, False])
def test_writing_to_an_item_does_not_change_the_data(tmp_path, monkeypatch, pillow):
    write(tmp_path, CONTENTS)
    if not pillow:
        monkeypatch.setattr(mnist, "_pillow", lambda: None)
    elif mnist._pillow() is None:
        pytest.skip("Pillow is not installed")
    dataset = Tiny(tmp_path)
    image, _ = dataset[0]
    image.putpixel((0, 0), 7) if pillow else image.fill(7)
    assert_is_tiny(dataset)


def test_transforms_see_the_item(tmp_path):
    write(tmp_path, CONTENTS)
    dataset = Tiny(tmp_path, False, lambda x: ("image", np.asarray(x)), lambda y: ("label", y))
    (first, pixels), second = dataset[2]
    assert first == "image" and second == ("label", int(dataset.targets[2]))
    np.testing.assert_array_equal(pixels, dataset.data.numpy()[2])


TO_TENSOR, NORMALIZE = transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))
OURS = [
    TO_TENSOR,
    transforms.Compose([TO_TENSOR, NORMALIZE]),
    transforms.Compose([transforms.Compose([TO_TENSOR]), transforms.Normalize(0.5, 2, True)]),
]
NOT_OURS = [
    np.asarray,
    transforms.Compose([]),
    transforms.Compose([np.asarray]),
    transforms.Compose([TO_TENSOR, transforms.Lambda(lambda x: x.reshape(-1))]),
    type("Special", (transforms.ToTensor,), {"__call__": lambda self, x: np.asarray(x)})(),
]


@pytest.mark.parametrize("transform", OURS, ids=repr)
def test_a_whole_batch_is_its_items_collated(tmp_path, transform):
    write(tmp_path, CONTENTS)
    dataset, indices = Tiny(tmp_path, transform=transform), [3, 0, -1, np.int64(0)]
    whole = dataset.__getbatch__(indices)
    items = default_collate([dataset[i] for i in indices])
    for ours, theirs in zip(whole, items, strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert_is_tiny(dataset)
    with pytest.raises(IndexError):
        dataset.__getbatch__([0, 5])


@pytest.mark.parametrize("transform", [None, *NOT_OURS], ids=repr)
def test_what_other_transforms_make_of_a_batch_is_not_guessed(tmp_path, transform):
    write(tmp_path, CONTENTS)
    assert Tiny(tmp_path, transform=transform).__getbatch__([0, 1]) is NotImplemented


@pytest.mark.parametrize("transform", OURS + NOT_OURS, ids=repr)
def test_a_dataloader_gives_the_items_collated(tmp_path, transform, monkeypatch):
    monkeypatch.setattr(mnist, "_pillow", lambda: None)  # some of these give the image as it is
    write(tmp_path, CONTENTS)
    dataset = Tiny(tmp_path, transform=transform, target_transform=lambda y: 2 * y)
    for _ in range(2):
        batches = list(DataLoader(dataset, batch_size=2))
        for i, batch in enumerate(batches):
            items = default_collate([dataset[j] for j in range(2 * i, min(2 * i + 2, 5))])
            for ours, theirs in zip(batch, items, strict=True):
                assert ours.dtype == theirs.dtype
                np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
        assert len(batches) == 3
        dataset.target_transform = None


def test_an_index_past_the_end_raises_IndexError(tmp_path):
    write(tmp_path, CONTENTS)
    with pytest.raises(IndexError):
        Tiny(tmp_path)[5]
    assert len(list(Tiny(tmp_path))) == 5  # which is how a plain for loop ends


def test_old_names_warn(tmp_path):
    write(tmp_path, CONTENTS)
    dataset = Tiny(tmp_path)
    for old, new in (("train_data", "data"), ("test_data", "data"),
                     ("train_labels", "targets"), ("test_labels", "targets")):  # fmt: skip
        with pytest.warns(UserWarning, match=f"{old} has been renamed {new}"):
            assert getattr(dataset, old) is getattr(dataset, new)
