"""Functions that are no layer, or do more than their layer; the course's spellings."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.nn import functional as F
from minitorch.testing.db.modules import Draw
from tests.nn.both import assert_agree

seeds = st.integers(0, 2**32 - 1)


def backward(t: Any, y: Any, xs: list[Any], seed: int) -> Any:
    g = np.random.default_rng(seed).standard_normal(tuple(y.shape))
    y.backward(t.from_numpy(np.asarray(g)).to(y.dtype))
    return y, [x.grad for x in xs]


def tensors(t: Any, seed: int, *shapes: Any, dtype: str = "float64") -> list[Any]:
    rng = np.random.default_rng((seed, 2))
    return [t.from_numpy(np.asarray(rng.standard_normal(s), dtype)).requires_grad_()
            for s in shapes]


def arguments(function: Any) -> Any:
    """Names, defaults and kinds of a function's or class's arguments; None for compiled ones."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    return [(p.name, p.default, p.kind) for p in found]


MODULES = [minitorch.nn, F, minitorch.nn.init, minitorch.nn.utils]
THEIRS = [torch.nn, torch.nn.functional, torch.nn.init, torch.nn.utils]
READABLE = [(ours, theirs, name) for ours, theirs in zip(MODULES, THEIRS) for name in dir(ours)
            if callable(getattr(theirs, name, None)) and arguments(getattr(theirs, name))
            and name[0] != "_" and not name.startswith("clip_grad_norm")]  # see test_utils


@pytest.mark.parametrize("ours, theirs, name", READABLE)
def test_arguments_and_defaults_are_torchs(ours: Any, theirs: Any, name: str) -> None:
    """Of every class and function whose signature PyTorch tells."""
    found, expected = arguments(getattr(ours, name)), arguments(getattr(theirs, name))
    hidden = expected[0][0] == "args" and len(expected) == 2  # *args, **kwargs of a decorator
    if hidden or name in ("Sequential", "Module"):
        return
    assert found == expected


@pytest.mark.parametrize("name", [n for n in dir(torch.nn.Module) if n[0] != "_"
                                  and hasattr(minitorch.nn.Module, n)])
def test_methods_of_modules_take_torchs_arguments(name: str) -> None:
    theirs = getattr(torch.nn.Module, name)
    if not callable(theirs) or name in ("forward", "to", "state_dict", "register_forward_hook"):
        return  # forward is anything; the others lack an argument, see their docstrings
    found, expected = arguments(getattr(minitorch.nn.Module, name)), arguments(theirs)
    assert [a[:2] for a in found] == [a[:2] for a in expected]


@given(data=st.data(), seed=seeds)
@pytest.mark.parametrize("p", [2.0, 1.0, 3.0])
def test_normalize_agrees(p: float, data: Any, seed: int) -> None:
    d = Draw(data.draw)
    shape = d.shape(2, 3)
    dim = d.integer(-len(shape), len(shape) - 1)

    def program(t: Any) -> Any:
        (x,) = tensors(t, seed, shape)
        return backward(t, t.nn.functional.normalize(x, p, dim), [x], seed)

    assert_agree(program)


@given(data=st.data(), seed=seeds)
def test_cosine_similarity_and_pairwise_distance_agree(data: Any, seed: int) -> None:
    d = Draw(data.draw)
    a = d.shape(2, 3)
    b = d.choose(a, a[1:], (*a[:-1], 1))
    eps = d.choose(1e-8, 1.0)  # many norms are below 1

    def program(t: Any) -> Any:
        x, y = tensors(t, seed, a, b)
        f = t.nn.functional
        out = sum(f.cosine_similarity(x, y, dim, eps).sum() for dim in (-1, -2))
        return backward(t, out + f.pairwise_distance(x, y, keepdim=True).sum(), [x, y], seed)

    assert_agree(program)


@given(values=st.lists(st.integers(0, 4), min_size=1, max_size=6), more=st.integers(-1, 2))
def test_one_hot_agrees(values: list[int], more: int) -> None:
    classes = -1 if more < 0 else max(values) + 1 + more
    assert_agree(lambda t: t.nn.functional.one_hot(t.tensor(values), classes))
    assert_agree(lambda t: t.nn.functional.one_hot(t.tensor([values, values]), classes))


