"""Dropout by the GPU's own generator: no mask is drawn on the CPU, copied there, or stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd import Function
from minitorch.cuda import random
from minitorch.engine import wrap
from minitorch.kernels.cuda import written
from minitorch.nn.functional import layers
from minitorch.tensor import Tensor

Array = Any  # cupy.ndarray


def dropped(x: Array, state: Array, p: float) -> Array:
    """``x`` in new memory, elements zeroed as ``state`` draws, the others times ``1 / (1 - p)``."""
    xp = backend.namespace(x)
    out = xp.empty(x.shape, x.dtype)
    written.dropout(xp.ascontiguousarray(x), state, p, out)
    return out


class Dropout(Function):
    """Its backward pass is itself, on the cotangent: the same state draws the same mask."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, state: Array, p: float) -> Tensor:
        ctx.state, ctx.p = state, p
        return wrap(dropped(x.array, state, p))

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        return Dropout.apply(gs[0], ctx.state, ctx.p), None, None


def dropout(input: Tensor, p: float) -> Tensor | None:
    """``input`` with elements zeroed with probability ``p``; None where no kernel takes it."""
    if not written.fit(input.array):
        return None
    state = backend.namespace(input.array).empty(2, np.uint64)
    written.take(random.state(input.device), input.array.size, state)
    out: Tensor = Dropout.apply(input, state, p)
    return out


layers.dropout_there = dropout
