// out[index[i]] += g[i] for rows of m numbers; a negative index counts from the end of the v rows.
// Rows named more than once are added in no order: in floating point the last bits may differ.
extern "C" __global__ void scatter_rows(const T* g, const long long* index, T* out,
        const unsigned n, const unsigned m, const long long v) {
    const unsigned step = gridDim.x * blockDim.x;
    for (unsigned k = blockIdx.x * blockDim.x + threadIdx.x; k < n * m; k += step) {
        long long row = index[k / m];
        if (row < 0) row += v;
        atomicAdd(&out[row * m + k % m], g[k]);
    }
}
