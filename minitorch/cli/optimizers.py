"""``minitorch optimizers``: all of them on two surfaces and a network, as a table and a picture."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import minitorch as torch
from minitorch.cli.recipes import load
from minitorch.cli.screen import Bar, Screen
from minitorch.labs.contest import CONTESTANTS, SURFACES, Result, train, walk

BATCH = 100


def run(options: argparse.Namespace) -> int:
    """Run the contest as the options say; returns the exit status, 130 if Ctrl-C ended it early.

    Raises RuntimeError, ValueError or OSError, before any training, if something is missing.
    """
    if options.plot is not None and not (folder := Path(options.plot).absolute().parent).is_dir():
        raise ValueError(f"--plot {options.plot}: there is no folder {folder}; make it first")
    (images, labels), test = load(options.data, options.download, "cpu")
    source = "the embedded digits" if options.data is None else "MNIST"
    epochs = options.epochs or (20 if options.data is None else 1)
    batches = epochs * (len(images) // BATCH)

    screen = Screen()
    screen.show((f"{len(CONTESTANTS)} optimizers", "bold"),
                f"; {options.steps} steps on {' and '.join(s.name for s in SURFACES)}, {batches} "
                f"on a network, {images.shape[1]}-256-256-10 with ReLU, on {source}")
    results: list[Result] = []
    status = 0
    show_head(screen)
    try:
        with Bar(screen, len(CONTESTANTS), batches) as bar:
            bar.what = "optimizer"
            for who in CONTESTANTS:
                bar.note = who.label
                paths = [walk(torch, who, surface, options.steps) for surface in SURFACES]
                training = train(torch, who, images, labels, test, epochs, BATCH, options.seed,
                                 bar.tick)
                results.append(Result(who, paths, training))
                show_row(screen, results[-1])
    except KeyboardInterrupt:
        screen.show((f"Stopped after {len(results)} of {len(CONTESTANTS)} optimizers.", "yellow"))
        status = 130
    if results:
        show_notes(screen)
        if options.plot is not None:
            show_plot(screen, options.plot, source, results)
    return status


COLUMNS = ("Rosenbrock", 14), ("saddle", 12), ("cost", 10), ("accuracy", 11), ("step", 12), (
    "of it update", 15)


def show_head(screen: Screen) -> None:
    screen.show()
    screen.show((f"{'optimizer':15}" + "".join(f"{name:>{width}}" for name, width in COLUMNS),
                 "bold"))
    screen.show(("─" * (15 + sum(width for _, width in COLUMNS)), "dim"))


def show_row(screen: Screen, result: Result) -> None:
    training = result.training
    ends = [surface.f(*path[-1]) for surface, path in zip(SURFACES, result.paths)]
    screen.show(f"{result.who.label:15}{number(ends[0]):>14}{number(ends[1]):>12}"
                f"{number(training.last_cost):>10}{training.accuracy:>11.2%}"
                f"{micro(training.seconds):>12}{micro(training.update):>15}")


def show_notes(screen: Screen) -> None:
    screen.show()
    screen.show(("Rosenbrock's lowest value is 0, the saddle's -1. The cost is the mean over the "
                 "last ten batches.", "dim"))
    screen.show(("Rates were chosen by hand for each. LBFGS computes the loss several times a "
                 "step; Rprop is", "dim"))
    screen.show(("made for full batches, and shows it. SparseAdam gets the dense gradients as "
                 "sparse ones.", "dim"))


def number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) and 1e-3 < abs(value) < 1e4 else f"{value:.1e}"


def micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} us"


def show_plot(screen: Screen, path: str, source: str, results: list[Result]) -> None:
    try:
        from minitorch.cli.contest_plot import save_contest

        save_contest(path, source, results)
    except ImportError:
        screen.show("No plot: matplotlib is not installed (pip install 'minitorch-xp[cli]'; "
                    "--no-plot to do without).")
    else:
        screen.show(f"Picture saved in {path}")

