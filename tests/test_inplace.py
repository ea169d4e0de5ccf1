"""Writing into tensors: values, versions, gradients and refusals, alone and through views."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minitorch
from tests.twins import Given, agree, broadcastable, drawn, lines, scalars, seeds, tensors

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


# -- programs of views and writes ------------------------------------------------------------

VIEWS = ["{v}[{i}]", "{v}[{i}:]", "{v}[..., {i}]", "{v}[::2]", "{v}[..., None]", "{v}.t()",
         "{v}.transpose(0, -1)", "{v}.unsqueeze(0)", "{v}.squeeze()", "{v}.view(-1)",
         "{v}.reshape(-1)", "{v}.diagonal()", "{v}.narrow(0, {i}, 1)",
         "{v}.flatten()", "{v}.T", "{v}[None, {i}]"]
WRITES = ["{v}.add_({k})", "{v}.mul_({k})", "{v}.mul_({w}.clone())", "{v}.add_({w}.clone())",
          "{v}.sub_({w}.clone())", "{v}[{i}] = {k}", "{v}[{i}] = {w}.clone()",
          "{v}[{v} > 0] = {k}", "{v}[[0]] = {w}.clone()", "{v}[..., {i}] *= {w}.clone()",
          "{v}.zero_()", "{v}.fill_({k})", "{v}.copy_({w}.clone())", "{v}.sin_()", "{v}.exp_()",
          "{v}.tanh_()", "{v}.pow_(2)", "{v}.clamp_(-0.5, 2.0)", "{v} += {w}.clone()",
          "{v} *= {k}", "{v}.masked_fill_({v} < 0, {k})"]
READS = ["total = total + ({v} * {w}).sum()", "total = total + ({v} * {v}).sum()",
         "{new} = {v}.exp()", "{new} = {v} * {k}", "{new} = {v}.clone()", "{new} = {v} * {w}",
         "{new} = {v}.detach()", "total = total + {v}.sum()"]


@st.composite
def programs(draw):
    """Statements over tensors ``t0``, ``t1``, ...; some of them may be refused."""
    names, out = ["t0"], []
    for n in range(draw(st.integers(2, 9))):
        values = {"v": draw(st.sampled_from(names)), "w": draw(st.sampled_from(names)),
                  "i": draw(st.integers(0, 1)), "k": draw(st.sampled_from([2.0, -0.5, 0.7])),
                  "new": f"t{n + 1}"}
        kind = draw(st.sampled_from(["view", "write", "write", "read"]))
        if kind == "view":
            out.append(f"t{n + 1} = " + draw(st.sampled_from(VIEWS)).format(**values))
            names.append(f"t{n + 1}")
        else:
            text = draw(st.sampled_from(WRITES if kind == "write" else READS))
            out.append(text.format(**values))
            if "{new}" in text:
                names.append(f"t{n + 1}")
    return out


def run(engine, statements, values, turned, grad=True):
    """The sum of everything left over and its gradient; a statement that is refused is left out,
    after a check that it changed nothing."""
    leaf = engine.tensor(values, requires_grad=grad)
    names = {"torch": engine, "total": engine.zeros((), dtype=engine.float64),
             "t0": leaf.t() * 1 if turned else leaf * 1}
    refused = []
    for n, statement in enumerate(statements):
        before = {k: v.detach().clone() for k, v in names.items() if isinstance(v, engine.Tensor)}
        try:
            exec(statement, names)
        except (RuntimeError, IndexError) as error:
            # PyTorch cannot read and write overlapping memory at once; we can.
            assume("refer to a single memory location" not in str(error))
            refused.append((n, type(error)))
            for k, v in before.items():
                assert engine.equal(names[k].detach(), v), f"{statement} changed {k}, then raised"
        except NameError:  # of a tensor whose making was refused
            refused.append((n, NameError))
    total = names["total"]
    for k, (_, v) in enumerate(sorted((k, v) for k, v in names.items() if k[0] == "t"
                                         and isinstance(v, engine.Tensor))):
        weights = np.random.default_rng(k).normal(size=tuple(v.shape))
        total = total + (v * engine.from_numpy(np.asarray(weights))).sum()
    if not grad:
        return total.item(), None, refused
    try:
        (g,) = engine.autograd.grad(total, leaf)
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
        g = None
    return total.item(), g, refused


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=max(200, settings.default.max_examples))  # they are short, and many kinds
@given(statements=programs(), seed=seeds, turned=st.booleans())
def test_programs_of_views_and_writes_agree_with_torch(statements, seed, turned):
    """Same values and refusals; same gradients, or where PyTorch refuses, still the right ones."""
    values = drawn((2, 3), "float64", seed) * 0.6 + 0.1
    theirs, their_g, their_refused = run(torch, statements, values, turned)
    ours, our_g, our_refused = run(minitorch, statements, values, turned)
    assert our_refused == their_refused, (our_refused, their_refused)
    assume(np.isfinite(theirs) and abs(theirs) < 1e6)
    assert ours == pytest.approx(theirs, rel=1e-9)
    if their_g is not None:
        assert our_g is not None, "we refuse to differentiate what PyTorch differentiates"
        np.testing.assert_allclose(our_g.numpy(), their_g.numpy(), rtol=1e-7, atol=1e-7)
    elif our_g is not None:
        assume("detach" not in "".join(statements))  # there the slope is not the gradient
        np.testing.assert_allclose(our_g.numpy(), slope(statements, values, turned), rtol=1e-4,
                                   atol=1e-5)


WRITTEN_BEHIND = lines("""
    v
    v.requires_grad, v.is_leaf, v[None].requires_grad
    y[:] = v; y
    y[[0, 1]] = v; y
    y[torch.tensor([True, True])] = v; y
    y[0] = v[0]; y
    y.copy_(v)
    y.add_(v)
    y.mul_(v)
    y.addcmul_(v, v)
    y.masked_scatter_(torch.tensor([True, True]), v)
    torch.stack([v, v])
    torch.add(v, 1, out=y)
    torch.add(y, 1, out=v)
    v.numpy()
    np.asarray(v)
    np.from_dlpack(v)
    v[1] = w[1]; x
    x[2:] = v; x
    x[1:].mul_(2); v
    torch.bernoulli(v * 0).requires_grad
    torch.normal(v, 1.0).requires_grad
