"""What ``minitorch train`` can train: the networks, and how the course starts and feeds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import minitorch as torch
from minitorch import Tensor, nn
from minitorch.data import MNIST, Digits

Split = tuple[Tensor, Tensor]  # images (N, pixels) float32 in [0, 1], labels (N,) int64


@dataclass(frozen=True)
class Recipe:
    """A network and the settings that suit it."""

    about: str
    hidden: tuple[int, ...]
    activation: str
    init: str
    epochs: int
    batch_size: int
    lr: float
    seed: int


RECIPES = {
    "digits": Recipe("a small network, on the digits that come with minitorch",
                     (128, 64), "relu", "he", epochs=15, batch_size=32, lr=0.003, seed=777),
    "mnist-nn": Recipe("the course's network for MNIST, which needs --data",
                       (256, 256), "relu", "normal", epochs=15, batch_size=100, lr=0.001, seed=777),
}

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
}

# How the weights start. Biases start as nn.Linear draws them; for "zero" they are zero too.
INITS: dict[str, Callable[[Tensor], Any]] = {
    "zero": nn.init.zeros_,
    "normal": nn.init.normal_,
    "lecun": nn.init.lecun_normal_,
    "xavier": nn.init.xavier_normal_,
    "he": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
}


def build(widths: list[int], activation: str, init: str) -> nn.Module:
    """Linear layers of these widths with the activation between them.

    >>> build([64, 16, 10], "tanh", "xavier")
    Sequential(
      (0): Linear(in_features=64, out_features=16, bias=True)
      (1): Tanh()
      (2): Linear(in_features=16, out_features=10, bias=True)
    )
    """
    layers = [nn.Linear(n, m) for n, m in pairwise(widths)]
    for layer in layers:
        INITS[init](layer.weight)
        if init == "zero" and layer.bias is not None:
            nn.init.zeros_(layer.bias)
    modules: list[nn.Module] = [layers[0]]
    for layer in layers[1:]:
        modules += [ACTIVATIONS[activation](), layer]
    return nn.Sequential(*modules)


def load(folder: str | None, download: bool, device: str) -> tuple[Split, Split]:
    """Training and test images: MNIST from `folder`, or the embedded digits if there is none.

    Raises RuntimeError if the files are not there and ValueError if they are damaged.
    """
    largest = 16 if folder is None else 255
    sets = (Digits(), Digits(train=False)) if folder is None else mnist(folder, download)
    train, test = (tensors(each, largest, device) for each in sets)
    return train, test


def mnist(folder: str, download: bool) -> tuple[MNIST, MNIST]:
    """The two parts of MNIST; a message says what to do if they are not there."""
    try:
        return MNIST(folder, download=download), MNIST(folder, train=False)
    except RuntimeError:
        if download:  # the message then says why that failed
            raise
        names = "\n".join(f"    {name}" for name, _ in MNIST.resources)
        raise RuntimeError(
            f"MNIST is not in {Path(folder).absolute()}. Put these four files there, as they are "
            f"or unpacked:\n{names}\nor add --download to have them fetched."
        ) from None


def tensors(data: Any, largest: int, device: str) -> Split:
    """All images as one tensor, flat and scaled to [0, 1], and their labels."""
    pixels = data.data.numpy().reshape(len(data), -1)
    images = torch.from_numpy(np.divide(pixels, np.float32(largest), dtype=np.float32))
    return images.to(device), torch.from_numpy(data.targets.numpy()).to(device)
