"""One look for all labs: a colour for each thing, the same everywhere; labels at the lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Okabe and Ito (2008), told apart by colour-blind readers too.
COLOURS = {
    "sigmoid": "#0072b2", "tanh": "#009e73", "relu": "#d55e00", "leaky_relu": "#cc79a7",
    "elu": "#e69f00", "selu": "#56b4e9", "gelu": "#555555",
    # How weights start: Tol's muted scheme, for other things have other colours.
    "zero": "#888888", "normal": "#882255", "lecun": "#117733", "xavier": "#332288",
    "he": "#cc6677",
}
NAMES = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "selu": "SELU", "gelu": "GELU",
         "normal": "N(0, 1)", "lecun": "LeCun", "xavier": "Xavier", "he": "He"}
INK, GREY, FAINT = "#222222", "#6b6b6b", "#e4e4e4"


def name(key: str) -> str:
    """How a thing is called in pictures and tables."""
    return NAMES.get(key, key)


def figure(width: float, height: float, title: str) -> Any:
    """An empty Figure under a title. Raises ImportError, with advice, without matplotlib."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise ImportError("pictures need matplotlib, which is not installed: "
                          "pip install 'minitorch-xp[cli]'") from error
    # Figure instead of pyplot: no window system is asked for, nothing global is left behind.
    layout: Any = ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.08, hspace=0.04, wspace=0.03)
    drawn = Figure(figsize=(width, height), dpi=120, layout=layout)
    drawn.suptitle(title, x=0.008, ha="left", fontsize=14, color=INK)
    return drawn


def dress(axis: Any, title: str, x: str, y: str) -> None:
    """Title and labels; quiet ticks and lines."""
    axis.set_title(title, loc="left", fontsize=10, color=INK)
    axis.set_xlabel(x, fontsize=9, color=GREY)
    axis.set_ylabel(y, fontsize=9, color=GREY)
    axis.tick_params(labelsize=8, colors=GREY, length=2, which="both")
    axis.grid(color=FAINT, linewidth=0.7)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color("#bbbbbb")


def label_ends(axis: Any, ends: Sequence[tuple[float, str, str]], apart: float = 0.065) -> None:
    """Write (y, text, colour) right of the axis at these heights, moved apart where they collide.

    Call it when the limits are final; ``apart`` is a fraction of the axis's height.
    """
    def height(y: float) -> float:
        return float(axis.transAxes.inverted().transform(axis.transData.transform((1, y)))[1])

    low, high = axis.get_ylim()
    placed = sorted((height(min(max(y, low), high)), text, colour) for y, text, colour in ends)
    heights = [h for h, _, _ in placed]
    for _ in range(200):  # neighbours push each other away until nobody is too close
        for i in range(len(heights) - 1):
            if (lack := apart - (heights[i + 1] - heights[i])) > 1e-6:
                heights[i] -= lack / 2
                heights[i + 1] += lack / 2
    for i in reversed(range(len(heights))):  # not above the axis, then not below it
        heights[i] = min(heights[i], heights[i + 1] - apart if i + 1 < len(heights) else 1.0)
    for i in range(len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + apart if i else 0.0)
    for h, (_, text, colour) in zip(heights, placed):
        axis.annotate(text, (1, h), xycoords="axes fraction", xytext=(5, 0), annotation_clip=False,
                      textcoords="offset points", va="center", fontsize=8.5, color=colour)
