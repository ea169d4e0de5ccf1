"""PyTorch's CPU random streams, bit for bit, as NumPy arrays.

PyTorch draws on the CPU from the Mersenne Twister MT19937, the generator behind
``numpy.random.RandomState``: the same seed gives both the same 32-bit words. What is left to do,
and what this file does, is to turn words into numbers exactly as PyTorch does: how many words a
number takes, which of their bits, and where the arithmetic rounds.

Two habits of PyTorch's compiled loops show in the last bit. ``x * scale + shift`` is one *fused*
multiply-add, rounded once (`fused`), and float32 normals use the Cephes library's polynomials
for log, sin and cos (`rounding.py`). Both are built there from operations that IEEE 754
defines exactly: the numbers are those of PyTorch on x86-64, on whatever machine this runs.
Where float64 results need a log, tan or the like, NumPy's own may differ in the last bit.
"""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minitorch.rounding import box_muller, fused, poisson, round_to

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = int | tuple[int, ...]

BLOCK = 2**15  # elements transformed at a time, so that temporaries stay in the cache
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


class Generator:
    """A stream of random numbers, the same as ``torch.Generator``'s on the CPU.

    Every drawing method returns a new NumPy array and moves the stream on by as many words as
    PyTorch does, so draws of all kinds may be mixed. A `shape` is an int or a tuple of ints; a
    floating `dtype` is float16, float32 (the default) or float64. Arguments out of range raise
    RuntimeError before anything is drawn.

    >>> Generator().manual_seed(0).uniform(3)
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    """

    def __init__(self, device: object = "cpu") -> None:
        _require(str(device) == "cpu", f"this generator draws on the cpu, not on {device!s}")
        self.device = "cpu"
        self._twister = np.random.RandomState(0)
        self.manual_seed(DEFAULT_SEED)

    # ---- seed and state

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream at `seed`, an int in [-2**63, 2**64), and return the generator."""
        whole = hasattr(seed, "__index__") and not isinstance(seed, bool)
        _require(whole, f"manual_seed expected a long, but got {type(seed).__name__}")
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
        _require(array.size == STATE.itemsize, f"Expected a state of size {STATE.itemsize} but "
                 f"found the input RNG state size to be {array.size}")
        state = np.frombuffer(array.tobytes(), STATE)[0]
        valid = state["seeded"] == 1 and 1 <= state["left"] <= 624 and state["next"] <= 624
        _require(valid, "Invalid mt19937 state: these bytes are not a generator's state")
        words, position = state["words"].astype(np.uint32), 625 - int(state["left"])
        self._twister.set_state(("MT19937", words, position, 0, 0.0))
        self._seed = int(state["seed"])
        self._spare = float(state["spare"]) if state["has_spare"] else None

    def clone_state(self) -> Generator:
        """A new generator that continues as this one would."""
        clone = Generator()
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

    # ---- uniform and normal

    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0,
                dtype: DTypeLike = np.float32) -> Array:
        """Uniform numbers in [low, high): ``unit * (high - low) + low``, fused.

        A result that rounds up to `high` becomes `low`, as in PyTorch.
        """
        out, real = _empty(shape, dtype, "uniform_")
        limit = float(np.finfo(out.dtype).max)
        if not (-limit <= low <= high <= limit and high - low <= limit):
            raise RuntimeError("uniform_ expects to return a [from, to) range, of bounds and "
                               f"width that {out.dtype} holds, but found from={low}, to={high}")
        start, stop = real(low), real(high)
        may_reach_high = out.dtype != real or (start, stop) != (0, 1)
        for part in _blocks(out):
            part[:] = fused(self._units(part.size, real), float(stop - start), float(start))
            if may_reach_high:
                part[part == out.dtype.type(high)] = low
        return out

    def normal(self, shape: Shape, mean: float = 0.0, std: float = 1.0,
               dtype: DTypeLike = np.float32) -> Array:
        """Normal numbers by the Box-Muller transform, ``z * std + mean``, fused.

        Fewer than 16 are drawn in float64, two at a time; a spare one waits for the next such
        draw. From 16 on, every 16 uniforms make 16 normals. If the size is no multiple of 16,
        the last 16 are made once more, of new uniforms.
        """
        out, real = _empty(shape, dtype, "normal_")
        _require(std >= 0, f"normal expects std >= 0.0, but found std {std}")
        flat, n = out.reshape(-1), out.size
        if n < 16:
            flat[:] = round_to(fused(self._normal_pairs(n), std, mean), out.dtype)
            return out
        scale, shift, whole = float(real(std)), float(real(mean)), n - n % 16
        if n == whole:
            units = self._units(n, real)
        else:  # PyTorch first fills the array with uniforms, but for float16 only whole runs
            filled = whole if out.dtype == np.float16 else n
            units = self._units(filled + 16, real)
            units = np.concatenate((units[:whole], units[filled:]))
        for part in _blocks(units):
            part[:] = fused(box_muller(part), scale, shift)
        flat[:whole] = units[:whole]
        flat[n - 16 :] = units[-16:]
        return out

    def _normal_pairs(self, n: int) -> NDArray[np.float64]:
        """n standard normals in float64, through the C library's functions as in PyTorch."""
        pairs: list[float] = []
        if n and self._spare is not None:
            pairs, self._spare = [self._spare], None
        units = self._units(2 * math.ceil((n - len(pairs)) / 2)).tolist()
        for u1, u2 in zip(units[::2], units[1::2], strict=True):
            radius, theta = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
            pairs += (radius * math.cos(theta), radius * math.sin(theta))
        if len(pairs) > n:
            self._spare = pairs.pop()
        return np.array(pairs, np.float64)

    # ---- booleans and integers

    def bernoulli(self, shape: Shape, p: float) -> NDArray[np.bool_]:
        """True with probability `p`: ``unit < p``, of 53 bits. Dropout's stream."""
        _require(0 <= p <= 1, f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        out = np.empty(_size(shape), np.bool_)
        threshold = np.uint64(math.ceil(p * 2.0**53))  # the same comparison in integers
        for part in _blocks(out):
            if not below(self._twister, threshold, part):
                words = self._words64(part.size)
                words &= np.uint64(2**53 - 1)
                np.less(words, threshold, out=part)
        return out

    def bernoulli_from(self, p: ArrayLike) -> NDArray[np.bool_]:
        """True with probability `p`, elementwise: units of 53 bits if p is float64, else of 24."""
        p = np.asarray(p)
        if p.dtype.kind != "f":
            raise NotImplementedError(f"bernoulli is not implemented for {p.dtype} probabilities")
        _require(bool(((p >= 0) & (p <= 1)).all()),
                 "Expected p_in >= 0 && p_in <= 1 to be true, but a probability is not")
        real = np.float64 if p.dtype == np.float64 else np.float32
        return np.asarray(self._units(p.size, real).reshape(p.shape) < p)

    def randint(self, low: int, high: int, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers in [low, high): ``word % (high - low) + low``; 64-bit words from 2**28 on.

        `dtype` must hold every integer of the range exactly (PyTorch warns if a float does not).
        """
        out = np.empty(_size(shape), dtype)
        _require(low < high, "random_ expects 'from' to be less than 'to', but got "
                 f"from={low} >= to={high}")
        least, largest = _integers_of(out.dtype)
        if not least <= low < high <= largest + 1:
            raise RuntimeError(f"random_: from={low} or to - 1 = {high - 1} is out of bounds for "
                               f"{out.dtype}, which holds {least} to {largest}")
        span = high - low
        if span < 2**28:
            offsets = (self._words32(out.size) % np.uint32(span)).astype(np.int64)
        else:
            offsets = (self._words64(out.size) % np.uint64(span)).view(np.int64)
        out.reshape(-1)[:] = offsets + np.int64(low)
        return out

    def random(self, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers from 0 to the largest of `dtype`, as of ``Tensor.random_()``."""
        out = np.empty(_size(shape), dtype)
        wide = out.dtype in (np.int64, np.float64)
        words: Array = self._words64(out.size) if wide else self._words32(out.size)
        out.reshape(-1)[:] = words % words.dtype.type(_integers_of(out.dtype)[1] + 1)
        return out

    def random_int64(self) -> int:
        """One integer in [0, 2**63): how a DataLoader and its sampler draw their seeds."""
        return int(self.random((), np.int64))

    def randperm(self, n: int) -> NDArray[np.int64]:
        """A random permutation of 0..n-1: each i is swapped with ``i + word % (n - i)``."""
        n = operator.index(n)
        _require(n >= 0, f"Trying to create tensor with negative dimension {n}: [{n}]")
        here = np.arange(max(n - 1, 0))
        partners = here + self._words32(here.size) % (n - here)
        order = list(range(n))  # a swap needs those before it; on a list they are quickest
        for i, j in enumerate(partners.tolist()):
            order[i], order[j] = order[j], order[i]
        return np.array(order, np.int64)

    # ---- further distributions

    def exponential(self, shape: Shape, rate: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Exponential numbers: ``-1 / rate * log1p(-unit)``."""
        out, _ = _empty(shape, dtype, "exponential_")
        _require(rate > 0, f"exponential_ expects lambda > 0.0, but found lambda={rate}")
        out.reshape(-1)[:] = round_to(-1.0 / rate * np.log1p(-self._units(out.size)), out.dtype)
        return out

    def geometric(self, shape: Shape, p: float, dtype: DTypeLike = np.float32) -> Array:
        """Trials until a success of probability p: ``ceil(log(unit) / log1p(-p))``."""
        out = np.empty(_size(shape), dtype)
        _require(0 < p < 1, f"geometric_ expects p to be in (0, 1), but got p={p}")
        with np.errstate(divide="ignore"):
            out.reshape(-1)[:] = np.ceil(np.log(self._units(out.size)) / math.log1p(-p))
        return out

    def cauchy(self, shape: Shape, median: float = 0.0, sigma: float = 1.0,
               dtype: DTypeLike = np.float32) -> Array:
        """Cauchy numbers: ``median + sigma * tan(pi * (unit - 1/2))``."""
        out, _ = _empty(shape, dtype, "cauchy_")
        _require(sigma > 0, f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
        tangents = np.tan(np.pi * (self._units(out.size) - 0.5))
        out.reshape(-1)[:] = round_to(fused(tangents, sigma, median), out.dtype)
        return out

    def log_normal(self, shape: Shape, mean: float = 1.0, std: float = 2.0,
                   dtype: DTypeLike = np.float32) -> Array:
        """``exp`` of normals, which are drawn two at a time whatever the size."""
        out, _ = _empty(shape, dtype, "log_normal_")
        _require(std > 0, f"log_normal_ expects std > 0.0, but found std={std}")
        normals = fused(self._normal_pairs(out.size), std, mean)
        out.reshape(-1)[:] = round_to(np.exp(normals), out.dtype)
        return out

    def poisson(self, rate: ArrayLike) -> Array:
        """Counts of the given rates, in their floating dtype, drawn one after the other.

        A rate below 10: the uniforms whose product stays above exp(-rate). From 10 on:
        W. Hörmann's transformed rejection (PTRS, Insurance: Mathematics and Economics 12, 1993).
        """
        rate = np.asarray(rate)
        if rate.dtype.kind != "f":
            raise NotImplementedError(f"poisson is not implemented for rates of {rate.dtype}")
        _require(bool((rate >= 0).all()), "invalid Poisson rate, expected rate to be non-negative")
        with self._unit_by_unit() as unit:
            counts = [poisson(r, unit) for r in rate.reshape(-1).tolist()]
        return np.array(counts, rate.dtype).reshape(rate.shape)

    def multinomial(self, probabilities: ArrayLike, num_samples: int,
                    replacement: bool = False) -> NDArray[np.int64]:
        """Indices drawn by weight, from a vector or from each row of a matrix.

        Without replacement, or for one sample, the largest ``weight / exponential`` win; with
        it, the first index whose cumulative probability reaches a uniform.
        """
        weights = np.asarray(probabilities)
        _require(weights.dtype.kind == "f", "multinomial only supports floating-point dtypes for "
                 f"input, got: {weights.dtype}")
        _require(weights.ndim in (1, 2), f"prob_dist must be 1 or 2 dim, got {weights.shape}")
        _require(num_samples > 0, f"cannot sample n_sample <= 0 samples: {num_samples}")
        _require(replacement or num_samples <= weights.shape[-1], "cannot sample n_sample > "
                 f"prob_dist.size(-1) samples without replacement: {num_samples}")
        _require(bool((np.isfinite(weights) & (weights >= 0)).all()),
                 "probability tensor contains either `inf`, `nan` or element < 0")
        _require(bool((weights.sum(axis=-1) > 0).all()),
                 "invalid multinomial distribution (sum of probabilities <= 0)")
        if not replacement or num_samples == 1:
            with np.errstate(divide="ignore"):
                race = weights / self.exponential(weights.shape, 1.0, weights.dtype)
            return np.argsort(-race, axis=-1, kind="stable")[..., :num_samples]
        reached = np.cumsum(weights, axis=-1, dtype=np.result_type(weights, np.float32))
        reached /= reached[..., -1:]
        out = np.empty((*weights.shape[:-1], num_samples), np.int64)
        units = self._units(out.size).reshape(out.shape)
        for row in np.ndindex(weights.shape[:-1]):
            out[row] = np.searchsorted(reached[row], units[row])
        return out


# ---- shapes and dtypes


def _require(condition: bool | np.bool_, message: str) -> None:
    if not condition:
        raise RuntimeError(message)


def _size(shape: Shape) -> tuple[int, ...]:
    size = tuple(shape) if isinstance(shape, (tuple, list)) else (operator.index(shape),)
    if any(n < 0 for n in size):
        raise RuntimeError(f"Trying to create tensor with a negative dimension: {list(size)}")
    return size


def _empty(shape: Shape, dtype: DTypeLike, name: str) -> tuple[Array, type]:
    """An array to fill, and the type to compute in: float64 for float64, else float32."""
    out = np.empty(_size(shape), dtype)
    if out.dtype not in (np.float16, np.float32, np.float64):
        raise NotImplementedError(f"{name} is not implemented for {out.dtype}; use a float dtype")
    return out, np.float64 if out.dtype == np.float64 else np.float32


def _integers_of(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The least and the largest integer such that `dtype` holds all between them."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        largest = 2 ** (np.finfo(dtype).nmant + 1)
        return -largest, largest
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _blocks(array: Array) -> Iterator[Array]:
    flat = array.reshape(-1)
    return (flat[start : start + BLOCK] for start in range(0, flat.size, BLOCK))


# ---- the process's own generator

default_generator = Generator()
default_generator.seed()  # as in PyTorch, each process starts elsewhere


def manual_seed(seed: int) -> Generator:
    """Restart the default generator at ``int(seed)``, and return it."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Restart the default generator at a random seed, and return that seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> NDArray[np.uint8]:
    """The state of the default generator; see `Generator.get_state`."""
    return default_generator.get_state()


def set_rng_state(new_state: ArrayLike) -> None:
    """Set the state of the default generator; see `Generator.set_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(enabled: bool = True) -> Iterator[None]:
    """Draw freely within the ``with`` block: the default generator's state is put back after."""
    state = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(state)
