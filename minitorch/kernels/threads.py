"""A loop over the elements of large arrays in parts, each part by a thread of its own.

Every element is computed from its own numbers alone, so parts give the bits of the whole. There are
as many threads as ``set_num_threads`` says, and they sleep until there is work.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from queue import SimpleQueue
from typing import Any

from minitorch.runtime import get_num_threads

Array = Any
PART = 1 << 16  # elements at least: to wake a thread takes as long as to compute some 20,000


class Job:
    """A call that the thread which asks for it makes itself, unless another has begun it."""

    def __init__(self, function: Callable[..., None], *args: Any) -> None:
        self.function, self.args = function, args
        self.begun, self.done = threading.Lock(), threading.Lock()
        self.done.acquire()
        self.error: BaseException | None = None

    def help(self) -> None:
        if self.begun.acquire(blocking=False):
            try:
                self.function(*self.args)
            except BaseException as error:
                self.error = error
            finally:
                self.done.release()

    def finish(self) -> None:
        self.help()
        self.done.acquire()
        if self.error is not None:
            raise self.error


class Helpers:
    """Threads that wait for jobs: made when they are first needed, anew in a forked process."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.avoided = -1

    def ask(self, jobs: Sequence[Job]) -> None:
        while len(self.threads) < len(jobs):
            thread = threading.Thread(target=self.serve, name="minitorch helper", daemon=True)
            thread.start()
            self.threads.append(thread)
            self.avoided = -1
        self.spread()
        for job in jobs:
            self.jobs.put(job)

    def serve(self) -> None:
        while True:
            self.jobs.get().help()

    def spread(self) -> None:
        """Keep the helpers from the core that asks.

        Linux wakes a thread there if no other core is idle, and none is where OpenBLAS's threads
        wait busily for the next product.
        """
        here = _core()()
        if here != self.avoided:
            self.avoided = here
            others = os.sched_getaffinity(0) - {here}
            for thread in self.threads if others else ():
                os.sched_setaffinity(thread.native_id or 0, others)


@cache
def _core() -> Callable[[], int]:
    """The number of the core that this thread is on; always -1 where systems have no such thing."""
    try:
        return ctypes.CDLL(None).sched_getcpu
    except (AttributeError, TypeError, OSError):
        return lambda: -1


helpers = Helpers()


def _anew() -> None:
    """A forked process has no threads but the one that forked."""
    global helpers
    helpers = Helpers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_anew)


def shared(loop: Callable[..., None], numbers: Array, vectors: Sequence[Array]) -> None:
    """``loop(numbers, *vectors)``, where no element needs another."""
    size = vectors[0].size
    n = min(size // PART, get_num_threads()) if size >= 2 * PART else 1
    if n == 1:
        loop(numbers, *vectors)
        return
    each = -(-size // n)
    parts = [[v[i:i + each] for v in vectors] for i in range(0, size, each)]
    jobs = [Job(loop, numbers, *part) for part in parts[1:]]
    helpers.ask(jobs)
    loop(numbers, *parts[0])
    for job in jobs:
        job.finish()
