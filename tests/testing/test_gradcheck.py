"""``autograd.gradcheck`` says under minitorch what it says under PyTorch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.testing import MUTATIONS, mutate
from minitorch.testing.gradcheck import GradcheckError

LIBRARIES = [minitorch, torch]

FUNCTIONS = {
    "sin": lambda lib, x: lib.sin(x),
    "relu": lambda lib, x: lib.relu(x),
    "softmax": lambda lib, x: lib.softmax(x, 1),
    "two outputs": lambda lib, x: (x * x, lib.exp(x).sum()),
    "matmul": lambda lib, x: x @ x,
    "small": lambda lib, x: 1e-7 * x**2,
    "constant": lambda lib, x: x.detach() * 0 + 2,
    "cut off": lambda lib, x: x.detach() * 2,
}


def leaf(lib, values, dtype="float64"):
    return lib.from_numpy(np.array(values, dtype)).requires_grad_()


def said(lib, check, f, x, **options):
    """True, False, or the type of error."""
    try:
        return check(lambda x: f(lib, x), x, **options)
    except Exception as error:
        return type(error).__name__


@settings(deadline=None)
@given(name=st.sampled_from(list(FUNCTIONS)), change=st.sampled_from([None, *MUTATIONS]),
       seed=st.integers(0, 2**32 - 1), fast=st.booleans(), raising=st.booleans())
def test_gradcheck_agrees_with_torch(name, change, seed, fast, raising):
    values = np.random.default_rng(seed).normal(size=(3, 3))
    verdicts = []
    for lib in LIBRARIES:
        f = FUNCTIONS[name]
        if change is not None:
            def f(lib, x, right=f):
                return mutate(lambda x: right(lib, x), change)(x)
        verdicts.append(said(lib, lib.autograd.gradcheck, f, leaf(lib, values),
                             fast_mode=fast, raise_exception=raising))
    if not fast or change is None:  # one random combination is drawn by each engine itself
        assert verdicts[0] == verdicts[1]
    assert (verdicts[0] is True) or not (change is None and name != "cut off")


@settings(deadline=None, max_examples=15)
@given(name=st.sampled_from(["sin", "softmax", "two outputs", "matmul"]),
       seed=st.integers(0, 2**32 - 1), fast=st.booleans(), strided=st.booleans())
def test_gradgradcheck_agrees_with_torch(name, seed, fast, strided):
    values = np.random.default_rng(seed).normal(size=(3, 3))
    for lib in LIBRARIES:
        assert lib.autograd.gradgradcheck(lambda x: FUNCTIONS[name](lib, x), leaf(lib, values),  # noqa: B023
                                          fast_mode=fast, gen_non_contig_grad_outputs=strided)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_gradgradcheck_finds_a_wrong_second_derivative(lib):
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * (x * x.detach()) * g  # right once, wrong twice
    x = leaf(lib, [0.5, -2.0])
    assert lib.autograd.gradcheck(Cube.apply, x)
    assert not lib.autograd.gradgradcheck(Cube.apply, x, raise_exception=False)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_tolerances_are_the_callers(lib):
    def wrong(x):
        return mutate(lib.sin, "x1.01")(x)
    x = leaf(lib, [0.5, 1.0])
    assert not lib.autograd.gradcheck(wrong, x, raise_exception=False)
    assert lib.autograd.gradcheck(wrong, x, rtol=0.02)
    assert lib.autograd.gradcheck(wrong, x, atol=0.02)
    assert not lib.autograd.gradcheck(lib.exp, x, eps=0.5, raise_exception=False)


def text(f):
    with pytest.raises(Exception) as caught:
        f()
    return type(caught.value).__name__, str(caught.value).split(",\n")[0]


@pytest.mark.filterwarnings("ignore:Input #0 requires gradient")
@pytest.mark.parametrize("f, x, options", [
    ("sin", lambda lib: lib.ones(2), {}),
    ("sin", lambda lib: lib.ones(2).double().requires_grad_(), {"check_backward_ad": False}),
    ("sin", lambda lib: lib.ones(1, requires_grad=True).double().expand(3), {}),
    ("cut off", lambda lib: lib.ones(2).double().requires_grad_(), {}),
    ("sin", lambda lib: lib.ones(2, requires_grad=True), {"rtol": 0.0, "atol": 0.0}),
])
def test_errors_are_torchs(f, x, options):
    ours, theirs = (text(lambda: lib.autograd.gradcheck(  # noqa: B023
        lambda x: FUNCTIONS[f](lib, x), x(lib), **options)) for lib in LIBRARIES)  # noqa: B023
    assert ours == theirs


@pytest.mark.parametrize("lib", LIBRARIES)
def test_single_precision_is_warned_of(lib):
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double"):
        lib.autograd.gradcheck(lib.sin, lib.ones(2, requires_grad=True), raise_exception=False)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_a_closure_over_the_input_is_followed(lib):
    x = leaf(lib, [0.5, 1.0])
    assert lib.autograd.gradcheck(lambda _: lib.sin(x), x)
    assert x.grad is None and (x == leaf(lib, [0.5, 1.0])).all()


def test_a_gradient_that_changes_is_not_reentrant():
    rng = np.random.default_rng(0)

    class Noisy(minitorch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * (1 + 1e-9 * rng.normal())
    x = leaf(minitorch, [0.5, 1.0])
    with pytest.raises(GradcheckError, match="not reentrant"):
        minitorch.autograd.gradcheck(Noisy.apply, x)
    assert minitorch.autograd.gradcheck(Noisy.apply, x, nondet_tol=1e-6)


def test_a_backward_that_ignores_its_cotangent_is_found():
    class Ones(minitorch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * 0 + 1
    with pytest.raises(GradcheckError, match="not multiplied by grad_output"):
        minitorch.autograd.gradcheck(Ones.apply, leaf(minitorch, [0.5]))
