"""The curves of a training run as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minitorch.cli.train import Epoch

BLUE, ORANGE, GREY = "#2a6fbb", "#d9772b", "#777777"


def save_curves(path: str, title: str, epochs: Sequence[Epoch]) -> None:
    """Draw cost and accuracy over the epochs into the file `path` (PNG, SVG or PDF by its name).

    Raises ImportError without matplotlib, and OSError if the file cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, NullFormatter, PercentFormatter

    n = range(1, len(epochs) + 1)
    costs = [epoch.cost.item() for epoch in epochs]
    accuracies = [epoch.accuracy for epoch in epochs]
    dots = {"marker": "o", "markersize": 4} if len(epochs) <= 40 else {}

    # Figure instead of pyplot: no window system is asked for, nothing global is left behind.
    figure = Figure(figsize=(9, 3.8), dpi=150, layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    left, right = figure.subplots(1, 2)

    left.plot(n, costs, color=BLUE, **dots)
    left.set_title("cost (cross entropy, training images)", fontsize=9, color=GREY)
    finite = [cost for cost in costs if math.isfinite(cost)]
    if finite and max(finite) > 20 * min(finite) > 0:
        left.set_yscale("log")
        left.yaxis.set_major_formatter("{x:g}")
        left.yaxis.set_minor_formatter(NullFormatter())
    elif finite:
        left.set_ylim(0, 1.08 * max(finite) or 1)

    right.plot(n, accuracies, color=ORANGE, **dots)
    right.set_title("accuracy (test images)", fontsize=9, color=GREY)
    right.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    
    if max(accuracies) - min(accuracies) < 0.05:  # do not blow up what hardly moves
        middle = (max(accuracies) + min(accuracies)) / 2
        right.set_ylim(middle - 0.03, middle + 0.03)

    for axes, values, text in (left, costs, "{:.4g}"), (right, accuracies, "{:.2%}"):
        axes.annotate(text.format(values[-1]), (n[-1], values[-1]), xytext=(8, 0),
                      textcoords="offset points", va="center", fontsize=9, annotation_clip=False,
                      color=axes.lines[0].get_color())
        axes.set_xlabel("epoch")
        axes.set_xlim(0.5, len(epochs) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
