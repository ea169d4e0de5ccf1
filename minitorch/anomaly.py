"""``detect_anomaly``: which operator made the first nan or inf, on which line, from what."""

from __future__ import annotations

import os
import sys
from typing import Any

from minitorch.coo import Coo
from minitorch.modes import _Switch, modes

_HERE = os.path.dirname(os.path.abspath(__file__))
_writes: dict[int, tuple[Any, str]] = {}  # id of a version counter -> (counter, where written)


class set_detect_anomaly(_Switch):
    """Turn anomaly detection on or off, from this call on or inside a ``with`` block."""

    _name = "anomaly"

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(mode)
        self.before = modes.anomaly
        modes.anomaly = mode

    def __enter__(self) -> None:
        modes.anomaly = self.mode

    def __exit__(self, *exc: object) -> None:
        modes.anomaly = self.before
        if not modes.anomaly:
            _writes.clear()


class detect_anomaly(set_detect_anomaly):
    """Inside the block, ``backward()`` raises at the first nan or inf and says where it arose.

    Slower: each operator's result and each rule's result is examined.

    >>> import minitorch as torch
    >>> x = torch.tensor([4.0, 0.0], requires_grad=True)
    >>> with torch.autograd.detect_anomaly():  # doctest: +ELLIPSIS
    ...     torch.sqrt(x).sum().backward()
    Traceback (most recent call last):
    RuntimeError: Function 'SqrtBackward0' returned inf...
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True)
        modes.anomaly = self.before  # only inside the block

    def __enter__(self) -> None:
        self.before = modes.anomaly
        modes.anomaly = True


def user_line() -> str:
    """``file:line: source`` of the innermost frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_back and os.path.abspath(frame.f_code.co_filename).startswith(_HERE + os.sep):
        frame = frame.f_back
    import linecache
    file, line = frame.f_code.co_filename, frame.f_lineno
    return f"{file}:{line}: {linecache.getline(file, line).strip()}"


def _numbers(x: Any) -> Any:
    """The array of a tensor, or an array itself; of a sparse one, its values."""
    array = x if isinstance(x, Coo) else getattr(x, "array", x)
    return array.values if isinstance(array, Coo) else array


def _bad(array: Any) -> Any:
    """Index of the first nan or inf, or None; of a sparse array, among its values."""
    array = _numbers(array)
    if array.dtype.kind != "f":
        return None
    where = (array - array) != 0
    if not where.any():
        return None
    return tuple(int(i[0]) for i in where.nonzero()) if array.ndim else ()


class Trace:
    """Where a recorded operator was called, and the first bad value that it produced itself."""

    __slots__ = ("bad", "inputs", "line", "name", "shape", "spoiled", "value")

    def __init__(self, op: Any, arrays: Any, out: Any) -> None:
        self.line = user_line()
        self.name = op.name
        given = [(n, a) for n, a in zip(op.parameters, arrays) if hasattr(a, "dtype")]
        self.inputs = given
        self.shape = out.shape
        bad = _bad(out)
        self.spoiled = bad is not None
        self.bad = bad if all(_bad(a) is None for _, a in given) else None
        self.value = None if self.bad is None else float(_numbers(out)[self.bad])

    def values_at(self, index: tuple[int, ...], shape: tuple[int, ...]) -> str:
        """The inputs at the output's index, where they line up with it by broadcasting."""
        texts = []
        for name, a in self.inputs:
            i = index[len(index) - a.ndim:] if a.ndim <= len(index) else None
            if i is None or any(n != 1 and n != m for n, m in
                                zip(a.shape, shape[len(shape) - a.ndim:])):
                texts.append(f"{name} of shape {a.shape} in [{a.min():g}, {a.max():g}]"
                             if a.size else f"{name} of shape {a.shape}")
            else:
                at = tuple(0 if n == 1 else k for k, n in zip(i, a.shape))
                texts.append(f"{name}[{', '.join(map(str, at))}] = {a[at].item():g}")
        return ", ".join(texts)


def first_bad_forward(nodes: Any) -> str:
    """A sentence on the oldest operator whose output was bad though its inputs were fine."""
    for node in reversed(nodes):
        trace = node.trace
        if trace is not None and trace.bad is not None:
            return (f"The first operator of the forward pass to produce one was '{trace.name}': "
                    f"{trace.value} at index {trace.bad}, called at {trace.line}; inputs there: "
                    f"{trace.values_at(trace.bad, trace.shape)}.")
    return ""


def check_forward(nodes: Any) -> None:
    """Raise if what backward starts from (the newest node) is already nan or inf."""
    trace = nodes[0].trace if nodes else None
    if trace is not None and trace.spoiled:
        raise RuntimeError(f"'{trace.name}', from which backward() starts, is nan or inf. "
                           + first_bad_forward(nodes))


def check_rule(node: Any, out: Any, nodes: Any) -> None:
    """Raise if a rule made a nan or inf, naming the operator, its line and the inputs there."""
    array = _numbers(out)
    bad = _bad(array)
    if bad is None:
        return
    message = (f"Function '{node.name()}' returned {float(array[bad])} in its backward pass, at "
               f"index {bad}")
    trace = node.trace
    if trace is not None:
        message += f"; called at {trace.line}; inputs there: {trace.values_at(bad, array.shape)}"
    raise RuntimeError(f"{message}. {first_bad_forward(nodes)}".rstrip())


def note_write(counter: list[int]) -> None:
    """Remember the line of an in-place write, to be named if it spoils a saved value."""
    _writes[id(counter)] = counter, user_line()


def blame(trace: Trace | None, counter: list[int]) -> str:
    """Where the operator was called and where its value was overwritten, if recorded."""
    if trace is None:
        return (" Hint: inside torch.autograd.set_detect_anomaly(True) this message names the "
                "line that modified it.")
    kept, where = _writes.get(id(counter), (None, ""))
    written = f" It was modified at {where}." if kept is counter else ""
    return f" The operator was called at {trace.line}.{written}"
