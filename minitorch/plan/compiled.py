"""``minitorch.compile``: a step recorded once, then replayed without Python in between.

The first call runs the function and notes its array calls (``noted``); they become a ``Plan``. The
second call runs both the function and the plan, from the same state, and compares every number,
bit for bit: a step that is more than array calls is found out before anything relies on it. From
the third call on the plan runs alone.
"""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from minitorch import dtypes
from minitorch.autograd import Function
from minitorch.backends import numba
from minitorch.engine import wrap
from minitorch.errors import advised
from minitorch.modes import modes
from minitorch.nn.module import Module
from minitorch.plan import notes
from minitorch.plan.plan import Plan
from minitorch.plan.state import Snapshot
from minitorch.plan.step import Step
from minitorch.plan.trees import copied, mapped, signature

LIMIT = 8  # recordings of one function, as many as PyTorch makes


class Refused(RuntimeError):
    """The function does something that a record of array calls cannot repeat."""


class Compiled:
    """What ``compile`` returns for a function: called the same way, and it keeps its ``plans``."""

    def __init__(self, function: Callable[..., Any], fullgraph: bool = False) -> None:
        functools.update_wrapper(self, function)
        self.function, self.fullgraph = function, fullgraph
        self.name = getattr(function, "__name__", type(function).__name__)
        self.steps: dict[Any, list[Step]] = {}
        self.refused = ""  # why it runs as it is, if it does

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.refused or modes.anomaly or notes.active is not None:
            return self.function(*args, **kwargs)
        given: list[Any] = []
        key = signature((args, kwargs), given), modes.grad, dtypes.default(), numba.enabled
        for step in self.steps.get(key, ()):
            if step.holds():
                if step.pending is not None and step.pending() is not None:
                    return self.function(*args, **kwargs)  # its values are still needed
                if not step.proven:
                    return self.prove(step, args, kwargs)
                step.replay(given)
                return in_graph(step, given) if step.leaves else copied(step.outputs)
        return self.record(key, args, kwargs)

    def record(self, key: Any, args: Any, kwargs: Any) -> Any:
        if len(self.plans) >= LIMIT:
            warnings.warn(f"{self.name}() was recorded {LIMIT} times, for as many different "
                          f"shapes, modes or values that it goes by; calls that fit none of them "
                          f"run unrecorded", stacklevel=3)
            return self.function(*args, **kwargs)
        step = Step(self.function, args, kwargs)
        if step.refused:
            self.give_up(step, step.before, "cannot be recorded")
            return step.outputs
        step.before = None
        for others in self.steps.values():
            for other in others:
                other.recipe = None  # which holds memory: they were not run often
        self.steps.setdefault(key, []).append(step)
        return in_graph(step, step.given) if step.leaves else copied(step.outputs)

    def prove(self, step: Step, args: Any, kwargs: Any) -> Any:
        before = Snapshot(step.reach)
        out = step.prove(self.function, args, kwargs)
        if step.refused:
            self.give_up(step, before, "does more than the array calls of its record: Python "
                         "state that changes, or numbers from elsewhere. In a replay,")
        return out

    def give_up(self, step: Step, before: Snapshot, why: str) -> None:
        """From now on run the function as it is, and say so; or raise, with all as before."""
        self.refused = f"{self.name}() {why}: {step.refused}".replace(",:", ",")
        if self.fullgraph:
            before.restore()
            refused, self.refused = self.refused, ""
            raise advised(Refused(refused), "A recorded step repeats the same array calls with "
                          "other numbers. Do this outside of it, or with tensors (torch.where "
                          "instead of if); or leave out fullgraph=True.")
        warnings.warn(f"{self.refused}; it runs as it is, uncompiled", stacklevel=4)

    @property
    def plans(self) -> list[Plan]:
        """The plans recorded so far."""
        return [step.plan for steps in self.steps.values() for step in steps]

    def explain(self, times: int = 0) -> str:
        """The calls of the last plan; after ``times`` runs, with the median time of each."""
        if not self.plans:
            raise RuntimeError("nothing is recorded yet: call it once")
        step = [step for steps in self.steps.values() for step in steps][-1]
        before = Snapshot(step.reach)
        try:
            return step.plan.explain(times)
        finally:
            before.restore()

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        """As a method of a class."""
        return self if owner is None else functools.partial(self, owner)


class Replayed(Function):
    """A replay in a graph: its backward pass is the plan's second part."""

    @staticmethod
    def forward(ctx: Any, step: Step, *leaves: Any) -> Any:
        ctx.step = step
        step.pending = weakref.ref(ctx)
        return tuple([wrap(t.array.copy()) for t in step.results])

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        step = ctx.step
        if step.pending is None or step.pending() is not ctx:
            raise RuntimeError("Trying to backward through a compiled function a second time: its "
                               "values were freed by the first. Call it again, or uncompiled with "
                               "retain_graph=True.")
        step.pending = None
        roots = [g for g, t in zip(gs, step.results) if t.requires_grad]
        found = step.pull([None if g is None else g.array for g in roots])
        return None, *map(wrap, found)


def in_graph(step: Step, given: list[Any]) -> Any:
    """The results of a run, as those of one operator on the tensors that it may pull back to."""
    results = iter(Replayed.apply(step, *step.leaves_among(given)))
    return mapped(step.outputs, lambda t: next(results))


class OptimizedModule(Module):
    """A module whose forward pass is recorded; parameters and state are the original's."""

    def __init__(self, module: Module, fullgraph: bool = False) -> None:
        super().__init__()
        self._orig_mod = module
        object.__setattr__(self, "compiled", Compiled(module, fullgraph))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.compiled(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._modules["_orig_mod"], name)


def compile(model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None,
            backend: Any = "plan", mode: str | None = None, options: Any = None,
            disable: bool = False) -> Any:
    """``model``, a function of tensors or a Module, recorded at its first call and then replayed.

    Best for a whole training step: a function that takes a batch, computes the loss, calls
    ``backward()`` and ``optimizer.step()``, and returns the loss. The same array calls are made in
    the same order, into memory that is kept: results are those of the uncompiled function, bit for
    bit, and the second call checks that. A new shape, dtype, mode, or value of a variable that the
    function names is recorded anew, up to 8 times. ``explain()`` shows the calls.

    What a record cannot repeat (``item()`` or ``if`` on a tensor, results whose shape depends on
    numbers, ``optimizer.step(closure)``, a list that grows) is warned of, with the line, and the
    function then runs as it is; with ``fullgraph`` RuntimeError is raised instead, with every
    tensor as it was before the call. ``disable`` returns ``model`` as it is; the other arguments
    are PyTorch's, accepted for its programs.

    >>> import minitorch as torch
    >>> w = torch.tensor([3.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.25)
    >>> @torch.compile
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = ((w - x) ** 2).sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> [step(torch.ones(1)).item() for _ in range(4)]
    [4.0, 1.0, 0.25, 0.0625]
    >>> step.explain().splitlines()[1]
    '   0  subtract(a0, a1, a2) float32[1] subtract <doctest ...compile[3]>:4'
    """
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend,
                                 mode=mode, options=options, disable=disable)
    if disable:
        return model
    return (OptimizedModule if isinstance(model, Module) else Compiled)(model, fullgraph)
