"""Loading state dicts: what is accepted, PyTorch's report of what is not, and nothing half done."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import nn
from tests.nn.both import Raised, assert_agree, assert_same, outcome


def net(t: Any) -> Any:
    t.manual_seed(0)
    return t.nn.Sequential(OrderedDict(
        fc=t.nn.Linear(2, 3), norm=t.nn.BatchNorm1d(3),
        head=t.nn.Sequential(t.nn.Linear(3, 2, bias=False))))


KEYS = list(net(torch).state_dict())
edits = st.lists(st.tuples(
    st.sampled_from(["drop", "add", "reshape", "text", "nest", "flat"]),
    st.sampled_from(KEYS)), max_size=4)


def edited(state: Any, changes: list[tuple[str, str]], array: Any) -> Any:
    """A copy of a state dict, damaged: ``array(shape)`` makes a value of its kind."""
    out = OrderedDict(state)
    out._metadata = state._metadata  # type: ignore[attr-defined]
    for what, key in changes:
        if what == "drop":
            out.pop(key, None)
        elif what == "reshape":
            out[key] = array((7, 1))
        elif what == "text":
            out[key] = "text"
        else:
            out[{"add": key + "2", "nest": key + ".x", "flat": key.split(".")[0]}[what]] = array(1)
    return out


@given(changes=edits, strict=st.booleans(), assign=st.booleans())
def test_the_report_is_word_for_word(changes: Any, strict: bool, assign: bool) -> None:
    """Missing and unexpected keys, sizes, types: PyTorch's text; and nothing is changed."""
    def program(t: Any) -> Any:
        state = edited(net(t).state_dict(), changes, t.zeros)
        model = net(t)
        before = [v.clone() for v in model.state_dict().values()]
        try:
            found = model.load_state_dict(state, strict=strict, assign=assign)
            return repr(found), found.missing_keys, found.unexpected_keys
        except RuntimeError as error:
            if t is minitorch:
                assert_same(list(model.state_dict().values()), before, exact=True)
            return str(error)

    assert program(minitorch) == program(torch)


@given(kind=st.sampled_from(["minitorch", "torch", "numpy", "float64", "read-only"]),
       assign=st.booleans(), seed=st.integers(0, 99))
def test_values_of_every_kind_are_loaded(kind: str, assign: bool, seed: int) -> None:
    torch.manual_seed(seed)
    source = {k: torch.rand(v.shape) if v.is_floating_point() else v + seed
              for k, v in net(torch).state_dict().items()}
    convert: Any = {
        "torch": lambda v: v.clone(), "numpy": lambda v: v.numpy().copy(),
        "minitorch": lambda v: minitorch.tensor(v.numpy()),
        "float64": lambda v: minitorch.tensor(v.numpy()).double() if v.ndim else v.numpy(),
        "read-only": lambda v: np.broadcast_to(v.numpy(), v.shape)}[kind]
    model = net(minitorch)
    before = dict(model.named_parameters())
    out = model(minitorch.ones(4, 2))
    assert repr(model.load_state_dict({k: convert(v) for k, v in source.items()},
                                      assign=assign)) == "<All keys matched successfully>"
    for k, v in model.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), source[k].numpy())
        assert v.dtype == (minitorch.float64 if kind == "float64" and assign and v.ndim
                           else getattr(minitorch, str(source[k].dtype)[6:]))
    for k, p in model.named_parameters():
        assert type(p) is nn.Parameter and p.requires_grad
        assert (p is before[k]) is not assign
    if not assign:  # the values that backward needs are gone, and it says so
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            out.sum().backward()


def test_loading_copies_unless_told_to_assign() -> None:
    def program(t: Any) -> Any:
        state = net(t).state_dict()
        a, b = net(t), net(t)
        a.load_state_dict(state)
        b.load_state_dict(state, assign=True)
        state["fc.weight"].fill_(3)
        return a.fc.weight, b.fc.weight

    assert_agree(program)


CASES = {
    "not a dict": lambda t: net(t).load_state_dict([1, 2]),
    "one number for a scalar": lambda t: scalar(t, t.tensor([5])),
    "two numbers for a scalar": lambda t: scalar(t, t.tensor([5, 6])),
    "old batch norm": lambda t: old_batch_norm(t),
    "None entries": lambda t: t.nn.Linear(1, 1, bias=False).load_state_dict(
        {"weight": t.ones(1, 1), "bias": t.ones(1)}),
    "frozen stays frozen": lambda t: frozen(t),
    "non-persistent": lambda t: passing(t),
}


def scalar(t: Any, value: Any) -> Any:
    model = net(t)
    model.load_state_dict({**model.state_dict(), "norm.num_batches_tracked": value})
    return model.norm.num_batches_tracked


def old_batch_norm(t: Any) -> Any:
    """State dicts without versions lack the count of batches."""
    model = net(t)
    state = {k: v for k, v in model.state_dict().items() if "num_batches" not in k}
    return repr(model.load_state_dict(state))


def frozen(t: Any) -> Any:
    model = net(t).requires_grad_(False)
    state = net(t).state_dict(keep_vars=True)
    model.load_state_dict(state, assign=True)
    return [p.requires_grad for p in model.parameters()]


def passing(t: Any) -> Any:
    model = t.nn.Module()
    model.register_buffer("b", t.ones(1), persistent=False)
    return list(model.state_dict()), model.load_state_dict({"b": t.zeros(1)})


@pytest.mark.parametrize("name", CASES)
def test_loading_agrees(name: str) -> None:
    ours, theirs = assert_agree(CASES[name]), outcome(CASES[name], torch)
    if isinstance(theirs, Raised):
        assert ours.text == theirs.text


def test_state_dict_shares_memory_with_the_model() -> None:
    model = net(minitorch)
    state = model.state_dict()
    assert isinstance(state, OrderedDict) and not state["fc.weight"].requires_grad
    with minitorch.no_grad():
        model.fc.weight.zero_()
    assert not state["fc.weight"].array.any()
    assert model.state_dict(keep_vars=True)["fc.weight"] is model.fc.weight
    into: dict[str, Any] = {"kept": 1}
    assert model.state_dict(destination=into, prefix="m.") is into
    assert list(into) == ["kept", *["m." + k for k in KEYS]]
