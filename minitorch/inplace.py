"""Writing into tensors: what it does to the graph.

An in-place form computes its operator out of place, copies the result into the tensor's memory,
counts the write (every alias sees the count; a saved value that changed is an error at backward),
and gives the tensor the result's history. A write through a view gives its base a new history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import anomaly, backend, dtypes, engine, ops
from minitorch.coo import Coo
from minitorch.engine import Leaf, shown_as, wrap
from minitorch.modes import modes
from minitorch.primitive import Primitive
from minitorch.views import node_of, refresh


def require_own_places(x: Any) -> None:
    """Raise RuntimeError unless each element of ``x`` has a place in memory of its own."""
    array = x.array
    if not backend.writable(array) or (array.size and any(
            not step and n > 1 for step, n in zip(array.strides, array.shape))):
        raise RuntimeError("unsupported operation: more than one element of the written-to tensor "
                           "refers to a single memory location, or the memory is read-only. "
                           "Please clone() the tensor before performing the operation.")


def check_writable(x: Any) -> None:
    """Raise before anything is changed if ``x`` must not be written into."""
    refresh(x)
    if modes.grad:
        if isinstance(x.node, Leaf):
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place "
                               "operation. Do it inside torch.no_grad(), or on a copy.")
        if x.alias_of is not None and isinstance(x.alias_of.base.node, Leaf):
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an "
                               "in-place operation. Do it inside torch.no_grad(), or on a copy.")
    if not (x.array.flags.c_contiguous and backend.writable(x.array)):
        require_own_places(x)


def check_result(x: Any, out: Any) -> None:
    """Raise unless ``x`` can take the values of ``out``."""
    if out.array.shape != x.array.shape:
        raise RuntimeError(f"output with shape {list(x.array.shape)} doesn't match the broadcast "
                           f"shape {list(out.array.shape)}")
    if not dtypes.castable(out.array.dtype, x.array.dtype):
        raise RuntimeError(f"result type {out.dtype.legacy} can't be cast to the desired output "
                           f"type {x.dtype.legacy}")


def assign(x: Any, out: Any) -> Any:
    """Give ``x`` the values of ``out`` and, where it was recorded, its history."""
    check_result(x, out)
    if out.node is not None and x.alias_of is not None:
        x.alias_of.check()
    x.array[...] = out.array
    wrote(x)
    if out.node is None:
        if x.node is None or not modes.grad:
            return x
        out = ops.overwrite(wrap(x.array, x.node), out)  # what x was no longer matters
    keep_result(out.node, out, x)
    if x.alias_of is None:
        x.node = out.node
        x.epoch += 1
    else:
        base = x.alias_of.base
        base.node = ops.view_put(wrap(base.array, base.node), out, x.alias_of).node
        base.epoch += 1
        refresh(x)
    return x


def keep_result(node: Any, out: Any, x: Any) -> None:
    """Where the graph kept the result, let it keep the memory of ``x``: a later write shows."""
    if node.saved and x.array.dtype == out.array.dtype and any(v is out.array for v in node.saved):
        node.saved = tuple([x.array if v is out.array else v for v in node.saved])
        node.versions = tuple([(x.version, x.version[0], what) if counter is out.version
                               else (counter, before, what)
                               for counter, before, what in node.versions])


def wrote(x: Any) -> None:
    """Count a write into the memory of ``x``."""
    x.version[0] += 1
    if modes.anomaly:
        anomaly.note_write(x.version)


def inplace(operator: Any) -> Callable[..., Any]:
    """The in-place form of an operator or function whose first argument is the tensor."""
    keeps = not isinstance(operator, Primitive) or any(
        operator.parameters[0] in names for names in operator.needs.values())

    def method(input: Any, *args: Any, **kwargs: Any) -> Any:
        check_writable(input)
        source = input
        if keeps and modes.grad and (input.node is not None or any(
                isinstance(a, engine.Tensor) and node_of(a) is not None
                for a in (*args, *kwargs.values()))):
            source = wrap(input.array.copy(), input.node)  # the graph keeps what is overwritten
        return assign(input, operator(source, *args, **kwargs))

    name = getattr(operator, "__name__", "operator")
    method.__name__ = f"{name}_"
    method.__doc__ = f"``{name}``, written into this tensor's memory."
    return method


def copy_(input: Any, src: Any, non_blocking: bool = False) -> Any:
    """Write the values of ``src``, broadcast and converted, into this tensor."""
    if not isinstance(src, (engine.Tensor, int, float, np.ndarray, np.generic)):
        raise TypeError(f"copy_(): argument 'src' must be Tensor, not {type(src).__name__}")
    check_writable(input)
    src = _beside(input, src)
    recorded = input.node is not None or (isinstance(src, engine.Tensor)
                                          and node_of(src) is not None)
    if not (modes.grad and recorded):
        xp = backend.namespace(input.array)
        input.array[...] = ops.overwrite.forward(xp, input.array, getattr(src, "array", src))
        wrote(input)
        return input
    return assign(input, ops.overwrite(wrap(input.array, input.node), src))


def _beside(x: Any, src: Any) -> Any:
    """``src`` on the device of ``x``: copies go from one to another."""
    if not isinstance(src, engine.Tensor) or type(src.array) is type(x.array):
        return src
    here = backend.device_of(x.array)
    return src if backend.device_of(src.array) == here else ops.transfer(src, here)


def fill_(input: Any, value: Any) -> Any:
    """Write ``value``, a number or a 0-d tensor, everywhere."""
    if getattr(getattr(value, "array", value), "ndim", 0):
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with "
                           f"{value.ndim} dimensions.")
    return copy_(input, value)


def zero_(input: Any) -> Any:
    """Write 0 everywhere; a sparse tensor is left without entries."""
    if isinstance(input.array, Coo):
        check_writable(input)
        input.array[...] = input.array.zeros()
        wrote(input)
        return input
    copy_(input, 0)
    return shown_as("ZeroBackward0", input) if modes.grad and input.alias_of is None else input
