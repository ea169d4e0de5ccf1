"""The notes of a recorded step as what a GPU does with them: statements over at most two axes.

``fusing`` puts statements into kernels, ``text`` spells these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minitorch.backend import is_basic
from minitorch.kernels import runs
from minitorch.kernels.cuda import blas
from minitorch.plan.device.record import hollow
from minitorch.plan.device.words import (
    BITS,
    BOOL,
    FLOATING,
    FOLDS,
    LOGICAL,
    SPELLING,
    TYPES,
    Known,
    Operand,
    Product,
    Statement,
    Untranslated,
)
from minitorch.plan.memory import owner
from minitorch.plan.noted import _get, _set
from minitorch.plan.notes import Note

Array = Any


def refuse(note: Note, why: str = "") -> Untranslated:
    name = getattr(note.function, "__name__", str(note.function)).strip("_")
    what = f"{name}() has no translation for the GPU" + (f": {why}" if why else "")
    place = f" ({note.line}{', in ' + note.operator if note.operator else ''})"
    return Untranslated(what + place)


def translated(note: Note, known: Known) -> Statement | Product:
    """What a GPU does in the place of one call."""
    f, args, kwargs = note.function, note.args, dict(note.kwargs)
    out = kwargs.pop("out", note.into)
    out = out[0] if isinstance(out, tuple) else out
    ufunc = getattr(f, "__self__", None)
    if isinstance(ufunc, np.ufunc):
        if f == ufunc.reduce and ufunc in FOLDS:
            return folded(note, ufunc, args, kwargs, out)
        if f == ufunc.at and ufunc is np.add:
            return scattered(note, known, *args)
    elif f is _get:
        x, key = args
        return gathered(note, known, x, key, out)
    elif f is _set:
        x, key, value = args
        if not is_basic(key):
            return scattered(note, known, x, key, value, adds=False)
        return elementwise(note, np.copyto, [value], {}, _get(x, key))
    elif f is hollow:
        a, b = args
        return product(note, a, b, out)
    elif f is np.copyto and note.into is None:
        return elementwise(note, f, list(args[1:]), kwargs, args[0])
    elif f is np.ndarray.fill:
        return elementwise(note, np.copyto, [args[1]], {}, args[0])
    elif f is np.clip and len(args) == 3 and not kwargs:
        return clipped(note, *args, out)
    elif getattr(f, "__name__", "") == "bernoulli" and out is not None:
        return drawn(note, known, *args, **kwargs)
    elif f in (np.ndarray.reshape, np.reshape, np.ndarray.ravel, np.ndarray.flatten):
        return elementwise(note, np.copyto, [args[0]], {}, out.reshape(args[0].shape))
    if f in SPELLING or f in BITS:
        return elementwise(note, f, list(args), kwargs, out)
    raise refuse(note)


# ---- axes


def steps_of(x: Array, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The steps of ``x``, broadcast to ``shape``, in elements."""
    x = np.broadcast_to(x, shape)
    return tuple([s // x.itemsize if n > 1 else 0 for s, n in zip(x.strides, shape)])


def squeezed(space: tuple[int, ...], operands: list[Operand],
             note: Note) -> tuple[tuple[int, ...], list[Operand]]:
    """Without axes of length 1; neighbours made one, where every operand allows, down to two."""
    keep = [i for i, n in enumerate(space) if n != 1]
    space = tuple([space[i] for i in keep])
    steps = [tuple([o.steps[i] for i in keep]) for o in operands]
    while len(space) > 2:
        for i in range(len(space) - 1):
            if all(s[i] == s[i + 1] * space[i + 1] for s in steps):
                space = (*space[:i], space[i] * space[i + 1], *space[i + 2:])
                steps = [(*s[:i], *s[i + 1:]) for s in steps]
                break
        else:
            raise refuse(note, f"its arrays have {len(space)} axes that cannot be made two")
    return space, [replace(o, steps=s) for o, s in zip(operands, steps)]


def checked(note: Note, *arrays: Array) -> None:
    for a in arrays:
        if a.dtype not in TYPES:
            raise refuse(note, f"arrays of {a.dtype}")
        if a.size >= 1 << 30 or a.size == 0:
            raise refuse(note, f"an array of {a.size} elements")
        if any(step < 0 for step in a.strides):
            raise refuse(note, "an array read backwards")


# ---- one kind of call each


def elementwise(note: Note, f: Any, args: list[Any], kwargs: dict[str, Any],
                out: Array) -> Statement:
    args = [a.item() if isinstance(a, np.generic) else a for a in args]
    if not all(isinstance(a, np.ndarray) or type(a) in (int, float, bool) for a in args):
        raise refuse(note, "of these arguments")
    given = [a.dtype if isinstance(a, np.ndarray) else type(a) for a in args]
    if f in BITS and all(g in (BOOL, bool) for g in given):
        f = BITS[f]
    kinds: Any
    if f in LOGICAL and all(g in (BOOL, bool) for g in given):
        kinds = [BOOL] * LOGICAL[f]
    elif f is np.copyto:
        kwargs.pop("casting", None)
        kinds = [out.dtype]
    elif f is np.isnan:
        kinds = [given[0]]
    else:
        kinds = runs.converted(f, given, kwargs, out.dtype)
    if kinds is None or kwargs or f not in SPELLING:
        raise refuse(note, f"from {', '.join(map(str, given))} to {out.dtype}")
    arrays = [a for a in args if isinstance(a, np.ndarray)]
    checked(note, out, *arrays)
    space, operands = squeezed(out.shape, [Operand(a, steps_of(a, out.shape))
                                           for a in (out, *arrays)], note)
    rest = iter(operands[1:])
    text = SPELLING[f]
    if f in FLOATING and kinds[0].kind != "f":
        raise refuse(note, f"of {kinds[0]}")
    return Statement(note, space, text.replace("{f}", "f" if kinds[0] == np.float32 else ""),
                     [next(rest) if isinstance(a, np.ndarray) else a for a in args], kinds,
                     operands[0])


def clipped(note: Note, x: Array, low: Any, high: Any, out: Array) -> Statement:
    limits = [v for v in (low, high) if v is not None]
    if not limits or not all(type(v) in (int, float) for v in limits) or x.dtype != out.dtype \
            or x.dtype.kind != "f":
        raise refuse(note, "but for two numbers and an array of floats")
    text = "{}" if low is None else "larger({}, {})"
    text = text if high is None else f"smaller({text}, {{}})"
    made = elementwise(note, np.copyto, [x], {}, out)
    return replace(made, text=text, args=[*made.args, *limits], kinds=[x.dtype] * len(text))


def folded(note: Note, f: Any, args: Any, kwargs: dict[str, Any], out: Array) -> Statement:
    names = ("axis", "dtype", "out", "keepdims")
    kwargs = {**dict(zip(names, args[1:])), **kwargs}
    x, axis = args[0], kwargs.get("axis", 0)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple([a % x.ndim for a in axes])
    if x.dtype.kind not in "fi" or (f in (np.maximum, np.minimum) and x.dtype.kind != "f") \
            or kwargs.get("dtype") not in (None, x.dtype) or out.dtype != x.dtype \
            or kwargs.keys() - set(names):
        raise refuse(note, f"of {x.dtype} to {out.dtype}")
    return fold(note, f, x, axes, out)


def fold(note: Note, f: Any, x: Array, axes: tuple[int, ...], out: Array) -> Statement:
    """``x`` folded over ``axes``, which must be the first ones or the last."""
    checked(note, x, out)
    whole = tuple([1 if i in axes else n for i, n in enumerate(x.shape)])
    space, (operand, target) = squeezed(x.shape, [
        Operand(x, steps_of(x, x.shape)),
        Operand(out, steps_of(out.reshape(whole), x.shape))], note)
    kept = [i for i, s in enumerate(target.steps) if s]
    if len(kept) > 1:
        raise refuse(note, "axes in between")
    if not kept and len(space) == 2:  # everything: as one axis
        if operand.steps[0] != operand.steps[1] * space[1]:
            raise refuse(note, "over all of an array with gaps")
        space, operand = (space[0] * space[1],), replace(operand, steps=operand.steps[1:])
    axis = None if not kept else 1 - kept[0] if len(space) == 2 else -1
    if axis == -1:  # nothing is folded: axes of length 1
        return Statement(note, space, "{}", [operand], [x.dtype], target)
    return Statement(note, space, "{}", [operand], [x.dtype], target, fold=f, axis=axis)


def jumping(note: Note, known: Known, x: Array,
            key: Any) -> tuple[tuple[int, ...], list[Any], Operand]:
    """The space of ``x[key]`` for arrays of whole numbers, those arrays, and how ``x`` is read."""
    keys = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(k, np.ndarray) and k.dtype.kind == "i" for k in keys):
        raise refuse(note, "at such an index")
    shape = np.broadcast_shapes(*[k.shape for k in keys])
    rest = x.shape[len(keys):]
    space = (*shape, *rest)
    own = (0,) * len(shape) + steps_of(x, x.shape)[len(keys):]
    operands: list[Operand] = []
    jumps: list[tuple[int, int, int]] = []
    for k, n, stride in zip(keys, x.shape, x.strides):
        step = stride // x.itemsize
        along = numbering(known, k, shape)
        if along is not None and shape[along] <= n:
            own = tuple([s + step * (i == along) for i, s in enumerate(own)])
        else:
            jumps.append((len(operands), step, n))
            operands.append(Operand(k, steps_of(k.reshape(k.shape + (1,) * len(rest)), space)))
    return space, operands, Operand(x, own, tuple(jumps))


def numbering(known: Known, k: Array, shape: tuple[int, ...]) -> int | None:
    """The axis along which a constant index counts 0, 1, 2, ...; None if it does not."""
    if id(owner(k)) not in known.constants:
        return None
    whole = np.broadcast_to(k, shape)
    for axis, n in enumerate(shape):
        count = np.arange(n).reshape([n if i == axis else 1 for i in range(len(shape))])
        if n > 1 and np.array_equal(whole, np.broadcast_to(count, shape)):
            return axis
    return None


def gathered(note: Note, known: Known, x: Array, key: Any, out: Array) -> Statement:
    checked(note, x, out)
    space, indices, operand = jumping(note, known, x, key)
    space, (target, operand, *indices) = squeezed(
        space, [Operand(out, steps_of(out, space)), operand, *indices], note)
    # A place out of range gives nan (or 0), and reads nothing.
    return Statement(note, space, f"{{{len(indices)}}}", [*indices, operand],
                     [*[i.array.dtype for i in indices], x.dtype], target)


def scattered(note: Note, known: Known, x: Array, key: Any, value: Any,
              adds: bool = True) -> Statement:
    """``x[key] += value``, or ``=``, where each place is met once: an arange among the keys says
    that.
    """
    array = isinstance(value, np.ndarray)
    if not array and type(value) not in (int, float):
        raise refuse(note, "of such a value")
    checked(note, x, *[value] * array)
    space, indices, operand = jumping(note, known, x, key)
    if any(operand.steps[i] == 0 for i, n in enumerate(space) if n > 1):
        raise refuse(note, "at places that may repeat")
    given = [Operand(value, steps_of(value, space))] * array
    space, (operand, *others) = squeezed(space, [operand, *indices, *given], note)
    n = len(indices)
    return Statement(note, space, f"{{{n}}}", [*others[:n], *(others[n:] or [value])],
                     [*[i.array.dtype for i in indices], x.dtype], operand, adds=adds,
                     scatters=True)


def drawn(note: Note, known: Known, shape: Any, p: Any) -> Statement:
    """Bernoulli's numbers: a counter of Philox for each element."""
    out = note.into
    if out is None or type(p) is not float or not out.flags.c_contiguous:
        raise refuse(note, "of such a probability")
    checked(note, out)
    space, (target,) = squeezed(out.shape, [Operand(out, steps_of(out, out.shape))], note)
    first, known.drawn = known.drawn, known.drawn + out.size
    return Statement(note, space, "", [], [out.dtype], target, draw=(first, p))


def product(note: Note, a: Array, b: Array, out: Array) -> Product:
    if a.ndim == 1:
        a, out = a[None], out.reshape(1, -1)
    if b.ndim == 1:
        b, out = b[:, None], out.reshape(-1, 1)
    if a.ndim != 2 or b.ndim != 2 or not (a.dtype == b.dtype == out.dtype) \
            or a.dtype not in (np.float32, np.float64) or 0 in (*a.shape, *b.shape):
        raise refuse(note, "but for matrices of float32 or float64")
    for x in (a, b, out):
        checked(note, x)
        layout(note, x)
    if layout(note, out)[0]:
        a, b, out = b.T, a.T, out.T
    return Product(note, a, b, out)


def layout(note: Note, x: Array) -> tuple[bool, int]:
    """Whether a matrix lies column by column, and the step from one row (or column) to the next."""
    found = blas.layout(x)
    if found is None:
        raise refuse(note, "of a matrix with gaps in rows and columns")
    return found
