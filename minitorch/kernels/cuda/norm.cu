// Layer norm: rows of m numbers, one block a row.

extern "C" __global__ void layer_norm(const T* x, const T* weight, const T* bias, const T eps,
        T* out, T* normed, T* invstd, const unsigned m) {
    x += (size_t)blockIdx.x * m, out += (size_t)blockIdx.x * m, normed += (size_t)blockIdx.x * m;
    T sum = 0, squares = 0;
    for (unsigned k = threadIdx.x; k < m; k += blockDim.x) sum += x[k];
    const T mean = over_block(sum, SUM) / m;
    for (unsigned k = threadIdx.x; k < m; k += blockDim.x) squares += (x[k] - mean) * (x[k] - mean);
    const T scale = 1 / sqrt(over_block(squares, SUM) / m + eps);
    for (unsigned k = threadIdx.x; k < m; k += blockDim.x) {
        T y = (x[k] - mean) * scale;
        normed[k] = y;
        if (weight) y = y * weight[k];
        if (bias) y = y + bias[k];
        out[k] = y;
    }
    if (threadIdx.x == 0) invstd[blockIdx.x] = scale;
}

extern "C" __global__ void layer_norm_back(const T* g, const T* weight, const T* normed,
        const T* invstd, T* out, const unsigned m) {
    g += (size_t)blockIdx.x * m, out += (size_t)blockIdx.x * m, normed += (size_t)blockIdx.x * m;
    T sum = 0, along = 0;
    for (unsigned k = threadIdx.x; k < m; k += blockDim.x) {
        const T gk = weight ? g[k] * weight[k] : g[k];
        sum += gk;
        along += gk * normed[k];
    }
    sum = over_block(sum, SUM) / m;
    along = over_block(along, SUM) / m;
    for (unsigned k = threadIdx.x; k < m; k += blockDim.x) {
        const T gk = weight ? g[k] * weight[k] : g[k];
        out[k] = invstd[blockIdx.x] * (gk - sum - normed[k] * along);
    }
}

// Batch norm of x (n, c, l), in blocks of 32 x 8 threads. Where l is 1 a block takes 32 channels,
// each a column of threads, so that neighbours read neighbours; else it takes one.
struct Channel {
    unsigned n, c, l, channel;
    bool column;

    __device__ Channel(unsigned n, unsigned c, unsigned l) : n(n), c(c), l(l), column(l == 1) {
        channel = column ? blockIdx.x * 32 + threadIdx.x : blockIdx.x;
    }
    __device__ bool exists() const { return channel < c; }
    __device__ bool first() const { return threadIdx.y == 0 && (column || threadIdx.x == 0); }
    __device__ unsigned start() const {
        return column ? threadIdx.y : threadIdx.y * 32 + threadIdx.x;
    }
    __device__ unsigned step() const { return column ? 8 : 256; }
    __device__ unsigned count() const { return exists() ? n * l : 0; }
    __device__ size_t at(unsigned k) const {  // of its k-th element
        return ((size_t)(k / l) * c + channel) * l + k % l;
    }
    __device__ T sum(T value) const {  // over the threads of the channel
        if (!column) return over_block(value, SUM);
        __shared__ T parts[8][32];
        __syncthreads();
        parts[threadIdx.y][threadIdx.x] = value;
        __syncthreads();
        value = 0;
        for (int y = 0; y < 8; y++) value += parts[y][threadIdx.x];
        return value;
    }
};

extern "C" __global__ void batch_norm(const T* x, const T* weight, const T* bias, const T eps,
        T* out, T* normed, T* invstd, T* mean, T* var,
        const unsigned n, const unsigned c, const unsigned l) {
    const Channel ch(n, c, l);
    T sum = 0, squares = 0;
    for (unsigned k = ch.start(); k < ch.count(); k += ch.step()) sum += x[ch.at(k)];
    const T middle = ch.sum(sum) / (n * l);
    for (unsigned k = ch.start(); k < ch.count(); k += ch.step()) {
        const T d = x[ch.at(k)] - middle;
        squares += d * d;
    }
    const T variance = ch.sum(squares) / (n * l), scale = 1 / sqrt(variance + eps);
    for (unsigned k = ch.start(); k < ch.count(); k += ch.step()) {
        T y = (x[ch.at(k)] - middle) * scale;
        normed[ch.at(k)] = y;
        if (weight) y = y * weight[ch.channel];
        if (bias) y = y + bias[ch.channel];
        out[ch.at(k)] = y;
    }
    if (ch.exists() && ch.first())
        invstd[ch.channel] = scale, mean[ch.channel] = middle, var[ch.channel] = variance;
}

// In training. Any of the three results may be null.
extern "C" __global__ void batch_norm_back(const T* g, const T* weight, const T* normed,
        const T* invstd, T* of_x, T* of_weight, T* of_bias,
        const unsigned n, const unsigned c, const unsigned l) {
    const Channel ch(n, c, l);
    T sum = 0, along = 0;
    for (unsigned k = ch.start(); k < ch.count(); k += ch.step()) {
        sum += g[ch.at(k)];
        along += g[ch.at(k)] * normed[ch.at(k)];
    }
    sum = ch.sum(sum);
    along = ch.sum(along);
    if (ch.exists() && ch.first()) {
        if (of_weight) of_weight[ch.channel] = along;
        if (of_bias) of_bias[ch.channel] = sum;
    }
    if (!of_x || !ch.exists()) return;
    const T scale = weight ? invstd[ch.channel] * weight[ch.channel] : invstd[ch.channel];
    sum = sum / (n * l), along = along / (n * l);
    for (unsigned k = ch.start(); k < ch.count(); k += ch.step())
        of_x[ch.at(k)] = (g[ch.at(k)] - (sum + normed[ch.at(k)] * along)) * scale;
}
