"""Every function and method on drawn tensors: PyTorch's results, dtypes, errors, gradients."""

from hypothesis import given
from hypothesis import strategies as st

from tests.twins import agree, broadcastable, dims, lines, scalars, tensors

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
    x.float() ** s
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
    torch.pow(x.float(), exponent=s)
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
    torch.xlogy(x, y)
    torch.lerp(x, y, 0.3)
    torch.lerp(x, y, weight=0.75)
    torch.lerp(x, y, z)
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


REDUCTIONS = lines("""
    torch.sum(x)
    torch.sum(x, d)
    torch.sum(x, dim=d, keepdim=k)
    x.sum(axis=d, keepdims=k)
    x.sum((0, -1))
    x.sum(dim=[0, 1], keepdim=k)
    x.sum(dtype=torch.float64)
    x.sum(d, dtype=torch.float32)
    x.sum(())
    torch.nansum(x)
    torch.nansum(x, d, k)
    torch.mean(x)
    torch.mean(x, d)
    torch.mean(x, d, k)
    torch.mean(input=x, dim=d, keepdim=k)
    x.mean((0, 1))
    x.mean(axis=d)
    x.mean(dtype=torch.float32)
    x.nanmean()
    x.nanmean(d)
    torch.prod(x)
    torch.prod(x, d)
    x.prod(dim=d, keepdim=k)
    x.prod(dtype=torch.float32)
    torch.var(x)
    torch.var(x, d)
    torch.var(x, d, False)
    torch.var(x, d, False, k)
    torch.var(x, False)
    x.var(unbiased=False)
    x.var(dim=d, correction=0, keepdim=k)
    x.var((0, 1), correction=2)
    torch.std(x)
    torch.std(x, d)
    torch.std(x, dim=d, unbiased=False)
    x.std(0, keepdim=True)
    x.std(False)
    x.std(axis=d)
    torch.var_mean(x, d)
    torch.std_mean(x, d, correction=0)
    torch.std_mean(x)
    torch.amax(x)
    torch.amax(x, d)
    torch.amax(x, (0, 1), k)
    x.amin(dim=d, keepdim=k)
    torch.aminmax(x)
    torch.aminmax(x, dim=d, keepdim=k)
    torch.max(x)
    torch.max(x, d)
    torch.max(x, d, k)
    torch.max(x, dim=d, keepdim=k)
    x.max(d)
    x.max(axis=d)
    x.max(d).values
    x.max(d).indices
    x.max(d)[1]
    torch.min(x)
    torch.min(x, d, k)
    x.min(dim=d)
    torch.argmax(x)
    torch.argmax(x, d)
    torch.argmax(x, dim=d, keepdim=k)
    x.argmax(keepdim=k)
    x.argmax(axis=d)
    torch.argmin(x)
    x.argmin(d, k)
    torch.any(x)
    torch.any(x, d)
    x.any(dim=d, keepdim=k)
    torch.all(x)
    x.all(d, k)
    x.any((0, 1))
    torch.count_nonzero(x)
    torch.count_nonzero(x, d)
    torch.logsumexp(x, d)
    torch.logsumexp(x, d, k)
    torch.logsumexp(x, (0, 1))
    torch.cumsum(x, d)
    torch.cumsum(x, dim=d)
    x.cumsum(d, dtype=torch.float64)
    x.cumsum(axis=d)
    torch.cumprod(x, d)
    x.cumprod(dim=d)
    torch.cummax(x, d)
    torch.cummin(x, d)
    torch.norm(x)
    torch.norm(x, 2)
    torch.norm(x, p=1)
    torch.norm(x, 2, d)
    torch.norm(x, p=3, dim=d, keepdim=k)
    torch.norm(x, p="fro")
    torch.norm(x, p=float("inf"))
    torch.norm(x, p=float("-inf"), dim=d)
    torch.norm(x, p=0)
    x.norm(dim=d)
    x.norm(dim=(0, 1))
    x.norm(dtype=torch.float64)
    torch.median(x)
    torch.median(x, d)
    x.median(dim=d, keepdim=k)
    torch.diff(x)
    torch.diff(x, dim=d)
    x.diff(n=2)
    torch.softmax(x, d)
    torch.softmax(x, dim=d)
    torch.softmax(x, d, torch.float64)
    x.softmax(d)
    x.softmax(-1, dtype=torch.float32)
    torch.log_softmax(x, d)
    x.log_softmax(dim=d)
    torch.std(x, unbiased=True)
    x.sum(d, d)
""")


