// Softmax and negative log-likelihood of rows of c logits: one block a row.
//
// Row i has the class t = target[i] and the weight w = weight[t]. Its loss, with smoothing s, is
// -(1 - s) w logp[t] - s/c sum_k weight[k] logp[k]; 0 where the class is `ignored`, nan where it
// is none. Null `weight` stands for ones.

__device__ T weight_of(const T* weight, long long k, unsigned c) {
    return k < 0 || k >= c ? INF - INF : weight ? weight[k] : (T)1;
}

extern "C" __global__ void cross_entropy_rows(const T* x, const long long* target, const T* weight,
        const long long ignored, const T smoothing, T* logp, T* loss, const unsigned c) {
    const unsigned i = blockIdx.x;
    x += (size_t)i * c, logp += (size_t)i * c;
    T most = -INF;
    for (unsigned k = threadIdx.x; k < c; k += blockDim.x) most = combined(most, x[k], MOST);
    most = over_block(most, MOST);
    T sum = 0, spread = 0;
    for (unsigned k = threadIdx.x; k < c; k += blockDim.x) sum += exp(x[k] - most);
    sum = log(over_block(sum, SUM));
    for (unsigned k = threadIdx.x; k < c; k += blockDim.x) {
        logp[k] = x[k] - most - sum;
        spread += weight_of(weight, k, c) * logp[k];
    }
    if (smoothing != 0) spread = over_block(spread, SUM);
    __syncthreads();  // logp[t] is another thread's
    if (threadIdx.x == 0) {
        const long long t = target[i];
        T out = 0;
        if (t != ignored) {
            out = -weight_of(weight, t, c) * logp[t < 0 || t >= c ? 0 : t];
            if (smoothing != 0) out = out * (1 - smoothing) - spread * (smoothing / c);
        }
        loss[i] = out;
    }
}

// One block. total[0]: the sum of losses; total[1]: that of weights, which "mean" divides by.
extern "C" __global__ void cross_entropy_total(const T* loss, const long long* target,
        const T* weight, const long long ignored, T* total, T* mean,
        const unsigned n, const unsigned c) {
    T sum = 0, weights = 0;
    for (unsigned i = threadIdx.x; i < n; i += blockDim.x) {
        if (loss) sum += loss[i];
        if (target[i] != ignored) weights += weight_of(weight, target[i], c);
    }
    sum = over_block(sum, SUM);
    weights = over_block(weights, SUM);
    if (threadIdx.x == 0) {
        total[0] = sum, total[1] = weights;
        if (mean) mean[0] = sum / weights;
    }
}

// The cotangent of x: element k is g ((1 - s) w (p[k] - [k = t]) + s/c (p[k] sum_j weight[j] -
// weight[k])), where g is one for all rows if `one`, and divided by total[1] if there is a total.
extern "C" __global__ void cross_entropy_back(const T* g, const T* logp, const long long* target,
        const T* weight, const long long ignored, const T smoothing, const T* total,
        const int one, T* out, const unsigned c) {
    const unsigned i = blockIdx.x;
    const long long t = target[i];
    logp += (size_t)i * c, out += (size_t)i * c;
    T all = 0;  // the sum of weights
    if (smoothing != 0) {
        for (unsigned k = threadIdx.x; k < c; k += blockDim.x) all += weight_of(weight, k, c);
        all = over_block(all, SUM);
    }
    T gi = g[one ? 0 : i];
    if (total) gi = gi / total[1];
    const bool kept = t != ignored;
    const T own = kept ? gi * weight_of(weight, t, c) * (1 - smoothing) : 0;
    const T each = kept ? gi * (smoothing / c) : 0;
    for (unsigned k = threadIdx.x; k < c; k += blockDim.x) {
        const T p = exp(logp[k]);
        T v = p * own - (kept && k == t ? own : 0);
        if (smoothing != 0) v += each * (p * all - weight_of(weight, k, c));
        out[k] = v;
    }
}
