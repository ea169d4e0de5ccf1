"""One recorded run of a program from a seed, and how far rounding may move what it computes.

That depends on the program, so it is measured on it: PyTorch runs it again, several times, with
the last places of results and gradients changed at random (Monte Carlo arithmetic: D. S. Parker,
1997). What that changes, rounding could have changed.
"""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np

from minitorch.testing.recording import Call, Enough, Quantity, Recorder, recording

See = Callable[[Quantity], None]


class Runs:
    """A program with its arguments, to be run under either engine, always from the same start."""

    def __init__(self, program: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any],
                 seed: int, steps: int, operators: int, float64: bool) -> None:
        self.program, self.args, self.kwargs = program, args, kwargs
        self.seed, self.steps, self.operators, self.float64 = seed, steps, operators, float64

    def run(self, engine: Any, see: See, nudge: Any = None) -> tuple[
            list[Call], BaseException | None]:
        """The calls of one run, and the error that ended it, if any."""
        args, kwargs = copy.deepcopy((self.args, self.kwargs))
        if self.float64:
            args = tuple([doubled(a) for a in args])
            kwargs = {k: doubled(v) for k, v in kwargs.items()}
        recorder = Recorder(see, self.steps, self.operators, nudge)
        error: BaseException | None = None
        with fresh(engine, self.seed, self.float64), redirect_stdout(io.StringIO()):
            with recording(engine, recorder):
                try:
                    self.program(engine, *args, **kwargs)
                except Enough:
                    pass
                except Exception as raised:
                    error = raised
        return recorder.calls, error


def doubled(value: Any) -> Any:
    """A floating array in float64; anything else as it is."""
    floating = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(np.float64) if floating else value


@contextmanager
def fresh(engine: Any, seed: int, float64: bool) -> Iterator[None]:
    """All random generators start from ``seed``; they and the default dtype are put back after."""
    python, legacy, dtype = random.getstate(), np.random.get_state(), engine.get_default_dtype()
    try:
        with engine.random.fork_rng(), engine.enable_grad():
            random.seed(seed)
            np.random.seed(seed % 2**32)
            engine.manual_seed(seed)
            if float64:
                engine.set_default_dtype(engine.float64)
            yield
    finally:
        engine.set_default_dtype(dtype)
        random.setstate(python)
        np.random.set_state(legacy)


class Spread:
    """How far nudged last places move each quantity of PyTorch's run ``theirs``."""

    def __init__(self, torch: Any, runs: Runs, theirs: Sequence[Quantity]) -> None:
        self.torch, self.runs = torch, runs
        self.plain = {self.place(q): q for q in theirs}
        self.found = dict.fromkeys(self.plain, 0.0)
        self.random = np.random.default_rng(0)

    @staticmethod
    def place(q: Quantity) -> tuple[Any, ...]:
        return q.kind, q.call.name, q.call.number, q.part

    def __getitem__(self, q: Quantity) -> float:
        """The largest change seen: inf if it had another shape, or if integers changed."""
        return self.found[self.place(q)]

    def measure(self, runs: int, units: int, until: Quantity | None = None) -> None:
        """More runs, in which numbers change by up to ``units`` in their last place."""
        last = self.place(until) if until is not None else None

        def see(q: Quantity) -> None:
            place = self.place(q)
            if place in self.found:
                self.found[place] = max(self.found[place], change(self.plain[place].array, q.array))
            if place == last:
                raise Enough

        def nudge(x: Any, gradient: bool) -> None:
            if not x.is_floating_point() or x.is_sparse:
                return
            with self.torch.no_grad():
                array = x.detach().numpy()
            eps = float(np.finfo(array.dtype).eps)
            if gradient:  # the last place of the largest number: terms of that size may cancel
                size = float(np.max(abs(array[np.isfinite(array)]), initial=0.0))
                noise = eps * size * self.random.integers(-units, units + 1, array.shape)
                np.add(array, noise.astype(array.dtype), out=array, where=array != 0)
            else:  # towards zero, so that no probability exceeds 1; whole numbers are mostly exact
                lost = 1 - eps * self.random.integers(0, units + 1, array.shape)
                np.multiply(array, lost.astype(array.dtype), out=array,
                            where=array != np.rint(array))
        for _ in range(runs):
            self.runs.run(self.torch, see, nudge)


def change(before: Any, after: Any) -> float:
    if before.shape != after.shape:
        return np.inf
    with np.errstate(all="ignore"):
        off = abs(after.astype(np.float64) - before.astype(np.float64))
    off = float(np.max(off[np.isfinite(off)], initial=0.0))
    return off if before.dtype.kind == "f" or not off else np.inf
