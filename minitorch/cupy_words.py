"""Words of the vocabulary that CuPy lacks, spells otherwise than NumPy, or computes less well.

What CuPy takes is held against CuPy itself by tests/test_cupy.py, which needs no GPU.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from minitorch import crossing, runtime

Array = Any

ADDED_AT = ("int32", "int64", "uint64", "float16", "float32", "float64")  # what add.at knows


def respell(xp: SimpleNamespace, cp: Any) -> None:
    """Give ``xp``, made of CuPy as of NumPy, CuPy's own spellings."""
    def amax(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        return x.max(axis, None, keepdims)  # there is no maximum.reduce

    def amin(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        return x.min(axis, None, keepdims)

    def add_at(out: Array, key: Any, g: Array) -> None:
        if out.dtype in ADDED_AT:
            cp.add.at(out, key, g)
            return
        wide = out.astype("int64")
        cp.add.at(wide, key, g.astype("int64"))
        out[...] = wide

    def accumulate(word: str, x: Array, axis: int) -> Array:
        out, n = x.swapaxes(axis, 0).copy(), 1
        while n < len(out):  # each element meets that n before it, in log2(len) steps
            out[n:] = getattr(cp, word)(out[n:], out[:-n])
            n *= 2
        return out.swapaxes(axis, 0)

    def kind(x: Any, y: Any) -> str:
        return str((x if hasattr(x, "dtype") else y).dtype.kind)

    def remainder(x: Any, y: Any) -> Array:
        if kind(x, y) != "f":
            return cp.remainder(x, y)
        r = cp.fmod(x, y)  # CuPy's x - floor(x / y) * y loses digits, and is nan for y = inf
        return cp.where((r != 0) & ((r < 0) != (y < 0)), r + y, r)

    def floor_divide(x: Any, y: Any) -> Array:
        if kind(x, y) != "f":
            return cp.floor_divide(x, y)
        r = cp.fmod(x, y)  # CuPy's floor(x / y) is one too large where x / y rounds up
        q = (x - r) / y
        q = cp.where((r != 0) & ((r < 0) != (y < 0)), q - 1, q)
        whole = cp.floor(q)
        whole = cp.where(q - whole > 0.5, whole + 1, whole)
        whole = cp.where(q == 0, cp.copysign(0.0, x / y).astype(q.dtype, copy=False), whole)
        return cp.where(y == 0, x / y, whole) if hasattr(y, "dtype") or y == 0 else whole

    def fmod(x: Any, y: Any) -> Array:
        if kind(x, y) == "f":
            return cp.fmod(x, y)
        r = cp.remainder(x, y)  # CuPy's own goes by way of float64
        return cp.where((r != 0) & ((x < 0) != (y < 0)), r - y, r)

    def announced(word: Any, at: int) -> Any:
        """A word whose argument ``at`` is a key: how many elements a mask picks is waited for."""
        def function(*args: Any) -> Array:
            key = args[at]
            for k in key if isinstance(key, tuple) else (key,):
                if getattr(getattr(k, "dtype", None), "kind", "") == "b":
                    crossing.announce()
            return word(*args)
        return function

    def in_precision(asked: str) -> None:
        kinds = cp._core._routines_linalg
        cp._core.set_compute_type(np.float32, kinds.COMPUTE_TYPE_DEFAULT if asked == "highest"
                                  else kinds.COMPUTE_TYPE_TF32)

    runtime.precision_followers[:] = [in_precision]
    if runtime.get_float32_matmul_precision() != "highest":
        in_precision(runtime.get_float32_matmul_precision())
    xp.index, xp.index_put = announced(xp.index, 1), announced(xp.index_put, 1)
    xp.index_add = announced(xp.index_add, 2)
    xp.remainder, xp.floor_divide, xp.fmod = remainder, floor_divide, fmod
    xp.accumulate = accumulate
    xp.amax, xp.amin, xp.add_at = amax, amin, add_at
