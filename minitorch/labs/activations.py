"""Activations: the function, its derivative, and what it does to gradients in a deep network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import fmean as mean
from typing import Any

import numpy as np

from minitorch.labs.networks import (
    ACTIVATIONS,
    SUITED,
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

TITLE = "Activations"
QUESTION = "What does an activation do to the gradients in a deep network?"
CLAIM = ("Sigmoid's slope is at most 1/4, so gradients vanish on their way back through a deep "
         "network, and its first layers do not learn; ReLU's slope is 1 wherever a unit is active. "
         "But a ReLU that too large steps have pushed below 0 for every image is dead for good, "
         "where LeakyReLU comes back, and ReLU does not belong on the output.")
DEPTHS = 5, 10, 20
RATE = 0.02  # of SGD, in the deep networks
LARGE, LARGE_STEPS, SMALL = 0.1, 10, 0.001  # learning rates of Adam that kill, and then do not
EDGES = [round(-3 + 0.05 * i, 2) for i in range(121)]  # of the histograms


def run(torch: Any, train_set: Split, test_set: Split, quick: bool = False, seed: int = 777,
        tick: Callable[[str], None] = lambda what: None) -> dict[str, Any]:
    """All experiments, as tables of numbers; ``tick`` is told what comes next.

    ``functions``: x, y and slope of each activation. ``gradients``: standard deviation of every
    hidden output and RMS of the gradient there, before training, at three depths. ``deep``: costs
    of sigmoid, tanh and ReLU networks of these depths under SGD, ``accuracies`` what came of it.
    ``histograms`` and ``saturation``: of the hidden outputs at depth 5, before and after, and over
    the steps. ``dying``: dead and silent units after too large steps, then small ones.
    ``output``: with and without ReLU behind the last layer. ``summary``: the gradient that reaches
    the first layer before training, cost and accuracy after it. ``claims``: expected and seen.
    """
    images, labels, *test = tensors(torch, train_set, test_set)
    at = Setting(torch, images, labels, test, 64 if quick else 128, 10 if quick else 1,
                 2 if quick else 5, seed, tick)
    result: dict[str, Any] = {"functions": functions(torch), "gradients": gradients(at)}
    result.update(deep(at))
    result["dying"] = dying(at)
    result["output"] = output(at)
    result["summary"] = summary(result)
    result["claims"] = claims(result)
    return result


class Setting:
    """The engine, the data, and sizes: what all experiments share."""

    def __init__(self, torch: Any, images: Any, labels: Any, test: list[Any], width: int,
                 epochs: int, repeats: int, seed: int, tick: Callable[[str], None]) -> None:
        self.torch, self.images, self.labels, self.test = torch, images, labels, test
        self.width, self.epochs, self.repeats = width, epochs, repeats
        self.seed, self.tick = seed, tick

    def network(self, depth: int, activation: str, init: str | None, seed: int = 0) -> Any:
        self.torch.manual_seed(self.seed + seed)
        widths = [self.images.shape[1], *[self.width] * depth, 10]
        return perceptron(self.torch, widths, activation, init)


def functions(torch: Any) -> Table:
    """Each activation on a grid, its slope by backward."""
    table: Table = {}
    for activation, make in ACTIVATIONS.items():
        x = torch.linspace(-4, 4, 161, requires_grad=True)
        y = make(torch.nn)(x)
        y.sum().backward()
        for a, b, c in zip(x.tolist(), y.tolist(), x.grad.tolist()):
            add(table, activation=activation, x=a, y=b, slope=c)
    return table


def gradients(at: Setting) -> Table:
    """One backward pass through untrained networks, whose weights suit the activation."""
    table: Table = {}
    criterion = at.torch.nn.CrossEntropyLoss()
    for depth in DEPTHS:
        for activation in ACTIVATIONS:
            at.tick(f"gradients at depth {depth}, {activation}")
            model = at.network(depth, activation, SUITED[activation])
            with Monitor(model, every=1) as monitor:
                criterion(model(at.images[:500]), at.labels[:500]).backward()
                monitor.step()
            for layer, row in enumerate(monitor.rows[1::2], 1):
                add(table, depth=depth, activation=activation, layer=layer, std=row["std"],
                    grad_rms=row["grad_rms"])
    return table


def deep(at: Setting) -> dict[str, Table]:
    """SGD on networks of three depths; at depth 5 also what the outputs look like."""
    costs: Table = {}
    accuracies: Table = {}
    histograms: Table = {}
    saturation: Table = {}
    for depth in DEPTHS:
        for activation in "sigmoid", "tanh", "relu":
            at.tick(f"training at depth {depth}, {activation}")
            model = at.network(depth, activation, SUITED[activation])
            if depth == DEPTHS[0]:
                histogram(at, histograms, model, activation, "before")
                found = descend(at, model, saturation, activation, SUITED[activation])
                histogram(at, histograms, model, activation, "after")
            else:
                found = descend(at, model)
            for step in points(len(found)):
                add(costs, depth=depth, activation=activation, step=step,
                    cost=mean(found[max(0, step - 9):step + 1]))
            add(accuracies, depth=depth, activation=activation, cost=mean(found[-10:]),
                accuracy=accuracy(at.torch, model, *at.test))
    for activation in "sigmoid", "tanh":  # the same from weights that are too large
        at.tick(f"saturation, {activation}")
        descend(at, at.network(DEPTHS[0], activation, "normal"), saturation, activation, "normal")
    return {"deep": costs, "accuracies": accuracies, "histograms": histograms,
            "saturation": saturation}


def descend(at: Setting, model: Any, table: Table | None = None, activation: str = "",
            init: str = "") -> list[float]:
    """SGD; the cost of each step. What saturates on the way is added to the table, if given."""
    optimizer = at.torch.optim.SGD(model.parameters(), lr=RATE)
    if table is None:
        return train(at.torch, model, optimizer, at.images, at.labels, at.epochs)
    with Monitor(model, every=max(1, at.epochs * len(at.images) // 100 // 30)) as monitor:
        costs = train(at.torch, model, optimizer, at.images, at.labels, at.epochs)
    for row in monitor.rows:
        if row["saturated"] is not None:
            add(table, activation=activation, init=init, step=row["step"],
                layer=int(row["layer"]) // 2 + 1, saturated=row["saturated"])
    return costs


def histogram(at: Setting, table: Table, model: Any, activation: str, when: str) -> None:
    """The fractions of every hidden layer's outputs between the ``EDGES``."""
    x = at.test[0]
    with at.torch.no_grad():
        for layer, module in enumerate(list(model.children())[:-1]):
            x = module(x)
            if layer % 2:
                values = np.clip(x.numpy(), EDGES[0], EDGES[-1])
                counts = np.histogram(values, EDGES)[0]
                for edge, count in zip(EDGES, counts.tolist()):
                    add(table, activation=activation, when=when, layer=layer // 2 + 1, edge=edge,
                        fraction=count / values.size)


