"""``minitorch lab all``: every lab under both engines, and one report of them."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from minitorch.cli.lab import described, fingerprint, identity, splits
from minitorch.cli.screen import Screen
from minitorch.labs import LABS
from minitorch.labs.report import load, stem
from minitorch.utils.benchmark.threads import processors

# Seconds of each lab, the mean of both engines, on one core of a server: on the digits, on MNIST.
# They divide the work and begin the estimate; what runs really take corrects it.
SECONDS: dict[str, tuple[float, float]] = {
    "backprop": (8, 95), "activations": (11, 135), "initialisation": (12, 600),
    "overfitting": (9, 150), "batchnorm": (8, 160), "optimizers": (16, 300), "rbm": (9, 110)}
ENGINES = {"minitorch": "minitorch", "torch": "PyTorch"}
Task = tuple[str, str]  # a lab and an engine


class Child:
    """A run in a process of its own, so that neither engine's idle threads disturb the other."""

    def __init__(self, task: Task, options: argparse.Namespace, folder: Path) -> None:
        self.task, self.start = task, time.monotonic()
        lab, engine = task
        arguments = [lab, "--engine", engine, "--out", str(folder), "--seed", str(options.seed),
                     "--progress", "--no-pictures"]
        if options.data is not None:
            arguments += ["--data", options.data]
        self.log = folder / f"{stem(lab, engine)}.log"
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with open(self.log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "minitorch", "lab", *arguments], stdout=out,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={**os.environ, **threads})

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start

    def said(self) -> str:
        """The last line of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def run(options: argparse.Namespace) -> int:
    """Run what is not there yet, then write the report; returns the exit status.

    A run is kept if its data, seed and code are those of now: an interrupted course goes on where
    it stopped. Raises RuntimeError, ValueError or OSError, before any run, if data is missing.
    """
    try:  # what the report needs, before all the work
        from minitorch.labs import page
    except ImportError as error:
        raise RuntimeError(str(error)) from error

    screen = Screen()
    train, test = splits(options.data, options.download)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    engines = [options.engine] if options.engine else [
        engine for engine in ENGINES if importlib.util.find_spec(engine)]
    tasks = [(lab, engine) for lab in LABS for engine in engines]
    data = fingerprint(train, test)
    todo = [task for task in tasks if not there(folder, task, data, options.seed)]

    under = " and ".join(ENGINES[engine] for engine in engines)
    screen.show((f"{len(LABS)} labs", "bold"), f" under {under}")
    screen.show((described(options.data, train, test), "dim"))
    if len(todo) < len(tasks):
        screen.show(f"{len(tasks) - len(todo)} of {len(tasks)} runs are in {folder} already; to do "
                    f"them again, remove their files")
    failed: list[Task] = []
    try:
        failed = work(screen, todo, options, folder)
    except KeyboardInterrupt:
        screen.show(("Stopped. The same command goes on with the runs that are missing.", "yellow"))
        return 130
    finally:
        screen.busy("")
    screen.busy("  drawing the report")
    try:
        file = page.write(folder, described(options.data, train, test), engines, failed,
                          workers=min(processors(), len(LABS)))
    finally:
        screen.busy("")
    screen.show(f"Report: {file} (one file, {file.stat().st_size / 1e6:.1f} MB); pictures, CSV and "
                f"JSON beside it")
    return 1 if failed else 0


def there(folder: Path, task: Task, data: dict[str, Any], seed: int) -> bool:
    """Whether this run's numbers are in the folder, from the same data, seed and code."""
    try:
        about, _ = load(folder / f"{stem(*task)}.json")
    except (OSError, ValueError):
        return False
    wanted = identity(task[1], task[0], data, seed)
    return {key: about.get(key) for key in wanted} == wanted


def work(screen: Screen, tasks: list[Task], options: argparse.Namespace, folder: Path
         ) -> list[Task]:
    """Run the tasks, as many at a time as there are cores; the ones that failed."""
    waiting = sorted(tasks, key=lambda task: -expected(task, options))  # the long ones first
    workers = min(processors(), max(1, len(tasks)))
    if tasks:
        total = sum(expected(task, options) for task in tasks)
        longest = max(expected(task, options) for task in tasks)
        screen.show(f"{len(tasks)} runs, {workers} at a time: about "
                    f"{duration(max(total / workers, longest))}")
    running: list[Child] = []
    failed: list[Task] = []
    pace: list[float] = []  # seconds taken for each second expected
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(Child(waiting.pop(0), options, folder))
            time.sleep(0.1)
            for child in running[:]:
                status = child.process.poll()
                if status is None:
                    continue
                running.remove(child)
                pace.append(child.seconds / expected(child.task, options))
                say(screen, child, status, folder)
                if status:
                    failed.append(child.task)
            left = sum(expected(task, options) for task in waiting) + sum(
                max(0.0, expected(child.task, options) - child.seconds) for child in running)
            factor = sum(pace) / len(pace) if pace else 1.0
            screen.busy(f"  {duration(left * factor / workers)} left; " + "; ".join(
                f"{child.task[0]} ({ENGINES[child.task[1]]}): {child.said()}" for child in running))
    finally:
        for child in running:
            child.process.kill()
            child.process.wait()
    return failed


def say(screen: Screen, child: Child, status: int, folder: Path) -> None:
    """A line on a run that has ended."""
    lab, engine = child.task
    head = f"{lab:16}{ENGINES[engine]:11}{child.seconds:6.0f} s   "
    if status:
        screen.show(head, (f"failed: {child.said()} (all of it: {child.log})", "bold red"))
        return
    child.log.unlink()
    seen = load(folder / f"{stem(lab, engine)}.json")[1]["claims"]["seen"]
    screen.show(head, f"{sum(seen)} of {len(seen)} claims seen")


def expected(task: Task, options: argparse.Namespace) -> float:
    return SECONDS.get(task[0], (8.0, 120.0))[options.data is not None]


def duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"
