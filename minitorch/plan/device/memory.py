"""Where the arrays of a recorded step lie on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.plan import memory
from minitorch.plan.device.fusing import Kernel
from minitorch.plan.device.words import Product, Untranslated
from minitorch.plan.notes import Note, arrays_in

Array = Any


class Homes:
    """The device memory of each array that a step was recorded with, by its owner's ``id``.

    ``xp``: NumPy or CuPy. Values that the step makes lie in one block, where they share memory as
    in a plan; what is read after it, and what was there before, has memory of its own.
    """

    def __init__(self, xp: Any) -> None:
        self.xp = xp
        self.own: dict[int, Array] = {}  # bytes
        self.offsets: dict[int, int] = {}  # into the block
        self.constants: list[Array] = []  # which keeps their ids theirs

    def new(self, size: int) -> Array:
        return self.xp.empty(max(size, 16), np.uint8)

    def put(self, host: Array) -> Array:
        """A copy on the device."""
        return self.xp.array(np.ascontiguousarray(host).reshape(host.shape))

    def add(self, host: Array, device: Array) -> None:
        self.own[id(host)] = flat(device)

    def add_constants(self, notes: list[Note], made: Any) -> None:
        """Arrays that are nobody's: numbers that the step has made without computing them."""
        for note in notes:
            for x in map(memory.owner, note.writes):
                if id(x) not in made and id(x) not in self.own:
                    raise Untranslated(f"it writes into a tensor of shape {x.shape} that is not "
                                       f"to be found from the function and its arguments; pass it "
                                       f"as an argument ({note.line})")
            for x in map(memory.owner, arrays_in((note.args, note.kwargs, note.into))):
                if id(x) not in made and id(x) not in self.own:
                    self.constants.append(x)
                    self.add(x, self.put(x))

    def arrange(self, units: list[Any], kernels: dict[int, Any], made: Any, kept: list[Array],
                aside: set[int]) -> None:
        """Memory for what the step makes. Products ``aside`` may run late: theirs is not shared."""
        uses = []
        for unit in units:
            if isinstance(unit, Kernel):
                arrays = kernels[id(unit)].arrays
                uses.append(Note(id, tuple(arrays), {}))
            elif isinstance(unit, Product):
                uses.append(Note(id, (unit.a, unit.b, unit.out), {}))
        late = [unit for unit in units if id(unit) in aside]
        uses.append(Note(id, tuple([x for u in late for x in (u.a, u.b, u.out)]), {}))
        self.offsets, size = memory.arranged(uses, made, kept)
        self.block = self.new(size)
        for x in map(memory.owner, kept):
            if id(x) in made and id(x) not in self.own:
                self.own[id(x)] = self.new(x.nbytes)[:x.nbytes]

    def spot(self, x: Array) -> Array:
        """The memory of a recorded array, from its first element to its last, as a vector."""
        root = memory.owner(x)
        first = memory.address(x) - memory.address(root)
        size = sum([(n - 1) * s for n, s in zip(x.shape, x.strides)]) + x.itemsize
        if id(root) in self.offsets:
            home, first = self.block, first + self.offsets[id(root)]
        else:
            home = self.own[id(root)]
            if self.xp is not np and isinstance(home, np.ndarray):
                raise Untranslated(f"a tensor of shape {x.shape} is on the CPU, where the others "
                                   f"are on a GPU")
        return home[first:first + size].view(x.dtype)

    def array(self, x: Array) -> Array:
        """A recorded array that is kept, as the device's."""
        if x.flags.c_contiguous:
            return self.spot(x).reshape(x.shape)
        return self.xp.lib.stride_tricks.as_strided(self.spot(x), x.shape, x.strides)


def flat(x: Array) -> Array:
    """Its bytes, one after the other."""
    return x.reshape(-1).view(np.uint8)
