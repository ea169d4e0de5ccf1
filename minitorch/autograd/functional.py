"""Derivatives of a function: ``vjp``, ``jvp``, ``jacobian``, ``hessian``, ``vhp``, ``hvp``.

``inputs``, and what ``func`` returns, are a Tensor or a tuple of Tensors; so are the results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch import ops
from minitorch.autograd.arguments import (
    check_depends,
    cotangent,
    direction,
    filled,
    outputs,
    prepared,
    result,
    scalar,
    tensors,
)
from minitorch.autograd.pulling import by_columns, by_rows, pulled, transposed
from minitorch.modes import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_NOT_FORWARD = ('torch.autograd.functional.jacobian: `{0}=True` and `strategy="forward-mode"` '
                'are not supported together (yet). Please either set `{0}=False` or '
                '`strategy="reverse-mode"`.')


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """The outputs of ``func(*inputs)`` and v^T J, of the inputs' shapes, by one backward pass.

    ``v`` has the outputs' shapes; 1 if not given, for a single output of one element. With
    ``create_graph`` both results can be differentiated again. Where the outputs do not depend on
    an input, its result is zero; with ``strict`` that raises RuntimeError.

    >>> import minitorch as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.vjp(lambda x: x * x.sum(), x, torch.tensor([1.0, -1.0]))
    (tensor([3., 6.]), tensor([ 2., -4.]))
    """
    with enable_grad():
        many, xs = prepared(inputs, "vjp", create_graph)
        many_out, ys = outputs(func(*xs), "vjp", strict)
        if v is not None:
            v = cotangent(v, ys, many_out, "vjp", create_graph)
        elif len(ys) != 1 or ys[0].numel() != 1:
            raise RuntimeError("The vector v can only be None if the user-provided function "
                               "returns a single Tensor with a single element.")
    gs = filled(pulled(ys, xs, v, create_graph), xs, "back", strict, create_graph)
    return result(ys, many_out, create_graph), result(gs, many, create_graph)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """The outputs of ``func(*inputs)`` and J v, of the outputs' shapes: the pullback's pullback.

    ``v`` has the inputs' shapes; 1 if not given, for a single input of one element.
    ``create_graph`` and ``strict`` as in ``vjp``. Costs a backward pass that is recorded, and
    another through that record.

    >>> import minitorch as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.jvp(lambda x: x * x.sum(), x, torch.tensor([1.0, -1.0]))
    (tensor([3., 6.]), tensor([ 3., -3.]))
    """
    with enable_grad():
        many, xs = prepared(inputs, "jvp", create_graph)
        v = direction(v, xs, many, "jvp", create_graph)
        many_out, ys = outputs(func(*xs), "jvp", strict)
        vs, gs = transposed(ys, xs)
        check_depends(gs, "grad_inputs", strict)
    us = filled(pulled(gs, vs, v, create_graph), ys, "back_trick", strict, create_graph)
    return result(ys, many_out, create_graph), result(us, many_out, create_graph)


def jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool = False,
             strict: bool = False, vectorize: bool = False,
             strategy: str = "reverse-mode") -> Any:
    """d output / d input, of shape (*output.shape, *input.shape), for each output and input.

    A Tensor for one output and one input; a tuple over inputs (or outputs) where those are
    several; a tuple over outputs of tuples over inputs where both are. "reverse-mode" takes one
    backward pass per output entry, "forward-mode" (with ``vectorize``, as in PyTorch) one per
    input entry. ``vectorize`` changes nothing else. ``create_graph``, ``strict``: as in ``vjp``.

    >>> import minitorch as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x.sum(), torch.tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".')
    forward = strategy == "forward-mode"
    if forward and create_graph:
        raise NotImplementedError(_NOT_FORWARD.format("create_graph"))
    if forward and strict:
        raise RuntimeError(_NOT_FORWARD.format("strict"))
    if forward and not vectorize:
        raise NotImplementedError("Computing Jacobian using forward-AD or forward-over-reverse "
                                  "Hessian is only implemented for `vectorize=True`.")
    with enable_grad():
        many, xs = prepared(inputs, "jacobian", create_graph)
        many_out, ys = outputs(func(*xs), "jacobian", strict)
    if vectorize and strict:
        raise RuntimeError("torch.autograd.functional.jacobian: `strict=True` and "
                           "`vectorized=True` are not supported together. Please either set "
                           "`strict=False` or `vectorize=False`.")
    rows = by_columns(ys, xs, False) if forward else by_rows(ys, xs, create_graph, strict)
    out = tuple(result(row, many, create_graph) for row in rows)
    return out if many_out else out[0]


def hessian(func: Callable[..., Any], inputs: Any, create_graph: bool = False,
            strict: bool = False, vectorize: bool = False,
            outer_jacobian_strategy: str = "reverse-mode") -> Any:
    """The second derivatives of a ``func`` with one output of one element.

    A Tensor of shape (*input.shape, *input.shape) for a single input; else a tuple of tuples,
    [i][j] by input i and input j. The other arguments are ``jacobian``'s.

    >>> import minitorch as torch
    >>> torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    many, xs = tensors(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def f(*xs: Any) -> Any:
        return scalar(func(*xs), "hessian", strict).reshape(())

    def gradient(*xs: Any) -> Any:
        gs = jacobian(f, xs, create_graph=True)
        check_depends(gs, "jacobian", strict)
        return gs

    rows = jacobian(gradient, xs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return rows if many else rows[0][0]


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """The output of ``func(*inputs)``, one element, and v^T H: the pullback of its gradient.

    Arguments as for ``jvp``. Costs less than ``hvp``, and H is symmetric where the second
    derivatives are continuous.

    >>> import minitorch as torch
    >>> x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0])
    >>> torch.autograd.functional.vhp(lambda x: (x ** 3).sum(), x, v)
    (tensor(9.), tensor([  6., -12.]))
    """
    many, xs, v, y, gs = _gradient(func, inputs, v, "vhp", create_graph, strict)
    out = filled(pulled(gs, xs, v, create_graph), xs, "double_back", strict, create_graph)
    return result([y], False, create_graph), result(out, many, create_graph)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """The output of ``func(*inputs)``, one element, and H v, the derivative of its gradient.

    Arguments as for ``jvp``.

    >>> import minitorch as torch
    >>> x, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0])
    >>> torch.autograd.functional.hvp(lambda x: (x ** 3).sum(), x, v)
    (tensor(9.), tensor([  6., -12.]))
    """
    many, xs, v, y, gs = _gradient(func, inputs, v, "hvp", create_graph, strict)
    with enable_grad():
        gs = [ops.zeros_like(x) if g is None else g for x, g in zip(xs, gs)]
        vs, double = transposed(gs, xs)
    out = filled(pulled(double, vs, v, create_graph), xs, "double_back_trick", strict,
                  create_graph)
    return result([y], False, create_graph), result(out, many, create_graph)


def _gradient(func: Callable[..., Any], inputs: Any, v: Any, name: str, create_graph: bool,
              strict: bool) -> tuple[bool, list[Any], Any, Any, list[Any]]:
    """Inputs, direction, output and recorded gradient, for ``vhp`` and ``hvp``."""
    with enable_grad():
        many, xs = prepared(inputs, name, create_graph)
        v = direction(v, xs, many, name, create_graph)
        y = scalar(func(*xs), name, strict)
        gs = pulled([y], xs, create_graph=True)
        check_depends(gs, "jacobian", strict)
    return many, xs, v, y, gs
