"""A program spelled as a kernel in CUDA C: one thread an element, what lies between in registers.

The arithmetic is that of the array calls, in their order and in the arrays' dtype, and nothing is
contracted: ``+ - * /``, roots, comparisons and choices are NumPy's to the last bit. The elementary
functions are those of CUDA's library, a few units in the last place from NumPy's. float16 is read
and written as such and computed in float, rounded once: where array calls round each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch.spelling import numbers
from minitorch.symbols import Program, Symbol

THREADS = 256
BLOCKS = 1 << 12  # more elements than a grid has threads are a loop in each
LIMIT = 1 << 31  # elements: a place in an array is 32 bits

SPELLING = {
    "add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
    "negative": "-{}", "reciprocal": "(T)1 / {}", "sqrt": "sqrt({})", "abs": "fabs({})",
    "sign": "(T)(({0} > 0) - ({0} < 0))", "sigmoid": "(T)1 / (exp(-{}) + (T)1)",
    "maximum": "{0} >= {1} || {0} != {0} ? {0} : {1}",  # nan, if either is
    "minimum": "{0} <= {1} || {0} != {0} ? {0} : {1}",
    "greater": "{} > {}", "less": "{} < {}", "greater_equal": "{} >= {}", "less_equal": "{} <= {}",
    "equal": "{} == {}", "not_equal": "{} != {}", "logical_and": "{} && {}",
    "logical_or": "{} || {}", "logical_not": "!{}", "where": "{} ? {} : {}",
    "arctan2": "atan2({}, {})", "hypot": "hypot({}, {})", "power": "pow({}, {})"}
SPELLING |= {name: f"{name}({{}})" for name in (
    "exp", "expm1", "log", "log1p", "log2", "log10", "erf", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "trunc", "floor", "ceil")}
SPELLING |= {f"arc{name}": f"a{name}({{}})" for name in (
    "sin", "cos", "tan", "sinh", "cosh", "tanh")}
# Powers that NumPy does not compute by pow.
POWERS: dict[Any, str] = {2: "{0} * {0}", 0.5: "sqrt({0})", 1: "{0}", 0: "(T)1",
                          -1: "(T)1 / {0}"}
COMPARED = {"equal", "not_equal", "logical_and", "logical_or", "logical_not", "where"}  # or chosen

TYPES = {np.dtype(np.float32): "float", np.dtype(np.float64): "double",
         np.dtype(np.float16): "half", np.dtype(bool): "bool"}

# The conversions are instructions of the GPU: so no header of CUDA's is needed. On a processor,
# where kernels are checked, they are the compiler's.
HALF = """
struct half { unsigned short bits; };
#ifdef EMULATED
__device__ float read(half x) { _Float16 y; memcpy(&y, &x, 2); return y; }
__device__ half rounded(float x) { _Float16 y = x; half z; memcpy(&z, &y, 2); return z; }
#else
__device__ float read(half x) {
    float y; asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits)); return y;
}
__device__ half rounded(float x) {
    half y; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x)); return y;
}
#endif
"""


def head(dtype: Any) -> str:
    """What a text begins with: ``T`` is the type that is computed with."""
    half = dtype == np.float16
    return f"typedef {'float' if half else TYPES[np.dtype(dtype)]} T;\n" + HALF * half


def read(dtype: Any, element: str) -> str:
    return f"read({element})" if dtype == np.float16 else element


def rounded(dtype: Any, value: str) -> str:
    return f"rounded({value})" if dtype == np.float16 else value


def literal(value: Any) -> str:
    """A number of a definition, in the type that is computed with."""
    if not math.isfinite(value):
        raise TypeError(f"{value} in a kernel")
    return f"(T){float(value)!r}"


def body(program: Program, names: dict[Symbol, str]) -> list[str]:
    """The array calls as statements; ``names`` of arrays and numbers grows by their results."""
    lines: list[str] = []
    for s in program.needed():
        if not s.array:
            continue
        if s.op not in COMPARED and all(getattr(a, "mask", False) for a in s.args):
            raise TypeError(f"{s.op} of masks")  # which NumPy computes otherwise
        args = [names[a] if isinstance(a, Symbol) else literal(a) for a in s.args]
        form = SPELLING[s.op]
        if s.op == "power" and not isinstance(s.args[1], Symbol):
            form = POWERS.get(s.args[1], form)
        names[s] = f"a{len(lines)}"
        lines.append(f"const {'bool' if s.mask else 'T'} {names[s]} = {form.format(*args)};")
    return lines


def given(program: Program) -> tuple[Callable[[Any], list[Any]], dict[Symbol, str]]:
    """``numbers(o)``, which computes what a kernel is given besides arrays, and their names."""
    try:
        text, passed = numbers(program)
    except KeyError as error:
        raise TypeError(f"{error} of numbers") from error
    scope: dict[str, Any] = {"math": math}
    exec(text, scope)
    places = [i for i, a in enumerate(passed) if isinstance(a, Symbol)]
    compute = scope["numbers"]
    names = [a for a in passed if isinstance(a, Symbol)]
    return (lambda o: [compute(o)[i] for i in places]), {a: f"n{i}" for i, a in enumerate(names)}


def elementwise(program: Program, name: str, dtype: Any, places: Sequence[str]) -> str:
    """The text of ``name(arrays.., numbers.., result, n, m)``: the program's result for n elements.

    ``places``: where in each array an element's operand lies: "i" its own, "0" the only one,
    "i % m" that of its column, "i / m" that of its row, in rows of m.
    """
    passed = given(program)[1]
    names = dict(passed)
    out = program.results["result"]
    result = TYPES[np.dtype(bool if out.mask else dtype)]
    parameters, loads = [], []
    for a, place in zip(program.arrays, places, strict=True):
        kind = np.dtype(bool if a.mask else dtype)
        names[a] = f"{a.name}_"
        parameters.append(f"const {TYPES[kind]}* {a.name}")
        loads.append(f"const {'bool' if a.mask else 'T'} {names[a]} = "
                     f"{read(kind, f'{a.name}[{place}]')};")
    parameters += [f"const T {n}" for n in passed.values()]
    lines = [*loads, *body(program, names)]
    value = names[out] if out.mask else rounded(dtype, names[out])
    inner = "\n        ".join([*lines, f"result[i] = {value};"])
    return f"""{head(dtype)}
extern "C" __global__ void {name}({', '.join(parameters)}, {result}* result,
        const unsigned n, const unsigned m) {{
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {{
        {inner}
    }}
}}
"""


def grid(n: int) -> tuple[int]:
    """Blocks of ``THREADS`` for n elements."""
    return (min(BLOCKS, -(-n // THREADS)),)
