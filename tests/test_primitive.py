"""What ``@primitive`` makes of a forward and its rules."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import engine
from minitorch.primitive import Primitive, primitive, registry


def unregistered(**options):
    """The decorator, without leaving the operator in the registry."""
    def make(forward):
        assert forward.__name__.strip("_") not in registry
        op = primitive(**options)(forward)
        del registry[op.name]
        return op
    return make


@unregistered(promote="float", law="()->()", x=lambda xp, g, x, out: g * (3 * x * x) + 0 * out)
def cubed(xp, x):
    """``x**3``."""
    return x * x * x


def test_one_decorated_function_gives_both_orders():
    x = minitorch.tensor([1.0, -2.0], requires_grad=True)
    (g,) = minitorch.autograd.grad(cubed(x).sum(), x, create_graph=True)
    (h,) = minitorch.autograd.grad(g.sum(), x)
    assert g.tolist() == [3.0, 12.0] and h.tolist() == [6.0, -12.0]


def test_parameter_names_say_what_is_kept():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    y = cubed(x)
    assert [a is b for a, b in zip(y.node.saved, (x.array, y.array))] == [True, True]
    assert minitorch.ones(2).add(x).node.saved == ()
    assert x.sum().node.saved == ((2,), None, False)


def test_a_rule_that_asks_for_an_unknown_value_is_refused_at_once():
    def forward(xp, x):
        return x
    with pytest.raises(TypeError, match=r"asks for 'z': not one of \('x',\)"):
        Primitive(forward, {"x": lambda xp, g, z: g})


def test_a_rule_may_say_that_no_gradient_flows():
    @unregistered(x=lambda xp, g: None)
    def stop(xp, x):
        return x * 1

    x = minitorch.ones(2, requires_grad=True)
    (stop(x) + x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_by_products_carry_second_derivatives():
    """``extras`` are constants in the fast pass and functions of the input in the recorded one."""
    @unregistered(extras=["root"], x=lambda xp, g, root: g / (2 * root))
    def rooted(xp, x):
        root = xp.sqrt(x)
        return root * 1.0, root

    x = minitorch.tensor([4.0], dtype=minitorch.float64, requires_grad=True)
    y, root = rooted(x)
    assert isinstance(root, np.ndarray)
    (g,) = minitorch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = minitorch.autograd.grad(g.sum(), x)
    assert g.item() == 0.25 and abs(h.item() + 1 / 32) < 1e-15


@pytest.mark.parametrize(("args", "kwargs", "message"), [
    ((), {}, "missing 1 required positional argument: 'x'"),
    ((1, 2), {}, "takes at most 1"),
    ((1,), {"x": 2}, "multiple values for argument 'x'"),
    ((1,), {"colour": 2}, "unexpected keyword argument 'colour'"),
    ((2.0,), {}, "must be Tensor, not float"),
    (([1.0],), {}, "must be Tensor, not list"),
])
def test_wrong_calls_say_what_was_expected(args, kwargs, message):
    with pytest.raises(TypeError, match=message):
        cubed(*args, **kwargs)


def test_keywords_are_understood_in_both_spellings():
    x = minitorch.arange(6.0).reshape(2, 3)
    for call in (minitorch.amax(x, dim=1, keepdim=True), minitorch.amax(x, axis=1, keepdims=True),
                 minitorch.amax(input=x, dim=1, keepdim=True), x.amax(1, True)):
        assert call.tolist() == [[2.0], [5.0]]


def test_tensors_of_another_library_are_constants():
    x = minitorch.ones(2, requires_grad=True)
    y = x * torch.tensor([2.0, 3.0])
    y.sum().backward()
    assert isinstance(y, minitorch.Tensor) and x.grad.tolist() == [2.0, 3.0]


SHAPES = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@pytest.mark.parametrize("name", ["add", "maximum", "eq"])
@given(SHAPES, SHAPES)
def test_operands_that_do_not_broadcast_are_refused_as_by_torch(name, a, b):
    def outcome(engine):
        try:
            return tuple(getattr(engine, name)(engine.ones(a), engine.ones(b)).shape)
        except Exception as error:
            assert engine is torch or f"{a} and {b}" in error.__notes__[0]
            return type(error), str(error)

    assert outcome(minitorch) == outcome(torch)


def test_every_operator_has_a_sentence_and_known_needs():
    for op in registry.values():
        assert op.__doc__ and op.__doc__.strip().endswith((".", ")")), op.name
        assert set(op.rules) <= set(range(op.arity))


def test_zero_dimensional_results_stay_arrays():
    x = minitorch.tensor(2.0, requires_grad=True)
    y = x * x + 1
    assert isinstance(y.array, np.ndarray)
    y.backward()
    assert isinstance(x.grad.array, np.ndarray) and x.grad.shape == ()


def test_leaf_edges_are_nodes():
    x = minitorch.ones(1, requires_grad=True)
    assert isinstance((x * 2).node.edges[0], engine.Leaf)