def dying(at: Setting) -> Table:
    """A few steps that are far too large, then small ones: who recovers?

    Adam makes both, so that the large ones are equally large everywhere. Dead after a step: silent
    in every batch since the epoch began, or since the steps became small.
    """
    table: Table = {}
    for activation in "relu", "leaky_relu":
        for k in range(at.repeats):
            at.tick(f"large steps, {activation}, seed {at.seed + k}")
            model = at.network(3, activation, "he", seed=k)
            optimizer = at.torch.optim.Adam(model.parameters(), lr=LARGE)
            with Monitor(model, every=1) as monitor:
                costs = train(at.torch, model, optimizer, at.images, at.labels, at.epochs,
                              calming(monitor, optimizer))
            reached = accuracy(at.torch, model, *at.test)
            for step in points(len(costs)):
                rows = monitor.rows[7 * step:7 * step + 7][1::2]
                add(table, activation=activation, seed=at.seed + k, step=step, cost=costs[step],
                    dead=mean([row["dead"] for row in rows]),
                    silent=mean([row["silent"] for row in rows]), accuracy_reached=reached)
    return table


def calming(monitor: Monitor, optimizer: Any) -> Callable[[int], None]:
    """To be called before each step: small steps after the large ones, and a reset per epoch."""
    seen = [0]

    def each(epoch: int) -> None:
        if monitor.steps == LARGE_STEPS:
            optimizer.param_groups[0]["lr"] = SMALL
        if monitor.steps == LARGE_STEPS or epoch != seen[-1]:
            monitor.reset()
            seen.append(epoch)
    return each


def output(at: Setting) -> Table:
    """ReLU behind the last layer: classes whose output is 0 for every test image."""
    table: Table = {}
    nn = at.torch.nn
    for last in "linear", "relu":
        for k in range(at.repeats):
            at.tick(f"{last} output, seed {at.seed + k}")
            model = at.network(2, "relu", None, seed=k)
            if last == "relu":
                model = nn.Sequential(*model.children(), nn.ReLU())
            optimizer = at.torch.optim.Adam(model.parameters(), lr=0.001)
            costs = train(at.torch, model, optimizer, at.images, at.labels, at.epochs)
            with at.torch.no_grad():
                silent = ((model(at.test[0]) != 0).sum(0) == 0).sum().item()
            add(table, output=last, seed=at.seed + k, cost=mean(costs[-10:]), dead_classes=silent,
                accuracy=accuracy(at.torch, model, *at.test))
    return table


CODE = [gradients, dying, output]


