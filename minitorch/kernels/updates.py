"""An optimizer's update as a compiled loop, where one can be made and pays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minitorch.kernels import jit, loops
from minitorch.kernels import twister as twister  # random words are compiled from now on, too
from minitorch.spelling import InPlace, flat
from minitorch.symbols import Program

Array = Any
LARGE = 1 << 14  # elements: to load the compiler for less takes longer than it saves
FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}


class Fused(InPlace):
    """A program on a CPU: one compiled loop where that fits, else array calls, equal to the bit."""

    def __init__(self, program: Program) -> None:
        super().__init__(program, np)
        numbers, self.loop = loops.sources(program)
        scope: dict[str, Any] = {}
        exec("import math\n" + numbers, scope)
        self.numbers = scope["numbers"]
        self.loops: dict[Any, Callable[..., None]] = {}  # compiled, by dtype

    def __call__(self, arrays: Sequence[Array], options: dict[str, Any]) -> None:
        """Update ``arrays``, all of one shape and dtype, in place."""
        x = arrays[0]
        loop = self.loops.get(x.dtype)
        if loop is None and x.size >= LARGE and x.dtype in FLOATS and jit.usable():
            loop = self.loops[x.dtype] = jit.compiled(self.loop, x.dtype, len(arrays))
        vectors = fitting(arrays) if loop is not None and jit.switch.enabled else None
        if loop is None or vectors is None:
            super().__call__(arrays, options)
            return
        loop(np.array(self.numbers(options), x.dtype), *vectors)


def fitting(arrays: Sequence[Array]) -> list[Array] | None:
    """The arrays as a compiled loop takes them, vectors without gaps; None if they are not so."""
    dtype = arrays[0].dtype
    for i, a in enumerate(arrays):
        flags = a.flags
        if (type(a) is not ndarray or a.dtype != dtype
                or not (flags.behaved or (i == 1 and flags.aligned))):  # g is only read
            return None
    return flat(arrays)
