"""The pictures of the batch norm lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minitorch.labs.batchnorm import BATCH, PERCENTILES, SGD, SIZES, tolerated
from minitorch.labs.networks import Table, pick
from minitorch.labs.style import Picture, colour, dress, figure, label_ends, panel, percent

KINDS = "plain", "batchnorm"
CALLED = {"plain": "without", "batchnorm": "batch norm", "shifted": "norm, then shift"}


def draw(result: dict[str, Any]) -> Iterator[Picture]:
    """Eight pictures. Raises ImportError, with advice, without matplotlib."""
    yield draw_curves(result["curves"])
    yield draw_units(result["units"])
    yield draw_jumps(result["shift"])
    yield draw_sweep("rates", result["rates"], "Tolerance of the learning rate",
                     "learning rate of SGD", "Test accuracy after as many SGD steps at each rate.")
    yield draw_sweep("stds", result["stds"], "Tolerance of the initial weights",
                     "standard deviation of the first weights",
                     f"The same at rate {SGD:g}, from weights N(0, std): a norm divides by what "
                     "small weights make small.")
    yield draw_sweep("sizes", result["sizes"], "What the batch's size does", "images in a batch",
                     f"The same at rate {SGD:g}, as many steps with each size: of two values a "
                     "norm leaves just -1 and 1, and a batch of one image it refuses.")
    yield draw_running(result["running"], result["settling"])
    yield draw_forgotten(result["forgotten"])


def draw_curves(table: Table) -> Picture:
    drawn, axis = panel("Test cost of the course's network", "epoch", "cross entropy, eval mode")
    ends = []
    for kind in "plain", "batchnorm", "shifted":
        epochs, test, train = (pick(table, column, network=kind)[1:]
                               for column in ("epoch", "test_cost", "train_cost"))
        axis.plot(epochs, test, color=colour(kind), linewidth=1.8, marker="o", markersize=3)
        axis.plot(epochs, train, color=colour(kind), linewidth=1, linestyle=":")
        if kind != "shifted":
            right = pick(table, "test", network=kind)[-1]
            ends += [(test[-1], f"{CALLED[kind]}: {right:.1%}", kind),
                     (train[-1], "its training set", kind)]
        else:
            axis.annotate(CALLED[kind], (epochs[-1], test[-1]), xytext=(5, 4), fontsize=8.5,
                          textcoords="offset points", color=colour(kind))
    axis.set_ylim(bottom=0)
    label_ends(axis, ends)
    return Picture("curves", drawn, "Test cost by epoch, dotted the training cost; the number is "
                   "the test accuracy at the end. The third network has its inputs shifted at "
                   "random again behind each norm, after Santurkar et al. (2018), who conclude "
                   "that less shift is not why batch norm helps.",
                   "Lines of cost over epochs, with and without batch norm.")


def draw_units(table: Table) -> Picture:
    """One unit of the second hidden layer in each network, each on its own scale."""
    drawn = figure(4.8, 5.4)
    axes = drawn.subplots(2, 1, sharex=True)
    for axis, kind in zip(axes, KINDS):
        step, *bands = (pick(table, column, network=kind, layer=2)
                        for column in ("step", *(f"p{p}" for p in PERCENTILES)))
        step = [k + 1 for k in step]
        axis.fill_between(step, bands[0], bands[4], color=colour(kind), alpha=0.2, linewidth=0)
        axis.fill_between(step, bands[1], bands[3], color=colour(kind), alpha=0.35, linewidth=0)
        axis.plot(step, bands[2], color=colour(kind), linewidth=1.6)
        axis.set_xscale("log")
        axis.margins(x=0)
        label_ends(axis, [(each[-1], f"{p}%", kind) for each, p in zip(bands, PERCENTILES)])
    dress(axes[0], "A unit's input before ReLU: without", "", "in its first stds")
    dress(axes[1], "with batch norm (another scale)", "step of training", "in its first stds")
    ends = {kind: pick(table, "p50", network=kind, layer=2)[-1] for kind in KINDS}
    return Picture("units", drawn, "What a typical unit of the second hidden layer is given for "
                   "the same test images while the network trains: its percentiles, in first "
                   "standard deviations from the first mean. Its median ends at "
                   f"{ends['plain']:.1f} without batch norm and at {ends['batchnorm']:.1f} with "
                   "it.", "Bands of percentiles over steps: wide and moving without, level with.")


def draw_jumps(table: Table) -> Picture:
    drawn, axis = panel("Shift of the second layer's inputs in one step", "step of training",
                        "move of a unit's mean, in its std")
    ends = []
    for kind in "plain", "batchnorm", "shifted":
        step, jump = (pick(table, column, network=kind, layer=2) for column in ("step", "jump"))
        axis.plot([k + 1 for k in step], jump, color=colour(kind), linewidth=1.6)
        ends.append((jump[-1], CALLED[kind], kind))
    axis.set_xscale("log")
    axis.set_yscale("log")
    label_ends(axis, ends)
    return Picture("jumps", drawn, "How far one step moves the mean of a unit's inputs (median "
                   "over the units). Where shift is put back behind the norm it soon is the "
                   "largest of all, and that network learns well all the same (first picture).",
                   "Lines of the jump per step over steps for three networks.")


def draw_sweep(which: str, table: Table, title: str, x: str, caption: str) -> Picture:
    drawn, axis = panel(title, x, "test accuracy")
    ends = []
    for kind in KINDS:
        values, right = (pick(table, column, network=kind) for column in ("value", "accuracy"))
        axis.plot(values, right, color=colour(kind), linewidth=1.8, marker="o", markersize=4)
        ends.append((right[-1], CALLED[kind], kind))
    axis.set_xscale("log")
    if which == "sizes":
        axis.set_xticks(SIZES, [str(size) for size in SIZES])
        axis.minorticks_off()
    axis.set_ylim(0, 1)
    axis.yaxis.set_major_formatter(percent())
    label_ends(axis, ends)
    best = {kind: max(pick(table, "accuracy", network=kind)) for kind in KINDS}
    if which != "sizes":
        low, high = ([f(tolerated(table, kind)) for kind in KINDS] for f in (min, max))
        caption += (f" Within 10 points of its own best: with batch norm from {low[1]:.2g} to "
                    f"{high[1]:.2g}, without from {low[0]:.2g} to {high[0]:.2g}.")
    return Picture(which, drawn, caption, f"{title}: two lines of accuracy; the best are "
                   f"{best['plain']:.0%} without and {best['batchnorm']:.0%} with batch norm.")


def draw_running(running: Table, settling: Table) -> Picture:
    drawn = figure(9.6, 3.8)
    left, right = drawn.subplots(1, 2)
    off = 0.0
    for layer, shade in (1, "batchnorm"), (2, "ink"):
        mean, true, var = (pick(running, column, layer=layer)
                           for column in ("mean", "true_mean", "true_var"))
        left.plot(true, mean, "o", color=colour(shade), markersize=4, alpha=0.8)
        off = max(off, *(abs(m - t) / v ** 0.5 for m, t, v in zip(mean, true, var)))
        left.text(0.04, 1 - 0.07 * layer, f"hidden layer {layer}", transform=left.transAxes,
                  fontsize=8.5, color=colour(shade))
    span = [min(running["true_mean"]), max(running["true_mean"])]
    left.plot(span, span, color=colour("grey"), linewidth=0.8)
    dress(left, "Running means after training, a dot a unit", "mean over the training set",
          "running_mean")
    ends = []
    for momentum, shade in ("0.1", "batchnorm"), ("0.01", "ink"), ("average", "grey"):
        step, error, expected = (pick(settling, column, momentum=momentum)
                                 for column in ("step", "error", "predicted"))
        right.plot(step, error, "o", color=colour(shade), markersize=3)
        right.plot(step, expected, color=colour(shade), linewidth=1.2)
        called = "average of all" if momentum == "average" else f"momentum {momentum}"
        ends.append((error[-1], called, shade))
    right.set_xscale("log")
    right.set_yscale("log")
    label_ends(right, ends)
    dress(right, f"How they settle with fixed weights, batches of {BATCH}", "batches since a reset",
          "error of running_mean, in stds (RMS)")
    return Picture("running", drawn, "Left: running means lag behind the weights and average few "
                   f"batches; the worst is {off:.2f} of its inputs' std away from the true one. "
                   "Right: dots are measured, lines what independent batches must give: what is "
                   "left of the start at 0, then the batches' noise.",
                   "Dots along a diagonal; errors that fall with the number of batches.")


def draw_forgotten(table: Table) -> Picture:
    drawn, axis = panel("Evaluated without eval()", "images in a batch", "test accuracy")
    kept = pick(table, "eval", network="batchnorm")[0]
    ends = [(kept, f"eval(): {kept:.1%}", "ink")]
    axis.axhline(kept, color=colour("ink"), linewidth=0.9)
    for order, style in ("shuffled", "-"), ("sorted", "--"):
        size, right = (pick(table, column, network="batchnorm", order=order)
                       for column in ("size", "accuracy"))
        axis.plot(size, right, color=colour("batchnorm"), linewidth=1.8, linestyle=style,
                  marker="o", markersize=4)
        ends.append((right[-1], {"sorted": "sorted by class"}.get(order, order), "batchnorm"))
    axis.set_xscale("log")
    axis.set_xticks(SIZES, [str(size) for size in SIZES])
    axis.minorticks_off()
    axis.set_ylim(0, 1)
    axis.yaxis.set_major_formatter(percent())
    label_ends(axis, ends)
    changed = pick(table, "changed", network="batchnorm", order="shuffled", size=SIZES[0])[0]
    return Picture("forgotten", drawn, "The trained network in train mode: an image is judged by "
                   "the company it is in. Small batches, and those of one class, go wrong; in "
                   f"batches of {SIZES[0]}, {changed:.0%} of the images change their class when "
                   "they are shuffled once more.",
                   f"Accuracy by batch size in train mode, below a level line of {kept:.0%}.")
