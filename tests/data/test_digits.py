"""The built-in digits are UCI's, all of them, divided between two forms."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from minitorch.data.digits import FOLDER, Digits
from minitorch.data.idx import read_idx


@pytest.fixture(scope="module")
def parts() -> tuple[Digits, Digits]:
    return Digits(), Digits(train=False)


def test_the_files_are_those_the_readme_describes():
    readme = (FOLDER / "README.md").read_text()
    rows = re.findall(r"\| `(\S+)` \| uint8 (\(.*?\)) \| (\w{32}) \|", readme)
    assert [name for name, *_ in rows] == ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"]
    for name, shape, md5 in rows:
        array = read_idx(FOLDER / name)
        assert (str(array.shape), array.dtype) == (shape, np.uint8)
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        assert hashlib.md5(header + array.tobytes()).hexdigest() == md5


def test_the_two_parts_are_the_whole_in_order(parts):
    train, test = parts
    assert (len(train), len(test)) == (1415, 382)
    for attribute, file in (("data", "images-idx3-ubyte.gz"), ("targets", "labels-idx1-ubyte.gz")):
        both = [getattr(part, attribute).numpy() for part in parts]
        np.testing.assert_array_equal(np.concatenate(both), read_idx(FOLDER / file))


def test_the_digits_have_their_known_contents(parts):
    data = np.concatenate([part.data.numpy() for part in parts])
    targets = np.concatenate([part.targets.numpy() for part in parts])
    assert data.shape == (1797, 8, 8) and data.dtype == np.uint8 and targets.dtype == np.int64
    assert (data.min(), data.max()) == (0, 16)
    # As the source states for its test set.
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(targets).tolist() == counts
    assert Digits.classes == [*"0123456789"]
    # The first row of the table, as it is printed everywhere.
    assert data[0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0] and targets[0] == 0


def test_the_split_falls_between_two_forms(parts):
    train, test = (part.targets.numpy() for part in parts)
    np.testing.assert_array_equal(test[:130], train[:130])  # a whole form, from its first digit
    np.testing.assert_array_equal(train[-2:], [0, 8])  # and the one before ends as forms end
    for targets in (train, test):
        counts = np.bincount(targets)
        assert len(counts) == 10 and counts.min() > 0.09 * len(targets)


def test_the_parts_share_no_image(parts):
    train, test = ({image.tobytes() for image in part.data.numpy()} for part in parts)
    assert not train & test


def test_scikit_learn_has_the_same_digits(parts):
    load_digits = pytest.importorskip("sklearn.datasets").load_digits
    images, targets = load_digits(return_X_y=True)
    np.testing.assert_array_equal(
        np.concatenate([part.data.numpy() for part in parts]).reshape(-1, 64), images
    )
    np.testing.assert_array_equal(
        np.concatenate([part.targets.numpy() for part in parts]), targets
    )


def test_an_item_is_a_tensor_and_an_int(parts):
    train, _ = parts
    image, label = train[7]
    np.testing.assert_array_equal(image.numpy(), train.data.numpy()[7])
    assert type(label) is int and label == int(train.targets[7])
    dataset = Digits(False, transform=lambda x: x.float() / 16, target_transform=lambda y: -y)
    image, label = dataset[3]
    assert image.shape == (8, 8) and float(image.max()) <= 1 and label == -int(dataset.targets[3])
    with pytest.raises(IndexError):
        dataset[382]


def test_repr(parts):
    assert [repr(part).splitlines()[1:] for part in parts] == [
        ["    Number of datapoints: 1415", "    Split: Train"],
        ["    Number of datapoints: 382", "    Split: Test"],
    ]
