"""One recording of a function: its plan, what it went by, and how to run it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import engine
from minitorch.engine import Leaf, wrap
from minitorch.modes import modes
from minitorch.plan.memory import owner
from minitorch.plan.noted import Note, Noted, Recorder, Refused, arrays_in, plain
from minitorch.plan.plan import Plan
from minitorch.plan.reach import Reach
from minitorch.plan.record import Fixed, give_gradients, recorded
from minitorch.plan.state import Snapshot, difference
from minitorch.plan.trees import copied, mapped, tensors_in


class Step:
    """A function recorded on arguments of one signature.

    If the function calls ``backward()`` itself it is a training step, and results are plain
    numbers. If its result still has a graph, ``pull`` is recorded as well: from cotangents of the
    results to those of ``leaves``.
    """

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.proven = False
        self.pending: Any = None  # a weak reference to the replay whose backward may still come
        given = tensors_in((args, kwargs))
        # The plan reads its own copies of the arguments, so that each call may bring others.
        self.inputs = [wrap(np.array(t.array)).requires_grad_(t.requires_grad) for t in given]
        own = dict(zip(map(id, given), self.inputs))
        args, kwargs = mapped((args, kwargs), lambda t: own[id(t)])
        self.reach = reach = Reach([function, args, kwargs])
        grads = [(t, t._grad, None if t._grad is None else plain(t._grad.array))
                 for t in reach.tensors]
        versions = [(t.version, t.version[0]) for t in reach.tensors]
        before = Snapshot(reach)
        with recorded(reach) as recorder:
            self.outputs = function(*args, **kwargs)
            check_lengths(reach)
            written = [(t, t._grad) for t, g, _ in grads if t._grad is not g]
            recorder.add(Note(give_gradients, (Fixed(written),), {}))
            forward = len(recorder.notes)
            self.results = tensors_in(self.outputs)
            self.leaves = [] if written else self.record_pull(recorder)
        notes = recorder.notes
        kept = [*self.results, *recorder.grads, *self.cotangents, *self.pulled,
                *[g for _, g in written if g is not None]]
        for t in kept:
            t.array = plain(t.array)
        self.plan = Plan([notes[:forward], notes[forward:]], [t.array for t in kept])
        used = {id(owner(a)) for note in notes for a in arrays_in(
            (note.args, note.kwargs, note.into, note.writes))}
        # Gradients that were there before: where the step adds to them, they must be there again.
        self.entry = [(t, g) for t, g, array in grads
                      if (id(owner(array)) in used if g is not None
                          else any(t is w for w, _ in written))]
        mine = set(map(id, self.inputs))
        reach.tensors = [t for t in reach.tensors if id(t) not in mine]
        self.arrays = [(t, t.array) for t in reach.tensors if id(owner(t.array)) in used]
        self.versions = [(counter, counter[0] - n) for counter, n in versions if counter[0] != n]
        if self.leaves:  # the values for its backward pass must lie in the plan's memory
            before.restore()
            self.forward(given)

    cotangents: list[Any] = []
    pulled: list[Any] = []

    def record_pull(self, recorder: Recorder) -> list[Any]:
        """Record the backward pass of what was returned; the leaves that it reaches."""
        roots = [t for t in self.results if t.node is not None and not isinstance(t.node, Leaf)]
        if not roots or not modes.grad:
            return []
        self.cotangents = [wrap(np.zeros_like(plain(t.array)).view(Noted)) for t in roots]
        reached = engine.history([t.node for t in roots])
        nodes = [n for n in reached if isinstance(n, Leaf) and n.tensor() is not None]
        found = engine.backpropagate([(t.node, g) for t, g in zip(roots, self.cotangents)],
                                     targets=nodes)
        nodes = [n for n in nodes if n in found]
        self.pulled = [found[n] for n in nodes]
        return [n.tensor() for n in nodes]

    def holds(self) -> bool:
        """Whether everything that the recording went by is as it was."""
        return (all([t.array is a for t, a in self.arrays])
                and all([t._grad is g for t, g in self.entry])
                and all([unchanged(*v) for v in self.reach.values]))

    def forward(self, given: list[Any]) -> None:
        """Run the plan on new arguments; the results lie in its own memory."""
        for mine, t in zip(self.inputs, given):
            np.copyto(mine.array, t.array)
        self.plan.parts[0]()
        for counter, n in self.versions:
            counter[0] += n

    def pull(self, gs: list[Any]) -> list[Any]:
        """The cotangents of ``leaves`` for those of the results, arrays both."""
        for mine, g in zip(self.cotangents, gs):
            mine.array[...] = 0 if g is None else g
        self.plan.parts[1]()
        return [t.array.copy() for t in self.pulled]

    def prove(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Run the plan and the function from the same state; raises if they end differently.

        Returns the function's own result: what there was to run has run once.
        """
        before = Snapshot(self.reach)
        self.forward(tensors_in((args, kwargs)))
        replayed = tensors_in(copied(self.outputs))
        rng = np.random.default_rng(0)
        gs = [np.asarray(rng.normal(size=t.array.shape), t.array.dtype) for t in self.cotangents]
        pulled = self.pull(gs) if self.leaves else []
        after = Snapshot(self.reach)
        before.restore()
        out = function(*args, **kwargs)
        results = tensors_in(out)
        wrong = difference(after.numbers(), Snapshot(self.reach).numbers()) or difference(
            [("the result", t.array) for t in replayed], [("", t.array) for t in results])
        if not wrong and self.leaves:
            wrong = self.differently_pulled(results, gs, pulled, tensors_in((args, kwargs)))
        if wrong:
            raise Refused(f"a replay of this step does not do what the step does: {wrong}. "
                          f"Something in it is no array call: Python state that changes, or "
                          f"numbers from elsewhere. Pass what changes as a tensor argument.")
        self.proven = True
        return out if self.leaves else copied(out)

    def differently_pulled(self, results: list[Any], gs: list[Any], pulled: list[Any],
                           given: list[Any]) -> str:
        """What differs between the recorded backward pass and that of the function's results."""
        roots = [t for t in results if t.node is not None and not isinstance(t.node, Leaf)]
        theirs = dict(zip(map(id, self.inputs), given))
        nodes = [theirs.get(id(t), t).node for t in self.leaves]
        found = engine.backpropagate([(t.node, wrap(g)) for t, g in zip(roots, gs)],
                                     targets=nodes, retain_graph=True)
        return difference([(f"the gradient of a tensor of shape {g.shape}", g) for g in pulled],
                          [("", found[n].array if n in found else None) for n in nodes])


def unchanged(holder: Any, key: Any, value: Any) -> bool:
    try:
        now = holder[key]
    except (KeyError, IndexError):
        return False
    return now is value or (type(now) is type(value) and bool(now == value))


def check_lengths(reach: Reach) -> None:
    for container, size in reach.containers:
        if len(container) != size:
            raise Refused(f"cannot record this step: it changes the length of a "
                          f"{type(container).__name__} from {size} to {len(container)} items, "
                          f"which a replay would not do. Return the values instead.")
