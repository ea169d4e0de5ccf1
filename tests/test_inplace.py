"""Writing into tensors: values, versions, gradients and refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.twins import Given, agree, broadcastable, lines, scalars, tensors

# Through the logical forms PyTorch lets a gradient pass unchanged; here it is 0.
ARITHMETIC = lines("""
    x.add_(y)
    x.add_(y, alpha=2)
    x.add_(s)
    x.sub_(y)
    x.sub_(s, alpha=3)
    x.mul_(y)
    x.mul_(s)
    x.div_(y)
    x.div_(s)
    x.div_(y, rounding_mode="floor")
    x.floor_divide_(y)
    x.remainder_(y)
    x.fmod_(y)
    x.pow_(2)
    x.lerp_(x + 1, 0.25)
    x.addcmul_(y, z, value=2)
    x.addcdiv_(y, z + 9)
    x.atan2_(y)
    x.clamp_(-1, 1)
    x.clamp_(min=0)
    x.clamp_(max=y)
    x.clip_(0, 1)
    x.clamp_min_(0.5)
    x.clamp_max_(0.5)
    x.eq_(y.detach())
    x.ne_(s)
    x.lt_(y.detach())
    x.le_(0)
    x.gt_(y.detach())
    x.ge_(s)
    x = x.detach(); x.logical_and_(y.detach())
    x = x.detach(); x.logical_or_(y.detach())
    x = x.detach(); x.logical_xor_(y.detach())
    x = x.detach(); x.logical_not_()
    x.bitwise_and_(y)
    x.copy_(y)
    x.copy_(y, non_blocking=True)
    x.fill_(2)
    x.float().fill_(s)
    x.fill_(torch.tensor(2.5))
    x.fill_(z.detach())
    x.float().fill_(z)
    x.zero_()
    x.masked_fill_(y > 0, 2)
    x.masked_scatter_(y > 0, torch.arange(99).to(x.dtype))
    x += y; x
    x -= y; x
    x *= s; x
    x /= y; x
    x //= y; x
    x %= y; x
    x **= 2; x
    x &= y; x
    x |= y; x
    x ^= y; x
    x <<= 1; x
    x.add_(x)
    x.add_("a")
    x.add_(None)
    x.copy_([1.0])
""")

ALONE = [f"x.{name}_()" for name in """abs neg sign square sqrt rsqrt reciprocal exp expm1 log log1p
    log2 log10 sin cos tan asin acos atan sinh cosh tanh sigmoid relu erf floor ceil trunc round
    frac exp2 absolute negative nan_to_num deg2rad""".split()]

ALONG = lines("""
    x.cumsum_(0)
    x.cumprod_(-1)
    x.tril_()
    x.triu_(1)
    x.t_()
    x.transpose_(0, 1)
    x.swapaxes_(0, -1)
    x.squeeze_()
    x.squeeze_(0)
    x.unsqueeze_(0)
    x.unsqueeze_(-1)
    x.index_fill_(0, i, 3)
    x.index_copy_(0, i, x[i] * 2)
    x.index_add_(0, i, x[i])
    x.index_add_(0, i, x[i], alpha=2)
    x.scatter_(0, i.reshape(-1, 1), 2)
    x.scatter_(0, i.reshape(-1, 1), x[i] * 2)
    x.scatter_add_(0, i.reshape(-1, 1), x[i])
    x.index_put_((i,), x[0].clone())
    x.index_put_((i,), x[0].clone(), accumulate=True)
    x.fill_diagonal_(7)
    x.addmm_(x * 1, x.t() * 1)
    x.requires_grad_(False)
    x.detach_().requires_grad
    x.t_(); x.add_(1); x
    x.view(-1).mul_(2); x
    x.reshape(-1)[0] = 3; x
    x[0].zero_(); x
    x[..., 0] += 1; x
    x.T.fill_(1); x
    x.unsqueeze(0).mul_(3); x
    x.diagonal().fill_(5); x
    x.expand(2, *x.shape).add_(1)
    x.expand(*x.shape).add_(1); x
    x.expand_as(x).mul_(2); x
    x.unbind(0)[0].detach().add_(1); x.detach()
