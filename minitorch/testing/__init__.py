"""Gradient checks that need no tolerances, for minitorch, PyTorch, JAX and NumPy code."""

from typing import Any

from minitorch.testing.adjoint import check_adjoint
from minitorch.testing.changes import MUTATIONS
from minitorch.testing.check import (
    UnsureGradient,
    UnsureGradientWarning,
    WrongGradient,
    check_grad,
)
from minitorch.testing.controls import assert_detects_wrong_grad
from minitorch.testing.divergence import first_divergence
from minitorch.testing.mutations import mutate
from minitorch.testing.oracle import assert_same_as_torch
from minitorch.testing.report import Report
from minitorch.testing.score import MutationScore, mutation_score
from minitorch.testing.taylor import check_taylor

__all__ = ["MUTATIONS", "MutationScore", "Report", "UnsureGradient", "UnsureGradientWarning",
           "WrongGradient", "assert_detects_wrong_grad", "assert_same_as_torch", "check_adjoint",
           "check_grad", "check_taylor", "first_divergence", "mutate", "mutation_score"]


def __getattr__(name: str) -> Any:
    """The databases, which need Hypothesis, are loaded when they are asked for."""
    if name in ("op_db", "module_db", "optim_db"):
        from minitorch.testing import db
        return getattr(db, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
