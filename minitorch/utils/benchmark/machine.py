"""The machine and what is installed on it: what a figure means nothing without."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.utils.benchmark.threads import processors

LASTING = ("name", "driver_version", "memory.total", "power.limit", "clocks.max.sm",
           "clocks.max.mem")
ENGINES = ("minitorch", "torch", "cupy", "jax", "numba")


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def blas() -> str:
    """The library that multiplies matrices for NumPy."""
    config: Any = np.show_config(mode="dicts")
    found = config.get("Build Dependencies", {}).get("blas", {})
    return f"{found.get('name', 'unknown')} {found.get('version', '')}".strip()


def gpu(*fields: str) -> dict[str, str]:
    """What ``nvidia-smi`` says of the first GPU, by field; nothing where there is none.

    It is only read. The fields are those of ``nvidia-smi --help-query-gpu``; what a driver does
    not know is left out.
    """
    try:
        said = subprocess.run(
            ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"],
            capture_output=True, text=True, check=True, timeout=20).stdout.splitlines()
    except subprocess.CalledProcessError:  # it refuses all for one that it does not know
        if len(fields) == 1:
            return {}
        return {k: v for field in fields for k, v in gpu(field).items()}
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(zip(fields, [value.strip() for value in said[0].split(",")])) if said else {}


def description() -> dict[str, Any]:
    """Processor, system and versions; of the engines, those that are loaded; the GPU, if any."""
    return {"processor": processor(), "cores": processors(), "system": platform.platform(),
            "python": sys.version.split()[0], "numpy": np.__version__, "numpy BLAS": blas(),
            **{f"GPU {field}": value for field, value in gpu(*LASTING).items()},
            **{name: sys.modules[name].__version__ for name in ENGINES if name in sys.modules}}


def busy() -> str:
    """A warning if others use the machine, else ""."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return (f"the machine is busy (load {load:.1f} on {processors()} cores): this will take "
            f"longer, and only ratios count" if load > 0.3 * processors() else "")
