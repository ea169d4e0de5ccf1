"""Choosing, comparing and rounding: operators that are flat or kinked somewhere."""

from minitorch import dtypes
from minitorch.primitive import primitive


@primitive(promote="same", law="(),(),()->()",
           x=lambda xp, g, condition: xp.where(condition, g, 0.0),
           y=lambda xp, g, condition: xp.where(condition, 0.0, g))
def where(xp, condition, x, y):
    """``x`` where ``condition`` holds, else ``y``, elementwise."""
    return xp.where(condition, x, y)


# At a tie each side gets half.
@primitive(promote="same", law="(),()->()",
           x=lambda xp, g, x, y: xp.where(x == y, g / 2, xp.where(x < y, 0.0, g)),
           y=lambda xp, g, x, y: xp.where(x == y, g / 2, xp.where(y < x, 0.0, g)))
def maximum(xp, x, y):
    """The larger of ``x`` and ``y``, elementwise; nan if either is."""
    return xp.maximum(x, y)


@primitive(promote="same", law="(),()->()",
           x=lambda xp, g, x, y: xp.where(x == y, g / 2, xp.where(x > y, 0.0, g)),
           y=lambda xp, g, x, y: xp.where(x == y, g / 2, xp.where(y > x, 0.0, g)))
def minimum(xp, x, y):
    """The smaller of ``x`` and ``y``, elementwise; nan if either is."""
    return xp.minimum(x, y)


def _inside(x, min, max):
    if min is None:
        return x <= max
    return x >= min if max is None else (x >= min) & (x <= max)


def _shown(node):
    bounds = node.kept("min"), node.kept("max")
    return f"ClampBackward{int(not any(hasattr(v, 'dtype') for v in bounds))}"


@primitive(promote="same", law="()->()", aliases=["clip"], shown=_shown,
           x=lambda xp, g, x, min, max: xp.where(_inside(x, min, max), g, 0.0),
           min=lambda xp, g, x, min, max: xp.where(
               x < min if max is None else (x < min) & (min < max), g, 0.0),
           max=lambda xp, g, x, min, max: xp.where(
               x > max if min is None else (x > max) | (max < min), g, 0.0))
