"""One engine in its own process, working one printed line at a time.

``python -m reference.worker ENGINE PROGRAM [options]`` speaks with the process that started it: it
introduces itself, then waits for an empty line, its turn. It works until the program has printed a
line, hands that line over together with the seconds it took, and waits again. So engines can be
watched side by side though only one is ever busy: none disturbs another's caches and cores, and
the seconds are those of an engine working alone.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import io
import json
import os
import sys
import time
from typing import Any, TextIO

import numpy as np

ENGINES = {"torch": "PyTorch", "minitorch": "minitorch"}


class Turns(io.TextIOBase):
    """A stdout that hands each line over and then waits for the next turn."""

    def __init__(self, out: TextIO, turns: TextIO) -> None:
        self.out, self.turns = out, turns
        self.unfinished = ""
        self.start = 0.0

    def write(self, text: str) -> int:
        *lines, self.unfinished = (self.unfinished + text).split("\n")
        for line in lines:
            self.hand_over(line=line, seconds=time.perf_counter() - self.start)
        return len(text)

    def hand_over(self, **message: Any) -> None:
        print(json.dumps(message), file=self.out, flush=True)
        if not self.turns.readline():
            os._exit(0)  # nobody is listening any more
        self.start = time.perf_counter()


def load_engine(name: str, float64: bool = False) -> tuple[Any, str]:
    """The engine's module, and one line about its version and what multiplies its matrices."""
    torch = importlib.import_module(name)
    if float64:
        torch.set_default_dtype(torch.float64)
    if name == "torch":
        return torch, f"PyTorch {torch.__version__}"
    from minitorch.cli.info import blas

    return torch, f"minitorch {torch.__version__} on NumPy {np.__version__} with {blas()}"


def prepare(options: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """The program and its arguments but the first; without `epochs`, as many as the course's."""
    from reference import data
    from reference.programs import PROGRAMS

    program = PROGRAMS[options.program]
    arguments: dict[str, Any] = {}
    if takes_data(program):
        images = data.load(options.data, np.float64 if options.float64 else np.float32)
        arguments["data"] = images.nudged() if options.nudged else images
    if options.epochs is not None:
        arguments["epochs"] = options.epochs
    return program, arguments


def takes_data(program: Any) -> bool:
    """Whether a program learns from images, or has its own few numbers."""
    return "data" in inspect.signature(program).parameters


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reference.worker")
    parser.add_argument("engine", choices=list(ENGINES))
    parser.add_argument("program")
    parser.add_argument("--data")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--float64", action="store_true")
    parser.add_argument("--nudged", action="store_true")
    options = parser.parse_args()

    turns = Turns(sys.stdout, sys.stdin)
    try:
        program, arguments = prepare(options)  # before the engine, which takes seconds to load
    except (OSError, RuntimeError, ValueError) as error:  # the files are missing or damaged
        turns.hand_over(error=str(error))
        return
    torch, about = load_engine(options.engine, options.float64)
    turns.hand_over(engine=about, data=str(arguments.get("data", "")))
    sys.stdout = turns
    program(torch, **arguments)


if __name__ == "__main__":
    main()
