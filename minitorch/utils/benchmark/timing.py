"""The clock and the Timer: how code is run so that its times mean something."""

from __future__ import annotations

import math
import statistics
import sys
import textwrap
import timeit
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from minitorch import accelerator
from minitorch.utils.benchmark.device import Apart, Watch
from minitorch.utils.benchmark.measurement import Measurement, TaskSpec
from minitorch.utils.benchmark.threads import pinned

OVERHEAD = 1e-4  # the clock's part of a block's time, at most
SHORTEST = 1e-9  # seconds; a coarse clock may see nothing pass

Callback = Callable[[int, float], Any]


def timer() -> float:
    """Seconds of the finest clock, read once the GPU has done what it was given."""
    if "cupy" in sys.modules and accelerator.is_available():  # else nothing runs there
        accelerator.synchronize()
    return timeit.default_timer()


class Timer:
    """Times ``stmt``, some code or a function without arguments, after running ``setup`` once.

    In code, ``torch`` and ``minitorch`` are minitorch unless ``globals`` or the setup say
    otherwise. ``timer`` gives seconds; to time PyTorch on a GPU, give ``torch.utils.benchmark``'s,
    which waits for it. ``label``, ``sub_label``, ``description`` and ``env`` tell measurements
    apart and place them in ``Compare``'s tables. While it measures, every thread pool it can reach
    has ``num_threads`` threads. Python collects no garbage meanwhile.

    >>> m = Timer("x.exp()", setup="x = torch.ones(100)", label="exp").timeit(100)
    >>> m.title, m.number_per_run, len(m.times)
    ('exp', 100, 1)
    """

    def __init__(self, stmt: str | Callable[[], Any] = "pass",
                 setup: str | Callable[[], Any] = "pass", global_setup: str = "",
                 timer: Callable[[], float] = timer, globals: dict[str, Any] | None = None,
                 label: str | None = None, sub_label: str | None = None,
                 description: str | None = None, env: str | None = None,
                 num_threads: int = 1) -> None:
        if global_setup:
            raise ValueError(f"global_setup is C++ only, got `{global_setup}`. Most likely this "
                             f"code can simply be moved to `setup`.")
        package = sys.modules[__name__.partition(".")[0]]
        stmt, setup = (dedented(x) if isinstance(x, str) else x for x in (stmt, setup))
        self._globals = {"torch": package, "minitorch": package, **(globals or {})}
        self._code = stmt, setup
        self._timer = timeit.Timer(stmt, setup, timer, self._globals)
        self._task_spec = TaskSpec(code(stmt), code(setup), global_setup, label, sub_label,
                                   description, env, num_threads)

    def _timeit(self, number: int) -> float:
        return max(self._timer.timeit(number), SHORTEST)

    def _measure(self, warm_up: Callable[[], int],
                 blocks: Callable[[int], list[float]]) -> Measurement:
        """The times of blocks of as many runs as warming up has found good."""
        self._timeit(0)  # the setup may load a library with threads to be set
        with pinned(self._task_spec.num_threads) as pools:
            number = warm_up()
            return Measurement(number, blocks(number), self._task_spec, {"threads": pools})

    def timeit(self, number: int = 1000000) -> Measurement:
        """One time, of ``number`` runs; a hundredth as many, at least 2, warm up."""
        return self.repeat(1, number)

    def repeat(self, repeat: int = 5, number: int = 1000000) -> Measurement:
        """``repeat`` times of ``number`` runs each, warmed up as by ``timeit`` (PyTorch's raises).
        """
        def warm_up() -> int:
            self._timeit(max(number // 100, 2))
            return number

        return self._measure(warm_up, lambda n: [self._timeit(n) for _ in range(repeat)])

    def blocked_autorange(self, callback: Callback | None = None,
                          min_run_time: float = 0.2) -> Measurement:
        """Times of blocks until they sum to ``min_run_time`` seconds.

        A block has 1, 10, 100... runs: so many that the clock takes at most 1e-4 of its time
        and that it lasts a thousandth of ``min_run_time``. Finding that out warms up.
        ``callback(number, time)`` is called after each block.
        """
        return self._measure(lambda: self._block(min_run_time), lambda n: self._blocks(
            n, lambda _: True, min_run_time, callback))

    def adaptive_autorange(self, threshold: float = 0.1, *, min_run_time: float = 0.01,
                           max_run_time: float = 10.0,
                           callback: Callback | None = None) -> Measurement:
        """Like ``blocked_autorange``, and on until the times agree.

        They do when there are more than 3 and their interquartile range is less than
        ``threshold`` of the median. Ends after ``max_run_time`` seconds in any case.
        """
        def agree(times: list[float]) -> bool:
            return len(times) > 3 and Measurement(
                1, times, self._task_spec).meets_confidence(threshold)

        return self._measure(lambda: self._block(0.05), lambda n: self._blocks(
            n, agree, min_run_time, callback, max_run_time))

    def device_autorange(self, min_run_time: float = 0.2, cuda: Any = None) -> Apart:
        """Times on a GPU, by the host's clock and by the device's, of many runs at a time.

        The device is waited for before and after a block of runs, not between them. A block lasts
        a twentieth of ``min_run_time``, and 3 are timed at least; finding out how many runs that
        takes warms up. ``cuda`` has PyTorch's names: ``torch.cuda`` or ``minitorch.cuda``; by
        default that of what the code calls ``torch``. Without a GPU there is no device time.

        >>> Timer("torch.ones(9).exp()").device_autorange(0.01).host.number_per_run > 1
        True
        """
        watch = Watch(self._globals["torch"].cuda if cuda is None else cuda)
        timer = timeit.Timer(*self._code, watch, self._globals)
        target, number = min_run_time / 20, 1
        self._timeit(0)  # the setup may load a library with threads to be set
        with pinned(self._task_spec.num_threads) as pools:
            while (time := watch.block(timer, number)[0]) < target:
                number = max(2 * number, math.ceil(number * target / max(time, SHORTEST)))
            blocks: list[Any] = []
            while len(blocks) < 3 or sum(block[0] for block in blocks) < min_run_time:
                blocks.append(watch.block(timer, number))

        def measured(clock: str, times: Any) -> Any:
            if None in times:
                return None
            spec = self._task_spec
            return Measurement(number, [max(t, SHORTEST) for t in times], replace(
                spec, description=", ".join(filter(None, (spec.description, clock)))),
                {"threads": pools})
        return Apart(*map(measured, Apart._fields, zip(*blocks)))

    def _block(self, min_run_time: float) -> int:
        """How many runs make a block."""
        overhead = statistics.median(self._timeit(0) for _ in range(5))
        number = 1
        while True:
            time = self._timeit(number)
            if time > min_run_time or (
                    overhead <= OVERHEAD * time and time >= min_run_time / 1000):
                return number
            number *= 10

    def _blocks(self, number: int, enough: Callable[[list[float]], bool], min_run_time: float,
                callback: Callback | None, max_run_time: float | None = None) -> list[float]:
        times: list[float] = []
        total, done = 0.0, False
        while total < min_run_time or not done:
            times.append(self._timeit(number))
            total += times[-1]
            if callback:
                callback(number, times[-1])
            done = enough(times)
            if max_run_time and total > max_run_time:
                break
        return times


def dedented(text: str) -> str:
    """A block of code as written in a function, moved to the left margin."""
    return textwrap.dedent(text).removeprefix("\n").rstrip()


def code(x: Any) -> str:
    """What stands for the code: itself, or the function's name; a lambda's place makes it one."""
    if isinstance(x, str):
        return x
    name = getattr(x, "__qualname__", None) or repr(x)
    if name.endswith("<lambda>"):
        place = x.__code__
        name += f" at line {place.co_firstlineno} of {place.co_filename.rpartition('/')[2]}"
    return name
