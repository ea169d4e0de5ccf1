"""The global random generators, held still during a check."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from minitorch.testing.adapters import Problem, Tensors


@contextmanager
def frozen(problem: Problem, seed: int) -> Iterator[None]:
    """Each call of the problem draws the same random numbers; afterwards the global generators are
    as they were."""
    lib: Any = sys.modules.get(problem.framework) if isinstance(problem, Tensors) else None
    python, legacy = random.getstate(), np.random.get_state()
    with lib.random.fork_rng() if lib is not None else nullcontext():
        random.seed(seed)
        np.random.seed(seed % 2**32)
        if lib is not None:
            lib.manual_seed(seed)
        start = random.getstate(), np.random.get_state(), lib and lib.get_rng_state()

        def restart() -> None:
            random.setstate(start[0])
            np.random.set_state(start[1])
            if lib is not None:
                lib.set_rng_state(start[2])
                if lib.cuda.is_available():
                    lib.cuda.manual_seed_all(seed)
        problem.restart = restart  # type: ignore[method-assign]
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)
