"""``minitorch lab NAME``: run an experiment, print what it shows, save its numbers and pictures."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import minitorch
from minitorch.cli.recipes import load
from minitorch.cli.screen import Screen
from minitorch.labs import LABS
from minitorch.labs.networks import Split, Table
from minitorch.labs.report import claim_lines, save, summary_lines


def run(options: argparse.Namespace) -> int:
    """Run the lab that the options name; returns the exit status.

    Raises RuntimeError, ValueError or OSError, before any training, if something is missing.
    """
    screen = Screen()
    if options.list:
        for name, what in LABS.items():
            screen.show((f"{name:16}", "bold"), what)
        return 0
    if options.name is None:
        raise ValueError(f"say which: {', '.join(LABS)}, or all; or --list")
    if options.quick and options.data is not None:
        raise ValueError("--quick runs on the embedded digits; leave --data out")
    if options.name == "all":
        from minitorch.cli import course

        return course.run(options)
    torch = engine_module(options.engine or "minitorch")
    train, test = splits(options.data, options.download)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)

    screen.show((options.name, "bold"), f": {LABS[options.name]}")
    screen.show((described(options.data, train, test), "dim"))

    def tick(what: str) -> None:
        if options.progress:
            screen.show(f"  {what}")
        else:
            screen.busy(f"  {what}")
    try:
        about, result = perform(torch, options.name, train, test, options.data, options.seed, tick)
    finally:
        screen.busy("")
    show(screen, result)
    files = save(about, result, folder)
    screen.show(f"Numbers saved in {files[0]} and {len(files) - 1} tables beside it")
    if options.pictures:
        show_pictures(screen, options.name, result, folder)
    return 0


def engine_module(engine: str) -> Any:
    """minitorch, or PyTorch on one thread. Raises RuntimeError if PyTorch is not installed."""
    if engine == "minitorch":
        return minitorch
    try:
        torch = importlib.import_module(engine)
    except ImportError as error:
        raise RuntimeError(f"--engine {engine}: it is not installed here ({error})") from error
    torch.set_num_threads(1)
    return torch


def splits(data: str | None, download: bool) -> tuple[Split, Split]:
    """Images and labels to train on and to test with, as NumPy arrays."""
    train, test = ((x.numpy(), y.numpy()) for x, y in load(data, download, "cpu"))
    return train, test


def described(data: str | None, train: Split, test: Split) -> str:
    source = "the embedded digits" if data is None else "MNIST"
    return f"{source}: {len(train[0]):,} images to train on, {len(test[0]):,} to test with"


def perform(torch: Any, name: str, train: Split, test: Split, data: str | None, seed: int,
            tick: Callable[[str], None]) -> tuple[dict[str, Any], dict[str, Table]]:
    """Run a lab; what was run, and its tables. The embedded digits are the quick form."""
    lab = importlib.import_module(f"minitorch.labs.{name}")
    about = identity(torch.__name__, name, fingerprint(train, test), seed)
    start = time.perf_counter()
    result = lab.run(torch, train, test, quick=data is None, seed=seed, tick=tick)
    about["seconds"] = round(time.perf_counter() - start, 2)
    return about, result


def fingerprint(train: Split, test: Split) -> dict[str, Any]:
    """How many images of how many pixels, and a hash of all."""
    digest = hashlib.sha256()
    for array in (*train, *test):
        digest.update(array)
    return {"train": len(train[0]), "test": len(test[0]), "pixels": train[0].shape[1],
            "data": digest.hexdigest()[:16]}


def identity(engine: str, lab: str, data: dict[str, Any], seed: int) -> dict[str, Any]:
    """What a run's numbers depend on: engine, data, seed, and the program itself."""
    version = minitorch.__version__ if engine == "minitorch" else metadata.version(engine)
    code = hashlib.sha256()
    root = Path(minitorch.__file__).parent
    for file in sorted(root.rglob("*.py") if engine == "minitorch" else root.glob("labs/*.py")):
        code.update(file.read_bytes())
    return {"lab": lab, "engine": engine, "version": version, "seed": seed, **data,
            "code": code.hexdigest()[:16]}


def show(screen: Screen, result: dict[str, Table]) -> None:
    """The summary, and each claim: seen or not."""
    screen.show()
    for line in summary_lines(result):
        screen.show(line)
    screen.show()
    for line in claim_lines(result):
        screen.show((line[:8], "green" if line.startswith("seen") else "bold yellow"), line[8:])
    screen.show()


def show_pictures(screen: Screen, name: str, result: dict[str, Table], folder: Path) -> None:
    """Save a PNG for each picture, and say so."""
    lab = importlib.import_module(f"minitorch.labs.{name}")
    count = 0
    try:
        for picture in lab.draw(result):
            picture.figure.savefig(folder / f"{name}-{picture.name}.png")
            count += 1
    except ImportError as error:
        screen.show(f"No pictures: {error}")
    else:
        screen.show(f"{count} pictures saved in {folder} as {name}-….png")
