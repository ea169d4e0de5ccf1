"""The course's networks as one training step each, written once for both engines."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

SEED = 777


def _mlp(torch: Any, widths: list[int], between: Callable[[], list[Any]]) -> Any:
    nn = torch.nn
    layers: list[Any] = []
    for i, (n, m) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(n, m))
        if i < len(widths) - 2:
            layers += between()
    return nn.Sequential(*layers)


def network_a(torch: Any) -> Any:
    """784-256-256-10 ReLU, Adam, batch 100."""
    model = _mlp(torch, [784, 256, 256, 10], lambda: [torch.nn.ReLU()])
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), 100, 10


def network_b(torch: Any) -> Any:
    """784-512-512-512-10 ReLU, dropout 0.3, Adam, batch 100."""
    model = _mlp(torch, [784, 512, 512, 512, 10],
                 lambda: [torch.nn.ReLU(), torch.nn.Dropout(0.3)])
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), 100, 10


def network_c(torch: Any) -> Any:
    """784-32-32-10 with batch normalisation before ReLU, Adam, batch 32."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 32), nn.BatchNorm1d(32), nn.ReLU(),
                          nn.Linear(32, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), 32, 10


def network_d(torch: Any) -> Any:
    """784-500-500-500-500-10 tanh, SGD, batch 100."""
    model = _mlp(torch, [784, 500, 500, 500, 500, 10], lambda: [torch.nn.Tanh()])
    return model, torch.optim.SGD(model.parameters(), lr=0.1), 100, 10


def network_e(torch: Any) -> Any:
    """XOR: 2-2-1 sigmoid, BCELoss, SGD, batch 4."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid())
    return model, torch.optim.SGD(model.parameters(), lr=1.0), 4, 1


NETWORKS = {"A": network_a, "B": network_b, "C": network_c, "D": network_d, "E": network_e}


def stepper(torch: Any, name: str) -> Callable[[], float]:
    """A function that trains one step and returns the loss."""
    torch.manual_seed(SEED)
    model, optimizer, batch, classes = NETWORKS[name](torch)
    rng = np.random.default_rng(SEED)
    if classes == 1:
        x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
        criterion = torch.nn.BCELoss()
        xs, ys = [x], [y]
    else:
        xs = [torch.from_numpy(rng.random((batch, 784), dtype=np.float32)) for _ in range(20)]
        ys = [torch.from_numpy(rng.integers(0, classes, batch)) for _ in range(20)]
        criterion = torch.nn.CrossEntropyLoss()
    turn = 0

    def step() -> float:
        nonlocal turn
        turn = (turn + 1) % len(xs)
        optimizer.zero_grad()
        loss = criterion(model(xs[turn]), ys[turn])
        loss.backward()
        optimizer.step()
        return float(loss)

    return step
