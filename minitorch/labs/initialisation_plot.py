"""The pictures of the initialisation lab."""

from __future__ import annotations

from collections.abc import Iterator

from minitorch.labs.networks import Table, pick
from minitorch.labs.style import Picture, colour, dress, figure, label_ends, name, panel

SCHEMES = "normal", "lecun", "xavier", "he"
UNIFORM = " uniform"


def pictures(result: dict[str, Table]) -> Iterator[Picture]:
    """Each picture in turn."""
    for activation in "sigmoid", "tanh", "relu":
        yield through_layers(result["layers"], activation)
    yield neurons(result["symmetry"], result["equal"])
    yield accuracies(result["grid"])
    yield costs(result["learning"], result.get("published"))
    yield errors(result["learning"], result.get("published"))


def through_layers(table: Table, activation: str) -> Picture:
    """Activations above, gradients below: points measured, lines from theory."""
    drawn = figure(4.8, 6.6)
    above, below = drawn.subplots(2, 1)
    for axis, column, wanted in ((above, "std", "std_theory"), (below, "grad_rms", "grad_theory")):
        ends = []
        for init in SCHEMES:
            x, y, line = (pick(table, c, activation=activation, init=init)
                          for c in ("layer", column, wanted))
            uniform = pick(table, column, activation=activation, init=init + UNIFORM)
            axis.plot(x, line, color=colour(init), linewidth=1.2)
            axis.plot(x, y, "o", color=colour(init), markersize=4)
            axis.plot(x[:len(uniform)], uniform, "o", color=colour(init), markersize=6,
                      fillstyle="none", markeredgewidth=0.8)
            ends.append((line[-1] if column == "std" else line[0], name(init), init))
        axis.set_xticks(range(1, max(table["layer"]) + 1))
        if column == "std" and activation != "relu":
            axis.set_ylim(0, 0.55 if activation == "sigmoid" else 1.05)
        else:
            axis.set_yscale("log")
        if column == "grad_rms":  # it travels from the last layer to the first
            axis.invert_xaxis()
        label_ends(axis, ends)
    dress(above, f"{name(activation)}: activations, going forward", "hidden layer",
          "standard deviation")
    dress(below, f"{name(activation)}: gradients, going back", "hidden layer",
          "RMS of the cost's gradient")

    def grown(column: str, init: str) -> float:
        y = pick(table, column, activation=activation, init=init)
        return float(y[-1] / y[0] if column == "std" else y[0] / y[-1])

    said = "; ".join(f"{name(i)} {grown('std', i):.2g} and {grown('grad_rms', i):.2g}"
                     for i in SCHEMES)
    also = " LeakyReLU's picture is the same to the eye." if activation == "relu" else ""
    return Picture(
        f"layers-{activation}", drawn,
        f"Before training. Points: measured (rings: uniform weights); lines: theory for wide "
        f"layers. Factor over all layers, forward and back: {said}. With zero weights nothing "
        f"varies at all.{also}",
        f"Two charts over ten hidden layers of {name(activation)}, one line for each scheme: "
        "standard deviation of the activations, and size of the gradients.")


def neurons(table: Table, equal: Table) -> Picture:
    """Distinct neurons over the steps; at the lines, what was learnt."""
    drawn, axis = panel("Different neurons in a layer of 16", "step of SGD", "number")
    ends = []
    for place, start in enumerate(dict.fromkeys(table["start"])):
        for activation in dict.fromkeys(table["activation"]):
            for layer in 1, 2:
                x, y = (pick(table, c, start=start, activation=activation, layer=layer)
                        for c in ("step", "distinct"))
                axis.plot(x, y, color=colour(start), linewidth=2, linestyle=("-", (0, (2, 2)))[
                    place % 2])
        right = sorted(pick(equal, "accuracy", start=start))
        said = f"{right[0]:.0%}" + (f" to {right[-1]:.0%}" if right[-1] - right[0] > 0.01 else "")
        ends.append((float(y[-1]), f"{name(start)}:\n{said} right", start))
    axis.set_ylim(0, 17.5)
    label_ends(axis, ends, apart=0.15)
    most = max(pick(table, "distinct", start="zero") + pick(table, "distinct", start="constant"))
    return Picture(
        "symmetry", drawn,
        f"Sigmoid, tanh and ReLU, both hidden layers: neurons that start equal get equal "
        f"gradients: at most {most} in a layer can be told apart. At the lines: accuracy after "
        "training, the worst and the best of the three activations.",
        "Lines over the training steps: one neuron for zero and constant starts, sixteen for "
        "the others.")


