"""The pictures of the lab on RBMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.labs.machines import unpacked
from minitorch.labs.networks import Table, pick
from minitorch.labs.rbm_claims import TARGET, errors
from minitorch.labs.style import Picture, colour, label_ends, name, panel, percent

STARTS = {"nn.Linear": "nn.Linear's", "xavier": "Xavier's", "pre-trained": "pre-trained"}


def draw(result: dict[str, Any]) -> Iterator[Picture]:
    """What machines learnt and dream; how far samplers are off; what it is good for.

    Raises ImportError without matplotlib.
    """
    images, likelihood = result["images"], result["likelihood"]
    nats = dict(zip(likelihood["model"], likelihood["test"]))
    apart = {model: nearest(unpacked(pick(images, "pixels", what=f"{model} samples")))
             for model in ("CD-1", "PCD")}
    yield gallery(images, "filters", "Weights of 40 hidden units", {"CD-1 filters": ""},
                  "Each square shows the weights from one hidden unit to all pixels (orange above "
                  "0, blue below) after CD-1: pieces of strokes, and where they must not be.",
                  "A grid of small images with orange and blue spots and strokes.", signed=True)
    yield gallery(images, "reconstructions", "Test images seen through hidden units",
                  {"original": "image", "CD-1 reconstructions": "CD-1",
                   "PCD reconstructions": "PCD", "Gaussian reconstructions": "Gaussian"},
                  "Digits no machine has seen, and what each makes of them: up to the hidden "
                  "units and down again. The Gaussian machine works on grey, the others on bits.",
                  "Four rows of ten digits: originals, and smoother copies of them by row.")
    yield gallery(images, "samples", "Where Gibbs chains from noise arrive",
                  {"CD-1 samples": "CD-1", "PCD samples": "PCD"},
                  f"Twenty chains for each machine, begun at random bits. Under CD-1 test images "
                  f"have {nats['CD-1']:.1f} nats, under PCD {nats['PCD']:.1f}; independent pixels "
                  f"give {nats['independent pixels']:.1f}. From one sample to the one most "
                  f"like it is a mean squared difference of {apart['CD-1']:.3f} under CD-1, of "
                  f"{apart['PCD']:.3f} under PCD: small where chains end in the same few shapes.",
                  "Rows of samples for each machine, which look more or less like digits.")
    yield annealing(result["ais"])
    yield gradient(result["gradient"])
    yield activity(result["activity"])
    yield labels(result["labels"])


def gallery(images: Table, called: str, title: str, rows: dict[str, str], caption: str, alt: str,
            signed: bool = False) -> Picture:
    """Ten images a row on the paper's own colour, whichever it is; `rows` by what they show."""
    from matplotlib.colors import LinearSegmentedColormap

    ends = ["#0072b2", "paper", "#d55e00"] if signed else ["paper", "ink"]
    shades = LinearSegmentedColormap.from_list("", [colour(end) for end in ends]).with_extremes(
        bad=colour("faint"))
    pages = [tiles(unpacked(pick(images, "pixels", what=what))) for what in rows]
    together = np.concatenate(pages)
    figure, axis = panel(title, "", "", height=0.55 + 4.3 * together.shape[0] / together.shape[1])
    axis.imshow(together, cmap=shades, vmin=0, vmax=1, interpolation="nearest")
    axis.grid(False)
    axis.spines[:].set_visible(False)
    tops = np.cumsum([0, *(len(page) for page in pages)])
    axis.set_yticks((tops[:-1] + tops[1:] - 1) / 2, list(rows.values()))
    axis.set_xticks([])
    axis.tick_params(length=0)
    return Picture(called, figure, caption, alt)


def nearest(images: Any) -> float:
    """The mean squared difference of images from the other that is most like each."""
    apart = ((images[:, None] - images[None]) ** 2).mean(-1)
    np.fill_diagonal(apart, np.inf)
    return float(apart.min(1).mean())


def tiles(images: Any, across: int = 10) -> Any:
    """Square images in rows of so many, a frame of nothing around each; a last row is filled."""
    side = round(images.shape[1] ** 0.5)
    framed = np.pad(images.reshape(-1, side, side), ((0, -len(images) % across), (1, 1), (1, 1)),
                    constant_values=np.nan)
    return framed.reshape(-1, across, side + 2, side + 2).swapaxes(1, 2).reshape(
        -1, across * (side + 2))


