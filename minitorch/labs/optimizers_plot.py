"""The pictures of the optimizers lab; ``minitorch optimizers`` draws with the same pieces."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minitorch.labs.contest import CONTESTANTS, SURFACES, Surface
from minitorch.labs.networks import Table, pick
from minitorch.labs.optimizers import GRID, STEPS, path_of
from minitorch.labs.style import Picture, colour, dress, figure, label_ends, panel

FAMILY = {who.label: who.family for who in CONTESTANTS}
ACROSS = 3  # walks side by side
BOLD = "SGD", "SGD, momentum", "Adagrad", "Adam", "Rprop", "LBFGS"  # one of each family
KIN = "Thin lines are kin, in the same colour."


def draw(result: dict[str, Table]) -> Iterator[Picture]:
    """Walks on both surfaces, what they come to, and the network's costs."""
    for surface in SURFACES:
        yield walks(result, surface)
    yield descent(result)
    yield leaving(result)
    yield elsewhere(result)
    yield costs(result, "costs", "training images, mean over a few batches")
    yield costs(result, "tests", "test images")


def walks(result: dict[str, Table], surface: Surface) -> Picture:
    down = math.ceil(len(CONTESTANTS) / ACROSS)
    page = figure(7.2, 0.4 + 2.15 * down)
    page.suptitle(f"{surface.name}: {surface.formula}", x=0.01, ha="left", fontsize=10,
                  color=colour("ink"))
    grid = page.subplots(down, ACROSS, squeeze=False)
    ends = {}
    for axis, who in zip(grid.flat, CONTESTANTS):
        path = path_of(result, who.label, surface.name)
        ends[who.label] = surface.f(*path[-1])
        draw_walk(axis, surface, path, who.family)
        dress(axis, "", "", "")
        axis.set_title(who.label, loc="left", fontsize=10, color=colour(who.family))
        axis.grid(False)
    for axis in grid.flat[len(CONTESTANTS):]:
        axis.set_visible(False)
    what = {"Rosenbrock": "The valley is bent, its walls are steep and its floor is nearly flat: "
                          "large leaps at first, then",
            "saddle": "Along y = 0 nothing pulls sideways:"}[surface.name]
    return Picture(
        f"walks-{surface.name.lower()}", page,
        f"{what} each optimizer goes its own way from the same start (circle) in {STEPS} steps, a "
        "dot each; crosses mark the lowest points, the number is f at the end.",
        f"Fourteen contour maps of {surface.formula}, each with one optimizer's path; they end at "
        + ", ".join(f"{who} {end:.2g}" for who, end in ends.items()) + ".")


def draw_walk(axis: Any, surface: Surface, points: Any, family: str) -> None:
    """One path over the surface's contours."""
    left, right, low, high = surface.window
    x, y = np.meshgrid(np.linspace(left, right, 120), np.linspace(low, high, 120))
    z = surface.f(x, y)
    axis.contour(x, y, np.log1p(z - z.min()), 14, colors=[colour("grey")], linewidths=0.4,
                 alpha=0.5)
    xs, ys = zip(*points)
    axis.plot(xs, ys, color=colour(family), linewidth=0.9, marker=".", markersize=2.2)
    axis.plot(*points[0], marker="o", markersize=4.5, color=colour("paper"),
              markeredgecolor=colour("ink"))
    for at in surface.lowest:
        axis.plot(*at, marker="x", markersize=6, color=colour("ink"))
    axis.plot(*points[-1], marker="o", markersize=5, color=colour(family),
              markeredgecolor=colour("ink"), markeredgewidth=0.7)
    axis.set_xlim(left, right)
    axis.set_ylim(low, high)
    axis.text(0.96, 0.05, f"f = {surface.f(*points[-1]):.2g}", transform=axis.transAxes, ha="right",
              fontsize=8, color=colour("ink"), bbox={"facecolor": colour("paper"), "alpha": 0.8,
                                                     "linewidth": 0, "pad": 1.5})


def lines(axis: Any, curves: dict[str, tuple[Any, Any]], limits: tuple[float, float],
          also: Sequence[str]) -> None:
    """A line for each optimizer, of its family's colour; names at the bold ones and some more."""
    for who, (x, y) in sorted(curves.items(), key=lambda curve: curve[0] in BOLD):
        axis.plot(x, y, color=colour(FAMILY[who]), linewidth=1.9 if who in BOLD else 0.7)
    axis.set_ylim(*limits)
    axis.set_xlim(curves["SGD"][0][0], curves["SGD"][0][-1])
    label_ends(axis, [(y[-1], who, FAMILY[who]) for who, (_, y) in curves.items()
                      if who in BOLD or who in also], apart=0.055)


