"""Run one line of a program under PyTorch and under minitorch, and compare all that it did.

``agree("torch.add(x, y, alpha=2)", x=..., y=...)`` evaluates the text twice, with ``torch``
meaning each engine in turn and the NumPy arrays given as its tensors. Values, shapes, dtypes,
which results require a gradient, the gradients for random cotangents, what in-place forms did to
the inputs, and the types of exceptions must all be the same.
"""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

import minitorch

DIGITS = {"float16": 1e-2, "float32": 2e-5, "float64": 1e-10}
FLOATS = ["float32", "float64"]
DTYPES = ["float32", "float32", "float64", "int64", "int64", "bool", "uint8", "int32", "float16"]


class Given:
    """An array and how it is to be laid out and used when it becomes a tensor."""

    def __init__(self, array: Any, layout: str = "plain", grad: bool = False) -> None:
        self.array, self.layout, self.grad = np.asarray(array), layout, grad

    def tensor(self, engine: Any) -> tuple[Any, Any]:
        """A leaf, and what the program sees: laid out as drawn, and with a gradient no leaf."""
        array, layout = self.array, self.layout if self.array.ndim else "plain"
        if layout == "transposed":
            array = array.T
        elif layout == "sliced":
            wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
            wide[..., ::2] = array
            array = wide
        leaf = engine.from_numpy(np.ascontiguousarray(array).reshape(array.shape).copy())
        x = leaf.requires_grad_().clone() if self.grad else leaf
        if layout == "transposed":
            x = x.permute(*range(x.ndim)[::-1])
        elif layout == "sliced":
            x = x[..., ::2]
        return leaf, x

    def __repr__(self) -> str:
        return f"{self.array!r} {self.layout}{' grad' if self.grad else ''}"


def drawn(shape: tuple[int, ...], dtype: str, seed: int, wild: bool = False) -> Any:
    """Numbers that often tie, and are often 0; ``wild`` adds nan and infinities."""
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if dtype == "uint8":
        return random.integers(0, 5, shape).astype(dtype)
    if np.dtype(dtype).kind == "i":
        return random.integers(-4, 5, shape).astype(dtype)
    out = np.where(random.random(shape) < 0.5, random.integers(-4, 5, shape) / 2,
                   random.normal(size=shape))
    if wild:
        out = np.where(random.random(shape) < 0.2, random.choice([np.nan, np.inf, -np.inf], shape),
                       out)
    return np.asarray(out, dtype)


sizes = st.sampled_from([2, 3, 1, 4, 0])
shapes = st.lists(sizes, max_size=3).map(tuple)
dims = st.integers(-4, 3)
scalars = st.sampled_from([2, -1, 0, 1, 3, 0.5, -1.5, 2.0, True, False])
layouts = st.sampled_from(["plain", "plain", "transposed", "sliced"])
seeds = st.integers(0, 2**32 - 1)


@st.composite
def tensors(draw: Any, shape: Any = shapes, dtype: Any = DTYPES, grad: bool | None = None,
            wild: bool = False) -> Given:
    """A tensor of one of the shapes and dtypes; floats may require a gradient."""
    kind = draw(st.sampled_from(dtype)) if isinstance(dtype, list) else dtype
    size = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    needs = np.dtype(kind).kind == "f" and (draw(st.booleans()) if grad is None else grad)
    return Given(drawn(size, kind, draw(seeds), wild), draw(layouts), needs)


@st.composite
def broadcastable(draw: Any, n: int = 2, **options: Any) -> list[Given]:
    """Tensors whose shapes broadcast together (and now and then do not)."""
    full = draw(shapes)
    out = []
    for _ in range(n):
        shape = tuple(1 if draw(st.integers(0, 4)) == 0 else k for k in full)
        shape = shape[draw(st.sampled_from([0, 0, 0, 1, 2])):]
        if draw(st.integers(0, 30)) == 0:
            shape = draw(shapes)
        out.append(draw(tensors(shape=shape, **options)))
    return out


