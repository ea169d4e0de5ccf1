"""Running a step so that it is noted: tensors hold noting arrays meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.engine import Leaf
from minitorch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from minitorch.plan import notes
from minitorch.plan.noted import Noted, drawn, plain
from minitorch.plan.notes import Note, Recorder, recording, refuse
from minitorch.plan.reach import Reach
from minitorch.plan.words import words


@contextmanager
def recorded(tensors: list[Any], reach: Reach) -> Iterator[Recorder]:
    """Note every array call on ``tensors``, and on what comes of them, inside the block."""
    recorder = Recorder()
    earlier = backend.numpy_words, backend.look
    held = [(t, t.array, t.array.view(Noted)) for t in tensors
            if isinstance(t.array, np.ndarray)]
    for t, _, noting in held:
        t.array = noting
    unwatch = [*map(noting_draws, reach.generators), *map(noting_step, reach.schedulers)]
    before = register_optimizer_step_pre_hook(opening(recorder))
    after = register_optimizer_step_post_hook(closing(recorder))
    accumulate = Leaf.accumulate
    known = set(map(id, tensors))

    def accumulating(leaf: Leaf, g: Any, record: bool) -> None:
        if recording() is not None and id(leaf.tensor()) not in known:
            refuse(f"a tensor of shape {tuple(g.shape)} is given a gradient, but is not to be "
                   f"found from the function and its arguments; pass it as an argument")
        accumulate(leaf, g, record)

    notes.active = recorder
    setattr(Leaf, "accumulate", accumulating)
    backend.numpy_words, backend.look = words(), looking
    try:
        yield recorder
    finally:
        notes.active = None
        setattr(Leaf, "accumulate", accumulate)
        backend.numpy_words, backend.look = earlier
        before.remove()
        after.remove()
        for undo in unwatch:
            undo()
        for t, array, noting in held:
            t.array = array if t.array is noting else plain(t.array)
            if t._grad is not None:
                t._grad.array = plain(t._grad.array)


def looking(check: Callable[..., Any], *args: Any) -> None:
    recorder = recording()
    if recorder is None:
        check(*args)
        return
    with recorder.silent(check):
        check(*plain(args))
    recorder.add(Note(check, plain(args), {}))


def opening(recorder: Recorder) -> Callable[..., None]:
    """Before an optimizer's step: give it its gradients, and note nothing until it ends."""
    def hook(optimizer: Any, args: Any, kwargs: Any) -> None:
        if notes.active is recorder and recording() is not None:
            if len(args) > 1 or kwargs.get("closure") is not None:
                refuse("optimizer.step(closure) runs the model as often as it sees fit")
                return
            params = [p for group in optimizer.param_groups for p in group["params"]]
            give = [(p, p._grad) for p in params]
            recorder.given += give
            recorder.add(Note(give_gradients, (Fixed(give),), {}))
            recorder.stepping = optimizer
    return hook


def closing(recorder: Recorder) -> Callable[..., None]:
    def hook(optimizer: Any, args: Any, kwargs: Any) -> None:
        if recorder.stepping is optimizer:
            recorder.stepping = None
            recorder.add(Note(optimizer.step, (), {}))
    return hook


class Fixed(list[Any]):
    """What a note takes along as it is."""


def give_gradients(pairs: Any) -> None:
    for p, g in pairs:
        p._grad = g


def noting_step(scheduler: Any) -> Callable[[], None]:
    """Let ``scheduler.step()`` be one call of the plan."""
    original = scheduler.step

    def step(*args: Any, **kwargs: Any) -> None:
        recorder = recording()
        original(*args, **kwargs)
        if recorder is not None:
            recorder.add(Note(original, args, kwargs))
    scheduler.step = step
    return lambda: vars(scheduler).pop("step", None)


DRAWS = ("uniform", "normal", "bernoulli", "bernoulli_from", "randint", "random", "randperm",
         "exponential", "geometric", "cauchy", "log_normal", "poisson", "multinomial")


def noting_draws(generator: Any) -> Callable[[], None]:
    """Let each draw of a generator be one call of the plan."""
    def watch(name: str) -> None:
        original = getattr(generator, name)

        def draw(*args: Any, **kwargs: Any) -> Any:
            recorder = recording()
            if recorder is None:
                return original(*args, **kwargs)
            with recorder.silent(generator):
                result = original(*plain(args), **plain(kwargs))
            return drawn(original, args, kwargs, result)
        vars(generator)[name] = draw
    for name in DRAWS:
        watch(name)

    def undo() -> None:
        for name in DRAWS:
            vars(generator).pop(name, None)
    return undo

