"""Compiling CUDA texts, and launching the functions in them.

The only place that knows how. ``launcher`` is CuPy's; tests put in its place one that compiles the
same texts for the processor. Only a GPU can check ``Launcher.kernel`` and ``Launcher.address``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from minitorch import backend

Array = Any  # cupy.ndarray
# As NumPy rounds: no product and sum fused into one rounding. Division, square root and small
# numbers are IEEE's by NVRTC's own defaults.
OPTIONS = ("--std=c++17", "--fmad=false")


class Function:
    """A kernel that can be launched.

    ``args`` are arrays, passed as pointers; NumPy's scalars, and arrays of one structure, passed by
    value; and Python's ints, passed as ``long long``. Shapes, dtypes and gaps are the caller's to
    check. ``shared`` is the dynamic shared memory in bytes.
    """

    def __init__(self, launcher: Launcher, kernel: Callable[..., None]) -> None:
        self.launcher, self.kernel = launcher, kernel

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: Sequence[Any],
                 shared: int = 0) -> None:
        self.launcher.launches += 1
        self.kernel(grid, block, args, shared_mem=shared)


class Launcher:
    """Compiles by CuPy, and launches on its current stream; ``launches`` counts them."""

    def __init__(self) -> None:
        self.launches = 0
        self.functions: dict[Any, Function] = {}

    def function(self, source: str, name: str, options: tuple[str, ...] = ()) -> Function:
        """The function ``name`` of a text, which is compiled when first asked for."""
        key = source, name, options
        found = self.functions.get(key)
        if found is None:
            kernel = self.kernel(source, name, options)
            found = self.functions[key] = Function(self, kernel)
        return found

    def kernel(self, source: str, name: str, options: tuple[str, ...]) -> Callable[..., None]:
        """``kernel(grid, block, args, shared_mem=)``, the function itself."""
        module = backend.cupy_module().RawModule(code=source, options=(*OPTIONS, *options))
        return module.get_function(name)  # CuPy compiles equal texts once on each device

    @property
    def ndarray(self) -> type | None:
        """The type of the arrays that kernels take; None while there are none."""
        return getattr(sys.modules.get("cupy"), "ndarray", None)

    def address(self, array: Array) -> int:
        """Where an array begins, for tables of pointers."""
        return int(array.data.ptr)


launcher = Launcher()
