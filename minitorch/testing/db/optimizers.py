"""``optim_db``: every optimizer of dense gradients, with options drawn that it accepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minitorch.testing.db.database import Database, Entry
from minitorch.testing.db.runs import Run
from minitorch.testing.drawing import st

RATE = st.floats(1e-3, 0.05)
DECAY = st.sampled_from([0.0, 0.01, 0.3])
EPS = st.sampled_from([1e-8, 1e-3])
FLAG = st.booleans()
# The average under a root must have a memory: without one a step is nearly the sign of g, and where
# g crosses 0 rounding decides. (Two steps with none are a test of their own.)
MEMORY = st.floats(0.9, 0.9999)
BETAS = st.tuples(st.floats(0, 0.95), MEMORY)
WAYS = {"foreach": st.sampled_from([None, False])}  # accepted: they change nothing

OPTIONS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "SGD": dict(lr=RATE, momentum=st.sampled_from([0.0, 0.5, 0.9]), nesterov=FLAG,
                dampening=st.sampled_from([0.0, 0.1]), weight_decay=DECAY, maximize=FLAG),
    "Adadelta": dict(lr=st.floats(0.01, 0.2), rho=MEMORY, eps=st.sampled_from([1e-6, 1e-3]),
                     weight_decay=DECAY, maximize=FLAG),
    "Adagrad": dict(lr=RATE, lr_decay=st.sampled_from([0.0, 0.1]), weight_decay=DECAY,
                    initial_accumulator_value=st.sampled_from([0.0, 0.1]), eps=EPS, maximize=FLAG),
    "Adam": dict(lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY, amsgrad=FLAG, maximize=FLAG,
                 decoupled_weight_decay=FLAG),
    "AdamW": dict(lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY, amsgrad=FLAG, maximize=FLAG),
    "Adamax": dict(lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY, maximize=FLAG),
    "ASGD": dict(lr=RATE, lambd=st.sampled_from([0.0, 1e-4, 0.1]), alpha=st.floats(0.3, 1),
                 t0=st.sampled_from([0.0, 5.0, 1e6]), weight_decay=DECAY, maximize=FLAG),
    "NAdam": dict(lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY,
                  momentum_decay=st.sampled_from([0.0, 4e-3, 0.1]), decoupled_weight_decay=FLAG,
                  maximize=FLAG),
    # Both sides of the rectification: b2 under 0.67 never reaches rho > 5; 0.844 and larger ones do
    # at step 6, 0.844 only just.
    "RAdam": dict(lr=RATE, betas=st.tuples(st.floats(0, 0.95),
                                           st.sampled_from([0.5, 0.844, 0.9, 0.999])),
                  eps=EPS, weight_decay=DECAY, decoupled_weight_decay=FLAG, maximize=FLAG),
    "RMSprop": dict(lr=RATE, alpha=MEMORY, eps=EPS, weight_decay=DECAY,
                    momentum=st.sampled_from([0.0, 0.005, 0.9]), centered=FLAG, maximize=FLAG),
    "Rprop": dict(lr=RATE, etas=st.tuples(st.floats(0.2, 0.8), st.floats(1.05, 1.5)),
                  step_sizes=st.sampled_from([(1e-6, 50), (1e-3, 0.02)]), maximize=FLAG),
}


@st.composite
def options(draw: Any, name: str) -> dict[str, Any]:
    """Options that the optimizer accepts."""
    out: dict[str, Any] = draw(st.fixed_dictionaries(OPTIONS[name], optional=WAYS))
    if name == "SGD" and (not out["momentum"] or out["nesterov"]):
        out["dampening"], out["nesterov"] = 0.0, bool(out["momentum"]) and out["nesterov"]
    if name == "RMSprop" and out["centered"]:
        out["eps"] = 1e-3  # v - mean(g)**2 is nothing but rounding where gradients hardly change
    return out


@dataclass(frozen=True)
class Optimizer(Entry):
    """One class of ``optim``, by its name.

    >>> from hypothesis import find
    >>> import minitorch
    >>> from minitorch.testing import optim_db
    >>> find(optim_db["AdamW"].options(), lambda options: True)["eps"]
    1e-08
    >>> run = optim_db["SGD"].run(minitorch, {"lr": 0.1, "momentum": 0.9})
    >>> a, b, c = run.steps(10)
    >>> a.shape, b.shape, c.shape, len(run.optimizer.param_groups)
    ((3, 4), (4,), (), 2)
    """

    name: str

    def options(self) -> st.SearchStrategy[dict[str, Any]]:
        """A strategy for keyword arguments that the optimizer accepts."""
        return options(self.name)

    def run(self, lib: Any, options: dict[str, Any], dtype: str = "float64", seed: int = 0) -> Run:
        """A small problem that ``lib``'s optimizer minimises: see ``Run``."""
        return Run(lib, self.name, options, dtype, seed)


# LBFGS takes a closure, and SparseAdam sparse gradients: neither runs in the place of another.
optim_db = Database(map(Optimizer, OPTIONS))
