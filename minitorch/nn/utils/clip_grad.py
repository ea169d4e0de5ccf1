"""Gradients kept from growing too large."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable
from typing import Any

from minitorch import backend, engine, ops
from minitorch.creation import tensor
from minitorch.inplace import wrote
from minitorch.modes import no_grad
from minitorch.tensor import Tensor


def _listed(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, engine.Tensor) else list(tensors)


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0,
                   error_if_nonfinite: bool = False, foreach: bool | None = None) -> Tensor:
    """The norm of all elements of all tensors, as if they were one vector.

    Raises RuntimeError if it is nan or inf and ``error_if_nonfinite``.
    """
    xs, p = _listed(tensors), float(norm_type)
    if not xs:
        return tensor(0.0)
    with no_grad():
        total = ops.vector_norm(ops.stack(0, *[ops.vector_norm(x, p) for x in xs]), p)
    if error_if_nonfinite and not backend.namespace(total.array).isfinite(total.array):
        raise RuntimeError(
            f"The total norm of order {p} for gradients from `parameters` is non-finite, so it "
            f"cannot be clipped. To disable this error and scale the gradients by the non-finite "
            f"norm anyway, set `error_if_nonfinite=False`")
    return total


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float,
                          total_norm: Tensor, foreach: bool | None = None) -> None:
    """Scale gradients by ``max_norm / (total_norm + 1e-6)`` where that is below 1, in place."""
    norm = total_norm.array
    scale = backend.namespace(norm).minimum(float(max_norm) / (norm + 1e-6), 1.0)
    for p in _listed(parameters):
        if p.grad is not None:
            g = p.grad
            g.array *= scale.astype(g.array.dtype)
            wrote(g)


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float,
                    norm_type: float = 2.0, error_if_nonfinite: bool = False,
                    foreach: bool | None = None) -> Tensor:
    """Scale all gradients down together so that their total norm is at most ``max_norm``.

    In place; returns the norm before (Pascanu et al. 2013).

    >>> import minitorch as torch
    >>> x = torch.tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x / 2).sum().backward()
    >>> torch.nn.utils.clip_grad_norm_([x], 1.0)
    tensor(5.)
    >>> x.grad
    tensor([0.6000, 0.8000])
    """
    xs = _listed(parameters)
    if not xs and isinstance(parameters, types.GeneratorType):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.",
                      stacklevel=2)
    total = get_total_norm([p.grad for p in xs if p.grad is not None], norm_type,
                           error_if_nonfinite)
    clip_grads_with_norm_(xs, max_norm, total)
    return total


def clip_grad_norm(*args: Any, **kwargs: Any) -> Tensor:
    """The old name of ``clip_grad_norm_``; warns."""
    warnings.warn("`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
                  "`torch.nn.utils.clip_grad_norm_`.", FutureWarning, stacklevel=2)
    return clip_grad_norm_(*args, **kwargs)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float,
                     foreach: bool | None = None) -> None:
    """Limit every gradient element to ±``clip_value``, in place."""
    limit = float(clip_value)
    for p in _listed(parameters):
        if p.grad is not None:
            g = p.grad
            backend.namespace(g.array).clip(g.array, -limit, limit, out=g.array)
            wrote(g)


__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_",
           "get_total_norm"]
