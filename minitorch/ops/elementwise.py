"""Arithmetic and elementary functions, one number at a time.

``g`` is the cotangent of the output; a rule returns that of its input. Broadcasting and dtype
promotion are undone by the engine, so no rule mentions them.
"""

from math import pi
from math import sqrt as root

import numpy as np

from minitorch.primitive import primitive

# -- arithmetic ------------------------------------------------------------------------------


@primitive(promote="same", shown="AddBackward0", law="(),()->()",
           x=lambda xp, g: g,
           y=lambda xp, g: g)
def add(xp, x, y):
    """``x + y``, elementwise."""
    return xp.add(x, y)


@primitive(promote="same", shown="SubBackward0", law="(),()->()", aliases=["sub"],
           x=lambda xp, g: g,
           y=lambda xp, g: -g)
def subtract(xp, x, y):
    """``x - y``, elementwise."""
    return xp.subtract(x, y)


@primitive(promote="same", shown="MulBackward0", law="(),()->()", aliases=["mul"],
           x=lambda xp, g, y: g * y,
           y=lambda xp, g, x: g * x)
def multiply(xp, x, y):
    """``x * y``, elementwise."""
    return xp.multiply(x, y)


@primitive(promote="float", shown="DivBackward0", law="(),()->()", aliases=["true_divide"],
           domain={"y": "nonzero"},
           x=lambda xp, g, y: g / y,
           y=lambda xp, g, x, y: -g * ((x / y) / y))
def divide(xp, x, y):
    """``x / y``, elementwise; integers give the default float."""
    return xp.divide(x, y)


def _power_x(xp, g, x, y):
    if isinstance(y, (int, float)):
        return g * 0 if y == 0 else g * (y * x ** (y - 1))
    return xp.where(y == 0, 0.0, g * y * x ** xp.where(y == 0, 1.0, y - 1))


def _power_y(xp, g, x, y, out):
    zero = (y >= 0) & (x == 0)  # 0**y is 0 for every y > 0: flat
    if isinstance(x, (int, float)):
        log = float(np.log(x or 5e-324))  # finite at 0, for the factors that are masked out
    else:
        log = xp.log(xp.where(zero, 1.0, x))
    return g * xp.where(zero, 0.0, out * log)


@primitive(promote="number", law="(),()->()", domain={"x": "positive"},
           shown=lambda node: "PowBackward" + ("0" if isinstance(node.kept("y"), (int, float)) else
                                               "2" if isinstance(node.kept("x"), (int, float))
                                               else "1"),
           x=_power_x, y=_power_y)
def pow(xp, x, y):
    """``x ** y``, elementwise."""
    dtype = (y if isinstance(x, (int, float)) else x).dtype
    return x ** y if dtype.kind == "f" else _whole_power(xp, x, y, dtype)


def _whole_power(xp, x, y, dtype):
    if isinstance(y, int) and y < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    x, y = [xp.asarray(v).astype(dtype) if isinstance(v, (int, float)) else v for v in (x, y)]
    if dtype.kind == "b":
        return x | ~y
    if not hasattr(y, "__cuda_array_interface__") and not xp.any(y < 0):
        return x ** y  # on the GPU the question would have to be waited for
    fraction = xp.where(xp.absolute(x) == 1, x ** (y % 2), 0)  # 1 / x**-y, rounded to 0
    return xp.where(y < 0, fraction, x ** xp.maximum(y, 0))


@primitive(promote="same", shown="NegBackward0", law="()->()", aliases=["neg"],
           x=lambda xp, g: -g)
def negative(xp, x):
    """``-x``, elementwise; raises RuntimeError for bools."""
    if x.dtype.kind == "b":
        raise RuntimeError("Negation, the `-` operator, on a bool tensor is not supported. If you "
                           "are trying to invert a mask, use the `~` operator instead.")
    return xp.negative(x)


def _no_zero_divisor(xp, x, y):
    """Raise for integers divided by 0; on the GPU they give any number, as in PyTorch."""
    if hasattr(x, "__cuda_array_interface__") or hasattr(y, "__cuda_array_interface__"):
        return
    if (y if isinstance(x, (int, float)) else x).dtype.kind != "f" and xp.any(xp.equal(y, 0)):
        raise RuntimeError("ZeroDivisionError: an integer was divided by zero")


