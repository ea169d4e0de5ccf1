"""MNIST: torchvision's class over again, and no file is believed before its MD5 is known."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitorch.data import mnist
from minitorch.data.mnist import KMNIST, MNIST, FashionMNIST

NAMES = [name.removesuffix(".gz") for name, _ in MNIST.resources]


def idx(array: np.ndarray) -> bytes:
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def tiny_contents() -> dict[str, bytes]:
    """The four files of a made-up MNIST: 5 images to train on and 3 to test with."""
    rng = np.random.default_rng(0)
    contents = {}
    for split, n in (("train", 5), ("t10k", 3)):
        images = rng.integers(0, 256, (n, 28, 28), np.uint8)
        contents[f"{split}-images-idx3-ubyte"] = idx(images)
        contents[f"{split}-labels-idx1-ubyte"] = idx(rng.integers(0, 10, n, np.uint8))
    return contents


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


CONTENTS = tiny_contents()
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in CONTENTS.items()}


class Tiny(MNIST):
    """A class made as FashionMNIST is made, of files this test can write."""

    resources = [(name, md5(content)) for name, content in PACKED.items()]
    content_md5 = {name: md5(content) for name, content in CONTENTS.items()}


def write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def assert_is_tiny(dataset: MNIST, split: str = "train") -> None:
    assert idx(dataset.data.numpy()) == CONTENTS[f"{split}-images-idx3-ubyte"]
    assert idx(dataset.targets.numpy().astype(np.uint8)) == CONTENTS[f"{split}-labels-idx1-ubyte"]


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
    transforms = torchvision.transforms
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


# ---- finding the files and trusting them


@pytest.mark.parametrize("folder", ["Tiny/raw", "raw", "."])
@pytest.mark.parametrize("files", [CONTENTS, PACKED], ids=["plain", "gz"])
def test_files_are_found_where_they_usually_are(tmp_path, folder, files):
    write(tmp_path / folder, files)
    assert_is_tiny(Tiny(str(tmp_path)))
    assert_is_tiny(Tiny(tmp_path, train=False), "t10k")


def test_files_compressed_once_more_are_accepted(tmp_path):
    write(tmp_path, {f"{name}.gz": gzip.compress(c, 1, mtime=1) for name, c in CONTENTS.items()})
    assert_is_tiny(Tiny(tmp_path))


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "data", CONTENTS)
    assert_is_tiny(Tiny("~/data"))


def test_missing_files_are_named_with_their_place_and_md5(tmp_path):
    with pytest.raises(RuntimeError, match="use download=True to download it") as caught:
        MNIST(tmp_path)
    assert str(tmp_path / "MNIST/raw") in str(caught.value)
    for name, published in MNIST.resources:
        assert f"{name}    md5 {published}" in str(caught.value)


@given(
    name=st.sampled_from(NAMES[:2]),
    packed=st.booleans(),
    place=st.floats(0, 1, exclude_max=True),
    change=st.integers(1, 255),
    cut=st.booleans(),
)
def test_a_damaged_file_is_refused(name, packed, place, change, cut):
    files = PACKED if packed else CONTENTS
    name += ".gz" * packed
    content = bytearray(files[name])
    at = int(place * len(content))
    if cut:
        del content[at:]
    else:
        content[at] ^= change
    try:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), files | {name: bytes(content)})
            dataset = Tiny(folder)
    except ValueError as error:
        assert str(Path(folder) / name) in str(error) and "download it again" in str(error)
    else:  # only gzip's time stamp and the like may differ: the content has the published MD5
        assert packed and not cut and at < 10
        assert_is_tiny(dataset)


def test_without_a_known_content_only_the_published_file_is_accepted(tmp_path):
    class Strict(Tiny):
        content_md5 = {}

    write(tmp_path, CONTENTS)
    with pytest.raises(ValueError, match=r"as published, \.gz"):
        Strict(tmp_path)
    write(tmp_path, PACKED)
    assert_is_tiny(Strict(tmp_path))


def test_a_damaged_copy_does_not_hide_a_good_one(tmp_path):
    write(tmp_path / "Tiny/raw", {name: b"damaged" for name in CONTENTS})
    write(tmp_path, PACKED)
    assert_is_tiny(Tiny(tmp_path))


# ---- downloading


def test_download_fetches_what_is_missing_or_damaged(mirrors, tmp_path, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr(Tiny, "mirrors", [mirrors.address + "/corrupt", mirrors.address])
    for name, content in PACKED.items():
        mirrors.files[f"/{name}"] = content
        mirrors.files[f"/corrupt/{name}"] = content[:-1]
    write(tmp_path, {NAMES[0]: CONTENTS[NAMES[0]], NAMES[1]: b"damaged"})
    assert_is_tiny(Tiny(tmp_path, download=True))
    assert_is_tiny(Tiny(tmp_path, train=False), "t10k")
    fetched = [f"{name}.gz" for name in NAMES[1:]]
    assert mirrors.log == [path for name in fetched for path in (f"/corrupt/{name}", f"/{name}")]
    assert sorted(path.name for path in (tmp_path / "Tiny/raw").iterdir()) == sorted(fetched)
    mirrors.log.clear()
    Tiny(tmp_path, download=True)
    assert mirrors.log == []


def test_download_without_a_network_says_what_to_put_where(tmp_path, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr(Tiny, "mirrors", ["http://127.0.0.1:9"])
    with pytest.raises(RuntimeError, match="cannot download") as caught:
        Tiny(tmp_path, download=True)
    assert str(tmp_path / "Tiny/raw") in str(caught.value)
    for name, published in Tiny.resources:
        assert f"{name}    md5 {published}" in str(caught.value)
