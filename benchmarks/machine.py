"""What a worker is given: its environment and its processors. (Imported before any engine.)"""

from __future__ import annotations

import os
from pathlib import Path

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
         "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")
# What would give one engine another allocator or another way of waiting than the system's own.
UNSET = ("LD_PRELOAD", "MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_",
         "GLIBC_TUNABLES", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "GOMP_CPU_AFFINITY",
         "KMP_BLOCKTIME", "KMP_AFFINITY", "OMP_PROC_BIND", "OMP_PLACES",
         "PYTHONMALLOC", "PYTHONTRACEMALLOC")


def environment(threads: int) -> dict[str, str]:
    """The environment of a worker: this one, with every thread pool set and no allocator chosen."""
    kept = {k: v for k, v in os.environ.items() if k not in UNSET}
    return {**kept, **dict.fromkeys(POOLS, str(threads)), "PYTHONHASHSEED": "0"}


def cores() -> list[int]:
    """Processors that this process may use, one of each core before any core's second."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(
        range(os.cpu_count() or 1))

    def turn(cpu: int) -> int:
        try:
            siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
            listed = siblings.read_text().strip().replace("-", ",").split(",")
            return listed.index(str(cpu))
        except (OSError, ValueError):
            return 0
    return sorted(allowed, key=lambda cpu: (turn(cpu), cpu))
