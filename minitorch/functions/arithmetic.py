"""Arithmetic in PyTorch's spellings, and elementary functions made of others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch import dtypes, engine, ops
from minitorch.engine import shown_as
from minitorch.functions.common import (
    as_float,
    bare,
    cast_to,
    common_dtype,
    into,
    method,
    require_float,
    require_one_dtype,
    require_tensors,
)
from minitorch.operators import refuse_bool

__all__ = [
    "add", "sub", "subtract", "rsub", "div", "divide", "true_divide", "float_power", "addcmul",
    "addcdiv", "lerp", "clamp", "clip", "clamp_min", "clamp_max", "fmax", "fmin", "hypot",
    "logaddexp", "logaddexp2", "xlogy", "exp2", "frac", "fix", "sgn", "logit",
    "deg2rad", "rad2deg", "nan_to_num", "isposinf", "isneginf", "isreal", "signbit", "positive",
    "bitwise_left_shift", "bitwise_right_shift",
]


def _scaled(name: str, input: Any, other: Any, alpha: Any) -> Any:
    if type(alpha) is int and alpha == 1:
        return other
    dt = common_dtype(input, other)
    if isinstance(alpha, float) and dt.kind != "f":
        raise RuntimeError(f"{name}: For integral input tensors, argument alpha must not be a "
                           f"floating point number.")
    scaled = other * alpha
    return bool(scaled) if dt.kind == "b" and isinstance(scaled, int) else cast_to(scaled, dt)


@method
def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """``input + alpha * other``, elementwise."""
    return into(out, ops.add(input, _scaled("add", input, other, alpha)))


@method
def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """``input - alpha * other``, elementwise; raises RuntimeError for bools."""
    refuse_bool(input, other)
    return into(out, ops.subtract(input, _scaled("sub", input, other, alpha)))


@method
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``other - alpha * input``, elementwise."""
    require_tensors("rsub", input=input)
    y = sub(other, input, alpha=alpha)
    return shown_as(f"RsubBackward{int(not isinstance(other, engine.Tensor))}", y)


@method
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """``input / other``; ``rounding_mode`` "floor" or "trunc" rounds the quotient."""
    if rounding_mode is None:
        return into(out, ops.divide(input, other))
    if rounding_mode == "floor":
        return into(out, ops.floor_divide(input, other))
    if rounding_mode != "trunc":
        raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but "
                           f"found '{rounding_mode}'")
    dt = common_dtype(input, other)
    if dt.kind == "f":
        quotient = ops.trunc(ops.divide(*[getattr(v, "data", v) for v in (input, other)]))
        # From floor_divide comes the derivative: 0, also where the quotient is infinite.
        return into(out, ops.where(quotient == quotient, quotient, ops.floor_divide(input, other)))
    # Exact for integers of any size: a quotient in floating point would round them.
    whole = ops.subtract(input, ops.fmod(input, other))
    return into(out, ops.floor_divide(whole, other))


@method
def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """``input ** exponent`` in float64."""
    base, power = [v.double() if isinstance(v, engine.Tensor) else float(v)  # type: ignore
                   for v in (input, exponent)]
    return into(out, ops.pow(base, power))


@method
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1, out: Any = None) -> Any:
    """``input + value * tensor1 * tensor2``, elementwise."""
    dt = common_dtype(input, tensor1, tensor2)
    if dt.kind == "b":
        raise NotImplementedError("addcmul is not implemented for 'Bool': convert first, as in "
                                  "x.long()")
    product = cast_to(tensor1, dt) * cast_to(tensor2, dt)
    if value != 1:
        product = cast_to(product * (value if dt.kind == "f" else int(value)), dt)
    return into(out, shown_as("AddcmulBackward0", ops.add(input, product)))


@method
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1, out: Any = None) -> Any:
    """``input + value * tensor1 / tensor2``, elementwise; raises RuntimeError for integers."""
    if common_dtype(tensor1, tensor2).kind != "f":
        raise RuntimeError("Integer division with addcdiv is not supported: convert the tensors "
                           "first, as in x.float()")
    dt = common_dtype(input, tensor1, tensor2)
    y = ops.add(input, cast_to(tensor1, dt) / cast_to(tensor2, dt) * value)
    return into(out, shown_as("AddcdivBackward0", y))


@method
def lerp(input: Any, end: Any, weight: Any, *, out: Any = None) -> Any:
    """``input + weight * (end - input)``, elementwise; all of one dtype."""
    require_float("lerp", input)
    require_one_dtype("lerp", input, end, weight if getattr(weight, "ndim", 0) else None)
    y = ops.add(input, ops.multiply(ops.subtract(end, input), weight))
    return into(out, shown_as("LerpBackward0", y))


@method
def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """``input`` limited to ``[min, max]``; a bound may be None, a number or a tensor."""
    require_tensors("clamp", input=input)
    dt = common_dtype(*[v for v in (input, min, max) if v is not None])
    input, min, max = [cast_to(v, dt) for v in (input, min, max)]
    if dt.kind != "f":  # -1 is 255 to a uint8, as in PyTorch
        min, max = [int(np.asarray(v).astype(dt)) if isinstance(v, int) else v for v in (min, max)]
    return into(out, ops.clamp(input, min, max))


@method
def clamp_min(input: Any, min: Any, *, out: Any = None) -> Any:
    """``input``, but at least ``min``."""
    return into(out, shown_as("ClampMinBackward0", clamp(input, min)))


@method
def clamp_max(input: Any, max: Any, *, out: Any = None) -> Any:
    """``input``, but at most ``max``."""
    return into(out, shown_as("ClampMaxBackward0", clamp(input, None, max)))


# -- functions made of others, which give them their derivatives ---------------------------------