@primitive(promote="number", law="(),()->()",
           x=lambda xp, g: g,
           y=lambda xp, g, x, y: -g * xp.floor_divide(x, y),
           domain={"y": "nonzero"})
def remainder(xp, x, y):
    """The remainder of ``x / y`` with the sign of ``y``, elementwise (Python's ``%``)."""
    _no_zero_divisor(xp, x, y)
    return xp.remainder(x, y)


@primitive(promote="number", law="(),()->()",
           x=lambda xp, g: g,
           y=lambda xp, g, x, y: -g * xp.trunc(x / y),
           domain={"y": "nonzero"})
def fmod(xp, x, y):
    """The remainder of ``x / y`` with the sign of ``x``, elementwise."""
    _no_zero_divisor(xp, x, y)
    return xp.fmod(x, y)


def _flat(xp, g):
    return xp.zeros_like(g)


@primitive(promote="number", law="(),()->()", domain={"y": "nonzero"}, x=_flat, y=_flat)
def floor_divide(xp, x, y):
    """``floor(x / y)``, elementwise."""
    _no_zero_divisor(xp, x, y)
    return xp.floor_divide(x, y)


# -- powers, exponentials, logarithms --------------------------------------------------------


@primitive(promote="same", shown="PowBackward0", law="()->()",
           x=lambda xp, g, x: g * (2 * x))
def square(xp, x):
    """``x * x``, elementwise; of bools an int64."""
    if x.dtype.kind == "b":
        x = xp.cast(x, "int64")
    return xp.multiply(x, x)


@primitive(promote="float", law="()->()", domain={"x": "positive"},
           x=lambda xp, g, out: g / (2 * out))
def sqrt(xp, x):
    """The square root, elementwise; nan below 0."""
    return xp.sqrt(x)


@primitive(promote="float", law="()->()", domain={"x": "positive"},
           x=lambda xp, g, out: -0.5 * g * (out * out * out))
def rsqrt(xp, x):
    """``1 / sqrt(x)``, elementwise."""
    return 1 / xp.sqrt(x)


@primitive(promote="float", law="()->()", domain={"x": "nonzero"},
           x=lambda xp, g, out: -g * (out * out))
def reciprocal(xp, x):
    """``1 / x``, elementwise."""
    return xp.reciprocal(x)


@primitive(promote="float", law="()->()",
           x=lambda xp, g, out: g * out)
def exp(xp, x):
    """The exponential, elementwise."""
    return xp.exp(x)


@primitive(promote="float", law="()->()",
           x=lambda xp, g, out: g * (out + 1))
def expm1(xp, x):
    """``exp(x) - 1``, elementwise and precise near 0."""
    return xp.expm1(x)


@primitive(promote="float", law="()->()", domain={"x": "positive"},
           x=lambda xp, g, x: g / x)
def log(xp, x):
    """The natural logarithm, elementwise; -inf at 0, nan below."""
    return xp.log(x)


@primitive(promote="float", law="()->()", domain={"x": "positive"},
           shown="Log1PBackward0",
           x=lambda xp, g, x: g / (x + 1))
def log1p(xp, x):
    """``log(1 + x)``, elementwise and precise near 0."""
    return xp.log1p(x)


@primitive(promote="float", law="()->()", domain={"x": "positive"},
           x=lambda xp, g, x: g / (x * 0.6931471805599453))
def log2(xp, x):
    """The logarithm to base 2, elementwise."""
    return xp.log2(x)


@primitive(promote="float", law="()->()", domain={"x": "positive"},
           x=lambda xp, g, x: g / (x * 2.302585092994046))
def log10(xp, x):
    """The logarithm to base 10, elementwise."""
    return xp.log10(x)


@primitive(promote="same", law="(),()->()",
           x=lambda xp, g, x, y: g / (1 + xp.exp(y - x)),
           y=lambda xp, g, x, y: g / (1 + xp.exp(x - y)))
def logaddexp(xp, x, y):
    """``log(exp(x) + exp(y))``, elementwise and without overflow."""
    return xp.logaddexp(x, y)


@primitive(promote="same", law="(),()->()",
           x=lambda xp, g, x, y: g / (1 + 2 ** (y - x)),
           y=lambda xp, g, x, y: g / (1 + 2 ** (x - y)))
def logaddexp2(xp, x, y):
    """``log2(2**x + 2**y)``, elementwise and without overflow."""
    return xp.logaddexp2(x, y)


