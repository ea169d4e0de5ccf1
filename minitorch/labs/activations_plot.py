"""The picture of the activations lab."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minitorch.labs.activations import DEPTHS, EDGES, LARGE, LARGE_STEPS, SMALL
from minitorch.labs.networks import ACTIVATIONS, Table, pick
from minitorch.labs.style import COLOURS, FAINT, GREY, INK, dress, figure, label_ends, name


def draw(result: dict[str, Any], path: str) -> None:
    """Four rows: the functions; gradients by depth; outputs while training; what kills ReLUs.

    Raises ImportError without matplotlib, and OSError if the file cannot be written.
    """
    page = figure(17, 17, "Activations: what they do to the gradients in a deep network")
    grid = page.subplots(4, 3)
    draw_functions(grid[0][:2], result["functions"])
    draw_saturation(grid[0][2], result["saturation"])
    for axis, depth in zip(grid[1], DEPTHS):
        draw_gradients(axis, result["gradients"], depth)
    for axis, activation in zip(grid[2], ("sigmoid", "tanh", "relu")):
        draw_histograms(axis, result["histograms"], activation)
    draw_costs(grid[3][0], result["deep"], result["accuracies"])
    draw_dying(grid[3][1], result["dying"])
    draw_output(grid[3][2], result["output"])
    page.savefig(path)


def draw_functions(axes: Sequence[Any], table: Table) -> None:
    for axis, column, limits in zip(axes, ("y", "slope"), ((-2, 4), (-0.2, 1.9))):
        ends = []
        for activation in ACTIVATIONS:
            x, y = (pick(table, c, activation=activation) for c in ("x", column))
            axis.plot(x, y, color=COLOURS[activation], linewidth=1.6)
            ends.append((y[-1], name(activation), COLOURS[activation]))
        axis.set_xlim(-4, 4)
        axis.set_ylim(*limits)
        label_ends(axis, ends)
    dress(axes[0], "The functions", "x", "f(x)")
    dress(axes[1], "Their slopes: sigmoid's never exceeds 1/4", "x", "f′(x)")


def draw_gradients(axis: Any, table: Table, depth: int) -> None:
    """From the output, on the left, to the first layer, as the gradient travels."""
    ends = []
    for activation in ACTIVATIONS:
        g = pick(table, "grad_rms", depth=depth, activation=activation)[::-1]
        axis.plot(range(depth), g, color=COLOURS[activation], linewidth=1.6,
                  marker="o", markersize=3)
        ends.append((g[-1], name(activation), COLOURS[activation]))
    axis.set_yscale("log")
    ticks = [*range(0, depth - 1, depth // 5), depth - 1]
    axis.set_xticks(ticks, [str(depth - i) for i in ticks])
    label_ends(axis, ends)
    dress(axis, f"Gradient before training, {depth} layers", "hidden layer, from the last to the "
          "first", "RMS of the gradient by the output" if depth == DEPTHS[0] else "")


def draw_histograms(axis: Any, table: Table, activation: str) -> None:
    """A ridge per layer, the first at the top: filled after training, a line before."""
    colour = COLOURS[activation]
    middle = [(a + b) / 2 for a, b in pairwise(EDGES)]
    layers = sorted(set(pick(table, "layer", activation=activation)))
    for layer in layers:
        base = len(layers) - layer
        before, after = (np.array(pick(table, "fraction", activation=activation, layer=layer,
                                       when=when)) for when in ("before", "after"))
        # Square roots, or a ReLU's peak at 0 would leave nothing else to see.
        axis.fill_between(middle, base, base + 0.95 * np.sqrt(after), step="mid", color=colour,
                          alpha=0.45, linewidth=0)
        axis.step(middle, base + 0.95 * np.sqrt(before), where="mid", color=INK, linewidth=0.8)
    low, high = {"sigmoid": (-0.1, 1.1), "tanh": (-1.1, 1.1), "relu": (-0.2, 3)}[activation]
    axis.set_xlim(low, high)
    axis.set_ylim(-0.05, len(layers) + 0.1)
    dress(axis, f"Outputs of {name(activation)}: before (line), after training",
          "output of the unit (test images)", "hidden layer; height: root of the share")
    axis.set_yticks(range(len(layers)), [str(len(layers) - i) for i in range(len(layers))])


def draw_saturation(axis: Any, table: Table) -> None:
    ends = []
    for activation, init in sorted(set(zip(table["activation"], table["init"]))):
        if activation == "relu":  # half of its outputs are 0, and no harm is done
            continue
        steps = sorted(set(pick(table, "step", activation=activation, init=init)))
        y = [np.mean(pick(table, "saturated", activation=activation, init=init, step=step))
             for step in steps]
        axis.plot(steps, y, color=COLOURS[activation], linewidth=1.6,
                  linestyle="--" if init == "normal" else "-")
        ends.append((float(y[-1]), f"{activation}, {name(init)}", COLOURS[activation]))
    axis.set_ylim(-0.03, 1)
    label_ends(axis, ends)
    dress(axis, "Saturated outputs while training, 5 layers", "step", "fraction, mean over layers")
    axis.yaxis.set_major_formatter(percent())


def draw_costs(axis: Any, table: Table, accuracies: Table) -> None:
    ends = []
    for depth, style in zip(DEPTHS, ("-", "--", ":")):
        for activation in "sigmoid", "relu":
            y = smoothed(pick(table, "cost", depth=depth, activation=activation))
            axis.plot(y, color=COLOURS[activation], linewidth=1.4, linestyle=style)
            right = pick(accuracies, "accuracy", depth=depth, activation=activation)[0]
            ends.append((float(y[-1]), f"{name(activation)} {depth}: {right:.0%}",
                         COLOURS[activation]))
    axis.set_ylim(0, 2.6)
    label_ends(axis, ends)
    dress(axis, "Cost at depth 5, 10 (dashed), 20 (dotted); accuracy", "step",
          "cross entropy, mean over 10 steps")


def draw_dying(axis: Any, table: Table) -> None:
    ends = []
    for activation in "relu", "leaky_relu":
        for column, style, width in ("silent", "-", 0.7), ("dead", "-", 1.8):
            y = pick(table, column, activation=activation, seed=table["seed"][0])
            axis.plot(y, color=COLOURS[activation], linewidth=width, linestyle=style,
                      alpha=1 if column == "dead" else 0.6)
            if activation == "relu" or column == "dead":
                what = {"silent": "silent in the batch", "dead": "dead all epoch"}[column]
                ends.append((y[-1], f"{name(activation)}: {what}", COLOURS[activation]))
    axis.axvspan(0, LARGE_STEPS, color=FAINT, zorder=0)
    axis.set_ylim(-0.03, 1)
    axis.text(LARGE_STEPS, 0.98, f" {LARGE_STEPS} steps with lr {LARGE:g}, then {SMALL:g}",
              fontsize=8, color=GREY, va="top")
    label_ends(axis, ends)
    dress(axis, "Units after too large steps", "step",
          "fraction of the units")
    axis.yaxis.set_major_formatter(percent())


def draw_output(axis: Any, table: Table) -> None:
    for place, last in enumerate(("linear", "relu")):
        y = pick(table, "accuracy", output=last)
        dead = pick(table, "dead_classes", output=last)
        colour = COLOURS["relu"] if last == "relu" else GREY
        axis.plot(place + np.linspace(-0.15, 0.15, len(y)), y, "o", color=colour, markersize=7)
        for x, height, count in zip(place + np.linspace(-0.15, 0.15, len(y)), y, dead):
            axis.annotate(str(count), (x, height), xytext=(0, -8), textcoords="offset points",
                          ha="center", va="top", fontsize=8, color=colour)
    axis.set_xlim(-0.5, 1.5)
    axis.set_ylim(0, 1.03)
    dress(axis, "ReLU on the output; number: silent classes", "", "accuracy")
    axis.set_xticks([0, 1], ["none on the output", "ReLU on the output"], fontsize=9)
    axis.yaxis.set_major_formatter(percent())


def percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(xmax=1, decimals=0)


def smoothed(costs: list[float]) -> Any:
    """The mean over ten steps, as one batch is easier than another; nan from the first on."""
    n = min(10, len(costs))
    return np.convolve([c if math.isfinite(c) else math.nan for c in costs], np.ones(n) / n,
                       "valid")
