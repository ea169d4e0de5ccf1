"""Which GPUs there are, which is current, and what they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from minitorch import backend, crossing, engine


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


def cupy_for(what: str) -> Any:
    """CuPy, or an AssertionError that says that ``what`` needs a GPU."""
    if not is_available():
        raise AssertionError(f"{what} needs an NVIDIA GPU, and none is available here: check "
                             f"torch.cuda.is_available() first (the GPU is used through CuPy: "
                             f"install minitorch-xp[cuda12] or minitorch-xp[cuda13])")
    return backend.cupy_module()


def index_of(device: Any = None) -> int:
    """The number of a GPU given as an int, a string or a device; None is the current one."""
    if device is None:
        return current_device()
    if isinstance(device, int):
        return device
    place = backend.device(device)
    if place.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {place}")
    return current_device() if place.index is None else place.index


def current_device() -> int:
    """The number of the GPU in use."""
    return int(cupy_for("current_device()").cuda.Device().id)


def set_device(device: Any) -> None:
    """Use another GPU from here on; a negative number changes nothing."""
    cupy, index = cupy_for("set_device()"), index_of(device)
    if index >= 0:
        cupy.cuda.Device(index).use()


class device:
    """``with cuda.device(1):`` runs what is inside on that GPU; None and -1 change nothing."""

    def __init__(self, device: Any) -> None:
        self.idx = -1 if device is None else index_of(device)
        self.before = -1

    def __enter__(self) -> None:
        if self.idx >= 0:
            self.before = current_device()
            set_device(self.idx)

    def __exit__(self, *exc: object) -> None:
        if self.before >= 0:
            set_device(self.before)


class device_of(device):
    """``with cuda.device_of(x):`` runs what is inside on the GPU of a tensor, if it is on one."""

    def __init__(self, obj: Any) -> None:
        place = backend.device_of(obj.array) if isinstance(obj, engine.Tensor) else backend.CPU
        super().__init__(place if place.type == "cuda" else None)


class Properties(SimpleNamespace):
    """What ``get_device_properties`` returns, under PyTorch's names."""

    def __repr__(self) -> str:
        fields = ", ".join(f"{k}={v!r}" for k, v in vars(self).items())
        return f"_CudaDeviceProperties({fields})"


def get_device_properties(device: Any = None) -> Properties:
    """Name, compute capability, memory in bytes and multiprocessors of a GPU."""
    cupy, index = cupy_for("get_device_properties()"), index_of(device)
    if not 0 <= index < device_count():
        raise AssertionError("Invalid device id")
    found = cupy.cuda.runtime.getDeviceProperties(index)
    return Properties(
        name=found["name"].decode(), major=found["major"], minor=found["minor"],
        total_memory=found["totalGlobalMem"], multi_processor_count=found["multiProcessorCount"],
        warp_size=found["warpSize"], L2_cache_size=found["l2CacheSize"],
        max_threads_per_multi_processor=found["maxThreadsPerMultiProcessor"],
        regs_per_multiprocessor=found["regsPerMultiprocessor"],
        shared_memory_per_block=found["sharedMemPerBlock"],
        is_integrated=found["integrated"], is_multi_gpu_board=found["isMultiGpuBoard"])


def get_device_name(device: Any = None) -> str:
    """What the GPU calls itself."""
    cupy_for("get_device_name()")
    return str(get_device_properties(device).name)


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The major and minor compute capability."""
    cupy_for("get_device_capability()")
    found = get_device_properties(device)
    return found.major, found.minor


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether one GPU can read another's memory."""
    runtime = cupy_for("can_device_access_peer()").cuda.runtime
    return bool(runtime.deviceCanAccessPeer(index_of(device), index_of(peer_device)))


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done all it was given; without a GPU there is nothing to wait for.

    Raises what a check of numbers on the GPU has found meanwhile, such as an index out of range.
    """
    if is_available():
        cupy_for("synchronize()").cuda.Device(index_of(device)).synchronize()
        crossing.caught_up()


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False: NumPy and CuPy have no bfloat16."""
    return False
