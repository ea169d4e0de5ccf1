"""The pictures of the activations lab."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from minitorch.labs.activations import DEPTHS, EDGES, LARGE, LARGE_STEPS, SMALL, kept
from minitorch.labs.networks import ACTIVATIONS, Table, pick
from minitorch.labs.style import Picture, colour, label_ends, name, panel, percent

TRAINED = "sigmoid", "tanh", "relu"


def draw(result: dict[str, Any]) -> Iterator[Picture]:
    """The functions; gradients by depth; outputs while training; what kills ReLUs.

    Raises ImportError without matplotlib.
    """
    yield functions(result["functions"], "functions", "The functions", "y", "f(x)", (-2, 4))
    yield functions(result["functions"], "slopes", "Their slopes", "slope", "f′(x)", (-0.2, 1.9))
    for depth in DEPTHS:
        yield gradients(result, depth)
    for activation in TRAINED:
        yield histograms(result["histograms"], activation)
    yield saturation(result["saturation"])
    yield costs(result["deep"], result["accuracies"])
    yield dying(result["dying"])
    yield output(result["output"])


def functions(table: Table, called: str, title: str, column: str, label: str,
              limits: tuple[float, float]) -> Picture:
    figure, axis = panel(title, "x", label)
    ends = []
    for activation in ACTIVATIONS:
        x, y = (pick(table, c, activation=activation) for c in ("x", column))
        axis.plot(x, y, color=colour(activation), linewidth=1.6)
        ends.append((y[-1], name(activation), activation))
    axis.set_xlim(-4, 4)
    axis.set_ylim(*limits)
    label_ends(axis, ends)
    if column == "y":
        return Picture(called, figure, "Sigmoid and tanh flatten on both sides; the others go on "
                       "for positive x, and differ in what they do with negative x.",
                       "Curves of seven activation functions for x from -4 to 4.")
    steepest = max(pick(table, "slope", activation="sigmoid"))
    return Picture(called, figure, "What backprop multiplies the gradient by at each unit. "
                   f"Sigmoid's slope never exceeds {steepest:.2g}; ReLU's is 0 or 1.",
                   "Slopes of the seven functions: sigmoid's a low bell, tanh's a bell up to 1, "
                   "the others rise to 1 or slightly more for positive x.")


def gradients(result: dict[str, Any], depth: int) -> Picture:
    """From the output, on the left, to the first layer, as the gradient travels."""
    figure, axis = panel(f"Gradient before training, {depth} layers",
                         "hidden layer, from the last to the first",
                         "RMS of the gradient by the output")
    ends = []
    for activation in ACTIVATIONS:
        g = pick(result["gradients"], "grad_rms", depth=depth, activation=activation)[::-1]
        axis.plot(range(depth), g, color=colour(activation), linewidth=1.6, marker="o",
                  markersize=3)
        ends.append((g[-1], name(activation), activation))
    axis.set_yscale("log")
    ticks = [*range(0, depth - 1, max(1, depth // 5)), depth - 1]
    axis.set_xticks(ticks, [str(depth - i) for i in ticks])
    label_ends(axis, ends)
    sigmoid, relu = (kept(result["gradients"], a, depth) for a in ("sigmoid", "relu"))
    numbers = f"a fraction of {sigmoid:.1e} with sigmoid and of {relu:.2g} with ReLU"
    return Picture(f"gradients-{depth}", figure,
                   f"Of the gradient at the last hidden layer, {numbers} reaches the first "
                   f"(weights as suit the activation).",
                   f"A line for each activation over {depth} layers, on a log scale: sigmoid's "
                   "falls steeply, the others stay roughly level.")


def histograms(table: Table, activation: str) -> Picture:
    """A ridge per layer, the first at the top: filled after training, a line before."""
    figure, axis = panel(f"{name(activation)}: outputs before (line) and after training",
                         "output of the unit, test images",
                         "hidden layer; height: root of the share")
    middle = [(a + b) / 2 for a, b in pairwise(EDGES)]
    layers = sorted(set(pick(table, "layer", activation=activation)))
    for layer in layers:
        base = len(layers) - layer
        before, after = (np.array(pick(table, "fraction", activation=activation, layer=layer,
                                       when=when)) for when in ("before", "after"))
        # Square roots, or a ReLU's peak at 0 would leave nothing else to see.
        axis.fill_between(middle, base, base + 0.95 * np.sqrt(after), step="mid",
                          color=colour(activation), alpha=0.55, linewidth=0)
        axis.step(middle, base + 0.95 * np.sqrt(before), where="mid", color=colour("ink"),
                  linewidth=0.8)
    low, high = {"sigmoid": (-0.1, 1.1), "tanh": (-1.1, 1.1), "relu": (-0.2, 3)}[activation]
    axis.set_xlim(low, high)
    axis.set_ylim(-0.05, len(layers) + 0.1)
    axis.set_yticks(range(len(layers)), [str(len(layers) - i) for i in range(len(layers))])
    moved = np.abs(after - before).sum() / 2  # of the last layer
    what = {"sigmoid": "Sigmoid's outputs stay where they were, for no gradient comes that could "
            "move them", "tanh": "With tanh and Xavier's weights outputs spread around 0 at every "
            "layer, and change in training", "relu": "Half of a ReLU layer's outputs are 0, the "
            "others spread out (the last bar: all beyond)"}[activation]
    return Picture(f"outputs-{activation}", figure,
                   f"{what}: training moves {moved:.0%} of the last layer's to another bar.",
                   f"A histogram of the outputs for each of {len(layers)} hidden layers, before "
                   "and after training.")


def saturation(table: Table) -> Picture:
    figure, axis = panel("Saturated outputs while training, 5 layers", "step",
                         "fraction, mean over the layers")
    ends, last = [], {}
    for activation, init in sorted(set(zip(table["activation"], table["init"]))):
        if activation == "relu":  # half of its outputs are 0, and no harm is done
            continue
        steps = sorted(set(pick(table, "step", activation=activation, init=init)))
        y = [float(np.mean(pick(table, "saturated", activation=activation, init=init, step=step)))
             for step in steps]
        axis.plot(steps, y, color=colour(activation), linewidth=1.6,
                  linestyle="--" if init == "normal" else "-")
        ends.append((y[-1], f"{activation}, {name(init)}", activation))
        last[activation, init] = y[-1]
    axis.set_ylim(-0.03, 1)
    axis.yaxis.set_major_formatter(percent())
    label_ends(axis, ends)
    return Picture("saturation", figure,
                   "Units pressed against a flat end pass no gradient. Weights from N(0, 1) "
                   f"(dashed) put {last['tanh', 'normal']:.0%} of tanh's outputs there and "
                   f"training does not bring them back; with Xavier's it is "
                   f"{last['tanh', 'xavier']:.1%}.",
                   "The saturated fraction over the steps: high for both activations with N(0, 1) "
                   "weights, near 0 with Xavier's.")


def costs(table: Table, accuracies: Table) -> Picture:
    figure, axis = panel("Cost while training; accuracy at the end", "step",
                         "cross entropy, mean of the last 10 steps", width=5.6)
    ends = []
    for depth, line in zip(DEPTHS, ("-", "--", ":")):
        for activation in "sigmoid", "relu":
            x, y = (pick(table, c, depth=depth, activation=activation) for c in ("step", "cost"))
            axis.plot(x, [cost if math.isfinite(cost) else math.nan for cost in y],
                      color=colour(activation), linewidth=1.4, linestyle=line)
            right = pick(accuracies, "accuracy", depth=depth, activation=activation)[0]
            ends.append((y[-1] if math.isfinite(y[-1]) else 2.6,
                         f"{name(activation)} {depth}: {right:.0%}", activation))
    axis.set_ylim(0, 2.6)
    label_ends(axis, ends)
    return Picture("costs", figure,
                   "The same SGD at depth 5 (solid), 10 (dashed) and 20 (dotted): sigmoid stays "
                   "where guessing begins, at log 10 = 2.30. Deep ReLU networks' training "
                   "is chaotic: rounding alone makes two engines end at different costs.",
                   "Costs over the steps: sigmoid's three lines lie flat at 2.3, ReLU's fall.")


def dying(table: Table) -> Picture:
    figure, axis = panel(f"{LARGE_STEPS} steps with lr {LARGE:g}, then lr {SMALL:g}", "step",
                         "fraction of the hidden units", width=5.6)
    ends = []
    for activation in "relu", "leaky_relu":
        for column, width in ("silent", 0.7), ("dead", 1.8):
            x, y = (pick(table, c, activation=activation, seed=table["seed"][0])
                    for c in ("step", column))
            axis.plot(x, y, color=colour(activation), linewidth=width,
                      alpha=1 if column == "dead" else 0.7)
            if activation == "relu" or column == "dead":
                what = {"silent": "silent in batch", "dead": "dead all epoch"}[column]
                ends.append((y[-1], f"{name(activation)}: {what}", activation))
    axis.axvspan(0, LARGE_STEPS, color=colour("faint"), zorder=0)
    axis.set_ylim(-0.03, 1)
    axis.yaxis.set_major_formatter(percent())
    label_ends(axis, ends)
    dead = ends[1][0]
    return Picture("dying", figure,
                   "A ReLU that is 0 for every image has no gradient and stays so: "
                   f"{dead:.0%} are dead at the end. LeakyReLU's slope of 0.01 below 0 is enough "
                   "to come back. (Shaded: the large steps. Dead: silent in every batch since "
                   "these or the epoch began.)",
                   "Fractions of silent and dead units over the steps: high for ReLU until the "
                   "end, 0 for LeakyReLU.")


def output(table: Table) -> Picture:
    figure, axis = panel("ReLU on the output", "", "accuracy, test images", width=4.2)
    for place, last in enumerate(("linear", "relu")):
        y = pick(table, "accuracy", output=last)
        silent = pick(table, "dead_classes", output=last)
        shade = colour("relu" if last == "relu" else "grey")
        x = place + np.linspace(-0.28, 0.28, len(y))
        axis.plot(x, y, "o", color=shade, markersize=7)
        for at, height, count in zip(x, y, silent):
            axis.annotate(str(count), (at, height), xytext=(0, -8), textcoords="offset points",
                          ha="center", va="top", fontsize=8.5, color=shade)
    axis.set_xlim(-0.5, 1.5)
    axis.set_ylim(0, 1.03)
    axis.set_xticks([0, 1], ["none", "ReLU on the output"])
    axis.yaxis.set_major_formatter(percent())
    return Picture("output", figure,
                   "A point for each seed; the number under it counts classes whose output is 0 "
                   "for every test image. ReLU there silences classes, and a silent class can "
                   "neither be answered nor learnt.",
                   "Points of accuracy: networks without ReLU on the output above, those with it "
                   "lower by about a tenth for each silent class.")
