"""Array calls that follow each other in a plan, as one compiled function of few loops.

Calls over the same shape share a loop: what one makes the next finds in a register, and what only
they need is never stored. The arithmetic is NumPy's, call by call, in its dtype and order: only
what is correctly rounded (+ - * / sqrt), chosen or compared is spelled here, and sums over the
first axis, which NumPy adds row by row.
"""

from __future__ import annotations

from collections.abc import Container
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
KINDS = {np.dtype(t) for t in (np.float32, np.float64, np.int64, np.bool_)}


@dataclass(eq=False)
class Place:
    """An array as a loop sees it: without axes of length 1, at ``[i, j]``, ``[j]``, ``[i]``, ``[0]``.
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
        flat = len(long) != 2
        return Place(x.reshape(-1 if flat else [space[i] for i in long]), "[i]" if flat else "[i, j]")
    if len(long) == 2 and len(ones) == 1:
        return Place(x.reshape(-1), "[j]" if ones[0] == long[0] else "[i]")
    return None


def call_of(note: Any) -> Call | None:
    """A note as a call that can be spelled, if it is one."""
    f, args, kwargs = note.function, note.args, dict(note.kwargs)
    if isinstance(getattr(f, "__self__", None), np.ufunc):
        f = SUM if f == SUM else None
    out = kwargs.pop("out", note.into)
    out = out[0] if isinstance(out, tuple) else out
    if f not in SPELLING or out is None or not out.size or not all(
            isinstance(a, np.ndarray) or type(a) in (int, float) for a in args[:3]):
        return None
    kinds: Any
    if f is SUM:
        x, axis = args[0], kwargs.pop("axis", None)
        kwargs.pop("keepdims", None)
        if (kwargs.pop("dtype", None) is not None or len(args) != 1 or axis not in (0, (0,))
                or x.ndim != 2 or x.shape[1] < 2 or x.dtype.kind != "f" or out.dtype != x.dtype):
            return None
        source, space, kinds = [x], x.shape, [x.dtype]
    else:
        source, space = list(args), out.shape
        given = [a.dtype if isinstance(a, np.ndarray) else type(a) for a in source]
        if isinstance(f, np.ufunc):
            try:
                *kinds, made = f.resolve_dtypes((*given, None))
            except TypeError:
                return None
            if kwargs.pop("dtype", made) != made or made != out.dtype:
                return None
        elif f is np.where:
            kinds = [given[0], *[out.dtype] * 2]
            if len(args) != 3 or given[0] != bool:
                return None
        else:  # copyto; only bools are converted
            kwargs.pop("casting", None)
            kinds = [out.dtype]
        if any(isinstance(g, np.dtype) and g != k and g != bool for g, k in zip(given, kinds)):
            return None
    places = [placed(a, space) if isinstance(a, np.ndarray) else a for a in source]
    target = placed(*(out.reshape(-1), space[1:]) if f is SUM else (out, space))
    if kwargs or target is None or None in places or not all(k in KINDS for k in kinds):
        return None
    squeezed = tuple([n for n in space if n != 1])
    squeezed = squeezed if len(squeezed) == 2 else (int(np.prod(space)),)
    if f is SUM:
        if len(squeezed) != 2:
            return None
        target.index = "[j]"
    elif target.index not in ("[i, j]", "[i]", "[0]"):
        return None
    return Call(f, squeezed, places, kinds, target)


def spelled(loops: list[Loop], local: Container[int]) -> tuple[str, list[Array]]:
    """The text of ``run(p0, p1, ...)``, and the arrays to call it with.

    ``local``: the ids of the calls whose results nothing outside of their loop reads.
    """
    names: dict[Any, str] = {}
    arrays: list[Array] = []

    def parameter(place: Place) -> str:
        if place.memory not in names:
            names[place.memory] = f"p{len(arrays)}"
            arrays.append(place.array)
        return names[place.memory]

    lines: list[str] = []
    for loop in loops:
        values: dict[Any, str] = {}  # what is in registers, by where it lies
        body: list[str] = []
        stores: dict[Any, str] = {}

        def value(x: Any, kind: Any) -> str:
            if not isinstance(x, Place):
                return f"np.{kind}({x!r})" if kind != bool else repr(bool(x))
            if x.key not in values:
                values[x.key] = f"v{len(values)}_"
                body.append(f"{values[x.key]} = {parameter(x)}{x.index}")
            text = values[x.key]
            return text if x.array.dtype == kind else f"np.{kind}({text})"

        for n, call in enumerate(loop.calls):
            args = [value(a, k) for a, k in zip(call.args, call.kinds)]
            if call.function is SUM:
                out = parameter(call.out)
                lines += [f"for j in range({loop.space[1]}):", f"    {out}[j] = 0"]
                body.append(f"{out}[j] += {args[0]}")
                continue
            text = SPELLING[call.function].format(*args, one=f"np.{call.kinds[0]}(1)")
            body.append(f"t{n} = {text}")
            values[call.out.key] = f"t{n}"
            if id(call) not in local:
                stores[call.out.key] = f"{parameter(call.out)}{call.out.index} = t{n}"
        for depth, (index, n) in enumerate(zip("ij", loop.space)):
            lines.append("    " * depth + f"for {index} in range({n}):")
        lines += ["    " * len(loop.space) + line for line in (*body, *stores.values())]
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
