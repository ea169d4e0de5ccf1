"""All optimizers on the same problems, written once for both engines.

``torch`` is minitorch or PyTorch: ``minitorch optimizers`` and the lab of that name draw what comes
of it, and ``python -m reference optimizers`` compares the two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contestant:
    """An optimizer, its kin, the rates that suit it on each surface and the network, its options.
    """

    label: str
    family: str
    optimizer: str
    surface_lr: tuple[float, float]
    network_lr: float
    options: dict[str, Any]


CONTESTANTS = [
    Contestant("SGD", "sgd", "SGD", (0.002, 0.1), 0.1, {}),
    Contestant("SGD, momentum", "momentum", "SGD", (0.001, 0.02), 0.05, {"momentum": 0.9}),
    Contestant("ASGD", "sgd", "ASGD", (0.002, 0.1), 0.1, {}),
    Contestant("Adagrad", "adagrad", "Adagrad", (0.5, 0.2), 0.01, {}),
    Contestant("Adadelta", "adagrad", "Adadelta", (10.0, 1.0), 1.0, {}),
    Contestant("RMSprop", "adagrad", "RMSprop", (0.05, 0.02), 0.001, {}),
    Contestant("Rprop", "rprop", "Rprop", (0.1, 0.02), 0.0001, {}),
    Contestant("Adam", "adam", "Adam", (0.2, 0.05), 0.001, {}),
    Contestant("AdamW", "adam", "AdamW", (0.2, 0.05), 0.001, {}),
    Contestant("SparseAdam", "adam", "SparseAdam", (0.2, 0.05), 0.001, {}),
    Contestant("Adamax", "adam", "Adamax", (0.5, 0.05), 0.002, {}),
    Contestant("NAdam", "adam", "NAdam", (0.2, 0.05), 0.001, {}),
    Contestant("RAdam", "adam", "RAdam", (0.01, 0.05), 0.001, {}),
    Contestant("LBFGS", "lbfgs", "LBFGS", (1.0, 1.0), 0.5,
               {"max_iter": 4, "history_size": 10, "line_search_fn": "strong_wolfe"}),
]


@dataclass(frozen=True)
class Surface:
    """A function of two numbers, where the walk starts, and the window to draw."""

    name: str
    formula: str
    f: Callable[[Any, Any], Any]
    start: tuple[float, float]
    window: tuple[float, float, float, float]  # from and to, of x and of y
    lowest: list[tuple[float, float]]


SURFACES = [
    Surface("Rosenbrock", "(1 - x)² + 100 (y - x²)²",
            lambda x, y: (1 - x) ** 2 + 100 * (y - x ** 2) ** 2,
            (-1.5, 2.0), (-2.0, 2.0, -1.0, 3.0), [(1.0, 1.0)]),
    # A saddle at (0, 0) whose sides turn up again: walls that a walk cannot leave by.
    Surface("saddle", "x² - y² + y⁴ / 4",
            lambda x, y: x ** 2 - y ** 2 + y ** 4 / 4,
            (-1.2, 0.01), (-1.6, 1.6, -2.0, 2.0), [(0.0, 2 ** 0.5), (0.0, -(2 ** 0.5))]),
]


def rows(torch: Any, g: Any) -> Any:
    """``g.to_sparse(1)``: its rows that are not zero (there, PyTorch needs a ms for each)."""
    some = (g.reshape(len(g), -1) != 0).any(1).nonzero().squeeze(1)
    return torch.sparse_coo_tensor(some.unsqueeze(0), g[some], g.shape, check_invariants=False)


def step(torch: Any, who: Contestant, optimizer: Any, params: list[Any],
         loss: Callable[[], Any]) -> Any:
    """One training step; the loss before it. SparseAdam gets the same gradients as sparse ones."""
    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    if who.optimizer == "LBFGS":
        return optimizer.step(closure)
    value = closure()
    if who.optimizer == "SparseAdam":
        for p in params:
            p.grad = rows(torch, p.grad)
    optimizer.step()
    return value


def walk(torch: Any, who: Contestant, surface: Surface, steps: int, start: Any = None
         ) -> list[tuple[Any, Any]]:
    """The points (x, y) that an optimizer visits, the start included.

    If ``start`` is a pair of lists, (xs, ys), so are the points: walks side by side that know
    nothing of each other, except LBFGS's, which is to walk alone.
    """
    start = surface.start if start is None else start
    point = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    lr = who.surface_lr[SURFACES.index(surface)]
    optimizer = getattr(torch.optim, who.optimizer)([point], lr=lr, **who.options)
    path = [start]
    for _ in range(steps):
        step(torch, who, optimizer, [point], lambda: surface.f(point[0], point[1]).sum())
        x, y = point.tolist()
        path.append((x, y))
    return path


@dataclass
class Training:
    """What came of training the network: a cost for each step, and seconds."""

    costs: list[float]
    tests: list[tuple[int, float]]  # steps made, cost of the test images
    accuracy: float
    seconds: float  # of a step, the middle one
    update: float  # of it the optimizer's own; with LBFGS, all of it

    @property
    def last_cost(self) -> float:
        """The mean over the last ten batches."""
        return sum(self.costs[-10:]) / len(self.costs[-10:])


@dataclass
class Result:
    """A contestant, where it walked on each surface, and its training."""

    who: Contestant
    paths: list[list[tuple[float, float]]]
    training: Training


def train(torch: Any, who: Contestant, images: Any, labels: Any, test: tuple[Any, Any],
          epochs: int, batch_size: int, seed: int, tick: Callable[[], None] = lambda: None,
          every: int = 0) -> Training:
    """Train the course's network, pixels-256-256-10 with ReLU and Xavier's weights.

    The test images' cost is computed before the first step and after ``every`` so many, if any.
    """
    torch.manual_seed(seed)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(images.shape[1], 256), nn.ReLU(), nn.Linear(256, 256),
                          nn.ReLU(), nn.Linear(256, 10))
    for layer in model[::2]:
        nn.init.xavier_uniform_(layer.weight)
    params = list(model.parameters())
    optimizer = getattr(torch.optim, who.optimizer)(params, lr=who.network_lr, **who.options)
    updates: list[float] = []
    started = [0.0]
    optimizer.register_step_pre_hook(lambda *_: started.__setitem__(0, time.perf_counter()))
    optimizer.register_step_post_hook(
        lambda *_: updates.append(time.perf_counter() - started[0]))
    criterion = nn.CrossEntropyLoss()
    costs, seconds, tests = list[float](), list[float](), list[tuple[int, float]]()

    def examine() -> None:
        if every and len(costs) % every == 0:
            with torch.no_grad():
                tests.append((len(costs), criterion(model(test[0]), test[1]).item()))

    examine()
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for k in range(len(images) // batch_size):
            batch = order[k * batch_size:(k + 1) * batch_size]
            x, y = images[batch], labels[batch]

            def loss(x: Any = x, y: Any = y) -> Any:
                return criterion(model(x), y)

            start = time.perf_counter()
            cost = step(torch, who, optimizer, params, loss).item()
            seconds.append(time.perf_counter() - start)
            costs.append(cost)
            examine()
            tick()
    with torch.no_grad():
        correct = (model(test[0]).argmax(1) == test[1]).sum().item()
    middle = len(seconds) // 2
    return Training(costs, tests, correct / len(test[1]), sorted(seconds)[middle],
                    sorted(updates)[middle])


