"""Errors: the sentence is PyTorch's, since programs print it; our advice is a note below it."""

from __future__ import annotations

from typing import TypeVar

E = TypeVar("E", bound=Exception)


def advised(error: E, advice: str) -> E:
    """``error`` with advice that a traceback shows and that ``str(error)`` leaves out."""
    error.add_note(advice)
    return error
