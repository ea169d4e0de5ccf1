"""One look for all labs: a colour for each thing, the same everywhere; labels at the lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Okabe and Ito (2008), told apart by colour-blind readers too.
COLOURS = {
    "sigmoid": "#0072b2", "tanh": "#009e73", "relu": "#d55e00", "leaky_relu": "#cc79a7",
    "elu": "#e69f00", "selu": "#56b4e9", "gelu": "#555555",
    # How weights start: Tol's muted scheme, for other things have other colours.
    "zero": "#888888", "normal": "#882255", "lecun": "#117733", "xavier": "#332288",
    "he": "#cc6677", "nn.Linear": "#44aa99", "constant": "#999933",
    "zero, random biases": "#44aa99",
    # Where a number is measured, and what was done against overfitting.
    "train": "#0072b2", "test": "#d55e00",
    "plain": "#6b6b6b", "dropout": "#009e73", "l2": "#e69f00", "batchnorm": "#aa3377",
    "shifted": "#44aa99",
    "mistake": "#8a5a00", "mended": "#4477aa",
    # Two classes of points.
    "class 0": "#4477aa", "class 1": "#ee7733",
    # Optimizers by kin: Tol's bright scheme.
    "sgd": "#4477aa", "momentum": "#228833", "adagrad": "#a07d00", "adam": "#d1495b",
    "rprop": "#aa3377", "lbfgs": "#1b9aaa",
    # Backpropagation: values flow forward, cotangents backward; who computed a gradient.
    "forward": "#0077bb", "backward": "#cc3311",
    "hand": "#cc3311", "autograd": "#0077bb", "finite": "#009988",
    # Boltzmann machines: how they learn, and networks that begin as they end.
    "cd": "#999933", "pcd": "#aa4499", "pre-trained": "#ee7733",
    # The page.
    "ink": "#222222", "grey": "#6b6b6b", "faint": "#e4e4e4", "paper": "#ffffff",
}
NIGHT = {"ink": "#e6e6e6", "grey": "#a3a7ae", "faint": "#33363c", "paper": "#16181c"}
NAMES = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "selu": "SELU", "gelu": "GELU",
         "normal": "N(0, 1)", "lecun": "LeCun", "xavier": "Xavier", "he": "He", "l2": "L2"}
_dark = False


@contextmanager
def dark() -> Iterator[None]:
    """Draw for a dark page: what asks ``colour`` inside gets lighter ones, and a dark paper."""
    global _dark
    before, _dark = _dark, True
    try:
        yield
    finally:
        _dark = before


def colour(key: str) -> str:
    """The colour of a thing, or ``key`` itself if it is a colour ("#rrggbb")."""
    if _dark and key in NIGHT:
        return NIGHT[key]
    value = COLOURS.get(key, key)
    return lighter(value) if _dark else value


def lighter(value: str) -> str:
    """A colour mixed with white until it can be read on dark paper."""
    r, g, b = (int(value[i:i + 2], 16) for i in (1, 3, 5))
    while 0.299 * r + 0.587 * g + 0.114 * b < 105:  # luma (ITU-R BT.601), of 255
        r, g, b = (c + (255 - c) // 8 + 1 for c in (r, g, b))
    return f"#{r:02x}{g:02x}{b:02x}"


def name(key: str) -> str:
    """How a thing is called in pictures and tables."""
    return NAMES.get(key, key)


@dataclass(frozen=True)
class Picture:
    """A figure, and the words that go with it.

    ``name`` (letters and hyphens) is unique in its lab and becomes part of a file's name;
    ``caption`` is a sentence or two on what to see; ``alt`` says it to those who cannot see.
    """

    name: str
    figure: Any
    caption: str
    alt: str


def panel(title: str, x: str, y: str, width: float = 4.8, height: float = 3.6) -> tuple[Any, Any]:
    """A figure with one axis, as (figure, axis): inches that still read well on a phone.

    Raises ImportError, with advice, without matplotlib.
    """
    drawn = figure(width, height)
    axis = drawn.subplots()
    dress(axis, title, x, y)
    return drawn, axis


def figure(width: float, height: float) -> Any:
    """An empty Figure. Raises ImportError, with advice, without matplotlib."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise ImportError("pictures need matplotlib, which is not installed: "
                          "pip install 'minitorch-xp[cli]'") from error
    # Figure instead of pyplot: no window system is asked for, nothing global is left behind.
    layout: Any = ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.05, hspace=0.04, wspace=0.03)
    return Figure(figsize=(width, height), dpi=160, layout=layout, facecolor=colour("paper"))


def dress(axis: Any, title: str, x: str, y: str) -> None:
    """Title and labels; quiet ticks and lines."""
    axis.set_facecolor(colour("paper"))
    axis.set_title(title, loc="left", fontsize=10, color=colour("ink"))
    axis.set_xlabel(x, fontsize=9, color=colour("grey"))
    axis.set_ylabel(y, fontsize=9, color=colour("grey"))
    axis.tick_params(labelsize=8, colors=colour("grey"), length=2, which="both")
    axis.grid(color=colour("faint"), linewidth=0.7)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(colour("grey"))


def percent() -> Any:
    """A formatter of fractions as per cent."""
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(xmax=1, decimals=0)


def label_ends(axis: Any, ends: Sequence[tuple[float, str, str]], apart: float = 0.065) -> None:
    """Write (y, text, colour) right of the axis at these heights, moved apart where they collide.

    Call it when the limits are final; ``apart`` is a fraction of the axis's height.
    """
    def height(y: float) -> float:
        return float(axis.transAxes.inverted().transform(axis.transData.transform((1, y)))[1])

    low, high = axis.get_ylim()
    placed = sorted((height(min(max(y, low), high)), text, colour(shade))
                    for y, text, shade in ends)
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
    for h, (_, text, shade) in zip(heights, placed):
        axis.annotate(text, (1, h), xycoords="axes fraction", xytext=(5, 0), annotation_clip=False,
                      textcoords="offset points", va="center", fontsize=8.5, color=shade)
