"""The schedulers with which PyTorch tests its optimizers, under either engine."""

from __future__ import annotations

import types
import warnings
from typing import Any

from torch.testing._internal.common_optimizers import optim_db

import minitorch

SCHEDULED = {f"{info.optim_cls.__name__}-{i}": (info.optim_cls.__name__, makers)
             for info in optim_db if hasattr(minitorch.optim, info.optim_cls.__name__)
             for i, makers in enumerate(info.scheduler_inputs)}
EPOCHS = 30


def rates(engine: Any, name: str, makers: Any) -> list[list[float]]:
    """The rate of each epoch, with all the schedulers of a record on one optimizer."""
    optimizer = getattr(engine.optim, name)([engine.ones(2, requires_grad=True)], lr=0.01)
    # The functions that make them name PyTorch's classes: let the names mean this engine's.
    names = vars(engine.optim.lr_scheduler)
    schedulers = [types.FunctionType(make.__code__, names)(optimizer) for make in makers]
    seen = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(EPOCHS):
            for scheduler in schedulers:
                on_metric = isinstance(scheduler, engine.optim.lr_scheduler.ReduceLROnPlateau)
                scheduler.step(*[1.0] if on_metric else [])
            seen.append([group["lr"] for group in optimizer.param_groups])
    return seen
