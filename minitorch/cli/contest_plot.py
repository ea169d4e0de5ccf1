"""The contest of optimizers as one picture: a card for each, with its two walks and its costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.labs.contest import SURFACES, Result
from minitorch.labs.optimizers_plot import draw_walk, plain_numbers, smoothed
from minitorch.labs.style import colour, figure

ACROSS = 2  # cards


def save_contest(path: str, source: str, results: Sequence[Result]) -> None:
    """Draw all results into the file `path` (PNG, SVG or PDF by its name).

    Raises ImportError without matplotlib, and OSError if the file cannot be written.
    """
    down = math.ceil(len(results) / ACROSS)
    page = figure(15, 0.7 + 2.3 * down)
    page.suptitle(f"Optimizers on two surfaces and on {source}", x=0.005, ha="left", fontsize=13)
    grid = page.subplots(down, 3 * ACROSS, squeeze=False)
    smooth = [smoothed(result.training.costs) for result in results]
    for i, result in enumerate(results):
        row, column = i % down, 3 * (i // down)
        axes = grid[row][column:column + 3]
        for axis, surface, points in zip(axes, SURFACES, result.paths):
            draw_walk(axis, surface, points, result.who.family)
        draw_costs(axes[2], smooth, i, result.who.family)
        axes[0].set_ylabel(result.who.label, fontsize=11, fontweight="bold",
                           color=colour(result.who.family))
        if row == 0:
            for axis, title in zip(axes, [*(f"{s.name}: {s.formula}" for s in SURFACES),
                                          "cost of the network, by step"]):
                axis.set_title(title, fontsize=8.5, color=colour("grey"))
        for axis in axes:
            axis.tick_params(labelsize=7, colors=colour("grey"), length=2)
    for i in range(len(results), down * ACROSS):
        for axis in grid[i % down][3 * (i // down):3 * (i // down) + 3]:
            axis.set_visible(False)
    page.savefig(path)


def draw_costs(axis: Any, curves: Sequence[Any], i: int, family: str) -> None:
    """One optimizer's costs before those of all others."""
    for curve in curves:
        axis.plot(curve, color=colour("grey"), linewidth=0.5, alpha=0.4)
    axis.plot(curves[i], color=colour(family), linewidth=1.3)
    axis.set_yscale("log")
    finite = np.concatenate([c[np.isfinite(c)] for c in curves])
    if finite.size and finite.max() > 0:
        axis.set_ylim(max(finite.min() * 0.7, 1e-4), min(finite.max() * 1.3, 20))
    plain_numbers(axis)
    axis.text(0.03, 0.05, f"cost {curves[i][-1]:.3g}", transform=axis.transAxes, fontsize=8,
              color=colour(family))
