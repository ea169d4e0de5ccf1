"""The words of the Mersenne Twister, many at once.

NumPy's ``RandomState`` makes them one by one, about 5 ns each. Here the 624 words of a state follow
each other in loops without branches, whose reads and writes do not overlap: a compiler turns them
into vector instructions. The same words (Matsumoto & Nishimura 1998), in a tenth of the time.
"""

from __future__ import annotations

import ctypes
import inspect
import sys
from functools import cache
from typing import Any

import numpy as np

from minitorch import stream
from minitorch.kernels import jit

Array = Any
MANY = 1 << 12  # words: fewer are drawn as fast by NumPy
WORTH = 1 << 24  # so many that it pays to load the compiler for them alone


def loop(key, pos, out):
    """Fill ``out`` with the next words of the state ``key``, of which ``pos`` are used up."""
    upper, lower, a = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0x9908B0DF)
    zero, one = np.uint32(0), np.uint32(1)
    mixed, following = np.empty(624, np.uint32), key[1:]
    done = 0
    while done < out.size:
        if pos == 624:  # all used: the next 624, each of two neighbours and one 397 further on
            for i in range(623):
                y = (key[i] & upper) | (following[i] & lower)
                mixed[i] = (y >> one) ^ ((zero - (y & one)) & a)
            for to, far, n in ((0, 397, 227), (227, 0, 227), (454, 227, 169)):  # no overlaps
                new, other, mix = key[to:to + n], key[far:far + n], mixed[to:to + n]
                for i in range(n):
                    new[i] = other[i] ^ mix[i]
            y = (key[623] & upper) | (key[0] & lower)
            key[623] = key[396] ^ (y >> one) ^ ((zero - (y & one)) & a)
            pos = 0
        n = min(624 - pos, out.size - done)
        words, part = key[pos:pos + n], out[done:done + n]
        for i in range(n):  # tempering
            y = words[i]
            y ^= y >> np.uint32(11)
            y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
            y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
            part[i] = y ^ (y >> np.uint32(18))
        pos += n
        done += n
    return pos


def compare(pairs, threshold, out):
    """Whether the low 53 bits of two words, the first drawn as the upper half, are below."""
    half, mask = np.uint64(32), np.uint64(2**53 - 1)
    for i in range(out.size):
        w = pairs[i]  # the first drawn is the lower half in memory
        out[i] = (((w << half) | (w >> half)) & mask) < threshold


@cache
def _comparing() -> Any:
    types = jit._numba().types
    return jit.machine_code(inspect.getsource(compare), "void",
                            types.Array(types.uint64, 1, "C"), "uint64",
                            types.Array(types.boolean, 1, "C"))


@cache
def _compiled() -> Any:
    vector = jit._numba().types.Array(jit._numba().types.uint32, 1, "C")
    return jit.machine_code(inspect.getsource(loop), "int64", vector, "int64", vector)


class _State(ctypes.Structure):
    """NumPy's state of the generator, as its C code lays it out."""

    _fields_ = [("key", ctypes.c_uint32 * 624), ("pos", ctypes.c_int)]


def words(twister: np.random.RandomState, n: int) -> Array | None:
    """The next ``n`` 32-bit words, and the state moved on; None where NumPy is to draw them."""
    if n < MANY or not jit.switch.enabled or ("numba" not in sys.modules and n < WORTH):
        return None
    if not jit.usable():
        return None
    generator: Any = twister._bit_generator
    out = np.empty(n, np.uint32)
    with generator.lock:
        state = _State.from_address(generator.ctypes.state_address)
        state.pos = _compiled()(np.ctypeslib.as_array(state.key), state.pos, out)
    return out


def below(twister: np.random.RandomState, threshold: np.uint64, out: Array) -> bool:
    """Fill ``out``, a vector, with whether units of 53 bits are below; False if NumPy is to."""
    if sys.byteorder == "big":
        return False
    found = words(twister, 2 * out.size)
    if found is not None:
        _comparing()(found.view(np.uint64), threshold, out)
    return found is not None


stream.words, stream.below = words, below
