"""Functions into functions: derivatives, per-slice application, modules as functions."""

from minitorch.func.batching import vmap
from minitorch.func.jacobians import hessian, jacfwd, jacrev
from minitorch.func.modules import functional_call
from minitorch.func.transforms import grad, grad_and_value, jvp, vjp

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp",
           "vjp", "vmap"]
