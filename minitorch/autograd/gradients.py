"""Gradients on request: ``backward`` fills ``.grad``, ``grad`` returns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch import backend
from minitorch.engine import Node, Tensor, backpropagate, wrap
from minitorch.errors import advised
from minitorch.views import refresh


def _sequence(x: Any) -> list[Any]:
    return [x] if isinstance(x, Tensor) or x is None else list(x)


def _roots(outputs: Any, cotangents: Any) -> list[tuple[Node, Any]]:
    """Pair each output's node with its cotangent; raise for what cannot start a backward pass."""
    outputs = _sequence(outputs)
    given = [None] * len(outputs) if cotangents is None else _sequence(cotangents)
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    roots = []
    for i, (y, g) in enumerate(zip(outputs, given)):
        refresh(y)
        if y.node is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have "
                               f"a grad_fn")
        if g is None:
            if y.array.size != 1:
                raise advised(
                    RuntimeError("grad can be implicitly created only for scalar outputs"),
                    f"This one has shape {tuple(y.array.shape)}: reduce it first, as in .sum(), or "
                    f"pass the gradient to backward().")
            g = wrap(backend.namespace(y.array).ones_like(y.array))
        elif not isinstance(g, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g.array.shape != y.array.shape:
            raise RuntimeError(f"Mismatch in shape: grad_output[{i}] has a shape of "
                               f"{g.shape} and "  # type: ignore[attr-defined]
                               f"output[{i}] has a shape of {y.shape}.")
        if g.array.dtype != y.array.dtype:
            g = wrap(g.array.astype(y.array.dtype), g.node)
        roots.append((y.node, g))
    return roots


def backward(tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None,
             create_graph: bool = False, inputs: Any = None) -> None:
    """Add the gradients of ``tensors`` to the ``.grad`` of every leaf, or only of ``inputs``.

    ``grad_tensors``: the cotangent of each tensor, of its shape; 1 for scalars if not given.

    >>> import minitorch as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    roots = _roots(tensors, grad_tensors)
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        backpropagate(roots, retain_graph=retain, create_graph=create_graph)
        return
    inputs = _sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward` cannot be empty.")
    targets = _targets(inputs)
    found = backpropagate(roots, targets=targets, retain_graph=retain, create_graph=create_graph)
    for x, node in zip(inputs, targets):
        if node in found:
            x._grad = found[node] if x._grad is None else x._grad + found[node]


def _targets(inputs: Sequence[Any]) -> list[Node]:
    for x in inputs:
        refresh(x)
        if x.node is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    return [x.node for x in inputs]


def grad(outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
         create_graph: bool = False, only_inputs: bool = True, allow_unused: bool | None = None,
         is_grads_batched: bool = False, materialize_grads: bool = False) -> tuple[Any, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``; no ``.grad`` is touched.

    Raises RuntimeError for an input that the outputs do not depend on, unless ``allow_unused``
    (then None stands for it) or ``materialize_grads`` (then zeros).

    >>> import minitorch as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (dx,) = torch.autograd.grad(x ** 3, x, create_graph=True)
    >>> torch.autograd.grad(dx, x)
    (tensor(18.),)
    """
    if is_grads_batched:
        raise RuntimeError("is_grads_batched=True is not supported: call grad() once per cotangent")
    roots = _roots(outputs, grad_outputs)
    inputs = _sequence(inputs)
    targets = _targets(inputs)
    found = backpropagate(roots, targets=targets, create_graph=create_graph,
                          retain_graph=create_graph if retain_graph is None else retain_graph)
    out = []
    for x, node in zip(inputs, targets):
        g = found.get(node)
        if g is None and materialize_grads:
            g = wrap(backend.namespace(x.array).zeros_like(x.array))
        elif g is None and not allow_unused:
            raise RuntimeError("One of the differentiated Tensors appears to not have been used "
                               "in the graph. Set allow_unused=True if this is the desired "
                               "behavior.")
        out.append(g)
    return tuple(out)