def accuracies(table: Table) -> Picture:
    """A cell for each activation and scheme."""
    inits, activations = (list(dict.fromkeys(table[c])) for c in ("init", "activation"))
    drawn, axis = panel("Accuracy after training, ten hidden layers", "", "",
                        height=1.1 + 0.36 * len(inits))
    values = [[pick(table, "accuracy", init=i, activation=a)[0] for a in activations]
              for i in inits]
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("", [colour("paper"), colour("test")])
    axis.imshow(values, cmap=shades, vmin=0, vmax=1.25, aspect="auto")
    for row, numbers in enumerate(values):
        for column, value in enumerate(numbers):
            axis.text(column, row, f"{value:.1%}", ha="center", va="center", fontsize=8.5,
                      color=colour("ink"))
    axis.set_xticks(range(len(activations)), [name(a) for a in activations])
    axis.set_yticks(range(len(inits)), [called(i) for i in inits])
    axis.grid(False)
    axis.spines[:].set_visible(False)
    best = {a: inits[max(range(len(inits)), key=lambda r: values[r][c])]
            for c, a in enumerate(activations)}
    return Picture(
        "grid", drawn, "The networks above after training by SGD, biases 0 at the start. Best: "
        + ", ".join(f"{name(a)} with {called(i)}" for a, i in best.items()) + ".",
        "A table of accuracies, a row for each scheme and a column for each activation, "
        "darker where better.")


def costs(table: Table, published: Table | None) -> Picture:
    """The course's networks: cost by epoch, beside the first and last that the course prints."""
    drawn, axis = panel("The course's ReLU networks", "epoch", "cost, mean of the epoch's batches")
    ends = []
    for network, init in dict.fromkeys(zip(table["network"], table["init"])):
        if network.startswith("100"):
            continue
        x, y, right = (pick(table, c, network=network, init=init)
                       for c in ("epoch", "cost", "accuracy"))
        scheme = init.removesuffix(UNIFORM)
        wide = network != "256-256"
        axis.plot(x, y, color=colour(scheme), linewidth=1.6, linestyle="--" if wide else "-",
                  marker="o", markersize=3)
        ends.append((y[-1], f"{'4 of 512' if wide else name(scheme)}: {right[-1]:.1%}", scheme))
        if not wide:
            for epoch, column in ((x[0], "first_cost"), (x[-1], "last_cost")):
                for cost in pick(published or {column: []}, column, network=network, init=init):
                    axis.plot(epoch, cost, "D", color=colour("grey"), markersize=7,
                              fillstyle="none")
    axis.set_yscale("log")
    axis.set_xticks([1, 5, 10, 15])
    label_ends(axis, ends)
    first = {i: pick(table, "cost", network="256-256", init=i)[0]
             for i in ("normal", "xavier uniform")}
    return Picture(
        "costs", drawn,
        f"Two hidden layers of 256, and (dashed, Xavier's, fewer epochs) four of 512, under Adam: "
        f"N(0, 1) begins at {first['normal']:.4g} where Xavier's begins at "
        f"{first['xavier uniform']:.2g}. At the lines: accuracy on the test images."
        + (" Diamonds: what the course prints." if published else ""),
        "Lines of cost over the epochs on a logarithmic scale; the one of N(0, 1) weights lies "
        "far above the others.")


def errors(table: Table, published: Table | None) -> Picture:
    """The wizard's networks: what is wrong in the end, beside what the wizard prints."""
    rows = [pair for pair in dict.fromkeys(zip(table["network"], table["init"]))
            if pair[0].startswith("100")]
    drawn, axis = panel("The wizard's networks, 100 hidden neurons", "test errors (log scale)", "")
    for y, (network, init) in enumerate(rows):
        wrong = 1 - pick(table, "accuracy", network=network, init=init)[-1]
        said = [1 - right for right in pick(published or {"accuracy": []}, "accuracy",
                                            network=network, init=init)]
        axis.plot(said, [y] * len(said), "D", color=colour("grey"), markersize=7, fillstyle="none")
        axis.plot(wrong, y, "o", color=colour(init), markersize=6)
        axis.annotate(f"{wrong:.2%}", (max([wrong, *said]), y), xytext=(8, 0), va="center",
                      textcoords="offset points", fontsize=8.5, color=colour(init))
    axis.set_yticks(range(len(rows)), [f"{name(init)}, {name(network.removeprefix('100 '))}"
                                       for network, init in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    low, high = low / 1.1, high * 1.6  # room for the numbers
    axis.set_xlim(low, high)
    ticks = [t for t in (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 1) if low < t < high]
    axis.set_xticks(ticks, [f"{t:.0%}" for t in ticks])
    axis.set_xticks([], minor=True)
    beside = " Diamonds: what the wizard prints." if published else ""
    return Picture(
        "errors", drawn, "After five epochs of SGD with Nesterov's momentum; biases as nn.Linear "
        f"draws them, so that even zero weights leave the neurons different.{beside}",
        "Dots of the test error for each activation and scheme.")


def called(init: str) -> str:
    """A scheme's name, the kind of distribution included."""
    scheme = init.removesuffix(UNIFORM)
    return name(scheme) + (UNIFORM if scheme != init else "")
