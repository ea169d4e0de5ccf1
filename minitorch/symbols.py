"""The namespace ``xp`` in which an expression is written down instead of computed.

An elementwise definition, such as an optimizer's update or the rule of an operator, is read once
with symbols in the place of its arrays and numbers. What is left is a ``Program``: the calls on
numbers alone, which cost nothing and are made once, and the calls on arrays, which are made for
every element. ``spelling`` turns a program into array calls on given memory; a kernel's body can be
spelled from the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

COMPARISONS = {"greater", "less", "greater_equal", "less_equal", "equal", "not_equal",
               "logical_and", "logical_or", "logical_not"}  # their results are bools


class Symbol:
    """A value of a program: an input by its ``name``, or the result of ``op`` on ``args``.

    ``array``: whether it has elements, or is one number. ``truth``: of an option, whether it is
    not zero, which a definition may ask.
    """

    def __init__(self, program: Program, array: bool, name: str = "", truth: bool | None = None,
                 op: str = "", args: tuple[Any, ...] = (), mask: bool = False) -> None:
        self.program, self.array, self.name, self.truth = program, array, name, truth
        self.op, self.args = op, args
        self.mask = mask or op in COMPARISONS or (  # bools
            op == "where" and all(getattr(a, "mask", False) for a in args[1:]))

    @property
    def dtype(self) -> np.dtype[Any]:
        """As far as a reading knows it: an optimizer's update serves all."""
        if self.program.dtype is None:
            raise AttributeError("dtype")
        return np.dtype(bool) if self.mask else self.program.dtype

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

    def __rpow__(self, y: Any) -> Symbol:
        return call("power", y, self)

    def __neg__(self) -> Symbol:
        return call("negative", self)

    def __gt__(self, y: Any) -> Symbol:
        return call("greater", self, y)

    def __lt__(self, y: Any) -> Symbol:
        return call("less", self, y)

    def __ge__(self, y: Any) -> Symbol:
        return call("greater_equal", self, y)

    def __le__(self, y: Any) -> Symbol:
        return call("less_equal", self, y)

    def __eq__(self, y: Any) -> Any:
        return call("equal", self, y)

    def __ne__(self, y: Any) -> Any:
        return call("not_equal", self, y)

    __hash__ = object.__hash__  # a program's values are told apart by identity

    def __and__(self, y: Any) -> Symbol:
        return call("logical_and", self, y)

    def __or__(self, y: Any) -> Symbol:
        return call("logical_or", self, y)

    def __invert__(self) -> Symbol:
        return call("logical_not", self)

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
        self.dtype: np.dtype[Any] | None = None  # of the arrays that are no masks, where it counts

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


UPDATES = ("sqrt", "abs", "sign", "maximum", "minimum", "where")
words = SimpleNamespace(**{name: _word(name) for name in UPDATES})  # those of updates
# Those of operators: not all are rounded alike everywhere, and some are no words of NumPy's.
more_words = SimpleNamespace(**{name: _word(name) for name in (
    *UPDATES, "add", "subtract", "multiply", "divide", "negative", "reciprocal", "exp", "expm1",
    "log", "log1p", "log2", "log10", "erf", "sigmoid", "sin", "cos", "tan", "arcsin", "arccos",
    "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "hypot",
    "trunc", "floor", "ceil", "greater", "less", "greater_equal", "less_equal", "equal",
    "not_equal", "logical_and", "logical_or", "logical_not")})
more_words.absolute = words.abs


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


class Given:
    """What stands for an argument when an operator's function is read."""

    ARRAY: Given
    MASK: Given
    NUMBER: Given


Given.ARRAY, Given.MASK, Given.NUMBER = Given(), Given(), Given()


def read_cell(function: Callable[..., Any], args: Sequence[Any], dtype: Any) -> Program:
    """The program of a forward or a rule, ``function(xp, *args)``, for arrays of ``dtype``.

    ``args``: for each a ``Given``, or a value that stays as it is. Raises TypeError if the function
    is none of single elements, or asks for what is not known before it runs.
    """
    program = Program()
    program.dtype = np.dtype(dtype)
    values: list[Any] = []
    for place, (name, arg) in enumerate(zip(list(inspect.signature(function).parameters)[1:], args,
                                            strict=True)):
        if arg is Given.NUMBER:
            values.append(Symbol(program, False, name))
            program.options[values[-1]] = f"o[{place}]"
        elif isinstance(arg, Given):
            values.append(Symbol(program, True, name, mask=arg is Given.MASK))
            program.arrays.append(values[-1])
        else:
            values.append(arg)
    try:
        out = function(more_words, *values)
    except Exception as error:  # no such word, no axes, or whatever it says to symbols
        raise TypeError(f"no function of single elements: {error}") from error
    if not (isinstance(out, Symbol) and out.op):
        raise TypeError("nothing to compute, or more than one result")
    program.results = {"result": out}
    return program
