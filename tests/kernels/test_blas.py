"""What cuBLAS is asked for: a library that counts by columns, over host memory, in its place."""

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

import minitorch as torch
from minitorch import backend
from minitorch.kernels.cuda import blas


class Cublas:
    """The calls in order; products as the library's manual defines them, by columns."""

    def __init__(self):
        self.calls = []

    def cublasCreate_v2(self, handle):
        self.calls.append("create")
        return 0

    def cublasSetStream_v2(self, handle, stream):
        self.calls.append(f"stream {stream.value}")
        return 0

    def cublasSetWorkspace_v2(self, handle, space, size):
        self.calls.append(f"workspace {size.value}")
        return 0

    def cublasGemmEx(self, handle, opa, opb, m, n, k, alpha, a, kind, lda, b, kind_b, ldb, beta, c,
                     kind_c, ldc, compute, algorithm):
        dtype = {0: np.float32, 1: np.float64}[kind.value]
        self.calls.append(f"gemm {compute.value}")
        assert kind.value == kind_b.value == kind_c.value and algorithm.value == -1
        m, n, k = m.value, n.value, k.value
        a = by_columns(a, dtype, k if opa.value else m, m if opa.value else k, lda)
        b = by_columns(b, dtype, n if opb.value else k, k if opb.value else n, ldb)
        c = by_columns(c, dtype, m, n, ldc)
        product = (a.T if opa.value else a) @ (b.T if opb.value else b)
        before = beta._obj.value * c if beta._obj.value else 0
        c[...] = alpha._obj.value * product + before
        return 0


def by_columns(pointer, dtype, rows, columns, step):
    assert step.value >= rows, "as the library asks"
    size = np.dtype(dtype).itemsize
    memory = (ctypes.c_char * (((columns - 1) * step.value + rows) * size)).from_address(
        pointer.value)
    return as_strided(np.frombuffer(memory, dtype), (rows, columns), (size, step.value * size))


class Array(np.ndarray):
    """NumPy's, with CuPy's way to ask for the pointer."""

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)


@pytest.fixture(autouse=True)
def library(monkeypatch):
    stream = SimpleNamespace(ptr=5)
    cuda = SimpleNamespace(Device=lambda: SimpleNamespace(id=0), get_current_stream=lambda: stream)
    module = SimpleNamespace(cuda=cuda, stream=stream,
                             empty=lambda n, dtype: np.empty(n, dtype).view(Array))
    monkeypatch.setattr(backend, "cupy_module", lambda: module)
    products = blas.Blas()
    products._library = Cublas()
    monkeypatch.setattr(blas, "products", products)
    return module


@given(st.tuples(*[st.integers(1, 4)] * 3), st.booleans(), st.booleans(), st.integers(0, 2),
       st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32 - 1))
def test_a_product_row_by_row_is_what_the_library_computes_by_columns(shape, ta, tb, gap, dtype,
                                                                      seed):
    m, n, k = shape
    rng = np.random.default_rng(seed)

    def matrix(rows, columns, by_columns):
        if by_columns:
            return matrix(columns, rows, False).T
        return rng.normal(size=(rows, columns + gap)).astype(dtype).view(Array)[:, :columns]
    x, y = matrix(m, k, ta), matrix(k, n, tb)
    assert np.allclose(blas.matmul(x, y), np.asarray(x) @ np.asarray(y), 1e-4, 1e-4)
    out = rng.normal(size=(m, n)).astype(dtype).view(Array)
    expected = np.asarray(x) @ np.asarray(y) + 0.5 * np.asarray(out)
    (by_x, lda), (by_y, ldb) = blas.layout(x), blas.layout(y)
    blas.products.multiply(x, y, out, m, n, k, by_x, by_y, lda, ldb, n, 0.5)
    assert np.allclose(out, expected, 1e-4, 1e-4)


def test_a_workspace_is_set_after_each_stream_and_kept(library):
    x = np.ones((2, 2), np.float32).view(Array)
    for stream in (5, 5, 6, 5):
        library.stream.ptr = stream
        blas.matmul(x, x)
    space = f"workspace {32 << 20}"
    assert blas.products._library.calls == [
        "create", "stream 5", space, "gemm 68", "gemm 68", "stream 6", space, "gemm 68",
        "stream 5", space, "gemm 68"]
    assert len(blas.products.workspaces) == 2


def test_precision_is_what_was_asked_for():
    x, y = np.ones((2, 2), np.float32).view(Array), np.ones((2, 2)).view(Array)
    before = torch.get_float32_matmul_precision()
    try:
        for precision in ("highest", "high"):
            torch.set_float32_matmul_precision(precision)
            blas.matmul(x, x)
            blas.matmul(y, y)
    finally:
        torch.set_float32_matmul_precision(before)
    gemms = [c for c in blas.products._library.calls if c.startswith("gemm")]
    assert gemms == ["gemm 68", "gemm 70", "gemm 77", "gemm 70"]


def test_vectors_axes_in_front_and_empty_arrays_are_products_too():
    rng = np.random.default_rng(0)
    for a, b in [((3,), (3, 2)), ((2, 3), (3,)), ((3,), (3,)), ((2, 4, 3), (3, 2)),
                 ((0, 3), (3, 2)), ((2, 0), (0, 3))]:
        x, y = [rng.normal(size=s).view(Array) for s in (a, b)]
        assert np.allclose(blas.matmul(x, y), np.asarray(x) @ np.asarray(y))
    with pytest.raises(ValueError, match="do not fit"):
        blas.matmul(x, x)


def test_what_the_library_refuses_is_raised():
    blas.products._library.cublasGemmEx = lambda *args: 14
    x = np.ones((2, 2), np.float32).view(Array)
    with pytest.raises(RuntimeError, match="CUBLAS_STATUS_INTERNAL_ERROR when calling"):
        blas.matmul(x, x)
