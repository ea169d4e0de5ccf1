"""Wrong gradients, on purpose: what a check of gradients must not let pass."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.testing.adapters import adapt

Array = Any


def drop_one(g: Array) -> Array:
    g = g.copy()
    g.reshape(-1)[g.size // 2: g.size // 2 + 1] = 0
    return g


MUTATIONS: dict[str, Callable[[Array], Array]] = {
    "zero": lambda g: g * 0,
    "sign": lambda g: -g,
    "x2": lambda g: g * 2,
    "x1.01": lambda g: g * g.dtype.type(1.01),
    "x(1+1e-4)": lambda g: g * g.dtype.type(1 + 1e-4),
    "transposed": lambda g: np.swapaxes(g, -1, -2).reshape(g.shape) if g.ndim > 1 else g,
    "one entry dropped": drop_one,
    "rolled": lambda g: np.roll(g, 1),
}


def mutate(f: Any, change: str | Callable[[Array], Array], input: int = 0) -> Any:
    """``f`` with the gradient of one input spoiled; its values stay.

    ``f`` is a function of minitorch or PyTorch tensors, or a NumPy pair ``(f, pullback)``;
    ``change`` names one of ``MUTATIONS`` or is a function of the gradient, a NumPy array.

    >>> import numpy as np
    >>> from minitorch.testing import check_grad, mutate
    >>> square = (np.square, lambda v, x: 2 * x * v)
    >>> report = check_grad(mutate(square, "x2"), np.array([1.0, 2.0]), raise_exception=False)
    >>> report.verdict, report.cause
    ('fail', '×2 everywhere')
    """
    wrong = MUTATIONS[change] if isinstance(change, str) else change
    if isinstance(f, tuple):
        def pullback(v: Any, *inputs: Any) -> Any:
            gs = f[1](v, *inputs)
            gs = list(gs) if isinstance(gs, (tuple, list)) else [gs]
            gs[input] = wrong(np.asarray(gs[input]))
            return tuple(gs)
        return f[0], pullback

    def spoiled(*inputs: Any) -> Any:
        args = list(inputs)
        x = args[input]
        if x.requires_grad:
            lib = sys.modules[adapt(f, inputs).framework]

            def spoil(g: Any) -> Any:
                if g is None:  # PyTorch's gradcheck leaves cotangents undefined
                    return None
                return lib.from_numpy(np.array(wrong(g.detach().cpu().numpy()))).to(g.device)
            x = x.view_as(x)
            x.register_hook(spoil)
            args[input] = x
        return f(*args)
    return spoiled


