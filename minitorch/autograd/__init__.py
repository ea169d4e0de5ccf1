"""Derivatives: ``backward``, ``grad``, custom ``Function``s, anomaly mode."""

import importlib
from typing import Any

from minitorch.anomaly import detect_anomaly, set_detect_anomaly
from minitorch.autograd import functional as functional
from minitorch.autograd.function import Function
from minitorch.autograd.gradients import backward, grad
from minitorch.autograd.variable import Variable
from minitorch.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = ["Function", "Variable", "backward", "detect_anomaly", "enable_grad",
           "functional", "grad",
           "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled"]


def __getattr__(name: str) -> Any:
    """The gradient checkers live upstairs, in ``minitorch.testing``."""
    if name in ("gradcheck", "gradgradcheck"):
        return getattr(importlib.import_module("minitorch.testing.gradcheck"), name)
    raise AttributeError(f"module 'minitorch.autograd' has no attribute '{name}'")
