"""How much of the GPU's memory is in use, by CuPy's pool."""

from __future__ import annotations

from typing import Any

from minitorch.cuda.devices import cupy_for, index_of, is_available


def _pool(what: str, device: Any, ask: str) -> int:
    """What the memory pool of a GPU answers."""
    if not is_available():
        return 0
    cupy = cupy_for(what)
    with cupy.cuda.Device(index_of(device)):
        return int(getattr(cupy.get_default_memory_pool(), ask)())


def empty_cache() -> None:
    """Give unused GPU memory back to the driver."""
    if is_available():
        cupy_for("empty_cache()").get_default_memory_pool().free_all_blocks()


def memory_allocated(device: Any = None) -> int:
    """Bytes of GPU memory in use; 0 without a GPU."""
    return _pool("memory_allocated()", device, "used_bytes")


def memory_reserved(device: Any = None) -> int:
    """Bytes of GPU memory held, in use or not; 0 without a GPU."""
    return _pool("memory_reserved()", device, "total_bytes")


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a GPU, as its driver says."""
    cupy = cupy_for("mem_get_info()")
    with cupy.cuda.Device(index_of(device)):
        free, total = cupy.cuda.runtime.memGetInfo()
    return int(free), int(total)


# -- the most there was --------------------------------------------------------------------------

_peaks: dict[int, Any] = {}  # by GPU: CuPy's memory hook that watches


def _watch(index: int) -> Any:
    """A hook that follows every allocation of this thread on a GPU from now on."""
    cupy = cupy_for("reset_peak_memory_stats()")

    class Peak(cupy.cuda.MemoryHook):  # type: ignore[name-defined]
        """The bytes in use, and the most there were."""

        name = f"minitorch peak of GPU {index}"
        used = peak = 0

        def malloc_postprocess(self, **kwargs: Any) -> None:
            if kwargs["device_id"] == index:
                self.used += kwargs["mem_size"]
                self.peak = max(self.peak, self.used)

        def free_postprocess(self, **kwargs: Any) -> None:
            if kwargs["device_id"] == index:
                self.used -= kwargs["mem_size"]

    hook = Peak()
    hook.used = hook.peak = memory_allocated(index)
    hook.__enter__()
    return hook


def reset_peak_memory_stats(device: Any = None) -> None:
    """Let ``max_memory_allocated`` begin again with what is in use now."""
    index = index_of(device)
    cupy_for("reset_peak_memory_stats()")
    if index not in _peaks:
        _peaks[index] = _watch(index)
    hook = _peaks[index]
    hook.used = hook.peak = memory_allocated(index)


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that were in use at once since ``reset_peak_memory_stats``; 0 without a GPU.

    CuPy does not count them: a hook does, from the first reset on, in the thread that reset.
    Without a reset this is what the pool holds (``memory_reserved``), which is no less.
    """
    if not is_available():
        return 0
    hook = _peaks.get(index_of(device))
    return memory_reserved(device) if hook is None else int(hook.peak)


def max_memory_reserved(device: Any = None) -> int:
    """The bytes that the pool holds: it gives none back but by ``empty_cache``."""
    return memory_reserved(device)


def memory_stats(device: Any = None) -> dict[str, int]:
    """Bytes in use and held under PyTorch's names for them."""
    if not is_available():
        return {}
    return {"allocated_bytes.all.current": memory_allocated(device),
            "allocated_bytes.all.peak": max_memory_allocated(device),
            "reserved_bytes.all.current": memory_reserved(device),
            "reserved_bytes.all.peak": max_memory_reserved(device)}
