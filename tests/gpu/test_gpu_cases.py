"""The same drawn cases under NumPy, CuPy and PyTorch on the GPU: operators, layers, optimizers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.testing import module_db, op_db, optim_db
from minitorch.testing.db.modules import layers
from minitorch.testing.db.operators import calls
from minitorch.testing.db.optimizers import options
from minitorch.testing.db.runs import Run
from tests.gpu.where import agree, engines, numbers

OPERATORS = [entry.op for entry in op_db]
FEW = settings(max_examples=6, deadline=None)  # a kernel's first launch compiles it
# Where PyTorch's gradient is nan and ours need not be, as in tests/ops/laws.py.
UNDEFINED = {"kl_div", "vector_norm"}
REFUSED = (RuntimeError, TypeError, IndexError, ValueError, NotImplementedError)
# They draw masks, from another generator on a GPU.
CHANCE = ("Dropout", "RReLU")
LAYERS = [str(name) for name in module_db if not any(word in str(name) for word in CHANCE)]


def evaluated(lib: Any, case: Any) -> list[Any]:
    """The result and the gradients for a random cotangent, zeros where none arrives."""
    out, leaves = case.run(lib, case.differentiable)
    found = [out]
    if leaves and out.requires_grad:
        g = lib.from_numpy(case.random(tuple(out.shape)).astype(numbers(out).dtype))
        grads = lib.autograd.grad(out, leaves, g, allow_unused=True)
        found += [lib.zeros_like(x) if d is None else d for d, x in zip(grads, leaves)]
    return [np.array(numbers(x)) for x in found]


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
@FEW
@given(data=st.data(), kind=st.sampled_from(["smooth", "ties"]), single=st.booleans())
def test_an_operator_gives_the_same_everywhere(op: Any, data: Any, kind: str, single: bool) -> None:
    """Or is refused by NumPy and by CuPy alike; where PyTorch refuses, the two are compared."""
    case = data.draw(calls(op, kind))
    case = case.astype(np.float32) if single else case
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, lib in engines().items():
            try:
                found[name] = evaluated(lib, case)
            except REFUSED as error:
                found[name] = error
    here, mine, theirs = found.values()
    refused = [isinstance(x, Exception) for x in (mine, here)]
    assert refused[0] == refused[1], f"{case}: {found}"
    for name, other in (("NumPy", here), ("PyTorch", theirs)):
        if refused[0] or isinstance(other, Exception):
            continue
        if name == "PyTorch" and op.name in UNDEFINED:
            other = [np.where(np.isfinite(y), y, x) for x, y in zip(mine, other)]
        for i, (x, y) in enumerate(zip(mine, other, strict=True)):
            agree(x, y, f"{name}, number {i} (of result and gradients) of {case}")


def trained(lib: Any, layer: Any, module: Any) -> Iterator[Any]:
    """Outputs, gradients and buffers of two steps of gradient descent, and of evaluation."""
    for step in range(2):
        xs = layer.inputs(lib, step)
        y = module(*xs)
        yield y
        if y.requires_grad:
            y.backward(layer.cotangent(lib, y.shape, step))
        yield from (x.grad for x in xs if x.grad is not None)
        yield from (p.grad for p in module.parameters())
        yield from module.buffers()
        with lib.no_grad():
            for p in module.parameters():
                p -= 0.1 * p.grad
                p.grad = None
    module.eval()
    yield module(*layer.inputs(lib, 99))


@pytest.mark.parametrize("name", LAYERS)
@FEW
@given(data=st.data())
def test_a_layer_trains_alike_everywhere(name: str, data: Any) -> None:
    layer = data.draw(layers(name))
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for engine, lib in engines().items():
            module = layer.build(lib.lib).to(lib.device)
            try:
                found[engine] = [np.array(numbers(x)) for x in trained(lib, layer, module)]
            except REFUSED as error:
                found[engine] = type(error)
    scale = 30.0 if "Norm" in name else 1.0  # batch statistics subtract nearly equal numbers
    for engine in ("CuPy", "PyTorch"):
        ours, theirs = found["NumPy"], found[engine]
        if isinstance(ours, type) or isinstance(theirs, type):
            assert isinstance(ours, type) and isinstance(theirs, type), f"{layer}: {found}"
            continue
        for i, (x, y) in enumerate(zip(ours, theirs, strict=True)):
            agree(y, x, f"{engine}, number {i} of {layer}", scale)


@pytest.mark.parametrize("name", [*map(str, optim_db)])
@FEW
@given(data=st.data())
def test_an_optimizer_moves_alike_everywhere(name: str, data: Any) -> None:
    """Twelve steps in double precision."""
    chosen = data.draw(options(name))
    found = [Run(lib, name, chosen).steps(12) for lib in engines().values()]
    for other in found[1:]:
        for i, (x, y) in enumerate(zip(found[0], other, strict=True)):
            agree(y, x, f"parameter {i} under {name} {chosen}")


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_its_share_and_pulls_back_through_the_same_mask(p: float) -> None:
    """100,000 numbers: the share kept is within six standard deviations."""
    lib = engines()["CuPy"]
    lib.manual_seed(777)
    x = lib.from_numpy(np.random.default_rng(1).uniform(1, 2, (100, 1000)).astype(np.float32))
    x.requires_grad_()
    y = lib.nn.functional.dropout(x, p)
    y.backward(y.detach())
    out, given_, pulled = map(numbers, (y, x, x.grad))
    kept = out != 0
    assert abs(kept.mean() - (1 - p)) < 6 * (p * (1 - p) / x.numel()) ** 0.5
    assert np.allclose(out[kept], given_[kept] / (1 - p), 1e-6)
    assert np.allclose(pulled, out / (1 - p) * kept, 1e-6)
    assert not np.array_equal(numbers(lib.nn.functional.dropout(x, p)), out)
    columns = kept.mean(0)  # no column and no row is treated differently
    assert np.abs(columns - (1 - p)).max() < 6 * (p * (1 - p) / 100) ** 0.5
    assert np.abs(kept.mean(1) - (1 - p)).max() < 6 * (p * (1 - p) / 1000) ** 0.5
