"""A recorded step as launches on a GPU's memory.

The step is recorded on the CPU, from copies of all that it can reach, so nothing that it computes
then counts. Each call of the record is translated; values lie in one block of device memory, one
after the other as in a plan; parameters, buffers and an optimizer's state stay the arrays that the
tensors have. What is left is a list of launches that allocates nothing and asks nothing: it can be
captured as a CUDA graph, and tests run it without a GPU.

Where the tensors lie on the CPU, so do the buffers: that is how tests run the list, with a launcher
that emulates (``tests/emulated.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch import backend, random
from minitorch.coo import Coo
from minitorch.engine import wrap
from minitorch.kernels.cuda import blas, launch
from minitorch.plan import memory
from minitorch.plan.compiled import Refused
from minitorch.plan.device_fusing import Kernel, scheduled, stored
from minitorch.plan.device_notes import Known, Product, Untranslated, layout, translated
from minitorch.plan.device_text import HEADER, spelled
from minitorch.plan.device_update import Update, same
from minitorch.plan.notes import Note, arrays_in
from minitorch.plan.reach import Reach
from minitorch.plan.record import give_gradients
from minitorch.plan.state import Snapshot
from minitorch.plan.step import Step, unchanged
from minitorch.plan.trees import mapped, tensors_in

Array = Any


@dataclass(eq=False)
class Launch:
    """One launch, with arguments that stay."""

    function: Any
    grid: int
    block: int
    args: list[Any]
    name: str = ""

    def __call__(self) -> None:
        self.function((self.grid,), (self.block,), self.args)


@dataclass(eq=False)
class Multiply:
    """One product by the BLAS: row-major ``out (m, n) = a (m, k) @ b (k, n)``."""

    args: tuple[Any, ...]
    name = "product"

    def __call__(self) -> None:
        blas.products.multiply(*self.args)


class DeviceStep:
    """A function recorded on arguments of one signature, and the launches that do the same.

    ``launches`` are run by a call, or captured; ``before`` is run ahead of them at each step, and
    brings the numbers that change. Raises ``Refused`` where there is no translation, with
    everything as it was.
    """

    def __init__(self, function: Callable[..., Any], args: Any) -> None:
        reach = Reach([function, args])
        self.given = tensors_in(args)
        everything = list({id(t): t for t in (*self.given, *reach.tensors)}.values())
        self.xp = library(everything)
        name = getattr(function, "__name__", "the step")
        with plain_words(), at_home(everything) as homes:
            before = Snapshot(reach)
            try:
                step = Step(function, args, {}, make=lambda *recipe: recipe)
            finally:
                before.restore()
        if step.refused:
            raise Refused(f"{name} cannot be recorded: {step.refused}")
        if step.returned:
            raise Refused(f"{name} writes into an argument, which a graph reads from a copy")
        if step.leaves:
            raise Refused(f"{name} returns results whose gradients are still wanted: call "
                          f"backward() in it, or detach() them")
        self.step, self.values = step, step.reach.values
        self.held = [(t, t.array) for t in everything if id(t) not in set(map(id, self.given))]
        self.homes = {id(host): flat(device) for _, device, host in homes}
        try:
            self.build(step)
        except Untranslated as error:
            raise Refused(f"{name} has no translation for the GPU: {error}") from None

    # ---- building

    def build(self, step: Step) -> None:
        parts, made, kept = step.plan  # type: ignore[misc]
        notes = [note for part in parts for note in part if not looks(note)]
        self.place_inputs(step)
        self.place_constants(notes, made)
        known = Known({id(x) for x in self.constants})
        gives = [note for note in notes if note.function is give_gradients]
        calls = [note if updates(note) else translated(note, known)
                 for note in notes if note.function is not give_gradients]
        units = scheduled(calls)
        kept = [*kept, *[a for x in gives for _, g in x.args[0] if g is not None
                         for a in [g.array]]]
        store = stored(units, made, kept)
        kernels = {id(unit): spelled(unit, f"kernel{i}", store)
                   for i, unit in enumerate(units) if isinstance(unit, Kernel)}
        self.place_values(units, kernels, made, kept)
        self.gives = [(p, g) for note in gives for p, g in note.args[0]]
        self.outputs = self.on_device(step.outputs)
        self.counted = known.drawn
        self.random = self.new(16).view(np.uint64)
        gradients = {p: self.seen(g) for p, g in self.gives if g is not None}
        self.updates = [Update(unit.function.__self__, gradients) for unit in units
                        if isinstance(unit, Note)]
        self.units, self.kernels = units, kernels
        self.built: Any = None
        self.sent: Any = None
        self.seed: int | None = None
        self.text = HEADER + "\n\n".join(k.text for k in kernels.values())
        for _, g in self.gives:
            if g is not None and isinstance(g.array, np.ndarray) and g.array is not None:
                g.array = self.seen(g)

    def new(self, size: int) -> Array:
        return self.xp.empty(max(size, 16), np.uint8)

    def put(self, host: Array) -> Array:
        """A copy on the device."""
        return self.xp.array(np.ascontiguousarray(host).reshape(host.shape))

    def place_inputs(self, step: Step) -> None:
        self.inputs = [self.put(x) for x in step.inputs]
        for x, device in zip(step.inputs, self.inputs):
            self.homes[id(x)] = flat(device)

    def place_constants(self, notes: list[Note], made: Any) -> None:
        """Arrays that are nobody's: numbers that the step has made without computing them."""
        self.constants: list[Array] = []
        for note in notes:
            if updates(note) or note.function is give_gradients:
                continue
            for x in map(memory.owner, arrays_in((note.args, note.kwargs, note.into))):
                if id(x) not in made and id(x) not in self.homes:
                    self.constants.append(x)
                    self.homes[id(x)] = flat(self.put(x))
            for x in map(memory.owner, note.writes):
                if any(x is c for c in self.constants) or id(x) not in (*made, *self.homes):
                    raise Untranslated(f"it writes into a tensor of shape {x.shape} that is not "
                                       f"to be found from the function and its arguments; pass it "
                                       f"as an argument ({note.line})")

    def place_values(self, units: list[Any], kernels: dict[int, Any], made: Any,
                     kept: list[Array]) -> None:
        """Memory for what the step makes: one block, and arrays of their own for what is kept."""
        uses = []
        for unit in units:
            if isinstance(unit, Kernel):
                k = kernels[id(unit)]
                uses.append(Note(spelled, tuple(k.arrays), {}, writes=k.writes))
            elif isinstance(unit, Product):
                uses.append(Note(Multiply, (unit.a, unit.b), {}, writes=[unit.out]))
        self.offsets, size = memory.arranged(uses, made, kept)
        self.block = self.new(size)
        for x in map(memory.owner, kept):
            if id(x) in made and id(x) not in self.homes:
                self.homes[id(x)] = self.new(x.nbytes)[:x.nbytes]

    def spot(self, x: Array) -> Array:
        """The device memory of a recorded array, from its first element to its last."""
        root = memory.owner(x)
        first = memory.address(x) - memory.address(root)
        size = sum([(n - 1) * s for n, s in zip(x.shape, x.strides)]) + x.itemsize
        if id(root) in self.offsets:
            home, first = self.block, first + self.offsets[id(root)]
        else:
            home = self.homes[id(root)]
        return home[first:first + size].view(x.dtype)

    def seen(self, t: Any) -> Array:
        """The device's array for a tensor that the step has made, or that is kept."""
        x = np.asarray(t.array)
        for held, device in self.held:
            if held is t:
                return device
        if x.flags.c_contiguous:
            return self.spot(x).reshape(x.shape)
        if x.T.flags.c_contiguous:
            return self.spot(x).reshape(x.T.shape).T
        raise Untranslated(f"a result of shape {x.shape} with gaps has no translation")

    def on_device(self, outputs: Any) -> Any:
        return mapped(outputs, lambda t: wrap(self.seen(t)))

    # ---- launches

    def compiled(self, built: list[Any]) -> list[Any]:
        """The launches in order, for what the optimizers' updates depend on now."""
        texts, moves = [self.text], []
        for k, each in enumerate(built):
            moves.append(Update.moves(each))
            for m, move in enumerate(moves[-1]):
                texts.append(move.formula.text(f"update{k}_{m}", move.dtype))
        counts = sum(len(values) for values in self.values_now)
        names = [f"double v{i}" for i in range(counts)]
        texts.append("\n".join([
            f'extern "C" __global__ void numbers({", ".join(["double* to", *names])}'
            f'{", " if names or True else ""}unsigned long long* random, unsigned long long seed, '
            f'unsigned long long place) {{', *[f"    to[{i}] = v{i};" for i in range(counts)],
            "    random[0] = seed; random[1] = place;", "}"]))
        source = "\n\n".join(texts)
        self.numbers = self.new(8 * counts).view(np.float64)

        def function(name: str) -> Any:
            return launch.launcher.function(source, name)

        self.bring = function("numbers")
        out: list[Any] = []
        tables, starts = iter(enumerate(moves)), 0
        for unit in self.units:
            if isinstance(unit, Kernel):
                k = self.kernels[id(unit)]
                args = [self.random] * k.random + [self.spot(a) for a in k.arrays]
                out.append(Launch(function(k.name), k.grid, k.block, args, k.text))
            elif isinstance(unit, Product):
                out.append(self.product(unit))
            else:
                number, each = next(tables)
                mine = self.numbers[starts:] if starts < counts else self.numbers
                starts += len(self.values_now[number])
                for m, move in enumerate(each):
                    table, chunks = move.tables(launch.launcher.address)
                    args = [self.put(table), self.put(chunks), mine]
                    out.append(Launch(function(f"update{number}_{m}"), len(chunks), 256, args,
                                      "update"))
        return out

    def product(self, unit: Product) -> Multiply:
        (ta, lda), (tb, ldb), (_, ldc) = [layout(unit.note, x) for x in (unit.a, unit.b, unit.out)]
        (m, k), n = unit.a.shape, unit.b.shape[1]
        a, b, out = map(self.spot, (unit.a, unit.b, unit.out))
        return Multiply((a, b, out, m, n, k, ta, tb, lda, ldb, ldc))

    # ---- running

    def holds(self) -> bool:
        """Whether everything that the recording went by is as it was."""
        return all([t.array is a for t, a in self.held]) and unchanged(self.values)

    def prepare(self, given: list[Any]) -> bool:
        """Bring in arguments and the numbers of this step; whether the launches are new ones."""
        for mine, t in zip(self.inputs, given):
            if mine is not t.array:
                mine[...] = t.array
        advanced = [u.advance() for u in self.updates]
        built = [b for b, _ in advanced]
        self.values_now = [v for _, v in advanced]
        fresh = self.built is None or not all(map(same, built, self.built))
        if fresh:
            self.launches = self.compiled(built)
            self.built, self.sent = built, None
        if self.seed != random.initial_seed():
            self.seed, self.drawn = random.initial_seed(), 0
        flat_values = [v for values in self.values_now for v in values]
        send = [self.numbers, *map(np.float64, flat_values), self.random, np.uint64(self.seed),
                np.uint64(self.drawn)]
        if self.counted or flat_values != self.sent:
            self.bring((1,), (1,), send)
            self.sent = flat_values
        self.drawn += self.counted
        return fresh

    def finish(self) -> Any:
        """Gradients where the step leaves them, counted writes, and its results."""
        for p, g in self.gives:
            p._grad = g
        for counter, n in self.step.versions:
            counter[0] += n
        return self.outputs

    def __call__(self, *args: Any) -> Any:
        self.prepare(tensors_in(args))
        for each in self.launches:
            each()
        return self.finish()


