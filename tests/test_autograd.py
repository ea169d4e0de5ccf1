"""``grad``, ``backward(inputs=)``, ``Function`` and the grad modes, beside torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch

BOTH = pytest.mark.parametrize("engine", [minitorch, torch], ids=["minitorch", "torch"])
VALUES = st.lists(st.floats(0.1, 2.0), min_size=3, max_size=3)


def leaf(engine, values):
    return engine.tensor(values, dtype=engine.float64, requires_grad=True)


def program(engine, values, weights):
    x, w = leaf(engine, values), leaf(engine, weights)
    y = ((x * w).tanh() * x.exp()).sum() + (w ** 3).mean()
    return x, w, y


@given(VALUES, VALUES)
def test_grad_agrees_with_torch_to_third_order(values, weights):
    results = []
    for engine in (minitorch, torch):
        x, w, y = program(engine, values, weights)
        found = []
        for _ in range(3):
            gx, gw = engine.autograd.grad(y, [x, w], create_graph=True)
            found += [gx.detach().numpy(), gw.detach().numpy()]
            y = (gx * gw.sin()).sum()
        results.append(found)
        assert x.grad is None and w.grad is None
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@BOTH
def test_grad_of_an_intermediate_tensor(engine):
    x = leaf(engine, [1.0, 2.0])
    h = x * x
    y = (h * 3).sum()
    (gh,) = engine.autograd.grad(y, h, retain_graph=True)
    (gx,) = engine.autograd.grad(y, x)
    assert gh.tolist() == [3.0, 3.0] and gx.tolist() == [6.0, 12.0]


@BOTH
@pytest.mark.parametrize("create_graph", [False, True])
def test_backward_starts_from_one_whatever_the_result(engine, create_graph):
    """An overflowed loss still has its formula's gradient, and 0-d gradients print."""
    x = engine.tensor(1e200, dtype=engine.float64, requires_grad=True)
    (gx,) = engine.autograd.grad(x * x, x, create_graph=create_graph)
    assert gx.item() == 2e200 and repr(gx.detach()) == "tensor(2.0000e+200, dtype=torch.float64)"


@BOTH
def test_grad_of_an_unused_input(engine):
    x, w = leaf(engine, [1.0]), leaf(engine, [2.0])
    y = (x * 2).sum()
    with pytest.raises(RuntimeError, match="allow_unused=True"):
        engine.autograd.grad(y, [x, w], retain_graph=True)
    assert engine.autograd.grad(y, [x, w], allow_unused=True, retain_graph=True)[1] is None
    found = engine.autograd.grad(y, [x, w], materialize_grads=True)
    assert [g.tolist() for g in found] == [[2.0], [0.0]]


@BOTH
def test_several_outputs_with_cotangents(engine):
    x = leaf(engine, [1.0, 2.0])
    v = engine.tensor([0.5, -3.0], dtype=engine.float64)
    (g,) = engine.autograd.grad([x * 2, (x * x).sum()], [x], [v, None])
    assert g.tolist() == [1.0 + 2.0, -6.0 + 4.0]


@BOTH
def test_backward_to_chosen_inputs_only(engine):
    x, w = leaf(engine, [1.0, 2.0]), leaf(engine, [3.0, 4.0])
    (x * w).sum().backward(inputs=[x])
    assert x.grad.tolist() == [3.0, 4.0] and w.grad is None


@BOTH
def test_gradient_penalty_trains_through_its_own_gradient(engine):
    """The shape of WGAN-GP: a loss on the gradient's norm, differentiated again."""
    x = leaf(engine, [0.5, -0.3, 0.8])
    w = leaf(engine, [1.0, 2.0, -1.0])
    score = ((x * w).sigmoid() * w).sum()
    (g,) = engine.autograd.grad(score, x, create_graph=True)
    ((g.norm() - 1) ** 2).backward()
    twin = leaf(torch, [0.5, -0.3, 0.8]), leaf(torch, [1.0, 2.0, -1.0])
    (h,) = torch.autograd.grad(((twin[0] * twin[1]).sigmoid() * twin[1]).sum(), twin[0],
                               create_graph=True)
    ((h.norm() - 1) ** 2).backward()
    np.testing.assert_allclose(w.grad.numpy(), twin[1].grad.numpy(), rtol=1e-12)


def make_functions(engine):
    class Scale(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(x)
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            assert ctx.needs_input_grad == (True, False)
            return g * ctx.factor + 0 * x, None

    class Both(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y, x + y

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * y + h, g * x + h

    class Exp(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x.exp()
            ctx.save_for_backward(out)
            return out

        @staticmethod
        def backward(ctx, g):
            (out,) = ctx.saved_tensors
            return g * out

    return Scale, Both, Exp


@given(VALUES, VALUES, st.floats(-2, 2))
def test_custom_functions_agree_with_torch(values, weights, factor):
    results = []
    for engine in (minitorch, torch):
        Scale, Both, Exp = make_functions(engine)
        x, y = leaf(engine, values), leaf(engine, weights)
        product, total = Both.apply(Scale.apply(x, factor), y)
        loss = (product * 2).sum() + Exp.apply(total).sum() + product.sum()
        loss.backward()
        results.append([loss.item(), x.grad.numpy(), y.grad.numpy()])
        only_one, _ = Both.apply(x, y)
        (g,) = engine.autograd.grad(only_one.sum(), x)
        results[-1].append(g.numpy())
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@BOTH
def test_custom_function_stands_in_the_graph_as_one_node(engine):
    class Double(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    node = Double.apply(leaf(engine, [1.0]).exp()).grad_fn
    assert repr(node).startswith("<torch.autograd.function.DoubleBackward object at 0x")
    assert [edge.name() for edge, _ in node.next_functions] == ["ExpBackward0"]


@BOTH
def test_custom_function_with_a_wrong_backward_raises(engine):
    class Wrong(engine.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        Wrong.apply(leaf(engine, [1.0]), leaf(engine, [2.0])).sum().backward()


@BOTH
def test_custom_function_notices_a_modified_saved_tensor(engine):
    Scale, _, _ = make_functions(engine)
    x = leaf(engine, [1.0])
    h = x * 1
    y = Scale.apply(h, 3.0)
    h.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@BOTH
def test_grad_modes_nest_and_decorate(engine):
    def state():
        return engine.is_grad_enabled()

    assert state()
    with engine.no_grad():
        assert not state()
        with engine.enable_grad():
            assert state()
        assert not state()
        with engine.set_grad_enabled(True):
            assert state()
    assert state()
    assert not engine.no_grad()(state)() and state()

    @engine.no_grad
    def bare():
        return state()

    @engine.no_grad()
    def generator():
        yield state()
        yield state()

    assert not bare() and state()
    assert list(generator()) == [False, False] and state()
    with engine.inference_mode():
        assert not state() and engine.is_inference_mode_enabled()
    engine.set_grad_enabled(False)
    assert not state()
    engine.set_grad_enabled(True)
    with pytest.raises(ZeroDivisionError), engine.no_grad():
        raise ZeroDivisionError
    assert state()


def test_variable_is_a_tensor():
    x = minitorch.autograd.Variable(minitorch.ones(2), requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
