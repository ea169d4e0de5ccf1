"""Laws of the checker in each framework: what it takes, what it leaves alone; second order."""

import numpy as np
import pytest
import torch

import minitorch
from minitorch.testing import check_grad, mutate

LIBRARIES = [minitorch, torch]


def verdict(f, *inputs, **options):
    return check_grad(f, *inputs, explain=False, raise_exception=False, **options).verdict


def matrix(seed, lib):
    return lib.from_numpy(np.random.default_rng(seed).normal(size=(3, 3)))


@pytest.mark.parametrize("lib", LIBRARIES)
def test_dropout_is_frozen_and_the_random_state_kept(lib):
    lib.manual_seed(5)
    expected = lib.rand(3)
    lib.manual_seed(5)
    legacy = np.random.get_state()[1].copy()
    net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Dropout(0.5)).double()
    lib.manual_seed(5)
    assert verdict(net, matrix(0, lib)) == "pass"
    assert (lib.rand(3) == expected).all()
    assert (np.random.get_state()[1] == legacy).all()


@pytest.mark.parametrize("lib", LIBRARIES)
def test_module_parameters_are_checked_and_left_as_they_were(lib):
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.Tanh()).double()
    before = {name: t.detach().clone() for name, t in net.state_dict().items()}
    held = [p.data.data_ptr() if lib is torch else id(p.array) for p in net.parameters()]
    report = check_grad(net, matrix(1, lib))
    assert report.verdict == "pass"
    assert all((net.state_dict()[name] == t).all() for name, t in before.items())
    assert held == [p.data.data_ptr() if lib is torch else id(p.array) for p in net.parameters()]
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
    # A parameter that the forward pass ignores in backward is found out.
    weight = net[0].weight
    wrong = check_grad(lambda x: x @ weight.detach().T, matrix(1, lib), parameters=[weight],
                       raise_exception=False)
    assert wrong.verdict == "fail" and "parameter 0: zero everywhere" in wrong.cause


@pytest.mark.parametrize("lib", LIBRARIES)
def test_inputs_are_not_modified(lib):
    x = matrix(3, lib).requires_grad_()
    before = x.detach().clone()

    def in_place(y):
        y = y * 1
        y += 1
        return y * y
    assert verdict(in_place, x) == "pass"
    assert (x == before).all() and x.grad is None

    fixed = np.ones(3)
    fixed.flags.writeable = False
    assert verdict((np.exp, lambda v, x: v * np.exp(x)), fixed) == "pass"


@pytest.mark.parametrize("lib", LIBRARIES)
def test_only_marked_inputs_are_checked(lib):
    x, y = matrix(0, lib), matrix(1, lib)

    def f(x, y):
        return x * y.detach()
    assert verdict(f, x.clone().requires_grad_(), y) == "pass"
    assert verdict(f, x, y, wrt=[0]) == "pass"
    assert verdict(f, x, y) == "fail"


@pytest.mark.parametrize("lib", LIBRARIES)
def test_integer_inputs_and_outputs_are_left_alone(lib):
    index = lib.from_numpy(np.array([0, 2, 2, 1]))

    def f(x, i):
        return x[i] ** 2, i, x.argmax(1), lib.sin(x)
    assert verdict(f, matrix(2, lib), index) == "pass"
    assert verdict(mutate(f, "one entry dropped"), matrix(2, lib), index) == "fail"
    with pytest.raises(ValueError, match="no floating point input"):
        check_grad(lambda i: i, index)
    with pytest.raises(TypeError, match="no floating point output"):
        check_grad(lambda x: x.argmax(), matrix(2, lib))


def test_no_framework_is_imported_that_the_inputs_do_not_bring():
    import subprocess
    import sys
    code = ("import sys, numpy as np; from minitorch.testing import check_grad; "
            "print(check_grad((np.sin, lambda v, x: v * np.cos(x)), np.ones(3)).verdict, "
            "'torch' in sys.modules, 'jax' in sys.modules)")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["pass", "False", "False"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_jax_functions(dtype):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = jax.numpy.asarray(np.random.default_rng(0).normal(size=(3, 3)).astype(dtype))
    index = jax.numpy.asarray([0, 2])

    @jax.custom_vjp
    def wrong(x):
        return jax.numpy.sin(x)
    wrong.defvjp(lambda x: (jax.numpy.sin(x), x), lambda x, v: (v * jax.numpy.cos(x) * 1.01,))
    assert verdict(lambda x, i: (jax.nn.softmax(x, 1), x[i]), x, index) == "pass"
    assert verdict(jax.nn.relu, x * (x > 0)) == "pass-at-kink"
    assert verdict(wrong, x) == "fail"
    assert verdict(lambda x: jax.numpy.sin(x) * x, x, order=2) == "pass"


def half_detached(lib):
    """x**3 whose gradient is right, and whose second derivative is not."""
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * (x * x.detach()) * g
    return Cube.apply


@pytest.mark.parametrize("lib", LIBRARIES)
def test_second_order(lib):
    x = matrix(1, lib)
    for f in (lib.sin, lambda x: x**3 - x, lambda x: lib.softmax(x, 1), lambda x: x @ lib.tanh(x),
              lambda x: (x * x).sum().sqrt(), lambda x: 1e-7 * lib.exp(x)):
        assert verdict(f, x, order=2) == "pass"
    assert verdict(lambda x: 2 * x, x, order=2) == "pass"
    assert verdict(half_detached(lib), x) == "pass"
    report = check_grad(half_detached(lib), x, order=2, raise_exception=False)
    assert report.verdict == "fail" and "order=2" in str(report)
    assert report.cause == "input 0: ×0.5 everywhere"
    assert verdict(mutate(lib.sin, "x2"), x, order=2) == "fail"
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.Tanh()).double()
    before = {name: t.detach().clone() for name, t in net.state_dict().items()}
    assert verdict(net, x, order=2) == "pass"
    assert all((net.state_dict()[name] == t).all() for name, t in before.items())


def test_second_order_needs_a_recorded_backward():
    with pytest.raises(TypeError, match="no second derivative"):
        check_grad((np.sin, lambda v, x: v * np.cos(x)), np.ones(2), order=2)
    with pytest.raises(ValueError, match="order must be"):
        check_grad(torch.sin, torch.ones(2), order=3)
