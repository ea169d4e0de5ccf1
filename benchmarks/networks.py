"""The course's networks, and a training step of each as a PyTorch program writes it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.table import SEED

Array = Any


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron and how it is trained."""

    widths: tuple[int, ...]
    activation: str = "ReLU"
    norm: bool = False  # batch normalisation before the activation
    dropout: float = 0.0  # after it
    optimizer: str = "Adam"
    lr: float = 1e-3
    batch: int = 100

    @property
    def binary(self) -> bool:
        """One output: a sigmoid and binary cross-entropy, instead of softmax and cross-entropy."""
        return self.widths[-1] == 1

    def __str__(self) -> str:
        parts = ["-".join(map(str, self.widths)), "batch norm" * self.norm, self.activation,
                 f"dropout {self.dropout}" * bool(self.dropout), self.optimizer,
                 f"batch {self.batch}"]
        return " ".join(filter(None, parts))


A = Network((784, 256, 256, 10))
NETWORKS = {
    "A": A,
    "B": Network((784, 512, 512, 512, 10), dropout=0.3),
    "C": Network((784, 32, 32, 10), norm=True, batch=32),
    "D": Network((784, 500, 500, 500, 500, 10), "Tanh", optimizer="SGD", lr=0.1),
    "E": Network((2, 2, 1), "Sigmoid", optimizer="SGD", lr=1.0, batch=4),
    "A-batch-1000": replace(A, batch=1000),
    "A-width-1024": replace(A, widths=(784, 1024, 1024, 10)),
    "A-width-2048": replace(A, widths=(784, 2048, 2048, 10)),
}


def weights(network: Network) -> list[tuple[Array, Array]]:
    """Per layer a weight (outputs, inputs) and a bias, float32, uniform in +-1/sqrt(inputs)."""
    rng = np.random.default_rng(SEED)
    return [(rng.uniform(-1, 1, (m, n)).astype(np.float32) / np.float32(n**0.5),
             rng.uniform(-1, 1, m).astype(np.float32) / np.float32(n**0.5))
            for n, m in itertools.pairwise(network.widths)]


def batches(network: Network) -> list[tuple[Array, Array]]:
    """Twenty batches of images and labels, gone through in this order by every engine (of the
    largest networks four).

    Both are noise: nothing is learned soon, so that gradients stay far from denormal numbers, which
    some engines flush to zero and others compute with, slowly.
    """
    if network.binary:
        x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        return [(x, np.array([[0], [1], [1], [0]], np.float32))]
    rng = np.random.default_rng(SEED + 1)
    return [(rng.random((network.batch, network.widths[0]), np.float32),
             rng.integers(0, network.widths[-1], network.batch))
            for _ in range(20 if network.batch <= 1000 else 4)]


def endless(network: Network, convert: Callable[[Array], Any]) -> Iterator[Any]:
    return itertools.cycle([(convert(x), convert(y)) for x, y in batches(network)])


def model(torch: Any, network: Network) -> Any:
    """The network as a Module, with ``weights``."""
    nn, layers = torch.nn, []
    for k, (w, b) in enumerate(weights(network), 2):
        linear = nn.Linear(*w.shape[::-1])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w))
            linear.bias.copy_(torch.from_numpy(b))
        layers.append(linear)
        if k < len(network.widths):
            layers += [nn.BatchNorm1d(len(b))] * network.norm
            layers.append(getattr(nn, network.activation)())
            layers += [nn.Dropout(network.dropout)] * bool(network.dropout)
    return nn.Sequential(*layers, *[nn.Sigmoid()] * network.binary)


def parts(torch: Any, network: Network, device: str = "cpu",
          **options: Any) -> tuple[Any, Any, Any]:
    """Model, criterion and optimizer; ``options`` are the optimizer's."""
    torch.manual_seed(SEED)
    m = model(torch, network).to(device)
    criterion = torch.nn.BCELoss() if network.binary else torch.nn.CrossEntropyLoss()
    optimizer = getattr(torch.optim, network.optimizer)(m.parameters(), network.lr, **options)
    return m, criterion, optimizer


def training_step(model: Any, criterion: Any, optimizer: Any) -> Callable[[Any, Any], Any]:
    """The step that every program of the course makes."""
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss
    return step
