"""What the GPU draws itself: the state of its generator, a seed and an offset in its memory.

``rand``, ``randn`` and all else that makes tensors draw from the CPU's generator wherever the
tensor lives, and copy the numbers there: the same program gives the same numbers on either device
(and others than PyTorch on a GPU, whose streams differ). Only kernels that never store what they
draw, such as dropout's, use this generator: Philox4x32-10 (Salmon et al. 2011), whose numbers are
a function of seed and offset. They read ``state()`` on the GPU and move its offset on, so that a
replayed CUDA graph draws new numbers each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import numpy as np

from minitorch import backend, sampling
from minitorch.cuda.devices import cupy_for, current_device, device_count, index_of, is_available
from minitorch.engine import wrap

Array = Any  # cupy.ndarray

_states: dict[int, Array] = {}  # by the number of the GPU


def state(device: Any = None) -> Array:
    """Seed and offset of a GPU's generator: two uint64 in its memory, always the same array.

    At first it has the seed of the CPU's generator and the offset 0.
    """
    index = index_of(device)
    if index not in _states:
        _write(index, sampling.initial_seed(), 0)
    return _states[index]


def _write(index: int, seed: int, offset: int) -> None:
    place = backend.device("cuda", index)
    new = backend.move(np.array([seed % 2**64, offset], np.uint64), place)
    if index in _states:
        with cupy_for("manual_seed()").cuda.Device(index):
            _states[index][...] = new  # where captured graphs look
    else:
        _states[index] = new


def manual_seed(seed: int) -> None:
    """Start the current GPU's generator at ``seed``; without a GPU nothing happens."""
    if is_available():
        _write(current_device(), int(seed), 0)


def manual_seed_all(seed: int) -> None:
    """Start every GPU's generator at ``seed``."""
    for index in range(device_count()):
        _write(index, int(seed), 0)


def _follow() -> None:
    """``torch.manual_seed`` seeds all; a generator that was not used yet asks for its seed then."""
    for index in _states:
        _write(index, sampling.initial_seed(), 0)


def seed() -> None:
    """Start the current GPU's generator somewhere unpredictable."""
    manual_seed(secrets.randbits(63))


def seed_all() -> None:
    """Start every GPU's generator at one unpredictable seed."""
    manual_seed_all(secrets.randbits(63))


def initial_seed() -> int:
    """The seed that the current GPU's generator was started with."""
    cupy_for("initial_seed()")
    return int(backend.move(state(), backend.CPU)[0])


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of a GPU's generator as a uint8 tensor on the CPU: seed, then offset."""
    cupy_for("get_rng_state()")
    return wrap(backend.move(state(device), backend.CPU).view(np.uint8))


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Continue from a state that ``get_rng_state``, here or in PyTorch, returned."""
    cupy_for("set_rng_state()")
    array = np.asarray(getattr(new_state, "array", new_state))
    if array.dtype != np.uint8 or array.size != 16:
        raise RuntimeError(f"RNG state is wrong size: expected 16 bytes, a seed and an offset, got "
                           f"{array.size} of {array.dtype}")
    seed, offset = np.ascontiguousarray(array).view(np.uint64).tolist()
    _write(index_of(device), seed, offset)


def get_rng_state_all() -> list[Any]:
    """The states of all GPUs' generators."""
    return [get_rng_state(i) for i in range(device_count())]


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    """Continue from the states of all GPUs' generators."""
    for i, new in enumerate(new_states):
        set_rng_state(new, i)


sampling.followers.append(_follow)
