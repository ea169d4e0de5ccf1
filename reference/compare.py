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
        self.waits = False  # for its turn

    def next(self) -> dict[str, Any] | None:
        """Give it a turn; what it has to say, or None once the program has ended.

        Raises RuntimeError if it says that it cannot work, or stops with an error; the
        traceback is then on stderr.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        if self.waits:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        self.waits = bool(answer)
        if not answer:
            if code := self.process.wait():
                raise RuntimeError(f"{self.title} stopped with exit code {code} (see above)")
            return None
        message: dict[str, Any] = json.loads(answer)
        if "error" in message:
            raise RuntimeError(message["error"])
        return message

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


class Comparison:
    """PyTorch and minitorch running the same program, by turns.

    `engines` holds a line about each, `data` one about the images. Iterating gives the lines that
    the two print in pairs, PyTorch's first; None stands for an engine that has ended before the
    other. `watch` is called with an engine's title before each of its turns.

    Raises RuntimeError if the data is missing or damaged, or an engine fails.
    """

    def __init__(
        self,
        arguments: list[str],
        threads: int = 1,
        watch: Callable[[str], None] = lambda title: None,
    ) -> None:
        self.watch = watch
        self.running = [Engine(name, arguments, threads) for name in ENGINES]
        try:
            hello = [engine.next() or {} for engine in self.running]
        except BaseException:
            self.stop()
            raise
        self.engines = [str(each["engine"]) for each in hello]
        self.data = str(hello[0]["data"])

    def __iter__(self) -> Iterator[tuple[Line | None, Line | None]]:
        one, other = self.running
        while True:
            pair = self.line(one), self.line(other)
            if pair == (None, None):
                return
            yield pair

    def line(self, engine: Engine) -> Line | None:
        if engine.process.poll() is not None:
            return None
        self.watch(engine.title)
        message = engine.next()
        return None if message is None else Line(message["line"], message["seconds"])

    def stop(self) -> None:
        for engine in self.running:
            engine.stop()

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