def clamp(xp, x, min=None, max=None):
    """``x`` limited to ``[min, max]``, elementwise; a bound may be None, a number or a tensor."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    bounds = [b for b in (min, max) if b is not None]
    if [b for b in bounds if getattr(b, "dtype", x.dtype) != x.dtype
            or (isinstance(b, float) and x.dtype.kind != "f")]:
        dtype = dtypes.result_dtype((x, *bounds))
        x, min, max = [xp.cast(v, dtype) if hasattr(v, "dtype") else v for v in (x, min, max)]
    if min is not None:
        x = xp.maximum(x, min)
    return x if max is None else xp.minimum(x, max)


@primitive(promote="number", law="()->()", aliases=["absolute"], domain={"x": "nonzero"},
           x=lambda xp, g, x: g * xp.sign(x))
def abs(xp, x):
    """The absolute value, elementwise."""
    return xp.absolute(x)


def _flat(xp, g):
    return xp.zeros_like(g)


@primitive(promote="same", law="()->()", domain={"x": "nonzero"}, x=_flat)
def sign(xp, x):
    """-1, 0 or 1 by the sign of ``x``, elementwise."""
    return xp.sign(x)


@primitive(promote="number", law="()->()", domain={"x": "fraction"}, x=_flat)
def floor(xp, x):
    """The largest integer not above ``x``, elementwise."""
    return xp.floor(x)


@primitive(promote="number", law="()->()", domain={"x": "fraction"}, x=_flat)
def ceil(xp, x):
    """The smallest integer not below ``x``, elementwise."""
    return xp.ceil(x)


@primitive(promote="number", law="()->()", domain={"x": "fraction"}, x=_flat)
def trunc(xp, x):
    """``x`` without its fraction, elementwise."""
    return xp.trunc(x)


@primitive(promote="number", law="()->()", domain={"x": "fraction"}, x=_flat)
def round(xp, x, decimals=0):
    """``x`` rounded to ``decimals`` places, halves to even, elementwise."""
    if decimals and x.dtype.kind != "f":
        raise NotImplementedError(f'"round" to decimals not implemented for {x.dtype}: convert it '
                                  f"first, as in x.float()")
    return xp.round(x, decimals)


@primitive(law="()->()", view=False, shown="CloneBackward0", x=lambda xp, g: g)
def clone(xp, x):
    """A copy of ``x`` in new memory."""
    return xp.copy(x)


@primitive(shown="ToCopyBackward0", x=lambda xp, g: g)
def cast(xp, x, dtype):
    """``x`` converted to ``dtype``."""
    return xp.cast(x, dtype)


# -- comparisons and logic: bool results, no derivative --------------------------------------

@primitive(promote="same", law="(),()->()")
def eq(xp, x, y):
    """Whether ``x == y``, elementwise."""
    return xp.equal(x, y)


@primitive(promote="same", law="(),()->()", aliases=["not_equal"])
def ne(xp, x, y):
    """Whether ``x != y``, elementwise."""
    return xp.not_equal(x, y)


@primitive(promote="same", law="(),()->()", aliases=["less"])
def lt(xp, x, y):
    """Whether ``x < y``, elementwise."""
    return xp.less(x, y)


@primitive(promote="same", law="(),()->()", aliases=["less_equal"])
def le(xp, x, y):
    """Whether ``x <= y``, elementwise."""
    return xp.less_equal(x, y)


@primitive(promote="same", law="(),()->()", aliases=["greater"])
def gt(xp, x, y):
    """Whether ``x > y``, elementwise."""
    return xp.greater(x, y)


@primitive(promote="same", law="(),()->()", aliases=["greater_equal"])
def ge(xp, x, y):
    """Whether ``x >= y``, elementwise."""
    return xp.greater_equal(x, y)


@primitive(law="(),()->()")
def logical_and(xp, x, y):
    """Whether both are nonzero, elementwise."""
    return xp.logical_and(x, y)


@primitive(law="(),()->()")
def logical_or(xp, x, y):
    """Whether either is nonzero, elementwise."""
    return xp.logical_or(x, y)


@primitive(law="(),()->()")
def logical_xor(xp, x, y):
    """Whether exactly one is nonzero, elementwise."""
    return xp.logical_xor(x, y)


@primitive(law="()->()")
def logical_not(xp, x):
    """Whether ``x`` is zero, elementwise."""
    return xp.logical_not(x)


def _no_floats(name, *xs):
    if any(getattr(x, "dtype", None) is not None and x.dtype.kind == "f" for x in xs):
        raise NotImplementedError(f'"{name}" not implemented for floats: its operands must be '
                                  f"integers or bools")


@primitive(promote="same", law="(),()->()", domain={"x": "integer", "y": "integer"})
def bitwise_and(xp, x, y):
    """Bitwise and of integers or bools, elementwise."""
    _no_floats("bitwise_and", x, y)
    return xp.bitwise_and(x, y)


@primitive(promote="same", law="(),()->()", domain={"x": "integer", "y": "integer"})
def bitwise_or(xp, x, y):
    """Bitwise or of integers or bools, elementwise."""
    _no_floats("bitwise_or", x, y)
    return xp.bitwise_or(x, y)


@primitive(promote="same", law="(),()->()", domain={"x": "integer", "y": "integer"})
def bitwise_xor(xp, x, y):
    """Bitwise exclusive or of integers or bools, elementwise."""
    _no_floats("bitwise_xor", x, y)
    return xp.bitwise_xor(x, y)


@primitive(law="()->()", domain={"x": "integer"})
def bitwise_not(xp, x):
    """Every bit flipped; logical not for bools."""
    return xp.bitwise_not(x)


@primitive(law="()->()")
def isnan(xp, x):
    """Whether ``x`` is nan, elementwise."""
    return xp.isnan(x)


@primitive(law="()->()")
def isinf(xp, x):
    """Whether ``x`` is infinite, elementwise."""
    return xp.isinf(x)


@primitive(law="()->()")
def isfinite(xp, x):
    """Whether ``x`` is neither infinite nor nan, elementwise."""
    return xp.isfinite(x)
