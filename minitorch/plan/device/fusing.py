"""Statements put into kernels: as many as one launch can compute.

The threads of a block may hand each other values, behind a barrier; blocks may not. So there are
four ways to share a kernel's work among blocks, and each statement that joins leaves those in which
no value goes from one block to another:

- ``each``: every element for itself, as in bias and activation;
- ``rows``: a row to a group of threads, as in softmax;
- ``columns``: a column to a group of threads, as in batch norm and in the sum for a bias;
- ``one``: a single block does everything, for small arrays and whatever they need.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any

from minitorch.plan.device.words import Operand, Product, Statement
from minitorch.plan.memory import address, owner
from minitorch.plan.notes import Note

Array = Any
Pair = tuple[int, int]
WAYS = ("each", "rows", "columns", "one")
ONE = 4096  # elements that a single block may go through
MOST = 100  # statements of a kernel


@dataclass(eq=False)
class Touch:
    """An operand over two axes, and whether it is written."""

    operand: Operand
    steps: Pair
    space: Pair
    written: bool = False

    def __post_init__(self) -> None:
        x = self.operand.array
        reach = sum([(n - 1) * s for n, s in zip(x.shape, x.strides)])  # no step is negative: below
        self.first = address(x)
        self.end = self.first + reach + x.itemsize

    def meets(self, other: Touch) -> bool:
        """Whether both touch the same memory, and one of them writes."""
        return ((self.written or other.written)
                and self.first < other.end and other.first < self.end)

    def same_element(self, other: Touch) -> bool:
        """Whether both touch one and the same element at each place, which no other place does."""
        (rows, columns), (r, c) = self.space, self.steps
        apart = (rows == 1 or r) and (columns == 1 or c) and (
            rows == 1 or columns == 1 or r >= c * columns or c >= r * rows)
        return bool(apart) and not self.operand.jumps and not other.operand.jumps and (
            (self.first, self.steps, self.space) == (other.first, other.steps, other.space))

    def same_line(self, other: Touch, axis: int) -> bool:
        """Whether both stay in the same row (axis 0) or column (axis 1)."""
        step = self.steps[axis]
        return (self.first == other.first and step == other.steps[axis] != 0
                and self.stays(axis) and other.stays(axis)
                and len({t.steps[1 - axis] for t in (self, other)} - {0}) < 2)

    def stays(self, axis: int) -> bool:
        """Whether no two lines share an element."""
        along, across = self.steps[axis], self.steps[1 - axis]
        n, m = self.space[axis], self.space[1 - axis]
        inside = across * (m - 1) + self.operand.span < along
        return inside or (not self.operand.jumps and (across == 0 or across >= along * n))


@dataclass(eq=False)
class Laid:
    """A statement over two axes: one that has one axis is a column where rows are the lines."""

    statement: Statement
    upright: bool

    def __post_init__(self) -> None:
        s = self.statement
        self.space = self.paired(s.space, 1)
        self.fold = None if s.fold is None else (
            s.axis if s.axis is not None else 0 if self.upright else 1)
        self.args = [Touch(a, self.paired(a.steps, 0), self.space) if isinstance(a, Operand) else a
                     for a in s.args]
        self.out = Touch(s.out, self.paired(s.out.steps, 0), self.space, True)
        self.touches = [*[a for a in self.args if isinstance(a, Touch)], self.out]

    def paired(self, along: tuple[int, ...], other: int) -> Pair:
        """Along both axes what is given for the axes that there are."""
        a, b = (*along, other, other)[:2]
        return (a, b) if len(along) == 2 or self.upright else (b, a)

    @property
    def scalar(self) -> bool:
        return self.space == (1, 1)


@dataclass(eq=False)
class Phase:
    """Statements over one space, computed in one loop; a barrier stands before the next phase."""

    members: list[Laid]

    @property
    def space(self) -> Pair:
        return self.members[0].space

    @property
    def fold(self) -> int | None:
        return next((m.fold for m in self.members if m.fold is not None), None)

    def takes(self, new: Laid) -> bool:
        """Whether a statement can come into the same loop: see ``kernels.runs.Loop.takes``."""
        if new.space != self.space:
            return False
        if None not in (new.fold, self.fold) and new.fold != self.fold:
            return False
        return all(not a.meets(b) or a.same_element(b)
                   for m in self.members for a in m.touches for b in new.touches)


@dataclass(eq=False)
class Kernel:
    """Statements that one launch computes; ``ways`` holds the phases for each way that is left."""

    ways: dict[str, list[Phase]] = field(default_factory=lambda: {way: [] for way in WAYS})
    statements: list[Statement] = field(default_factory=list)
    way = ""  # the one that was chosen

    def take(self, s: Statement) -> bool:
        """Let a statement in, if a way is left; not ever more, as a launch has 4 kB for arguments.
        """
        if len(self.statements) >= MOST:
            return False
        places = {way: place for way, phases in self.ways.items()
                  if (place := placed(way, phases, s)) is not None}
        if not places:
            return False
        self.ways = {way: self.ways[way] for way in places}
        for way, (phase, laid) in places.items():
            if phase is None:
                self.ways[way].append(Phase([laid]))
            else:
                phase.members.append(laid)
        self.statements.append(s)
        return True

    @property
    def phases(self) -> list[Phase]:
        return self.ways[self.way]

    @property
    def about(self) -> str:
        return ", ".join(dict.fromkeys(s.note.operator for s in self.statements
                                       if s.note.operator))

    @property
    def size(self) -> int:
        """The elements of its largest space."""
        return max(size(s.space) for s in self.statements)


def size(space: Iterable[int]) -> int:
    out = 1
    for n in space:
        out *= n
    return out


def placed(way: str, phases: list[Phase], s: Statement) -> tuple[Phase | None, Laid] | None:
    """The phase that a statement may join, None for a new one; None if there is no such way."""
    new = Laid(s, upright=way == "rows")
    lines = {"rows": 0, "columns": 1}.get(way)
    if way == "one":
        if size(new.space) > ONE and not (new.fold is not None and s.axis is None):
            return None
    elif new.fold is not None and (lines is None or new.fold == lines):
        return None
    before = [m for phase in phases for m in phase.members]
    if lines is not None and not new.scalar:
        if any(m.space[lines] != new.space[lines] for m in before if not m.scalar):
            return None
    joined: Phase | None = None
    for phase in reversed(phases):
        if phase.takes(new):
            joined = phase
        if any(a.meets(b) for m in phase.members for a in m.touches for b in new.touches):
            break  # no earlier than that
    for m in before:
        if way == "one" or (joined is not None and m in joined.members):
            continue
        if m.scalar and new.scalar:  # one thread does both
            continue
        for a in m.touches:
            for b in new.touches:
                if a.meets(b) and (lines is None or m.scalar or new.scalar
                                   or not a.same_line(b, lines)):
                    return None
    return joined, new


Unit = Any  # a Kernel, a Product, or a Note that is neither


def scheduled(calls: list[Any]) -> list[Unit]:
    """The same calls, those that one launch can do put together.

    Small results of what a kernel has made, such as a bias's gradient, come before what stands
    between them and the kernel.
    """
    rest, out = list(calls), []
    while rest:
        first = rest.pop(0)
        kernel = Kernel()
        if not isinstance(first, Statement):
            out.append(first)
            continue
        if not kernel.take(first):
            raise AssertionError(f"no way to compute {first.note}")
        while rest and isinstance(rest[0], Statement) and kernel.take(rest[0]):
            rest.pop(0)
        skipped: list[Any] = []
        for i, each in enumerate(rest):
            if isinstance(each, Note):
                skipped += rest[i:]
                break
            if not (isinstance(each, Statement) and 2 * small(each) < kernel.size
                    and depends(each, kernel.statements)
                    and not depends(each, skipped, both=True) and kernel.take(each)):
                skipped.append(each)
        rest = skipped
        kernel.way = next(way for way in WAYS if way in kernel.ways)
        out.append(kernel)
    return out


def small(s: Statement) -> int:
    """The elements of its result."""
    return size([n for n, step in zip(s.space, s.out.steps) if step]) if s.fold else size(s.space)


def memory(unit: Unit) -> tuple[list[Array], list[Array]]:
    """What a unit reads, and what it writes."""
    if isinstance(unit, Statement):
        reads = [o.array for o in unit.operands]
        return reads + [unit.out.array] * unit.adds, [unit.out.array]
    if isinstance(unit, Product):
        return [unit.a, unit.b], [unit.out]
    if isinstance(unit, Kernel):
        pairs = [memory(s) for s in unit.statements]
        return [a for r, _ in pairs for a in r], [a for _, w in pairs for a in w]
    return [], []


def overlap(a: Array, b: Array) -> bool:
    return owner(a) is owner(b)


def depends(new: Unit, before: list[Any], both: bool = False) -> bool:
    """Whether ``new`` reads what any of ``before`` writes; ``both``: or must not overtake them."""
    reads, writes = memory(new)
    for unit in before:
        theirs, made = memory(unit)
        if any(overlap(a, b) for a in reads for b in made):
            return True
        if both and any(overlap(a, b) for a in writes for b in (*theirs, *made)):
            return True
    return False


def aside(units: list[Unit]) -> set[int]:
    """The ids of the products that nothing waits for before an optimizer's step, or the end.

    They may run beside the rest, such as the products for the gradients of weights: what they read
    is not written meanwhile, and what they write is not touched.
    """
    out: set[int] = set()
    for i, unit in enumerate(units):
        if isinstance(unit, Product):
            end = next((k for k in range(i, len(units)) if isinstance(units[k], Note)), len(units))
            between = units[i + 1:end]
            if between and not any(depends(later, [unit], both=True) for later in between):
                out.add(id(unit))
    return out


def stored(units: list[Unit], made: Container[int], kept: Iterable[Array]) -> set[int]:
    """The ids of the statements whose results must be written to memory.

    The others' are read by nothing but their own loop, where they are in registers.
    """
    outside = {id(owner(a)) for a in kept}
    out: set[int] = set()
    later: set[int] = set(outside)
    for unit in reversed(units):
        if not isinstance(unit, Kernel):
            later |= {id(owner(a)) for part in memory(unit) for a in part}
            continue
        for phase in reversed(unit.phases):
            for laid in phase.members:
                s = laid.statement
                x = id(owner(s.out.array))
                if x in later or x not in made or s.fold is not None:
                    out.add(id(s))
            for laid in phase.members:
                later |= {id(owner(a)) for part in memory(laid.statement) for a in part}
    return out
