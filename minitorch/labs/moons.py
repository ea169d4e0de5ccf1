"""Two moons, some of them mislabelled: where a network draws its boundary between them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from minitorch.labs.networks import Table, accuracy, add, perceptron, tensors, train

POINTS, TESTED, NOISE, WRONG = 200, 2000, 0.2, 0.1  # WRONG: the fraction of flipped labels
METHODS: dict[str, tuple[float, float]] = {  # probability of dropout, weight decay
    "plain": (0.0, 0.0), "dropout": (0.3, 0.0), "l2": (0.0, 0.01)}
GRID = np.linspace(-1.6, 2.6, 57), np.linspace(-1.2, 1.7, 40)  # both in steps of about 0.075


def moons(n: int, wrong: float, seed: int) -> tuple[Any, Any]:
    """n points (n, 2) on two half circles with normal noise, and their classes (n,).

    A fraction ``wrong`` of the classes is flipped.
    """
    random = np.random.RandomState(seed)
    y = np.arange(n) % 2
    angle = random.uniform(0, np.pi, n)
    x = np.stack([np.where(y == 0, np.cos(angle), 1 - np.cos(angle)),
                  np.where(y == 0, np.sin(angle), 0.5 - np.sin(angle))], axis=1)
    x += NOISE * random.standard_normal((n, 2))
    return x.astype(np.float32), np.where(random.uniform(size=n) < wrong, 1 - y, y)


def with_dropout(torch: Any, model: Any, make: Callable[[], Any] | None) -> Any:
    """The same network with ``make()`` behind every ReLU."""
    modules = []
    for module in model.children():
        modules.append(module)
        if make and isinstance(module, torch.nn.ReLU):
            modules.append(make())
    return torch.nn.Sequential(*modules)


def boundaries(torch: Any, seeds: int, epochs: int, seed: int,
               tick: Callable[[str], None]) -> dict[str, Table]:
    """Networks 2-64-64-2 on few points: accuracies, lengths of boundaries, and the first in full.
    """
    lengths: Table = {}
    x, y = np.meshgrid(*GRID)
    grid: Table = {"x": rounded(x), "y": rounded(y)}
    for method, (p, decay) in METHODS.items():
        for k in range(seeds):
            tick(f"two moons, {method}, seed {seed + k}")
            seen, test = moons(POINTS, WRONG, seed + k), moons(TESTED, 0.0, seed + 100 + k)
            cells = np.stack([x.ravel(), y.ravel()], axis=1)
            points, labels, *rest, cells, _ = tensors(torch, seen, test, (cells, y))
            torch.manual_seed(seed + k)
            make = (lambda p=p: torch.nn.Dropout(p)) if p else None
            model = with_dropout(torch, perceptron(torch, [2, 64, 64, 2], "relu", "he"), make)
            optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=decay)
            train(torch, model, optimizer, points, labels, epochs)
            model.eval()
            with torch.no_grad():
                share = model(cells).softmax(1)[:, 1].numpy().reshape(x.shape)
            add(lengths, method=method, seed=seed + k, length=length(share > 0.5),
                train_accuracy=accuracy(torch, model, points, labels),
                test_accuracy=accuracy(torch, model, *rest))
            if k == 0:
                grid[method] = rounded(share)
    x, y = moons(POINTS, WRONG, seed)
    points = {"x": rounded(x[:, 0]), "y": rounded(x[:, 1]), "label": y.tolist(),
              "flipped": (y != np.arange(POINTS) % 2).tolist()}
    return {"moons": lengths, "grid": grid, "points": points}


def length(side: Any) -> float:
    """How long the boundary is on the grid: the edges between cells of unlike class."""
    (dx, *_), (dy, *_) = ([float(b - a) for a, b in pairwise(axis)] for axis in GRID)
    return float((side[:, 1:] != side[:, :-1]).sum() * dy + (side[1:] != side[:-1]).sum() * dx)


def rounded(values: Any) -> list[float]:
    return [round(float(value), 3) for value in values.ravel()]
