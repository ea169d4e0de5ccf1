"""Recording a step of a GPU on the CPU: from copies, and in words that have a translation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.coo import Coo
from minitorch.kernels.cuda import launch
from minitorch.plan.compiled import Refused
from minitorch.plan.noted import Noted, note

Array = Any


def library(tensors: list[Any]) -> Any:
    """NumPy or CuPy: whose arrays the tensors are."""
    return np if all(isinstance(t.array, (np.ndarray, Coo)) for t in tensors) \
        else backend.cupy_module()


def check_apart(tensors: list[Any]) -> None:
    """Raise ``Refused`` where two tensors see the same memory: their copies would not."""
    kind: Any = launch.launcher.ndarray
    arrays: list[Any] = list({id(t.array): t.array for t in tensors}.values())
    ends = sorted((launch.launcher.address(a), a.nbytes, a.shape) for a in arrays
                  if type(a) is kind and a.nbytes)
    for (first, size, shape), (second, _, other) in pairwise(ends):
        if second < first + size:
            raise Refused(f"tensors of shapes {shape} and {other} share memory: a graph would not "
                          f"know; let the step reach only one of them")


@contextmanager
def at_home(tensors: list[Any]) -> Iterator[list[tuple[Any, Array, Array]]]:
    """Let every tensor hold a copy on the CPU meanwhile: (tensor, its own array, the copy)."""
    copies: dict[int, Array] = {}
    held = []
    for t in tensors:
        if isinstance(t.array, Coo):
            raise Refused("a sparse tensor has no translation for the GPU")
        if not t.array.flags.c_contiguous:
            raise Refused(f"a tensor of shape {tuple(t.array.shape)} has gaps, or columns for "
                          f"rows: make it contiguous()")
        if id(t.array) not in copies:
            copies[id(t.array)] = np.array(backend.move(t.array, backend.CPU))
        held.append((t, t.array, copies[id(t.array)]))
    try:
        for t, _, host in held:
            t.array = host
        yield held
    finally:
        for t, device, _ in held:
            t.array = device


LARGE = 1 << 28  # multiplications of a product that need not be made: some milliseconds


def hollow(x: Array, y: Array) -> Array:
    """``x @ y`` while a step is recorded. Of a large product only the shape matters, and that its
    numbers hang on both: they are the proof's alone.
    """
    if x.ndim == y.ndim == 2 and x.size * y.shape[1] > LARGE:
        return x.mean(1, keepdims=True) * y.mean(0)
    return np.asarray(np.matmul(x, y))


@contextmanager
def plain_words() -> Iterator[None]:
    """Sums and choices as NumPy spells them, not by products and bits as is quick on a CPU."""
    def matmul(x: Array, y: Array) -> Array:
        return note(hollow, (x, y), {}) if isinstance(x, Noted) else hollow(x, y)

    def sum(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        reduce: Any = np.add.reduce
        return reduce(x, axis, None, None, keepdims)
    xp = backend.numpy_words
    before = xp.sum, xp.where, xp.matmul
    xp.sum, xp.where, xp.matmul = sum, np.where, matmul
    try:
        yield
    finally:
        xp.sum, xp.where, xp.matmul = before
