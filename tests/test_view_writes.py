"""Programs of views and writes: PyTorch's values and refusals, and always the right gradients."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minitorch
from tests.twins import Given, agree, drawn, lines, seeds

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
