"""The same numbers, laid out in memory in every way that NumPy and tensors know."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

LAYOUTS = ("C", "F", "strided", "negative", "expanded")


def laid_out(x: Any, layout: str | None = None) -> Any:
    """A copy of ``x`` in a memory layout; without ``layout``, a dict of those in all that it has.

    ``x``: a NumPy array, or a tensor of minitorch or PyTorch (on the CPU); the copy of one that
    requires gradients is a leaf that does. All copies have equal values, shape and dtype:

    - "C" and "F": contiguous, the last or the first axis the fastest;
    - "strided": every second element of a wider array, not the first; between them is nan (the
      smallest number of integers, True of bools), to be found by who reads past them;
    - "negative": reversed along every axis; of NumPy only, tensors have no negative strides;
    - "expanded": stride 0, one element in many places, along every axis whose values are equal.

    A 0-d array has only the layouts "C" and "strided"; "expanded" is only for those with an axis
    longer than 1 along which all values are equal. Raises ValueError if ``x`` has no such layout.

    >>> import numpy as np
    >>> from minitorch.testing.strategies import laid_out
    >>> x = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    >>> for layout, y in laid_out(x).items():
    ...     print(layout, y.strides, np.array_equal(x, y))
    C (24, 8) True
    F (8, 16) True
    strided (112, 16) True
    negative (-24, -8) True
    expanded (0, 8) True
    """
    if layout is None:
        return {name: laid_out(x, name) for name in LAYOUTS if _refusal(x, name) is None}
    refusal = _refusal(x, layout)
    if refusal is not None:
        raise ValueError(refusal)
    if isinstance(x, np.ndarray):
        return _arrange(x, layout)
    lib = sys.modules[type(x).__module__.partition(".")[0]]
    out = lib.from_numpy(_arrange(x.detach().numpy(), layout))
    return out.requires_grad_() if x.requires_grad else out


def _refusal(x: Any, layout: str) -> str | None:
    """Why ``x`` cannot be laid out so."""
    if layout not in LAYOUTS:
        return f"there is no layout '{layout}', only {', '.join(LAYOUTS)}"
    if layout in ("F", "negative") and x.ndim == 0:
        return f"a 0-d array has no layout '{layout}'"
    if layout == "negative" and not isinstance(x, np.ndarray):
        return "tensors have no negative strides: lay out a NumPy array"
    if layout == "expanded" and not _equal_axes(x if isinstance(x, np.ndarray)
                                                else x.detach().numpy()):
        return (f"no axis of shape {tuple(x.shape)} is longer than 1 and of equal values: "
                f"arrays(layout='expanded') draws such")
    return None


def _equal_axes(x: np.ndarray) -> list[int]:
    """The axes longer than 1 along which all values are the same."""
    if not x.size:
        return []
    return [i for i in range(x.ndim) if x.shape[i] > 1 and np.array_equal(
        x, np.broadcast_to(np.take(x, [0], i), x.shape), equal_nan=x.dtype.kind in "fc")]


def _arrange(x: np.ndarray, layout: str) -> np.ndarray:
    """A copy of the array in a layout that it has."""
    if layout in ("C", "F"):
        return np.array(x, order="C" if layout == "C" else "F")
    if layout == "strided":
        wide = np.full([2 * n + 1 for n in x.shape] or [2], _filling(x.dtype), x.dtype)
        out = wide[(slice(1, None, 2),) * x.ndim] if x.ndim else wide[1, ...]
        out[...] = x
        return out
    if layout == "negative":
        backwards = (slice(None, None, -1),) * x.ndim
        return np.array(x[backwards], order="C")[backwards]
    axes = _equal_axes(x)
    once = np.array(x[tuple([slice(1) if i in axes else slice(None) for i in range(x.ndim)])])
    strides = [0 if i in axes else s for i, s in enumerate(once.strides)]
    return np.lib.stride_tricks.as_strided(once, x.shape, strides)  # writable, as PyTorch wants it


def _filling(dtype: Any) -> Any:
    if dtype.kind in "fc":
        return np.nan
    return True if dtype.kind == "b" else np.iinfo(dtype).min or np.iinfo(dtype).max