def descent(result: dict[str, Table]) -> Picture:
    drawn, axis = panel("How far above the ravine's lowest point", "step", "f", 6.4, 4.4)
    axis.set_yscale("log")
    curves = {}
    for who in FAMILY:
        above = pick(result["walks"], "above", optimizer=who, surface="Rosenbrock")
        curves[who] = range(len(above)), [max(value, 1e-10) for value in above]
    lines(axis, curves, (1e-10, 1e4), ["RMSprop", "AdamW"])
    ends = dict(zip(result["summary"]["optimizer"], result["summary"]["rosenbrock"]))
    best = sorted(ends, key=lambda who: ends[who])
    return Picture(
        "descent", drawn,
        f"On Rosenbrock's surface {best[0]}, which estimates the curvature, ends at "
        f"{ends[best[0]]:.1e}. SGD fell near the minimum by its first leaps and then hardly moves. "
        + KIN,
        "Lines of f by step for fourteen optimizers; at the end, from low to high: "
        + ", ".join(best) + ".")


def leaving(result: dict[str, Table]) -> Picture:
    drawn, axis = panel("Steps to leave the saddle", "start's distance from the ridge, y", "steps",
                        6.0, 4.2)
    axis.set_xscale("log")
    table = result["escape"]
    curves = {}
    for who in FAMILY:
        steps = pick(table, "steps", optimizer=who)
        known = [(y, n) for y, n in zip(pick(table, "start_y", optimizer=who), steps)
                 if n is not None]
        if known:
            curves[who] = [y for y, _ in known], [n for _, n in known]
    lines(axis, curves, (0, 1.05 * max(n for _, ns in curves.values() for n in ns)),
          ["Adadelta", "RAdam"])
    stuck = [who for who in FAMILY if None in pick(table, "steps", optimizer=who)]
    return Picture(
        "saddle-escape", drawn,
        "Plain SGD and momentum move in proportion to the gradient, so each factor of ten nearer "
        "to the ridge costs them the same number of steps more; methods that divide by the "
        f"gradient's size hardly notice. Never left from some starts: {', '.join(stuck) or 'none'}."
        f" {KIN}",
        "Steps needed to leave the saddle by the start's distance from its ridge: lines of SGD, "
        "ASGD and momentum rise, those of the adaptive optimizers are level.")


def elsewhere(result: dict[str, Table]) -> Picture:
    drawn, axis = panel(f"Rosenbrock from {len(GRID)} starts, the same rates", "distance from the "
                        f"minimum after {STEPS} steps", "", 6.0, 4.6)
    axis.set_xscale("log")
    names, lost = list(FAMILY), {}
    for row, who in enumerate(reversed(names)):
        found = pick(result["starts"], "distance", optimizer=who)
        near = [max(d, 1e-4) for d in found if d is not None]
        lost[who] = len(found) - len(near)
        axis.plot(near, [row] * len(near), "|", markersize=9, color=colour(FAMILY[who]))
        if lost[who]:
            axis.text(9, row, f"{lost[who]} flew off", fontsize=8.5, va="center",
                      color=colour("ink"))
    axis.set_xlim(0.8e-4, 60)
    axis.set_yticks(range(len(names)), reversed(names))
    for label, who in zip(axis.get_yticklabels(), reversed(names)):
        label.set_color(colour(FAMILY[who]))
    gone = [f"{who} {n}" for who, n in lost.items() if n]
    return Picture(
        "other-starts", drawn,
        "A rate chosen for one start may be too large for another. Of walks begun on a grid of "
        f"{len(GRID)} points there flew off: {', '.join(gone) or 'none'}. (LBFGS makes an eighth "
        "of the steps, nearer than 0.0001 is drawn there.)",
        f"Strips of distances from the minimum for fourteen optimizers; flown off: "
        f"{', '.join(gone) or 'none'}.")


def costs(result: dict[str, Table], key: str, of: str) -> Picture:
    drawn, axis = panel(f"The network's cost: {of}", "step", "cross entropy", 6.4, 4.6)
    axis.set_yscale("log")
    table = result[key]
    curves = {}
    for who in FAMILY:
        curves[who] = pick(table, "step", optimizer=who), pick(table, "cost", optimizer=who)
    ends = {who: y[-1] for who, (_, y) in curves.items()}
    finite = [v for _, ys in curves.values() for v in ys if v > 0 and math.isfinite(v)]
    lines(axis, curves, (min(finite) * 0.8, 4), ["RMSprop", "RAdam", "Adadelta"])
    ranked = sorted(ends, key=lambda who: ends[who])
    plain_numbers(axis)
    return Picture(
        "network-" + key, drawn,
        f"Lowest at the end: {', '.join(f'{who} {ends[who]:.3g}' for who in ranked[:3])}; plain "
        f"SGD is at {ends['SGD']:.3g}. Rprop ({ends['Rprop']:.3g}) takes the differences between "
        f"batches for a change of direction. {KIN}",
        "Lines of cost by step for fourteen optimizers; at the end: "
        + ", ".join(f"{who} {ends[who]:.3g}" for who in ranked) + ".")


def plain_numbers(axis: Any) -> None:
    """Ticks of a log axis as 0.1, 0.2, 0.5, 1: no powers."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter("{x:g}")


def smoothed(costs: Sequence[float]) -> Any:
    """The mean over ten steps, as one batch is easier than another."""
    n = min(10, len(costs))
    return np.convolve(costs, np.ones(n) / n, "valid")
