"""Numba compiles optimizers' updates, compiled steps and random words for the CPU, where it is
installed (the extra ``fast``).

``enabled = False``, or ``MINITORCH_NUMBA=0`` in the environment, runs them on NumPy; the numbers
are the same.
"""

import importlib.util
import os

enabled = os.environ.get("MINITORCH_NUMBA", "1") != "0"


def is_available() -> bool:
    """Whether Numba is installed."""
    return importlib.util.find_spec("numba") is not None
