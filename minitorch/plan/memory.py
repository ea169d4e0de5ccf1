"""Which values of a plan may lie in the same memory: one after the other, or one over the other."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.plan.notes import Note, arrays_in

Array = Any
LINE = 64  # bytes: a value begins where a line of the processor's cache does


def owner(x: Array) -> Array:
    """The array whose memory ``x`` looks into."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def address(x: Array) -> int:
    return int(x.__array_interface__["data"][0])


@dataclass(eq=False)
class Life:
    """When an owner's memory is in use: from one note to another, both included."""

    owner: Array
    first: int
    last: int
    offset: int = -1

    @property
    def size(self) -> int:
        return -(-self.owner.nbytes // LINE) * LINE


def lives(notes: list[Note], made: Container[int], kept: Iterable[Array]) -> dict[int, Life]:
    """The life of each value that the plan itself makes, by the owner's ``id``.

    ``made``: the ids of such owners. ``kept``: arrays that are read after the plan has run; they
    keep memory of their own.
    """
    out: dict[int, Life] = {}
    for i, note in enumerate(notes):
        for a in arrays_in((note.args, note.kwargs, note.into, note.writes)):
            x = owner(a)
            if id(x) in made:
                out.setdefault(id(x), Life(x, i, i)).last = i
    for a in kept:
        out.pop(id(owner(a)), None)
    return out


def overwritten(note: Note, i: int, found: dict[int, Life]) -> Life | None:
    """The dying argument whose memory the result may overwrite, element by element."""
    out = note.into
    if out is None or note.copies or not isinstance(note.function, np.ufunc) \
            or note.function.signature is not None:
        return None
    for a in arrays_in(note.args):
        life = found.get(id(owner(a)))
        if (life is not None and life.last == i and a.nbytes == life.owner.nbytes
                and (a.dtype, a.shape, a.strides) == (out.dtype, out.shape, out.strides)
                and all(b.strides == a.strides for b in arrays_in(note.args)
                        if owner(b) is life.owner)):  # else NumPy would copy, to be safe
            return life
    return None


def arranged(notes: list[Note], made: Container[int],
             kept: Iterable[Array]) -> tuple[dict[int, int], int]:
    """An offset in one block of memory for each owner, and how many bytes the block has."""
    found = lives(notes, made, kept)
    begin: dict[int, list[Life]] = {}
    for life in found.values():
        begin.setdefault(life.first, []).append(life)
    free: list[tuple[int, int]] = []  # (offset, size) of holes
    busy: list[Life] = []
    top = 0
    for i, note in enumerate(notes):
        for life in [b for b in busy if b.last < i]:
            busy.remove(life)
            free = merged([*free, (life.offset, life.size)])
        for life in begin.get(i, []):
            over = overwritten(note, i, found)
            if (over in busy and over is not None and owner(note.into) is life.owner
                    and over.size == life.size):
                life.offset = over.offset
                busy.remove(over)
            else:
                holes = [h for h in free if h[1] >= life.size]
                if holes:
                    hole = min(holes, key=lambda h: h[1])
                    free.remove(hole)
                    life.offset = hole[0]
                    if hole[1] > life.size:
                        free.append((hole[0] + life.size, hole[1] - life.size))
                else:
                    life.offset, top = top, top + life.size
            busy.append(life)
    return {key: life.offset for key, life in found.items()}, top


def merged(holes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Holes beside each other made one."""
    out: list[tuple[int, int]] = []
    for offset, size in sorted(holes):
        if out and out[-1][0] + out[-1][1] == offset:
            out[-1] = out[-1][0], out[-1][1] + size
        else:
            out.append((offset, size))
    return out


def moved(x: Array, offsets: dict[int, int], memory: Array) -> Array:
    """``x`` as it looks into the plan's memory; anything that does not is returned as it is."""
    root = owner(x)
    if id(root) not in offsets:
        return x
    return np.ndarray(x.shape, x.dtype, memory, offsets[id(root)] + address(x) - address(root),
                      x.strides)


def block(size: int) -> Array:
    """Memory whose first byte begins a cache line."""
    raw = np.empty(size + LINE, np.uint8)
    start = -address(raw) % LINE
    return raw[start:start + size]
