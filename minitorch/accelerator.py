"""``minitorch.accelerator``: the GPU, if there is one, without naming its make."""

from __future__ import annotations

from typing import Any

from minitorch import backend, cuda


def is_available() -> bool:
    """Whether a GPU can be used."""
    return cuda.is_available()


def device_count() -> int:
    """The number of GPUs."""
    return cuda.device_count()


def current_accelerator(check_available: bool = False) -> backend.device | None:
    """``device("cuda")`` where there is a GPU, else None."""
    return backend.device("cuda") if is_available() else None


def current_device_index() -> int:
    """The number of the GPU in use; raises RuntimeError without one."""
    _require()
    return cuda.current_device()


def set_device_index(device: Any) -> None:
    """Use another GPU; raises RuntimeError without one."""
    _require()
    cuda.set_device(device)


def synchronize(device: Any = None) -> None:
    """Wait for the GPU; raises RuntimeError without one."""
    _require()
    cuda.synchronize(device)


def current_stream(device: Any = None) -> cuda.Stream:
    """The stream that work now goes to; raises RuntimeError without a GPU."""
    _require()
    return cuda.current_stream(device)


def set_stream(stream: cuda.Stream) -> None:
    """Make ``stream`` the current one; raises RuntimeError without a GPU."""
    _require()
    cuda.set_stream(stream)


def _require() -> None:
    if not is_available():
        raise RuntimeError("Cannot access accelerator device when none is available.")
