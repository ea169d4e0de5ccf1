"""Sequential, ModuleList, ModuleDict, ParameterList and ParameterDict, as in PyTorch."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from tests.nn.both import Raised, assert_agree


def chain(t: Any) -> Any:
    return t.nn.Sequential(t.nn.Linear(2, 3), t.nn.ReLU(), t.nn.Linear(3, 2), t.nn.Tanh())


def named(t: Any) -> Any:
    return t.nn.Sequential(OrderedDict([("fc", t.nn.Linear(2, 2)), ("act", t.nn.ReLU())]))


def items(t: Any) -> Any:
    return t.nn.ModuleList([t.nn.Linear(1, 1), t.nn.Linear(1, 1), t.nn.ReLU(), t.nn.Linear(1, 2)])


def parameters(t: Any) -> Any:
    return t.nn.ParameterList([t.ones(2), t.nn.Parameter(t.zeros(1, 2)), 5, t.tensor([3.0])])


def by_name(t: Any) -> Any:
    return t.nn.ParameterDict({"b": t.ones(2), "a": t.zeros(1, 2), "n": "text"})


SHOWN = {
    "Sequential": chain,
    "Sequential()": lambda t: t.nn.Sequential(),
    "named": named,
    "index": lambda t: chain(t)[2],
    "negative index": lambda t: chain(t)[-1],
    "slice": lambda t: chain(t)[1:3],
    "named slice": lambda t: named(t)[1:],
    "index out of range": lambda t: chain(t)[4],
    "index by name": lambda t: chain(t)["0"],
    "attribute": lambda t: named(t).act,
    "len": lambda t: len(chain(t)),
    "iterate": lambda t: [repr(m) for m in chain(t)],
    "append": lambda t: chain(t).append(t.nn.ReLU()),
    "append text": lambda t: chain(t).append("ReLU"),
    "extend": lambda t: chain(t).extend([t.nn.ReLU(), t.nn.ReLU()]),
    "insert": lambda t: chain(t).insert(1, t.nn.Sigmoid()),
    "insert last": lambda t: chain(t).insert(4, t.nn.Sigmoid()),
    "insert negative": lambda t: chain(t).insert(-1, t.nn.Sigmoid()),
    "insert beyond": lambda t: chain(t).insert(5, t.nn.Sigmoid()),
    "insert text": lambda t: chain(t).insert(0, "Sigmoid"),
    "set": lambda t: changed(chain(t), 1, t.nn.Sigmoid()),
    "set beyond": lambda t: changed(chain(t), 9, t.nn.Sigmoid()),
    "delete": lambda t: without(chain(t), 1),
    "delete slice": lambda t: without(chain(t), slice(0, 2)),
    "delete named": lambda t: without(named(t), 0),
    "pop": lambda t: chain(t).pop(0),
    "pop slice": lambda t: chain(t).pop(slice(1, 3)),
    "add": lambda t: chain(t) + named(t),
    "add list": lambda t: chain(t) + [t.nn.ReLU()],
    "times": lambda t: named(t) * 2,
    "times from left": lambda t: 2 * chain(t),
    "times 0": lambda t: chain(t) * 0,
    "times text": lambda t: chain(t) * "2",
    "not a module": lambda t: t.nn.Sequential(t.nn.ReLU(), "tanh"),
    "two OrderedDicts": lambda t: t.nn.Sequential(OrderedDict(), OrderedDict()),
    "state": lambda t: list(named(t).state_dict()),
    "dir": lambda t: [n for n in dir(chain(t)) if n.isdigit()],
    "ModuleList": items,
    "ModuleList()": lambda t: t.nn.ModuleList(),
    "list index": lambda t: items(t)[-1],
    "list slice": lambda t: items(t)[::2],
    "list out of range": lambda t: items(t)[-5],
    "list add": lambda t: items(t) + [t.nn.Tanh()],
    "list extend number": lambda t: items(t).extend(3),
    "list insert": lambda t: (m := items(t)).insert(1, t.nn.Tanh()) or m,
    "list append": lambda t: items(t).append(t.nn.Tanh()),
    "list append number": lambda t: items(t).append(3),
    "list pop": lambda t: items(t).pop(-1),
    "list delete": lambda t: without(items(t), slice(1, 3)),
    "list set": lambda t: changed(items(t), -1, t.nn.Tanh()),
    "list call": lambda t: items(t)(t.ones(1)),
    "list state": lambda t: list(items(t).state_dict()),
    "ModuleDict": lambda t: t.nn.ModuleDict({"a": t.nn.ReLU(), "b": chain(t)}),
    "dict pairs": lambda t: t.nn.ModuleDict([["a", t.nn.ReLU()], ("b", t.nn.Tanh())]),
    "dict triple": lambda t: t.nn.ModuleDict([["a", t.nn.ReLU(), 1]]),
    "dict numbers": lambda t: t.nn.ModuleDict([1]),
    "dict number": lambda t: t.nn.ModuleDict(3),
    "dict of numbers": lambda t: t.nn.ModuleDict({"a": 1}),
    "dict method name": lambda t: t.nn.ModuleDict({"keys": t.nn.ReLU()}),
    "dict items": lambda t: [(k, repr(m)) for k, m in table(t).items()],
    "dict keys": lambda t: [*table(t).keys(), *table(t), "a" in table(t), len(table(t))],
    "dict values": lambda t: [repr(m) for m in table(t).values()],
    "dict pop": lambda t: (m := table(t)).pop("a") and m,
    "dict clear": lambda t: (m := table(t)).clear() or m,
    "dict missing": lambda t: table(t)["c"],
    "dict update": lambda t: (m := table(t)).update({"z": t.nn.ReLU(), "a": t.nn.Tanh()}) or m,
    "ParameterList": parameters,
    "parameters state": lambda t: dict(parameters(t).state_dict()),
    "parameters index": lambda t: [parameters(t)[1], parameters(t)[2], parameters(t)[-1]],
    "parameters slice": lambda t: parameters(t)[1:],
    "parameters types": lambda t: [type(p).__name__ for p in parameters(t)],
    "parameters out": lambda t: parameters(t)[4],
    "parameters tensor": lambda t: parameters(t).extend(t.ones(3)),
    "parameters append": lambda t: parameters(t).append(t.ones(3)),
    "parameters set": lambda t: changed(parameters(t), 0, t.ones(5)),
    "parameters call": lambda t: parameters(t)(1),
    "ParameterDict": by_name,
    "ordered": lambda t: t.nn.ParameterDict(OrderedDict([("b", t.ones(1)), ("a", t.ones(2))])),
    "parameter keys": lambda t: [*by_name(t).keys(), *reversed(by_name(t)), len(by_name(t))],
    "parameter items": lambda t: [(k, v) for k, v in by_name(t).items()],
    "parameter pop": lambda t: (d := by_name(t)).pop("a") is not None and d,
    "parameter popitem": lambda t: by_name(t).popitem(),
    "parameter get": lambda t: [by_name(t).get("z"), by_name(t).get("a"), "a" in by_name(t)],
    "parameter setdefault": lambda t: by_name(t).setdefault("z", t.ones(1)),
    "parameter fromkeys": lambda t: by_name(t).fromkeys(["x", "y"], t.ones(1)),
    "parameter or": lambda t: by_name(t) | t.nn.ParameterDict({"b": t.ones(7)}),
    "parameter copy": lambda t: [v for v in by_name(t).copy().values()],
    "parameter clear": lambda t: (d := by_name(t)).clear() or len(d),
    "parameter number key": lambda t: by_name(t)[3],
    "parameter missing": lambda t: by_name(t)["z"],
    "parameter call": lambda t: by_name(t)(1),
}


def table(t: Any) -> Any:
    return t.nn.ModuleDict({"a": t.nn.ReLU(), "b": t.nn.Linear(1, 1)})


def changed(container: Any, i: Any, value: Any) -> Any:
    container[i] = value
    return container


def without(container: Any, i: Any) -> Any:
    del container[i]
    return container


@pytest.mark.parametrize("name", SHOWN)
def test_containers_agree(name: str) -> None:
    """Modules are compared by their text, tensors by their values."""
    def program(t: Any) -> Any:
        t.manual_seed(0)
        found = SHOWN[name](t)
        return repr(found) if isinstance(found, t.nn.Module) else found

    assert_agree(program)


def test_sequential_computes_in_order() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        net = chain(t)
        net += named(t)
        net *= 2
        return net(t.ones(1, 2)), [p.shape == (2, 2) for p in net.parameters()]

    assert not isinstance(assert_agree(program), Raised)


def test_a_list_of_lists_is_trained() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        weights = t.nn.ParameterList([t.nn.Parameter(t.randn(2, 2)) for _ in range(3)])
        more = t.nn.ParameterDict({"bias": t.zeros(2)})
        x = t.ones(1, 2)
        for w in weights:
            x = x @ w + more["bias"]
        x.sum().backward()
        return [p.grad for p in (*weights.parameters(), *more.parameters())]

    assert_agree(program)