""")


@given(xyz=broadcastable(3), s=scalars)
def test_in_place_arithmetic_agrees_with_torch(xyz, s):
    x, y, z = xyz
    agree(ARITHMETIC, x=x, y=y, z=z, s=s)


@given(x=tensors())
def test_in_place_functions_agree_with_torch(x):
    agree(ALONE, x=x)


@given(x=tensors(shape=st.sampled_from([(3, 3), (2, 3), (3, 2), (1, 3), (3, 1)])),
       i=st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
def test_in_place_forms_along_dimensions_agree_with_torch(x, i):
    agree(ALONG, x=x, i=Given(np.array(i)))


LEAVES = lines("""
    x.add_(1)
    x.zero_()
    x[0] = 1
    x[0].mul_(2)
    x.view(-1).fill_(0)
    x += 1
    x.normal_()
    x.t_()
    x.data.add_(1); x
    x.detach().mul_(2); x
    torch.nn.init.zeros_(x); x
    x.grad = torch.ones(3); x.grad
    x.grad = torch.ones(2, 2).double()
    x.grad = torch.ones(2, 2); x.grad.add_(1); x.grad
    x.grad = 1
    x.data = torch.ones(3); x
    x.data = 1
    x.requires_grad_(False).add_(1)
    x.requires_grad_(); x.requires_grad
    (x * 1).requires_grad_(False)
    (x * 1).add_(1)
    torch.add(x, 1, out=torch.empty(2, 2))
    torch.add(1, 1 + x.detach(), out=x)
    x.resize_(4)
""")


@pytest.mark.parametrize("program", LEAVES)
def test_leaves_that_require_grad_agree_with_torch(program):
    def run(engine):
        x = engine.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        names = {"torch": engine, "x": x}
        *statements, last = program.split(";")
        try:
            exec("\n".join(s.strip() for s in statements), names)
            try:
                result = eval(last.strip(), names)
            except SyntaxError:
                exec(last.strip(), names)
                result = names["x"]
            return [v.tolist() if hasattr(v, "tolist") else v for v in (result, x)], x.is_leaf
        except Exception as error:
            return type(error)
    assert run(minitorch) == run(torch)


# -- versions --------------------------------------------------------------------------------

SPOILED = lines("""
    y = x * x; x.add_(1)
    y = x.exp(); y.add_(1)
    y = x * w; w.mul_(2)
    y = x.exp_(); y.add_(1)
    y = x * x; x[0] = 0
    y = x * x; x.view(-1).zero_()
    y = x * x; x.detach().add_(1)
    y = x.sigmoid(); y.zero_()
    y = x @ w; w.add_(1)
    y = x.max(0)[0] * x[0]; x.fill_(1)
    v = x[0]; y = v * v; x.add_(1)
    v = x[0]; y = x * x; v.add_(1)
    y = x.pow(2); x.t_().add_(1)
    y = x * x; torch.add(x.detach(), 1, out=x.detach())
    y = x.relu(); y.mul_(2)
    y = x.clone(); z = y * w; w.normal_(); y = z
""")
FINE = lines("""
    y = x + w; x.add_(1)
    y = x.clone(); x.add_(1)
    y = x * w.detach(); x.add_(1)
    y = x.sum(); x.zero_()
    y = x * 2; x.mul_(3)
    y = (x * w); y.add_(1)
    y = x - w; w.zero_(); y.sub_(1)
    y = x * 1; y.mul_(2); y.add_(1)
    y = x.t(); x.add_(1)
""")


@pytest.mark.parametrize("program", [*SPOILED, *FINE])
def test_a_modified_saved_value_is_refused_and_nothing_else_is(program):
    def gradient(engine):
        leaf = engine.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        names = {"torch": engine, "x": leaf * 1, "w": engine.tensor(
            [[0.5, -1.0], [2.0, 1.5]], requires_grad=True) * 1}
        exec("\n".join(s.strip() for s in program.split(";")), names)
        names["y"].sum().backward()
        return leaf.grad.tolist()
    if program in FINE:
        assert gradient(minitorch) == gradient(torch)
    else:
        for engine in (torch, minitorch):
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                gradient(engine)


def test_a_write_through_data_counts():
    """Stricter than PyTorch, whose gradient is then wrong without a word."""
    x = minitorch.tensor([2.0], requires_grad=True)
    y = x * x
    x.data.mul_(10)
    with pytest.raises(RuntimeError, match="modified"):
        y.sum().backward()


def test_new_data_leaves_the_recorded_values_alone():
    x = minitorch.tensor([2.0], requires_grad=True)
    y = x * x
    x.data = minitorch.tensor([100.0])
    y.sum().backward()
    assert x.grad.tolist() == [4.0]
    x.data.add_(1)
    assert x.tolist() == [101.0]


def test_a_view_of_what_was_reshaped_in_place_is_refused_not_wrong():
    x = minitorch.rand(2, 3, requires_grad=True) * 1
    v = x[0]
    x.t_()
    with pytest.raises(RuntimeError, match="reshaped in place"):
        v.add_(1)
    x.mul_(2)
    with pytest.raises(RuntimeError, match="reshaped in place"):
        v.sum()


def test_an_overwritten_result_is_not_kept_twice():
    """After ``y.exp_()`` the graph keeps y's own memory, and sees later writes to it."""
    x = minitorch.rand(3, requires_grad=True)
    y = x * 1
    y.exp_()
    assert y.grad_fn.saved[0] is y.array
