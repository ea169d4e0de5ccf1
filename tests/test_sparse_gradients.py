"""Sparse gradients against PyTorch's: where the entries stand, in which order, how they add up.

PyTorch's own order is compared, not only the sum: two backward passes merge their entries where
these lie in memory one after the other, and put them one behind the other where they do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.nn.both import Raised, outcome
from tests.told import DTYPES, assert_told_alike, seeds, told


class Table:
    """A drawn table, and lookups of it with random cotangents."""

    def __init__(self, data: Any, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype = data.draw(st.sampled_from(DTYPES))
        self.rows, self.features = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
        self.weight = self.rng.standard_normal((self.rows, self.features)).astype(self.dtype)
        self.padding = data.draw(st.sampled_from([None, None, 0, -1]))
        self.lookups = []  # of at most 8 entries: PyTorch sorts more than 16 in no certain order
        for _ in range(3):
            shape = tuple(data.draw(st.lists(
                st.integers(0, 2), min_size=self.padding is not None, max_size=3)))
            g = self.rng.standard_normal((*shape, self.features)).astype(self.dtype)
            # As from sum(): one number seen everywhere. Not of a single element: PyTorch 2.13 adds
            # 0 instead when it adds such a sparse gradient to a dense one.
            if self.features > 1 and data.draw(st.booleans()):
                g = np.broadcast_to(np.asarray(1.0, self.dtype), g.shape)
            index = self.rng.integers(0, self.rows, shape)
            self.lookups.append((np.asarray(index, data.draw(st.sampled_from(["i4", "i8"]))), g))

    def leaf(self, t: Any) -> Any:
        return t.from_numpy(self.weight.copy()).requires_grad_()

    def look(self, t: Any, w: Any, i: int, sparse: bool = True) -> Any:
        """A scalar whose gradient at the rows found is the drawn cotangent."""
        index, g = self.lookups[i]
        y = t.nn.functional.embedding(t.from_numpy(index), w, self.padding, sparse=sparse)
        if g.size and not any(g.strides):
            return y.sum()
        return (y * t.from_numpy(np.ascontiguousarray(g))).sum()


@given(st.data(), seeds)
def test_an_embeddings_gradient_agrees_with_torch(data: Any, seed: int) -> None:
    """Repeats, a padding row, any shape of index, none at all; coalesced, dense, by grad()."""
    table = Table(data, seed)

    def program(t: Any) -> Any:
        w = table.leaf(t)
        seen: list[Any] = []
        w.register_hook(lambda g: seen.append(g.is_sparse))
        table.look(t, w, 0).backward()
        (g,) = t.autograd.grad(table.look(t, w, 0), w)
        return w.grad, w.grad.coalesce(), w.grad.to_dense(), g, seen

    assert_told_alike(program)


@given(st.data(), seeds)
def test_gradients_add_up_as_in_torch(data: Any, seed: int) -> None:
    """Over backward passes, over uses in one pass, and with dense gradients in any order."""
    table = Table(data, seed)
    order = data.draw(st.lists(st.sampled_from(["look", "use", "dense", "two", "both"]),
                               min_size=2, max_size=3))

    def program(t: Any) -> Any:
        w = table.leaf(t)
        found = []
        for i, kind in enumerate(order):
            y = table.look(t, w, i) if kind in ("look", "two", "both") else (
                (w * w).sum() if kind == "use" else table.look(t, w, i, sparse=False))
            if kind == "two":
                y = y + table.look(t, w, (i + 1) % 3)
            if kind == "both":
                y = y + (w * 3).sum()
            y.backward()
            found.append(w.grad.clone())
        return found

    ours, theirs = outcome(program, minitorch), outcome(program, torch)
    assert not isinstance(ours, Raised), ours
    for a, b in zip(ours, theirs):
        assert a.layout.name == str(b.layout).removeprefix("torch.")
        if a.is_sparse:
            said, theirs_said = told(a), told(b)
            if "two" in order and any(index.size < 2 for index, _ in table.lookups):
                # Of two single entries PyTorch's sum is coalesced too, but .grad forgets it.
                said[4] = theirs_said[4] = None
            assert said == theirs_said
        else:  # dense sums round in an order of their own
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("between", ["neg", "mul", "div", "matrix", "add", "clone"])
def test_a_sparse_gradient_passes_through_arithmetic(between: str) -> None:
    def program(t: Any) -> Any:
        w = t.arange(6.0).reshape(3, 2).requires_grad_()
        v = {"neg": lambda: -w, "mul": lambda: w * 2, "div": lambda: w / 2, "clone": w.clone,
             "matrix": lambda: w * w.detach(), "add": lambda: w + 1}[between]()
        t.nn.functional.embedding(t.tensor([2, 0, 2]), v, sparse=True).sum().backward()
        return w.grad

    assert_told_alike(program)


def test_what_a_rule_cannot_do_to_a_sparse_gradient_says_so() -> None:
    w = minitorch.ones(3, 2, requires_grad=True)
    y = minitorch.nn.functional.embedding(minitorch.tensor([0]), w[1:], sparse=True)
    with pytest.raises(NotImplementedError, match=r"sparse tensors; call \.to_dense"):
        y.sum().backward()


@pytest.mark.parametrize("inputs", [None, "w"])
def test_a_recorded_sparse_gradient_can_be_differentiated(inputs: Any) -> None:
    def program(t: Any) -> Any:
        w = t.arange(6.0).reshape(3, 2).requires_grad_()
        y = t.nn.functional.embedding(t.tensor([2, 0, 2]), w, sparse=True).pow(3).sum()
        (g,) = t.autograd.grad(y, w, create_graph=True)
        (g.to_dense() ** 2).sum().backward(inputs=inputs and [w])
        return g, w.grad

    assert_told_alike(program)


def test_recorded_sparse_gradients_accumulate() -> None:
    def program(t: Any) -> Any:
        w = t.arange(6.0).reshape(3, 2).requires_grad_()
        for _ in range(2):
            t.nn.functional.embedding(t.tensor([2, 0, 2]), w, sparse=True).pow(3).sum().backward(
                create_graph=True)
        return w.grad

    assert_told_alike(program)


def test_the_gradient_does_not_share_the_cotangents_memory() -> None:
    w = minitorch.ones(3, 2, requires_grad=True)
    g = minitorch.ones(2, 2)
    minitorch.nn.functional.embedding(minitorch.tensor([0, 1]), w, sparse=True).backward(g)
    g.fill_(7.0)
    assert w.grad._values().array.max() == 1


def test_scaling_by_frequency_is_refused_as_by_torch() -> None:
    def program(t: Any) -> Any:
        layer = t.nn.Embedding(3, 2, sparse=True, scale_grad_by_freq=True)
        layer(t.tensor([0])).sum().backward()

    assert_told_alike(program)


@given(st.data(), seeds)
def test_a_layers_gradients_agree(data: Any, seed: int) -> None:
    """nn.Embedding, zeroed in both ways, by the module."""
    table = Table(data, seed)
    to_none = data.draw(st.booleans())

    def program(t: Any) -> Any:
        layer = t.nn.Embedding(table.rows, table.features, table.padding, sparse=True,
                               _weight=t.from_numpy(table.weight.copy()))
        grads = []
        for index, _ in table.lookups:
            layer(t.from_numpy(index)).pow(2).sum().backward()
            grads.append(layer.weight.grad.clone())
            layer.zero_grad(set_to_none=to_none)
            grads.append(layer.weight.grad)
        return repr(layer), grads

    assert_told_alike(program)


@pytest.mark.parametrize("clip", [lambda u, w: u.clip_grad_norm_(w, 1.0),
                                  lambda u, w: u.clip_grad_value_(w, 1.0),
                                  lambda u, w: u.clip_grads_with_norm_(w, 1.0, w[0].new_tensor(4))])
def test_clipping_sparse_gradients_fails_where_it_fails_in_torch(clip: Any) -> None:
    def program(t: Any) -> Any:
        w = t.ones(3, 2, requires_grad=True)
        t.nn.functional.embedding(t.tensor([2, 0, 2]), w, sparse=True).pow(3).sum().backward()
        clip(t.nn.utils, [w])
        return w.grad

    ours, theirs = outcome(program, minitorch), outcome(program, torch)
    if isinstance(theirs, Raised):
        assert ours.type is theirs.type is NotImplementedError
        assert ours.text.endswith("for sparse tensors; call .to_dense() first")
    else:
        assert told(ours) == told(theirs)


def test_anomaly_mode_looks_into_sparse_gradients() -> None:
    w = minitorch.zeros(3, 2, requires_grad=True)
    with minitorch.autograd.detect_anomaly():
        rows = minitorch.nn.functional.embedding(minitorch.tensor([1]), w, sparse=True)
        rows.sum().backward()
        assert w.grad.is_sparse
        y = minitorch.nn.functional.embedding(minitorch.tensor([1]), w, sparse=True)
        with pytest.raises(RuntimeError, match="inf"):
            y.backward(minitorch.full((1, 2), float("inf")))
