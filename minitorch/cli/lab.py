"""``minitorch lab NAME``: run an experiment, print what it shows, save its numbers and picture."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import minitorch as torch
from minitorch.cli.recipes import load
from minitorch.cli.screen import Screen
from minitorch.labs import LABS
from minitorch.labs.report import claim_lines, save


def run(options: argparse.Namespace) -> int:
    """Run the lab that the options name; returns the exit status.

    Raises RuntimeError, ValueError or OSError, before any training, if something is missing.
    """
    screen = Screen()
    if options.list:
        for name, about in LABS.items():
            screen.show((f"{name:16}", "bold"), about)
        return 0
    if options.name is None:
        raise ValueError(f"say which: {', '.join(LABS)}; or --list")
    if options.quick and options.data is not None:
        raise ValueError("--quick runs on the embedded digits; leave --data out")
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    train, test = ((x.numpy(), y.numpy()) for x, y in load(options.data, options.download, "cpu"))

    lab = importlib.import_module(f"minitorch.labs.{options.name}")
    source = "the embedded digits" if options.data is None else "MNIST"
    screen.show((options.name, "bold"), f": {LABS[options.name]}")
    screen.show((f"{source}: {len(train[0]):,} images to train on, {len(test[0]):,} to test with",
                 "dim"))
    try:
        result = lab.run(torch, train, test, quick=options.data is None, seed=options.seed,
                         tick=lambda what: screen.busy(f"  {what}"))
    finally:
        screen.busy("")
    screen.show()
    for line in claim_lines(result):
        screen.show((line[:8], "green" if line.startswith("seen") else "bold yellow"), line[8:])
    screen.show()
    files = save(result, folder, options.name)
    screen.show(f"Numbers saved in {files[0]} and {len(files) - 1} tables beside it")
    try:
        lab.draw(result, str(folder / f"{options.name}.png"))
    except ImportError as error:
        screen.show(f"No picture: {error}")
    else:
        screen.show(f"Picture saved in {folder / f'{options.name}.png'}")
    return 0
