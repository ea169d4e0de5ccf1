"""``autograd.functional``: values, structures and errors beside torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch

# Raised by PyTorch itself when its forward mode is loaded.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")

ENGINES = (minitorch, torch)
seeds = st.integers(0, 2**32 - 1)


def functions(lib):
    """By name: a function, the shapes of its inputs, whether they go in as a tuple."""
    return {
        "elementwise": (lambda x: lib.tanh(x) * x, [(3,)], False),
        "scalar": (lambda x: (x * x.exp()).sum(), [(2, 2)], False),
        "0-d": (lambda x: x**3, [()], False),
        "matmul": (lambda x, y: lib.softmax(x @ y, 1), [(2, 3), (3, 2)], True),
        "two out": (lambda x, y: (x.sin() * y, (x * y).sum()), [(3,), (3,)], True),
        "one in a tuple": (lambda x: (x.cos(),), [(3,)], True),
        "unused input": (lambda x, y: x * x, [(2,), (3,)], True),
        "constant": (lambda x: lib.ones(2, dtype=lib.float64), [(2,)], False),
        "one constant": (lambda x: (x * 2, lib.ones(2, dtype=lib.float64)), [(2,)], False),
        "broadcast": (lambda x, b: (x + b) * b, [(2, 3), (3,)], True),
        "shared": (lambda x: x[1:] * x[:-1] + x[0], [(4,)], False),
    }


def scalars(lib):
    """Functions of one element, for second order."""
    return {
        "cubic": (lambda x: (x**3).sum(), [(3,)], False),
        "one element": (lambda x: (x.sin() * x).sum().reshape(1, 1), [(2, 2)], False),
        "0-d": (lambda x: x.exp(), [()], False),
        "product": (lambda x, y: ((x @ y).tanh()).sum(), [(2, 3), (3,)], True),
        "softplus": (lambda x: lib.nn.functional.softplus(x).prod(), [(3,)], False),
        "linear": (lambda x: x.sum() * 2, [(3,)], False),
        "unused input": (lambda x, y: (x**2).sum(), [(2,), (2,)], True),
        "half linear": (lambda x, y: (x**2).sum() + y.sum(), [(2,), (2,)], True),
    }


def tensors(lib, shapes, rng, single, requires_grad=False):
    xs = tuple(lib.from_numpy(rng.normal(size=s)).requires_grad_(requires_grad) for s in shapes)
    return xs[0] if single else xs


def described(x):
    """The structure, with arrays in place of tensors and whether each has a graph."""
    if isinstance(x, (tuple, list)):  # PyTorch's forward mode gives some tuples as lists
        return tuple(described(y) for y in x)
    return x.detach().numpy(), x.requires_grad


def same(ours, theirs, graphs=True):
    assert isinstance(ours, tuple) == isinstance(theirs, tuple)
    if isinstance(ours, tuple) and not isinstance(ours[0], np.ndarray):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            same(a, b, graphs)
        return
    (a, a_graph), (b, b_graph) = ours, theirs
    assert a.shape == b.shape and a.dtype == b.dtype
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-11)  # summation order
    assert a_graph == b_graph or not graphs


def outcome(call, *args, **options):
    try:
        return described(call(*args, **options))
    except (AssertionError, NotImplementedError, RuntimeError, TypeError) as error:
        text = str(error).replace("torch.Tensor", "Tensor").replace("isonly", "is only")
        return type(error), text


def both(name, case, table, seed, requires=False, with_v=True, **options):
    """Call ``autograd.functional.name`` under both engines; compare results or errors."""
    found = []
    for lib in ENGINES:
        f, shapes, many = table(lib)[case]
        rng = np.random.default_rng(seed)
        args = [f, tensors(lib, shapes, rng, not many, requires)]
        if with_v and name not in ("jacobian", "hessian"):
            like = args[1] if name != "vjp" else f(*args[1]) if many else f(args[1])
            single = not isinstance(like, tuple)
            shapes = [y.shape for y in ((like,) if single else like)]
            args.append(tensors(lib, shapes, rng, single, requires))
        found.append(outcome(getattr(lib.autograd.functional, name), *args, **options))
    ours, theirs = found
    if isinstance(theirs[0], type):
        assert ours == theirs
    else:
        # PyTorch's forward mode leaves results in the graph of its own steps.
        same(ours, theirs, graphs="forward-mode" not in options.values())


@given(name=st.sampled_from(["vjp", "jvp", "jacobian"]),
       case=st.sampled_from(list(functions(torch))), seed=seeds, create_graph=st.booleans(),
       strict=st.booleans(), requires=st.booleans(), with_v=st.booleans())
def test_first_order_agrees_with_torch(name, case, seed, create_graph, strict, requires, with_v):
    both(name, case, functions, seed, requires, with_v, create_graph=create_graph, strict=strict)


@given(name=st.sampled_from(["hessian", "vhp", "hvp"]), case=st.sampled_from(list(scalars(torch))),
       seed=seeds, create_graph=st.booleans(), strict=st.booleans(), requires=st.booleans(),
       with_v=st.booleans())
def test_second_order_agrees_with_torch(name, case, seed, create_graph, strict, requires, with_v):
    both(name, case, scalars, seed, requires, with_v, create_graph=create_graph, strict=strict)


@given(case=st.sampled_from(list(functions(torch))), seed=seeds, requires=st.booleans(),
       options=st.sampled_from([
           {"strategy": "forward-mode", "vectorize": True}, {"vectorize": True},
           {"strategy": "forward-mode"}, {"strategy": "sideways"},
           {"strategy": "forward-mode", "vectorize": True, "create_graph": True},
           {"strategy": "forward-mode", "vectorize": True, "strict": True},
           {"vectorize": True, "strict": True}, {"vectorize": True, "create_graph": True}]))
def test_strategies_of_jacobian_agree_with_torch(case, seed, requires, options):
    both("jacobian", case, functions, seed, requires, **options)


@given(case=st.sampled_from(list(scalars(torch))), seed=seeds,
       options=st.sampled_from([
           {"outer_jacobian_strategy": "forward-mode", "vectorize": True}, {"vectorize": True},
           {"outer_jacobian_strategy": "sideways"}, {"outer_jacobian_strategy": "forward-mode"}]))
def test_strategies_of_hessian_agree_with_torch(case, seed, options):
    both("hessian", case, scalars, seed, **options)


def wrong_calls(lib):
    F, ones = lib.autograd.functional, lib.ones
    return {
        "input type": lambda: F.vjp(lambda x: x, 3.0),
        "input type in a tuple": lambda: F.jvp(lambda x, y: x, (ones(2), 3.0)),
        "output type": lambda: F.jacobian(lambda x: 3.0, ones(2)),
        "output type in a tuple": lambda: F.vjp(lambda x: (x, 3.0), ones(2)),
        "v missing": lambda: F.vjp(lambda x: x, ones(2)),
        "v missing for two": lambda: F.vjp(lambda x: (x.sum(), x.sum()), ones(2)),
        "v missing in jvp": lambda: F.jvp(lambda x: x, ones(2)),
        "v missing in hvp": lambda: F.hvp(lambda x: x.sum(), ones(2)),
        "v missing in vhp": lambda: F.vhp(lambda x: x.sum(), ones(2)),
        "v type": lambda: F.vjp(lambda x: x, ones(2), 3.0),
        "v shape": lambda: F.vjp(lambda x: x, ones(2), ones(3)),
        "v shape in a tuple": lambda: F.jvp(lambda x, y: x, (ones(2), ones(2)),
                                            (ones(2), ones(3))),
        "v too long": lambda: F.vjp(lambda x: x, ones(2), (ones(2), ones(2))),
        "v too short": lambda: F.hvp(lambda x, y: x.sum(), (ones(2), ones(2)), (ones(2),)),
        "hessian of a vector": lambda: F.hessian(lambda x: x, ones(2)),
        "hessian of a tuple": lambda: F.hessian(lambda x: (x.sum(), x.sum()), ones(2)),
        "hvp of a vector": lambda: F.hvp(lambda x: x, ones(2), ones(2)),
        "vhp of a tuple": lambda: F.vhp(lambda x: (x.sum(),), ones(2), ones(2)),
    }


@pytest.mark.parametrize("case", list(wrong_calls(torch)))
def test_errors_are_torchs(case):
    ours, theirs = (outcome(wrong_calls(lib)[case]) for lib in ENGINES)
    assert isinstance(theirs[0], type) and ours == theirs


@given(seeds)
def test_create_graph_differentiates_through_the_result(seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=(2, 3))
    np.testing.assert_allclose(*[mixed(lib, values, weights) for lib in ENGINES], rtol=1e-10,
                               atol=1e-10)


def mixed(lib, values, weights):
    """Gradients of a function of a jvp, an hvp and a Jacobian, through them."""
    x, w = (lib.tensor(a.tolist(), dtype=lib.float64, requires_grad=True)
            for a in (values, weights))
    F = lib.autograd.functional
    y = (F.jvp(lambda x: (x * w).sin(), x, w, create_graph=True)[1]
         + F.hvp(lambda x: (x**3 * w).sum(), x, w, create_graph=True)[1]
         + F.jacobian(lambda x: x * x.exp() * w, x, create_graph=True).sum(0))
    gs = lib.autograd.grad((y * y).sum(), [x, w])
    assert x.grad is None and w.grad is None
    return [g.numpy() for g in gs]


@pytest.mark.parametrize("lib", ENGINES)
def test_works_without_recording_and_leaves_grads_alone(lib):
    w = lib.ones(2, requires_grad=True)
    with lib.no_grad():
        y, g = lib.autograd.functional.vjp(lambda x: (x * w).sum(), lib.ones(2))
        _, u = lib.autograd.functional.jvp(lambda x: x * w, lib.ones(2), lib.ones(2))
    assert g.tolist() == u.tolist() == [1, 1] and not y.requires_grad and w.grad is None


def test_jacobians_of_nothing_are_empty():
    f = minitorch.autograd.functional.jacobian
    assert f(lambda x: x * 2, minitorch.ones(0, 2)).shape == (0, 2, 0, 2)
    assert f(lambda x: x.sum(), minitorch.ones(0), strategy="forward-mode",
             vectorize=True).shape == (0,)
