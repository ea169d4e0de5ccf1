"""A little of everything that launches a kernel: what compute-sanitizer watches.

Run as ``python -m tests.gpu.exercise relu tanh``: it trains a network eagerly with every optimizer,
and as a graph, and calls these operators. It compares nothing; the sanitizer does the finding.
Every array is an allocation of its own, so that one that is overrun has a neighbour that is not.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

import minitorch as torch
from benchmarks import operators
from minitorch.testing import op_db, optim_db
from minitorch.testing.db.cases import convert
from tests.gpu.where import DEVICE, Placed

nn = torch.nn
ODD = 33, 47, 31, 10  # widths and a batch that no block divides


def network() -> Any:
    a, b, c, d = ODD
    return nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), nn.Dropout(0.3),
                         nn.Linear(b, c), nn.LayerNorm(c), nn.Tanh(), nn.Linear(c, d)).to(DEVICE)


def batch() -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return (torch.from_numpy(rng.random((29, ODD[0]), np.float32)).to(DEVICE),
            torch.from_numpy(rng.integers(0, ODD[-1], 29)).to(DEVICE))


def train(name: str) -> None:
    model, loss_fn = network(), nn.CrossEntropyLoss()
    optimizer = getattr(torch.optim, name)(model.parameters())
    x, y = batch()

    def closure() -> Any:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        return loss
    for _ in range(2):
        optimizer.step(closure)


def graphed() -> None:
    model = network()
    step = torch.cuda.make_graphed_step(model, nn.CrossEntropyLoss(),
                                        torch.optim.Adam(model.parameters()), batch())
    for _ in range(3):
        step(*batch())


def call(op: Any) -> None:
    """The operator, and its rules where it has some, at the benchmark's size."""
    lib, case = Placed(torch, DEVICE), operators.Settled(op).case()
    args = [convert(lib, a) for a in case.args]
    for i in case.differentiable:
        args[i].requires_grad_()
    out = operators.only(operators.spelled(lib, op, args)())
    if out.requires_grad:
        out.backward(lib.from_numpy(case.random(tuple(out.shape)).astype(np.float32)))


def main(*names: str) -> None:
    if DEVICE == "cuda":
        import cupy
        cupy.cuda.set_allocator(None)
    for entry in optim_db:
        if entry.name != "SparseAdam":
            train(entry.name)
    if DEVICE == "cuda":
        graphed()
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(op_db[name].op)
    if DEVICE == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main(*sys.argv[1:])
