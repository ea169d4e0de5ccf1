"""An operator's arguments made fit for its forward, or refused in PyTorch's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import backend, dtypes
from minitorch.coo import Coo, refusal, words
from minitorch.engine import is_array
from minitorch.errors import advised

if TYPE_CHECKING:
    from minitorch.primitive import Primitive


def one_device(op: Primitive, args: tuple[Any, ...], arrays: list[Any],
               transfer: Callable[..., Any]) -> list[Any] | None:
    """The arguments with CPU numbers (0-d tensors) brought to the GPU where the others are; None
    if all are in one place. Raises RuntimeError for tensors in several places."""
    places = [backend.device_of(a) if is_array(a) or type(a) is Coo else None for a in arrays]
    there = next((d for d in places if d is not None and d.type == "cuda"), None)
    if there is None:
        return None
    together = list(args)
    for i, (x, place) in enumerate(zip(args, places)):
        if place is None or place == there:
            continue
        if not op.promote or arrays[i].ndim or place.type != "cpu":
            raise RuntimeError(
                "Expected all tensors to be on the same device, but " + (
                    f"found at least two devices, {there} and {place}!" if op.promote else
                    f"got {op.parameters[op.slot(i)]} is on {place}, different from other tensors "
                    f"on {there} (when checking argument in method {op.name})"))
        together[i] = transfer(x, there)
    return together


def read_sparsely(op: Primitive, arrays: list[Any], error: Exception) -> Any:
    """Where NumPy failed on a sparse array: the forward in the words that those know, if it can be
    said in them; raises ``error`` where no argument is sparse."""
    if not any(type(a) is Coo for a in arrays):
        raise error
    try:
        return op.forward(words, *arrays)
    except (TypeError, NotImplementedError):
        raise refusal(f"{op.name}()") from error


def refuse_mismatch(op: Primitive, arrays: list[Any], error: Exception) -> None:
    """Raise PyTorch's error instead of NumPy's ``error`` about operands that do not broadcast."""
    shapes = [tuple(a.shape) for a in arrays if hasattr(a, "shape")]
    if "broadcast" not in str(error) or len(shapes) < 2:
        return
    a, b = (s[:-2] for s in shapes) if op.name == "matmul" else shapes[:2]  # its batch
    for i in range(1, min(len(a), len(b)) + 1):
        if 1 != a[-i] != b[-i] != 1:
            raise advised(RuntimeError(
                f"The size of tensor a ({a[-i]}) must match the size of tensor b ({b[-i]}) at "
                f"non-singleton dimension {max(len(a), len(b)) - i}"),
                f"{op.name}() cannot broadcast shapes {a} and {b}.") from None
    raise RuntimeError(f"{op.name}() cannot broadcast shapes {shapes}") from None


def convert(op: Primitive, arrays: list[Any]) -> None:
    """Bring the operands (the parameters ``x`` and ``y``) to PyTorch's common dtype.

    With ``promote="float"`` integers become the default float; with "floating" they are refused,
    with "number" only bools are.
    """
    operands = op.operands
    x = arrays[operands[0]]
    dt: Any = getattr(x, "dtype", None)
    if len(operands) == 2:
        y = arrays[operands[1]]
        if dt is not getattr(y, "dtype", None) or dt is None:
            if dt is None or not ((type(y) is float and dt.kind == "f")
                                  or (type(y) is int and dt.kind in "fi")):
                dt = dtypes.result_dtype((x, y), op.name)
            elif dt.kind == "f":
                return  # a float array and a Python number: NumPy agrees with PyTorch
        elif dt.kind == "f":
            return
    elif dt is not None and dt.kind == "f":
        return
    if op.promote == "float" and dt.kind != "f":
        dt = dtypes.default()
    elif op.promote == "floating" and dt.kind != "f":
        raise RuntimeError(f"{op.name}(): expected a floating point dtype, got "
                           f"{dtypes.of_numpy(dt)}; convert it first, as in x.float()")
    elif op.promote == "number" and dt.kind == "b":
        raise NotImplementedError(f'"{op.name}" not implemented for \'Bool\': convert it first, as '
                                  f"in x.long()")
    numbers = True
    for i in operands:
        x = arrays[i]
        if isinstance(x, (np.ndarray, Coo)) or hasattr(x, "__cuda_array_interface__"):
            numbers = False
            if x.dtype != dt:
                arrays[i] = x.astype(dt)
        elif isinstance(x, np.generic):
            arrays[i] = x = x.item()  # a number, weak as a Python one
        if type(x) is int and dt.kind in "iu" and (
                x.bit_length() >= 8 * dt.itemsize or (x < 0 and dt.kind == "u")):
            arrays[i] = np.int64(x).astype(dt)  # wraps around, as in PyTorch
    if numbers:
        for i in operands:
            arrays[i] = np.asarray(arrays[i], dt)
