"""Faster equals of operators' forwards and rules on GPU arrays.

A cell is what one call of an operator, or of one of its rules, computes. ``cell`` gives its faster
equal: a kernel written by hand where there is one, else one spelled from the cell itself, tried
when arguments of a new kind come. What no kernel fits, the cell computes as it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minitorch.kernels.cuda import launch, spelled, written, written_cells
from minitorch.symbols import Given, read_cell

Array = Any
Cell = Callable[..., Any]
LITERALS = 16  # kernels of one cell with a number built in: so many, then no more
SHAPES = 1000  # that a cell remembers
BLOCK = (spelled.THREADS,)
BOOL = np.dtype(bool)

_cells: dict[Cell, Cell] = {}


def cell(operator: str, part: str, function: Cell) -> Cell:
    """The faster equal of ``function``: an operator's "forward", or its rule for input ``part``.

    It takes the same arguments, of any kind: what does not fit goes to ``function``.
    """
    found = _cells.get(function)
    if found is None:
        own = function.__module__.startswith("minitorch.ops.")  # not a user's of the same name
        make = written_cells.CELLS.get((operator, part)) if own else None
        found = make(function) if make else Generated(f"{operator}_{part}", function)
        _cells[function] = found
    return found


def sums(xp: Any, g: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    """``xp.sum(g, axes, keepdims)``; over leading axes, as of a bias's cotangents, by a kernel."""
    there: Any = launch.launcher.ndarray
    k = len(axes)
    if (type(g) is there and axes == tuple(range(k)) and k < len(g.shape)
            and g.size and written.fit(g)):
        rest = g.shape[k:]
        out = written.column_sums(xp, g.reshape(-1, size(rest)))
        return out.reshape((1,) * (k * keepdims) + rest)
    return xp.sum(g, axes, keepdims)


class Kind(NamedTuple):
    """What a kernel depends on: what its arguments are, and where elements lie in the arrays."""

    dtype: np.dtype[Any]
    given: tuple[Any, ...]
    places: tuple[str, ...]


class Call(NamedTuple):
    """A kernel for arguments of certain shapes."""

    kernel: Kernel
    shape: tuple[int, ...]
    grid: tuple[int]
    sizes: list[np.uint32]  # n and m of the kernel


class Generated:
    """A cell with the kernels spelled from it, one for each kind of arguments."""

    def __init__(self, name: str, function: Cell) -> None:
        self.name = name if name.isidentifier() and name.isascii() else "cell"
        self.function = function
        self.kernels: dict[Kind, Kernel | None] = {}
        self.literal: dict[Any, Kernel | None] = {}  # by numbers too, where they were asked for
        self.calls: dict[Any, Call | None] = {}  # by dtypes and shapes

    def __call__(self, xp: Any, *args: Any) -> Any:
        there: Any = launch.launcher.ndarray
        key: list[Any] = []
        arrays = []
        for a in args:
            kind: Any = type(a)
            if kind is there and a.flags.c_contiguous:
                arrays.append(a)
                key += (a.dtype.char, a.shape)
            elif kind is float or kind is int:
                key.append(Given.NUMBER)
            elif a is None or kind is str or kind is bool:
                key.append(a)
            else:
                return self.function(xp, *args)
        place = tuple(key)
        call = self.calls[place] if place in self.calls else self.call(place, args)
        return self.function(xp, *args) if call is None else call.kernel(xp, call, arrays, args)

    def call(self, place: Any, args: tuple[Any, ...]) -> Call | None:
        """How to call a kernel for such arguments; None where there is none."""
        found, call = kind_of(args), None
        if found is not None:
            kind, shape, m = found
            kernel = self.kernel(kind, args)
            if kernel is not None:
                n = size(shape)
                call = Call(kernel, shape, spelled.grid(n), [np.uint32(n), np.uint32(m)])
            if kernel is not self.kernels[kind]:  # other numbers, another kernel
                return call
        if len(self.calls) >= SHAPES:
            self.calls.clear()
        self.calls[place] = call
        return call

    def kernel(self, kind: Kind, args: tuple[Any, ...]) -> Kernel | None:
        """The kernel for such arguments, spelled when they first come; None where there is none."""
        values = tuple([a if g is Given.NUMBER else g for a, g in zip(args, kind.given)])
        if kind not in self.kernels:
            self.kernels[kind] = made = self.spelled(kind, kind.given)
            if made is None and Given.NUMBER in kind.given:  # perhaps its value was asked
                made = self.spelled(kind, values)
                if made is not None:
                    self.literal[kind] = None  # a mark, that it was
                    self.literal[kind, values] = made
        if kind not in self.literal:
            return self.kernels[kind]
        if (kind, values) not in self.literal and len(self.literal) < LITERALS:
            self.literal[kind, values] = self.spelled(kind, values)
        return self.literal.get((kind, values))

    def spelled(self, kind: Kind, values: Sequence[Any]) -> Kernel | None:
        try:
            return Kernel(self.name, self.function, kind, values)
        except TypeError:  # no function of single elements, or no word for what it does
            return None