@given(data=st.data(), seed=seeds)
def test_embedding_agrees(data: Any, seed: int) -> None:
    """Repeated rows, a padding row, rows shortened in place."""
    d = Draw(data.draw)
    n, shape = d.integer(1, 5), d.shape(0, 2)
    index = np.random.default_rng(seed).integers(0, n, shape).astype(d.choose("int64", "int32"))
    padding = d.choose(None, 0, -1)
    options: dict[str, Any] = d.choose({}, {"max_norm": 1.5}, {"max_norm": 2.0, "norm_type": 1.0},
                                       {"scale_grad_by_freq": True})

    def program(t: Any) -> Any:
        (w,) = tensors(t, seed, (n, 3))
        y = t.nn.functional.embedding(t.from_numpy(np.asarray(index)), w, padding, **options)
        return *backward(t, y, [w], seed), w

    assert_agree(program)


@pytest.mark.parametrize("options", [{}, {"freeze": False}, {"padding_idx": 1, "max_norm": 0.5},
                                     {"sparse": True}, {"scale_grad_by_freq": True}])
def test_pretrained_embeddings_agree(options: dict[str, Any]) -> None:
    def program(t: Any) -> Any:
        table = t.arange(6.0).reshape(3, 2)
        layer = t.nn.Embedding.from_pretrained(table, **options)
        table += 1  # the memory is shared
        return layer(t.tensor([0, 2])), layer.weight.requires_grad, repr(layer), table

    assert_agree(program)
    assert arguments(minitorch.nn.Embedding.from_pretrained) == arguments(
        torch.nn.Embedding.from_pretrained)


@given(data=st.data(), seed=seeds)
def test_batch_norm_function_agrees(data: Any, seed: int) -> None:
    """Any number of dimensions, with and without statistics and parameters."""
    d = Draw(data.draw)
    channels = d.integer()
    shape = (d.integer(3, 5), channels, *d.shape(0, 2))
    training, stats, weight = d.flag(), d.flag(), d.flag()
    bias, momentum = d.flag(), d.choose(0.1, 0.0, 1.0)

    def program(t: Any) -> Any:
        x, w, b = tensors(t, seed, shape, (channels,), (channels,))
        mean, var = ((t.arange(float(channels)).double(), t.ones(channels).double() * 2)
                     if stats or not training else (None, None))
        y = t.nn.functional.batch_norm(x, mean, var, w if weight else None, b if bias else None,
                                       training, momentum)
        return *backward(t, y, [x, w, b], seed), mean, var

    assert_agree(program, scale=100)  # gradients are differences of nearly equal numbers


def test_batch_norm_statistics_are_unrecorded_but_counted() -> None:
    """Statistics that an evaluated graph needs may not change under it; a training one may."""
    norm = minitorch.nn.BatchNorm1d(2)
    x = minitorch.randn(4, 2, requires_grad=True)
    trained = norm(x)
    norm(x)
    trained.sum().backward()
    evaluated = norm.eval()(x)
    norm.train()(x)
    with pytest.raises(RuntimeError, match="running_mean"):
        evaluated.sum().backward()


@given(p=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), seed=st.integers(0, 2**31),
       dtype=st.sampled_from(["float32", "float64"]), alpha=st.booleans(), inplace=st.booleans())
def test_dropout_draws_torchs_masks(p: float, seed: int, dtype: str, alpha: bool,
                                    inplace: bool) -> None:
    """Bit for bit, and the stream stands at the same place after."""
    def program(t: Any) -> Any:
        t.manual_seed(seed)
        (x,) = tensors(t, seed, (7, 5), dtype=dtype)
        f = t.nn.functional.alpha_dropout if alpha else t.nn.functional.dropout
        y = f(x * 1, p, True, inplace)
        y.backward(t.ones(7, 5, dtype=y.dtype))
        return y, x.grad, t.rand(2), f(x, p, False) is x

    assert_agree(program, exact=not alpha)  # the products of alpha dropout are fused in PyTorch


