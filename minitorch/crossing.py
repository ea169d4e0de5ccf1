"""What crosses from a GPU to the host: each crossing waits until the GPU has caught up.

All of them pass through here, so that ``cuda.set_sync_debug_mode`` can name them. A check of
numbers on the GPU is not worth a wait: it leaves a mark there, which the next crossing reads.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any  # cupy.ndarray

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep

sync_mode = "default"  # or "warn" or "error": what a crossing does besides


def user_place() -> tuple[str, int]:
    """File and line of the innermost frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def announce() -> None:
    """Report a wait for the GPU that is about to be, if ``sync_mode`` says so."""
    if sync_mode == "default":
        return
    file, line = user_place()
    if sync_mode == "error":
        raise RuntimeError(f"called a synchronizing CUDA operation (at {file}:{line})")
    warnings.warn_explicit("called a synchronizing CUDA operation", UserWarning, file, line)


def ask(array: Array) -> None:
    """Announce that an operation needs to know numbers of ``array``, if it lies on a GPU."""
    if hasattr(array, "__cuda_array_interface__"):
        announce()


def fetch(array: Array) -> Any:
    """A NumPy copy of an array on the GPU; raises what an earlier check found (see ``Marks``)."""
    announce()
    out = array.get()
    for marks in _marks.values():
        marks.read()
    return out


def item(array: Array) -> Any:
    """The single number of an array, wherever it lies, as Python's."""
    return array.item() if type(array) is np.ndarray or not hasattr(array, "get") \
        else fetch(array).item()


class Marks:
    """Checks of numbers on one GPU that nobody waits for: each sets its own mark where it fails.

    One launch per check. What it would have raised is raised by the next crossing, with the line
    that made the call.
    """

    SLOTS = 256  # of marks; when they are used up, all other calls share the last one
    SHARED = "a line not remembered", 0, RuntimeError, "A number is out of its range"

    def __init__(self, cupy: Any) -> None:
        self.marks = cupy.zeros(self.SLOTS, "int8")
        self.slots: dict[Any, int] = {}
        self.waiting = False
        self.kernel = cupy.ElementwiseKernel(
            "T x, float64 low, float64 high, float64 besides, int32 slot", "raw int8 marks",
            "if (!(x >= low && x <= high) && x != besides) marks[slot] = 1",
            "minitorch_within")

    def check(self, x: Array, low: float, high: float, besides: float | None,
              error: type[Exception], what: str) -> None:
        """Mark, without waiting, whether ``x`` is not all within [low, high] or ``besides``."""
        key = (*user_place(), error, what)
        if key not in self.slots and len(self.slots) >= self.SLOTS - 1:
            key = self.SHARED
        slot = self.slots.setdefault(key, len(self.slots))
        self.kernel(x, low, high, low if besides is None else besides, slot, self.marks)
        self.waiting = True

    def read(self) -> None:
        """Raise what a check since the last time has found."""
        if not self.waiting:
            return
        self.waiting = False
        found = self.marks.get()
        if not found.any():
            return
        self.marks.fill(0)
        for (file, line, error, what), slot in self.slots.items():
            if found[slot]:
                raise error(f"{what} (on the GPU, where it is found later: by the call at "
                            f"{file}:{line})")


_marks: dict[int, Marks] = {}  # by the number of the GPU


def limits(check: Any, error: type[Exception],
           of: Callable[..., tuple[float, float, float | None, str]]) -> None:
    """Let ``check`` be made on the GPU too: ``of`` its arguments besides the array are the limits
    [low, high], a number that counts as within them, and the sentence for what is not."""
    check.error, check.of = error, of


def look(check: Any, x: Array, *args: Any) -> None:
    """Make a check (see ``limits``) of numbers on the GPU without waiting for the answer."""
    if x.size:
        device = x.device.id
        if device not in _marks:
            _marks[device] = Marks(sys.modules[type(x).__module__.partition(".")[0]])
        low, high, besides, what = check.of(*args)
        _marks[device].check(x, low, high, besides, check.error, what)


def caught_up() -> None:
    """The GPU has been waited for: raise what a check has found."""
    for marks in _marks.values():
        marks.read()


def forget() -> None:
    """Drop all marks, with the GPU's memory that they hold."""
    _marks.clear()
