"""Writing into tensors: what it does to the graph.

An in-place form computes its operator out of place, copies the result into the tensor's memory,
counts the write (every alias sees the count; a saved value that changed is an error at backward),
and gives the tensor the result's history. A write through a view gives its base a new history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch import anomaly, backend, dtypes, engine, ops
from minitorch.engine import Leaf, wrap
from minitorch.modes import modes
from minitorch.primitive import Primitive
from minitorch.views import refresh


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
    if not x.array.flags.writeable:
        raise RuntimeError("unsupported operation: more than one element of the written-to tensor "
                           "refers to a single memory location, or the memory is read-only. "
                           "Please clone() the tensor before performing the operation.")


def assign(x: Any, out: Any) -> Any:
    """Give ``x`` the values of ``out`` and, where it was recorded, its history."""
    if out.array.shape != x.array.shape:
        raise RuntimeError(f"output with shape {list(x.array.shape)} doesn't match the broadcast "
                           f"shape {list(out.array.shape)}")
    if not dtypes.castable(out.array.dtype, x.array.dtype):
        raise RuntimeError(f"result type {out.dtype.legacy} can't be cast to the desired output "
                           f"type {x.dtype.legacy}")
    x.array[...] = out.array
    wrote(x)
    if out.node is None:
        return x
    if x.alias_of is None:
        x.node = out.node
        x.epoch += 1
    else:
        base = x.alias_of.base
        base.node = ops.view_put(wrap(base.array, base.node), out, x.alias_of).node
        base.epoch += 1
        x.node, x.alias_of.epoch = out.node, base.epoch
    return x


def wrote(x: Any) -> None:
    """Count a write into the memory of ``x``."""
    x.version[0] += 1
    if modes.anomaly:
        anomaly.note_write(x.version)


def inplace(operator: Any) -> Callable[..., Any]:
    """The in-place form of an operator or function whose first argument is the tensor."""
    keeps = not isinstance(operator, Primitive) or any(
        operator.parameters[0] in names for names in operator.needs.values())

    def method(x: Any, *args: Any, **kwargs: Any) -> Any:
        check_writable(x)
        source = x
        if keeps and modes.grad and (x.node is not None or any(
                isinstance(a, engine.Tensor) and a.node is not None for a in args)):
            source = wrap(x.array.copy(), x.node)  # the graph keeps what is overwritten
        return assign(x, operator(source, *args, **kwargs))

    name = getattr(operator, "__name__", "operator")
    method.__name__ = f"{name}_"
    method.__doc__ = f"``{name}``, written into this tensor's memory."
    return method


def copy_(x: Any, src: Any, non_blocking: bool = False) -> Any:
    """Write the values of ``src``, broadcast and converted, into this tensor."""
    check_writable(x)
    if not modes.grad or (x.node is None and getattr(src, "node", None) is None):
        xp = backend.namespace(x.array)
        x.array[...] = ops.overwrite.forward(xp, x.array, getattr(src, "array", src))
        wrote(x)
        return x
    return assign(x, ops.overwrite(wrap(x.array, x.node), src))


def fill_(x: Any, value: Any) -> Any:
    """Write ``value`` everywhere."""
    return copy_(x, value)


def zero_(x: Any) -> Any:
    """Write 0 everywhere."""
    return copy_(x, 0)
