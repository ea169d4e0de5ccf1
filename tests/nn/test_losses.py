"""Laws of the losses, against PyTorch: values, gradients of input and target, every option."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.testing.db.modules import Draw
from tests.nn.both import assert_agree, assert_same

REDUCTIONS = ("mean", "sum", "none")
# Of both sides: PyTorch differentiates these losses in the target too.
PAIRWISE: dict[str, dict[str, tuple[Any, ...]]] = {
    "MSELoss": {}, "L1Loss": {}, "SmoothL1Loss": {"beta": (1.0, 0.5, 0.0)},
    "HuberLoss": {"delta": (1.0, 0.5)}, "KLDivLoss": {"log_target": (False, True)},
    "BCELoss": {}, "BCEWithLogitsLoss": {},
}
dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)


def run(engine: Any, loss: Any, arrays: list[np.ndarray], seed: int) -> Any:
    """The loss and the gradients of its floating arguments, for a random cotangent."""
    xs = [engine.from_numpy(a.copy()) for a in arrays]
    for x in xs:
        if x.is_floating_point():
            x.requires_grad_()
    y = loss(*xs)
    g = np.random.default_rng(seed).standard_normal(tuple(y.shape))
    y.backward(engine.from_numpy(np.asarray(g)).to(y.dtype))
    return y, [x.grad for x in xs]


@pytest.mark.parametrize("name", PAIRWISE)
@given(data=st.data(), dtype=dtypes, seed=seeds)
def test_pairwise_losses_agree(name: str, data: Any, dtype: str, seed: int) -> None:
    d, rng = Draw(data.draw), np.random.default_rng(seed)
    options = {k: d.choose(*v) for k, v in PAIRWISE[name].items()}
    options["reduction"] = d.choose(*REDUCTIONS, *["batchmean"] * (name == "KLDivLoss"))
    shape = d.shape(1)
    x, y = rng.standard_normal(shape), rng.standard_normal(shape)
    if name == "BCELoss":
        x = rng.uniform(0.02, 0.98, shape)
    if name[:3] == "BCE" or options.get("log_target") is False:
        y = rng.uniform(0.02, 0.98, shape)
    tensors = {}
    if name[:3] == "BCE" and d.flag():
        tensors["weight"] = rng.uniform(0.5, 2, shape[d.integer(0, len(shape)):]).astype(dtype)
    if name == "BCEWithLogitsLoss" and d.flag():
        tensors["pos_weight"] = rng.uniform(0.5, 2, shape[-1]).astype(dtype)

    def program(engine: Any) -> Any:
        given = {k: engine.from_numpy(v) for k, v in tensors.items()}
        loss = getattr(engine.nn, name)(**options, **given)
        return *run(engine, loss, [x.astype(dtype), y.astype(dtype)], seed), repr(loss), list(
            loss.state_dict())

    assert_agree(program)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@given(data=st.data(), seed=seeds)
def test_weighted_losses_agree(name: str, data: Any, seed: int) -> None:
    d, rng = Draw(data.draw), np.random.default_rng(seed)
    shape, reduction = d.shape(), d.choose(*REDUCTIONS)
    x, y = rng.standard_normal((2, *shape))
    w = rng.uniform(0.5, 2, shape)
    assert_agree(lambda engine: run(engine, lambda x, y, w: getattr(engine.nn.functional, name)(
        x, y, reduction=reduction, weight=w), [np.asarray(x), np.asarray(y), np.asarray(w)], seed))


@given(data=st.data(), dtype=dtypes, seed=seeds)
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_losses_of_class_indices_agree(name: str, data: Any, dtype: str, seed: int) -> None:
    """Inputs (C,), (N, C), (N, C, ...); class weights, ignored targets, smoothed labels."""
    d, rng = Draw(data.draw), np.random.default_rng(seed)
    classes, batch, more = d.integer(2, 5), d.shape(0, 1), ()
    if batch:
        more = d.shape(0, 3)
    x = rng.standard_normal((*batch, classes, *more)).astype(dtype)
    y = np.asarray(rng.integers(0, classes, (*batch, *more)))
    options: dict[str, Any] = {"reduction": d.choose(*REDUCTIONS)}
    if d.flag():
        options["ignore_index"] = d.choose(0, -1, 1)
        y = np.where(rng.random(y.shape) < 0.3, options["ignore_index"], y)
    if name == "CrossEntropyLoss" and d.flag():
        options["label_smoothing"] = d.choose(0.1, 1.0)
    weight = rng.uniform(0.5, 2, classes).astype(dtype) if d.flag() else None
    if y.min() >= 0 and x.ndim <= 2 and not options.get("label_smoothing"):
        y = y.astype(d.choose("int64", "uint8"))  # PyTorch takes bytes only here

    def program(engine: Any) -> Any:
        w = {} if weight is None else {"weight": engine.from_numpy(weight)}
        loss = getattr(engine.nn, name)(**options, **w)
        return *run(engine, loss, [x, y], seed), repr(loss), list(loss.state_dict())

    assert_agree(program)


@given(data=st.data(), dtype=dtypes, seed=seeds)
def test_cross_entropy_with_probabilities_agrees(data: Any, dtype: str, seed: int) -> None:
    d, rng = Draw(data.draw), np.random.default_rng(seed)
    classes, batch = d.integer(2, 5), d.shape(0, 1)
    shape = (*batch, classes, *(d.shape(0, 2) if batch else ()))
    x, y = rng.standard_normal(shape), rng.uniform(0, 1, shape)
    reduction, smoothing = d.choose(*REDUCTIONS), d.choose(0.0, 0.2)
    weight = rng.uniform(0.5, 2, classes).astype(dtype) if d.flag() else None

    def program(engine: Any) -> Any:
        w = None if weight is None else engine.from_numpy(weight)
        return run(engine, lambda x, y: engine.nn.functional.cross_entropy(
            x, y, w, reduction=reduction, label_smoothing=smoothing),
            [x.astype(dtype), y.astype(dtype)], seed)

    assert_agree(program)


@pytest.mark.parametrize("name", ["MSELoss", "CrossEntropyLoss", "BCELoss"])
@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_legacy_reductions_agree(name: str, size_average: Any, reduce: Any) -> None:
    def program(engine: Any) -> Any:
        loss = getattr(engine.nn, name)(size_average=size_average, reduce=reduce)
        x = engine.tensor([[0.1, 0.7], [0.4, 0.2]])
        y = engine.tensor([0, 1]) if name == "CrossEntropyLoss" else 1 - x
        function = {"MSELoss": "mse_loss", "CrossEntropyLoss": "cross_entropy",
                    "BCELoss": "binary_cross_entropy"}[name]
        return loss.reduction, loss(x, y), getattr(engine.nn.functional, function)(
            x, y, size_average=size_average, reduce=reduce)

    assert_agree(program)


@given(data=st.data(), seed=seeds)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div"])
def test_shapes_that_broadcast_agree(name: str, data: Any, seed: int) -> None:
    d, rng = Draw(data.draw), np.random.default_rng(seed)
    a = d.shape(2, 3)
    b = d.choose(a[-1:], (*a[:-1], 1), (1,))
    x, y = rng.standard_normal(a), rng.uniform(0.1, 1, b)
    arrays = [x, y] if d.flag() or name == "kl_div" else [y, x]
    if a == (*b, 1):
        return  # (1, 1) against (1,) is refused
    assert_agree(lambda engine: run(engine, lambda x, y: getattr(engine.nn.functional, name)(
        x, y, reduction="sum"), arrays, seed))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div"])
@pytest.mark.parametrize("shapes", [((3, 1), (3,)), ((3,), (3, 1)), ((1, 1), (1,))])
def test_a_column_against_a_vector_is_refused(name: str, shapes: Any) -> None:
    """A deliberate difference: PyTorch broadcasts to (N, N) with a warning."""
    x, y = (minitorch.rand(s, requires_grad=True) for s in shapes)
    column = "input" if x.ndim == 2 else "target"
    with pytest.raises(ValueError, match=rf"{column}\.squeeze\(1\)"):
        getattr(minitorch.nn.functional, name)(x, y, reduction="sum")
    other = x.squeeze(1) if x.ndim == 2 else x, y.squeeze(1) if y.ndim == 2 else y
    getattr(minitorch.nn.functional, name)(*other, reduction="sum").backward()
    assert x.grad.shape == x.shape


WARNINGS = {
    "sizes": lambda t: t.nn.functional.mse_loss(t.ones(3, 2), t.ones(2)),
    "kl mean": lambda t: t.nn.functional.kl_div(t.ones(2), t.ones(2)),
    "legacy": lambda t: t.nn.MSELoss(size_average=False),
    "legacy function": lambda t: t.nn.functional.mse_loss(t.ones(2), t.ones(2), reduce=False),
    "softmax": lambda t: t.nn.functional.softmax(t.ones(2, 2)),
    "log_softmax": lambda t: t.nn.LogSoftmax()(t.ones(2, 2)),
    "Hardtanh": lambda t: t.nn.Hardtanh(min_value=-2.0),
    "init": lambda t: t.nn.init.xavier_uniform(t.ones(2, 2)),
    "empty": lambda t: t.nn.Linear(0, 2),
    "trunc_normal_": lambda t: t.nn.init.trunc_normal_(t.ones(2), 5.0),
    "clip": lambda t: t.nn.utils.clip_grad_norm_((p for p in ()), 1.0),
    "clip_grad_norm": lambda t: t.nn.utils.clip_grad_norm([t.ones(1)], 1.0),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings_agree(name: str) -> None:
    seen = []
    for engine in (minitorch, torch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            WARNINGS[name](engine)
        seen.append([(w.category, str(w.message)) for w in caught])
    assert len(seen[1]) == 1 and seen[0] == seen[1]


def test_an_empty_batch_gives_nan_and_no_warning() -> None:
    def program(t: Any) -> Any:
        f, x, y = t.nn.functional, t.ones(0, 3), t.ones(0, dtype=t.int64)
        return (f.cross_entropy(x, y), f.nll_loss(x, y), f.cross_entropy(x, t.ones(0, 3)),
                f.mse_loss(x, x), f.l1_loss(x, x), f.cross_entropy(x, y, reduction="none"),
                f.cross_entropy(t.ones(1, 3), t.tensor([-100])))

    assert_same(program(minitorch), program(torch))
