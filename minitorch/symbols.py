"""The namespace ``xp`` in which an expression is written down instead of computed.

An elementwise definition, such as an optimizer's update, is read once with symbols in the place of
its arrays and numbers. What is left is a ``Program``: the calls on numbers alone, which cost
nothing and are made once, and the calls on arrays, which are made for every element. ``spelling``
turns a program into array calls on given memory; a kernel's body can be spelled from the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

COMPARISONS = {"greater", "less"}  # their results are bools


class Symbol:
    """A value of a program: an input by its ``name``, or the result of ``op`` on ``args``.

    ``array``: whether it has elements, or is one number. ``truth``: of an option, whether it is
    not zero, which a definition may ask.
    """

    def __init__(self, program: Program, array: bool, name: str = "", truth: bool | None = None,
                 op: str = "", args: tuple[Any, ...] = ()) -> None:
        self.program, self.array, self.name, self.truth = program, array, name, truth
        self.op, self.args = op, args

    def __add__(self, y: Any) -> Symbol:
        return call("add", self, y)

    def __radd__(self, y: Any) -> Symbol:
        return call("add", y, self)

    def __sub__(self, y: Any) -> Symbol:
        return call("subtract", self, y)

    def __rsub__(self, y: Any) -> Symbol:
        return call("subtract", y, self)

    def __mul__(self, y: Any) -> Symbol:
        return call("multiply", self, y)

    def __rmul__(self, y: Any) -> Symbol:
        return call("multiply", y, self)

    def __truediv__(self, y: Any) -> Symbol:
        return call("divide", self, y)

    def __rtruediv__(self, y: Any) -> Symbol:
        return call("divide", y, self)

    def __pow__(self, y: Any) -> Symbol:
        return call("power", self, y)

    def __neg__(self) -> Symbol:
        return call("negative", self)

    def __gt__(self, y: Any) -> Symbol:
        return call("greater", self, y)

    def __lt__(self, y: Any) -> Symbol:
        return call("less", self, y)

    def __bool__(self) -> bool:
        """Whether an option is nonzero: a program is read anew when that changes."""
        if self.truth is None:
            raise TypeError("a definition may ask whether an option is zero, but not what a "
                            "computed value is: use xp.where, or compute it among the numbers")
        return self.truth


class Program:
    """What one reading of a definition came to: its inputs, its calls in order, its results."""

    def __init__(self) -> None:
        self.arrays: list[Symbol] = []
        self.options: dict[Symbol, str] = {}  # numbers, and where in the options they stand
        self.calls: list[Symbol] = []
        self.results: dict[str, Symbol] = {}  # what arrays become, by their names

    def needed(self) -> list[Symbol]:
        """The calls that the results depend on, in order."""
        wanted = set(self.results.values())
        for each in reversed(self.calls):
            if each in wanted:
                wanted.update(a for a in each.args if isinstance(a, Symbol))
        return [each for each in self.calls if each in wanted]


def call(op: str, *args: Any) -> Symbol:
    """Note a call; of numbers it is a number, else an array."""
    program = next(a.program for a in args if isinstance(a, Symbol))
    array = any(isinstance(a, Symbol) and a.array for a in args)
    out = Symbol(program, array, op=op, args=args)
    program.calls.append(out)
    return out


def _word(name: str) -> Callable[..., Symbol]:
    return lambda *args: call(name, *args)


words = SimpleNamespace(**{name: _word(name) for name in (
    "sqrt", "abs", "sign", "maximum", "minimum", "where")})


def read(definition: Callable[..., Any], state: Sequence[str],
         options: dict[str, Any]) -> Program:
    """The program of ``definition(xp, x, g, o, **state)``, which gives x and a dict of new state.

    ``state``: the names of its arrays. ``options``: numbers and tuples of numbers, which become
    symbols, and flags, which stay as they are.
    """
    program = Program()

    def symbol(value: Any, name: str, place: str) -> Any:
        if isinstance(value, tuple):
            return tuple(symbol(v, f"{name}_{i}", f"{place}[{i}]") for i, v in enumerate(value))
        if value is None or isinstance(value, (bool, str)):
            return value
        number = Symbol(program, False, name, bool(value))
        program.options[number] = place
        return number

    o = SimpleNamespace(**{k: symbol(v, k, f"o[{k!r}]") for k, v in options.items()})
    program.arrays = [Symbol(program, True, name) for name in ("x", "g", *state)]
    x, g, *rest = program.arrays
    new, new_state = definition(words, x, g, o, **dict(zip(state, rest)))
    program.results = {"x": new, **new_state}
    return program
