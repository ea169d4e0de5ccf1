"""Each optimizer's step on the 269,322 parameters of 784-256-256-10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.table import SEED, Table, Unfit, Work

SHAPES = [(256, 784), (256,), (256, 256), (256,), (10, 256), (10,)]
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {}), "SGD, momentum": ("SGD", {"momentum": 0.9}), "Adadelta": ("Adadelta", {}),
    "Adagrad": ("Adagrad", {}), "Adam": ("Adam", {}), "Adam, amsgrad": ("Adam", {"amsgrad": True}),
    "AdamW": ("AdamW", {}), "SparseAdam": ("SparseAdam", {}), "Adamax": ("Adamax", {}),
    "ASGD": ("ASGD", {}), "NAdam": ("NAdam", {}), "RAdam": ("RAdam", {}),
    "RMSprop": ("RMSprop", {}), "Rprop": ("Rprop", {}), "LBFGS": ("LBFGS", {"max_iter": 1}),
}
FUSED = {"SGD", "Adagrad", "Adam", "AdamW"}  # those that PyTorch has a fused form of
WHOLE = {"SparseAdam", "LBFGS"}  # those that it has one form of


def row(name: str, options: dict[str, Any]) -> Callable[[Any], Work]:
    def work(engine: Any) -> Work:
        torch, form = engine.lib, engine.options
        if ("fused" in form and name not in FUSED) or (form and name in WHOLE):
            raise Unfit(f"PyTorch has no {engine.name} {name}")
        rng = np.random.default_rng(SEED)
        params = [torch.from_numpy(rng.normal(size=s).astype(np.float32)).requires_grad_(True)
                  for s in SHAPES]
        for p, shape in zip(params, SHAPES):
            g = torch.from_numpy(rng.normal(size=shape).astype(np.float32))
            p.grad = g.to_sparse(1) if name == "SparseAdam" else g
        optimizer = getattr(torch.optim, name)(params, **options, **form)
        zero = torch.zeros(())
        arguments = [lambda: zero] if name == "LBFGS" else []

        def check() -> list[float]:
            """What the parameters add up to after three steps."""
            for _ in range(3):
                optimizer.step(*arguments)
            return [float(abs(p.detach().numpy()).sum()) for p in params]
        return Work(lambda: optimizer.step(*arguments), check)
    return work


TABLE = Table("An optimizer's step on 269,322 parameters in six tensors",
              {label: row(*spec) for label, spec in OPTIMIZERS.items()},
              engines=("minitorch", "torch", "foreach", "fused"), unit="us", seconds=0.2,
              rounds=3, tolerance=1e-4)
