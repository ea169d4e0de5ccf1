"""The words of the Mersenne Twister, many at once.

NumPy's ``RandomState`` makes them one by one, about 5 ns each. Here the 624 words of a state follow
each other in loops without branches, which a compiler turns into vector instructions: the same
words (Matsumoto & Nishimura 1998), in a quarter of the time.
"""

from __future__ import annotations

import ctypes
import inspect
import sys
from functools import cache
from typing import Any

import numpy as np

from minitorch import random
from minitorch.kernels import jit

Array = Any
MANY = 1 << 12  # words: fewer are drawn as fast by NumPy
WORTH = 1 << 24  # so many that it pays to load the compiler for them alone


def loop(key, pos, out):
    """Fill ``out`` with the next words of the state ``key``, of which ``pos`` are used up."""
    upper, lower, a = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0x9908B0DF)
    zero, one = np.uint32(0), np.uint32(1)
    done = 0
    while done < out.size:
        if pos == 624:  # all used: the next 624, each of two neighbours and one 397 further on
            for i in range(227):
                y = (key[i] & upper) | (key[i + 1] & lower)
                key[i] = key[i + 397] ^ (y >> one) ^ ((zero - (y & one)) & a)
            for i in range(227, 623):
                y = (key[i] & upper) | (key[i + 1] & lower)
                key[i] = key[i - 227] ^ (y >> one) ^ ((zero - (y & one)) & a)
            y = (key[623] & upper) | (key[0] & lower)
            key[623] = key[396] ^ (y >> one) ^ ((zero - (y & one)) & a)
            pos = 0
        n = min(624 - pos, out.size - done)
        for i in range(n):  # tempering
            y = key[pos + i]
            y ^= y >> np.uint32(11)
            y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
            y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
            y ^= y >> np.uint32(18)
            out[done + i] = y
        pos += n
        done += n
    return pos


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


random.words = words
