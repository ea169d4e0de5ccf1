"""What a module's attributes, names, modes and text do, as in PyTorch."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import nn
from tests.nn.both import Raised, assert_agree, outcome


def network(t: Any) -> Any:
    """A module with a nested one, a shared one, a buffer of each kind and a reserved name."""
    class Inner(t.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("steps", t.tensor(0))
            self.register_buffer("cache", t.zeros(2), persistent=False)
            self.scale = t.nn.Parameter(t.ones(2))
            self.linear = t.nn.Linear(2, 2, bias=False)

        def forward(self, x: Any) -> Any:
            return self.linear(x) * self.scale

    class Net(t.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = Inner()
            self.act = t.nn.ReLU()
            self.again = self.first
            self.register_parameter("none", None)
            self.register_module("nothing", None)
            self.blocks = t.nn.ModuleList([t.nn.Linear(2, 2), t.nn.BatchNorm1d(2)])
            self.tied = self.blocks[0].weight
            self.plain = [1, 2]

        def forward(self, x: Any) -> Any:
            x = self.act(self.first(x))
            for block in self.blocks:
                x = block(x)
            return x

        def extra_repr(self) -> str:
            return "two\nlines"

    t.manual_seed(0)
    return Net()


LISTINGS = {
    "parameters": lambda n: [p.shape == () for p in n.parameters()],
    "own parameters": lambda n: list(n.parameters(recurse=False)),
    "named_parameters": lambda n: [k for k, _ in n.named_parameters()],
    "prefixed": lambda n: [k for k, _ in n.named_parameters("net")],
    "with duplicates": lambda n: [k for k, _ in n.named_parameters(remove_duplicate=False)],
    "named_buffers": lambda n: [k for k, _ in n.named_buffers()],
    "buffers": lambda n: list(n.buffers()),
    "named_modules": lambda n: [(k, type(m).__name__) for k, m in n.named_modules()],
    "all modules": lambda n: [k for k, _ in n.named_modules(remove_duplicate=False)],
    "children": lambda n: [type(m).__name__ for m in n.children()],
    "named_children": lambda n: [k for k, _ in n.named_children()],
    "state_dict": lambda n: dict(n.state_dict()),
    "prefixed state": lambda n: list(n.state_dict(prefix="net.")),
    "kept vars": lambda n: [v.requires_grad for v in n.state_dict(keep_vars=True).values()],
    "detached": lambda n: [v.requires_grad for v in n.state_dict().values()],
    "metadata": lambda n: {k: dict(v) for k, v in n.state_dict()._metadata.items()},
    "repr": repr,
    "dir": lambda n: [k for k in dir(n) if k in ("first", "act", "none", "tied", "plain")],
    "get_submodule": lambda n: repr(n.get_submodule("first.linear")),
    "get_submodule self": lambda n: n.get_submodule("") is n,
    "get_parameter": lambda n: n.get_parameter("first.scale"),
    "get_buffer": lambda n: n.get_buffer("first.cache"),
    "no submodule": lambda n: n.get_submodule("first.missing"),
    "no module": lambda n: n.get_submodule("first.scale"),
    "no parameter": lambda n: n.get_parameter("first.cache"),
    "no buffer": lambda n: n.get_buffer("first.scale"),
    "modes": lambda n: [m.training for m in n.modules()],
    "eval": lambda n: [m.training for m in n.eval().modules()],
    "train": lambda n: [m.training for m in n.eval().train().modules()],
    "frozen": lambda n: [p.requires_grad for p in n.requires_grad_(False).parameters()],
    "double": lambda n: [str(v.dtype) for v in n.double().state_dict().values()],
    "half": lambda n: [str(v.dtype) for v in n.half().state_dict().values()],
    "there and back": lambda n: dict(n.double().float().state_dict()),
    "double is self": lambda n: n.double() is n and n.to("cpu") is n and n.cpu() is n,
    "apply": lambda n: visited(n),
    "missing": lambda n: n.missing,
}


def visited(net: Any) -> list[str]:
    names: list[str] = []
    assert net.apply(lambda m: names.append(type(m).__name__)) is net
    return names


@pytest.mark.parametrize("name", LISTINGS)
def test_listings_agree(name: str) -> None:
    found = assert_agree(lambda engine: LISTINGS[name](network(engine)))
    if isinstance(found, Raised):  # module errors are the same word for word
        theirs = outcome(lambda engine: LISTINGS[name](network(engine)), torch)
        if found.type is AttributeError and "has no p" not in found.text:
            assert found.text == theirs.text or "buffer" in theirs.text


class Early:
    """Assignments before ``super().__init__()``."""

    def __init__(self, t: Any, value: Any) -> None:
        class Net(t.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                self.part = value
                super().__init__()
        Net()


def set_(t: Any, name: str, value: Any) -> Any:
    net = network(t)
    setattr(net, name, value)
    return [k for k, _ in net.named_parameters()], [k for k, _ in net.named_buffers()], [
        k for k, _ in net.named_modules()], name in net.__dict__, list(net.state_dict())


def delete(t: Any, name: str) -> Any:
    net = network(t)
    delattr(net, name)
    return list(net.state_dict()), hasattr(net, name)


ASSIGNMENTS = {
    "early module": lambda t: Early(t, t.nn.Linear(1, 1)),
    "early parameter": lambda t: Early(t, t.nn.Parameter(t.ones(1))),
    "early buffer": lambda t: Early(t, t.nn.Buffer(t.ones(1))),
    "early register_buffer": lambda t: t.nn.Module.__new__(t.nn.Module).register_buffer("b", None),
    "early register_parameter": lambda t: t.nn.Module.__new__(
        t.nn.Module).register_parameter("p", None),
    "early call": lambda t: t.nn.Module.__new__(t.nn.Module)(1),
    "parameter": lambda t: set_(t, "new", t.nn.Parameter(t.ones(1))),
    "parameter over module": lambda t: set_(t, "act", t.nn.Parameter(t.ones(1))),
    "parameter over plain": lambda t: set_(t, "plain", t.nn.Parameter(t.ones(1))),
    "module over plain": lambda t: set_(t, "plain", t.nn.Tanh()),
    "module over module": lambda t: set_(t, "act", t.nn.Linear(1, 1)),
    "module over parameter": lambda t: set_(t, "tied", t.nn.Linear(1, 1)),
    "tensor over parameter": lambda t: set_(t, "tied", t.ones(2, 2)),
    "number over parameter": lambda t: set_(t, "tied", 3),
    "none over parameter": lambda t: set_(t, "tied", None),
    "tensor over none": lambda t: set_(t, "none", t.ones(1)),
    "parameter over none": lambda t: set_(t, "none", t.nn.Parameter(t.ones(1))),
    "tensor over module": lambda t: set_(t, "act", t.ones(1)),
    "none over module": lambda t: set_(t, "act", None),
    "buffer": lambda t: set_(t, "new", t.nn.Buffer(t.ones(1))),
    "passing buffer": lambda t: set_(t, "new", t.nn.Buffer(t.ones(1), persistent=False)),
    "buffer over plain": lambda t: set_(t, "plain", t.nn.Buffer(t.ones(1))),
    "buffer over parameter": lambda t: set_(t, "tied", t.nn.Buffer(t.ones(1))),
    "tensor": lambda t: set_(t, "new", t.ones(1)),
    "tensor over buffer": lambda t: over_buffer(t, t.ones(3)),
    "none over buffer": lambda t: over_buffer(t, None),
    "number over buffer": lambda t: over_buffer(t, 1.5),
    "parameter over buffer": lambda t: over_buffer(t, t.nn.Parameter(t.ones(1))),
    "delete parameter": lambda t: delete(t, "tied"),
    "delete module": lambda t: delete(t, "blocks"),
    "delete plain": lambda t: delete(t, "plain"),
    "delete nothing": lambda t: delete(t, "missing"),
    "register tensor": lambda t: network(t).register_parameter("p", t.ones(1)),
    "register non-leaf": lambda t: network(t).register_parameter("p", non_leaf(t)),
    "register dotted": lambda t: network(t).register_parameter("a.b", None),
    "register empty": lambda t: network(t).register_buffer("", None),
    "register number": lambda t: network(t).register_buffer("b", 3),
    "register by number": lambda t: network(t).register_buffer(3, None),
    "register twice": lambda t: network(t).register_buffer("act", None),
    "register method": lambda t: network(t).register_parameter("forward", None),
    "add tensor": lambda t: network(t).add_module("m", t.ones(1)),
    "add dotted": lambda t: network(t).add_module("a.b", None),
    "add twice": lambda t: network(t).add_module("tied", t.nn.ReLU()),
    "init with arguments": lambda t: t.nn.Module(1),
}


def over_buffer(t: Any, value: Any) -> Any:
    inner = network(t).first
    inner.steps = value
    inner.cache = value
    return list(inner.state_dict()), [k for k, _ in inner.named_buffers()], [
        k for k, _ in inner.named_parameters()]


def non_leaf(t: Any) -> Any:
    p = t.nn.Parameter(t.ones(1), requires_grad=False)
    p *= t.nn.Parameter(t.ones(1))
    return p


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_assignments_agree(name: str) -> None:
    """Also the text of errors, which names types, attributes and what to do."""
    ours = assert_agree(ASSIGNMENTS[name])
    theirs = outcome(ASSIGNMENTS[name], torch)
    if isinstance(theirs, Raised) and theirs.type is not AttributeError:
        start = theirs.text.strip("'\"").split(" (")[0].split("torch.nn.modules")[0][:35]
        assert ours.text.strip("'\"").startswith(start), f"{ours!r} | {theirs!r}"
    if isinstance(theirs, Raised) and "early" in name and "call" not in name:
        assert ours.text == theirs.text


def test_eval_does_not_touch_the_grad_mode() -> None:
    net = network(minitorch)
    assert net.eval()(minitorch.ones(3, 2)).requires_grad
    with minitorch.no_grad():
        net.train()
        assert not minitorch.is_grad_enabled()


def test_zero_grad_agrees() -> None:
    def program(t: Any) -> Any:
        net = network(t)
        net(t.arange(6.0).reshape(3, 2)).sum().backward()
        kept = net.first.scale.grad
        net.zero_grad(set_to_none=False)
        zeros = [p.grad for p in net.parameters()], kept is net.first.scale.grad
        net.zero_grad()
        return *zeros, [p.grad for p in net.parameters()]

    assert_agree(program)


def test_converting_keeps_parameters_and_their_gradients() -> None:
    def program(t: Any) -> Any:
        net = network(t)
        net(t.arange(6.0).reshape(3, 2)).sum().backward()
        before = list(net.parameters())
        net.double()
        same = [a is b for a, b in zip(net.parameters(), before)]
        return same, [str(p.grad.dtype) for p in net.parameters()], net(t.ones(3, 2).double())

    assert_agree(program)


def test_parameters_print_and_share_as_in_torch() -> None:
    def program(t: Any) -> Any:
        data = t.tensor([1.0, 2.0])
        p, frozen = t.nn.Parameter(data), t.nn.Parameter(data, requires_grad=False)
        data += 1
        return (repr(p), str(frozen), p.is_leaf, frozen.requires_grad, p._version,
                type(p + 1).__name__, type(p.data).__name__, isinstance(p, t.Tensor),
                isinstance(data, t.nn.Parameter), repr(t.nn.Parameter()))

    assert_agree(program)


def test_deepcopy_keeps_ties_and_drops_gradients() -> None:
    def program(t: Any) -> Any:
        net = network(t)
        net(t.ones(3, 2)).sum().backward()
        other = copy.deepcopy(net)
        with t.no_grad():
            other.tied.fill_(7)
        return (other.tied is other.blocks[0].weight, other.first is other.again,
                [p.grad for p in other.parameters()], dict(other.state_dict()),
                dict(net.state_dict()))

    assert_agree(program)


def test_pickle_keeps_everything() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ParameterList([minitorch.ones(1)]))
    net[1].register_buffer("passing", minitorch.ones(1), persistent=False)
    other = pickle.loads(pickle.dumps(net))
    assert repr(other) == repr(net) and list(other.state_dict()) == list(net.state_dict())
    assert [k for k, _ in other.named_buffers()] == [k for k, _ in net.named_buffers()]
    for a, b in zip(other.parameters(), net.parameters()):
        assert type(a) is nn.Parameter and a.requires_grad
        np.testing.assert_array_equal(a.array, b.array)


@given(depth=st.integers(1, 3), train=st.booleans())
def test_dropped_models_are_freed_without_the_garbage_collector(depth: int, train: bool) -> None:
    """Also after training steps, and with hooks of every kind on them."""
    gc.collect()
    gc.disable()
    try:
        model = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(),
                                              nn.PReLU()) for _ in range(depth)])
        parts: list[Any] = [*model.modules(), *model.parameters(), *model.buffers()]
        handles = [model.register_forward_hook(lambda m, x, y: y * 1),
                   model[0].register_forward_pre_hook(lambda m, x: None),
                   model[0].register_full_backward_pre_hook(lambda m, g: None),
                   model[0].register_full_backward_hook(lambda m, gx, gy: None)]
        if train:
            x = minitorch.ones(3, 2, requires_grad=True)
            loss = nn.CrossEntropyLoss()(model(x), minitorch.tensor([0, 1, 0]))
            parts.append(loss)
            loss.backward()
            model.load_state_dict(model.state_dict())
            model.double().zero_grad()
            del x, loss
        alive = [weakref.ref(p) for p in parts]
        del parts, model, handles
        assert [ref() for ref in alive if ref() is not None] == []
    finally:
        gc.enable()


def test_a_call_without_hooks_only_calls_forward() -> None:
    """The fast path: ``forward`` sees the very arguments, keywords too."""
    class Echo(nn.Module):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return args, kwargs

    x = object()
    assert Echo()(x, 1, key=x) == ((x, 1), {"key": x})
