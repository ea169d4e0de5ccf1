"""What ``import`` costs: a whole process that does nothing else."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from benchmarks.table import Table, Work


def whole(engine: Any) -> Work:
    """Start Python, import, end. The files are in the system's cache from the first runs."""
    def run() -> None:
        subprocess.run([sys.executable, "-c", f"import {engine.module}"], check=True)
    return Work(run)


TABLE = Table("A process that only imports the package", {"import": whole},
              engines=("minitorch", "torch", "jax", "numpy", "python"), seconds=0, least=3, warm=1,
              setup=5)
