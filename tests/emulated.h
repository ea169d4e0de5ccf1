// What CUDA C has beyond C++, on a processor: the threads of a block are fibers, one block after
// the other. A barrier or shuffle lets the other fibers run until all have come.
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <ucontext.h>
#include <utility>
#include <vector>
using namespace std;

#define EMULATED 1
#define __global__ static
#define __device__ static
#define __host__
#define __constant__ static
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)

template <class T> struct vector2 { T x, y; };
template <class T> struct vector4 { T x, y, z, w; };
#define VECTORS(T, name) \
    typedef vector2<T> name##2; typedef vector4<T> name##4; \
    static inline name##2 make_##name##2(T x, T y) { return {x, y}; } \
    static inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
VECTORS(float, float) VECTORS(double, double) VECTORS(int, int) VECTORS(unsigned, uint)

struct dim3 { unsigned x, y, z; };
static dim3 threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = 32;
static vector<char> dynamic_shared;

// -- fibers -----------------------------------------------------------------------------------
struct Barrier { int members, arrived, generation; };  // of a block, or of a warp
struct Fiber { ucontext_t start; jmp_buf at; bool started, done; };
static const size_t STACK = 1 << 16;
static vector<Fiber> fibers;
static vector<char> stacks;
static vector<Barrier> warps;
static vector<unsigned long long> slots;  // what the threads hand each other in shuffles
static Barrier block_barrier;
static jmp_buf scheduler;
static int current;
static bool backwards;
static long progress;  // whether anybody moved: else nobody ever will
static void (*body)(void**);
static void** body_args;

static void release(Barrier& b) {
    if (b.arrived >= b.members) { b.arrived = 0; b.generation++; progress++; }
}
static void wait(Barrier& b) {
    int generation = b.generation;
    b.arrived++;
    release(b);
    while (b.generation == generation)
        if (!_setjmp(fibers[current].at)) _longjmp(scheduler, 1);
}
static void enter() {
    body(body_args);
    fibers[current].done = true;
    progress++;
    block_barrier.members--; release(block_barrier);  // who is gone is not waited for
    warps[current / 32].members--; release(warps[current / 32]);
    _longjmp(scheduler, 1);
}
static __attribute__((noinline)) void resume(Fiber& fiber) {  // until it waits, or ends
    if (_setjmp(scheduler)) return;
    if (fiber.started) _longjmp(fiber.at, 1);
    fiber.started = true;
    setcontext(&fiber.start);
}
static void place(int t) {
    current = t;
    threadIdx = {t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y};
}
static bool run_fibers(int n) {
    fibers.resize(n);
    stacks.resize(n * STACK);
    slots.assign((n + 31) / 32 * 32, ~0ull);
    warps.assign((n + 31) / 32, {0, 0, 0});
    block_barrier = {n, 0, 0};
    for (int t = 0; t < n; t++) {
        warps[t / 32].members++;
        fibers[t].started = fibers[t].done = false;
        getcontext(&fibers[t].start);
        fibers[t].start.uc_stack = {&stacks[t * STACK], 0, STACK};
        makecontext(&fibers[t].start, enter, 0);
    }
    for (bool alive = true; alive;) {
        alive = false;
        progress = 0;
        for (int i = 0; i < n; i++) {
            int t = backwards ? n - 1 - i : i;
            if (fibers[t].done) continue;
            alive = true;
            place(t);
            resume(fibers[t]);
        }
        if (alive && !progress) return false;  // some wait where the others never come
    }
    return true;
}

static void __syncthreads() { wait(block_barrier); }
static void __syncwarp(unsigned = ~0u) { wait(warps[current / 32]); }
static void __threadfence() {}
template <class T> T exchange(T value, int lane) {
    int first = current / 32 * 32;
    memcpy(&slots[current], &value, sizeof value);
    __syncwarp();
    if (lane >= 0 && lane < 32) memcpy(&value, &slots[first + lane], sizeof value);
    __syncwarp();
    return value;
}
template <class T> T __shfl_sync(unsigned, T v, int lane) { return exchange(v, lane); }
template <class T> T __shfl_down_sync(unsigned, T v, int by) { return exchange(v, current % 32 + by); }
template <class T> T __shfl_up_sync(unsigned, T v, int by) { return exchange(v, current % 32 - by); }
template <class T> T __shfl_xor_sync(unsigned, T v, int by) { return exchange(v, current % 32 ^ by); }

// -- functions --------------------------------------------------------------------------------
template <class T> T atomicAdd(T* at, T value) { T old = *at; *at += value; return old; }
template <class T> T __ldg(const T* at) { return *at; }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned long long)a * b >> 32; }
static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
static inline double rsqrt(double x) { return 1 / std::sqrt(x); }
static inline float rsqrt(float x) { return 1 / sqrtf(x); }
static inline int __float_as_int(float x) { int y; memcpy(&y, &x, 4); return y; }
static inline float __int_as_float(int x) { float y; memcpy(&y, &x, 4); return y; }
static inline unsigned __float_as_uint(float x) { return __float_as_int(x); }
static inline float __uint_as_float(unsigned x) { return __int_as_float(x); }

// -- a launch: arguments by their addresses, as the driver takes them -------------------------
template <class... A, size_t... I>
static void call(void (*kernel)(A...), void** args, index_sequence<I...>) {
    kernel(*(remove_reference_t<A>*)args[I]...);
}
template <auto kernel, class... A> static void unpack(void** args, void (*)(A...)) {
    call<A...>(kernel, args, index_sequence_for<A...>());
}
template <auto kernel> static void apply(void** args) { unpack<kernel>(args, kernel); }

// 0, or 1 if threads wait for others that never come. `meets`: whether threads meet at all.
template <auto kernel>
static int launch(const unsigned* d, long shared, bool meets, bool reversed, void** args) {
    gridDim = {d[0], d[1], d[2]};
    blockDim = {d[3], d[4], d[5]};
    body = apply<kernel>, body_args = args, backwards = reversed;
    int n = d[3] * d[4] * d[5];
    for (unsigned z = 0; z < d[2]; z++) for (unsigned y = 0; y < d[1]; y++)
    for (unsigned x = 0; x < d[0]; x++) {
        blockIdx = {x, y, z};
        dynamic_shared.assign(shared, (char)0xff);  // nothing useful, as on a GPU
        if (meets) { if (!run_fibers(n)) return 1; }
        else for (int t = 0; t < n; t++) { place(t); body(args); }
    }
    return 0;
}