def looks(note: Note) -> bool:
    """Whether a call only looks at numbers, to raise where they would not do.

    On a GPU that would be a wait; places out of range read nan there, and write nothing.
    """
    return note.into is None and not note.writes and not updates(note) \
        and note.function is not give_gradients and arrays_in(note.args) != []


def updates(note: Note) -> bool:
    return hasattr(getattr(note.function, "__self__", None), "param_groups")


def flat(x: Array) -> Array:
    """Its bytes, one after the other."""
    return x.reshape(-1).view(np.uint8)


def library(tensors: list[Any]) -> Any:
    """NumPy or CuPy: whose arrays the tensors are."""
    on_device = [t for t in tensors if not isinstance(t.array, (np.ndarray, Coo))]
    return backend.cupy_module() if on_device else np


@contextmanager
def plain_words() -> Iterator[None]:
    """Sums and choices as NumPy spells them, not by products and bits as is quick on a CPU."""
    xp = backend.numpy_words
    before = xp.sum, xp.where

    def sum(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        reduce: Any = np.add.reduce
        return reduce(x, axis, None, None, keepdims)
    xp.sum, xp.where = sum, np.where
    try:
        yield
    finally:
        xp.sum, xp.where = before


@contextmanager
def at_home(tensors: list[Any]) -> Iterator[list[tuple[Any, Array, Array]]]:
    """Let every tensor hold a copy on the CPU meanwhile: (tensor, its own array, the copy)."""
    copies: dict[int, Array] = {}
    held = []
    for t in tensors:
        if isinstance(t.array, Coo):
            raise Refused("a sparse tensor has no translation for the GPU")
        if not t.array.flags.c_contiguous:
            raise Refused(f"a tensor of shape {tuple(t.array.shape)} has gaps, or rows for "
                          f"columns: make it contiguous()")
        if id(t.array) not in copies:
            copies[id(t.array)] = np.array(backend.move(t.array, backend.CPU))
        held.append((t, t.array, copies[id(t.array)]))
    try:
        for t, _, host in held:
            t.array = host
        yield held
    finally:
        for t, device, _ in held:
            t.array = device
