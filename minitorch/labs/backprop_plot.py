"""The pictures of the backprop lab."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from minitorch.labs.backprop import PARAMETERS, WAYS, agreed
from minitorch.labs.networks import Table, pick
from minitorch.labs.style import Picture, colour, figure, label_ends, panel, percent

SYMBOLS = {"x": "x", "t": "t", "w1": "W₁", "b1": "b₁", "w2": "W₂", "b2": "b₂", "z1": "z₁",
           "a1": "a₁", "z2": "z₂", "a2": "a₂", "cost": "C"}
MARKS = {"w1": "o", "b1": "^", "w2": "s", "b2": "D"}
FORWARD = {"x": "x, the images", "z1": "z₁ = x W₁ + b₁", "a1": "a₁ = σ(z₁)",
           "z2": "z₂ = a₁ W₂ + b₂", "a2": "a₂ = σ(z₂)", "cost": "C = Σ|a₂ - t|² / 2n"}
BACKWARD = {"cost": "∂C/∂C = 1", "a2": "∂a₂ = (a₂ - t) / n", "z2": "∂z₂ = ∂a₂ a₂ (1 - a₂)",
            "a1": "∂a₁ = ∂z₂ W₂ᵀ", "z1": "∂z₁ = ∂a₁ a₁ (1 - a₁)"}
GIVEN = {"w1": "W₁", "b1": "b₁", "w2": "W₂", "b2": "b₂", "t": "t, one-hot labels"}
WANTED = {"w1": "∂W₁ = xᵀ ∂z₁", "b1": "∂b₁ = Σ ∂z₁", "w2": "∂W₂ = a₁ᵀ ∂z₂", "b2": "∂b₂ = Σ ∂z₂"}
ROWS = {name: 5 - i for i, name in enumerate(FORWARD)}
BESIDE = {"w1": ROWS["z1"] + 0.23, "b1": ROWS["z1"] - 0.23, "w2": ROWS["z2"] + 0.23,
          "b2": ROWS["z2"] - 0.23, "t": ROWS["cost"]}
COLUMNS = {"given": 0.0, "forward": 2.35, "backward": 4.9, "wanted": 7.3}
WIDTHS = {"given": 1.5, "forward": 2.0, "backward": 2.0, "wanted": 1.75}


def draw(result: dict[str, Table]) -> Iterator[Picture]:
    """The graph; how far each way is from autograd; training by both; what mistakes do."""
    yield graph(result["graph"])
    yield apart(result["summary"])
    yield rounding(result["rounding"])
    yield steps(result)
    yield costs(result)
    yield drift(result["costs"])
    yield mistakes(result["mistakes"])


def graph(table: Table) -> Picture:
    """Forward down the second column, backward up the third."""
    page = figure(8.6, 6.2)
    axis = page.subplots()
    axis.set_axis_off()
    axis.set_xlim(-0.8, 8.25)
    axis.set_ylim(-0.35, 5.75)
    rows = dict(zip(table["value"], zip(table["shape"], table["forward"], table["backward"])))

    def note(name: str, which: int) -> str:
        shape, number = rows[name][0], rows[name][which]
        size = f"{shape.replace('x', '×')}   rms" if shape else "a number:"
        return f"{size} {number:.2g}"

    for name, text in FORWARD.items():
        box(axis, "forward", ROWS[name], text, note(name, 1), "forward")
    for name, text in BACKWARD.items():
        box(axis, "backward", ROWS[name], text, note(name, 2), "backward")
    for name, text in GIVEN.items():
        box(axis, "given", BESIDE[name], text, note(name, 1), "ink")
    for name, text in WANTED.items():
        box(axis, "wanted", BESIDE[name], text, note(name, 2), "backward")

    def side(column: str, right: int) -> float:
        return COLUMNS[column] + right * WIDTHS[column] / 2

    down = list(FORWARD)
    for above, below in pairwise(down):
        arrow(axis, (COLUMNS["forward"], ROWS[above] - 0.22),
              (COLUMNS["forward"], ROWS[below] + 0.22), "forward")
        if above != "x":
            arrow(axis, (COLUMNS["backward"], ROWS[below] + 0.22),
                  (COLUMNS["backward"], ROWS[above] - 0.22), "backward")
    arrow(axis, (side("forward", 1), ROWS["cost"]), (side("backward", -1), ROWS["cost"]),
          "backward")
    for name in GIVEN:
        target = {"1": "z1", "2": "z2"}.get(name[-1], "cost")
        arrow(axis, (side("given", 1), BESIDE[name]),
              (side("forward", -1), ROWS[target] + (BESIDE[name] - ROWS[target]) / 2), "ink")
    for name in WANTED:
        source = ROWS["z" + name[1]]
        arrow(axis, (side("backward", 1), source + (BESIDE[name] - source) / 2),
              (side("wanted", -1), BESIDE[name]), "backward")
    for kept, to in ("a2", "a2"), ("a2", "z2"), ("a1", "z1"):
        arrow(axis, (side("forward", 1), ROWS[kept]),
              (side("backward", -1), ROWS[to] - (0.1 if kept != to else 0)), "grey", ":")
    axis.text(COLUMNS["forward"], 5.55, "forward ↓", color=colour("forward"), fontsize=11,
              ha="center")
    axis.text(COLUMNS["backward"], 4.55, "backward ↑", color=colour("backward"), fontsize=11,
              ha="center")
    axis.text((COLUMNS["forward"] + COLUMNS["backward"]) / 2, ROWS["a2"] + 0.07, "kept", fontsize=8,
              color=colour("grey"), ha="center")
    axis.set_title("The computation graph, with the first batch's numbers", loc="left", fontsize=10,
                   color=colour("ink"))
    return Picture(
        "graph", page,
        "Values flow down, cotangents (∂z₁ stands for ∂C/∂z₁) flow up past the same places, and "
        "each has the shape of its value. Dotted: what the way back needs of the way there; it "
        "also needs x, a₁ and W₂, as its formulas say.",
        "A ladder of boxes: x, z1, a1, z2, a2 and the cost C downwards; upwards the derivatives "
        "of C by a2, z2, a1 and z1; to their right those by W2, b2, W1 and b1; shapes and sizes "
        "inside.")


def box(axis: Any, column: str, y: float, text: str, note: str, key: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, width, height = COLUMNS[column], WIDTHS[column], 0.40
    axis.add_patch(FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=colour("paper"), edgecolor=colour(key), linewidth=1.3))
    axis.text(x, y + 0.075, text, ha="center", va="center", fontsize=9.5, color=colour(key))
    axis.text(x, y - 0.105, note, ha="center", va="center", fontsize=7.5, color=colour("grey"))


def arrow(axis: Any, start: tuple[float, float], end: tuple[float, float], key: str,
          style: str = "-") -> None:
    axis.annotate("", end, start, arrowprops={
        "arrowstyle": "-|>", "color": colour(key), "linewidth": 1.2, "linestyle": style,
        "shrinkA": 0, "shrinkB": 1})


def apart(table: Table) -> Picture:
    """A row for each way, a mark for each parameter."""
    names = [f"{what}, {dtype}" if what in WAYS else what
             for what, dtype in zip(table["what"], table["dtype"])]
    order = sorted(range(len(names)), key=lambda i: (
        table["what"][i] not in WAYS, max(table[p][i] for p in PARAMETERS)))
    drawn, axis = panel("Largest difference from autograd's gradient",
                        "difference / largest entry of the gradient", "", 6.8, 4.8)
    axis.set_xscale("log")
    for row, i in enumerate(reversed(order)):
        key = {"by hand": "hand", "finite differences": "finite"}.get(table["what"][i], "mistake")
        for p in PARAMETERS:
            axis.plot(max(table[p][i], 1e-17), row, MARKS[p], markersize=6, alpha=0.85,
                      color=colour(key), markeredgewidth=0)
    axis.set_yticks(range(len(names)), [names[i] for i in reversed(order)])
    axis.set_xlim(0.5e-17, 1e2)
    for dtype in "float32", "float64":
        axis.axvline(np.finfo(dtype).eps, color=colour("grey"), linewidth=0.9, linestyle="--")
        axis.text(np.finfo(dtype).eps, len(names) - 0.15, f" {dtype}'s ε", fontsize=8,
                  va="center", color=colour("grey"))
    for p, x in zip(PARAMETERS, (2e-14, 2e-13, 2e-12, 2e-11)):
        axis.plot(x, 0.6, MARKS[p], markersize=6, color=colour("grey"), markeredgewidth=0)
        axis.text(x, -0.25, SYMBOLS[p], fontsize=8.5, ha="center", color=colour("grey"))
    axis.set_ylim(-0.7, len(names) + 0.3)
    worst = max(pick(table, p, what="by hand", dtype="float64")[0] for p in PARAMETERS)
    near = max(pick(table, p, what="finite differences", dtype="float64")[0] for p in PARAMETERS)
    sizes = {names[i]: max(table[p][i] for p in PARAMETERS) for i in order
             if table["what"][i] not in WAYS}
    least = min(sizes, key=lambda slip: sizes[slip])
    return Picture(
        "differences", drawn,
        f"The chain rule by hand ends at rounding ({worst:.0e} in float64), finite differences "
        f"at {near:.0e}; of the planted mistakes the one that shows least, {least}, at "
        f"{sizes[least]:.0e}. The parameters that a mistake leaves at rounding say where not to "
        "look. Right ways on their worst batch, mistakes on the batch where they show least.",
        "Dots on a log axis, a row for each way of computing gradients and a mark for each of W1, "
        "b1, W2, b2: by hand near machine epsilon, finite differences above, mistakes near 1.")


def rounding(table: Table) -> Picture:
    drawn, axis = panel("By hand against autograd, while training", "step",
                        "largest difference, units of rounding", 5.6, 3.8)
    for dtype, key in ("float32", "hand"), ("float64", "autograd"):
        for p in PARAMETERS:
            axis.plot(pick(table, "step", dtype=dtype, parameter=p),
                      pick(table, "units", dtype=dtype, parameter=p), MARKS[p], markersize=3.2,
                      color=colour(key), alpha=0.8, markeredgewidth=0)
    axis.set_ylim(0, max(4.0, 1.1 * max(table["units"])))
    means = {dtype: float(np.mean(pick(table, "units", dtype=dtype)))
             for dtype in ("float32", "float64")}
    label_ends(axis, [(means["float32"] + 0.1, "float32", "hand"),
                      (means["float64"] - 0.1, "float64", "autograd")], apart=0.09)
    return Picture(
        "rounding", drawn,
        f"A unit is ε times the gradient's largest entry. On {len(set(table['step']))} batches of "
        f"the training no parameter differs by more than {max(table['units']):.1f} of them, in "
        "either precision: the same sums, in another order.",
        f"Dots over the steps of training, all between 0 and {max(table['units']):.1f} units.")


def steps(result: dict[str, Table]) -> Picture:
    table = result["steps"]
    drawn, axis = panel("Finite differences by their step", "h", "error / largest entry", 5.6, 3.8)
    axis.set_xscale("log")
    axis.set_yscale("log")
    best = {}
    for dtype, style in ("float64", "-"), ("float32", "--"):
        h, error = (pick(table, column, dtype=dtype) for column in ("h", "apart"))
        axis.plot(h, [max(e, 1e-17) for e in error], color=colour("finite"), linestyle=style,
                  marker="o", markersize=3)
        k = int(np.argmin(error))
        best[dtype] = h[k], error[k]
        axis.annotate(dtype, (h[k], error[k]), xytext=(0, -13), textcoords="offset points",
                      fontsize=8.5, ha="center", color=colour("finite"))
        hand = max(pick(result["summary"], p, what="by hand", dtype=dtype)[0] for p in PARAMETERS)
        axis.axhline(hand, color=colour("hand"), linestyle=style, linewidth=1.3)
        axis.annotate(f"by hand, {dtype}", (min(table["h"]), hand), xytext=(0, 4),
                      textcoords="offset points", fontsize=8.5, color=colour("hand"))
    axis.set_ylim(1e-17, 10)
    return Picture(
        "step-of-differences", drawn,
        "To the right the formula errs (by h²), to the left the difference of two costs is lost "
        f"in rounding. The best that float64 gives is {best['float64'][1]:.0e}, at h = "
        f"{best['float64'][0]:.0e}; float32's {best['float32'][1]:.0e} is hardly a check.",
        "Two V-shaped lines of the error by h, float32 far above float64, and two level lines of "
        "the chain rule by hand far below each.")


def costs(result: dict[str, Table]) -> Picture:
    table = result["costs"]
    drawn, axis = panel("Training by hand and by autograd, float32", "step",
                        "cost, mean over a few batches", 5.6, 3.8)
    step, own, theirs = (pick(table, column, dtype="float32")
                         for column in ("step", "by_hand", "autograd"))
    axis.plot(step, own, color=colour("hand"), linewidth=5, alpha=0.35)
    axis.plot(step, theirs, color=colour("autograd"), linewidth=1.2)
    axis.set_ylim(0, None)
    right = {way: pick(result["accuracy"], "accuracy", dtype="float32", way=way)[0]
             for way in ("by hand", "autograd")}
    label_ends(axis, [(own[-1] * 1.01, f"by hand: {right['by hand']:.2%}", "hand"),
                      (theirs[-1], f"autograd: {right['autograd']:.2%}", "autograd")], apart=0.08)
    return Picture(
        "costs", drawn,
        f"By hand (broad) and by autograd (thin), on the same batches; test images put right "
        f"{right['by hand']:.2%} and {right['autograd']:.2%}.",
        f"Two lines that coincide, falling from {own[0]:.2f} to {own[-1]:.2f}.")


def drift(table: Table) -> Picture:
    drawn, axis = panel("Costs of both trainings: how far apart", "step",
                        "relative difference, largest of a few steps", 5.6, 3.8)
    axis.set_yscale("log")
    ends = []
    for dtype, key in ("float32", "hand"), ("float64", "autograd"):
        step, apart = (pick(table, column, dtype=dtype) for column in ("step", "apart"))
        shown = [a or np.nan for a in apart]  # none at all: a gap
        axis.plot(step, shown, color=colour(key), linewidth=1.3, marker=".", markersize=3)
        ends.append((float(np.nanmedian([*shown[-9:], 1e-17])), dtype, key))
    axis.set_ylim(1e-17, max(1.0, 10 * max(table["apart"])))
    label_ends(axis, ends)
    said = []
    for dtype in "float32", "float64":
        same, last = agreed(table, dtype), max(pick(table, "step", dtype=dtype))
        most = max(pick(table, "apart", dtype=dtype))
        said.append(f"in {dtype} costs " + (f"stay within {most:.0e}" if same == last else
                                            f"agree to 1% for {same:,} steps, and then no longer"))
    return Picture(
        "drift", drawn,
        f"Both begin alike, and each step carries on the rounding of all before: {said[0]}, "
        f"{said[1]}.",
        f"Two lines on a log axis, float32 above float64: {said[0]}; {said[1]}.")


def mistakes(table: Table) -> Picture:
    rows = [(a, m) for m, a in zip(table["mistake"], table["accuracy"]) if a is not None]
    rows.sort()
    refused = [m for m, r in zip(table["mistake"], table["refused"]) if r is not None]
    drawn, axis = panel("What training makes of a wrong gradient", "accuracy on the test images",
                        "", 6.4, 3.9)
    well = pick(table, "accuracy", mistake="none")[0]
    for place, (accuracy, mistake) in enumerate(rows):
        right = mistake == "none"
        axis.barh(place, accuracy, color=colour("hand" if right else "mistake"), height=0.62,
                  alpha=1 if right else 0.75)
        axis.text(accuracy + 0.01, place, f"{accuracy:.1%}", va="center", fontsize=8.5,
                  color=colour("ink"), bbox={"facecolor": colour("paper"), "linewidth": 0,
                                             "pad": 0.5})
    axis.axvline(well, color=colour("hand"), linewidth=1, linestyle="--", zorder=0.9)
    axis.set_yticks(range(len(rows)), ["the right rule" if m == "none" else m for _, m in rows])
    axis.set_xlim(0, 1.12)
    axis.grid(axis="y", visible=False)
    axis.xaxis.set_major_formatter(percent())
    good = [m for a, m in rows if m != "none" and a > well - 0.02]
    return Picture(
        "mistakes", drawn,
        f"Learning proves little: with {', '.join(good) or 'none of these'} the network does as "
        f"well as with the right rule or better. Not shown, for its shapes do not fit: "
        f"{', '.join(refused) or 'none'}.",
        "Bars of the accuracy after training with each planted mistake: "
        + ", ".join(f"{m} {a:.1%}" for a, m in rows) + ".")
