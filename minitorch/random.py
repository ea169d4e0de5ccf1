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
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minitorch.rounding import box_muller, fused, poisson, round_to
from minitorch.stream import Stream, require

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = int | tuple[int, ...]

BLOCK = 2**15  # elements transformed at a time, so that temporaries stay in the cache


class Generator(Stream):
    """A stream of random numbers, the same as ``torch.Generator``'s on the CPU.

    Every drawing method returns a new NumPy array and moves the stream on by as many words as
    PyTorch does, so draws of all kinds may be mixed. A `shape` is an int or a tuple of ints; a
    floating `dtype` is float16, float32 (the default) or float64. Arguments out of range raise
    RuntimeError before anything is drawn.

    >>> Generator().manual_seed(0).uniform(3)
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    """

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
        require(std >= 0, f"normal expects std >= 0.0, but found std {std}")
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
        require(0 <= p <= 1, f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        out = np.empty(_size(shape), np.bool_)
        threshold = np.uint64(math.ceil(p * 2.0**53))  # the same comparison in integers
        for part in _blocks(out):
            self._below(threshold, part)
        return out

    def bernoulli_from(self, p: ArrayLike) -> NDArray[np.bool_]:
        """True with probability `p`, elementwise: units of 53 bits if p is float64, else of 24."""
        p = np.asarray(p)
        if p.dtype.kind != "f":
            raise NotImplementedError(f"bernoulli is not implemented for {p.dtype} probabilities")
        require(bool(((p >= 0) & (p <= 1)).all()),
                 "Expected p_in >= 0 && p_in <= 1 to be true, but a probability is not")
        real = np.float64 if p.dtype == np.float64 else np.float32
        return np.asarray(self._units(p.size, real).reshape(p.shape) < p)

    def randint(self, low: int, high: int, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers in [low, high): ``word % (high - low) + low``; 64-bit words from 2**28 on.

        `dtype` must hold every integer of the range exactly (PyTorch warns if a float does not).
        """
        out = np.empty(_size(shape), dtype)
        require(low < high, "random_ expects 'from' to be less than 'to', but got "
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
        require(n >= 0, f"Trying to create tensor with negative dimension {n}: [{n}]")
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
        require(rate > 0, f"exponential_ expects lambda > 0.0, but found lambda={rate}")
        out.reshape(-1)[:] = round_to(-1.0 / rate * np.log1p(-self._units(out.size)), out.dtype)
        return out

    def geometric(self, shape: Shape, p: float, dtype: DTypeLike = np.float32) -> Array:
        """Trials until a success of probability p: ``ceil(log(unit) / log1p(-p))``."""
        out = np.empty(_size(shape), dtype)
        require(0 < p < 1, f"geometric_ expects p to be in (0, 1), but got p={p}")
        with np.errstate(divide="ignore"):
            out.reshape(-1)[:] = np.ceil(np.log(self._units(out.size)) / math.log1p(-p))
        return out

    def cauchy(self, shape: Shape, median: float = 0.0, sigma: float = 1.0,
               dtype: DTypeLike = np.float32) -> Array:
        """Cauchy numbers: ``median + sigma * tan(pi * (unit - 1/2))``."""
        out, _ = _empty(shape, dtype, "cauchy_")
        require(sigma > 0, f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
        tangents = np.tan(np.pi * (self._units(out.size) - 0.5))
        out.reshape(-1)[:] = round_to(fused(tangents, sigma, median), out.dtype)
        return out

    def log_normal(self, shape: Shape, mean: float = 1.0, std: float = 2.0,
                   dtype: DTypeLike = np.float32) -> Array:
        """``exp`` of normals, which are drawn two at a time whatever the size."""
        out, _ = _empty(shape, dtype, "log_normal_")
        require(std > 0, f"log_normal_ expects std > 0.0, but found std={std}")
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
        require(bool((rate >= 0).all()), "invalid Poisson rate, expected rate to be non-negative")
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
        require(weights.dtype.kind == "f", "multinomial only supports floating-point dtypes for "
                 f"input, got: {weights.dtype}")
        require(weights.ndim in (1, 2), f"prob_dist must be 1 or 2 dim, got {weights.shape}")
        require(num_samples > 0, f"cannot sample n_sample <= 0 samples: {num_samples}")
        require(replacement or num_samples <= weights.shape[-1], "cannot sample n_sample > "
                 f"prob_dist.size(-1) samples without replacement: {num_samples}")
        require(bool((np.isfinite(weights) & (weights >= 0)).all()),
                 "probability tensor contains either `inf`, `nan` or element < 0")
        require(bool((weights.sum(axis=-1) > 0).all()),
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
