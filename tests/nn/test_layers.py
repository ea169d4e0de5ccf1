"""Laws that hold for every layer class, against PyTorch from the same seed."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import nn
from minitorch.testing import module_db
from minitorch.testing.db.modules import Layer, layers
from tests.nn.both import assert_agree, assert_same, plain

every_layer = pytest.mark.parametrize("name", sorted(map(str, module_db)))


def test_every_layer_has_a_case() -> None:
    classes = {name for name in nn.__all__ if inspect.isclass(getattr(nn, name))
               and issubclass(getattr(nn, name), nn.Module)}
    containers = {"Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList",
                  "ParameterDict"}
    losses = {name for name in classes if name.endswith("Loss")}
    ours = {"RBM", "DBN"}  # not in PyTorch: test_rbm.py
    assert not any(hasattr(torch.nn, name) for name in ours)
    assert classes - containers - losses - ours == set(map(str, module_db))


@every_layer
@given(data=st.data())
def test_same_seed_gives_the_same_parameters(name: str, data: Any) -> None:
    layer = data.draw(layers(name))
    exact = name != "Embedding"  # normal numbers agree to a few ulps

    def program(engine: Any) -> Any:
        module = layer.build(engine)
        return dict(module.state_dict()), engine.rand(3), [
            (k, p.requires_grad) for k, p in module.named_parameters()]

    assert_agree(program, exact=exact)


@every_layer
@given(data=st.data())
def test_repr_agrees(name: str, data: Any) -> None:
    layer = data.draw(layers(name))
    assert repr(layer.build(minitorch)) == repr(layer.build(torch))


def train(engine: Any, layer: Layer, module: Any, steps: int) -> list[Any]:
    """Outputs, gradients and buffers of some steps of gradient descent, then of evaluation."""
    found: list[Any] = []
    for step in range(steps):
        xs = layer.inputs(engine, step)
        y = module(*xs)
        if y.requires_grad:
            y.backward(layer.cotangent(engine, y.shape, step))
        grads = [p.grad for p in module.parameters()]
        found.append([y, [x.grad for x in xs], grads, dict(module.named_buffers())])
        found[-1] = [np.copy(a) if isinstance(a, np.ndarray) else a for a in _flat(found[-1])]
        with engine.no_grad():
            for p in module.parameters():
                p -= 0.1 * p.grad
                p.grad = None
    module.eval()
    found.append(module(*layer.inputs(engine, 99)))
    return found


def _flat(x: Any) -> list[Any]:
    x = plain(x)
    if isinstance(x, dict):
        x = list(x.values())
    return [b for a in x for b in _flat(a)] if isinstance(x, list) else [x]


@every_layer
@given(data=st.data())
def test_training_steps_agree(name: str, data: Any) -> None:
    """Values, gradients of inputs and parameters, buffers; then the evaluation mode."""
    layer = data.draw(layers(name))
    # Gradients through batch statistics subtract nearly equal numbers.
    scale = 30 if "Norm" in name else 1
    assert_agree(lambda engine: train(engine, layer, layer.build(engine), 3), scale)


@every_layer
@given(data=st.data())
def test_state_dicts_go_both_ways(name: str, data: Any) -> None:
    layer = data.draw(layers(name))
    ours, theirs = layer.build(minitorch), layer.build(torch)
    train(torch, layer, theirs, 2)
    ours.load_state_dict(theirs.state_dict())
    assert_same(dict(ours.state_dict()), dict(theirs.state_dict()), exact=True)

    train(minitorch, layer, ours, 1)
    state = {k: torch.from_numpy(v.numpy().copy()) for k, v in ours.state_dict().items()}
    theirs.load_state_dict(state)
    assert_same(dict(ours.state_dict()), dict(theirs.state_dict()), exact=True)


@every_layer
@given(data=st.data())
def test_copies_compute_the_same_and_share_nothing(name: str, data: Any) -> None:
    layer = data.draw(layers(name))
    module = layer.build(minitorch)
    train(minitorch, layer, module, 1)
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert type(copied) is type(module) and repr(copied) == repr(module)
        xs = layer.inputs(minitorch, 7)
        assert_same(copied(*xs), module(*xs), exact=True)
        for a, b in zip(copied.parameters(), module.parameters()):
            assert type(a) is nn.Parameter and a.requires_grad == b.requires_grad
            assert not np.shares_memory(a.array, b.array)


@every_layer
@given(data=st.data())
def test_inputs_are_not_written(name: str, data: Any) -> None:
    layer = data.draw(layers(name))
    module = layer.build(minitorch)
    xs = layer.inputs(minitorch)
    for x in xs:
        x.array.flags.writeable = False
    y = module(*xs)
    if y.requires_grad:
        y.backward(layer.cotangent(minitorch, y.shape))


IN_PLACE = ["ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "SiLU", "Hardtanh", "Dropout"]


@pytest.mark.parametrize("name", IN_PLACE)
@given(data=st.data())
def test_in_place_layers_agree(name: str, data: Any) -> None:
    """``inplace=True`` overwrites the input, and gives the gradients of the other form."""
    layer = data.draw(layers(name))
    layer = layer._replace(options={**layer.options, "inplace": True})

    def program(engine: Any) -> Any:
        (x,) = layer.inputs(engine)
        module = layer.build(engine)
        engine.manual_seed(layer.seed)
        h = x * 2
        before = h._version
        y = module(h)
        y.backward(layer.cotangent(engine, y.shape))
        return y is h, h._version > before, y, x.grad, repr(module)

    assert_agree(program)


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_on_a_leaf_that_requires_grad_raises(name: str) -> None:
    def program(engine: Any) -> Any:
        x = engine.ones(2, 3, requires_grad=True)
        engine.manual_seed(0)
        return getattr(engine.nn, name)(inplace=True)(x)

    found = assert_agree(program)
    assert found.type is RuntimeError and "leaf Variable" in found.text
