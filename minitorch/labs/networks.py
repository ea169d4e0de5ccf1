"""What the labs train: perceptrons by activation and by how their weights start, either engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

Split = tuple[Any, Any]  # images (N, pixels) in [0, 1] and labels (N,), NumPy arrays
Table = dict[str, list[Any]]  # columns of equal length

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": lambda nn: nn.Sigmoid(),
    "tanh": lambda nn: nn.Tanh(),
    "relu": lambda nn: nn.ReLU(),
    "leaky_relu": lambda nn: nn.LeakyReLU(0.01),
    "elu": lambda nn: nn.ELU(),
    "selu": lambda nn: nn.SELU(),
    "gelu": lambda nn: nn.GELU(),
}

# Variances: LeCun's 1 / fan_in, Xavier's 2 / (fan_in + fan_out), He's 2 / fan_in.
INITS: dict[str, Callable[[Any, Any], Any]] = {
    "zero": lambda init, w: init.zeros_(w),
    "normal": lambda init, w: init.normal_(w),
    "lecun": lambda init, w: init.kaiming_normal_(w, nonlinearity="linear"),
    "lecun uniform": lambda init, w: init.kaiming_uniform_(w, nonlinearity="linear"),
    "xavier": lambda init, w: init.xavier_normal_(w),
    "xavier uniform": lambda init, w: init.xavier_uniform_(w),
    "he": lambda init, w: init.kaiming_normal_(w, nonlinearity="relu"),
    "he uniform": lambda init, w: init.kaiming_uniform_(w, nonlinearity="relu"),
}
SUITED = {"sigmoid": "xavier", "tanh": "xavier", "relu": "he", "leaky_relu": "he", "elu": "he",
          "selu": "lecun", "gelu": "he"}


def perceptron(torch: Any, widths: list[int], activation: str, init: str | None) -> Any:
    """Linear layers with the activation between them; biases start at 0.

    Without ``init`` weights and biases stay as ``nn.Linear`` draws them.
    """
    layers = [torch.nn.Linear(n, m) for n, m in pairwise(widths)]
    if init is not None:
        for layer in layers:
            INITS[init](torch.nn.init, layer.weight)
            torch.nn.init.zeros_(layer.bias)
    modules = [layers[0]]
    for layer in layers[1:]:
        modules += [ACTIVATIONS[activation](torch.nn), layer]
    return torch.nn.Sequential(*modules)


def batches(torch: Any, images: Any, labels: Any, epochs: int, size: int = 100) -> Iterator[Any]:
    """Shuffled batches of all epochs, with the epoch's number; a last incomplete one is left out.
    """
    for epoch in range(epochs):
        order = torch.randperm(len(images))
        for k in range(len(images) // size):
            batch = order[k * size:(k + 1) * size]
            yield epoch, images[batch], labels[batch]


def train(torch: Any, model: Any, optimizer: Any, images: Any, labels: Any, epochs: int,
          each: Callable[[int], None] = lambda epoch: None) -> list[float]:
    """Train on the cross entropy; the cost of every step. ``each`` is called before each step."""
    criterion = torch.nn.CrossEntropyLoss()
    costs = []
    for epoch, x, y in batches(torch, images, labels, epochs):
        each(epoch)
        optimizer.zero_grad()
        cost = criterion(model(x), y)
        cost.backward()
        optimizer.step()
        costs.append(cost.item())
    return costs


def accuracy(torch: Any, model: Any, images: Any, labels: Any) -> float:
    """The fraction of the images that the model puts into their class."""
    with torch.no_grad():
        correct = (model(images).argmax(1) == labels).sum().item()
    return float(correct / len(labels))


def tensors(torch: Any, *splits: Split) -> list[Any]:
    """Arrays as the engine's tensors, images in its default dtype."""
    dtype = np.float64 if torch.get_default_dtype() == torch.float64 else np.float32
    return [torch.from_numpy(array.astype(dtype) if array.dtype.kind == "f" else array)
            for split in splits for array in split]


def add(table: Table, **columns: Any) -> None:
    """Append one row."""
    for key, value in columns.items():
        table.setdefault(key, []).append(value)


def pick(table: Table, column: str, **where: Any) -> list[Any]:
    """A column, of the rows in which the other columns have these values."""
    return [value for i, value in enumerate(table[column])
            if all(table[key][i] == wanted for key, wanted in where.items())]
