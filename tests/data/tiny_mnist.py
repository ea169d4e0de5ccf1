"""A made-up MNIST of eight images, whose files a test can write and damage."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np

from minitorch.data.mnist import MNIST

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
