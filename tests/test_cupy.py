"""What minitorch asks of CuPy, CuPy takes: its own code looks, over a driver that does nothing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest


def version() -> tuple[int, ...]:
    for name in ("cupy-cuda12x", "cupy-cuda13x", "cupy"):
        try:
            return tuple([int(n) for n in importlib.metadata.version(name).split(".")[:2]])
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
    return (0, 0)


@pytest.mark.skipif(importlib.util.find_spec("cupy_backends") is None,
                    reason="NOTHING OF CUPY'S IS CHECKED: install cupy-cuda12x (it needs no GPU)")
@pytest.mark.skipif(version()[0] != 14, reason="the idle driver was written for CuPy 14")
@pytest.mark.skipif(sys.platform != "linux", reason="the idle driver was written for Linux")
def test_cupy_takes_every_call() -> None:
    run = subprocess.run([sys.executable, "-m", "tests.idle_cupy"], capture_output=True, text=True,
                         cwd=Path(__file__).parents[1])
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-5000:]
    assert int(run.stdout.split("launched")[1]) > 1000
