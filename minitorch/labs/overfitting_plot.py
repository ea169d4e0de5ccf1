"""The pictures of the overfitting lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.labs.moons import GRID, METHODS
from minitorch.labs.networks import Table, pick
from minitorch.labs.style import Picture, colour, dress, figure, label_ends, name, panel, percent


def pictures(result: dict[str, Any]) -> Iterator[Picture]:
    yield costs(result["curves"])
    yield accuracies(result["curves"], result["summary"])
    yield gaps(result["summary"], result["remedies"])
    yield passes(result["all"], result["passes"])
    yield outputs(result["outputs"])
    yield scaling(result["scaling"])
    yield boundaries(result)


def costs(table: Table) -> Picture:
    drawn, axis = panel("Cost while training on few images", "epoch",
                        "cross entropy")
    ends = curves(axis, table, "cost")
    test = pick(table, "test_cost", remedy="plain")
    axis.set_ylim(0, 2.5 * min(test))
    label_ends(axis, ends)
    least = int(np.argmin(test))
    epoch = pick(table, "epoch", remedy="plain")[least]
    return Picture("costs", drawn, f"Test images (solid) and training images (dotted), first seed. "
                   f"Without a remedy the test cost is least after epoch {epoch} ({test[least]:.2f}"
                   f") and {test[-1]:.2f} at the end.",
                   "Costs over the epochs: all training costs fall towards 0, the test costs level "
                   "off or rise; without a remedy, with dropout and with L2.")


def accuracies(table: Table, summary: Table) -> Picture:
    drawn, axis = panel(f"Accuracy while training on {summary['images'][0]:,} images", "epoch",
                        "accuracy")
    ends = curves(axis, table, "accuracy")
    last = min(pick(table, "test_accuracy", epoch=max(table["epoch"])))
    axis.set_ylim(last - 0.12, 1.01)
    axis.yaxis.set_major_formatter(percent())
    label_ends(axis, ends)
    return Picture("accuracies", drawn, "The same networks: test images solid, training images "
                   "dotted.",
                   "Accuracies over the epochs, those on training images far above those on test "
                   "images: without a remedy, with dropout and with L2.")


def curves(axis: Any, table: Table, what: str) -> list[tuple[float, str, str]]:
    ends = []
    for remedy in METHODS:
        for split, style in ("test", "-"), ("train", ":"):
            y = pick(table, f"{split}_{what}", remedy=remedy)
            axis.plot(pick(table, "epoch", remedy=remedy), y, style, color=colour(remedy),
                      linewidth=1.8 if split == "test" else 1.4)
            ends.append((y[-1], f"{name(remedy)}, {split}", remedy))
    axis.locator_params(axis="x", integer=True)
    return ends


def gaps(summary: Table, ends: Table) -> Picture:
    """A dumbbell per row of the summary: from the test accuracy to that in training."""
    rows = list(zip(summary["images"], summary["remedy"], summary["train_accuracy"],
                    summary["test_accuracy"]))
    drawn, axis = panel("The gap between training and test", "accuracy", "", height=3.9)
    low = min(summary["test_accuracy"])
    for place, (images, remedy, train, test) in enumerate(rows):
        y = len(rows) - place
        axis.plot([test, train], [y, y], color=colour("grey"), linewidth=2, zorder=1)
        axis.plot(test, y, "o", color=colour("test"), markersize=6)
        axis.plot(train, y, "o", color=colour("train"), markersize=6)
        if images < max(summary["images"]):
            seeds = pick(ends, "test_accuracy", remedy=remedy)
            axis.plot(seeds, [y] * len(seeds), "|", color=colour("test"), markersize=9)
            low = min(low, *seeds)
        narrow = train - test < 0.02
        axis.annotate(f"{100 * (train - test):.1f}", (train if narrow else (train + test) / 2, y),
                      xytext=(6, -3) if narrow else (0, 3), textcoords="offset points",
                      ha="left" if narrow else "center", fontsize=8, color=colour("ink"))
    for x, split in (rows[0][2], "train"), (rows[0][3], "test"):
        axis.annotate({"train": "training", "test": "test"}[split], (x, len(rows)), xytext=(0, 7),
                      textcoords="offset points", ha="center", fontsize=8.5, color=colour(split))
    axis.set_yticks([len(rows) - i for i in range(len(rows))],
                    [f"{images:,}: {label(remedy)}" for images, remedy, *_ in rows])
    axis.set_ylim(0.5, len(rows) + 0.9)
    axis.set_xlim(low - 0.02, 1.015)
    axis.xaxis.set_major_formatter(percent())
    axis.grid(axis="y", visible=False)
    first = f"{100 * summary['gap'][0]:.1f}"
    best = min(range(5), key=lambda i: summary["gap"][i])
    return Picture("gaps", drawn, f"Images trained on, and the remedy. The number is the gap in "
                   f"points: {first} without a remedy, least ({100 * summary['gap'][best]:.1f}) "
                   f"with {label(summary['remedy'][best])}; strokes are single seeds.",
                   "Training and test accuracy side by side for each remedy on few images, then for"
                   " all images without dropout, with it, and with eval() forgotten.")


def label(remedy: str) -> str:
    return "dropout, no eval()" if remedy.endswith("forgotten") else name(remedy)


def passes(ends: Table, table: Table) -> Picture:
    right = ends["test_accuracy"][ends["remedy"].index("dropout")]
    wrong = table["test_accuracy"]
    drawn, axis = panel("Ten tests of one network, eval() forgotten", "test",
                        "accuracy on the test images")
    axis.axhline(right, color=colour("dropout"), linewidth=1.8)
    axis.plot(table["pass"], wrong, "o", color=colour("mistake"), markersize=5)
    room = (right - min(wrong)) * 0.25 + 1e-3
    axis.set_ylim(min(wrong) - room, max(right, *wrong) + room)
    axis.set_xticks(table["pass"])
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    label_ends(axis, [(right, f"eval(): {right:.2%}", "dropout"),
                      (float(np.mean(wrong)), f"without: {np.mean(wrong):.2%}", "mistake")])
    return Picture("passes", drawn, f"The network with dropout, trained on all images. With eval() "
                   f"it is right on {right:.2%} of the test images in each test; without, on "
                   f"{min(wrong):.2%} to {max(wrong):.2%}.",
                   "Ten accuracies measured without eval(), all different, and the line of the "
                   "accuracy with eval().")


def outputs(table: Table) -> Picture:
    drawn, axis = panel(f"One image (a {table['label'][0]}), thirty times", "digit",
                        "probability by the network")
    for digit in range(10):
        shares = pick(table, "share", digit=digit)
        shift = np.linspace(-0.28, 0.28, len(shares) - 1)
        axis.plot(digit + shift, shares[1:], "o", color=colour("mistake"), markersize=2.6,
                  alpha=0.7)
        axis.plot([digit - 0.36, digit + 0.36], [shares[0]] * 2, color=colour("dropout"),
                  linewidth=2.4)
    axis.set_xticks(range(10))
    axis.set_ylim(-0.03, 1.03)
    axis.yaxis.set_major_formatter(percent())
    axis.grid(axis="x", visible=False)
    axis.annotate("bar: eval()", (1, 1.02), xycoords="axes fraction", ha="right", va="bottom",
                  fontsize=8.5, color=colour("dropout"))
    changed = np.mean([c for c, n in zip(table["changed"], table["pass"]) if n])
    return Picture("outputs", drawn, f"Each dot is one pass without eval(), with other units "
                   f"dropped, of the test image whose outputs vary most. In a pass, "
                   f"{changed:.1%} of the images are put into another class than with eval().",
                   "Thirty probabilities for each digit, widely spread, and one bar per digit for "
                   "the probability with eval().")


def scaling(table: Table) -> Picture:
    kinds = {"inverted": "dropout", "unscaled": "mistake", "scaled at test": "mended"}
    drawn, axis = panel("Mean activation: test / training", "hidden layer", "ratio of the means")
    layers = pick(table, "layer", kind="inverted")
    p = 1 - np.mean(pick(table, "kept", kind="unscaled"))
    axis.plot(layers, [(1 - p) ** -n for n in layers], "--", color=colour("grey"), linewidth=1.2)
    ends = [((1 - p) ** -layers[-1], "1 / (1 − p)ⁿ", "grey")]
    for kind, shade in kinds.items():
        y = pick(table, "test_to_train", kind=kind)
        axis.plot(layers, y, "o-", color=colour(shade), linewidth=1.8, markersize=4)
        ends.append((y[-1], {"unscaled": "not scaled", "inverted": "inverted dropout"}
                     .get(kind, kind), shade))
    axis.set_xticks(layers)
    axis.set_ylim(0.8, None)
    label_ends(axis, ends)
    cost = {kind: pick(table, "test_cost", kind=kind)[0] for kind in kinds}
    return Picture("scaling", drawn, f"Dropout keeps the mean only if what is kept is scaled by "
                   f"1 / (1 − p). If that is forgotten, layer n's mean at the test is that of "
                   f"training times 1 / (1 − p)ⁿ, and the test cost {cost['unscaled']:.2f} instead "
                   f"of {cost['scaled at test']:.2f}.",
                   "Ratio of mean activations at the test and in training by layer: near 1 for "
                   "inverted dropout, growing with the layer where the scale is forgotten.")


def boundaries(result: dict[str, Any]) -> Picture:
    from matplotlib.colors import LinearSegmentedColormap

    grid, points, ends = result["grid"], result["points"], result["moons"]
    drawn = figure(9.6, 2.75)
    shape = len(GRID[1]), len(GRID[0])
    x, y = (np.reshape(grid[c], shape) for c in "xy")
    shades = LinearSegmentedColormap.from_list(
        "", [colour(c) for c in ("class 0", "paper", "class 1")])
    for axis, method in zip(drawn.subplots(1, 3, sharey=True), METHODS):
        share = np.reshape(grid[method], shape)
        dress(axis, "", "", "")
        axis.contourf(x, y, share, levels=np.linspace(0, 1, 11), cmap=shades, alpha=0.45)
        axis.contour(x, y, share, levels=[0.5], colors=[colour("ink")], linewidths=1.6)
        for klass, shade in enumerate(("class 0", "class 1")):
            for flipped in False, True:
                rows = [i for i in range(len(points["x"]))
                        if points["label"][i] == klass and points["flipped"][i] == flipped]
                axis.plot([points["x"][i] for i in rows], [points["y"][i] for i in rows],
                          "X" if flipped else "o", color=colour(shade), linewidth=0,
                          markersize=6 if flipped else 2.8, markeredgewidth=0.6,
                          markeredgecolor=colour("ink" if flipped else shade))
        right, long = (pick(ends, c, method=method)[0] for c in ("test_accuracy", "length"))
        title = {"plain": "No remedy"}.get(method, name(method).capitalize())
        axis.set_title(f"{title}: test {right:.1%}, length {long:.1f}", loc="left", fontsize=10,
                       color=colour("ink"))
        axis.grid(visible=False)
        axis.set_aspect("equal")
        axis.set_xlabel("x₁", fontsize=9, color=colour("grey"))
    drawn.axes[0].set_ylabel("x₂", fontsize=9, color=colour("grey"))
    lengths = {m: float(np.mean(pick(ends, "length", method=m))) for m in METHODS}
    return Picture("boundaries", drawn, "Two classes, with a tenth of the labels flipped (crosses)."
                   " Without a remedy the boundary (line) winds around the wrong labels: its length"
                   f" is {lengths['plain']:.1f} on average, {lengths['dropout']:.1f} with dropout "
                   f"and {lengths['l2']:.1f} with L2.",
                   "Three maps of a plane with two moons of points and the boundary each network "
                   "draws: ragged with islands without a remedy, smoother with dropout and L2.")
