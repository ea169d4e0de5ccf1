"""Run one line of a program under PyTorch and under minitorch, and compare all that it did.

``agree("torch.add(x, y, alpha=2)", x=..., y=...)`` holds two outcomes of the public oracle
(``minitorch.testing.oracle``) against each other, many programs at a time. It forgives what says
nothing about us: that PyTorch lacks a kernel for a dtype, and that it checks little where there are
no elements. Arrays stay arrays here; ``tensors`` draws what becomes a tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

import minitorch
from minitorch.testing import oracle
from minitorch.testing.outcome import Given, Numbers, Outcome
from minitorch.testing.outcome import plain as plain

FLOATS = ["float32", "float64"]
DTYPES = ["float32", "float32", "float64", "int64", "int64", "bool", "uint8", "int32", "float16"]


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


def same(ours: Any, theirs: Any) -> str:
    """"" if two plain values are equal up to rounding, else what differs."""
    return str(oracle.compare("result", ours, theirs) or "")


def numbers(value: Any) -> list[Any]:
    """The arrays in a plain result."""
    if isinstance(value, (Numbers, np.ndarray)):
        return [getattr(value, "array", value)]
    return [a for v in value for a in numbers(v)] if isinstance(value, tuple) else []


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
    theirs, ours = (Outcome(engine, text, kwargs=values) for engine in (torch, minitorch))
    if theirs.error is not None and lacking(theirs.error):
        if ours.error is None:
            return ""
        theirs.error = ours.error
    if ours.error is not None and theirs.error is None:
        arrays = [v.array for v in values.values() if isinstance(v, Given)]
        if not all(a.size for a in (*arrays, *map(np.asarray, numbers(theirs.result)))):
            return ""  # where there are no elements PyTorch often checks nothing
    backward = theirs.gradients
    if not grads or (isinstance(backward, RuntimeError)
                     and "modified by an inplace" not in str(backward)):
        ours.gradients = theirs.gradients = {}  # what torch lacks a backward kernel for
    found = oracle.difference(ours, theirs)
    return f"{text}: {found}" if found else ""


def lacking(error: BaseException) -> bool:
    """Whether PyTorch only lacks a kernel for a dtype: there we may well give a result."""
    return any(part in str(error) for part in (
        "not implemented for", "not support bool", "Boolean inputs", "not support Half"))
