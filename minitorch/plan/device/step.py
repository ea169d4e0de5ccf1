"""A recorded step as launches on a GPU's memory.

The step is recorded on the CPU, from copies of all that it can reach, so nothing that it computes
then counts. Each call of the record is translated; values lie in one block of device memory, one
after the other as in a plan; parameters, buffers and an optimizer's state stay the arrays that the
tensors have. What is left is a list of launches that allocates nothing and asks nothing: it can be
captured as a CUDA graph, and tests run it without a GPU, over tensors on the CPU and with a
launcher that emulates (``tests/emulated.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch import random
from minitorch.engine import wrap
from minitorch.kernels.cuda import blas, launch
from minitorch.plan.compiled import Refused
from minitorch.plan.device.fusing import Kernel, aside, scheduled, stored
from minitorch.plan.device.memory import Homes
from minitorch.plan.device.notes import layout, translated
from minitorch.plan.device.record import at_home, check_apart, library, plain_words
from minitorch.plan.device.text import HEADER, bringing, spelled
from minitorch.plan.device.update import Moved, Update, launches, same
from minitorch.plan.device.words import Known, Product, Untranslated
from minitorch.plan.memory import owner
from minitorch.plan.notes import Note, arrays_in
from minitorch.plan.plan import Plan
from minitorch.plan.reach import Reach
from minitorch.plan.record import give_gradients
from minitorch.plan.state import Snapshot
from minitorch.plan.step import Step, unchanged
from minitorch.plan.trees import mapped, tensors_in

Array = Any


@dataclass(eq=False)
class Launch:
    """One launch of a kernel, with arguments that stay. ``joins``: it needs what ran aside."""

    function: Any
    grid: tuple[int, ...]
    block: tuple[int, ...]
    args: list[Any]
    joins: bool = False
    aside = False

    def __call__(self) -> None:
        self.function(self.grid, self.block, self.args)


@dataclass(eq=False)
class Multiply:
    """One product by the BLAS, with arguments that stay: see ``Blas.multiply``. ``aside``: it may
    run beside what follows, until a launch joins.
    """

    args: tuple[Any, ...]
    aside: bool
    joins = False

    def __call__(self) -> None:
        blas.products.multiply(*self.args)


class DeviceStep:
    """A function recorded on arguments of one signature, as ``launches`` that do the same.

    ``prepare`` brings arguments and the numbers that change from step to step into the launches'
    memory; after them ``finish`` gives the results, which the next run overwrites. ``generator``:
    seed and offset of what it draws, two uint64 on the device, else its own. Raises ``Refused``
    where there is no translation, with everything as it was.
    """

    def __init__(self, function: Callable[..., Any], args: Any, name: str = "",
                 pulling: bool = False, generator: Array | None = None) -> None:
        self.name = name or getattr(function, "__name__", "the step")
        given = tensors_in(args)
        reach = Reach([function, args])
        everything = list({id(t): t for t in (*given, *reach.tensors)}.values())
        self.homes = Homes(library(everything))
        self.generator = generator
        self.own_seed = None if generator is not None else -1
        self.on_gpu = self.homes.xp is not np
        if not self.on_gpu and launch.launcher.ndarray is not np.ndarray:
            raise Refused(f"{self.name} has its tensors on the CPU: move model and data to a GPU "
                          f"by to('cuda'), or use torch.compile, which is the same for CPUs")
        mine = set(map(id, given))
        check_apart([t for t in everything if id(t) not in mine])
        with plain_words(), at_home(everything) as held:
            before = Snapshot(reach)
            try:
                self.step = Step(function, args, {}, make=self.proven)
                if not self.step.refused:
                    before.restore()
                    for t in given:  # other numbers, the same labels: in other places
                        if t.array.ndim:
                            t.array[...] = np.roll(t.array, 1, 0)
                    self.step.prove(function, args, {})
            finally:
                before.restore()
        if self.step.refused:
            raise Refused(f"{self.name} cannot be recorded, or does more than its record: "
                          f"{self.step.refused}")
        if self.step.returned:
            raise Refused(f"{self.name} writes into an argument, which a graph reads from a copy")
        if self.step.leaves and not pulling:
            raise Refused(f"{self.name} returns what still has a history: call backward() in it, "
                          f"or detach() it")
        self.held = [(t, device) for t, device, _ in held if id(t) not in mine]
        for t, device, host in held:
            if id(t) not in mine:
                self.homes.add(host, device)
        try:
            self.build(*self.recipe)
            del self.recipe
        except Untranslated as error:
            raise Refused(f"{self.name} has no translation for the GPU: {error}") from None

    # ---- building

    def proven(self, *recipe: Any) -> Plan:
        """Keep what was recorded; a plan of it is run beside the step, as ``compile`` does."""
        self.recipe = recipe
        return Plan(*recipe)

    def build(self, parts: list[list[Note]], made: Any, kept: list[Array]) -> None:
        homes = self.homes
        self.inputs = [homes.put(x) for x in self.step.inputs]
        for host, device in zip(self.step.inputs, self.inputs):
            homes.add(host, device)
        self.cotangents = [homes.put(t.array) for t in self.step.cotangents]
        for t, device in zip(self.step.cotangents, self.cotangents):
            homes.add(owner(t.array), device)
        notes = [note for part in parts for note in part]
        self.gives = [pair for note in notes if note.function is give_gradients
                      for pair in note.args[0]]
        calls = [[note for note in part if note.function is not give_gradients
                  and (updates(note) or not looks(note))] for part in parts]
        homes.add_constants([note for part in calls for note in part if not updates(note)], made)
        known = Known({id(x) for x in homes.constants})
        ahead, back = [scheduled([note if updates(note) else translated(note, known)
                                  for note in part]) for part in calls]
        self.units, self.forward = [*ahead, *back], len(ahead)
        self.drawn_each = known.drawn
        kept = [*kept, *[g.array for _, g in self.gives if g is not None]]
        self.aside = aside(ahead) | aside(back)
        store = stored(self.units, made, kept)
        kernels = [unit for unit in self.units if isinstance(unit, Kernel)]
        self.kernels = {id(unit): spelled(unit, f"kernel{i}", store)
                        for i, unit in enumerate(kernels)}
        self.source = "\n\n".join([HEADER, *[k.text for k in self.kernels.values()]])
        homes.arrange(self.units, self.kernels, made, kept, self.aside)
        self.outputs = mapped(self.step.outputs, lambda t: wrap(self.array(t)))
        self.results = [t.array for t in tensors_in(self.outputs)]
        self.pulled = [self.array(t) for t in self.step.pulled]
        gradients = {p: self.array(g) for p, g in self.gives if g is not None}
        for p, g in self.gives:
            if g is not None:
                g.array = gradients[p]
        self.updates = [Update(unit.function.__self__, gradients)  # type: ignore[attr-defined]
                        for unit in self.units if isinstance(unit, Note)]
        self.random = homes.new(16).view(np.uint64)
        self.built: list[list[Moved]] | None = None  # what the optimizers' launches depend on

    def array(self, t: Any) -> Array:
        """The device's array for a tensor that is read after the step."""
        for held, device in self.held:
            if held is t:
                return device
        return self.homes.array(t.array)

    def compile(self, built: list[list[Moved]], count: int) -> None:
        """Make the launches, for what the optimizers' updates depend on now."""
        self.numbers = {kind: self.homes.new(8 * count).view(kind)
                        for kind in (np.float32, np.float64)}
        self.bring = launch.launcher.function(bringing([x.dtype for x in self.inputs], count),
                                              "bring")
        self.launches: list[Launch | Multiply] = []
        self.cut = 0  # where the backward pass of a callable begins
        moved = iter(built)
        for i, unit in enumerate(self.units):
            if i == self.forward:
                self.cut = len(self.launches)
            if isinstance(unit, Kernel):
                k = self.kernels[id(unit)]
                args = [self.random] * k.random + [self.homes.spot(a) for a in k.arrays]
                function = launch.launcher.function(self.source, k.name)
                self.launches.append(Launch(function, (k.grid,), (k.block,), args))
            elif isinstance(unit, Product):
                self.launches.append(self.product(unit))
            else:
                self.launches += [Launch(*each, joins=True)
                                  for each in launches(next(moved), self.numbers)]

    def product(self, unit: Product) -> Multiply:
        (ta, lda), (tb, ldb), (_, ldc) = [layout(unit.note, x) for x in (unit.a, unit.b, unit.out)]
        (m, k), n = unit.a.shape, unit.b.shape[1]
        a, b, out = map(self.homes.spot, (unit.a, unit.b, unit.out))
        return Multiply((a, b, out, m, n, k, ta, tb, lda, ldb, ldc), id(unit) in self.aside)

    def explain(self) -> str:
        """The launches, one a line."""
        lines = ["       bring arguments and numbers"]
        for unit in self.units:
            if isinstance(unit, Product):
                beside = "aside " if id(unit) in self.aside else ""
                lines.append(f"{beside:7}product {unit.a.shape} @ {unit.b.shape} "
                             f"{unit.note.operator}")
            elif isinstance(unit, Kernel):
                k = self.kernels[id(unit)]
                lines.append(f"       {unit.way:7} {len(unit.statements)} calls in {k.grid} blocks "
                             f"of {k.block}: {unit.about}")
            else:
                lines.append("       update of all parameters")
        return "\n".join([f"{len(lines)} launches, {self.homes.block.nbytes / 1024:.0f} kB for "
                          f"values", *lines])

    # ---- running

    def holds(self) -> bool:
        """Whether everything that the recording went by is as it was."""
        return all([t.array is a for t, a in self.held]) and unchanged(self.step.reach.values)

    def prepare(self, given: list[Array]) -> bool:
        """Bring in arguments and the numbers of this step; whether the launches are new ones.

        One launch, outside of the graph: the numbers travel as its arguments, so nothing waits.
        """
        built: list[list[Moved]] = []
        numbers: list[float] = []
        for update in self.updates:
            each, values = update.advance(len(numbers))
            built.append(each)
            numbers += values
        fresh = self.built is None or not all(map(same, built, self.built))
        if fresh:
            self.compile(built, len(numbers))
            self.built = built
        args = [*self.numbers.values(), *map(np.float64, numbers), self.random, self.drawing(),
                self.drawn_each]
        for x, mine in zip(given, self.inputs):
            if type(x) is not type(mine):
                raise RuntimeError("Expected all tensors to be on the same device, but found at "
                                   "least two devices, cuda:0 and cpu!")
            args += [x if x.flags.c_contiguous else x.copy(), mine, 0 if x is mine else mine.size]
        largest = max([x.size for x in self.inputs], default=1)
        self.bring((min(-(-largest // 256), 1024),), (256,), args)
        return fresh

    def drawing(self) -> Array:
        """Seed and offset of the generator; our own follows ``torch.manual_seed``."""
        seed = random.initial_seed()
        if self.generator is None or self.own_seed not in (None, seed):
            self.generator, self.own_seed = self.homes.put(np.array([seed, 0], np.uint64)), seed
        return self.generator

    def finish(self) -> Any:
        """Gradients where the step leaves them, writes counted, and the results."""
        for p, g in self.gives:
            p._grad = g
        for counter, n in self.step.versions:
            counter[0] += n
        return self.outputs

    def __call__(self, *args: Any) -> Any:
        """Run the launches one by one."""
        self.prepare([t.array for t in tensors_in(args)])
        for each in self.launches:
            each()
        return self.finish()


def looks(note: Note) -> bool:
    """Whether a call only looks at numbers, to raise where they would not do.

    On a GPU that would be a wait; a place out of range reads nan there, and writes nothing.
    """
    return note.into is None and not note.writes and bool(arrays_in(note.args))


def updates(note: Note) -> bool:
    return hasattr(getattr(note.function, "__self__", None), "param_groups")
