"""PyTorch's CPU generator: its seed, its state, and the words it gives.

The Mersenne Twister MT19937 (Matsumoto & Nishimura 1998) is NumPy's ``RandomState``. PyTorch's
layout of its state, and how its words become uniforms, are told here; ``random`` makes all other
numbers of them.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]
DEFAULT_SEED = 67280421310721  # of a new torch.Generator()


def words(twister: np.random.RandomState, n: int) -> Array | None:
    """The next ``n`` words, where there is a faster way: ``kernels.twister`` puts it here."""
    return None


def below(twister: np.random.RandomState, threshold: np.uint64, out: Array) -> bool:
    """Compare units of 53 bits, as integers, where there is a faster way; also put here."""
    return False


# PyTorch's layout of a generator's state, so that states travel both ways.
STATE = np.dtype([
    ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("words", "<u8", 624),
    ("normal_x", "<f8"), ("spare", "<f8"), ("normal_rho", "<f8"), ("has_spare", "<i4"),
    ("unused", "<i4", 3),
])  # fmt: skip


class Stream:
    """A stream of words and uniforms; ``random.Generator`` draws from it."""

    def __init__(self, device: object = "cpu") -> None:
        require(str(device) == "cpu", f"this generator draws on the cpu, not on {device!s}")
        self.device = "cpu"
        self._twister = np.random.RandomState(0)
        self.manual_seed(DEFAULT_SEED)

    # ---- seed and state

    def manual_seed(self, seed: int) -> Self:
        """Restart the stream at `seed`, an int in [-2**63, 2**64), and return the generator."""
        whole = hasattr(seed, "__index__") and not isinstance(seed, bool)
        require(whole, f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = operator.index(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long: seed {seed} exceeds 64 bits")
        self._seed = seed % 2**64
        self._twister.seed(self._seed % 2**32)
        self._spare: float | None = None  # the second normal of a pair, for the next draw
        return self

    def seed(self) -> int:
        """Restart the stream at a seed taken from the operating system, and return that seed."""
        return self.manual_seed(int.from_bytes(os.urandom(8), "little")).initial_seed()

    def initial_seed(self) -> int:
        """The seed the stream was last started at; as in PyTorch, -1 reads 2**64 - 1."""
        return self._seed

    def get_state(self) -> NDArray[np.uint8]:
        """The whole state as 5056 bytes in PyTorch's layout; see `set_state`."""
        twister = self._twister.get_state(legacy=False)["state"]
        state = np.zeros((), STATE)
        state["seed"], state["seeded"], state["words"] = self._seed, 1, twister["key"]
        state["left"], state["next"] = 625 - twister["pos"], twister["pos"]
        if twister["pos"] == 624:  # PyTorch tells 624 words used up from 624 not yet begun
            fresh = twister["key"][0] == self._seed % 2**32  # seeding writes the seed first
            state["next"] = 0 if fresh else 624
        if self._spare is not None:
            state["spare"], state["has_spare"] = self._spare, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, new_state: ArrayLike) -> None:
        """Continue from a state that `get_state`, here or in PyTorch, returned.

        Raises TypeError unless it is an array of uint8, RuntimeError unless it holds a state.
        """
        array = np.asarray(new_state)
        if array.dtype != np.uint8:
            raise TypeError(f"RNG state must be a ByteTensor (uint8), but got {array.dtype}")
        require(array.size == STATE.itemsize, f"Expected a state of size {STATE.itemsize} but "
                 f"found the input RNG state size to be {array.size}")
        state = np.frombuffer(array.tobytes(), STATE)[0]
        valid = state["seeded"] == 1 and 1 <= state["left"] <= 624 and state["next"] <= 624
        require(valid, "Invalid mt19937 state: these bytes are not a generator's state")
        words, position = state["words"].astype(np.uint32), 625 - int(state["left"])
        self._twister.set_state(("MT19937", words, position, 0, 0.0))
        self._seed = int(state["seed"])
        self._spare = float(state["spare"]) if state["has_spare"] else None

    def clone_state(self) -> Self:
        """A new generator that continues as this one would."""
        clone = type(self)()
        clone.set_state(self.get_state())
        return clone

    # ---- words, and uniforms in [0, 1)

    def _words32(self, n: int) -> NDArray[np.uint32]:
        found = words(self._twister, n)
        return self._twister.randint(0, 2**32, size=n, dtype=np.uint32) if found is None else found

    def _words64(self, n: int) -> NDArray[np.uint64]:
        """n pairs of 32-bit words, the first drawn of each as the upper half."""
        found = words(self._twister, 2 * n)
        if found is None:
            return self._twister.randint(0, 2**64, size=n, dtype=np.uint64)
        pairs = found.view(np.uint64)
        if sys.byteorder == "little":  # the halves change places
            upper = pairs << np.uint64(32)
            pairs >>= np.uint64(32)
            pairs |= upper
        return pairs

    def _units(self, n: int, real: type = np.float64) -> Array:
        """n uniforms in [0, 1): the low 53 bits of two words; for float32, 24 bits of one."""
        if real is np.float64:
            wide = self._words64(n)
            wide &= np.uint64(2**53 - 1)
            units: Array = wide.view(np.int64).astype(np.float64)
            units *= 2.0**-53
        else:
            words = self._words32(n)
            words &= np.uint32(2**24 - 1)
            units = words.view(np.int32).astype(np.float32)
            units *= np.float32(2.0**-24)
        return units

    def _below(self, threshold: np.uint64, out: NDArray[np.bool_]) -> None:
        """Fill ``out``, a vector, with whether units of 53 bits, as integers, are below."""
        if not below(self._twister, threshold, out):
            words = self._words64(out.size)
            words &= np.uint64(2**53 - 1)
            np.less(words, threshold, out=out)

    @contextmanager
    def _unit_by_unit(self) -> Iterator[Callable[[], float]]:
        """A function that draws one float64 uniform, for rejection: drawn ahead, then rewound."""
        start, taken = self._twister.get_state(legacy=False), 0

        def ahead() -> Iterator[float]:
            nonlocal taken
            while True:
                for unit in self._units(256).tolist():
                    taken += 1
                    yield unit

        yield ahead().__next__
        self._twister.set_state(start)
        self._units(taken)


def require(condition: bool | np.bool_, message: str) -> None:
    """Raise RuntimeError unless ``condition`` holds."""
    if not condition:
        raise RuntimeError(message)