def plain(value: Any) -> Any:
    """A result in terms that both engines share."""
    if isinstance(value, (torch.Tensor, minitorch.Tensor)):
        array = value.detach().numpy()
        return ("tensor", repr(value.dtype), tuple(array.shape), value.requires_grad, array)
    if isinstance(value, (torch.Size, minitorch.Size)):
        return ("Size", tuple(value))
    if isinstance(value, (torch.dtype, minitorch.dtype, torch.device, minitorch.device)):
        return repr(value)
    if isinstance(value, tuple) and type(value) is not tuple:
        return (type(value).__name__, *[plain(v) for v in value])
    if isinstance(value, (tuple, list)):
        return (type(value).__name__, *[plain(v) for v in value])
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def same(ours: Any, theirs: Any, digits: float = 0.0) -> str:
    """"" if two plain values are equal up to rounding, else what differs."""
    if type(ours) is not type(theirs):
        return f"{type(ours).__name__} {ours!r} instead of {type(theirs).__name__} {theirs!r}"
    if isinstance(ours, np.ndarray):
        if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
            return f"{ours!r} instead of {theirs!r}"
        if ours.dtype.kind != "f":
            return "" if np.array_equal(ours, theirs) else f"{ours!r} instead of {theirs!r}"
        digits = max(digits, DIGITS[ours.dtype.name])
        size = np.abs(theirs[np.isfinite(theirs)].astype(float)).max(initial=10 * digits)
        close = np.allclose(ours.astype(float), theirs.astype(float), rtol=digits * 10,
                            atol=digits * size, equal_nan=True)
        return "" if close else f"{ours!r} instead of {theirs!r}"
    if isinstance(ours, tuple):
        if len(ours) != len(theirs):
            return f"{ours!r} instead of {theirs!r}"
        return next(filter(None, [same(a, b, digits) for a, b in zip(ours, theirs)]), "")
    if isinstance(ours, dict):
        return same(tuple(ours.items()), tuple(theirs.items()), digits)
    if isinstance(ours, float):
        return "" if math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-12) or (
            ours != ours and theirs != theirs) else f"{ours!r} instead of {theirs!r}"
    return "" if ours == theirs else f"{ours!r} instead of {theirs!r}"


def flat(value: Any) -> list[Any]:
    """The tensors in a result."""
    if isinstance(value, (torch.Tensor, minitorch.Tensor)):
        return [value]
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in flat(v)]
    return []


def flat_arrays(value: Any) -> list[Any]:
    """The arrays in a plain result."""
    if isinstance(value, np.ndarray):
        return [value]
    return [a for v in value for a in flat_arrays(v)] if isinstance(value, tuple) else []


