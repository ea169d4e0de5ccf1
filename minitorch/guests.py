"""Tensors of other libraries beside ours: a torchvision dataset yields PyTorch's own.

Whatever speaks DLPack is taken as a constant that shares its memory. Where a PyTorch tensor's
method meets one of our objects, PyTorch asks that object's ``__torch_function__``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minitorch import backend, dtypes
from minitorch.engine import wrap
from minitorch.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])


def adopt(x: Any) -> Any:
    """Another library's tensor as ours, also inside a list or tuple; anything else as it is."""
    if type(x) in (list, tuple):
        found = [adopt(item) for item in x]
        return type(x)(found) if any(a is not b for a, b in zip(found, x)) else x
    if isinstance(x, (Tensor, np.ndarray, np.generic)) or not hasattr(x, "__dlpack__"):
        return x
    return wrap(np.from_dlpack(x))


def welcoming(function: F) -> F:
    """``function``, called again with guests adopted where it does not take them as they are.

    That is sound because functions refuse their arguments before anything is changed; and it
    costs nothing where there are no guests.
    """
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (AttributeError, IndexError, TypeError):
            adopted, named = adopt(args), {name: adopt(x) for name, x in kwargs.items()}
            if adopted is args and all(x is kwargs[name] for name, x in named.items()):
                raise
        return function(*adopted, **named)
    return call  # type: ignore[return-value]


def _met(cls: Any, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """A method of a PyTorch tensor with one of ours, or our dtype or device, among its arguments.

    The result is ours: ``theirs.to(device)``, ``theirs == ours``, ``theirs[ours]``.
    """
    ours = getattr(Tensor, function.__name__, None)
    if ours is None:
        return NotImplemented
    return ours(*adopt(args), **{name: adopt(x) for name, x in (kwargs or {}).items()})


for _kind in (Tensor, dtypes.dtype, backend.device):
    setattr(_kind, "__torch_function__", classmethod(_met))
