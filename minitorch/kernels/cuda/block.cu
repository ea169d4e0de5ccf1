// Sums and maxima over the threads of a block, a multiple of 32; all get the result.
#define INF __int_as_float(0x7f800000)
enum Op { SUM, MOST };

__device__ T combined(T a, T b, Op op) {
    return op == SUM ? a + b : a >= b || a != a ? a : b;  // the larger: nan, if either is
}

__device__ T over_block(T value, Op op) {
    __shared__ T parts[32];
    const unsigned t = threadIdx.x + threadIdx.y * blockDim.x, warp = t / 32, lane = t % 32;
    const unsigned warps = blockDim.x * blockDim.y / 32;
    for (int by = 16; by; by /= 2) value = combined(value, __shfl_xor_sync(~0u, value, by), op);
    if (warps == 1) return value;
    __syncthreads();  // the parts of an earlier call are read
    if (lane == 0) parts[warp] = value;
    __syncthreads();
    value = lane < warps ? parts[lane] : op == SUM ? (T)0 : (T)-INF;
    for (int by = 16; by; by /= 2) value = combined(value, __shfl_xor_sync(~0u, value, by), op);
    return value;
}
