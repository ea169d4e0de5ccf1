"""``assert_same_as_torch``: both engines must make the same of a program."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.testing.outcome import Numbers, Outcome, Program, given


def pytorch() -> Any:
    """PyTorch, or ImportError that says how to get it."""
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:  # OSError: a library that it needs
        raise ImportError(f"PyTorch, the oracle, cannot be imported ({error}): pip install torch "
                          f"(a CPU build is enough)") from error
    if torch.__name__ != "torch":
        raise ImportError(f"'torch' is {torch.__name__} here, which would be compared with itself")
    return torch


class DiffersFromTorch(AssertionError):
    """minitorch and PyTorch did not do the same; ``difference`` says where they part."""

    def __init__(self, message: str, difference: Difference) -> None:
        super().__init__(message)
        self.difference = difference


@dataclass(frozen=True)
class Difference:
    """The first quantity in which two outcomes differ, and in what."""

    quantity: str  # "result[1]", "gradient of argument 0", "argument 0 after the call", "error"
    aspect: str  # "value", "dtype", "shape", "requires_grad", "type", "length"
    ours: Any
    theirs: Any
    index: tuple[int, ...] | None = None
    note: str = ""

    def __str__(self) -> str:
        index = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return (f"{self.quantity}: {self.aspect}{' at ' + index if index else ''} is "
                f"{self.ours!r} in minitorch, {self.theirs!r} in torch{self.note}")


def assert_same_as_torch(program: Program, *args: Any, seed: int = 0, grad: bool = True,
                         tolerance: float | None = None,
                         raises: type[BaseException] | tuple[type[BaseException], ...] = (),
                         **kwargs: Any) -> None:
    """Assert that a program does under minitorch what it does under PyTorch.

    ``program``: a function ``f(torch, *args, **kwargs)`` that uses only the engine it is given; or
    a text, statements separated by ``;`` and an expression at the end, in which ``torch``, ``np``
    and the names of ``kwargs`` are known. NumPy arrays and tensors of either engine become tensors
    of each engine, also inside a tuple or list; other values are given as they are. Floating
    arrays require gradients if ``grad``, tensors if they do. What the program sees of those is no
    leaf, so that it may write to it. Both engines start from ``seed``.

    Compared are, in this order: that both raise, the errors' classes (equal, or one derived from
    the other), and that minitorch then left the arguments alone, or as PyTorch did; types, dtypes,
    shapes, ``requires_grad`` and values of the results; the arguments after the call, and how often
    they were written to; the gradients of all results and arguments for random cotangents, by the
    arguments and by leaves that the program returns (return a layer's parameters to have their
    gradients compared).

    Two numbers are equal if they differ by at most ``tolerance * (|y| + median of |y|)``, the
    median over the tensor's nonzero entries. If not given, it is 4 eps**(3/4): three quarters of
    the digits of the dtype (2.6e-5 in float32, 7e-12 in float64); for gradients, of the coarsest
    dtype among results and arguments. Integers and bools must be equal; Python's floats, which may
    have been float32, to 1e-5.

    Raises ``DiffersFromTorch``, an AssertionError with the first quantity that differs, where, both
    values, and the call that shows it again; ImportError without PyTorch. Where both engines raise,
    PyTorch's error, unless it is one of those that ``raises`` expects: a misspelt program is no
    agreement.

    >>> import numpy as np
    >>> from minitorch.testing import assert_same_as_torch
    >>> x = np.linspace(-2.0, 2.0, 6).reshape(2, 3)
    >>> assert_same_as_torch(lambda torch, x: torch.relu(x) @ x.T, x)
    >>> assert_same_as_torch("torch.nn.functional.softmax(x, d)", x=x, d=-1)
    >>> assert_same_as_torch("x.exp() if 'mini' in torch.__name__ else x.exp() * 1.001", x=x[0])
    Traceback (most recent call last):
    minitorch.testing.oracle.DiffersFromTorch: result: value at [2] is 0.67032... in minitorch,
    0.67099... in torch, off by 0.00067, allowed 7.1e-12 (3 of 3 entries differ)
    again, with Given of minitorch.testing.outcome: assert_same_as_torch("x.exp() ...
    """
    torch, minitorch = pytorch(), importlib.import_module("minitorch")
    ready = tuple(given(a, grad) for a in args)
    named = {k: given(v, grad) for k, v in kwargs.items()}
    if isinstance(program, str) and args:
        raise TypeError("a text knows its arguments by name: give them as keywords")
    theirs = Outcome(torch, program, ready, named, seed)
    ours = Outcome(minitorch, program, ready, named, seed)
    found = difference(ours, theirs, tolerance)
    if found is not None:
        text = getattr(program, "__qualname__", repr(program))
        given_as = [*map(repr, ready), *(f"{k}={v!r}" for k, v in named.items()), f"seed={seed}"]
        raise DiffersFromTorch(f"{found}\nagain, with Given of minitorch.testing.outcome: "
                               f"assert_same_as_torch({text}, {', '.join(given_as)})", found)
    if theirs.error is None and raises:
        raise AssertionError(f"neither engine raised {raises}")
    if theirs.error is not None and not isinstance(theirs.error, raises):
        theirs.error.add_note("Both engines raise this. If it is meant to be so, say raises=...")
        raise theirs.error


def difference(ours: Outcome, theirs: Outcome, tolerance: float | None = None) -> Difference | None:
    """The first quantity in which two outcomes differ, or None."""
    if not related(ours.error, theirs.error):
        return Difference("error", "value", ours.error or ours.result,
                          theirs.error or theirs.result)
    if ours.error is not None:  # PyTorch may have written half of it; we must not
        changed = {k: v for k, v in ours.after.items() if compare(k, v, ours.before[k])}
        return next(filter(None, [compare(f"{name} after the error", after, theirs.after[name])
                                  for name, after in changed.items()]), None)
    found = compare("result", ours.result, theirs.result, tolerance)
    for name in theirs.after:
        found = found or compare(f"{name} after the call", ours.after[name], theirs.after[name],
                                 tolerance)
        found = found or compare(f"number of writes to {name}", ours.versions[name],
                                 theirs.versions[name])
    if found:
        return found
    if isinstance(ours.gradients, BaseException) or isinstance(theirs.gradients, BaseException):
        same = type(ours.gradients) is type(theirs.gradients)
        return None if same else Difference("gradients", "value", ours.gradients, theirs.gradients)
    coarsest = max((allowance(np.dtype(kind.removeprefix("torch."))) for kind in theirs.kinds
                    if "float" in kind), default=0.0) if tolerance is None else tolerance
    for name, g in theirs.gradients.items():
        if name not in ours.gradients:
            return Difference(f"gradient of {name}", "value", "missing", g)
        found = found or compare(f"gradient of {name}", ours.gradients[name], g, coarsest)
    return found


def related(a: BaseException | None, b: BaseException | None) -> bool:
    """Whether neither raised, or both, errors of which one is derived from the other."""
    if a is None or b is None:
        return a is b
    return isinstance(a, type(b)) or isinstance(b, type(a))


def allowance(dtype: Any) -> float:
    """Three quarters of the digits of a floating dtype."""
    return 4.0 * float(np.finfo(dtype).eps) ** 0.75 if dtype.kind == "f" else 0.0


def compare(name: str, ours: Any, theirs: Any, tolerance: float | None = None) -> Difference | None:
    """The first difference of two values in plain terms, named from ``name`` on; or None."""
    if type(ours) is not type(theirs):
        return Difference(name, "type", ours, theirs)
    if isinstance(ours, Numbers):
        for aspect, a, b in [("dtype", ours.dtype, theirs.dtype),
                             ("shape", ours.array.shape, theirs.array.shape),
                             ("requires_grad", ours.requires_grad, theirs.requires_grad)]:
            if a != b:
                return Difference(name, aspect, a, b)
        return compare_arrays(name, ours.array, theirs.array, tolerance)
    if isinstance(ours, np.ndarray):
        if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
            return Difference(name, "type", ours, theirs)
        return compare_arrays(name, ours, theirs, tolerance)
    if isinstance(ours, dict):
        if list(ours) != list(theirs):
            return Difference(name, "keys", list(ours), list(theirs))
        pairs = [(f"{name}[{k!r}]", ours[k], theirs[k]) for k in ours]
    elif isinstance(ours, tuple):
        if len(ours) != len(theirs):
            return Difference(name, "length", len(ours) - 1, len(theirs) - 1)
        if ours and ours[:1] != theirs[:1]:
            return Difference(name, "type", ours[0], theirs[0])
        pairs = [(f"{name}[{i}]", a, b) for i, (a, b) in enumerate(zip(ours[1:], theirs[1:]))]
    elif isinstance(ours, float):
        same = ours == theirs or (ours != ours and theirs != theirs) or math.isclose(
            ours, theirs, rel_tol=tolerance or 1e-5, abs_tol=1e-12)  # a float32 read as a number
        return None if same else Difference(name, "value", ours, theirs)
    else:
        return None if ours == theirs else Difference(name, "value", ours, theirs)
    return next(filter(None, [compare(n, a, b, tolerance) for n, a, b in pairs]), None)


def compare_arrays(name: str, ours: Any, theirs: Any, tolerance: float | None) -> Difference | None:
    """Where arrays of one dtype and shape differ most, beyond what is allowed; or None."""
    if ours.dtype.kind != "f":
        tolerance = 0.0
    elif tolerance is None:
        tolerance = allowance(ours.dtype)
    with np.errstate(all="ignore"):
        if tolerance:
            a, b = ours.astype(np.float64), theirs.astype(np.float64)
            size = abs(b[np.isfinite(b) & (b != 0)])
            allowed = tolerance * (abs(b) + (np.median(size) if size.size else tolerance))
            off = np.where((a == b) | ((a != a) & (b != b)), 0.0, abs(a - b) / allowed)
            off = np.where(off != off, np.inf, off)
        else:
            off = np.where((ours == theirs) | ((ours != ours) & (theirs != theirs)), 0.0, 2.0)
    wrong = int((off > 1).sum())
    if not wrong:
        return None
    worst = tuple(map(int, np.unravel_index(int(off.argmax()), off.shape)))
    bound = ""
    if tolerance:
        bound = f", off by {abs(a[worst] - b[worst]):.2g}, allowed {allowed[worst]:.2g}"
    return Difference(name, "value", ours[worst].item(), theirs[worst].item(), worst,
                      f"{bound} ({wrong} of {off.size} entries differ)")
