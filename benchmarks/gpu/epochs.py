"""Epochs of MNIST with 784-256-256-10 in batches of 100, the images on the device.

The images are MNIST's where their folder is known, else noise of the same size: no engine's time
depends on them. The permutation of an epoch is drawn by NumPy, the same for all, and copied.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from benchmarks import epoch
from benchmarks.gpu.steps import COURSE
from benchmarks.steps import read
from benchmarks.table import SEED, Table, Unfit, Work

BATCH = 100


def images() -> tuple[Any, Any]:
    """Images (N, 784) in [0, 1] and labels (N,), as many as a whole number of steps takes."""
    n = epoch.steps() * BATCH
    if epoch.FOLDER in os.environ:
        x, y = epoch.arrays()
        return x[:n], y[:n]
    rng = np.random.default_rng(SEED)
    return rng.random((n, 784), np.float32), rng.integers(0, 10, n)


def row(epochs: int) -> Callable[[Any], Work]:
    def work(engine: Any) -> Work:
        if epochs > 1 and not engine.graph:
            raise Unfit(f"{epochs} epochs are for graphs; else see 1 epoch")
        engine.precise("FP32")
        x, y = images()
        epoch_of = engine.epochs(COURSE["A"], x, y, BATCH)

        def losses(seed: int) -> Iterator[Any]:
            yield from epoch_of(np.random.default_rng(seed).permutation(len(x)))

        def check() -> list[float]:
            """Read one by one: a graph's loss is overwritten by the next."""
            return [read(loss) for loss in islice(losses(SEED), epoch.FIRST)]

        def measure() -> float:
            engine.wait()
            start = time.perf_counter()
            for seed in range(epochs):
                deque(losses(seed), maxlen=0)
            engine.wait()
            return time.perf_counter() - start
        return Work(check=check, measure=measure)
    return work


TABLE = Table(f"Epochs of MNIST with {COURSE['A']}, FP32, images on the device",
              {"1 epoch": row(1), "15 epochs": row(15)},
              engines=("minitorch", "graphed", "torch", "fused", "torch graph", "jax"), unit="s",
              rounds=3, setup=3)