@method
def fmax(input: Any, other: Any, *, out: Any = None) -> Any:
    """The larger of two, elementwise; a nan counts only where both are."""
    require_tensors("fmax", input=input, other=other)
    return into(out, ops.where((input >= other) | ops.isnan(other), input, other))


@method
def fmin(input: Any, other: Any, *, out: Any = None) -> Any:
    """The smaller of two, elementwise; a nan counts only where both are."""
    require_tensors("fmin", input=input, other=other)
    return into(out, ops.where((input <= other) | ops.isnan(other), input, other))


def _floats(name: str, input: Any, other: Any) -> tuple[Any, Any]:
    """Both, once they are known to be tensors of which one is floating."""
    require_tensors(name, input=input, other=other)
    if common_dtype(input, other).kind != "f":
        require_float(name, input)
    return input, other


@method
def hypot(input: Any, other: Any, *, out: Any = None) -> Any:
    """``sqrt(input**2 + other**2)``, elementwise."""
    return into(out, ops.hypot(*_floats("hypot", input, other)))


@method
def logaddexp(input: Any, other: Any, *, out: Any = None) -> Any:
    """``log(exp(input) + exp(other))``, elementwise and without overflow."""
    return into(out, ops.logaddexp(*_floats("logaddexp", input, other)))


@method
def logaddexp2(input: Any, other: Any, *, out: Any = None) -> Any:
    """``log2(2**input + 2**other)``, elementwise and without overflow."""
    return into(out, ops.logaddexp2(*_floats("logaddexp2", input, other)))


@method
def xlogy(input: Any, other: Any, *, out: Any = None) -> Any:
    """``input * log(other)``, elementwise; 0 where ``input`` is 0, unless ``other`` is nan."""
    other = cast_to(other, common_dtype(input, other))
    return into(out, input * ops.log(ops.where((input == 0) & (other <= 0), 1.0, other)))


@method
def exp2(input: Any, *, out: Any = None) -> Any:
    """``2 ** input``, elementwise."""
    return into(out, ops.pow(2.0, as_float(input)))


@method
def frac(input: Any, *, out: Any = None) -> Any:
    """``input - trunc(input)``, elementwise."""
    require_float("frac", input)
    return into(out, ops.subtract(input, ops.trunc(input)))


@method
def fix(input: Any, *, out: Any = None) -> Any:
    """``input`` without its fraction, elementwise."""
    return ops.trunc(input, out=out)


@method
def sgn(input: Any, *, out: Any = None) -> Any:
    """-1, 0 or 1 by the sign of ``input``, elementwise."""
    return ops.sign(input, out=out)


@method
def logit(input: Any, eps: float | None = None, *, out: Any = None) -> Any:
    """``log(x / (1 - x))``, elementwise, of ``input`` limited to ``[eps, 1 - eps]``."""
    x = as_float(input)
    if eps is not None:
        x = ops.clamp(x, eps, 1 - eps)
    return into(out, ops.log(x / (1 - x)))


@method
def deg2rad(input: Any, *, out: Any = None) -> Any:
    """Degrees into radians, elementwise."""
    return into(out, ops.multiply(input, math.pi / 180))


@method
def rad2deg(input: Any, *, out: Any = None) -> Any:
    """Radians into degrees, elementwise."""
    return into(out, ops.multiply(input, 180 / math.pi))


@method
def nan_to_num(input: Any, nan: float | None = None, posinf: float | None = None,
               neginf: float | None = None, *, out: Any = None) -> Any:
    """Finite numbers for nan (0), inf (the largest float) and -inf (the smallest)."""
    if input.array.dtype.kind != "f":
        return into(out, ops.clone(input))
    most = dtypes.finfo(input.dtype).max
    y = ops.where(ops.isnan(input), 0.0 if nan is None else nan, input)
    y = ops.where(bare("isposinf", input), most if posinf is None else posinf, y)
    return into(out, ops.where(bare("isneginf", input), -most if neginf is None else neginf, y))


# -- results without derivative ------------------------------------------------------------------

@method
def isposinf(input: Any, *, out: Any = None) -> Any:
    """Whether ``input`` is inf, elementwise."""
    return into(out, ops.eq(input, math.inf))


@method
def isneginf(input: Any, *, out: Any = None) -> Any:
    """Whether ``input`` is -inf, elementwise."""
    return into(out, ops.eq(input, -math.inf))


@method
def isreal(input: Any) -> Any:
    """True everywhere: there are no complex dtypes here."""
    return bare("ones_like", input).bool()


@method
def signbit(input: Any, *, out: Any = None) -> Any:
    """Whether ``input`` is negative (or -0.0), elementwise."""
    return into(out, bare("signbit", input) if input.array.dtype.kind == "f" else input < 0)


@method
def positive(input: Any) -> Any:
    """``input`` itself; raises RuntimeError for bools."""
    return +input


def _shift(word: str, input: Any, other: Any, out: Any) -> Any:
    dt = common_dtype(input, other)
    if not isinstance(input, engine.Tensor):
        require_tensors(word, other=other)
    if dt.kind not in "iu":
        raise NotImplementedError(f'"{word}" not implemented for {dtypes.of_numpy(dt)}; it shifts '
                                  f'integers')
    x, y = [v.array.astype(dt) if isinstance(v, engine.Tensor) else dt.type(v)
            for v in (input, other)]
    return into(out, bare(word, x, y))


@method
def bitwise_left_shift(input: Any, other: Any, *, out: Any = None) -> Any:
    """``input << other`` of integers, elementwise."""
    return _shift("left_shift", input, other, out)


@method
def bitwise_right_shift(input: Any, other: Any, *, out: Any = None) -> Any:
    """``input >> other`` of integers, elementwise."""
    return _shift("right_shift", input, other, out)


subtract, divide, true_divide, clip = sub, div, div, clamp
