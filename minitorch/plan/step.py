"""One recording of a function: its plan, what it went by, and how to run it again."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import engine
from minitorch.engine import Leaf, wrap
from minitorch.modes import modes
from minitorch.plan import fusing
from minitorch.plan.memory import owner
from minitorch.plan.noted import Noted, plain
from minitorch.plan.notes import Note, Recorder, arrays_in
from minitorch.plan.plan import Plan
from minitorch.plan.reach import Reach
from minitorch.plan.record import Fixed, give_gradients, recorded
from minitorch.plan.state import Snapshot, difference
from minitorch.plan.trees import copied, tensors_in

Array = Any


class Step:
    """A function recorded on arguments of one signature, run once meanwhile.

    If the function calls ``backward()`` itself it is a training step, and results are plain
    numbers. If its result still has a graph, ``pull`` is recorded as well: from cotangents of the
    results to those of ``leaves``. ``refused`` says why there is no plan, if there is none.
    ``make(parts, made, kept)`` makes the plan; see ``Plan``.
    """

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any,
                 make: Callable[..., Any] = Plan) -> None:
        self.proven = False
        self.pending: Any = None  # a weak reference to the replay whose backward may still come
        self.given = given = tensors_in((args, kwargs))
        reach = Reach([function, args, kwargs])
        mine = set(map(id, given))
        reach.tensors = [t for t in reach.tensors if id(t) not in mine]
        self.reach = reach
        self.before: Any = Snapshot(reach)
        everything = [*given, *reach.tensors]
        grads = [(t, t._grad, None if t._grad is None else t._grad.array) for t in everything]
        versions = [(t.version, t.version[0]) for t in reach.tensors]
        # The plan reads its own copies of the arguments, so that each call may bring others.
        self.inputs = [np.array(t.array) for t in given]
        theirs = [t.array for t in given]
        for t, array in zip(given, self.inputs):
            t.array = array
        try:
            with recorded(everything, reach) as recorder:
                self.outputs = function(*args, **kwargs)
                self.results = tensors_in(self.outputs)
                self.refused = recorder.refused or changed_lengths(reach)
                written = [(t, t._grad) for t, g, _ in grads if t._grad is not g]
                last = {id(t): g for t, g in recorder.given}
                late = [(t, g) for t, g in written if last.get(id(t), t) is not g]
                if late:
                    recorder.add(Note(give_gradients, (Fixed(late),), {}))
                forward = len(recorder.notes)
                self.leaves = [] if written or self.refused else self.record_pull(recorder)
                self.refused = recorder.refused or self.refused
        finally:
            for t, array in zip(given, theirs):
                t.array = array
        notes = recorder.notes
        kept = [*self.results, *self.cotangents, *self.pulled,
                *[g for _, g in (*recorder.given, *written) if g is not None]]
        for t in kept:
            t.array = plain(t.array)
        self.write_back(notes)
        if self.refused:
            return
        recipe = [notes[:forward], notes[forward:]], recorder.made, [t.array for t in kept]
        self.plan = make(*recipe)
        self.runs = 0
        self.recipe: Any = None  # of a compiled plan, until that is made
        if make is Plan and fusing.possible() and not self.leaves:
            self.recipe = recipe
        used = {id(owner(a)) for note in notes for a in arrays_in(
            (note.args, note.kwargs, note.into, note.writes))}
        # Gradients that were there before: where the step adds to them, they must be there again.
        self.entry = [(t, g) for t, g, array in grads
                      if (id(owner(array)) in used if g is not None
                          else any(t is w for w, _ in written))]
        self.arrays = [(t, t.array) for t in reach.tensors if id(owner(t.array)) in used]
        self.versions = [(counter, counter[0] - n) for counter, n in versions if counter[0] != n]
        if make is Plan and self.leaves:  # their values must lie in the plan's memory
            self.before.restore()
            self.forward(given)

    cotangents: list[Any] = []
    pulled: list[Any] = []

    def record_pull(self, recorder: Recorder) -> list[Any]:
        """Record the backward pass of what was returned; the leaves that it reaches."""
        roots = [t for t in self.results if t.node is not None and not isinstance(t.node, Leaf)]
        if not roots or not modes.grad:
            return []
        reached = engine.history([t.node for t in roots])
        if any(n.saved is None for n in reached):
            return []  # the function has pulled them back itself
        self.cotangents = [wrap(np.zeros_like(plain(t.array)).view(Noted)) for t in roots]
        nodes = [n for n in reached if isinstance(n, Leaf) and n.tensor() is not None]
        found = engine.backpropagate([(t.node, g) for t, g in zip(roots, self.cotangents)],
                                     targets=nodes, retain_graph=True)
        nodes = [n for n in nodes if n in found]
        self.pulled = [found[n] for n in nodes]
        return [n.tensor() for n in nodes]

    def write_back(self, notes: list[Note]) -> None:
        """Arguments that are written into: their new numbers belong to the caller."""
        into = {id(owner(a)) for note in notes for a in note.writes}
        self.returned = [i for i, x in enumerate(self.inputs) if id(x) in into]
        for i in self.returned:
            np.copyto(self.given[i].array, self.inputs[i])

    def holds(self) -> bool:
        """Whether everything that the recording went by is as it was."""
        return (all([t.array is a for t, a in self.arrays])
                and all([t._grad is g for t, g in self.entry])
                and unchanged(self.reach.values))

    def forward(self, given: list[Any]) -> None:
        """Run the plan on new arguments; the results lie in its own memory."""
        for x, t in zip(self.inputs, given):
            np.copyto(x, t.array)
        self.plan.parts[0]()
        for i in self.returned:
            np.copyto(given[i].array, self.inputs[i])
        for counter, n in self.versions:
            counter[0] += n

    def replay(self, given: list[Any]) -> None:
        """``forward``, by a compiled plan once it is clear that the step is run often."""
        self.runs += 1
        if self.runs == fusing.MANY and self.recipe is not None:
            self.fuse(given)
        else:
            self.forward(given)

    def fuse(self, given: list[Any]) -> None:
        """Run a compiled plan and this one from the same state: keep that if they end alike."""
        plan, (parts, made, kept) = self.plan, self.recipe
        before, arrays, self.recipe = Snapshot(self.reach), [t.array.copy() for t in given], None

        def end(run: Plan) -> list[tuple[str, Any]]:
            before.restore()
            for i in self.returned:
                np.copyto(given[i].array, arrays[i])
            self.plan = run
            try:
                self.forward(given)
            finally:
                self.plan = plan
            results = [*tensors_in(copied(self.outputs)), *given]
            return [*Snapshot(self.reach).numbers(), *[("", t.array.copy()) for t in results]]

        try:
            fused = Plan(fusing.fused(parts, made, kept), made, kept)
        except Exception as error:
            warnings.warn(f"a step could not be compiled, and runs as array calls: {error!r}",
                          RuntimeWarning, stacklevel=5)
            self.forward(given)
            return
        try:
            found = end(fused)
        except Exception:  # the step's own error, which comes again
            found = []
        if not difference(found, end(plan)):
            self.plan = fused

    def pull(self, gs: list[Any]) -> list[Array]:
        """The cotangents of ``leaves`` for those of the results, arrays both."""
        for mine, g in zip(self.cotangents, gs):
            mine.array[...] = 0 if g is None else g
        self.plan.parts[1]()
        return [t.array.copy() for t in self.pulled]

    def prove(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Run the plan and the function from the same state: ``refused`` if they end differently.

        Returns the function's own result: what Python does beside array calls happens once.
        """
        given = tensors_in((args, kwargs))
        before, arrays = Snapshot(self.reach), [t.array.copy() for t in given]
        self.forward(given)
        replayed = tensors_in(copied(self.outputs))
        rng = np.random.default_rng(0)
        gs = [np.asarray(rng.normal(size=t.array.shape), t.array.dtype) for t in self.cotangents]
        pulled = self.pull(gs) if self.leaves else []
        after = Snapshot(self.reach)
        before.restore()
        for i in self.returned:
            np.copyto(given[i].array, arrays[i])
        out = function(*args, **kwargs)
        results = tensors_in(out)
        self.refused = difference(after.numbers(), Snapshot(self.reach).numbers()) or difference(
            [("the result", t.array) for t in replayed], [("", t.array) for t in results])
        if not self.refused and self.leaves:
            self.refused = self.differently_pulled(results, gs, pulled, given)
        self.proven = not self.refused
        return out if self.leaves or self.refused else copied(out)

    def differently_pulled(self, results: list[Any], gs: list[Any], pulled: list[Any],
                           given: list[Any]) -> str:
        """What differs between the recorded backward pass and that of the function's results."""
        roots = [t for t in results if t.node is not None and not isinstance(t.node, Leaf)]
        nodes = [t.node for t in self.leaves_among(given)]
        found = engine.backpropagate([(t.node, wrap(g)) for t, g in zip(roots, gs)],
                                     targets=nodes, retain_graph=True)
        return difference([(f"the gradient of a tensor of shape {g.shape}", g) for g in pulled],
                          [("", found[n].array if n in found else None) for n in nodes])

    def leaves_among(self, given: list[Any]) -> list[Any]:
        """The leaves, those among the first call's arguments replaced by this call's."""
        now = dict(zip(map(id, self.given), given))
        return [now.get(id(t), t) for t in self.leaves]


def unchanged(values: list[tuple[Any, Any, Any]]) -> bool:
    """Whether all holders have their values still: mostly the very objects, else equal ones."""
    try:
        return all([holder[key] is value or same(holder[key], value)
                    for holder, key, value in values])
    except (KeyError, IndexError):
        return False


def same(x: Any, y: Any) -> bool:
    return type(x) is type(y) and bool(x == y)


def changed_lengths(reach: Reach) -> str:
    """A list, dict or set that the function made longer or shorter; "" if there is none."""
    for container, size in reach.containers:
        if len(container) != size:
            return (f"it changes the length of a {type(container).__name__} from {size} to "
                    f"{len(container)}, which a replay would not: return the values instead")
    return ""
