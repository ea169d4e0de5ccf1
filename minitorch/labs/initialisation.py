"""Initialisation: how weights start, what reaches each layer then, and what training makes of it.

The chapter's sources: the course's networks for MNIST (784-256-256-10 and deeper), and the page
"Weight Initializations & Activation Functions" of the Deep Learning Wizard (784-100-10).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitorch.labs.initialisation_claims import PUBLISHED, claims
from minitorch.labs.networks import (
    ACTIVATIONS,
    INITS,
    Split,
    Table,
    accuracy,
    add,
    perceptron,
    pick,
    tensors,
    train,
)
from minitorch.labs.style import Picture
from minitorch.monitor import Monitor

TITLE = "Initialisation"
QUESTION = "How should weights start, so that a network learns?"
CLAIM = (
    "Equal weights keep all neurons of a layer equal, and N(0, 1) weights let the variance grow "
    "with the number of inputs, so that activations explode or saturate. Weights whose variance "
    "fits the width keep activations and gradients alike in all layers: Xavier's for sigmoid and "
    "tanh, He's for ReLU and LeakyReLU."
)
FOUR = "sigmoid", "tanh", "relu", "leaky_relu"
DEPTH, RATE = 10, 0.05  # hidden layers of the deep networks; SGD's learning rate there
# Weights and biases of the networks whose neurons may stay equal; None: as nn.Linear draws them.
STARTS: dict[str, tuple[Any, Any]] = {
    "zero": (0.0, 0.0), "constant": (0.1, 0.0), "zero, random biases": (0.0, None),
    "xavier": ("xavier", 0.0)}
NEURONS = 16  # in each hidden layer of those
# The scheme's variance of a weight, by fan_in and fan_out.
VARIANCES: dict[str, Callable[[int, int], float]] = {
    "zero": lambda n, m: 0, "normal": lambda n, m: 1, "lecun": lambda n, m: 1 / n,
    "xavier": lambda n, m: 2 / (n + m), "he": lambda n, m: 2 / n}


def run(torch: Any, train_set: Split, test_set: Split, quick: bool = False, seed: int = 777,
        tick: Callable[[str], None] = lambda what: None) -> dict[str, Table]:
    """All experiments, as tables of numbers; ``tick`` is told what comes next.

    ``layers``: std of every hidden output and RMS of the gradient there, before training, beside
    theory's. ``grid``: cost and accuracy of the same networks after training. ``symmetry``: how
    many neurons of a layer differ, over the steps; ``equal``: what such networks learn.
    ``learning``: cost and accuracy of the course's networks by epoch. ``published``, on MNIST:
    what the courses print. ``summary``, ``claims``.
    """
    at = Setting(torch, train_set, test_set, quick, seed, tick)
    result = {"layers": layers(at), "grid": grid(at), **symmetry(at), "learning": learning(at)}
    result["summary"] = summary(result)
    if at.images.shape[1] == 784:
        result["published"] = PUBLISHED
    result["claims"] = claims(result)
    return result


class Setting:
    """The engine, the data, and sizes: what all experiments share."""

    def __init__(self, torch: Any, train_set: Split, test_set: Split, quick: bool, seed: int,
                 tick: Callable[[str], None]) -> None:
        self.torch, self.seed, self.tick = torch, seed, tick
        self.images, self.labels, *self.test = tensors(torch, train_set, test_set)
        self.widths = [self.images.shape[1], *[50 if quick else 100] * DEPTH, 10]
        self.epochs = 5 if quick else 1
        # Uniform weights do what normal ones of the same variance do: left out where time is short.
        self.trained = [init for init in INITS if not (quick and "uniform" in init)]

    def network(self, activation: str, init: str) -> Any:
        self.torch.manual_seed(self.seed)
        return perceptron(self.torch, self.widths, activation, init)


def layers(at: Setting) -> Table:
    """One backward pass through ten untrained hidden layers, and what theory expects of it."""
    table: Table = {}
    x, labels = at.images[:500], at.labels[:500]
    for activation in FOUR:
        for init in INITS:
            at.tick(f"what reaches each layer, {activation}, {init}")
            with Monitor(model := at.network(activation, init), every=1) as monitor:
                at.torch.nn.functional.cross_entropy(model(x), labels).backward()
                monitor.step()
            rows = monitor.rows[1::2]  # of the activations
            std, grad = theory(at.torch, at.widths, activation, init.split()[0],
                               (x * x).mean().item(), rows[-1]["grad_rms"])
            for layer, row in enumerate(rows):
                add(table, activation=activation, init=init, layer=layer + 1, std=row["std"],
                    std_theory=std[layer], grad_rms=row["grad_rms"], grad_theory=grad[layer])
    return table


def theory(torch: Any, widths: list[int], activation: str, init: str, square: float,
           last: float) -> tuple[list[float], list[float]]:
    """Std of the hidden outputs and RMS of their gradients, as wide layers have them.

    Inputs of a layer with mean square s give pre-activations N(0, q), q = fan_in Var(w) s (Poole
    et al. 2016); going back, the mean square of gradients grows by fan_out Var(w) E[f'(z)^2]
    (Schoenholz et al. 2017). ``square``: that of the data; ``last``: the last layer's gradient.
    For ReLU these are He's rules (2015), for tanh at small q Xavier's (Glorot and Bengio 2010).
    """
    z = np.linspace(-8, 8, 4000)
    weight = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()  # of N(0, 1)
    std, factors = [], []
    for n, m in itertools.pairwise(widths[:-1]):
        variance = VARIANCES[init](n, m)
        x = torch.from_numpy(z * math.sqrt(n * variance * square)).requires_grad_()
        y = ACTIVATIONS[activation](torch.nn)(x)
        y.sum().backward()
        mean, square = (float(weight @ v) for v in (y.detach().numpy(), y.detach().numpy() ** 2))
        std.append(math.sqrt(max(0.0, square - mean * mean)))
        factors.append(m * variance * float(weight @ x.grad.numpy() ** 2))
    grad = [last]
    for factor in factors[:0:-1]:
        grad.insert(0, grad[0] * math.sqrt(factor))
    return std, grad


def grid(at: Setting) -> Table:
    """The same networks, trained by SGD: cost over the first and last tenth, and accuracy."""
    table: Table = {}
    for activation in FOUR:
        for init in at.trained:
            at.tick(f"training ten layers, {activation}, {init}")
            model = at.network(activation, init)
            optimizer = at.torch.optim.SGD(model.parameters(), lr=RATE)
            with np.errstate(all="ignore"):  # N(0, 1) weights may well end in nan
                costs = train(at.torch, model, optimizer, at.images, at.labels, at.epochs)
                right = accuracy(at.torch, model, *at.test)
            tenth = max(1, len(costs) // 10)
            add(table, activation=activation, init=init, first_cost=mean(costs[:tenth]),
                last_cost=mean(costs[-tenth:]), accuracy=right)
    return table


def mean(costs: list[float]) -> float | None:
    """None if it overflowed."""
    value = sum(costs) / len(costs)
    return value if math.isfinite(value) else None


def symmetry(at: Setting) -> dict[str, Table]:
    """Networks whose neurons start equal, beside others: do they stay so under SGD?"""
    symmetry: Table = {}
    equal: Table = {}
    for activation in FOUR[:3]:
        for start in STARTS:
            at.tick(f"equal neurons, {activation}, {start}")
            at.torch.manual_seed(at.seed)
            widths = [at.images.shape[1], NEURONS, NEURONS, 10]
            model = perceptron(at.torch, widths, activation, None)
            begin(at.torch, model, *STARTS[start])
            counts, costs = watched(at, model)
            for step, layer, found in counts:
                add(symmetry, activation=activation, start=start, layer=layer, step=step,
                    distinct=found)
            add(equal, activation=activation, start=start, last_cost=mean(costs[-10:]),
                accuracy=accuracy(at.torch, model, *at.test))
    return {"symmetry": symmetry, "equal": equal}


def watched(at: Setting, model: Any) -> tuple[list[tuple[int, int, int]], list[float]]:
    """Train by SGD; (step, layer, distinct neurons) some thirty times, and the costs."""
    total = at.epochs * (len(at.images) // 100)
    counts: list[tuple[int, int, int]] = []
    steps = itertools.count()

    def count(epoch: int = 0) -> None:
        if (step := next(steps)) % max(1, total // 30) == 0 or step == total:
            counts.extend((step, layer, distinct(model[2 * layer - 2])) for layer in (1, 2))

    optimizer = at.torch.optim.SGD(model.parameters(), lr=0.1)
    costs = train(at.torch, model, optimizer, at.images, at.labels, at.epochs, count)
    count()
    return counts, costs


def begin(torch: Any, model: Any, weight: Any, bias: Any) -> None:
    """The same number everywhere, or by a scheme of ``INITS``; None leaves it as it is."""
    for layer in list(model.children())[::2]:
        for parameter, value in (layer.weight, weight), (layer.bias, bias):
            if isinstance(value, str):
                INITS[value](torch.nn.init, parameter)
            elif value is not None:
                torch.nn.init.constant_(parameter, value)


def distinct(layer: Any) -> int:
    """How many neurons of a linear layer differ by more than rounding.

    Two are alike if their weights and biases differ by less than a thousandth of the largest.
    """
    rows = np.column_stack([layer.weight.detach().numpy(), layer.bias.detach().numpy()])
    found: list[Any] = []
    for row in rows:
        if all(abs(row - other).max() > 1e-3 * abs(rows).max() for other in found):
            found.append(row)
    return len(found)


def initialise(torch: Any, model: Any, scheme: str) -> None:
    """Weights by the scheme; biases stay as ``nn.Linear`` draws them, as in the course."""
    def weights_init(m: Any) -> None:
        if isinstance(m, torch.nn.Linear):
            INITS[scheme](torch.nn.init, m.weight)

    model.apply(weights_init)


def learn(torch: Any, model: Any, optimizer: Any, images: Any, labels: Any) -> float:
    """One epoch in batches of 100, as the course does it; the mean of the batches' costs."""
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels),
                                         batch_size=100, shuffle=True, drop_last=True)
    criterion = torch.nn.CrossEntropyLoss()
    avg_cost = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        cost = criterion(model(x), y)
        cost.backward()
        optimizer.step()
        avg_cost += cost.detach() / len(loader)
    return float(avg_cost)


