"""A loop over elements, on several threads at once.

The threads are Python's: a compiled loop holds no lock of the interpreter. They sleep between
calls, unlike OpenMP's, which spin and would disturb the threads of the linear-algebra library.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from queue import SimpleQueue
from typing import Any

Array = Any


class _Pool:
    """Sleeping threads, one caller at a time."""

    def __init__(self) -> None:
        self.taken = threading.Lock()
        self.inboxes: list[SimpleQueue[Any]] = []

    def grow(self, n: int) -> None:
        for i in range(len(self.inboxes), n):
            inbox: SimpleQueue[Any] = SimpleQueue()
            threading.Thread(target=_work, args=(inbox,), daemon=True,
                             name=f"minitorch-{i + 1}").start()
            self.inboxes.append(inbox)


def _work(inbox: SimpleQueue[Any]) -> None:
    while True:
        loop, part, done = inbox.get()
        try:
            loop(*part)
            done.put(None)
        except BaseException as error:
            done.put(error)


_pool = _Pool()


def _forget() -> None:
    """A forked process has none of the threads."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def split(loop: Callable[..., None], c: Array, vectors: Sequence[Array], n: int) -> None:
    """``loop(c, *vectors)``, the vectors in ``n`` parts at once.

    Where the threads are taken, by another thread's step, all of it runs in this one.
    """
    pool = _pool
    if n < 2 or not pool.taken.acquire(blocking=False):
        loop(c, *vectors)
        return
    try:
        pool.grow(n - 1)
        size = len(vectors[0])
        ends = [size * i // n for i in range(n + 1)]
        first, *rest = [[c, *[a[i:j] for a in vectors]] for i, j in pairwise(ends)]
        done: SimpleQueue[Any] = SimpleQueue()
        for inbox, part in zip(pool.inboxes, rest):
            inbox.put((loop, part, done))
        try:
            loop(*first)
        finally:
            errors = [done.get() for _ in rest]  # none is left writing
        for error in errors:
            if error is not None:
                raise error
    finally:
        pool.taken.release()
