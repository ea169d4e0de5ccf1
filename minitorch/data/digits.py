"""The UCI handwritten digits, small enough to come with the package: nothing to download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.creation import from_numpy
from minitorch.data.dataset import Dataset, take
from minitorch.data.idx import read_idx
from minitorch.tensor import Tensor

FOLDER = Path(__file__).with_name("optdigits")
TRAINING_ROWS = 1415


class Digits(Dataset):
    """1,797 handwritten digits of 8x8 pixels: 1,415 to train on, or 382 to test with.

    `data` is a uint8 Tensor (N, 8, 8) with values 0..16 (how many of 4x4 pixels were black),
    `targets` an int64 Tensor (N,), `classes` the ten names. An item is a pair (image, label):
    the image a uint8 Tensor (8, 8), given to `transform`; the label an int, given to
    `target_transform`.

    The digits lie in the order of 14 forms, each with the same 130 digits in one hand. The split
    falls between two forms, the 11th and the 12th, so that nobody's hand is in both parts: the
    test asks for people never seen, as the authors' own does. (A shuffled split flatters: the
    nearest neighbour is right for 98.7% there, and for 95.8% here.)
    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits" (1998), UCI Machine
    Learning Repository, doi:10.24432/C50P49, CC BY 4.0. See `optdigits/README.md`.

    >>> from minitorch.data import Digits
    >>> train, test = Digits(), Digits(train=False)
    >>> len(train), len(test), train[0][1]
    (1415, 382, 0)
    >>> x = train.data.float().reshape(-1, 64) / 16
    """

    classes = [str(digit) for digit in range(10)]

    def __init__(
        self,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self.train = train
        self.transform = transform
        self.target_transform = target_transform
        rows = slice(0, TRAINING_ROWS) if train else slice(TRAINING_ROWS, None)
        images = read_idx(FOLDER / "images-idx3-ubyte.gz")[rows]
        labels = read_idx(FOLDER / "labels-idx1-ubyte.gz")[rows]
        self.data: Tensor = from_numpy(images)
        self.targets: Tensor = from_numpy(labels.astype(np.int64))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.data[index], int(self.targets[index])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __getbatch__(self, indices: list[Any]) -> Any:
        if self.transform is not None or self.target_transform is not None:
            return NotImplemented
        return take((self.data, self.targets), indices)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        split = "Train" if self.train else "Test"
        return f"Dataset Digits\n    Number of datapoints: {len(self)}\n    Split: {split}"
