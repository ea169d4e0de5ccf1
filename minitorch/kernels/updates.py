"""An optimizer's update as a compiled loop, where one can be made and pays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minitorch.backends import numba as switch
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
        self.loop = loops.source(program)
        self.loops: dict[Any, Callable[..., None]] = {}  # compiled, by dtype

    def bound(self, arrays: Sequence[Array]) -> Callable[[Array, dict[str, Any]], None]:
        x, *state = arrays
        dtype, strides = x.dtype, x.strides
        vectors = fitting(arrays)
        loop: Any = None  # until there is one

        def run(g: Array, options: dict[str, Any]) -> None:
            nonlocal loop
            if loop is None:
                loop = self.loops.get(dtype)
                if loop is None and x.size >= LARGE and dtype in FLOATS and jit.usable():
                    loop = self.loops[dtype] = jit.compiled(self.loop, dtype, len(arrays) + 1)
            if (loop is None or vectors is None or not switch.enabled or type(g) is not ndarray
                    or g.dtype != dtype or g.strides != strides or not g.flags.aligned):
                self.calls([x, g, *state], options)
            else:
                loop(self.constants(options, dtype)[0], vectors[0], g.ravel("K"), *vectors[1:])
        return run


def fitting(arrays: Sequence[Array]) -> list[Array] | None:
    """The arrays as a compiled loop takes them, vectors without gaps; None if they are not so."""
    dtype = arrays[0].dtype
    if any(type(a) is not ndarray or a.dtype != dtype or not a.flags.behaved for a in arrays):
        return None
    return flat(arrays)