class Kernel:
    """A cell's program as a kernel."""

    def __init__(self, name: str, function: Cell, kind: Kind, values: Sequence[Any]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # log of a number that is 0
            program = read_cell(function, values, kind.dtype)
        if not all(a.name.isascii() for a in program.arrays):
            raise TypeError("no names of CUDA C")
        self.name = name
        self.text = spelled.elementwise(program, name, kind.dtype, kind.places)
        self.numbers = spelled.given(program)[0] if program.options else None
        self.number = np.float64 if kind.dtype == np.float64 else np.float32
        self.result = BOOL if program.results["result"].mask else kind.dtype
        self.launcher: Any = None  # that of the function
        self.function: Any = None

    def __call__(self, xp: Any, call: Call, arrays: list[Array], args: Sequence[Any]) -> Array:
        if self.launcher is not launch.launcher:
            self.launcher = launch.launcher
            self.function = self.launcher.function(self.text, self.name)
        if self.numbers is not None:
            arrays += map(self.number, self.numbers(args))
        out = xp.empty(call.shape, self.result)
        self.function(call.grid, BLOCK, [*arrays, out, *call.sizes])
        return out


def kind_of(args: Sequence[Any]) -> tuple[Kind, tuple[int, ...], int] | None:
    """The kind of arguments, the shape that their arrays broadcast to, and the length of its rows;
    None where they are not what kernels are spelled for.
    """
    there: Any = launch.launcher.ndarray
    given: list[Any] = []
    dtypes, shapes = set(), []
    for a in args:
        if type(a) is there and a.flags.c_contiguous:
            given.append(Given.MASK if a.dtype == BOOL else Given.ARRAY)
            dtypes.add(a.dtype)
            shapes.append(a.shape)
        elif type(a) is float or type(a) is int:
            given.append(Given.NUMBER)
        elif a is None or type(a) is str or type(a) is bool:
            given.append(a)
        else:
            return None
    dtypes -= {BOOL}
    if len(dtypes) != 1 or not dtypes <= spelled.TYPES.keys():
        return None
    found = layout(shapes)
    if found is None:
        return None
    shape, places, m = found
    return Kind(dtypes.pop(), tuple(given), places), shape, m


def layout(shapes: Sequence[tuple[int, ...]]) -> (
        tuple[tuple[int, ...], tuple[str, ...], int] | None):
    """What arrays without gaps broadcast to, and where in each an element's operand lies (see
    ``spelled.elementwise``), in rows of how many; None if not so, or if there are none or too many.
    """
    shape = shapes[0]
    if any(s != shape for s in shapes):
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            return None
    n, m = size(shape), 0
    places: list[str] = []
    for s in shapes:
        k = size(s)
        own = s.index(1) if 1 in s else len(s)  # leading axes that are not stretched
        if k == n:
            places.append("i")
            continue
        if k == 1:
            places.append("0")
            continue
        while s and s[0] == 1:
            s = s[1:]
        if s == shape[len(shape) - len(s):]:
            rows = k
            places.append("i % m")
        elif len(s) == len(shape) and k == size(s[:own]) and s[:own] == shape[:own]:
            rows = n // k
            places.append("i / m")
        else:
            return None
        if m not in (0, rows):
            return None
        m = rows
    return (shape, tuple(places), m or 1) if 0 < n < spelled.LIMIT else None


def size(shape: Sequence[int]) -> int:
    n = 1
    for k in shape:
        n *= k
    return n
