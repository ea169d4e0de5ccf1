"""The rows of a ``Monitor`` as maps: layers down, steps across, a panel per quantity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# Column, title, whether its logarithm is shown, and the ends of the scale where they are given.
PANELS: list[tuple[str, str, bool, tuple[float, float] | None]] = [
    ("std", "standard deviation of the output", True, None),
    ("grad_rms", "gradient by the output (RMS)", True, None),
    ("update_ratio", "size of the step / size of the weights", True, None),
    ("saturated", "saturated outputs", False, (0, 1)),
    ("dead", "dead units: silent in every step since the reset", False, (0, 1)),
]
NOT_FINITE = "#d62728"


def grid(rows: list[dict[str, Any]], column: str) -> tuple[list[str], list[int], Any]:
    """Layers that have this number, the steps, and the numbers; None becomes a masked cell.

    Of dead units only layers that ever had one: most kinds cannot.
    """
    layers = list(dict.fromkeys(row["layer"] for row in rows
                                if row[column] or (row[column] == 0 and column != "dead")))
    steps = sorted({row["step"] for row in rows})
    values = np.ma.masked_all((len(layers), len(steps)))
    for row in rows:
        if row[column] is not None and row["layer"] in layers:
            values[layers.index(row["layer"]), steps.index(row["step"])] = row[column]
    return layers, steps, values


def heatmap(rows: list[dict[str, Any]], dark: bool = False) -> Any:
    """The Figure. Cells that hold nan or inf are red, wherever they are."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise ImportError("the picture needs matplotlib, which is not installed: "
                          "pip install 'minitorch-xp[cli]'; to_csv() works without") from error
    from matplotlib.figure import Figure

    kinds = {row["layer"]: row["kind"] for row in rows}
    panels = [(panel, found) for panel in PANELS if (found := grid(rows, panel[0]))[0]]
    ink = "#e6e6e6" if dark else "#222222"
    style: Any = {"text.color": ink, "axes.labelcolor": ink, "xtick.color": ink, "ytick.color": ink,
             "axes.edgecolor": ink, "font.size": 9}
    with mpl.rc_context(style):
        heights = [max(1.0, 0.2 * len(found[0])) for _, found in panels]
        figure = Figure(figsize=(9, sum(heights) + 0.75 * len(panels) + 0.4), dpi=130,
                        layout="constrained", facecolor="#16181c" if dark else "white")
        axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
        for axis, (panel, (layers, steps, values)) in zip(axes, panels):
            draw(figure, axis, panel, [f"{name}  {kinds[name]}" for name in layers], steps, values)
        axes[-1].set_xlabel("training step")
    return figure


def draw(figure: Any, axis: Any, panel: tuple[str, str, bool, Any], names: list[str],
         steps: list[int], values: Any) -> None:
    from matplotlib.colors import ListedColormap, LogNorm, Normalize

    _, title, logarithm, limits = panel
    masked = np.ma.getmaskarray(values)
    plain = values.filled(0.0)
    wrong = ~masked & ~np.isfinite(plain)
    shown = ~masked & ~wrong & ((plain > 0) | (not logarithm))
    if limits is None:
        limits = spread(plain[shown])
    norm = LogNorm(*limits) if logarithm else Normalize(*limits)
    axis.set_facecolor("#8888880f")
    # Cells lie around their step; a map of one step is one cell wide.
    edges = np.arange(len(steps) + 1) - 0.5
    rows = np.arange(len(names) + 1) - 0.5
    image = axis.pcolormesh(edges, rows, np.ma.array(plain, mask=~shown), norm=norm,
                            cmap="viridis")
    if logarithm and (zero := ~masked & (plain == 0)).any():
        axis.pcolormesh(edges, rows, np.ma.array(zero, mask=~zero), cmap=ListedColormap(["black"]))
        title += "; black: exactly 0"
    if wrong.any():
        axis.pcolormesh(edges, rows, np.ma.array(wrong, mask=~wrong),
                        cmap=ListedColormap([NOT_FINITE]))
        title += "; red: nan or inf"
    axis.invert_yaxis()
    axis.set_yticks(range(len(names)), names)
    ticks = sorted({round(i) for i in np.linspace(0, len(steps) - 1, min(len(steps), 9))})
    axis.set_xticks(ticks, [str(steps[i]) for i in ticks])
    axis.set_title(title, loc="left", fontsize=10)
    axis.tick_params(length=2)
    axis.spines[:].set_visible(False)
    ticks = [limits[0], math.sqrt(limits[0] * limits[1]), limits[1]] if logarithm else [0, 0.5, 1]
    bar = figure.colorbar(image, ax=axis, aspect=8, pad=0.01, ticks=ticks)
    bar.ax.set_yticks(ticks, [f"{tick:.2g}" for tick in ticks], minor=False)
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)


def spread(values: Any) -> tuple[float, float]:
    """The ends of a logarithmic scale for these numbers: a decade or more."""
    if not values.size:
        return 0.1, 1.0
    low, high = float(values.min()), float(values.max())
    if high < 10 * low:
        middle = math.sqrt(low * high)
        low, high = middle / 10 ** 0.5, middle * 10 ** 0.5
    return low, high