@given(x=tensors(), d=dims, k=st.booleans())
def test_reductions_agree_with_torch(x, d, k):
    agree(REDUCTIONS, x=x, d=d, k=k)


SHAPES = lines("""
    x.reshape(-1)
    x.reshape(a, -1)
    x.reshape((a, b))
    torch.reshape(x, (a, -1))
    x.view(-1)
    x.view(a, -1)
    x.view([a, -1])
    x.view(size=(-1,))
    x.view(x.shape)
    x.flatten()
    torch.flatten(x, d)
    torch.flatten(x, start_dim=d, end_dim=e)
    x.ravel()
    x.unflatten(d, (a, -1))
    torch.unflatten(x, d, (a, b))
    x.permute(1, 0)
    x.permute((d, e))
    x.permute(d, e, 0)
    torch.permute(x, (2, 0, 1))
    torch.permute(x, dims=(0,))
    x.transpose(d, e)
    torch.transpose(x, dim0=d, dim1=e)
    torch.swapaxes(x, d, e)
    torch.swapdims(x, d, e)
    x.t()
    torch.t(x)
    x.T
    x.mT
    x.H
    x.mH
    torch.adjoint(x)
    torch.movedim(x, d, e)
    torch.movedim(x, (0, 1), (1, 0))
    torch.moveaxis(x, d, e)
    x.squeeze()
    x.squeeze(d)
    x.squeeze((d, e))
    torch.squeeze(x, dim=d)
    x.unsqueeze(d)
    torch.unsqueeze(x, dim=d)
    x.expand(a, *x.shape)
    x.expand(*x.shape)
    x.expand(-1, *x.shape[1:])
    x.expand((a, b))
    x.expand(size=(a, b))
    torch.broadcast_to(x, (a, b))
    x.repeat(a)
    x.repeat(a, b)
    x.repeat((2, 1, a))
    x.repeat(a, 1, b, 1)
    x.tile(a)
    x.tile((a, b))
    torch.tile(x, (2,))
    x.repeat_interleave(a)
    torch.repeat_interleave(x, 2, dim=d)
    torch.repeat_interleave(x, torch.tensor([1, 0, 2]), dim=0)
    torch.repeat_interleave(torch.tensor([1, 2, 0]))
    x.flip(d)
    x.flip(0, 1)
    x.flip((d, e))
    torch.flip(x, [d])
    torch.flip(x, dims=(d,))
    torch.fliplr(x)
    torch.flipud(x)
    x.roll(a)
    x.roll(-1, d)
    torch.roll(x, (1, 2), (d, e))
    torch.roll(x, shifts=a, dims=d)
    x.roll((1, 2))
    torch.rot90(x)
    torch.rot90(x, 3, (0, 1))
    x.narrow(d, 0, a)
    torch.narrow(x, dim=d, start=a, length=b)
    x.narrow(d, -1, 1)
    x.narrow_copy(0, 0, 1)
    x.select(d, a)
    torch.select(x, dim=d, index=-1)
    x.unbind()
    torch.unbind(x, d)
    x.split(a)
    torch.split(x, a, d)
    torch.split(x, split_size_or_sections=2, dim=d)
    x.split([1, a], d)
    x.split(split_size=2)
    torch.split_with_sizes(x, [1, 1], d)
    x.chunk(a)
    torch.chunk(x, 2, d)
    torch.chunk(x, chunks=3, dim=d)
    torch.tensor_split(x, 3, d)
    torch.tensor_split(x, (1, 2), dim=d)
    torch.hsplit(x, 2)
    torch.vsplit(x, 2)
    torch.atleast_1d(x)
    torch.atleast_2d(x)
    torch.atleast_3d(x)
    torch.diagonal(x)
    x.diagonal(a - 2, 0, 1)
    torch.diagonal(x, offset=1, dim1=d, dim2=e)
    torch.diag(x)
    torch.diag(x, a - 2)
    x.diag(diagonal=-1)
    torch.diag_embed(x)
    torch.diag_embed(x, 1, 0, 2)
    torch.diagflat(x)
    torch.diagflat(x, 1)
    torch.tril(x)
    torch.tril(x, a - 2)
    torch.triu(x, diagonal=-1)
    x.triu(1)
    torch.trace(x)
    x.contiguous()
    x.clone()
    torch.clone(x)
    x.detach()
    x.shape
    x.size()
    x.size(d)
    x.size(dim=d)
    x.dim()
    x.ndim
    x.numel()
    torch.numel(x)
    x.nelement()
    x.is_contiguous()
    x.element_size()
    x.itemsize
    x.nbytes
    x.storage_offset()
    x.is_floating_point()
    torch.is_floating_point(x)
    torch.is_tensor(x)
    torch.is_nonzero(x)
    x.is_signed()
    x.is_complex()
    x.shape.numel()
    x.shape[0]
    x.shape[:-1]
    x.shape + (1,)
    len(x)
    list(x)
    [r * 2 for r in x]
    tuple(reversed(x))
    x.tolist()
    x.item()
    float(x)
    int(x)
    bool(x)
    x.__index__()
    2 in x
    x.nonzero()
    torch.nonzero(x, as_tuple=True)
    torch.argwhere(x)
    torch.where(x)
    x.detach().unique()
    torch.unique(x.detach(), return_inverse=True, return_counts=True)
    torch.unique(x.detach(), dim=0)
    torch.unique_consecutive(x.detach())
    torch.unique_consecutive(x.detach(), return_inverse=True, return_counts=True)
    x.sort()
    torch.sort(x, d)
    torch.sort(x, dim=d, descending=True, stable=True)
    x.sort(d, True)[0]
    x.argsort(stable=True)
    torch.argsort(x, dim=d, stable=True)
    torch.msort(x)
    x.detach().topk(a)[0]
    torch.topk(x.detach(), 1, d)[0]
    torch.topk(x.detach(), k=a, dim=d, largest=False)[0]
    x.to(torch.float64)
    x.to(torch.int64)
    x.to("cpu")
    x.to(torch.device("cpu"), torch.float32)
    x.to(dtype=torch.float16)
    x.to(torch.float32, copy=True)
    x.to(device="cpu", non_blocking=True)
    x.float()
    x.double()
    x.half()
    x.long()
    x.int()
    x.short()
    x.char()
    x.byte()
    x.bool()
    x.type()
    x.type(torch.float64)
    x.type(torch.LongTensor)
    x.type("torch.DoubleTensor")
    x.cpu()
    x.dtype
    x.device
    x.requires_grad
    x.is_leaf
    x.is_cuda
    x.layout is torch.strided
    x.get_device()
    x.new_zeros(2)
    x.new_zeros((2, 3))
    x.new_ones(2, 3, dtype=torch.int64)
    x.new_full((2,), 3)
    x.new_tensor([1, 2])
    x.new_empty(2, 0)
    torch.zeros_like(x)
    torch.ones_like(x, dtype=torch.float64)
    torch.full_like(x, 3)
    torch.empty_like(x).shape
    format(x)
    str(x)
    repr(x)
    f"{x}"
""")


@given(x=tensors(), d=dims, e=dims, a=st.integers(0, 4), b=st.integers(1, 3))
def test_shapes_agree_with_torch(x, d, e, a, b):
    agree(SHAPES, x=x, d=d, e=e, a=a, b=b)
