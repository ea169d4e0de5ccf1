// What CUDA C has beyond C++, on a processor: the threads of a block are fibers, one block after
// the other. A barrier or shuffle lets the other fibers run until all have come. No headers of
// C++, which take longer to compile than kernels do.
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#define EMULATED 1
#define __global__ static
#define __device__
#define __host__
#define __constant__ static
#define __shared__ static __attribute__((section("shared_memory")))
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define INFINITY __builtin_inff()

#define VECTORS(T, name) \
    struct name##2 { T x, y; }; struct name##4 { T x, y, z, w; }; \
    static inline name##2 make_##name##2(T x, T y) { return {x, y}; } \
    static inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
VECTORS(float, float) VECTORS(double, double) VECTORS(int, int) VECTORS(unsigned, uint)

struct dim3 { unsigned x, y, z; };
static dim3 threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = 32;

// -- the C library's functions, with CUDA's names for float and double -------------------------
#define ONE(name) \
    extern "C" double name(double); extern "C" float name##f(float); \
    static inline float name(float x) { return name##f(x); }
#define TWO(name) \
    extern "C" double name(double, double); extern "C" float name##f(float, float); \
    static inline float name(float x, float y) { return name##f(x, y); }
ONE(exp) ONE(exp2) ONE(expm1) ONE(log) ONE(log1p) ONE(log2) ONE(log10) ONE(sqrt) ONE(cbrt) ONE(fabs)
ONE(sin) ONE(cos) ONE(tan) ONE(asin) ONE(acos) ONE(atan) ONE(sinh) ONE(cosh) ONE(tanh) ONE(asinh)
ONE(acosh) ONE(atanh) ONE(erf) ONE(erfc) ONE(trunc) ONE(floor) ONE(ceil) ONE(rint) ONE(round)
TWO(pow) TWO(atan2) TWO(hypot) TWO(fmod) TWO(copysign) TWO(fmin) TWO(fmax)
static inline float rsqrt(float x) { return 1 / sqrtf(x); }
static inline double rsqrt(double x) { return 1 / sqrt(x); }
static inline float rsqrtf(float x) { return rsqrt(x); }
template <class T> bool isnan(T x) { return x != x; }
template <class T> T min(T x, T y) { return y < x ? y : x; }
template <class T> T max(T x, T y) { return x < y ? y : x; }
template <class A, class B> B bits(A x) { B y; memcpy(&y, &x, sizeof y); return y; }
static inline int __float_as_int(float x) { return bits<float, int>(x); }
static inline float __int_as_float(int x) { return bits<int, float>(x); }
static inline unsigned __float_as_uint(float x) { return bits<float, unsigned>(x); }
static inline float __uint_as_float(unsigned x) { return bits<unsigned, float>(x); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (uint64_t)a * b >> 32; }
template <class T> T __ldg(const T* at) { return *at; }
template <class T> T atomicAdd(T* at, T value) { T old = *at; *at += value; return old; }

// -- fibers -----------------------------------------------------------------------------------
struct Barrier { int members, arrived, generation; };  // of a block, or of a warp
struct Fiber { ucontext_t start; jmp_buf at; bool started, done; };
static const int MOST = 1024, STACK = 1 << 16;  // threads of a block; bytes
static Fiber fibers[MOST];
static char stacks[MOST][STACK];
static Barrier block_barrier, warps[MOST / 32];
static uint64_t slots[MOST];  // what the threads hand each other in shuffles
static char dynamic_shared[48 << 10];
static __attribute__((section("shared_memory"), used)) char no_shared[1] = {};
extern "C" char __start_shared_memory[], __stop_shared_memory[];  // all that is declared so
static jmp_buf scheduler;
static int current;
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
static bool run_fibers(int n, bool backwards) {
    memset(slots, 0xff, sizeof slots);
    memset(warps, 0, sizeof warps);
    block_barrier = {n, 0, 0};
    for (int t = 0; t < n; t++) {
        warps[t / 32].members++;
        fibers[t].started = fibers[t].done = false;
        getcontext(&fibers[t].start);
        fibers[t].start.uc_stack.ss_sp = stacks[t];
        fibers[t].start.uc_stack.ss_size = STACK;
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
#define SHUFFLE(name, from) \
    template <class T> T name(unsigned, T v, int by) { return exchange(v, from); }
SHUFFLE(__shfl_sync, by)
SHUFFLE(__shfl_down_sync, current % 32 + by)
SHUFFLE(__shfl_up_sync, current % 32 - by)
SHUFFLE(__shfl_xor_sync, current % 32 ^ by)

// A launch: 0, or 1 if threads wait for others that never come. `args` are the arguments'
// addresses, as the driver takes them. `meets`: whether threads meet at all.
static int launch(void (*kernel)(void**), const unsigned* d, int shared, bool meets, bool backwards,
                  void** args) {
    gridDim = {d[0], d[1], d[2]};
    blockDim = {d[3], d[4], d[5]};
    body = kernel, body_args = args;
    int n = d[3] * d[4] * d[5];
    for (unsigned z = 0; z < d[2]; z++) for (unsigned y = 0; y < d[1]; y++)
    for (unsigned x = 0; x < d[0]; x++) {
        blockIdx = {x, y, z};
        memset(dynamic_shared, 0xff, shared);  // nothing useful, as on a GPU
        memset(__start_shared_memory, 0xff, __stop_shared_memory - __start_shared_memory);
        if (meets) { if (!run_fibers(n, backwards)) return 1; }
        else for (int t = 0; t < n; t++) { place(t); body(args); }
    }
    return 0;
}
