"""Whether operators are recorded: PyTorch's grad modes, one set per thread."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _Modes(threading.local):
    grad = True
    inference = False
    anomaly = False


modes = _Modes()


class _Switch:
    """A context manager and decorator that sets one mode and restores it."""

    _name = "grad"

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        self.before = getattr(modes, self._name)
        setattr(modes, self._name, self.mode)

    def __exit__(self, *exc: object) -> None:
        setattr(modes, self._name, self.before)

    def _again(self) -> _Switch:
        again = type(self).__new__(type(self))
        again.mode = self.mode
        return again

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            @functools.wraps(function)
            def steps(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    running = function(*args, **kwargs)
                while True:
                    with self._again():
                        try:
                            value = next(running)
                        except StopIteration as end:
                            return end.value
                    yield value
            return steps  # type: ignore[return-value]

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)
        return wrapped  # type: ignore[return-value]


class set_grad_enabled(_Switch):
    """Record operators or not, from this call on; as a ``with`` block, only inside it."""

    def __init__(self, mode: bool) -> None:
        super().__init__(mode)
        self.before = modes.grad
        modes.grad = mode

    def __enter__(self) -> None:
        modes.grad = self.mode

    def __call__(self, function: F) -> F:
        modes.grad = self.before  # a decorator acts when the function runs, not now
        return super().__call__(function)

    def _again(self) -> _Switch:
        return _GradMode(self.mode)


class _GradMode(_Switch):
    pass


class no_grad(_GradMode):
    """Compute without recording, as a ``with`` block or a decorator.

    >>> import minitorch as torch
    >>> w = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     (w * 2).requires_grad
    False
    """

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__(False)

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        self.mode = False
        return self(function)  # used as @no_grad, without parentheses


class enable_grad(_GradMode):
    """Record inside ``no_grad``, as a ``with`` block or a decorator."""

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__(True)

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        self.mode = True
        return self(function)


class inference_mode(_Switch):
    """Like ``no_grad``; PyTorch's inference tensors have no counterpart here."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__(mode)

    def __enter__(self) -> None:
        self.outer = modes.grad, modes.inference
        if self.mode:
            modes.grad, modes.inference = False, True
        else:
            modes.grad, modes.inference = True, False

    def __exit__(self, *exc: object) -> None:
        modes.grad, modes.inference = self.outer


def is_grad_enabled() -> bool:
    """Whether operators are being recorded in this thread."""
    return modes.grad


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside ``inference_mode``."""
    return modes.inference