# Network: hidden widths, activation, epochs, and the schemes to start with. The course trains the
# 512-wide one for 15 epochs too; 5 keep the time in bounds. Schemes are normal where not uniform.
NETWORKS: dict[str, tuple[list[int], str, int, list[str | None]]] = {
    "256-256": ([256, 256], "relu", 15, ["normal", "xavier uniform", "he uniform"]),
    "512-512-512-512": ([512] * 4, "relu", 5, ["xavier uniform"]),
    "100 tanh": ([100], "tanh", 5, ["zero", "normal", None, "lecun", "xavier", "he"]),
    "100 ReLU": ([100], "relu", 5, ["xavier", "he"]),
}


def learning(at: Setting) -> Table:
    """The course's networks under Adam, the wizard's under SGD with Nesterov's momentum."""
    table: Table = {}
    optim = at.torch.optim
    for network, (widths, activation, epochs, schemes) in NETWORKS.items():
        for scheme in schemes:
            at.torch.manual_seed(at.seed)
            model = perceptron(at.torch, [at.images.shape[1], *widths, 10], activation, None)
            if scheme is not None:
                initialise(at.torch, model, scheme)
            scheduler = None
            if network.startswith("100"):
                optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
                scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.96)
            else:
                optimizer = optim.Adam(model.parameters(), lr=0.001)
            for epoch in range(1, epochs + 1):
                at.tick(f"{network}, {scheme}, epoch {epoch} of {epochs}")
                cost = learn(at.torch, model, optimizer, at.images, at.labels)
                if scheduler is not None:
                    scheduler.step()
                add(table, network=network, init=scheme or "nn.Linear", epoch=epoch, cost=cost,
                    accuracy=accuracy(at.torch, model, *at.test))
    return table


def summary(result: dict[str, Table]) -> Table:
    """A row per trained network: the course's, and those of ten layers that may well learn."""
    table: Table = {}
    for network, (*_, schemes) in NETWORKS.items():
        for init in (scheme or "nn.Linear" for scheme in schemes):
            costs, right = (pick(result["learning"], column, network=network, init=init)
                            for column in ("cost", "accuracy"))
            add(table, network=network, init=init, first_cost=costs[0], last_cost=costs[-1],
                accuracy=right[-1])
    for activation in FOUR:
        for init in "xavier", "he":
            add(table, network=f"ten layers, {activation}", init=init, **{
                column: pick(result["grid"], column, activation=activation, init=init)[0]
                for column in ("first_cost", "last_cost", "accuracy")})
    return table


def draw(result: dict[str, Table]) -> Iterator[Picture]:
    """The pictures; raises ImportError, with advice, without matplotlib."""
    from minitorch.labs.initialisation_plot import pictures

    return pictures(result)


CODE = [initialise, learn, theory]
