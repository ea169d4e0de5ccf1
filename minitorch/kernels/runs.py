"""Array calls that follow each other in a plan, as one compiled function of few loops.

Calls over the same shape share a loop: what one makes the next finds in a register, and what only
they need is never stored. The arithmetic is NumPy's, call by call, in its dtype and order: only
what is correctly rounded (+ - * / sqrt), chosen or compared is spelled here, and sums over the
first axis, which NumPy adds row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from minitorch.kernels import jit

Array = Any
SUM = np.add.reduce
SPELLING = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.true_divide: "{} / {}",
    np.negative: "-{}", np.sqrt: "np.sqrt({})", np.reciprocal: "{one} / {}", np.square: "{0} * {0}",
    np.maximum: "np.maximum({}, {})", np.minimum: "np.minimum({}, {})", np.equal: "{} == {}",
    np.not_equal: "{} != {}", np.greater: "{} > {}", np.greater_equal: "{} >= {}",
    np.less: "{} < {}", np.less_equal: "{} <= {}", np.copyto: "{}", np.where: "{1} if {0} else {2}",
    SUM: ""}
BOOL = np.dtype(np.bool_)
KINDS = {np.dtype(t) for t in (np.float32, np.float64, np.int64, np.bool_)}


@dataclass(eq=False)
class Place:
    """An array without axes of length 1, and where a loop is in it: ``[i, j]``, ``[i]``, ``[j]``,
    ``[0]``.
    """

    array: Array
    index: str

    @property
    def memory(self) -> Any:
        a = self.array
        return a.__array_interface__["data"][0], a.shape, a.dtype

    @property
    def key(self) -> Any:
        return *self.memory, self.index


@dataclass(eq=False)
class Call:
    """A call that can be spelled: over ``space``, from ``args`` (places or numbers) to ``out``."""

    function: Any
    space: tuple[int, ...]
    args: list[Any]
    kinds: list[Any]  # the dtypes that the arguments are converted to
    out: Place


@dataclass(eq=False)
class Loop:
    """Calls over one space, and the numbers of their notes."""

    space: tuple[int, ...]
    calls: list[Call] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)

    def takes(self, call: Call) -> bool:
        """Whether the call may come into the same loop: what is written and touched again in it
        must be the same element of the same array, and no sum, which is ready only at the end.
        """
        if call.space != self.space:
            return False
        for c in self.calls:
            for writer, touched in (*[(c, x) for x in (*call.args, call.out)],
                                    *[(call, x) for x in c.args]):
                out = writer.out
                if (isinstance(touched, Place) and np.may_share_memory(out.array, touched.array)
                        and (out.key != touched.key or writer.function is SUM)):
                    return False
        return True


def placed(x: Array, space: tuple[int, ...]) -> Place | None:
    """How ``x`` is read or written in a loop over ``space``; None if it cannot be."""
    if x.dtype not in KINDS or not x.flags.c_contiguous or not x.flags.aligned:
        return None
    if x.size == 1:
        return Place(x.reshape(1), "[0]")
    shape = (1,) * (len(space) - x.ndim) + x.shape
    long = [i for i, n in enumerate(space) if n != 1]
    ones = [i for i in long if shape[i] == 1]
    if not ones:
        if len(long) == 2:
            return Place(x.reshape([space[i] for i in long]), "[i, j]")
        return Place(x.reshape(-1), "[i]")
    if len(long) == 2 and len(ones) == 1:
        return Place(x.reshape(-1), "[j]" if ones[0] == long[0] else "[i]")
    return None


def call_of(note: Any) -> Call | None:
    """A note of a plan as a call that can be spelled, if it is one."""
    f, args, kwargs = note.function, note.args, dict(note.kwargs)
    if isinstance(getattr(f, "__self__", None), np.ufunc) and f == SUM:
        f = SUM  # a new object each time it is asked for
    out = kwargs.pop("out", note.into)
    out = out[0] if isinstance(out, tuple) else out
    if f not in SPELLING or out is None or not out.size or not all(
            isinstance(a, np.ndarray) or type(a) in (int, float) for a in args):
        return None
    if f is SUM:
        return sum_of(args, kwargs, out)
    given = [a.dtype if isinstance(a, np.ndarray) else type(a) for a in args]
    kinds = converted(f, given, kwargs, out.dtype)
    if kinds is None or kwargs or any(
            isinstance(g, np.dtype) and g not in (k, BOOL) for g, k in zip(given, kinds)):
        return None
    places = [placed(a, out.shape) if isinstance(a, np.ndarray) else a for a in args]
    target = placed(out, out.shape)
    if target is None or None in places:
        return None
    space = tuple([n for n in out.shape if n != 1])
    return Call(f, space if len(space) == 2 else (out.size,), places, kinds, target)


def converted(f: Any, given: list[Any], kwargs: dict[str, Any], made: Any) -> list[Any] | None:
    """The dtypes in which a call computes; takes what it understands out of ``kwargs``."""
    if f is np.copyto:  # converts what it is given, of which only bools are spelled
        kwargs.pop("casting", None)
        return [made] if made in KINDS else None
    if f is np.where:
        return [BOOL, made, made] if len(given) == 3 and given[0] == BOOL else None
    try:
        *kinds, found = f.resolve_dtypes((*given, None))
    except (TypeError, ValueError):
        return None
    if kwargs.pop("dtype", found) != found or found != made:
        return None
    fits = all(k in KINDS and k != BOOL for k in kinds)  # bools are added by "or"
    return kinds if fits and (f is not np.reciprocal or made.kind == "f") else None


def sum_of(args: Any, kwargs: dict[str, Any], out: Array) -> Call | None:
    """A sum over the rows of a matrix; with a single column NumPy adds in another order."""
    x = args[0]
    plain = kwargs.get("dtype") is None and kwargs.keys() <= {"axis", "keepdims", "dtype"}
    if (len(args) != 1 or not plain or kwargs.get("axis") not in (0, (0,)) or x.ndim != 2
            or min(x.shape) < 2 or x.dtype.kind != "f" or out.dtype != x.dtype):
        return None
    source, target = placed(x, x.shape), placed(out.reshape(-1), x.shape[1:])
    if source is None or target is None:
        return None
    return Call(SUM, x.shape, [source], [x.dtype], Place(target.array, "[j]"))


class Body:
    """What one loop does to one element, line by line; values that are known stay in registers.

    ``name`` gives the name of a parameter for an array.
    """

    def __init__(self, loop: Loop, name: Callable[[Place], str], local: Container[int]) -> None:
        self.lines: list[str] = []
        self.values: dict[Any, str] = {}  # what is in registers, by where it lies
        self.before: list[str] = []
        self.name = name
        stores: dict[Any, str] = {}
        for n, call in enumerate(loop.calls):
            args = [self.value(a, k) for a, k in zip(call.args, call.kinds)]
            if call.function is SUM:
                out = name(call.out)
                self.before += [f"for j in range({loop.space[1]}):", f"    {out}[j] = 0"]
                self.lines.append(f"{out}[j] += {args[0]}")
                continue
            text = SPELLING[call.function].format(*args, one=f"np.{call.kinds[0]}(1)")
            self.lines.append(f"t{n} = {text}")
            self.values[call.out.key] = f"t{n}"
            if id(call) not in local:
                stores[call.out.key] = f"{name(call.out)}{call.out.index} = t{n}"
        self.lines += stores.values()

    def value(self, x: Any, kind: Any) -> str:
        """An argument, read and converted where that is needed."""
        if not isinstance(x, Place):
            special = {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}
            return f"np.{kind}({special.get(repr(x), repr(x))})"
        if x.key not in self.values:
            self.values[x.key] = f"v{len(self.values)}_"
            self.lines.append(f"{self.values[x.key]} = {self.name(x)}{x.index}")
        text = self.values[x.key]
        return text if x.array.dtype == kind else f"np.{kind}({text})"


def spelled(loops: list[Loop], local: Container[int]) -> tuple[str, list[Array]]:
    """The text of ``run(p0, p1, ...)``, and the arrays to call it with.

    ``local``: the ids of the calls whose results nothing outside of their loop reads.
    """
    names: dict[Any, str] = {}
    arrays: list[Array] = []

    def name(place: Place) -> str:
        if place.memory not in names:
            names[place.memory] = f"p{len(arrays)}"
            arrays.append(place.array)
        return names[place.memory]

    lines: list[str] = []
    for loop in loops:
        body = Body(loop, name, local)
        lines += body.before
        for depth, (index, n) in enumerate(zip("ij", loop.space)):
            lines.append("    " * depth + f"for {index} in range({n}):")
        lines += ["    " * len(loop.space) + line for line in body.lines]
    head = f"def run({', '.join(names.values())}):"
    return "\n".join([head, *["    " + line for line in lines]]), arrays


@cache
def compiled(text: str, kinds: tuple[Any, ...]) -> Any:
    """``run`` as machine code, for arrays of these dtypes, dimensions, and whether written."""
    numba = jit._numba()
    return jit.machine_code(text, "void", *[
        numba.types.Array(numba.from_dtype(dtype), ndim, "C", readonly=not writeable)
        for dtype, ndim, writeable in kinds])


def kernel(text: str, arrays: list[Array]) -> Any:
    """``run`` for such arrays; None where two of them share memory."""
    if any(np.may_share_memory(a, b) for a, b in combinations(arrays, 2)):
        return None
    return compiled(text, tuple([(a.dtype, a.ndim, a.flags.writeable) for a in arrays]))
