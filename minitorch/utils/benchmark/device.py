"""The clocks of a GPU: when the host was free, when all was done, and how long the device took."""

from __future__ import annotations

import timeit
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from minitorch.utils.benchmark.measurement import Measurement

LATE = 0.1, 1e-4  # a part of a block and seconds: work that ends so long after the stream's mark


class Apart(NamedTuple):
    """The same blocks of runs by three clocks.

    ``wall``: until all was done. ``host``: until the last run was handed to the device; where its
    queue was full the host waited, and this is the device's pace. ``device``: from the first to
    the last run on the device by its events, gaps included; None without a GPU.
    """

    wall: Measurement
    host: Measurement
    device: Measurement | None


class Watch:
    """A clock for timeit, which reads it at the start and at the end of a block.

    ``cuda`` is ``torch.cuda``, ``minitorch.cuda``, or anything else that has ``synchronize()`` and,
    where a device can tell its time, ``Event``. Events are recorded on the stream that is current.
    """

    def __init__(self, cuda: Any) -> None:
        there = getattr(cuda, "is_available", lambda: True)()
        self.synchronize: Callable[[], Any] = cuda.synchronize if there else lambda: None
        self.event = getattr(cuda, "Event", None) if there else None
        self.start: Any = None  # events
        self.stop: Any = None
        self.begun: float | None = None

    def mark(self) -> Any:
        if self.event is None:
            return None
        event = self.event(enable_timing=True)
        event.record()
        return event

    def __call__(self) -> float:
        if self.begun is None:
            self.synchronize()
            self.start = self.mark()
            self.begun = timeit.default_timer()
            return self.begun
        end = timeit.default_timer()
        self.stop = self.mark()
        return end

    def block(self, timer: timeit.Timer, number: int) -> tuple[float, float, float | None]:
        """Seconds of a block of runs by each clock; ``timer`` has this watch for its own."""
        self.begun = None
        host = timer.timeit(number)
        assert self.begun is not None
        if self.stop is not None:
            self.stop.synchronize()
        seen = timeit.default_timer()
        self.synchronize()
        done = timeit.default_timer()
        wall = done - self.begun
        if self.start is None:
            return wall, host, None
        if done - seen > LATE[0] * wall + LATE[1]:
            warnings.warn("some of the work runs on a stream other than the current one, where "
                          "events do not see it: its device time is not known", stacklevel=3)
            return wall, host, None
        return wall, host, self.start.elapsed_time(self.stop) * 1e-3
