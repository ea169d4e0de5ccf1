"""``minitorch train``: prepare, train, and show what came of it."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import minitorch as torch
from minitorch import backend
from minitorch.cli.recipes import RECIPES, Split, build, load
from minitorch.cli.screen import Bar, Screen
from minitorch.cli.train import Epoch, train


def run(options: argparse.Namespace) -> int:
    """Train as the options say; returns the exit status, 130 if Ctrl-C ended it early.

    Raises RuntimeError, ValueError or OSError, before any training, if something is missing.
    """
    recipe = RECIPES[options.network]
    for name in ("epochs", "batch_size", "lr", "seed", "init", "activation"):
        if getattr(options, name) is None:
            setattr(options, name, getattr(recipe, name))
    training, test = prepare(options)
    widths = [training[0].shape[1], *recipe.hidden, 10]

    torch.manual_seed(options.seed)
    model = build(widths, options.activation, options.init).to(options.device)

    screen = Screen()
    title = f"{'-'.join(map(str, widths))}, {options.activation}, {options.init} weights"
    screen.show(
        (title, "bold"),
        f"; Adam with lr {options.lr:g}, batches of {options.batch_size}, seed {options.seed}",
    )
    screen.show((f"{source(options)}: {len(training[0]):,} images to train on, "
                 f"{len(test[0]):,} to test with", "dim"))

    epochs: list[Epoch] = []
    status = 0
    try:
        with Bar(screen, options.epochs, len(training[0]) // options.batch_size) as bar:
            for epoch in train(model, training, test, options.epochs, options.batch_size,
                               options.lr, bar.tick):
                epochs.append(epoch)
                bar.note = f"accuracy {epoch.accuracy:.4f}"
                screen.show(f"Epoch: {len(epochs):04d} cost = {epoch.cost.item():.9f}")
        screen.show("Learning finished")
    except KeyboardInterrupt:
        screen.show((f"Stopped in epoch {len(epochs) + 1} of {options.epochs}.", "yellow"))
        status = 130
    if epochs:
        screen.show(f"Accuracy: {epochs[-1].accuracy:.4f}")
        show_table(screen, epochs)
        if options.plot is not None:
            show_plot(screen, options.plot, f"{source(options)}: {title}", epochs)
    return status


def source(options: argparse.Namespace) -> str:
    return "the embedded digits" if options.data is None else "MNIST"


def prepare(options: argparse.Namespace) -> tuple[Split, Split]:
    """Check what can be checked before training, and load the images."""
    backend.require(backend.device(options.device))
    if options.plot is not None and not (folder := Path(options.plot).absolute().parent).is_dir():
        raise ValueError(f"--plot {options.plot}: there is no folder {folder}; make it first")
    if options.data is None and (options.download or options.network == "mnist-nn"):
        raise ValueError(
            "mnist-nn learns from MNIST, which does not come with minitorch: say with --data DIR "
            "where its four files are, and add --download to have them fetched. "
            "Without them, 'minitorch train' learns from the digits that do."
        )
    training, test = load(options.data, options.download, options.device)
    if options.batch_size > len(training[0]):
        raise ValueError(f"--batch-size {options.batch_size} is more than the "
                         f"{len(training[0])} images there are to train on")
    return training, test


def show_table(screen: Screen, epochs: list[Epoch]) -> None:
    """Up to five of the epochs, evenly spaced, with what had been reached after each."""
    columns = ("epochs", 8), ("cost", 14), ("accuracy", 12), ("time", 12), ("images per second", 21)
    screen.show()
    screen.show(("".join(f"{name:>{width}}" for name, width in columns), "bold"))
    screen.show(("  " + "─" * 65, "dim"))
    rows = min(5, len(epochs))
    for row in range(rows):
        n = round(1 + row * (len(epochs) - 1) / max(1, rows - 1)) if rows > 1 else len(epochs)
        seconds = sum(epoch.seconds for epoch in epochs[:n])
        speed = sum(epoch.images for epoch in epochs[:n]) / seconds
        last = epochs[n - 1]
        line = (f"{n:8d}{last.cost.item():14.6f}{last.accuracy:12.2%}{seconds:10.2f} s"
                f"{speed:21,.0f}")
        screen.show((line, "bold" if n == len(epochs) else ""))
    screen.show()
    if not all(math.isfinite(epoch.cost.item()) for epoch in epochs):
        screen.show(("The cost is not a number any more: the steps were too large. "
                     "Try a smaller --lr.", "yellow"))


def show_plot(screen: Screen, path: str, title: str, epochs: list[Epoch]) -> None:
    from minitorch.cli.plot import save_curves

    try:
        save_curves(path, title, epochs)
    except ImportError:
        screen.show("No plot: matplotlib is not installed (pip install 'minitorch-xp[cli]'; "
                    "--no-plot to do without).")
    else:
        screen.show(f"Curves saved in {path}")
