"""The stand-in for CuPy under its old names."""

from tests.standin import gpu as gpu
from tests.standin import ndarray as Far  # noqa: F401
