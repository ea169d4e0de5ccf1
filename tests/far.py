"""Arrays elsewhere: NumPy's, behind a wall as CuPy's are, for tests on machines without a GPU.

Nothing passes the wall by itself: an operation on such an array and one of NumPy's raises
TypeError, as in CuPy, and so does whatever would read it as one of NumPy's. It says nothing about
CuPy's own numbers.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from minitorch import backend


def near(value: Any) -> Any:
    """What is behind the wall, for an operation there; NumPy's arrays are refused."""
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, (tuple, list)):
        return type(value)(near(each) for each in value)
    return value.host if isinstance(value, Far) else value


def far(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(far, value))
    return Far(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value


def there(call: Any) -> Any:
    """A function of NumPy for arrays behind the wall."""
    def function(*args: Any, **options: Any) -> Any:
        return far(call(*map(near, args), **{k: near(v) for k, v in options.items()}))
    for name in ("reduce", "accumulate", "at", "outer"):
        if isinstance(call, np.ufunc):
            setattr(function, name, there(getattr(call, name)))
    return function


class Far:
    """An array on the device that is not there."""

    device = SimpleNamespace(id=0)
    __cuda_array_interface__ = None  # how others tell it from an array of NumPy's
    __array_ufunc__ = None  # NumPy's operators give up, as they do beside CuPy's arrays

    def __init__(self, host: Any) -> None:
        self.host = host

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def get(self) -> Any:
        return self.host.copy()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # NumPy's ways in
            raise AttributeError(name)
        value = getattr(self.host, name)
        return there(value) if callable(value) else far(value) if name == "T" else value

    def __setitem__(self, key: Any, value: Any) -> None:
        self.host[near(key)] = near(value)

    def __iter__(self) -> Any:
        return map(far, self.host)


def _operator(name: str) -> Any:
    def operator(self: Far, *args: Any) -> Any:
        done = getattr(self.host, name)(*map(near, args))
        return self if name.startswith("__i") and len(name) > 7 and done is self.host else far(done)
    return operator


for _name in ("add", "sub", "mul", "truediv", "floordiv", "pow", "mod", "matmul", "and", "or",
              "xor"):
    for _side in ("", "r", "i"):
        setattr(Far, f"__{_side}{_name}__", _operator(f"__{_side}{_name}__"))
for _name in ("neg", "abs", "invert", "lt", "le", "gt", "ge", "eq", "ne", "getitem"):
    setattr(Far, f"__{_name}__", _operator(f"__{_name}__"))
for _name in ("len", "bool", "float", "int", "index"):
    setattr(Far, f"__{_name}__", lambda self, name=f"__{_name}__": getattr(self.host, name)())


@contextmanager
def gpu() -> Any:
    """Let device "cuda" be behind the wall."""
    words = {name: there(value) if callable(value) and not isinstance(value, type) else value
             for name, value in vars(np).items() if not name.startswith("_")}
    words["asarray"] = words["array"] = lambda x, *args, **options: far(
        np.array(x.host if isinstance(x, Far) else x, *args, **options))
    words["cuda"] = SimpleNamespace(Device=lambda i: nullcontext())
    module = SimpleNamespace(**words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "cupy_module", lambda: module)
        patch.setattr(backend, "cuda_count", lambda: 1)
        patch.setattr(backend, "_cupy_words", None)
        yield
