"""Queues of work on the GPU, and moments in them."""

from __future__ import annotations

from typing import Any

from minitorch import backend, crossing
from minitorch.cuda.devices import cupy_for, index_of


class Stream:
    """A queue of work: what is in it runs in order, and beside other queues.

    ``priority``: lower runs first. ``with stream:`` makes it the current one.
    """

    def __init__(self, device: Any = None, priority: int = 0, *, native: Any = None) -> None:
        cupy = cupy_for("Stream")
        index = index_of(device)
        if native is None:
            with cupy.cuda.Device(index):
                native = cupy.cuda.Stream(non_blocking=True, priority=priority)
        self.native = native  # CuPy's
        self.device = backend.device("cuda", index)
        self.priority = priority
        self._contexts: list[StreamContext] = []  # entered by ``with``

    @property
    def device_index(self) -> int:
        return int(self.device.index or 0)

    @property
    def cuda_stream(self) -> int:
        """The address of the ``cudaStream_t``."""
        return int(self.native.ptr)

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.cuda_stream

    def query(self) -> bool:
        """Whether all work in it is done."""
        return bool(self.native.done)

    def synchronize(self) -> None:
        """Wait until all work in it is done."""
        self.native.synchronize()
        crossing.caught_up()

    def record_event(self, event: Event | None = None) -> Event:
        """Mark this moment by ``event``, or a new one."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What comes later in this stream waits for ``event``."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """What comes later in this stream waits for all that is now in ``stream``."""
        self.wait_event(stream.record_event())

    def __enter__(self) -> Stream:
        self._contexts.append(StreamContext(self))
        self._contexts[-1].__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._contexts.pop().__exit__(*exc)

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Stream) and self.cuda_stream == other.cuda_stream
                and self.device == other.device)

    def __hash__(self) -> int:
        return hash((self.cuda_stream, self.device))

    def __repr__(self) -> str:
        return f"<torch.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class Event:
    """A moment in a stream: to be waited for, or (with ``enable_timing``) to measure time between.

    As in PyTorch it exists on the GPU from its first ``record`` on.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False,
                 interprocess: bool = False, external: bool = False) -> None:
        cupy_for("Event")
        self.enable_timing, self.blocking, self.interprocess = enable_timing, blocking, interprocess
        self.native: Any = None  # CuPy's

    def record(self, stream: Stream | None = None) -> None:
        """Mark this moment in ``stream``, or in the current one."""
        cupy = cupy_for("Event.record()")
        stream = current_stream() if stream is None else stream
        if self.native is None:
            with cupy.cuda.Device(stream.device_index):
                self.native = cupy.cuda.Event(self.blocking, not self.enable_timing,
                                              self.interprocess)
        self.native.record(stream.native)

    def wait(self, stream: Stream | None = None) -> None:
        """What comes later in ``stream``, or in the current one, waits for this moment."""
        if self.native is not None:
            (current_stream() if stream is None else stream).native.wait_event(self.native)

    def query(self) -> bool:
        """Whether this moment has come."""
        return self.native is None or bool(self.native.done)

    def synchronize(self) -> None:
        """Wait until this moment has come."""
        if self.native is not None:
            self.native.synchronize()

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this moment to ``end_event``; both must have come.

        Raises ValueError where an event does not measure time or was not recorded.
        """
        if not (self.enable_timing and end_event.enable_timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self.native is None or end_event.native is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        cuda = cupy_for("Event.elapsed_time()").cuda
        return float(cuda.get_elapsed_time(self.native, end_event.native))

    @property
    def cuda_event(self) -> int:
        """The address of the ``cudaEvent_t``; 0 before the first ``record``."""
        return 0 if self.native is None else int(self.native.ptr)

    def __repr__(self) -> str:
        return (f"<torch.cuda.Event {self.cuda_event:#x}>" if self.cuda_event
                else "<torch.cuda.Event uninitialized>")


class StreamContext:
    """``with cuda.stream(s):`` sends what is inside to the stream ``s``; None changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self.before: Any = None

    def __enter__(self) -> None:
        if self.stream is None:
            return
        cupy, index = cupy_for("stream()"), self.stream.device_index
        self.device = cupy.cuda.Device().id
        cupy.cuda.Device(index).use()
        self.before = cupy.cuda.get_current_stream()
        self.stream.native.use()

    def __exit__(self, *exc: object) -> None:
        if self.before is not None:
            self.before.use()
            cupy_for("stream()").cuda.Device(self.device).use()
            self.before = None


def stream(stream: Stream | None) -> StreamContext:
    """A context in which ``stream`` is the current one."""
    return StreamContext(stream)


def set_stream(stream: Stream | None) -> None:
    """Make ``stream`` the current one from here on."""
    if stream is not None:
        stream.native.use()


def current_stream(device: Any = None) -> Stream:
    """The stream that work now goes to on a GPU."""
    cupy = cupy_for("current_stream()")
    index = index_of(device)
    with cupy.cuda.Device(index):
        return Stream(index, native=cupy.cuda.get_current_stream())


def default_stream(device: Any = None) -> Stream:
    """The stream that work goes to unless another is chosen."""
    cupy = cupy_for("default_stream()")
    return Stream(index_of(device), native=cupy.cuda.Stream.null)
