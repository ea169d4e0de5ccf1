"""The text of a tensor, letter for letter as PyTorch prints it.

Three steps, one function each: `_cells` writes the numbers, `_bracketed` lays them out in rows,
`tensor_text` puts ``tensor(`` before and the dtype and the like after. Only NumPy arrays here:
this floor knows nothing of Tensor.

What was found by printing with PyTorch (tests/test_printing.py holds every line of it):

- The widest nonzero finite number sets the width of all; ``-0.``, ``nan``, ``inf`` may stick out.
- Floats that are all whole numbers lose their decimals and keep the point: ``1., 2.``.
- Floats go to scientific notation when they spread too far (see `_float_style`).
- A long tensor is cut down to its corners first, so numbers that are not shown have no say.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

__all__ = ["get_printoptions", "printoptions", "set_printoptions", "sparse_text", "tensor_text"]


@dataclass(frozen=True)
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=float("inf")),
}

_options = _PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed from now on; what is not given stays as it is.

    precision: digits after the point (4).
    threshold: a tensor of more elements than this is summarised (1000).
    edgeitems: elements kept at both ends of each axis in a summary (3).
    linewidth: characters after which a line is broken (80).
    profile: "default", "short" or "full", taken first; the other arguments override it.
    sci_mode: True or False force scientific notation on or off. None chooses by the values and,
        as in PyTorch, is also what *every* call that does not mention `sci_mode` goes back to.

    Raises ValueError for an unknown profile, or a number that could not be printed with.

    >>> with printoptions(precision=2):
    ...     print(tensor_text(np.float32([1.234, 20])))
    tensor([ 1.23, 20.00])
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"profile must be one of {', '.join(_PROFILES)}, not {profile!r}")
    given: dict[str, Any] = {"sci_mode": sci_mode}
    if precision is not None:
        given["precision"] = _whole("precision", precision, least=0)
    if edgeitems is not None:
        given["edgeitems"] = _whole("edgeitems", edgeitems, least=0)
    if linewidth is not None:
        given["linewidth"] = _whole("linewidth", linewidth)
    if threshold is not None:
        given["threshold"] = threshold
    _options = replace(_PROFILES[profile] if profile else _options, **given)


def _whole(name: str, value: Any, least: int | None = None) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {value!r}") from None
    if least is not None and number < least:
        raise ValueError(f"{name} must be at least {least}, not {number}")
    return number


def get_printoptions() -> dict[str, Any]:
    """The options in force, as a dict that `set_printoptions` takes back.

    >>> get_printoptions()["linewidth"]
    80
    """
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """`set_printoptions` for the length of a ``with`` block."""
    global _options
    before = _options
    set_printoptions(**options)
    try:
        yield
    finally:
        _options = before


def tensor_text(
    array: np.ndarray,
    *,
    prefix: str = "tensor(",
    suffixes: Sequence[str] = (),
    default_dtype: DTypeLike = np.float32,
) -> str:
    """The whole repr of a tensor that holds `array` (any shape; bool, integer or float).

    suffixes: what is said after the numbers, such as ``"grad_fn=<MulBackward0>"``; size and dtype
        are added here, where they are not plain from the numbers. A ``"device=..."`` goes first.
    default_dtype: the float dtype that goes without saying, besides int64 and bool.

    Raises TypeError for an array of any other kind.

    >>> tensor_text(np.array([[0.1, 1.0]]), suffixes=["grad_fn=<AddBackward0>"])
    'tensor([[0.1000, 1.0000]], dtype=torch.float64, grad_fn=<AddBackward0>)'
    >>> tensor_text(np.empty((0, 3), np.float32))
    'tensor([], size=(0, 3))'
    """
    if array.dtype.kind not in "biuf":
        raise TypeError(f"cannot print an array of dtype {array.dtype}: want bool, int or float")
    text = prefix + _data_text(array, indent=len(prefix))
    return _closed(text, _all_suffixes(array, suffixes, np.dtype(default_dtype)), len(prefix))


def sparse_text(
    indices: np.ndarray,
    values: np.ndarray,
    shape: Sequence[int],
    *,
    suffixes: Sequence[str] = (),
    default_dtype: DTypeLike = np.float32,
) -> str:
    """The whole repr of a sparse tensor: where its entries stand, their values, and the size.

    >>> print(sparse_text(np.array([[0, 2]]), np.float32([1, 2]), (3,)))
    tensor(indices=tensor([[0, 2]]),
           values=tensor([1., 2.]),
           size=(3,), nnz=2, layout=torch.sparse_coo)
    """
    prefix = "tensor("
    parts = []
    for name, array in (("indices", indices), ("values", values)):
        start = f"{name}=tensor("
        size = "" if array.size else f", size={array.shape}"
        parts.append(start + _data_text(array, len(prefix) + len(start)) + size + ")")
    text = prefix + (",\n" + " " * len(prefix)).join(parts)
    plain = (np.dtype(default_dtype), np.dtype(np.int64), np.dtype(np.bool_))
    dtype = [] if values.dtype in plain else [f"dtype=torch.{values.dtype.name}"]
    device, others = _device_and_others(suffixes)
    return _closed(text, [*device, f"size={tuple(shape)}", f"nnz={len(values)}", *dtype,
                          "layout=torch.sparse_coo", *others], len(prefix), new_line=True)


def _closed(text: str, suffixes: list[str], indent: int, new_line: bool = False) -> str:
    """``text`` with what is said after the numbers, in lines that are not too long."""
    # PyTorch counts two characters too many in the last line of the numbers, and none too many
    # in the lines that follow it.
    width = len(text) - (text.rfind("\n") + 1) + 2
    for suffix in suffixes:
        if new_line or width + 2 + len(suffix) > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            width = indent + len(suffix)
            new_line = False  # only the first of a sparse tensor's starts one
        else:
            text += ", " + suffix
            width += 2 + len(suffix)
    return text + ")"


def _device_and_others(suffixes: Sequence[str]) -> tuple[list[str], list[str]]:
    return ([suffix for suffix in suffixes if suffix.startswith("device=")],
            [suffix for suffix in suffixes if not suffix.startswith("device=")])


def _all_suffixes(array: np.ndarray, suffixes: Sequence[str], default: np.dtype) -> list[str]:
    device, others = _device_and_others(suffixes)
    # The numbers tell the size, unless there are none or none may be shown.
    size_is_plain = array.ndim == 1 if array.size == 0 else _options.edgeitems > 0
    size = [] if size_is_plain else [f"size={array.shape}"]
    # int64 and bool are plain from the numbers; with no numbers only the default is.
    plain = [default] if array.size == 0 else [default, np.dtype(np.int64), np.dtype(np.bool_)]
    # The name is PyTorch's own: a program must print the same lines under either engine.
    dtype = [] if array.dtype in plain else [f"dtype=torch.{array.dtype.name}"]
    return device + size + dtype + others


def _data_text(array: np.ndarray, indent: int) -> str:
    """The numbers in their brackets, for a first line that starts `indent` characters in."""
    if array.size == 0:
        return "[]"
    shape, edge = array.shape, array.size  # so many at each end: nothing is left out
    if array.ndim > 0 and array.size > _options.threshold:
        edge = _options.edgeitems
        if edge == 0:
            return "[...]"
        shown = [range(n) if n <= 2 * edge else [*range(edge), *range(n - edge, n)] for n in shape]
        array = array[np.ix_(*shown)]
    cells, width = _cells(array)
    room = _options.linewidth - (indent + array.ndim - 1)
    per_line = max(1, room // (width + 2))
    return _bracketed(iter(cells), shape, edge, per_line, indent)


def _cells(array: np.ndarray) -> tuple[list[str], int]:
    """The elements of `array` in row-major order, padded to one width; and that width."""
    values = array.ravel().tolist()
    if array.dtype.kind != "f":
        cells = [str(value) for value in values]
        width = max(map(len, cells))
    else:
        size = np.abs(array.ravel().astype(np.float64))
        counts = np.isfinite(size) & (size > 0)
        style = _float_style(size[counts])
        cells = [style(value) for value in values]
        width = max((len(cells[i]) for i in np.flatnonzero(counts).tolist()), default=1)
    return [cell.rjust(width) for cell in cells], width


def _float_style(size: np.ndarray) -> Callable[[float], str]:
    """How to write floats whose nonzero finite ones have absolute values `size` (float64).

    Scientific if ``max / min > 1000``, ``max > 1e8`` or ``min < 1e-4``.
    """
    if size.size == 0:
        whole, scientific = True, False
    else:
        whole = bool((size == np.floor(size)).all())
        least, most = float(size.min()), float(size.max())
        scientific = most / least > 1000 or most > 1e8 or least < 1e-4
        if _options.sci_mode is not None:
            scientific = _options.sci_mode
    if scientific:
        return f"{{:.{_options.precision}e}}".format
    if whole:
        return lambda value: f"{value:.0f}." if isfinite(value) else f"{value}"
    return f"{{:.{_options.precision}f}}".format


def _bracketed(
    cells: Iterator[str], shape: Sequence[int], edge: int, per_line: int, indent: int
) -> str:
    """Lay `cells` out as a nest of `shape`; axes longer than 2 `edge` show only their ends."""
    if not shape:
        return next(cells)
    length, inner = shape[0], shape[1:]
    cut = length > 2 * edge
    count = 2 * edge if cut else length
    if inner:
        items = [_bracketed(cells, inner, edge, per_line, indent + 1) for _ in range(count)]
    else:
        items = list(islice(cells, count))
    if cut:
        items.insert(edge, "..." if inner else " ...")
    if inner:  # rows on lines of their own, one more blank line with each dimension
        newlines = "\n" * len(inner)
    else:
        newlines = "\n"
        items = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + ("," + newlines + " " * (indent + 1)).join(items) + "]"
