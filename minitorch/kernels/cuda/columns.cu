// The sums of the columns of x (n, m), as of a bias's cotangents: blocks of 32 x 8 threads, each 32
// columns and a part of the rows, in blockIdx.y; out (parts, m), which is summed likewise. No
// atomics: the same numbers are added in the same order each time.
extern "C" __global__ void columns(const T* x, T* out, const unsigned n, const unsigned m) {
    __shared__ T parts[8][32];
    const unsigned column = blockIdx.x * 32 + threadIdx.x;
    const unsigned rows = (n + gridDim.y - 1) / gridDim.y, first = blockIdx.y * rows;
    const unsigned last = min(n, first + rows);
    T sum = 0;
    if (column < m)
        for (unsigned i = first + threadIdx.y; i < last; i += 8) sum += x[(size_t)i * m + column];
    parts[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && column < m) {
        for (int y = 1; y < 8; y++) sum += parts[y][threadIdx.x];
        out[(size_t)blockIdx.y * m + column] = sum;
    }
}
