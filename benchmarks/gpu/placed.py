"""Where the work is done: a package with PyTorch's names that makes its tensors on a device."""

from __future__ import annotations

import os
from typing import Any

DEVICE = "MINITORCH_BENCHMARK_DEVICE"  # the environment variable that tells workers which


def device() -> str:
    """"cuda", or "cpu" to try the program where there is no GPU."""
    return os.environ.get(DEVICE, "cuda")


class Placed:
    """``lib`` with arrays taken over to ``device``, and else as it is.

    >>> import numpy as np, minitorch
    >>> Placed(minitorch, "cpu").from_numpy(np.ones(2)).device
    device(type='cpu')
    """

    def __init__(self, lib: Any, device: str) -> None:
        self.lib, self.device = lib, device

    def from_numpy(self, x: Any) -> Any:
        return self.lib.from_numpy(x).to(self.device)

    def tensor(self, *args: Any, **kwargs: Any) -> Any:
        return self.lib.tensor(*args, **{"device": self.device, **kwargs})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lib, name)
