"""Functions elementwise and of two tensors, drawn: PyTorch's results, dtypes, errors, gradients."""

from hypothesis import given

from tests.twins import agree, broadcastable, lines, scalars, tensors

ELEMENTWISE = """abs absolute neg negative sign sgn square sqrt rsqrt reciprocal exp exp2 expm1 log
log1p log2 log10 sin cos tan asin acos atan arcsin arccos arctan sinh cosh tanh asinh acosh atanh
sigmoid erf floor ceil trunc fix round frac relu isnan isinf isfinite isposinf isneginf
logical_not bitwise_not signbit positive deg2rad rad2deg nan_to_num isreal""".split()

BINARY = lines("""
    x + y
    x - y
    x * y
    x / y
    x // y
    x % y
    x ** 2
    x.float() ** float(s)
    s ** x
    x.abs() ** y
    x + s
    s + x
    x - s
    s - x
    x * s
    s * x
    x / s
    s / x
    x // s
    s // x
    x % s
    s % x
    x & y
    x | y
    x ^ y
    x & True
    2 | x
    1 ^ x
    x << 2
    2 >> x
    ~x
    -x
    +x
    abs(x)
    x == y
    x != y
    x < y
    x <= y
    x > y
    x >= y
    x == s
    s < x
    x >= s
    x == None
    x != "a"
    torch.add(x, y)
    torch.add(x, y, alpha=2)
    torch.add(x, y, alpha=0.5)
    torch.add(x, s, alpha=2)
    torch.add(input=x, other=y)
    torch.sub(x, y)
    torch.sub(x, y, alpha=2)
    torch.subtract(x, y)
    torch.rsub(x, y)
    torch.rsub(x, 2, alpha=3)
    torch.mul(x, y)
    torch.multiply(x, s)
    torch.div(x, y)
    torch.div(x, y, rounding_mode="floor")
    torch.div(x, y, rounding_mode="trunc")
    torch.div(x, s, rounding_mode="trunc")
    torch.div(x, 2, rounding_mode="up")
    torch.divide(x, s)
    torch.true_divide(x, y)
    torch.floor_divide(x, y)
    torch.remainder(x, y)
    torch.remainder(x, s)
    torch.remainder(s, x)
    torch.fmod(x, y)
    torch.fmod(x, s)
    torch.pow(x, 3)
    torch.pow(x.float(), exponent=float(s))
    torch.pow(s, x)
    torch.pow(x.abs(), y)
    torch.float_power(x.abs(), y)
    torch.float_power(x, 2)
    torch.maximum(x, y)
    torch.minimum(x, y)
    torch.max(x, y)
    torch.min(x, other=y)
    torch.fmax(x, y)
    torch.fmin(x, y)
    torch.atan2(x, y)
    torch.arctan2(x, y)
    torch.hypot(x, y)
    torch.logaddexp(x, y)
    torch.logaddexp2(x, y)
    torch.xlogy(x, y.abs() + 1)
    torch.xlogy(x.detach(), y.detach())
    torch.lerp(x, y, 0.3)
    torch.lerp(x, y, weight=0.75)
    torch.lerp(x.float(), y.float(), z.float())
    torch.addcmul(x, y, z)
    torch.addcmul(x, y, z, value=0.5)
    torch.addcdiv(x, y, z)
    torch.addcdiv(x, y, z, value=2)
    torch.clamp(x, -1, 1)
    torch.clamp(x, min=-0.5)
    torch.clamp(x, max=1)
    torch.clamp(x, 1, -1)
    torch.clamp(x, s, 2)
    torch.clamp(x, y, z)
    torch.clamp(x, min=y)
    torch.clamp(x, max=y)
    torch.clamp(x)
    torch.clip(x, 0, 1)
    torch.clamp_min(x, 0)
    torch.clamp_max(x, 0.5)
    torch.clamp_min(x, y)
    torch.eq(x, y)
    torch.ne(x, s)
    torch.lt(x, y)
    torch.le(x, s)
    torch.gt(x, other=y)
    torch.ge(x, y)
    torch.greater(x, y)
    torch.less_equal(x, y)
    torch.not_equal(x, y)
    torch.logical_and(x, y)
    torch.logical_or(x, y)
    torch.logical_xor(x, y)
    torch.bitwise_and(x, y)
    torch.bitwise_or(x, s)
    torch.bitwise_xor(x, y)
    torch.bitwise_left_shift(x, 1)
    torch.where(x > 0, x, y)
    torch.where(x > 0, x, s)
    torch.where(y > 0, s, x)
    torch.where(x > y, 1, 0)
    torch.where(x > 0, 1.5, 0)
    torch.where(x, y, z)
    x.where(y > 0, z)
    x.where(y > 0, 0)
    torch.isclose(x, y)
    torch.isclose(x, y, rtol=0.5, atol=0.5, equal_nan=True)
    torch.allclose(x, y)
    torch.allclose(x, x + 1e-7)
    torch.equal(x, y)
    torch.equal(x, x.clone())
    torch.result_type(x, y)
    torch.result_type(x, s)
    torch.result_type(s, x)
    torch.can_cast(x.dtype, y.dtype)
    torch.promote_types(x.dtype, y.dtype)
    torch.broadcast_tensors(x, y)
    torch.broadcast_shapes(x.shape, y.shape)
    torch.masked_fill(x, y > 0, 2)
    torch.masked_fill(x.float(), y > 0, s)
    torch.masked_fill(x.float(), y > 0, z.float())
    torch.logit(torch.sigmoid(x))
    x.masked_fill(y, 1)
    torch.masked_select(x, y > 0)
    x.dist(y)
    x.is_same_size(y)
    x.type_as(y)
    x.expand_as(y)
    x.view_as(y)
    x.reshape_as(y)
    x.to(y)
""")


@given(x=tensors())
def test_elementwise_functions_agree_with_torch(x):
    agree([f"torch.{name}(x)" for name in ELEMENTWISE], x=x)


@given(x=tensors(dtype=["float32", "float64"], wild=True, grad=False))
def test_elementwise_functions_agree_with_torch_on_nan_and_infinity(x):
    agree([f"x.{name}()" for name in ELEMENTWISE], x=x)


@given(xyz=broadcastable(3), s=scalars)
def test_operations_on_two_tensors_agree_with_torch(xyz, s):
    x, y, z = xyz
    agree(BINARY, x=x, y=y, z=z, s=s)
