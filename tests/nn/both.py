"""The same program under PyTorch and under minitorch, and comparing what came of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import minitorch

TOLERANCE = {"float64": 1e-10, "float32": 3e-5, "float16": 1e-2}


class Raised:
    """The exception that a program ended with, and how it began its message."""

    def __init__(self, error: BaseException) -> None:
        self.type, self.text = type(error), str(error)

    def __repr__(self) -> str:
        return f"{self.type.__name__}: {self.text}"


def outcome(program: Callable[[Any], Any], engine: Any) -> Any:
    """What ``program(engine)`` returns, or the exception it raises; warnings are let pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return program(engine)
        except Exception as error:
            return Raised(error)


def plain(x: Any) -> Any:
    """Tensors of either engine as NumPy arrays, at any depth."""
    if isinstance(x, (torch.Tensor, minitorch.Tensor)):
        return x.detach().numpy()
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x


def assert_same(ours: Any, theirs: Any, scale: float = 1.0, exact: bool = False,
                where: str = "result") -> None:
    """Equal structure, shapes and dtypes; numbers equal, or close to the dtype's tolerance."""
    ours, theirs = plain(ours), plain(theirs)
    if isinstance(ours, Raised) or isinstance(theirs, Raised):
        assert isinstance(ours, Raised) and isinstance(theirs, Raised), f"{ours!r} | {theirs!r}"
        assert ours.type is theirs.type, f"{ours!r} | {theirs!r}"
    elif isinstance(theirs, dict):
        assert isinstance(ours, dict) and list(ours) == list(theirs), where
        for k in theirs:
            assert_same(ours[k], theirs[k], scale, exact, f"{where}[{k!r}]")
    elif isinstance(theirs, list):
        assert isinstance(ours, list) and len(ours) == len(theirs), f"{where}: {ours} | {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            assert_same(a, b, scale, exact, f"{where}[{i}]")
    elif isinstance(theirs, np.ndarray):
        assert isinstance(ours, np.ndarray), f"{where}: {ours!r} instead of an array"
        assert ours.shape == theirs.shape, f"{where}: shape {ours.shape} | {theirs.shape}"
        assert ours.dtype == theirs.dtype, f"{where}: dtype {ours.dtype} | {theirs.dtype}"
        if exact or theirs.dtype.kind != "f":
            np.testing.assert_array_equal(ours, theirs, where)
        else:
            tolerance = scale * TOLERANCE[theirs.dtype.name]
            np.testing.assert_allclose(ours, theirs, tolerance, tolerance, err_msg=where)
    else:
        assert ours == theirs, f"{where}: {ours!r} | {theirs!r}"


def assert_agree(program: Callable[[Any], Any], scale: float = 1.0, exact: bool = False) -> Any:
    """``program(minitorch)`` must give what ``program(torch)`` gives; returns it."""
    ours = outcome(program, minitorch)
    assert_same(ours, outcome(program, torch), scale, exact)
    return ours
