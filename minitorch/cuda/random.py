"""What the GPU draws itself: the state of its generator, a seed and an offset for each GPU.

``rand``, ``randn`` and all else that makes tensors draw from the CPU's generator wherever the
tensor lives, and copy the numbers there: the same program gives the same numbers on either device
(and others than PyTorch on a GPU, whose streams differ). Only kernels that never store what they
draw, such as dropout's, use this generator: Philox4x32-10 (Salmon et al. 2011), whose numbers are
a function of seed and offset. ``reserve`` hands both out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import numpy as np

from minitorch import sampling
from minitorch.cuda.devices import cupy_for, current_device, device_count, index_of, is_available
from minitorch.engine import wrap


class State:
    """Where a generator stands: the numbers from ``offset`` on of the stream ``seed``."""

    def __init__(self, seed: int, offset: int = 0) -> None:
        self.seed, self.offset = seed, offset


_states: dict[int, State] = {}  # by the number of the GPU


def state(device: Any = None) -> State:
    """The state of a GPU's generator; at first it has the seed of the CPU's."""
    index = index_of(device)
    if index not in _states:
        _states[index] = State(sampling.initial_seed())
    return _states[index]


def reserve(n: int, device: Any = None) -> tuple[int, int]:
    """Seed and offset of the next ``n`` numbers, which nobody else is given.

    A kernel draws four at a time, so the offset moves by multiples of four.
    """
    found = state(device)
    seed, offset = found.seed, found.offset
    found.offset += -(-n // 4) * 4
    return seed, offset


def manual_seed(seed: int) -> None:
    """Start the current GPU's generator at ``seed``; without a GPU nothing happens."""
    if is_available():
        _states[current_device()] = State(int(seed) % 2**64)


def manual_seed_all(seed: int) -> None:
    """Start every GPU's generator at ``seed``."""
    for index in range(device_count()):
        _states[index] = State(int(seed) % 2**64)


def seed() -> None:
    """Start the current GPU's generator somewhere unpredictable."""
    manual_seed(secrets.randbits(63))


def seed_all() -> None:
    """Start every GPU's generator at one unpredictable seed."""
    manual_seed_all(secrets.randbits(63))


def initial_seed() -> int:
    """The seed that the current GPU's generator was started with."""
    cupy_for("initial_seed()")
    return state().seed


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of a GPU's generator as a uint8 tensor on the CPU: seed, then offset."""
    cupy_for("get_rng_state()")
    found = state(device)
    return wrap(np.array([found.seed, found.offset], np.uint64).view(np.uint8))


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Continue from a state that ``get_rng_state``, here or in PyTorch, returned."""
    cupy_for("set_rng_state()")
    array = np.asarray(getattr(new_state, "array", new_state))
    if array.dtype != np.uint8 or array.size != 16:
        raise RuntimeError(f"RNG state is wrong size: expected 16 bytes, a seed and an offset, got "
                           f"{array.size} of {array.dtype}")
    seed, offset = np.ascontiguousarray(array).view(np.uint64)
    _states[index_of(device)] = State(int(seed), int(offset))


def get_rng_state_all() -> list[Any]:
    """The states of all GPUs' generators."""
    return [get_rng_state(i) for i in range(device_count())]


def set_rng_state_all(new_states: Iterable[Any]) -> None:
    """Continue from the states of all GPUs' generators."""
    for i, new in enumerate(new_states):
        set_rng_state(new, i)


sampling.followers.append(_states.clear)  # torch.manual_seed is the seed of all
