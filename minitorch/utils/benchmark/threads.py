"""How many threads the libraries compute with: set while something is timed, then set back."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from minitorch import runtime

VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def pinned(n: int) -> Iterator[dict[str, int]]:
    """``n`` threads for minitorch, PyTorch if it is loaded, and NumPy's BLAS; gives what each has.

    The BLAS is told by way of ``threadpoolctl``. Where that is not installed, the environment
    must have said so before the start, or a warning tells that the times may be of more threads.
    The processors on which the threads run are not chosen (``taskset`` does).
    """
    with ExitStack() as stack:
        pools = {}
        for name, lib in {"minitorch": runtime, "torch": sys.modules.get("torch")}.items():
            if lib is not None:
                stack.callback(lib.set_num_threads, lib.get_num_threads())
                lib.set_num_threads(n)
                pools[name] = lib.get_num_threads()
        try:
            import threadpoolctl
        except ImportError:
            pools["BLAS"] = next((int(os.environ[v].split(",")[0]) for v in VARIABLES
                                  if v in os.environ), processors())
            if pools["BLAS"] != n:
                warnings.warn(f"num_threads is {n}, but NumPy's BLAS may use {pools['BLAS']}: "
                              f"install threadpoolctl, or set OMP_NUM_THREADS={n} before Python "
                              f"starts", stacklevel=5)
        else:
            stack.enter_context(threadpoolctl.threadpool_limits(n))
            pools |= {pool["internal_api"]: pool["num_threads"]
                      for pool in threadpoolctl.threadpool_info()}
        yield pools