""")


@pytest.mark.parametrize("write", ["x[0] = w[0]", "x[:1].copy_(w[:1])", "x[1:].add_(w[:1])",
                                   "x.mul_(w[0])"])
def test_a_view_follows_a_write_through_its_base_or_another_view(write):
    """Whatever reads the view first must find that it now depends on what was written."""
    for layout in ("plain", "sliced"):
        agree([f"v = x[:2]; y = torch.ones(2, dtype=x.dtype); {write}; {text}"
               for text in WRITTEN_BEHIND], x=Given(np.arange(4.0), layout),
              w=Given(np.array([1.5, 2.5]), grad=True))


def test_a_copy_without_elements_is_no_view():
    """What a mask without a hit reads is a copy: its version is its own."""
    agree(["y = x[x > 9]; y.add_(1); y._version, x._version, y._is_view()",
           "y = x[x > 9]; z = (y * y).sum(); x.add_(1); z",
           "x[1:1]._is_view(), x[:, None][1:1].t()._is_view()"],
          x=Given(np.arange(4.0), grad=True))


@pytest.mark.parametrize("view", ["x.t().view(-1)[1:4]", "x.t().reshape(-1)[:2]", "x.view(2, 3)",
                                  "x.t().flatten()[2]", "x.t()[0]", "x.reshape(6)"])
def test_writes_through_views_of_transposed_memory_reach_the_gradient(view):
    def gradient(engine):
        leaf = engine.arange(6.0).reshape(2, 3).requires_grad_()
        x = leaf.t() * 1  # lies in memory as leaf does
        try:
            eval(view, {"x": x}).zero_()
        except RuntimeError:
            return None
        (x * engine.arange(1.0, 7.0).reshape(3, 2)).sum().backward()
        return leaf.grad.tolist()
    assert gradient(minitorch) == gradient(torch)


def slope(statements, values, turned, eps=1e-6):
    """The numerical gradient of a program."""
    out = np.zeros_like(values)
    for i in np.ndindex(*values.shape):
        step = np.zeros_like(values)
        step[i] = eps
        high, low = (run(minitorch, statements, values + s, turned, grad=False)[0]
                     for s in (step, -step))
        out[i] = (high - low) / (2 * eps)
    return out


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
