"""PyTorch's optimizer records (OptimizerInfo) run against minitorch's optimizers."""

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


def trained(engine: Any, name: str, options: dict[str, Any],
            sparse: bool) -> tuple[list[Any], Any]:
    """The parameters and the optimizer's state after a few steps of a non-convex problem."""
    options = Arguments(engine).convert(options)
    x, y = parameters(engine)
    optimizer = getattr(engine.optim, name)([x, y], **options)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (x.sin() * y.cos()).sum() + (x * x).mean()
        loss.backward()
        if sparse:  # two rows of x, one of them twice; all of y
            rows = engine.tensor([[2, 0, 2]])
            x.grad = engine.sparse_coo_tensor(rows, x.grad[rows[0]], (3, 4))
            y.grad = y.grad.to_sparse()
        return loss

    for _ in range(STEPS if name != "LBFGS" else 2):  # of up to 20 iterations
        optimizer.step(closure)
    states = optimizer.state_dict()["state"]
    values = [states[i][k] for i in states for k in sorted(states[i])]
    # Of sparse gradients PyTorch makes a sparse momentum; here it is dense from the start.
    values = [v.to_dense() if getattr(v, "is_sparse", False) else v for v in values]
    return [x, y], [engine.tensor(v, dtype=engine.float64) if isinstance(v, float) else v
                    for v in values]


def optimizer_differences(info: Any) -> Iterator[tuple[Any, str]]:
    """What differs over all options of a record, and over its errors."""
    name = info.optim_cls.__name__
    kinds = [True] if info.only_supports_sparse_grads else [False] + [True] * info.supports_sparse
    for given in info.optim_inputs_func(device="cpu"):
        for sparse in kinds:
            if sparse and given.kwargs.get("weight_decay"):
                continue  # refused by either
            ours, theirs = (trained(engine, name, given.kwargs, sparse)
                            for engine in (minitorch, torch))
            for text in same_all(ours, theirs, f"{given.desc}, sparse={sparse}"):
                yield given.kwargs, text
    for error in info.optim_error_inputs_func(device="cpu", dtype=torch.float64):
        given = error.optimizer_error_input
        try:
            found = [raised(engine, name, given) for engine in (torch, minitorch)]
        except OutOfScope:
            continue
        if found[0] is not None and not isinstance(found[1], type(found[0])):
            yield given.kwargs, f"{given.desc}: {found[1]!r} instead of {found[0]!r}"


def raised(engine: Any, name: str, given: Any) -> Exception | None:
    arguments = Arguments(engine, sparse_too=True)
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
