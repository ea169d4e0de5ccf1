"""What the stand-in for CuPy has, spelled as CuPy spells it; see ``standin``."""

from __future__ import annotations

from typing import Any

import numpy as np

UFUNCS = """add subtract multiply divide true_divide floor_divide remainder fmod power negative
absolute abs sign sqrt square reciprocal exp expm1 exp2 log log1p log2 log10 logaddexp logaddexp2
hypot sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh
maximum minimum fmax fmin floor ceil trunc rint copysign signbit nextafter ldexp frexp
equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor
logical_not bitwise_and bitwise_or bitwise_xor bitwise_not invert left_shift right_shift
isnan isinf isfinite gcd lcm deg2rad rad2deg heaviside pow""".split()

FUNCTIONS = {
    "all": "a, axis=None, out=None, keepdims=False",
    "amax": "a, axis=None, out=None, keepdims=False",
    "amin": "a, axis=None, out=None, keepdims=False",
    "any": "a, axis=None, out=None, keepdims=False",
    "append": "arr, values, axis=None",
    "arange": "start, stop=None, step=1, dtype=None",
    "argmax": "a, axis=None, dtype=None, out=None, keepdims=False",
    "argmin": "a, axis=None, dtype=None, out=None, keepdims=False",
    "argsort": "a, axis=-1, kind=None",
    "array_equal": "a1, a2, equal_nan=False",
    "bincount": "x, weights=None, minlength=None",
    "broadcast_to": "array, shape",
    "clip": "a, a_min, a_max, out=None",
    "concatenate": "tup, axis=0, out=None, *, dtype=None, casting='same_kind'",
    "copy": "a, order='K'",
    "copyto": "dst, src, casting='same_kind', where=None",
    "cumprod": "a, axis=None, dtype=None, out=None",
    "cumsum": "a, axis=None, dtype=None, out=None",
    "diagonal": "a, offset=0, axis1=0, axis2=1",
    "diff": "a, n=1, axis=-1, prepend=None, append=None",
    "einsum": "*operands, **kwargs",
    "empty": "shape, dtype=float, order='C'",
    "expand_dims": "a, axis",
    "flip": "a, axis=None",
    "full": "shape, fill_value, dtype=None, order='C'",
    "histogram": "x, bins=10, range=None, density=False, weights=None",
    "isclose": "a, b, rtol=1e-05, atol=1e-08, equal_nan=False",
    "isin": "element, test_elements, assume_unique=False, invert=False",
    "isneginf": "x, out=None",
    "isposinf": "x, out=None",
    "matmul": "*args, axes=None, axis=None, keepdims=False, casting='same_kind', dtype=None, "
              "signature=None, order='K', out=None",
    "moveaxis": "a, source, destination",
    "nonzero": "a",
    "ones": "shape, dtype=float, order='C'",
    "ones_like": "a, dtype=None, order='K', subok=None, shape=None",
    "reshape": "a, newshape, order='C', *, copy=None",
    "round": "a, decimals=0, out=None",
    "searchsorted": "a, v, side='left', sorter=None",
    "squeeze": "a, axis=None",
    "stack": "tup, axis=0, out=None, *, dtype=None, casting='same_kind'",
    "swapaxes": "a, axis1, axis2",
    "take_along_axis": "a, indices, axis",
    "tile": "A, reps",
    "transpose": "a, axes=None",
    "tri": "N, M=None, k=0, dtype=float",
    "tril": "m, k=0",
    "triu": "m, k=0",
    "unique": "ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, "
              "equal_nan=True",
    "where": "condition, x=None, y=None",
    "zeros": "shape, dtype=float, order='C'",
    "zeros_like": "a, dtype=None, order='K', subok=None, shape=None",
}

METHODS = {  # after the array itself
    "all": ", axis=None, out=None, keepdims=False",
    "any": ", axis=None, out=None, keepdims=False",
    "argmax": ", axis=None, out=None, dtype=None, keepdims=False",
    "argmin": ", axis=None, out=None, dtype=None, keepdims=False",
    "argsort": ", axis=-1, kind=None",
    "compress": ", condition, axis=None, out=None",
    "cumprod": ", axis=None, dtype=None, out=None",
    "cumsum": ", axis=None, dtype=None, out=None",
    "max": ", axis=None, out=None, keepdims=False",
    "mean": ", axis=None, dtype=None, out=None, keepdims=False",
    "min": ", axis=None, out=None, keepdims=False",
    "prod": ", axis=None, dtype=None, out=None, keepdims=None",
    "repeat": ", repeats, axis=None",
    "squeeze": ", axis=None",
    "take": ", indices, axis=None, out=None",
    "sum": ", axis=None, dtype=None, out=None, keepdims=False",
    "swapaxes": ", axis1, axis2",
    "transpose": ", *axes",
}

OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide",
             "floordiv": "floor_divide", "mod": "remainder", "pow": "power", "matmul": "matmul",
             "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
             "lshift": "left_shift", "rshift": "right_shift", "eq": "equal", "ne": "not_equal",
             "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
             "neg": "negative", "abs": "absolute", "invert": "invert"}

VIEWS = {"broadcast_to", "diagonal", "expand_dims", "flip", "moveaxis", "reshape", "squeeze",
         "swapaxes", "transpose"}
WAITS = {"unique", "bincount", "nonzero", "compress", "histogram"}  # they read sizes back
# Where it is not one:
LAUNCHES = {"empty": 0, "tril": 2, "triu": 2, "isclose": 5, "unique": 6, "bincount": 2,
            "argsort": 2, "cumsum": 2, "cumprod": 2, "concatenate": 2, "stack": 2}

AT = {"add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"}
AT_DTYPES = ("int32", "int64", "float16", "float32", "float64", "uint32", "uint64")


def _within(x: Any, low: float, high: float, besides: float, slot: int, marks: Any) -> None:
    marks[slot] |= bool((~((x >= low) & (x <= high)) & (x != besides)).any())


KERNELS = {"minitorch_within": _within}

assert all(hasattr(np, name) for name in (*UFUNCS, *FUNCTIONS))
