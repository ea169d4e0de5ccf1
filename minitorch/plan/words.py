"""The vocabulary ``xp`` while a step is recorded: every word notes what it makes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.plan.noted import Noted, note


def asarray(x: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """``np.asarray`` that leaves a Noted array what it is."""
    if isinstance(x, Noted):
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)
    return np.asarray(x, dtype, **kwargs)


def watched(word: Callable[..., Any]) -> Callable[..., Any]:
    """A word whose arrays are all noted, also those that came from outside of the step."""
    def call(*args: Any, **kwargs: Any) -> Any:
        return word(*[a.view(Noted) if type(a) is np.ndarray else a for a in args], **kwargs)
    return call


def creating(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array of no array: noted too."""
    def create(*args: Any, **kwargs: Any) -> Any:
        return note(function, args, kwargs)
    return create


def words() -> SimpleNamespace:
    """The vocabulary ``xp`` while a step is recorded."""
    made = {name: creating(getattr(np, name)) for name in ("zeros", "ones", "empty", "full")}
    xp = backend.vocabulary(SimpleNamespace(**{**vars(np), **made, "asarray": asarray}))
    now = backend.numpy_words
    xp.where, xp.sum, xp.matmul = now.where, now.sum, now.matmul
    return SimpleNamespace(**{name: watched(word) if callable(word) and not isinstance(word, type)
                              else word for name, word in vars(xp).items()})
