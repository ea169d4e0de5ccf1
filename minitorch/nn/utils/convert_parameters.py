"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from minitorch import engine
from minitorch.functions import cat
from minitorch.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters, one after the other."""
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Cut a vector into the parameters' shapes; they become views of its memory.

    Raises TypeError unless ``vec`` is a Tensor, RuntimeError if it is too short.
    """
    if not isinstance(vec, engine.Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    found = list(parameters)
    wanted = sum(p.numel() for p in found)
    if vec.numel() < wanted:
        raise RuntimeError(f"the vector has {vec.numel()} elements, the parameters {wanted}")
    start = 0
    for p in found:
        n = p.numel()
        p.data = vec.detach()[start:start + n].view(p.shape)
        start += n
