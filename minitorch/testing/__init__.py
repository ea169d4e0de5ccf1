"""Gradient checks that need no tolerances, for minitorch, PyTorch, JAX and NumPy code."""

from minitorch.testing.changes import MUTATIONS
from minitorch.testing.check import (
    UnsureGradient,
    UnsureGradientWarning,
    WrongGradient,
    check_grad,
)
from minitorch.testing.controls import assert_detects_wrong_grad
from minitorch.testing.mutations import mutate
from minitorch.testing.report import Report
from minitorch.testing.score import MutationScore, mutation_score

__all__ = ["MUTATIONS", "MutationScore", "Report", "UnsureGradient", "UnsureGradientWarning",
           "WrongGradient", "assert_detects_wrong_grad", "check_grad", "mutate", "mutation_score"]
