"""Steps recorded as array calls and replayed: ``minitorch.compile``."""

from minitorch.plan.compiled import Compiled, OptimizedModule, Refused, compile
from minitorch.plan.plan import Plan

__all__ = ["Compiled", "OptimizedModule", "Plan", "Refused", "compile"]