def annealing(table: Table) -> Picture:
    figure, axis = panel("log Z by annealed importance sampling", "steps from no weights to all",
                         "estimate less the exact log Z, nats")
    sizes = list(dict.fromkeys(table["hidden"]))
    ends = []
    for i, n in enumerate(sizes):
        betas, exact, found, error = (np.array(pick(table, c, hidden=n))
                                      for c in ("betas", "exact", "estimate", "error"))
        spread = betas * 1.06 ** (i - (len(sizes) - 1) / 2)  # beside each other
        axis.errorbar(spread, found - exact, error, color=colour("cd"), marker="o", markersize=4,
                      linewidth=1, elinewidth=1.4, alpha=0.4 + 0.6 * i / len(sizes))
        ends.append((float(found[-1] - exact[-1]), f"{n} units", "cd"))
    axis.axhline(0, color=colour("grey"), linewidth=1)
    axis.set_xscale("log")
    ticks = sorted(set(table["betas"]))
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.minorticks_off()
    label_ends(axis, ends)
    most = max(abs(f - x) for b, x, f in zip(table["betas"], table["exact"], table["estimate"])
               if b == ticks[-1])
    return Picture("ais", figure,
                   "For machines with few hidden units Z is summed over all their states, and "
                   "sampling can be checked: bars are its own standard error, from 100 chains. "
                   f"With {ticks[-1]:,} steps the largest miss is {most:.2f} nats.",
                   "Misses of the estimates for each size of machine: wide with few steps, close "
                   "to 0 with many.")


def gradient(table: Table) -> Picture:
    figure, axis = panel("How far CD-k is from the likelihood's gradient", "k, Gibbs steps",
                         "bias, as a fraction of the gradient's norm")
    ends = []
    for when, line, side in ("before", "--", -1), ("after", "-", 1):
        k, bias = (np.array(pick(table, c, when=when)) for c in ("k", "bias"))
        shown = bias > 1e-6
        axis.plot(k[shown], bias[shown], line, color=colour("cd"), marker="o", markersize=4)
        axis.annotate(f"{when} training", (k[2], bias[2]), xytext=(7 * side, 4 * side),
                      textcoords="offset points", fontsize=8.5, color=colour("cd"),
                      ha="left" if side > 0 else "right", va="bottom" if side > 0 else "top")
        ends.append(f"{bias[0]:.0%} {when}")
    axis.set_xscale("log")
    axis.set_yscale("log")
    ticks = sorted(set(table["k"]))
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    cosine = pick(table, "cosine", when="after", k=1)[0]
    return Picture("gradient", figure,
                   "A machine of 9 pixels and 6 hidden units on bars and stripes, gone through "
                   f"state by state. CD-1 is off by {ends[0]} training and {ends[1]}, yet its "
                   f"cosine to the true gradient is still {cosine:.2f}.",
                   "The bias of CD-k falls with k on logarithmic scales, much faster before "
                   "training than after.")


def activity(table: Table) -> Picture:
    figure, axis = panel("How often hidden units are on", "hidden units, sorted",
                         "fraction of the test images")
    ends = []
    for target, shade in (None, "plain"), (TARGET, "cd"):
        on = pick(table, "on", target=target)
        axis.plot(range(1, len(on) + 1), on, color=colour(shade), linewidth=1.8)
        ends.append((on[-1], f"target {target:.0%}" if target else "no target", shade))
    axis.axhline(TARGET, color=colour("grey"), linewidth=0.8, linestyle=":")
    axis.set_ylim(0, 1.02)
    axis.yaxis.set_major_formatter(percent())
    label_ends(axis, ends)
    free, held = (np.mean(pick(table, "on", target=t)) for t in (None, TARGET))
    wrong = [pick(table, "error", target=t)[0] for t in (None, TARGET)]
    return Picture("activity", figure,
                   f"Left alone, units are on for {free:.0%} of the images on average; with a "
                   f"target of {TARGET:.0%} (dotted) for {held:.1%}. The price: an error of "
                   f"reconstruction of {wrong[1]:.3f} and not {wrong[0]:.3f}.",
                   "Sorted fractions by unit: a rising curve without a target, a nearly level "
                   "line at it with one.")


def labels(table: Table) -> Picture:
    """A line for each start, a dot for each repetition."""
    figure, axis = panel("A network of sigmoids, by where it begins", "labels",
                         "errors on test images")
    counts = list(dict.fromkeys(table["labels"]))
    found, ends = errors(table), []
    for start, called in STARTS.items():
        means = [found[count, start] for count in counts]
        axis.plot(counts, means, color=colour(start), linewidth=1.8)
        x, right = (pick(table, c, start=start) for c in ("labels", "accuracy"))
        axis.plot(x, [1 - r for r in right], ".", color=colour(start), alpha=0.7)
        ends.append((means[-1], called, start))
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks(counts, [f"{count:,}" for count in counts])
    low, high = axis.get_ylim()
    ticks = [t for t in (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.12, 0.15, 0.2, 0.25,
                         0.3, 0.4, 0.5) if low <= t <= high]
    axis.set_yticks(ticks, [f"{t:.0%}" for t in ticks])
    axis.minorticks_off()
    label_ends(axis, ends)
    few = {start: found[counts[0], start] for start in STARTS}
    return Picture("labels", figure,
                   f"With {counts[0]} labels the pre-trained network has "
                   f"{few['pre-trained']:.1%} errors, the same network with {name('xavier')}'s "
                   f"weights {few['xavier']:.1%}, with nn.Linear's {few['nn.Linear']:.1%}. "
                   "Dots are single runs, lines their means.",
                   "Errors against the number of labels on logarithmic scales, a line for each "
                   "start.")
