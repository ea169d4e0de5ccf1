"""What the tests of kernels for GPUs share."""

import pytest

from minitorch.kernels.cuda import cells, launch
from tests import emulated as emulation


@pytest.fixture
def emulated(monkeypatch):
    """A launcher that runs kernels on host memory, in CuPy's place."""
    if emulation.COMPILER is None:
        pytest.skip("no g++: kernels for GPUs cannot be run here")
    monkeypatch.setattr(launch, "launcher", emulation.Emulated())
    monkeypatch.setattr(cells, "_cells", {})
    return launch.launcher
