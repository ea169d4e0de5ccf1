"""``minitorch info``: what this machine gives minitorch to work with."""

from __future__ import annotations

import importlib.metadata
import platform

import numpy as np

import minitorch
from minitorch import backend
from minitorch.utils.benchmark.machine import blas
from minitorch.utils.benchmark.threads import processors

EXTRAS = {
    "rich": "the progress bar (extra: cli)",
    "matplotlib": "the plot of the curves (extra: cli)",
    "pooch": "downloads (extra: data)",
    "safetensors": "save and load (extra: save)",
    "numba": "compiled optimizers (extra: fast)",
}


def info() -> list[tuple[str, str]]:
    """Names and values: versions, BLAS, threads, GPU, optional libraries."""
    rows = [
        ("minitorch", minitorch.__version__),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("NumPy", np.__version__),
        ("BLAS", blas()),
        ("CPU threads", threads()),
        ("GPU", gpu()),
    ]
    for name, use in EXTRAS.items():
        try:
            rows.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            rows.append((name, f"not installed; gives {use}"))
    return rows


def threads() -> str:
    """How many threads that library may use, and how many cores there are."""
    return f"{minitorch.get_num_threads()} of {processors()} cores (set_num_threads changes it)"


def gpu() -> str:
    """The first GPU's name, or why there is none."""
    try:
        import cupy
    except ImportError:
        return "not used: CuPy is not installed (extras: cuda12, cuda13)"
    count = backend.cuda_count()
    if not count:
        return f"none found by CuPy {cupy.__version__}"
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return f"{name}{f' and {count - 1} more' if count > 1 else ''}, CuPy {cupy.__version__}"
