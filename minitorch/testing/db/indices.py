"""Strategies for the parameters of operators that read and write at chosen positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import ops
from minitorch.engine import wrap
from minitorch.testing.db.cases import Call, parameter
from minitorch.views import View


@parameter("key")
def key(call: Call) -> Any:
    """Basic keys, or index arrays and masks: where NumPy and PyTorch mean the same."""
    shape = call.x.shape
    if 0 in shape or not shape or call.choose(True, False):
        return basic_key(call, shape)
    rows = [call.rng.integers(-n, n, call.shape(0, 2, 3) if i == 0 else ())
            for i, n in enumerate(shape)]
    used = call.integer(1, len(shape))
    form = call.choose("arrays", "mask", "one", "array", "with slice")
    if form == "mask":
        return np.asarray(call.rng.random(shape[:used]) < 0.5)
    if form == "one" or (form == "with slice" and len(shape) == 1):
        return (rows[0],)
    if form == "array":
        return rows[0]
    if form == "with slice":
        return (slice(None, call.integer(1, shape[0])), call.rng.integers(0, shape[1], (2,)))
    return tuple(rows[:used])


def basic_key(call: Call, shape: tuple[int, ...]) -> Any:
    """Integers, slices, None and an Ellipsis, for some of the dimensions."""
    used = call.integer(0, len(shape))
    keys: list[Any] = []
    for n in shape[:used]:
        start = call.integer(-n, n - 1) if n else 0
        slices = slice(None), slice(start, None), slice(None, start, call.integer(1, 2))
        keys.append(call.choose(*slices, *[start] * bool(n)))
    if call.choose(False, True):
        keys.insert(call.integer(0, len(keys)), None)
    if call.choose(False, True):
        keys.append(Ellipsis)
    return keys[0] if len(keys) == 1 and call.choose(True, False) else tuple(keys)


@parameter("index_add.g")
def read(call: Call) -> Any:
    """What reading an array of the drawn shape at the drawn key gives."""
    call.values["shape"] = shape = call.shape(0, 2)
    call.values["g"] = np.zeros(shape)  # what the key is drawn for
    call.values["g"] = call.array(np.zeros(shape)[call.need("key")].shape)
    return call.values["g"]


@parameter("index_add.shape")
def read_shape(call: Call) -> Any:
    call.need("g")
    return call.values["shape"]


@parameter("index_put.value")
def written(call: Call) -> Any:
    """A number, or an array that broadcasts to the positions; none is written twice."""
    if call.choose(False, False, True):
        return call.array(()).item()
    return call.array(call.broadcastable(call.x[call.need("key")].shape))


@parameter("index_put.key")
def key_without_repeats(call: Call) -> Any:
    shape = call.x.shape
    if 0 in shape or not shape or call.choose(True, False):
        return basic_key(call, shape)
    if call.choose(True, False):
        return np.asarray(call.rng.random(shape) < 0.5)
    return (call.rng.permutation(shape[0])[:call.integer(1, shape[0])],)


@parameter("view")
def view(call: Call) -> View:
    """A slice of ``x``, transposed where it has two dimensions."""
    part = basic_key(call, call.x.shape)
    steps: list[Any] = [(ops.index, (part,))]
    if call.x[part].ndim > 1:
        steps.append((ops.swapaxes, (0, -1)))
    return View(wrap(call.x), tuple(steps))


@parameter("view_put.value")
def written_through_view(call: Call) -> Any:
    return call.array(call.need("view").replay(call.x).shape)


@parameter("overwrite.value")
def new_content(call: Call) -> Any:
    return call.array(call.broadcastable(call.x.shape))


@parameter("masked_fill.value")
def filling(call: Call) -> Any:
    return call.choose(call.array(()).item(), call.array(()))


@parameter("index")
def positions(call: Call) -> Any:
    """Where to read or write along ``dim``: of the rank of ``x`` and nowhere larger, but there."""
    shape = call.x.shape
    if not shape:
        return np.zeros((), np.int64)
    dim = call.need("dim") % len(shape)
    if call.op.name == "scatter":  # which of two values wins at one position is not defined
        order = np.argsort(call.rng.random(shape), dim)
        return order[tuple([slice(call.integer(call.least, n)) for n in shape])]
    smaller = [call.integer(min(1, n), n) for n in shape]
    smaller[dim] = call.integer(call.least, 4) if shape[dim] else 0
    return call.rng.integers(0, shape[dim], smaller)


@parameter("source")
def scattered(call: Call) -> Any:
    """At least as large as ``index``."""
    return call.array(tuple([n + call.choose(0, 0, 1) for n in call.need("index").shape]))


@parameter("embedding.index")
def rows(call: Call) -> Any:
    return call.rng.integers(0, call.x.shape[0], call.shape(0, 2, 4))


@parameter("k")
def how_many(call: Call) -> int:
    dim = call.need("dim")
    return call.integer(0, call.x.shape[dim]) if call.x.ndim else call.integer(0, 1)
