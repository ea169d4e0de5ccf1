"""PyTorch's optimizer records (OptimizerInfo) run against minitorch's SGD, Adam and AdamW."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_optimizers import optim_db

import minitorch
from tests.samples.bridge import Arguments, OutOfScope
from tests.samples.compare import same_all

OPTIMIZERS = {info.optim_cls.__name__: info for info in optim_db
              if hasattr(minitorch.optim, info.optim_cls.__name__)}
STEPS = 5


def parameters(engine: Any) -> list[Any]:
    random = np.random.default_rng(0)
    return [engine.nn.Parameter(engine.from_numpy(random.normal(size=shape)))
            for shape in ((3, 4), (4,))]


def trained(engine: Any, name: str, options: dict[str, Any]) -> tuple[list[Any], Any]:
    """The parameters and the optimizer's state after a few steps of a non-convex problem."""
    options = Arguments(engine).convert(options)
    x, y = parameters(engine)
    optimizer = getattr(engine.optim, name)([x, y], **options)
    for _ in range(STEPS):
        optimizer.zero_grad()
        ((x.sin() * y).sum() + (x * x).mean()).backward()
        optimizer.step()
    states = optimizer.state_dict()["state"]
    return [x, y], [states[i][k] for i in states for k in sorted(states[i])]


def optimizer_differences(info: Any) -> Iterator[tuple[Any, str]]:
    """What differs over all options of a record, and over its errors."""
    name = info.optim_cls.__name__
    for given in info.optim_inputs_func(device="cpu"):
        ours, theirs = trained(minitorch, name, given.kwargs), trained(torch, name, given.kwargs)
        for text in same_all(ours, theirs, given.desc):
            yield given.kwargs, text
    for error in info.optim_error_inputs_func(device="cpu", dtype=torch.float64):
        given = error.optimizer_error_input
        found = [raised(engine, name, given) for engine in (torch, minitorch)]
        if found[0] is not None and not isinstance(found[1], type(found[0])):
            yield given.kwargs, f"{given.desc}: {found[1]!r} instead of {found[0]!r}"


def raised(engine: Any, name: str, given: Any) -> Exception | None:
    arguments = Arguments(engine)
    make = getattr(engine.optim, name)
    params = arguments.convert(given.params) if given.params else parameters(engine)
    kwargs = arguments.convert(given.kwargs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make(params, **kwargs)
    except OutOfScope:
        raise
    except Exception as error:
        return error
    return None
