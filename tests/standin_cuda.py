"""``cupy.cuda`` of the stand-in: a device that is always done, its streams, events and memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

counts = SimpleNamespace(launches=0, allocations=0, syncs=0, live=0, calls=[])
hooks: list[Any] = []  # memory hooks that watch


def allocated(nbytes: int) -> None:
    counts.live += nbytes
    for hook in hooks:
        hook.malloc_postprocess(device_id=0, size=nbytes, mem_size=nbytes, mem_ptr=0, pmem_id=0)


def freed(nbytes: int) -> None:
    counts.live -= nbytes
    for hook in hooks:
        hook.free_postprocess(device_id=0, mem_size=nbytes, mem_ptr=0, pmem_id=0)


class Device:
    """The one there is; the current one, whatever is asked for."""

    def __init__(self, device: Any = None) -> None:
        self.id = 0 if device is None else int(getattr(device, "id", device))

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.id == self.id

    __hash__ = object.__hash__

    def use(self) -> None:
        pass

    def synchronize(self) -> None:
        pass


class Event:
    """A moment on a stream: the device is always idle, and a clock ticks with each record."""

    clock = 0

    def __init__(self, block: bool = False, disable_timing: bool = False,
                 interprocess: bool = False) -> None:
        self.disable_timing, self.at, self.done = disable_timing, 0, True
        self.ptr = id(self)

    def record(self, stream: Any = None) -> None:
        Event.clock += 1
        self.at = Event.clock

    def synchronize(self) -> None:
        pass


class Stream:
    """A queue of work; one is current."""

    current: Any = None

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False,
                 priority: int = 0) -> None:
        self.ptr, self.device_id, self.done, self.priority = 0 if null else id(self), 0, True, 0
        self.waited: list[Any] = []

    def use(self) -> Any:
        Stream.current = self
        return self

    def synchronize(self) -> None:
        pass

    def record(self, event: Any = None) -> Any:
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Any) -> None:
        self.waited.append(event)


class Pool:
    """The memory pool, of which nothing is held but what is in use."""

    used_bytes = staticmethod(lambda: counts.live)
    total_bytes = staticmethod(lambda: counts.live)
    free_bytes = staticmethod(lambda: 0)
    free_all_blocks = staticmethod(lambda stream=None: None)


class MemoryHook:
    """Is told of each allocation while it is entered."""

    def __enter__(self) -> Any:
        hooks.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        hooks.remove(self)


PROPERTIES = {"name": b"Stand-in", "major": 9, "minor": 0, "totalGlobalMem": 2**34,
              "multiProcessorCount": 132, "warpSize": 32, "maxThreadsPerBlock": 1024,
              "maxThreadsPerMultiProcessor": 2048,
              "integrated": 0, "isMultiGpuBoard": 0, "l2CacheSize": 2**25, "regsPerBlock": 2**16,
              "regsPerMultiprocessor": 2**16, "sharedMemPerBlock": 49152}

null = Stream.null = Stream(null=True)  # type: ignore[attr-defined]
Stream.current = null
cuda: Any = SimpleNamespace(
    Device=Device, Stream=Stream, Event=Event, MemoryHook=MemoryHook,
    get_current_stream=lambda device_id=-1: Stream.current,
    get_elapsed_time=lambda start, end: float(end.at - start.at),
    runtime=SimpleNamespace(
        getDeviceCount=lambda: 1, driverGetVersion=lambda: 13000,
        runtimeGetVersion=lambda: 13000, memGetInfo=lambda: (2**33, 2**34),
        deviceCanAccessPeer=lambda a, b: 0, getDeviceProperties=lambda i: dict(PROPERTIES)))
