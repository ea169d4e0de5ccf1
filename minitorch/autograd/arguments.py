"""What goes into ``autograd.functional`` and what comes out: tuples or single tensors, strictness.

The sentences are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch import ops
from minitorch.engine import Tensor

_NO_VALUE = {
    "back": "The output of the user-provided function is independent of input {}. This is not "
            "allowed in strict mode.",
    "back_trick": "The gradient with respect to the input is independent of entry {} in the "
                  "grad_outputs when using the double backward trick to compute forward mode "
                  "gradients. This is not allowed in strict mode.",
    "double_back": "The jacobian of the user-provided function is independent of input {}. This is "
                   "not allowed in strict mode.",
    "double_back_trick": "The hessian of the user-provided function is independent of entry {} in "
                         "the grad_jacobian. This is not allowed in strict mode as it prevents "
                         "from using the double backward trick to replace forward mode AD.",
}
_NO_GRAPH = {
    "outputs": "Output {} of the user-provided function does not require gradients. The outputs "
               "must be computed in a differentiable manner from the input when running in strict "
               "mode.",
    "grad_inputs": "The gradient with respect to input {} is independent of the inputs of the "
                   "user-provided function. This is not allowed in strict mode.",
    "jacobian": "While computing the hessian, found that the jacobian of the user-provided "
                "function with respect to input {} is independent of the input. This is not "
                "allowed in strict mode. You should ensure that your function is twice "
                "differentiable and that the jacobian depends on the inputs (this would be "
                "violated by a linear function for example).",
}


def tensors(given: Any, what: str, name: str) -> tuple[bool, tuple[Any, ...]]:
    """Whether it is a tuple, and the tuple; raises TypeError for what is no Tensor."""
    many = isinstance(given, tuple)
    given = given if many else (given,)
    for i, x in enumerate(given):
        if not isinstance(x, Tensor):
            which = f"value at index {i}" if many else f"given {what}"
            raise TypeError(f"The {what} given to {name} must be either a Tensor or a tuple of "
                            f"Tensors but the {which} has type {type(x)}.")
    return many, given


def prepared(inputs: Any, name: str, create_graph: bool) -> tuple[bool, list[Any]]:
    """The inputs to differentiate by: new leaves, or part of the graph they came in."""
    many, xs = tensors(inputs, "inputs", name)
    return many, _fresh(xs, create_graph, True)


def _fresh(xs: Sequence[Any], create_graph: bool, need_graph: bool) -> list[Any]:
    return [x.view_as(x) if create_graph and x.requires_grad
            else x.detach().requires_grad_(need_graph) for x in xs]


def outputs(given: Any, name: str, strict: bool) -> tuple[bool, tuple[Any, ...]]:
    many, ys = tensors(given, "outputs of the user-provided function", name)
    check_depends(ys, "outputs", strict)
    return many, ys


def scalar(given: Any, name: str, strict: bool) -> Any:
    """The only output, of one element."""
    many, ys = outputs(given, name, strict)
    if many:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if ys[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a "
                           f"single element")
    return ys[0]


def cotangent(v: Any, like: Sequence[Any], many: bool, name: str, create_graph: bool) -> list[Any]:
    """``v`` as a list of tensors of the shapes of ``like``; raises RuntimeError for others."""
    _, given = tensors(v, "v", name)
    vs = _fresh(given, create_graph, False)
    if len(vs) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got "
                           f"{len(vs)}." if many else
                           "The given v should contain a single Tensor.")
    for i, (v, y) in enumerate(zip(vs, like)):
        if v.shape != y.shape:
            entry = f"Entry {i} in " if many else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {y.size()} but got "
                               f"{v.size()}.")
    return vs


def direction(v: Any, xs: Sequence[Any], many: bool, name: str,
              create_graph: bool) -> list[Any] | None:
    """``v`` beside the inputs; None stands for 1, if they are one element."""
    if v is not None:
        return cotangent(v, xs, many, name, create_graph)
    if len(xs) != 1 or xs[0].numel() != 1:
        raise RuntimeError("The vector v can only be None if the input to the user-provided "
                           "function is a single Tensor with a single element.")
    return None


def check_depends(found: Sequence[Any], what: str, strict: bool) -> None:
    """With ``strict``, raise RuntimeError for a tensor that does not require grad."""
    for i, x in enumerate(found if strict else ()):
        if x is None:
            raise RuntimeError(_NO_VALUE["back"].format(i))
        if not x.requires_grad:
            raise RuntimeError(_NO_GRAPH[what].format(i))


def filled(gs: Sequence[Any], like: Sequence[Any], stage: str, strict: bool,
           create_graph: bool) -> list[Any]:
    """Zeros for None, which ``strict`` refuses; with ``create_graph`` also what has no graph."""
    for i, g in enumerate(gs if strict else ()):
        if g is None:
            raise RuntimeError(_NO_VALUE[stage].format(i))
        if create_graph and not g.requires_grad:
            what = "hessian" if "double" in stage else "jacobian"
            raise RuntimeError(f"The {what} of the user-provided function is independent of input "
                               f"{i}. This is not allowed in strict mode when create_graph=True.")
    return [ops.zeros_like(x) if g is None else g for g, x in zip(gs, like)]


def result(found: Sequence[Any], many: bool, create_graph: bool) -> Any:
    """A tuple, or the only one; detached unless ``create_graph``."""
    out = tuple(found if create_graph else [x.detach() for x in found])
    return out if many else out[0]