def draw(result: dict[str, Any]) -> Iterator[Picture]:
    """The pictures. Raises ImportError, with advice, without matplotlib."""
    from minitorch.labs.activations_plot import draw

    return draw(result)


def points(n: int) -> list[int]:
    """Which of n steps a curve shows: the first ones, then about 150, and the last."""
    return sorted({*range(min(n, 2 * LARGE_STEPS)), *range(0, n, max(1, n // 150)), n - 1})


def kept(table: Table, activation: str, depth: int) -> float:
    """The gradient's RMS at the first hidden layer, as a fraction of that at the last."""
    g = pick(table, "grad_rms", activation=activation, depth=depth)
    return float(g[0] / g[-1])


def summary(result: dict[str, Any]) -> Table:
    """By depth and activation, for those that are also trained.

    Training ReLU at depths 10 and 20 is chaotic on the digits: it magnifies differences of
    rounding until two engines end at different costs (at depth 20 in float64, too).
    """
    table: Table = {}
    for depth, activation, cost, right in zip(*result["accuracies"].values()):
        add(table, depth=depth, activation=activation,
            gradient_kept=kept(result["gradients"], activation, depth), cost=cost, accuracy=right)
    return table


def claims(result: dict[str, Any]) -> Table:
    """What the chapter says, the numbers that speak to it, and whether they bear it out."""
    table: Table = {}
    steepest = {a: max(pick(result["functions"], "slope", activation=a)) for a in ACTIVATIONS}
    add(table, claim="sigmoid's slope is at most 1/4, tanh's and ReLU's at most 1",
        seen=abs(steepest["sigmoid"] - 0.25) < 1e-4 and abs(steepest["tanh"] - 1) < 1e-4
        and steepest["relu"] == 1,
        numbers=f"{steepest['sigmoid']:.4f}, {steepest['tanh']:.4f}, {steepest['relu']:.4f}")

    for depth in DEPTHS:
        sigmoid, tanh, relu = (kept(result["gradients"], a, depth)
                               for a in ("sigmoid", "tanh", "relu"))
        add(table, claim=f"depth {depth}: sigmoid's gradient vanishes on its way to the first "
            f"layer, ReLU's does not", seen=sigmoid < 0.01 < 0.1 < relu < 10,
            numbers=f"sigmoid keeps {sigmoid:.1e}, tanh {tanh:.2f}, "
            f"ReLU {relu:.2f}")
    for depth in DEPTHS:
        sigmoid, tanh, relu = (pick(result["accuracies"], "accuracy", depth=depth, activation=a)[0]
                               for a in ("sigmoid", "tanh", "relu"))
        add(table, claim=f"depth {depth}: so a sigmoid network does not learn, a ReLU one does",
            seen=sigmoid < 0.2 and relu > 0.4,
            numbers=f"accuracy {sigmoid:.1%}, ReLU {relu:.1%}, tanh {tanh:.1%}")
    large, suited = (mean(pick(result["saturation"], "saturated", activation="tanh", init=init))
                     for init in ("normal", "xavier"))
    add(table, claim="with N(0, 1) weights tanh saturates, with Xavier's it does not",
        seen=large > 0.5 and suited < 0.1, numbers=f"saturated {large:.0%} against {suited:.1%}")

    dead, rescued = (ends(result["dying"], a) for a in ("relu", "leaky_relu"))
    add(table, claim="too large steps kill ReLUs, and small ones do not wake them",
        seen=dead["dead"] > 0.2, numbers=f"dead at the end {dead['dead']:.0%}, silent in the last "
        f"batch {dead['silent']:.0%}")
    add(table, claim="LeakyReLU comes back from the same steps", seen=rescued["dead"] == 0
        and rescued["accuracy_reached"] > dead["accuracy_reached"] + 0.02,
        numbers=f"dead {rescued['dead']:.0%}, accuracy {rescued['accuracy_reached']:.1%} against "
        f"ReLU's {dead['accuracy_reached']:.1%}")
    silent = {o: sum(pick(result["output"], "dead_classes", output=o)) for o in ("linear", "relu")}
    right = {o: mean(pick(result["output"], "accuracy", output=o)) for o in ("linear", "relu")}
    add(table, claim="ReLU on the output silences classes for good",
        seen=silent["relu"] > silent["linear"] and right["relu"] < right["linear"] - 0.05,
        numbers=f"{silent['relu']} of {5 * len(result['output']['output'])} outputs silent, "
        f"accuracy {right['relu']:.1%} against {right['linear']:.1%}")
    return table


def ends(table: Table, activation: str) -> dict[str, float]:
    """Where an activation's runs end, the mean over the seeds."""
    last = max(table["step"])
    return {column: mean(pick(table, column, activation=activation, step=last))
            for column in ("dead", "silent", "accuracy_reached")}
