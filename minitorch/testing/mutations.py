"""Wrong gradients, on purpose: what a check of gradients must not let pass."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.testing.adapters import adapt
from minitorch.testing.changes import MUTATIONS, UNBROADCAST, Change
from minitorch.testing.rules import Mutant

Array = Any

def mutate(f: Any, change: str | Change, input: int | str = 0) -> Any:
    """``f`` with the gradient of one input spoiled; its values stay.

    ``f`` is a function of minitorch or PyTorch tensors, or a NumPy pair ``(f, pullback)``;
    ``change`` names one of ``MUTATIONS``, or is "un-broadcast dropped" (of the axes that
    broadcasting gave ``input``, only the first slice comes back), or is a function of the gradient,
    a NumPy array. ``f`` may also be the name of an operator of minitorch: then the result is a
    context manager, in which the operator's rule for ``input`` (a position or a parameter's name)
    is a wrong one. Raises ValueError for a name that does not exist.

    >>> import numpy as np
    >>> from minitorch.testing import check_grad, mutate
    >>> square = (np.square, lambda v, x: 2 * x * v)
    >>> report = check_grad(mutate(square, "x2"), np.array([1.0, 2.0]), raise_exception=False)
    >>> report.verdict, report.cause
    ('fail', '×2 everywhere')
    >>> import minitorch as torch
    >>> x = torch.tensor(0.0, requires_grad=True)
    >>> with mutate("tanh", "x2"):
    ...     torch.tanh(x).backward()
    >>> x.grad
    tensor(2.)
    """
    if isinstance(f, str):
        return Mutant(f, change, input)
    if isinstance(input, str):
        raise ValueError(f"an input of a function is given by its position, got {input!r}")
    if isinstance(change, str) and change not in (*MUTATIONS, UNBROADCAST):
        raise ValueError(f"there is no mutation {change!r}: one of "
                         f"{', '.join((*MUTATIONS, UNBROADCAST))}, or a function")
    wrong: Any = MUTATIONS.get(change, first_only) if isinstance(change, str) else change
    dropped = getattr(wrong, "change", wrong) is first_only
    return (spoilt_pair if isinstance(f, tuple) else spoilt_function)(f, wrong, input, dropped)


def spoilt_pair(f: Any, wrong: Any, input: int, dropped: bool) -> Any:
    def pullback(v: Any, *inputs: Any) -> Any:
        gs = f[1](v, *inputs)
        gs = list(gs) if isinstance(gs, (tuple, list)) else [gs]
        shape = np.shape(inputs[input])
        if not dropped:
            gs[input] = wrong(np.asarray(gs[input]))
        elif is_broadcast(shape, np.shape(v)):
            some = f[1](wrong(v, shape), *inputs)
            gs[input] = some[input] if isinstance(some, (tuple, list)) else some
        return tuple(gs)
    return f[0], pullback


def spoilt_function(f: Any, wrong: Any, input: int, dropped: bool) -> Any:
    def spoiled(*inputs: Any) -> Any:
        args = list(inputs)
        x = args[input]
        if x.requires_grad:
            lib = sys.modules[adapt(f, inputs).framework]
            shape = tuple(x.shape)
            wide = broadcast_shape(lib, f, args, input) if dropped else None
            if dropped and wide is None:
                return f(*args)

            def spoil(g: Any) -> Any:
                if g is None:  # PyTorch's gradcheck leaves cotangents undefined
                    return None
                g, device = g.detach().cpu().numpy(), g.device
                new = wrong(g, shape) if dropped else wrong(g)
                return lib.from_numpy(np.array(new)).to(device)
            x = x.view_as(x) if wide is None else x.expand(wide).clone()
            x.register_hook(spoil)
            args[input] = x
        return f(*args)
    return spoiled


def is_broadcast(shape: tuple[int, ...], wide: tuple[int, ...]) -> bool:
    try:
        return shape != wide and np.broadcast_shapes(shape, wide) == wide
    except ValueError:
        return False


def broadcast_shape(lib: Any, f: Callable[..., Any], args: list[Any], input: int
                    ) -> tuple[int, ...] | None:
    """What ``f`` broadcasts an input to: a shape that changes no value; None if there is none."""
    def values(*args: Any) -> Any:
        with lib.no_grad(), lib.random.fork_rng():
            return f(*args)
    y, x = values(*args), args[input]
    others = [tuple(a.shape) for a in (*args, y) if isinstance(a, lib.Tensor)]
    for wide in sorted({s for s in others if is_broadcast(tuple(x.shape), s)}, key=len):
        try:
            z = values(*args[:input], x.expand(wide), *args[input + 1:])
            if z.shape == y.shape and bool((abs(z - y) <= 1e-6 * abs(y)).all()):
                return wide
        except Exception:  # f takes no such input
            continue
    return None


def first_only(g: Array, shape: tuple[int, ...]) -> Array:
    """``g`` in the first slice of the axes that broadcasting added to ``shape``; 0 elsewhere.

    It is the cotangent of what was broadcast, or for NumPy code of the whole output.
    """
    index = (0,) * (g.ndim - len(shape)) + tuple(slice(n) for n in shape)
    kept = np.zeros_like(g)
    kept[index] = g[index]
    return kept
