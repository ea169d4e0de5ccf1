"""The images that the programs learn from, as bare NumPy arrays: each engine makes its own tensors.

Pixels are in [0, 1], one image per row, float32 unless asked otherwise; labels are int64.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Split = tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Data:
    """Images and labels to train on, images and labels to test with, and where they are from."""

    train: Split
    test: Split
    source: str

    @property
    def pixels(self) -> int:
        """Inputs of a network for these images: 784 for MNIST, 64 for the embedded digits."""
        return self.train[0].shape[1]

    def __str__(self) -> str:
        n, m = len(self.train[0]), len(self.test[0])
        return f"{self.source}: {n:,} images to train on, {m:,} to test with, {self.pixels} pixels"

    def nudged(self) -> Data:
        """The same with pixels changed to the next number, up and down by turns; black stays."""
        (x, y), (u, v) = self.train, self.test
        towards = (np.arange(self.pixels) % 2 * 2).astype(x.dtype)
        x, u = (np.where(a == 0, a, np.nextafter(a, towards)) for a in (x, u))
        return Data((x, y), (u, v), self.source)

    def head(self, train: int, test: int) -> Data:
        """The first images only, for a quick look."""
        (x, y), (u, v) = self.train, self.test
        return Data((x[:train], y[:train]), (u[:test], v[:test]), self.source)


def load(folder: str | Path | None = None, dtype: Any = np.float32) -> Data:
    """MNIST from the IDX files in `folder`, or the embedded 8x8 digits if none is given.

    Raises RuntimeError, saying which files to put where, if they are not there, and ValueError
    if they are damaged.

    >>> load().train[0].shape
    (1415, 64)
    """
    from minitorch.data import MNIST, Digits

    if folder is None:
        digits = Digits(), Digits(train=False)
        train, test = (arrays(split, 16, dtype) for split in digits)
        return Data(train, test, "the embedded 8x8 digits")
    try:
        mnist = MNIST(folder), MNIST(folder, train=False)
    except RuntimeError:
        names = "\n".join(f"    {name}" for name, _ in MNIST.resources)
        raise RuntimeError(
            f"MNIST is not in {folder}. Put these files there, as they are or unpacked:\n{names}"
        ) from None
    train, test = (arrays(split, 255, dtype) for split in mnist)
    return Data(train, test, "MNIST")


def arrays(split: Any, largest: int, dtype: Any) -> Split:
    """Flat images scaled to [0, 1], as torchvision's ToTensor scales them, and their labels."""
    images, labels = split.data.numpy(), split.targets.numpy()
    return np.divide(images.reshape(len(images), -1), dtype(largest), dtype=dtype), labels
