"""Words of the vocabulary that CuPy lacks, or spells otherwise than NumPy.

Held against CuPy itself by tests/test_cupy.py, which needs no GPU.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

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

    xp.accumulate = accumulate
    xp.amax, xp.amin, xp.add_at = amax, amin, add_at
