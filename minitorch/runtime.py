"""Switches of PyTorch's runtime that programs set.

How many threads multiply matrices, and in what precision on a GPU, is told to the libraries that
do. The others are remembered, though nothing here depends on them: results on the CPU are always
deterministic, and always of full precision.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["get_num_threads", "set_num_threads", "get_num_interop_threads",
           "set_num_interop_threads", "use_deterministic_algorithms",
           "are_deterministic_algorithms_enabled", "set_float32_matmul_precision",
           "get_float32_matmul_precision", "set_flush_denormal", "version"]

_state: dict[str, Any] = {"threads": os.cpu_count() or 1, "interop": os.cpu_count() or 1,
                          "deterministic": False, "precision": "highest"}

version = SimpleNamespace(cuda=None, hip=None, debug=False)


def _positive(name: str, n: Any) -> int:
    if not isinstance(n, int) or isinstance(n, bool):
        raise RuntimeError(f"{name} expects an int, but got {type(n).__name__}")
    if n < 1:
        raise RuntimeError(f"{name} expects a positive integer, got {n}")
    return n


@cache
def _blas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Read and set the threads of NumPy's OpenBLAS; None if that is another library.

    Its functions are found through NumPy's module, which is linked to it. (Not on Windows, where
    that does not find them.) Builds of it differ in a prefix and a suffix of all their names.
    """
    try:
        module = ctypes.CDLL(vars(np)["_core"]._multiarray_umath.__file__)
    except (KeyError, AttributeError, OSError):
        return None
    for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_",
                 "scipy_openblas_{}_num_threads", "openblas_{}_num_threads"):
        if hasattr(module, name.format("set")):
            return getattr(module, name.format("get")), getattr(module, name.format("set"))
    return None


def get_num_threads() -> int:
    """How many threads multiply matrices; where NumPy's library does not say, what was set last."""
    blas = _blas()
    return blas[0]() if blas else _state["threads"]


def set_num_threads(int: int) -> None:
    """Let that many threads multiply matrices, in NumPy's OpenBLAS.

    Other libraries go by the environment: OMP_NUM_THREADS, set before the program starts.
    """
    n = _state["threads"] = _positive("set_num_threads", int)
    blas = _blas()
    if blas:
        blas[1](n)


def get_num_interop_threads() -> int:
    """The number given to ``set_num_interop_threads``; at first, the processor's cores."""
    return _state["interop"]


def set_num_interop_threads(int: int) -> None:
    """Accepted and remembered; operators run one after the other."""
    _state["interop"] = _positive("set_num_interop_threads", int)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted and remembered; results on the CPU are always deterministic."""
    _state["deterministic"] = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What ``use_deterministic_algorithms`` was given last."""
    return _state["deterministic"]


precision_followers: list[Callable[[str], None]] = []  # CuPy, once there are arrays of it


def set_float32_matmul_precision(precision: str) -> None:
    """How a GPU multiplies float32: as such ("highest") or in TF32, with 10 of its 23 bits.

    "high" and "medium" are the latter. A CPU always multiplies in full precision.
    """
    if precision not in ("highest", "high", "medium"):
        warnings.warn(f"{precision} is not one of 'highest', 'high', 'medium'; the current "
                      f"setting is kept", stacklevel=2)
        return
    _state["precision"] = precision
    for told in precision_followers:
        told(precision)


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` was given last."""
    return _state["precision"]


class _Environment(ctypes.Structure):
    """``fenv_t`` of C on x86-64 under Linux; its last word rules the vector units."""

    _fields_ = [("x87", ctypes.c_uint32 * 7), ("mxcsr", ctypes.c_uint32)]


FLUSH = 0x8040  # in mxcsr: denormal operands are 0, and denormal results become 0


@cache
def _c() -> Any:
    """The C library, where its floating-point environment is known; else None."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "fegetenv") and hasattr(library, "fesetenv") else None


def set_flush_denormal(mode: bool) -> bool:
    """Let this thread take denormal numbers (in float32: below 1.2e-38) for 0; whether it can.

    Processors compute with them many times more slowly. It can under Linux on x86-64.
    """
    c, now = _c(), _Environment()
    if c is None:
        return False
    c.fegetenv(ctypes.byref(now))
    now.mxcsr = now.mxcsr | FLUSH if mode else now.mxcsr & ~FLUSH
    c.fesetenv(ctypes.byref(now))
    return True


class flushing:
    """``with flushing():`` denormal numbers are taken for 0, where this thread can do that."""

    def __enter__(self) -> None:
        self.c, self.before = _c(), _Environment()
        if self.c is not None:
            self.c.fegetenv(ctypes.byref(self.before))
            set_flush_denormal(True)

    def __exit__(self, *error: Any) -> None:
        if self.c is not None:
            self.c.fesetenv(ctypes.byref(self.before))