LAYOUTS = {
    "transposed": lambda t: t.ones(3, 4).t(),
    "permuted": lambda t: t.ones(2, 3, 4).permute(2, 0, 1),
    "expanded": lambda t: t.ones(4, 1).expand(4, 5),
    "rows": lambda t: t.ones(6, 4)[::2],
    "columns": lambda t: t.ones(4, 6)[:, ::2].t(),
    "thin": lambda t: t.ones(3, 1, 4).transpose(0, 2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_dropout_draws_in_the_order_of_memory(layout: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        return t.nn.functional.dropout(LAYOUTS[layout](t))

    assert_agree(program, exact=True)


def test_dropout_keeps_the_mean() -> None:
    minitorch.manual_seed(0)
    x = minitorch.ones(1000, 100)
    assert abs(F.dropout(x, 0.3).array.mean() - 1) < 0.01  # standard error 0.002
    y = F.alpha_dropout(minitorch.randn(1000, 100), 0.3, True).array
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02


@given(data=st.data(), seed=seeds)
def test_linear_agrees(data: Any, seed: int) -> None:
    d = Draw(data.draw)
    n = d.integer()
    weight = d.choose((3, n), (n,))
    bias = d.choose(None, (3,), (1,), ()) if len(weight) == 2 else None

    def program(t: Any) -> Any:
        x, w, *b = tensors(t, seed, (*d_shape, n), weight, *([] if bias is None else [bias]))
        y = t.nn.functional.linear(x, w, *b)
        return backward(t, y, [x, w, *b], seed)

    d_shape = d.shape(0, 2)
    assert_agree(program)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_the_courses_spellings_work(name: str) -> None:
    x = minitorch.tensor([-1.0, 0.5])
    assert getattr(minitorch.nn, name)(x).tolist() == getattr(F, name)(x).tolist()
    assert minitorch.nn.leaky_relu(x, 0.01).tolist() == F.leaky_relu(x, 0.01).tolist()


@pytest.mark.parametrize("name", ["relu_", "elu_", "selu_", "celu_", "leaky_relu_", "hardtanh_"])
def test_underscored_functions_agree(name: str) -> None:
    def program(t: Any) -> Any:
        x = t.tensor([-2.0, 0.5, 3.0], requires_grad=True)
        h = x * 1
        y = getattr(t.nn.functional, name)(h)
        return *backward(t, y, [x], 3), h is y

    assert_agree(program)


NAMES = {
    "mse_loss": lambda f, x: f.mse_loss(x, x), "relu6": lambda f, x: f.relu6(x),
    "huber_loss": lambda f, x: f.huber_loss(x, x), "celu": lambda f, x: f.celu(x),
    "smooth_l1_loss": lambda f, x: f.smooth_l1_loss(x, x), "gelu": lambda f, x: f.gelu(x),
    "bce": lambda f, x: f.binary_cross_entropy(x.sigmoid(), x.sigmoid().detach()),
    "logits": lambda f, x: f.binary_cross_entropy_with_logits(x, x.sigmoid()),
    "linear": lambda f, x: f.linear(x, x), "addmm": lambda f, x: f.linear(x, x, x[:, 0]),
    "batch_norm": lambda f, x: f.batch_norm(x, None, None, training=True),
    "layer_norm": lambda f, x: f.layer_norm(x, (4,)), "softsign": lambda f, x: f.softsign(x),
    "dropout": lambda f, x: f.dropout(x),
    "alpha_dropout": lambda f, x: f.alpha_dropout(x, 0.5, True),
    "softmax": lambda f, x: f.softmax(x, 0), "normalize": lambda f, x: f.normalize(x),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_in_the_graph_are_torchs(name: str) -> None:
    """What prints as ``grad_fn=<...>``."""
    ours = NAMES[name](F, minitorch.ones(4, 4, requires_grad=True)).grad_fn.name()
    assert ours == NAMES[name](torch.nn.functional, torch.ones(4, 4, requires_grad=True)
                               ).grad_fn.name()
