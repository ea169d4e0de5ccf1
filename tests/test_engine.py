"""Laws of the engine: how cotangents travel, what is kept, and when it is let go."""

import gc
import threading
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch

BOTH = pytest.mark.parametrize("engine", [minitorch, torch], ids=["minitorch", "torch"])


def leaf(*values, engine=minitorch):
    return engine.tensor(list(values), dtype=engine.float64, requires_grad=True)


def test_fan_out_adds():
    x = leaf(2.0, 3.0)
    (x * x + x * 5 + x).backward(minitorch.tensor([1.5, -2.0], dtype=minitorch.float64))
    np.testing.assert_allclose(x.grad.numpy(), [1.5 * 10, -2.0 * 12])


def test_diamond():
    x = leaf(0.7)
    a, b = x.sin(), x.cos()
    c = a * b
    (c * a + c).sum().backward()
    u = 0.7
    expected = (2 * np.sin(u) * np.cos(u) ** 2 - np.sin(u) ** 3) + np.cos(2 * u)
    np.testing.assert_allclose(x.grad.item(), expected, rtol=1e-12)


def test_repeated_doubling_is_walked_once_per_node():
    x = leaf(1.0)
    y = x
    for _ in range(60):  # a walk over paths would take 2**60 steps
        y = y + y
    y.sum().backward()
    assert x.grad.item() == 2.0 ** 60


def test_deep_chain_needs_no_stack():
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y * 1.0
    y.sum().backward()
    assert x.grad.item() == 1.0
    del y  # nor does letting it go


@given(st.lists(st.booleans(), min_size=2, max_size=4))
def test_only_the_gradients_asked_for_are_computed(wanted):
    xs = [minitorch.tensor([1.0 + i], requires_grad=w) for i, w in enumerate(wanted)]
    y = xs[0] * 1
    for x in xs[1:]:
        y = y * x
    if any(wanted):
        y.sum().backward()
    for x, w in zip(xs, wanted):
        assert (x.grad is not None) == w
        product = np.prod([1.0 + i for i in range(len(xs))])
        if w:
            np.testing.assert_allclose(x.grad.item(), product / x.item(), rtol=1e-6)


def test_the_graph_keeps_only_what_the_rules_name():
    x = leaf(*np.ones(1000))
    kept = weakref.ref((x + 1).array)  # add keeps nothing
    assert kept() is None
    hidden = x * 2
    inner = weakref.ref(hidden.array)
    y = hidden.exp()  # exp keeps its result, not its input
    del hidden
    assert inner() is None
    np.testing.assert_array_equal(y.detach().numpy(), np.exp(2 * np.ones(1000)))


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_discarded_graphs_are_freed_without_the_garbage_collector(no_collector):
    x = leaf(1.0, 2.0)
    y = (x * 2).tanh()
    ends = [weakref.ref(y), weakref.ref(y.node), weakref.ref(y.array)]
    del y
    assert [end() for end in ends] == [None] * 3


def test_a_graph_walked_backward_is_freed_without_the_garbage_collector(no_collector):
    x = leaf(1.0, 2.0)
    w = leaf(3.0)
    y = (x.exp() * w)[:1].sum()
    y.backward(create_graph=True)
    ends = [weakref.ref(t) for t in (x, w, y, x.grad, y.node)]
    x.grad = w.grad = None  # the only cycle is torch's own: a leaf and a recorded gradient of it
    del x, w, y
    assert [end() for end in ends] == [None] * 5


def test_saved_values_are_freed_as_backward_passes_them():
    x = leaf(1.0, 2.0)
    y = x.exp()
    node = y.node
    y.sum().backward()
    assert node.saved is None


def test_leaves_do_not_share_gradients():
    a, b = leaf(1.0), leaf(2.0)
    g = minitorch.tensor([3.0], dtype=minitorch.float64)
    (a + b).backward(g)
    a.grad.mul_(10)
    assert (a.grad.item(), b.grad.item(), g.item()) == (30.0, 3.0, 3.0)


@BOTH
def test_gradients_accumulate_over_backward_passes(engine):
    x = leaf(2.0, engine=engine)
    (x * 3).sum().backward()
    first = x.grad
    (x * 4).sum().backward()
    assert x.grad.item() == 7.0 and first is x.grad


@BOTH
def test_second_backward_through_a_freed_graph_raises(engine):
    x = leaf(2.0, engine=engine)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()
    assert x.grad.item() == 4.0  # the failed pass added nothing
    z = (x * x).sum()  # and later passes work
    z.backward(retain_graph=True)
    z.backward()
    assert x.grad.item() == 12.0


