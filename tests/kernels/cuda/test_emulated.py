"""The emulator runs CUDA texts as a GPU would, and says where threads would wait for ever."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minitorch.kernels.cuda import launch

TEXT = r"""
extern "C" __global__ void row_sums(const float* x, float* out, const unsigned n) {
    __shared__ float parts[32];
    float sum = 0;
    for (unsigned k = threadIdx.x; k < n; k += blockDim.x) sum += x[blockIdx.x * n + k];
    for (int by = 16; by; by /= 2) sum += __shfl_down_sync(~0u, sum, by);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x < 32) {  // one warp goes on alone
        sum = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0;
        for (int by = 16; by; by /= 2) sum += __shfl_xor_sync(~0u, sum, by);
        if (threadIdx.x == 0) out[blockIdx.x] = sum;
    }
}
extern "C" __global__ void reversed(const double* x, double* out, const long long n) {
    extern __shared__ double all[];
    all[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    out[threadIdx.x] = all[n - 1 - threadIdx.x];
}
extern "C" __global__ void hasty(const double* x, double* out, const long long n) {
    extern __shared__ double all[];
    all[threadIdx.x] = x[threadIdx.x];
    out[threadIdx.x] = all[n - 1 - threadIdx.x];
}
extern "C" __global__ void waiting(float* x) {
    if (threadIdx.x < 3) { __syncthreads(); __syncthreads(); } else __syncthreads();
    x[0] = 1;
}
extern "C" __global__ void crossed(float* x) {
    if (threadIdx.x < 3) __syncwarp(); else { __syncthreads(); __syncwarp(); }
    x[0] = 1;
}
extern "C" __global__ void never(float* x) {
    if (threadIdx.x < 3) { __syncthreads(); __syncwarp(); } else { __syncwarp(); __syncthreads(); }
    x[0] = 1;
}
extern "C" __global__ void where(int* out) {
    unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    atomicAdd(&out[block * blockDim.x * blockDim.y * blockDim.z + thread], 1);
}
extern "C" __global__ void left(float* out) {
    __shared__ float before[1];
    out[blockIdx.x] = before[0];
    before[0] = 1;
}
"""


@pytest.mark.parametrize("threads", [32, 96, 256])
@pytest.mark.parametrize("backwards", [False, True])
def test_shuffles_and_barriers(threads: int, backwards: bool, emulated: Any) -> None:
    emulated.backwards = backwards
    x = np.random.default_rng(0).normal(size=(3, 300)).astype("f")
    out = np.zeros(3, "f")
    run = emulated.function(TEXT, "row_sums")
    run((3,), (threads,), [x, out, np.uint32(300)])
    np.testing.assert_allclose(out, x.sum(1), rtol=1e-5, atol=1e-5)  # in another order


def test_a_missing_barrier_shows(emulated: Any) -> None:
    x, results = np.arange(70.0), {}
    for name in ("reversed", "hasty"):
        out = np.zeros(70)
        emulated.function(TEXT, name)((1,), (70,), [x, out, 70], 8 * 70)
        results[name] = (out == x[::-1]).all()
    assert results == {"reversed": True, "hasty": False}


def test_threads_that_wait_for_ever_are_an_error(emulated: Any) -> None:
    x = np.zeros(1, "f")
    for name in ("never", "crossed"):
        with pytest.raises(RuntimeError, match=f"{name}: threads wait"):
            emulated.function(TEXT, name)((1,), (8,), [x])
    emulated.function(TEXT, "waiting")((1,), (8,), [x])  # who has ended is not waited for


def test_every_thread_of_every_block_runs_once(emulated: Any) -> None:
    out = np.zeros(2 * 3 * 2 * 4 * 2 * 3, np.int32)
    emulated.function(TEXT, "where")((2, 3, 2), (4, 2, 3), [out])
    np.testing.assert_array_equal(out, 1)


def test_shared_memory_holds_nothing_of_the_block_before(emulated: Any) -> None:
    out = np.zeros(3, "f")
    emulated.function(TEXT, "left")((3,), (1,), [out])
    assert np.isnan(out).all()


def test_what_no_gpu_would_launch_is_refused(emulated: Any) -> None:
    run = emulated.function(TEXT, "where")
    for grid, block, shared in (((1,), (2048,), 0), ((0,), (1,), 0), ((1,), (1,), 1 << 20)):
        with pytest.raises(ValueError, match="no GPU launches"):
            run(grid, block, [np.zeros(1, np.int32)], shared)
    with pytest.raises(TypeError, match="a kernel takes"):
        run((1,), (1,), [0.5])
    with pytest.raises(ValueError, match="no kernel nothing"):
        emulated.function(TEXT, "nothing")
    with pytest.raises(RuntimeError, match="refuses"):
        emulated.function("__global__ void f(int* x) { y; }", "f")((1,), (1,), [out := np.zeros(1)])
    del out


def test_functions_are_kept_and_launches_counted(emulated: Any) -> None:
    assert isinstance(emulated, launch.Launcher)
    run = emulated.function(TEXT, "where")
    assert emulated.function(TEXT, "where") is run
    for _ in range(3):
        run((1,), (1,), [np.zeros(1, np.int32)])
    assert emulated.launches == 3
