// Dropout whose mask is never stored: the backward pass draws the same numbers again.
//
// Philox4x32-10, a counter-based generator: four words from a counter of four and a key of two
// (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
__device__ uint4 philox(uint4 c, uint2 key) {
    for (int round = 0; round < 10; round++) {
        const unsigned high0 = __umulhi(0xD2511F53u, c.x), low0 = 0xD2511F53u * c.x;
        const unsigned high1 = __umulhi(0xCD9E8D57u, c.z), low1 = 0xCD9E8D57u * c.z;
        c = make_uint4(high1 ^ c.y ^ key.x, low1, high0 ^ c.w ^ key.y, low0);
        key.x += 0x9E3779B9u, key.y += 0xBB67AE85u;
    }
    return c;
}

// state: a seed (the key), and how many counters were used up before.
__device__ uint4 words(const unsigned long long* state, unsigned i) {
    const unsigned long long at = state[1] + i;
    return philox(make_uint4((unsigned)at, (unsigned)(at >> 32), 0, 0),
                  make_uint2((unsigned)state[0], (unsigned)(state[0] >> 32)));
}

// out = x * scale where a word is below `kept` = (1 - p) 2^32, else 0. Four elements a thread.
extern "C" __global__ void dropout(const T* x, T* out, const unsigned long long* state,
        const unsigned long long kept, const T scale, const unsigned n) {
    const unsigned step = gridDim.x * blockDim.x;
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i * 4 < n; i += step) {
        const uint4 w = words(state, i);
        const unsigned each[4] = {w.x, w.y, w.z, w.w};
        for (unsigned k = 0; k < 4; k++)
            if (i * 4 + k < n) out[i * 4 + k] = each[k] < kept ? x[i * 4 + k] * scale : (T)0;
    }
}

// Before a dropout: its counters are its own from now on, and used up for all others.
extern "C" __global__ void take(unsigned long long* generator, unsigned long long* state,
        const unsigned long long counters) {
    state[0] = generator[0], state[1] = generator[1];
    generator[1] += counters;
}

// The words themselves, for those who check them.
extern "C" __global__ void philox_words(const unsigned* counters, const unsigned* keys,
                                        unsigned* out, const unsigned n) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const unsigned* c = counters + 4 * i;
    const uint4 w = philox(make_uint4(c[0], c[1], c[2], c[3]),
                           make_uint2(keys[2 * i], keys[2 * i + 1]));
    out[4 * i] = w.x, out[4 * i + 1] = w.y, out[4 * i + 2] = w.z, out[4 * i + 3] = w.w;
}
