"""MKL multiplies large matrices where it is installed (the extra ``mkl``), and not NumPy's BLAS.

``enabled = False``, or ``MINITORCH_MKL=0`` in the environment, leaves them to NumPy; the numbers
agree to rounding. The library is loaded by the first product of ``LARGE`` multiplications.
"""

from __future__ import annotations

import ctypes
import glob
import os
import sys
import warnings
from functools import cache
from typing import Any

import numpy as np

from minitorch import backend

Array = Any

enabled = os.environ.get("MINITORCH_MKL", "1") != "0"

LARGE = 1 << 21  # multiplications; below, the call takes longer than MKL saves
ROW_MAJOR, NO_TRANS, TRANS = 101, 111, 112  # words of CBLAS
LP64, INTEL = 0, 0  # of MKL: C's int for sizes, and the OpenMP library that comes with it


def path() -> str | None:
    """Where the library lies, in this Python's environment; None if it is not installed."""
    name = "Library/bin/mkl_rt*.dll" if os.name == "nt" else "lib/libmkl_rt.so.*"
    return max(glob.glob(os.path.join(glob.escape(sys.prefix), name)), default=None)


def is_available() -> bool:
    """Whether MKL is installed."""
    return path() is not None


_threads = 0  # what set_num_threads was given; 0: MKL goes by the environment, or the cores


def set_num_threads(n: int) -> None:
    """Let MKL use that many threads, now or when it is loaded."""
    global _threads
    _threads = n
    if library.cache_info().currsize and library() is not None:
        library().MKL_Set_Num_Threads(n)


@cache
def library() -> Any:
    """MKL, loaded; None where it is not installed or cannot be loaded."""
    where = path()
    if where is None:
        return None
    # Threads that wait for the next product sleep: else they take the cores from everything else.
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    try:
        mkl = ctypes.CDLL(where)
        mkl.MKL_Set_Interface_Layer(LP64)
        mkl.MKL_Set_Threading_Layer(INTEL)
    except (OSError, AttributeError) as error:
        warnings.warn(f"MKL is installed but cannot be loaded ({error}); NumPy multiplies",
                      RuntimeWarning, stacklevel=2)  # once, as the answer is kept
        return None
    if _threads:
        mkl.MKL_Set_Num_Threads(_threads)
    return mkl


@cache
def gemm(dtype: np.dtype[Any]) -> Any:
    """CBLAS's ``out = alpha x y + beta out`` for matrices of ``dtype``; None if there is none."""
    kinds: dict[str, Any] = {"float32": ctypes.c_float, "float64": ctypes.c_double}
    number = kinds.get(dtype.name)
    if number is None or not dtype.isnative or library() is None:
        return None
    f = library().cblas_sgemm if dtype.itemsize == 4 else library().cblas_dgemm
    i, p = ctypes.c_int, ctypes.c_void_p
    f.argtypes, f.restype = [i, i, i, i, i, i, number, p, i, p, i, number, p, i], None
    return f


def layout(x: Array) -> tuple[int, int]:
    """How CBLAS sees a matrix: by rows or by columns, and from one to the next; or (0, 0)."""
    (n, m), (down, across), size = x.shape, x.strides, x.itemsize
    for word, step, near, length in ((NO_TRANS, down, across, m), (TRANS, across, down, n)):
        if near == size and length * size <= step < 2**31 and step % size == 0:
            return word, step // size
    return 0, 0


def matmul(x: Array, y: Array, out: Array | None = None) -> Array:
    """``numpy.matmul``; by MKL where ``x`` and ``y`` are large matrices that lie without gaps.

    ``out``, if given, is contiguous, of the result's shape and dtype, and overlaps neither.
    """
    if (enabled and x.ndim == y.ndim == 2 and x.dtype == y.dtype and x.shape[1] == y.shape[0]
            and x.size * y.shape[1] >= LARGE and max(x.shape + y.shape) < 2**31):
        f = gemm(x.dtype)
        (x_lies, x_step), (y_lies, y_step) = layout(x), layout(y)
        if f is not None and x_lies and y_lies:
            (n, k), m = x.shape, y.shape[1]
            if out is None:
                out = np.empty((n, m), x.dtype)
            f(ROW_MAJOR, x_lies, y_lies, n, m, k, 1.0, x.ctypes.data, x_step,
              y.ctypes.data, y_step, 0.0, out.ctypes.data, m)
            return out
    return np.matmul(x, y, out=out)


backend.numpy_words.matmul = matmul
