"""Compiling a loop with Numba, and keeping what was compiled on disk.

Numba is optional (the extra ``fast``) and loaded when the first kernel is made, not before.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from minitorch.backends import numba as switch

HEADER = "# Written by minitorch.kernels from a formula, for Numba; may be deleted.\n"


@cache
def _numba() -> Any:
    """Numba, or None where it is not installed or does not work beside this NumPy."""
    if importlib.util.find_spec("numba") is None:
        return None
    try:
        import numba
    except ImportError as error:
        warnings.warn(f"Numba is installed but cannot be loaded ({error}); optimizers run without "
                      f"it", RuntimeWarning, stacklevel=2)  # once, as the answer is kept
        return None
    return numba


def usable() -> bool:
    """Whether kernels may be compiled: Numba is there, and not switched off."""
    return switch.enabled and _numba() is not None


def folder() -> str:
    """Where compiled loops are kept: ``MINITORCH_CACHE_DIR``, or the user's folder of caches."""
    user = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or "~/.cache"
    return os.environ.get("MINITORCH_CACHE_DIR") or os.path.join(os.path.expanduser(user),
                                                                 "minitorch")


def written(text: str) -> str | None:
    """The path of a file that holds ``text``, named after it; None where none can be written."""
    path = os.path.join(folder(), f"loop_{hashlib.sha256(text.encode()).hexdigest()[:16]}.py")
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return path
    except OSError:
        pass
    try:
        os.makedirs(folder(), exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=folder())
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)  # whole, whoever else writes it at the same time
    except OSError:
        return None
    return path


@cache
def compiled(text: str, dtype: np.dtype[Any], arrays: int) -> Callable[..., None]:
    """``loop(c, x, g, *state)`` as machine code for arrays of ``dtype``; ``c`` and ``g`` are read.
    """
    kind = _numba().from_dtype(dtype)
    vector, read = (_numba().types.Array(kind, 1, "C", readonly=r) for r in (False, True))
    return machine_code(text, "void", read, vector, read, *[vector] * (arrays - 2))


def machine_code(text: str, result: str, *types: Any) -> Callable[..., Any]:
    """The function that ``text`` defines, compiled for arguments of these types of Numba's."""
    numba = _numba()
    types = tuple([getattr(numba.types, t) if isinstance(t, str) else t for t in types])
    signature = getattr(numba.types, result)(*types)
    text = HEADER + text + "\n"
    path = written(text)

    def build(path: str | None) -> Any:
        scope: dict[str, Any] = {"np": np, "__name__": __name__}
        exec(compile(text, path or "<loop>", "exec"), scope)
        # NumPy's error model: a division by 0 is inf or nan. No fastmath: as NumPy rounds.
        make = numba.njit([signature], nogil=True, error_model="numpy", cache=path is not None)
        return make(scope[text[len(HEADER + "def "):text.index("(")]])

    try:
        return build(path)
    except Exception:  # the cache: not writable, full, or a file in it is not what it was
        if path is None:
            raise
        return build(None)
