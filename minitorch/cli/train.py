"""The training loop, as a course would write it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import minitorch as torch
from minitorch import Tensor, nn
from minitorch.cli.recipes import Split
from minitorch.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class Epoch:
    """What came of one pass over the training images."""

    cost: Tensor  # mean over the batches, measured while learning
    accuracy: float  # on the test images, after the pass
    seconds: float  # of learning; the test is not counted
    images: int


def train(
    model: nn.Module,
    training: Split,
    test: Split,
    epochs: int,
    batch_size: int,
    lr: float,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Epoch]:
    """Train `model` with Adam on the cross entropy, and yield after every epoch.

    Batches are shuffled, a last incomplete one is left out; `tick` is called after each.
    """
    loader: DataLoader[Any] = DataLoader(
        TensorDataset(*training), batch_size, shuffle=True, drop_last=True
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    total_batch = len(loader)

    for _ in range(epochs):
        start = time.perf_counter()
        avg_cost = torch.zeros((), device=training[0].device)
        for x, y in loader:
            optimizer.zero_grad()
            cost = criterion(model(x), y)
            cost.backward()
            optimizer.step()
            avg_cost += cost.detach() / total_batch
            tick()
        avg_cost = avg_cost.cpu()  # waits for the GPU, if there is one
        seconds = time.perf_counter() - start
        yield Epoch(avg_cost, accuracy(model, *test), seconds, total_batch * batch_size)


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The fraction of the images that the model puts into their class."""
    model.eval()
    with torch.no_grad():
        correct = (torch.argmax(model(images), 1) == labels).sum().item()
    model.train()
    return correct / len(labels)
