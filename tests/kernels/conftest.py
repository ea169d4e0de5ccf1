"""What the tests of kernels share."""

import importlib.util

import pytest

from minitorch.kernels import updates


@pytest.fixture
def numba():
    """Numba; tests that need it skip without it."""
    if importlib.util.find_spec("numba") is None:
        pytest.skip("Numba is not installed (the extra: fast)")
    return pytest.importorskip("numba")


@pytest.fixture
def whatever_the_size(numba, monkeypatch):
    """Kernels are made for small arrays too."""
    monkeypatch.setattr(updates, "LARGE", 0)


@pytest.fixture(autouse=True)
def switched_on(monkeypatch):
    """Also where the environment switches Numba off; what a test sets is taken back."""
    monkeypatch.setattr("minitorch.backends.numba.enabled", True)
    monkeypatch.delenv("MINITORCH_NUMBA", raising=False)
