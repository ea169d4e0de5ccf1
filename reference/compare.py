"""Two processes, one program: the lines that PyTorch and minitorch print, in pairs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference.worker import ENGINES

ROOT = Path(__file__).parent.parent
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Line:
    """A line that a program printed, and the seconds of work before it."""

    text: str
    seconds: float


class Engine:
    """A program at work under one engine in a process of its own (see `reference.worker`)."""

    def __init__(self, name: str, arguments: list[str], threads: int) -> None:
        self.title = ENGINES[name]
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reference.worker", name, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def turn(self) -> Line | None:
        """Let it work until it has printed a line; None once its program has ended."""
        assert self.process.stdin is not None
        if self.process.returncode == 0:
            return None
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it is gone; what it left behind says how
        message = self.listen()
        return None if message is None else Line(message["line"], message["seconds"])

    def listen(self) -> dict[str, Any] | None:
        """What it has to say, or None if that was all.

        Raises RuntimeError if it says that it cannot work, or stops with an error; the
        traceback is then on stderr.
        """
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            if code := self.process.wait():
                raise RuntimeError(f"{self.title} stopped with exit code {code} (see above)")
            return None
        message: dict[str, Any] = json.loads(said)
        if "error" in message:
            raise RuntimeError(message["error"])
        return message

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


class Comparison:
    """PyTorch and minitorch running the same program, by turns; use it in a ``with``.

    With `yardstick` there is a third: PyTorch once more, on images changed in their last bit.
    `engines` holds a line about each, `data` one about the images. Iterating gives the lines that
    they print next to each other, PyTorch's first; None stands for an engine whose program has
    ended before another's. `watch` is called with an engine's title before each of its turns.

    Raises RuntimeError if the data is missing or damaged, or an engine fails.
    """

    def __init__(
        self,
        arguments: list[str],
        threads: int = 1,
        yardstick: bool = False,
        watch: Callable[[str], None] = lambda title: None,
    ) -> None:
        self.watch = watch
        self.running = [Engine(name, arguments, threads) for name in ENGINES]
        if yardstick:
            self.running.append(Engine("torch", [*arguments, "--nudged"], threads))
        try:
            hello = [engine.listen() or {} for engine in self.running]
        except BaseException:
            self.stop()
            raise
        self.engines: list[str] = [each["engine"] for each in hello[:2]]
        self.data: str = hello[0]["data"]

    def __iter__(self) -> Iterator[list[Line | None]]:
        while any(lines := [self.line(engine) for engine in self.running]):
            yield lines

    def line(self, engine: Engine) -> Line | None:
        self.watch(engine.title)
        return engine.turn()

    def stop(self) -> None:
        for engine in self.running:
            engine.stop()

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