@primitive(promote="same", law="(),()->()", domain={"x": "nonzero"},
           x=lambda xp, g, x, out: g * (x / out),
           y=lambda xp, g, y, out: g * (y / out))
def hypot(xp, x, y):
    """``sqrt(x**2 + y**2)``, elementwise and without overflow."""
    return xp.hypot(x, y)


@primitive(promote="float", law="()->()",
           x=lambda xp, g, x: g * (2 / root(pi) * xp.exp(-x * x)))
def erf(xp, x):
    """The error function ``2/sqrt(pi) * integral of exp(-t*t) from 0 to x``, elementwise."""
    return xp.erf(x)


# -- trigonometric and hyperbolic ------------------------------------------------------------


@primitive(promote="float", law="()->()",
           x=lambda xp, g, x: g * xp.cos(x))
def sin(xp, x):
    """The sine of ``x`` in radians, elementwise."""
    return xp.sin(x)


@primitive(promote="float", law="()->()",
           x=lambda xp, g, x: -g * xp.sin(x))
def cos(xp, x):
    """The cosine of ``x`` in radians, elementwise."""
    return xp.cos(x)


@primitive(promote="float", law="()->()", domain={"x": "unit"},
           x=lambda xp, g, out: g * (1 + out * out))
def tan(xp, x):
    """The tangent of ``x`` in radians, elementwise."""
    return xp.tan(x)


@primitive(promote="float", law="()->()", domain={"x": "unit"}, aliases=["arcsin"],
           x=lambda xp, g, x: g / xp.sqrt(1 - x * x))
def asin(xp, x):
    """The angle in radians whose sine is ``x``, elementwise; nan outside [-1, 1]."""
    return xp.arcsin(x)


@primitive(promote="float", law="()->()", domain={"x": "unit"}, aliases=["arccos"],
           x=lambda xp, g, x: -g / xp.sqrt(1 - x * x))
def acos(xp, x):
    """The angle in radians whose cosine is ``x``, elementwise; nan outside [-1, 1]."""
    return xp.arccos(x)


@primitive(promote="float", law="()->()", aliases=["arctan"],
           x=lambda xp, g, x: g / (1 + x * x))
def atan(xp, x):
    """The angle in radians whose tangent is ``x``, elementwise."""
    return xp.arctan(x)


def _radius2(x, y):
    r = x * x + y * y
    return r + (r == 0)  # at the origin the slopes are taken as 0


@primitive(promote="float", law="(),()->()", domain={"x": "nonzero"}, aliases=["arctan2"],
           x=lambda xp, g, x, y: g * y / _radius2(x, y),
           y=lambda xp, g, x, y: -g * x / _radius2(x, y))
def atan2(xp, x, y):
    """The angle of the point ``(y, x)`` in radians, elementwise."""
    return xp.arctan2(x, y)


@primitive(promote="float", law="()->()",
           x=lambda xp, g, x: g * xp.cosh(x))
def sinh(xp, x):
    """The hyperbolic sine, elementwise."""
    return xp.sinh(x)


@primitive(promote="float", law="()->()",
           x=lambda xp, g, x: g * xp.sinh(x))
def cosh(xp, x):
    """The hyperbolic cosine, elementwise."""
    return xp.cosh(x)


@primitive(promote="float", law="()->()",
           x=lambda xp, g, out: g * (1 - out * out))
def tanh(xp, x):
    """The hyperbolic tangent, elementwise."""
    return xp.tanh(x)


@primitive(promote="float", law="()->()", aliases=["arcsinh"],
           x=lambda xp, g, x: g / xp.sqrt(x * x + 1))
def asinh(xp, x):
    """The inverse hyperbolic sine, elementwise."""
    return xp.arcsinh(x)


@primitive(promote="float", law="()->()", domain={"x": "above one"}, aliases=["arccosh"],
           x=lambda xp, g, x: g / xp.sqrt(x * x - 1))
def acosh(xp, x):
    """The inverse hyperbolic cosine, elementwise; nan below 1."""
    return xp.arccosh(x)


@primitive(promote="float", law="()->()", domain={"x": "unit"}, aliases=["arctanh"],
           x=lambda xp, g, x: g / (1 - x * x))
def atanh(xp, x):
    """The inverse hyperbolic tangent, elementwise."""
    return xp.arctanh(x)
