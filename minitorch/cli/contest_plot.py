"""The contest of optimizers as one picture: a card for each, with its two walks and its costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.cli.contest import SURFACES, Result, Surface

BLUE, ORANGE, GREY, LIGHT = "#2a6fbb", "#d9772b", "#777777", "#d0d0d0"
ACROSS = 2  # cards


def save_contest(path: str, source: str, results: Sequence[Result]) -> None:
    """Draw all results into the file `path` (PNG, SVG or PDF by its name).

    Raises ImportError without matplotlib, and OSError if the file cannot be written.
    """
    from matplotlib.figure import Figure

    down = math.ceil(len(results) / ACROSS)
    figure = Figure(figsize=(15, 0.7 + 2.3 * down), dpi=110, layout="constrained")
    figure.suptitle(f"Optimizers on two surfaces and on {source}", x=0.005, ha="left", fontsize=13)
    grid = figure.subplots(down, 3 * ACROSS, squeeze=False)
    smooth = [smoothed(result.training.costs) for result in results]
    for i, result in enumerate(results):
        row, column = i % down, 3 * (i // down)
        axes = grid[row][column:column + 3]
        for axis, surface, points in zip(axes, SURFACES, result.paths):
            draw_walk(axis, surface, points)
        draw_costs(axes[2], smooth, i)
        axes[0].set_ylabel(result.who.label, fontsize=11, fontweight="bold")
        if row == 0:
            for axis, title in zip(axes, [*(f"{s.name}: {s.formula}" for s in SURFACES),
                                          "cost of the network, by step"]):
                axis.set_title(title, fontsize=8.5, color=GREY)
        for axis in axes:
            axis.tick_params(labelsize=7, colors=GREY, length=2)
    for i in range(len(results), down * ACROSS):
        for axis in grid[i % down][3 * (i // down):3 * (i // down) + 3]:
            axis.set_visible(False)
    figure.savefig(path)


def smoothed(costs: Sequence[float]) -> Any:
    """The mean over ten steps, as one batch is easier than another."""
    n = min(10, len(costs))
    return np.convolve(costs, np.ones(n) / n, "valid")


def draw_walk(axis: Any, surface: Surface, points: Sequence[tuple[float, float]]) -> None:
    left, right, low, high = surface.window
    x, y = np.meshgrid(np.linspace(left, right, 120), np.linspace(low, high, 120))
    z = surface.f(x, y)
    axis.contour(x, y, np.log1p(z - z.min()), 14, colors=[LIGHT], linewidths=0.6)
    xs, ys = zip(*points)
    axis.plot(xs, ys, color=BLUE, linewidth=1, marker=".", markersize=2.5, alpha=0.9)
    axis.plot(*points[0], marker="o", markersize=4, color=GREY)
    axis.plot(*points[-1], marker="o", markersize=5, color=ORANGE)
    for at in surface.lowest:
        axis.plot(*at, marker="x", markersize=6, color="black")
    axis.set_xlim(left, right)
    axis.set_ylim(low, high)
    axis.text(0.97, 0.05, f"f = {surface.f(*points[-1]):.3g}", transform=axis.transAxes,
              ha="right", fontsize=8, color=ORANGE)


def draw_costs(axis: Any, curves: Sequence[Any], i: int) -> None:
    for curve in curves:
        axis.plot(curve, color=LIGHT, linewidth=0.6)
    axis.plot(curves[i], color=BLUE, linewidth=1.3)
    axis.set_yscale("log")
    finite = np.concatenate([c[np.isfinite(c)] for c in curves])
    if finite.size and finite.max() > 0:
        axis.set_ylim(max(finite.min() * 0.7, 1e-4), min(finite.max() * 1.3, 20))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.text(0.03, 0.05, f"cost {curves[i][-1]:.3g}", transform=axis.transAxes, fontsize=8,
              color=BLUE)
