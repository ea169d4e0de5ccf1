"""Wrong rules in the registry of operators, put in place for a while."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitorch import engine
from minitorch.engine import Tensor, is_array, wrap
from minitorch.primitive import Primitive, registry
from minitorch.testing.changes import MUTATIONS, RULES, UNBROADCAST, Change


def values(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else np.asarray(x)


def changes(op: Primitive, i: int) -> list[str]:
    """The names of all mutations of an operator's rule for its i-th parameter."""
    return [*MUTATIONS, *RULES, *[f"without {name}" for name in op.needs[i]]]


def mutants(op: Primitive | str) -> Iterator[Mutant]:
    """Every wrong rule of an operator; the engine's un-broadcasting last."""
    op = operator(op)
    for i in op.rules:
        for change in changes(op, i):
            yield Mutant(op, change, i)
    yield Mutant(op, UNBROADCAST)


def operator(name: Primitive | str) -> Primitive:
    if isinstance(name, Primitive):
        return name
    for op in registry.values():
        if name in op.aliases:
            return op
    if name not in registry:
        close = difflib.get_close_matches(name, registry, 1)
        raise ValueError(f"there is no operator {name!r}"
                         + (f": did you mean {close[0]!r}?" if close else ""))
    return registry[name]


class Mutant:
    """A wrong rule of an operator, in place inside ``with``; one that a graph recorded, it keeps.

    ``change`` is a name (see ``changes``) or a function of the rule's result: an array, or a Tensor
    where the backward pass is recorded. "without NAME" is a rule that ignores a value it saved.
    "un-broadcast dropped" is not the operator's but the engine's own: it takes the first of
    the broadcast entries instead of their sum.
    """

    def __init__(self, op: Primitive | str, change: str | Change,
                 input: int | str = 0) -> None:
        self.op = operator(op)
        self.how = change if isinstance(change, str) else getattr(change, "__name__", "changed")
        self.engines = change == UNBROADCAST
        self.reached = self.changed = False  # was the rule asked, and was its result another?
        self.earlier: Any = None  # a saved value of an earlier call
        self.restore: Callable[[], None] | None = None
        if self.engines:
            return
        names = [self.op.parameters[i] for i in self.op.rules]
        place = self.op.parameters.index(input) if input in self.op.parameters else input
        if not isinstance(place, int) or place not in self.op.rules:
            raise ValueError(f"'{self.op.name}' has rules for {', '.join(names) or 'no input'}, "
                             f"not for {input!r}")
        self.i = place
        if not isinstance(change, str):
            self.change: Change | None = change
        elif change in changes(self.op, self.i):
            self.change = (MUTATIONS | RULES).get(change)
        else:
            raise ValueError(f"there is no mutation {change!r} of this rule: one of "
                             f"{', '.join([*changes(self.op, self.i), UNBROADCAST])}")

    def __str__(self) -> str:
        rule = "" if self.engines else f", rule for '{self.op.parameters[self.i]}'"
        return f"{self.op.name}{rule}: {self.how}"

    def __enter__(self) -> Mutant:
        self.reached = self.engines and len(self.op.rules) < 2  # there is nothing to broadcast
        self.changed = False
        if self.engines:
            right = engine.unbroadcast

            def restore() -> None:
                engine.unbroadcast = right
            engine.unbroadcast = self.first_of_broadcast
        else:
            rule = self.op.rules[self.i]

            def restore() -> None:
                self.op.rules[self.i] = rule
                self.op.plans.clear()  # they hold the rules
            self.op.rules[self.i] = self.spoilt(rule)
            self.op.plans.clear()
        self.restore = restore
        return self

    def __exit__(self, *error: Any) -> None:
        assert self.restore is not None
        self.restore()
        self.restore = None

    def seen(self, right: Any, wrong: Any) -> Any:
        """``wrong``, after noting whether it is."""
        self.reached = True
        if not self.changed and right is not None:
            cut = isinstance(right, Tensor) and (right.node is None) != (wrong.node is None)
            a, b = values(right), values(wrong)
            self.changed = cut or a.shape != b.shape or not np.array_equal(a, b, equal_nan=True)
        return wrong

    def spoilt(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        change = self.change
        if change is not None:
            def wrong(xp: Any, g: Any, *saved: Any) -> Any:
                out = rule(xp, g, *saved)
                out = np.asarray(out) if isinstance(out, np.generic) else out
                return self.seen(out, None if out is None else change(out))
            return wrong
        place = self.op.needs[self.i].index(self.how.removeprefix("without "))

        def forgetful(xp: Any, g: Any, *saved: Any) -> Any:
            value = self.constant(saved[place])
            out = rule(xp, g, *saved[:place], value, *saved[place + 1:])
            return out if self.changed else self.seen(rule(xp, g, *saved), out)
        return forgetful

    def constant(self, value: Any) -> Any:
        """What a rule that forgot to look at ``value`` might take instead."""
        if isinstance(value, tuple) and value and not isinstance(value[0], (int, type(None))):
            return tuple([self.constant(v) for v in value])
        if is_array(value) or isinstance(value, Tensor):  # its first entry, everywhere
            array = values(value)
            same = np.full_like(array, array.flat[0]) if array.size else array
            return wrap(same) if isinstance(value, Tensor) else same
        if self.earlier is None:
            self.earlier = value
        return self.earlier

    def first_of_broadcast(self, xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
        """What takes the place of the engine's sum over the axes that broadcasting added."""
        extra = len(g.shape) - len(shape)
        self.reached = self.changed = True
        return xp.reshape(g[tuple([0] * extra + [slice(n) for n in shape])], shape)
