"""Gradient checks that need no tolerances, for minitorch, PyTorch, JAX and NumPy code."""

from minitorch.testing.check import (
    UnsureGradient,
    UnsureGradientWarning,
    WrongGradient,
    check_grad,
)
from minitorch.testing.controls import assert_detects_wrong_grad
from minitorch.testing.divergence import first_divergence
from minitorch.testing.mutations import MUTATIONS, mutate
from minitorch.testing.oracle import assert_same_as_torch
from minitorch.testing.report import Report

__all__ = ["MUTATIONS", "Report", "UnsureGradient", "UnsureGradientWarning", "WrongGradient",
           "assert_detects_wrong_grad", "assert_same_as_torch", "check_grad", "first_divergence",
           "mutate"]
