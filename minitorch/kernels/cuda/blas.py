"""Products of matrices by cuBLAS, on a handle of our own.

CuPy refuses every call of cuBLAS while a stream is capturing. The library itself does not, if its
workspace is given to it: memory that it allocates by itself would be no part of the graph. So this
module calls the library that CuPy has loaded. ``products`` is the one in use; tests put in its
place one that computes by NumPy. Only a GPU can check what cuBLAS makes of the calls; their order
and arguments are checked without.
"""

from __future__ import annotations

import ctypes
import math
import sys
from typing import Any

import numpy as np

from minitorch import backend, runtime

Array = Any  # cupy.ndarray
WORKSPACE = 32 << 20  # bytes, as much as the library asks for on recent GPUs; 256-byte aligned
# From cublas_api.h and library_types.h.
PLAIN, TRANSPOSED = 0, 1
KINDS = {np.dtype(np.float32): 0, np.dtype(np.float64): 1, np.dtype(np.float16): 2}
IN_FLOAT, IN_DOUBLE, IN_TF32 = 68, 70, 77  # cublasComputeType_t
DEFAULT = -1  # cublasGemmAlgo_t: the library's own choice
STATUS = {1: "NOT_INITIALIZED", 3: "ALLOC_FAILED", 7: "INVALID_VALUE", 8: "ARCH_MISMATCH",
          11: "MAPPING_ERROR", 13: "EXECUTION_FAILED", 14: "INTERNAL_ERROR", 15: "NOT_SUPPORTED",
          16: "LICENSE_ERROR"}


class Blas:
    """A handle of cuBLAS for each device; it follows CuPy's current stream.

    To set a stream takes the workspace away, so that is set after; each stream has its own, as two
    streams may multiply at the same time.
    """

    def __init__(self) -> None:
        self._library: Any = None
        self.handles: dict[int, Any] = {}  # by device
        self.streams: dict[int, int] = {}  # the stream that each handle was given
        self.workspaces: dict[tuple[int, int], Array] = {}

    def library(self) -> Any:
        if self._library is None:
            self._library = loaded(backend.cupy_module())
        return self._library

    def call(self, name: str, *args: Any) -> None:
        status = getattr(self.library(), name)(*args)
        if status:
            raise RuntimeError(f"CUDA error: CUBLAS_STATUS_{STATUS.get(status, status)} when "
                               f"calling `{name}`")

    def handle(self) -> Any:
        """The current device's handle, on the current stream."""
        cupy = backend.cupy_module()
        device, stream = cupy.cuda.Device().id, cupy.cuda.get_current_stream().ptr
        if device not in self.handles:
            handle = ctypes.c_void_p()
            self.call("cublasCreate_v2", ctypes.byref(handle))
            self.handles[device] = handle
        handle = self.handles[device]
        if self.streams.get(device) != stream:
            if (device, stream) not in self.workspaces:
                self.workspaces[device, stream] = cupy.empty(WORKSPACE, np.uint8)
            space = self.workspaces[device, stream]
            self.call("cublasSetStream_v2", handle, ctypes.c_void_p(stream))
            self.call("cublasSetWorkspace_v2", handle, ctypes.c_void_p(space.data.ptr),
                      ctypes.c_size_t(WORKSPACE))
            self.streams[device] = stream
        return handle

    def multiply(self, a: Array, b: Array, out: Array, m: int, n: int, k: int, ta: bool, tb: bool,
                 lda: int, ldb: int, ldc: int, beta: float = 0.0) -> None:
        """``out = a @ b + beta * out``, row by row: (m, n) = (m, k) @ (k, n).

        The arrays are vectors of one dtype that begin at the first element. ``ta``, ``tb``: whether
        that matrix lies column by column; ``ld*``: the step from one row (or column) to the next.
        float32 is computed in float32, or with ``set_float32_matmul_precision("high")`` in TF32;
        float16 in float32.
        """
        dtype = np.dtype(out.dtype)
        compute, number = (IN_DOUBLE, ctypes.c_double) if dtype == np.float64 else (
            IN_TF32 if dtype == np.float32 and runtime.get_float32_matmul_precision() != "highest"
            else IN_FLOAT, ctypes.c_float)
        kind = ctypes.c_int(KINDS[dtype])
        one, scale = number(1), number(beta)
        # The library counts by columns, where our matrices are their transposes: b.T @ a.T.
        self.call("cublasGemmEx", self.handle(),
                  *map(ctypes.c_int, (TRANSPOSED if tb else PLAIN, TRANSPOSED if ta else PLAIN,
                                      n, m, k)), ctypes.byref(one),
                  pointer(b), kind, ctypes.c_int(ldb), pointer(a), kind, ctypes.c_int(lda),
                  ctypes.byref(scale), pointer(out), kind, ctypes.c_int(ldc),
                  ctypes.c_int(compute), ctypes.c_int(DEFAULT))


def pointer(x: Array) -> Any:
    return ctypes.c_void_p(int(x.data.ptr))


def loaded(cupy: Any) -> Any:
    """The cuBLAS that CuPy computes with: its own module loads it, and its name finds it again."""
    import cupy_backends.cuda.libs.cublas  # type: ignore # noqa: F401
    version = cupy.cuda.runtime.runtimeGetVersion() // 1000
    return ctypes.CDLL(f"cublas64_{version}.dll" if sys.platform == "win32" else
                       f"libcublas.so.{version}")


products: Any = Blas()


def layout(x: Array) -> tuple[bool, int] | None:
    """Whether a matrix lies column by column, and the step from one row (or column) to the next;
    None for one with gaps in both.
    """
    (m, n), (rows, columns) = x.shape, [s // x.dtype.itemsize for s in x.strides]
    if (columns == 1 or n == 1) and (rows >= n or m == 1):
        return False, max(rows if m > 1 else n, n, 1)
    if (rows == 1 or m == 1) and (columns >= m or n == 1):
        return True, max(columns if n > 1 else m, m, 1)
    return None


def matmul(x: Array, y: Array) -> Array:
    """``x @ y`` of arrays on the GPU, also while a stream is capturing.

    One of them may be a vector, and ``x`` may have further axes in front.
    """
    cupy = backend.cupy_module()
    if x.dtype != y.dtype or np.dtype(x.dtype) not in KINDS or y.ndim > 2:
        raise NotImplementedError(
            f"matmul of {x.dtype} {x.shape} and {y.dtype} {y.shape} while a graph is captured: "
            f"only floats of one dtype, the second with at most two axes")
    if not x.ndim or not y.ndim or x.shape[-1] != y.shape[0]:
        raise ValueError(f"matmul: shapes {x.shape} and {y.shape} do not fit")
    shape = (*x.shape[:-1], *y.shape[1:])
    a = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    b = y.reshape(y.shape[0], math.prod(y.shape[1:]))
    (m, k), n = a.shape, b.shape[1]
    out = cupy.empty((m, n), x.dtype)
    a, b = [z if layout(z) else z.copy() for z in (a, b)]
    if not k:
        out.fill(0)
    elif m and n:
        (ta, lda), (tb, ldb) = layout(a) or (False, 0), layout(b) or (False, 0)
        products.multiply(a, b, out, m, n, k, ta, tb, lda, ldb, n)
    return out.reshape(shape)
