"""``minitorch.cuda``: the NVIDIA GPU through CuPy, and sensible answers where there is none.

Random numbers are drawn by the CPU's generator wherever a tensor lives, so seeding the GPU has
nothing to do.
"""

from __future__ import annotations

from typing import Any

from minitorch import backend
from minitorch.cuda_graphs import CUDAGraph as CUDAGraph
from minitorch.cuda_graphs import graph as graph
from minitorch.cuda_graphs import graph_pool_handle as graph_pool_handle
from minitorch.cuda_graphs import is_current_stream_capturing as is_current_stream_capturing
from minitorch.cuda_steps import make_graphed_callables as make_graphed_callables
from minitorch.cuda_steps import make_graphed_step as make_graphed_step


def is_available() -> bool:
    """Whether CuPy and a GPU it can use are here."""
    return device_count() > 0


def device_count() -> int:
    """The number of GPUs; 0 without CuPy or a driver."""
    return backend.cuda_count()


def is_initialized() -> bool:
    """Whether there is a GPU: CuPy starts it on first use."""
    return is_available()


def init() -> None:
    """Nothing to do: CuPy starts the GPU on first use."""


def _cupy(what: str) -> Any:
    """CuPy, or an error that says that ``what`` needs a GPU."""
    if not is_available():
        raise AssertionError(f"{what} needs an NVIDIA GPU, and none is available here: check "
                             f"torch.cuda.is_available() first (the GPU is used through CuPy: "
                             f"install minitorch-xp[cuda12] or minitorch-xp[cuda13])")
    return backend.cupy_module()


def _index(device: Any) -> int:
    """The number of a GPU given as an int, a string or a device; None is the current one."""
    if device is None:
        return current_device()
    if isinstance(device, int):
        return device
    index = backend.device(device).index
    return current_device() if index is None else index


def current_device() -> int:
    """The number of the GPU in use."""
    return int(_cupy("current_device()").cuda.Device().id)


def set_device(device: Any) -> None:
    """Use another GPU from here on."""
    _cupy("set_device()").cuda.Device(_index(device)).use()


def _properties(what: str, device: Any) -> Any:
    cupy = _cupy(what)
    return cupy.cuda.runtime.getDeviceProperties(_index(device))


def get_device_name(device: Any = None) -> str:
    """What the GPU calls itself."""
    return _properties("get_device_name()", device)["name"].decode()


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The major and minor compute capability."""
    found = _properties("get_device_capability()", device)
    return found["major"], found["minor"]


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done all it was given; without a GPU there is nothing to wait for."""
    if is_available():
        _cupy("synchronize()").cuda.Device(_index(device)).synchronize()


def empty_cache() -> None:
    """Give unused GPU memory back to the driver."""
    if is_available():
        _cupy("empty_cache()").get_default_memory_pool().free_all_blocks()


def memory_allocated(device: Any = None) -> int:
    """Bytes of GPU memory in use; 0 without a GPU."""
    if not is_available():
        return 0
    return int(_cupy("memory_allocated()").get_default_memory_pool().used_bytes())


def memory_reserved(device: Any = None) -> int:
    """Bytes of GPU memory held, in use or not; 0 without a GPU."""
    if not is_available():
        return 0
    return int(_cupy("memory_reserved()").get_default_memory_pool().total_bytes())


def manual_seed(seed: int) -> None:
    """Nothing to do: ``torch.manual_seed`` seeds the stream that tensors everywhere draw from."""


def manual_seed_all(seed: int) -> None:
    """Nothing to do, as in ``manual_seed``."""


def is_bf16_supported() -> bool:
    """False: NumPy and CuPy have no bfloat16."""
    return False
