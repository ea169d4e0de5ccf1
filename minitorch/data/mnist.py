"""MNIST and the two data sets made in its image, with torchvision's names and meanings.

No file is trusted before its MD5 is seen to be the published one.
"""

from __future__ import annotations

import functools
import hashlib
import operator
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minitorch.creation import from_numpy, make
from minitorch.data import transforms
from minitorch.data.dataset import Dataset
from minitorch.data.download import by_hand, fetch_all
from minitorch.data.idx import damaged, expand, parse_idx
from minitorch.tensor import Tensor


class MNIST(Dataset):
    """70,000 handwritten digits of 28x28 pixels: 60,000 to train on and 10,000 to test with.

    `data` is a uint8 Tensor (N, 28, 28), `targets` an int64 Tensor (N,). An item is a pair
    (image, label): the image a PIL image if Pillow is installed and else a uint8 array (28, 28),
    given to `transform`; the label an int, given to `target_transform`.

    The four IDX files, plain or compressed, are looked for in `root/MNIST/raw` (where
    `download=True` puts them, as torchvision does), `root/raw` and `root`.
    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to
    document recognition", Proceedings of the IEEE 86 (1998).

    Raises RuntimeError if the files are not there and ValueError if they are damaged.

    >>> from minitorch.data import MNIST, transforms
    >>> train = MNIST("data", download=True, transform=transforms.ToTensor())  # doctest: +SKIP
    >>> image, label = train[0]                                                # doctest: +SKIP
    >>> image.shape, label                                                     # doctest: +SKIP
    (torch.Size([1, 28, 28]), 5)
    """

    mirrors = [
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "http://yann.lecun.com/exdb/mnist",
    ]
    # The published files and their MD5.
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    # The MD5 of what is inside, for files that were decompressed, or compressed once more.
    content_md5: dict[str, str] = {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }
    classes = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ]  # fmt: skip

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self.root = os.path.expanduser(root)
        self.train = train
        self.transform = transform
        self.target_transform = target_transform
        if download:
            self.download()
        split = "train" if train else "t10k"
        self.data: Tensor = from_numpy(self._load(f"{split}-images-idx3-ubyte"))
        labels = self._load(f"{split}-labels-idx1-ubyte")
        self.targets: Tensor = from_numpy(labels.astype(np.int64))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = _image(np.asarray(self.data)[index]), int(self.targets[index])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __getbatch__(self, indices: list[Any]) -> Any:
        images, targets = np.asarray(self.data), np.asarray(self.targets)
        if self.target_transform is not None or images.dtype != np.uint8 or images.ndim != 3:
            return NotImplemented
        rows = [operator.index(i) for i in indices]
        batch = transforms.of_batch(self.transform, images[rows])
        if batch is NotImplemented:
            return NotImplemented
        return [batch, make(targets[rows].astype(np.int64))]

    def __len__(self) -> int:
        return len(self.data)

    def download(self) -> None:
        """Download those of the four files that are missing or damaged into `raw_folder`.

        Raises RuntimeError, saying which file to put where by hand, if that cannot be done.
        """
        missing = [(name, md5) for name, md5 in self.resources if not self._is_present(name)]
        fetch_all(missing, self.mirrors, self.raw_folder)

    @property
    def raw_folder(self) -> str:
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self) -> str:
        """Where old versions of torchvision kept their own copy; nothing is read from it."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: label for label, name in enumerate(self.classes)}

    @property
    def train_data(self) -> Tensor:
        return self._renamed("train_data", "data")

    @property
    def test_data(self) -> Tensor:
        return self._renamed("test_data", "data")

    @property
    def train_labels(self) -> Tensor:
        return self._renamed("train_labels", "targets")

    @property
    def test_labels(self) -> Tensor:
        return self._renamed("test_labels", "targets")

    def _renamed(self, old: str, new: str) -> Tensor:
        warnings.warn(f"{old} has been renamed {new}", stacklevel=3)
        return getattr(self, new)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}", f"Root location: {self.root}"]
        lines = [f"Dataset {type(self).__name__}", *lines, *self.extra_repr().splitlines()]
        text = "\n    ".join(lines)
        if self.transform is None and self.target_transform is None:
            return text
        text += "\n    StandardTransform"
        for head, transform in (
            ("Transform: ", self.transform),
            ("Target transform: ", self.target_transform),
        ):
            if transform is not None:
                text += f"\n{head}" + repr(transform).replace("\n", "\n" + " " * len(head))
        return text

    # ---- finding the files and trusting them

    def _load(self, name: str) -> npt.NDArray[Any]:
        """Return the array in the first good copy of a file; one damaged copy hides no good one."""
        complaints: list[str] = []
        for path in self._copies(name):
            try:
                return parse_idx(self._verified(path, name), path)
            except ValueError as error:
                complaints.append(str(error))
        if complaints:
            raise ValueError("\n".join(complaints))
        raise RuntimeError(
            "Dataset not found. You can use download=True to download it.\n"
            + by_hand(self.resources, Path(self.raw_folder))
        )

    def _is_present(self, name: str) -> bool:
        name = name.removesuffix(".gz")
        for path in self._copies(name):
            try:
                self._verified(path, name)
                return True
            except ValueError:
                pass
        return False

    def _copies(self, name: str) -> Iterator[Path]:
        root = Path(self.root)
        for folder in (Path(self.raw_folder), root / "raw", root):
            for path in (folder / name, folder / f"{name}.gz"):
                if path.is_file():
                    yield path

    def _verified(self, path: Path, name: str) -> bytes:
        """Return the decompressed content of a file; ValueError unless its MD5 is published."""
        stored = path.read_bytes()
        published = dict(self.resources)[f"{name}.gz"]
        inside = self.content_md5.get(name)
        if _md5(stored) == published:
            return expand(stored, path)
        content = expand(stored, path)
        if _md5(content) == inside:
            return content
        expected = f"MD5 {published} (as published, .gz)"
        expected += f" or {inside} (decompressed)" if inside else ""
        raise damaged(path, expected, f"{_md5(stored)} ({len(stored)} bytes)")


class FashionMNIST(MNIST):
    """70,000 articles of clothing in MNIST's form; only the published .gz files are accepted.

    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST" (2017), arXiv:1708.07747.
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    content_md5: dict[str, str] = {}
    classes = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """70,000 cursive hiragana in MNIST's form; only the published .gz files are accepted.

    Source: T. Clanuwat et al., "Deep learning for classical Japanese literature" (2018),
    arXiv:1812.01718.
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    content_md5: dict[str, str] = {}
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@functools.cache
def _pillow() -> Any:
    """Pillow's Image module, or None. Cached: failing to import is slow, and asked per item."""
    try:
        from PIL import Image
    except ImportError:
        return None
    return Image


def _image(pixels: npt.NDArray[np.uint8]) -> Any:
    """Return one image, free to be written to without changing the data set."""
    image = _pillow()
    return pixels.copy() if image is None else image.fromarray(pixels)