@BOTH
def test_a_graph_that_kept_no_values_can_be_walked_again(engine):
    x = leaf(2.0, engine=engine)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.item() == 2.0


MUTATIONS = {
    "data": lambda x: x.data.mul_(10),
    "detach": lambda x: x.detach().add_(1),
    "no_grad": lambda x: x.add_(1),
    "view": lambda x: x[:1].add_(1),
    "reshape": lambda x: x.view(1, -1).zero_(),
    "index": lambda x: x.__setitem__(0, 5.0),
    "data index": lambda x: x.data.__setitem__(0, 5.0),
    "fill": lambda x: x.fill_(3.0),
    "copy": lambda x: x.copy_(minitorch.ones(2)),
    "normal": lambda x: x.normal_(),
}


@pytest.mark.parametrize("mutate", MUTATIONS.values(), ids=MUTATIONS)
def test_modified_saved_value_raises(mutate):
    w, x = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = (w * x).sum()
    with minitorch.no_grad():
        mutate(x)
    with pytest.raises(RuntimeError, match=r"'multiply' saved its '[xy]' at version 0, and it is "
                                           r"now at version 1"):
        y.backward()
    assert w.grad is None


def test_modified_value_that_no_rule_saved_is_fine():
    x = leaf(1.0, 2.0)
    y = x + 1
    y += 3
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [1.0, 1.0])


def test_assigning_data_keeps_the_forward_values():
    """The gradient belongs to the values of the forward pass (torch would use the new ones)."""
    w, x = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = (w * x).sum()
    x.data = minitorch.zeros(2, dtype=minitorch.float64)
    y.backward()
    assert w.grad.tolist() == [3.0, 4.0] and x.tolist() == [0.0, 0.0]


@BOTH
def test_hooks_see_and_replace_gradients(engine):
    x = leaf(1.0, 2.0, engine=engine)
    seen = []
    h = x * 2
    h.register_hook(lambda g: seen.append(g.tolist()))
    handle = h.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    h.sum().backward(retain_graph=True)
    assert seen == [[1.0, 1.0]] and x.grad.tolist() == [21.0, 21.0]
    handle.remove()
    x.grad = None
    h.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


@BOTH
def test_retain_grad_keeps_the_gradient_of_a_computed_tensor(engine):
    x = leaf(1.0, 2.0, engine=engine)
    h = x * 3
    h.retain_grad()
    (h * h).sum().backward()
    assert h.grad.tolist() == [6.0, 12.0] and h.retains_grad and not h.is_leaf


@BOTH
def test_what_cannot_start_a_backward_pass_raises(engine):
    x = leaf(1.0, 2.0, engine=engine)
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="does not require grad"):
        engine.ones(1).backward()
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (x * 2).backward(engine.ones(3, dtype=engine.float64))
    assert x.grad is None


@BOTH
def test_requires_grad_flags(engine):
    x = engine.ones(2)
    assert x.is_leaf and not x.requires_grad and x.grad_fn is None
    x.requires_grad_()
    assert x.is_leaf and x.requires_grad and x.grad_fn is None
    y = x * 2
    assert not y.is_leaf and y.requires_grad and y.grad_fn is not None
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad = False
    with pytest.raises(RuntimeError, match="floating point"):
        engine.ones(2, dtype=engine.int64).requires_grad_()
    with engine.no_grad():
        assert not (x * 2).requires_grad
    assert not (x > 0).requires_grad and not y.detach().requires_grad


def test_threads_have_their_own_grad_mode():
    seen = []
    with minitorch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(minitorch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not minitorch.is_grad_enabled()
    assert seen == [True]


def test_grad_fn_names_its_operator_and_leads_to_the_leaves():
    x = leaf(1.0, 2.0)
    y = (x * 2).sum()
    assert repr(y.grad_fn).startswith("<SumBackward0 object at 0x")
    mul = y.grad_fn.next_functions[0][0]
    assert mul.name() == "MulBackward0"
    accumulate = mul.next_functions[0][0]
    assert accumulate.name() == "AccumulateGrad" and accumulate.variable is x


@BOTH
def test_next_functions_of_a_layer_start_with_its_bias(engine):
    layer = engine.nn.Linear(2, 3)
    y = layer(engine.ones(4, 2, requires_grad=True))
    first = y.grad_fn.next_functions[0][0]
    assert first.name().endswith("AccumulateGrad") and first.variable is layer.bias


def test_gradient_has_its_inputs_dtype():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    (x * minitorch.tensor([3.0, 4.0], dtype=minitorch.float64)).sum().backward()
    assert x.grad.dtype is minitorch.float32