class Outcome:
    """What one engine made of a program."""

    def __init__(self, engine: Any, text: str, values: dict[str, Any]) -> None:
        self.error: BaseException | None = None
        self.result: Any = None
        self.grads: Any = ()
        names: dict[str, Any] = {"torch": engine, "np": np}
        self.leaves = []
        for name, value in values.items():
            if isinstance(value, Given):
                leaf, names[name] = value.tensor(engine)
                self.leaves.append(leaf)
            else:
                names[name] = value
        self.seen = {k: names[k] for k, v in values.items() if isinstance(v, Given)}
        before = {k: (v.detach().numpy().copy(), v._version) for k, v in self.seen.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            statements, last = compiled(text)  # a misspelt program is no agreement
            try:
                exec(statements, names)
                result = eval(last, names)
                self.result = plain(result)
            except Exception as error:
                self.error = error
                self.changed = [k for k, v in self.seen.items()
                                if v._version != before[k][1] or not np.array_equal(
                                    v.detach().numpy(), before[k][0], equal_nan=(
                                        before[k][0].dtype.kind == "f"))]
                return
            self.after = {k: plain(v) for k, v in self.seen.items()}
            self.versions = {k: v._version for k, v in self.seen.items()}
            self.tensors = [*flat(result), *self.seen.values()]
            self.differentiate(engine, self.tensors)

    def differentiate(self, engine: Any, results: list[Any]) -> None:
        outs = [t for t in results if t.requires_grad]
        leaves = [t for t in self.leaves if t.requires_grad]
        if not outs or not leaves:
            return
        random = np.random.default_rng(0)
        gs = [engine.from_numpy(np.asarray(random.normal(size=tuple(t.shape)),
                                           t.detach().numpy().dtype)) for t in outs]
        try:
            self.grads = plain(engine.autograd.grad(outs, leaves, gs, allow_unused=True))
        except RuntimeError as error:
            self.grads = error


@cache
def compiled(text: str) -> tuple[Any, Any]:
    """The statements before the last ``;``, and the expression after it."""
    statements, _, last = text.rpartition(";")
    return (compile("\n".join(map(str.strip, statements.split(";"))), text, "exec"),
            compile(last.strip(), text, "eval"))


def lines(text: str) -> list[str]:
    """The programs written one per line."""
    return [line.strip() for line in text.strip().splitlines()]


def agree(programs: str | list[str], *, grads: bool = True, **values: Any) -> None:
    """Assert that both engines make the same of each program, given the same values."""
    programs = [programs] if isinstance(programs, str) else programs
    wrong = list(filter(None, [difference(text, grads, values) for text in programs]))
    assert not wrong, "\n".join([*wrong, *[f"{k} = {v!r}" for k, v in values.items()]])


def difference(text: str, grads: bool, values: dict[str, Any]) -> str:
    """"" if both engines do the same, else what differs."""
    theirs, ours = Outcome(torch, text, values), Outcome(minitorch, text, values)
    if theirs.error is not None and ours.error is None:
        return "" if lacking(theirs.error) else (
            f"{text}: torch raises {theirs.error!r}, we give {ours.result}")
    if ours.error is not None:
        if theirs.error is None:
            arrays = [v.array for v in values.values() if isinstance(v, Given)]
            if not all(a.size for a in (*arrays, *map(np.asarray, flat_arrays(theirs.result)))):
                return ""  # where there are no elements PyTorch often checks nothing
            return f"{text}: torch gives {theirs.result}, we raise {ours.error!r}"
        if not (lacking(theirs.error) or related(theirs.error, ours.error)):
            return f"{text}: torch raises {theirs.error!r}, we {ours.error!r}"
        changed = ours.changed if ";" not in text else []
        return f"{text}: raised, but had changed {changed}" if changed else ""
    wrong = same(ours.result, theirs.result) or same(ours.after, theirs.after)
    if wrong or ours.versions != theirs.versions:
        return f"{text}: {wrong or f'versions {ours.versions} instead of {theirs.versions}'}"
    if not grads or (isinstance(theirs.grads, RuntimeError) and "modified by an inplace"
                     not in str(theirs.grads)):
        return ""  # what torch lacks a backward kernel for
    if isinstance(ours.grads, RuntimeError) or isinstance(theirs.grads, RuntimeError):
        return "" if type(ours.grads) is type(theirs.grads) else (
            f"{text}: backward: {ours.grads!r} instead of {theirs.grads!r}")
    # A gradient is as precise as the least precise number on its way.
    kinds = {str(t.dtype).removeprefix("torch.") for t in theirs.tensors}
    digits = max([DIGITS.get(kind, 0.0) for kind in kinds], default=0.0)
    wrong = same(ours.grads, theirs.grads, 10 * digits)
    return f"{text}: gradients: {wrong}" if wrong else ""


def lacking(error: BaseException) -> bool:
    """Whether PyTorch only lacks a kernel for a dtype: there we may well give a result."""
    return any(part in str(error) for part in (
        "not implemented for", "not support bool", "Boolean inputs", "not support Half"))


def related(a: BaseException, b: BaseException) -> bool:
    return issubclass(type(a), type(b)) or issubclass(type(b), type(a))
