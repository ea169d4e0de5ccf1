"""Switches of PyTorch's runtime that programs set: remembered, though nothing here depends on them.

How many threads NumPy uses is up to its linear-algebra library (OMP_NUM_THREADS); results on the
CPU are always deterministic, and always of full precision.
"""

from __future__ import annotations

import os
import warnings
from types import SimpleNamespace
from typing import Any

__all__ = ["get_num_threads", "set_num_threads", "get_num_interop_threads",
           "set_num_interop_threads", "use_deterministic_algorithms",
           "are_deterministic_algorithms_enabled", "set_float32_matmul_precision",
           "get_float32_matmul_precision", "set_flush_denormal", "compile", "version"]

_state: dict[str, Any] = {"threads": os.cpu_count() or 1, "interop": os.cpu_count() or 1,
                          "deterministic": False, "precision": "highest"}

version = SimpleNamespace(cuda=None, hip=None, debug=False)


def _positive(name: str, n: Any) -> int:
    if not isinstance(n, int) or isinstance(n, bool):
        raise RuntimeError(f"{name} expects an int, but got {type(n).__name__}")
    if n < 1:
        raise RuntimeError(f"{name} expects a positive integer, got {n}")
    return n


def get_num_threads() -> int:
    """The number given to ``set_num_threads``; at first, the processor's cores."""
    return _state["threads"]


def set_num_threads(int: int) -> None:
    """Accepted and remembered; set OMP_NUM_THREADS before the program starts to have an effect."""
    _state["threads"] = _positive("set_num_threads", int)


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


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted and remembered; products are always computed in full precision."""
    if precision not in ("highest", "high", "medium"):
        warnings.warn(f"{precision} is not one of 'highest', 'high', 'medium'; the current "
                      f"setting is kept", stacklevel=2)
        return
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` was given last."""
    return _state["precision"]


def set_flush_denormal(mode: bool) -> bool:
    """False: NumPy cannot flush denormal numbers to zero."""
    return False


def compile(model: Any = None, **options: Any) -> Any:
    """The model or function unchanged: there is no compiler here. Also a decorator."""
    return (lambda function: function) if model is None else model
