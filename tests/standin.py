"""A CuPy that is not there: its rules over the host's memory, for tests on machines without a GPU.

Where CuPy 14 differs from NumPy, so does the stand-in: nothing becomes a NumPy array by itself and
none is taken for an operand, 0-d results stay arrays, ufuncs have few methods, functions and
methods have CuPy's arguments (``standin_words``), an index out of range wraps around. Launches,
allocations and waits for the device are counted. The numbers are NumPy's: it says nothing about
CuPy's own. ``tests/test_cupy.py`` holds it to CuPy, where that is installed. Kernels run where a
launcher for the host's memory is given (``emulated.Emulated``).
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from minitorch import backend, crossing, runtime
from minitorch.cuda import random
from minitorch.kernels.cuda import launch as kernels
from minitorch.optim.elementwise import Elementwise
from tests import standin_cuda, standin_words
from tests.standin_arrays import counts, fresh, launch, ndarray, near


def checked(name: str, signature: str, call: Any) -> Any:
    """``call`` with the arguments that CuPy's function of this name takes."""
    bind = inspect.signature(eval(f"lambda {signature}: None")).bind
    is_view, waits = name in standin_words.VIEWS, name in standin_words.WAITS

    def function(*args: Any, **options: Any) -> Any:
        bind(*args, **options)
        counts.syncs += waits
        done = call(*map(near, args), **{k: near(v) if isinstance(v, ndarray) else v
                                         for k, v in options.items()})
        if done is None:
            return None
        if is_view:
            first = args[0]
            if name == "diagonal":
                done.flags.writeable = True  # CuPy's are not read-only
            return ndarray(np.asarray(done), first) if np.may_share_memory(done, first.host) \
                else (launch("copy"), fresh(done))[1]
        launch(name, standin_words.LAUNCHES.get(name, 1))
        return fresh(done)
    function.__name__ = name
    return function


class ufunc:
    """A ufunc with CuPy's few methods."""

    def __init__(self, of: Any) -> None:
        self.of, self.name, self.nin = of, of.__name__, of.nin
        self.__name__ = self.name

    def __call__(self, *args: Any, out: Any = None, dtype: Any = None, **options: Any) -> Any:
        if options.keys() - {"casting"}:
            raise TypeError(f"Wrong arguments {options}")
        if not self.nin <= len(args) <= self.nin + 1:
            raise TypeError(f"Wrong number of arguments for 'cupy_{self.name}'.")
        *args, given = args if len(args) > self.nin else (*args, out)  # type: ignore[assignment]
        for a in (*args, *([] if given is None else [given])):
            if isinstance(a, (list, tuple)):
                raise TypeError(f"Unsupported type {type(a)}")
        launch(self.name)
        done = self.of(*map(near, args), out=near(given), dtype=dtype, **options)
        return fresh(done) if given is None else given

    def _refuse(self, method: str) -> None:
        if self.name not in ("add", "multiply"):
            raise NotImplementedError(f"`cupy_{self.name}.{method}` is not supported yet")

    def reduce(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
               keepdims: bool = False) -> Any:
        self._refuse("reduce")
        return (array.sum if self.name == "add" else array.prod)(axis, dtype, out, keepdims)

    def accumulate(self, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        self._refuse("accumulate")
        return (array.cumsum if self.name == "add" else array.cumprod)(axis, dtype, out)

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        if self.name not in standin_words.AT:
            raise NotImplementedError(f"`cupy_{self.name}.at` is not supported yet")
        if a.dtype.name not in standin_words.AT_DTYPES:
            raise TypeError(f"cupy.{self.name}.at only supports "
                            f"{', '.join(standin_words.AT_DTYPES)} as data type")
        launch("scatter")
        self.of.at(a.host, a._prepared(indices), near(b))


class Kernel:
    """``ElementwiseKernel`` for those that the tests know by name, in Python."""

    def __init__(self, in_params: str, out_params: str, operation: str, name: str = "kernel",
                 **options: Any) -> None:
        self.name, self.run = name, standin_words.KERNELS[name]

    def __call__(self, *args: Any) -> None:
        launch(self.name)
        self.run(*map(near, args))


def _asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: Any = None,
             blocking: bool = False) -> Any:
    """From either side of the bus."""
    if isinstance(a, ndarray):
        return a if dtype in (None, a.dtype) else a.astype(dtype)
    if isinstance(a, (list, tuple)):
        a = [near(v) for v in a]
    return fresh(np.array(a, dtype, order=order or "K"))


def _from_dlpack(x: Any, /, *, device: Any = None, copy: Any = None) -> Any:
    """Arrays of its own kind come back as views; the host's memory plays the device's."""
    shared = x if isinstance(x, ndarray) else x.__dlpack__(stream=1)
    return ndarray(shared.host, shared)


def _module() -> Any:
    cupy: Any = ModuleType("cupy")
    for name in standin_words.UFUNCS:
        setattr(cupy, name, ufunc(getattr(np, name)))
    for name, signature in standin_words.FUNCTIONS.items():
        setattr(cupy, name, checked(name, signature, getattr(np, name)))
    for name in ("inf", "nan", "pi", "float32", "float64", "int64", "int32", "bool_", "newaxis"):
        setattr(cupy, name, getattr(np, name))
    cupy.ndarray, cupy.ufunc, cupy.ElementwiseKernel = ndarray, ufunc, Kernel
    cupy.asarray = cupy.ascontiguousarray = _asarray
    cupy.array = lambda a, dtype=None, copy=True: (
        a.copy() if isinstance(a, ndarray) else _asarray(a, dtype))
    cupy.from_dlpack = _from_dlpack
    cupy.get_default_memory_pool = lambda: standin_cuda.Pool
    cupy.__version__ = "14.2.0"
    cupy.cuda = standin_cuda.cuda
    precision = {}
    cupy._core = SimpleNamespace(
        set_compute_type=precision.__setitem__, precision=precision, _routines_linalg=
        SimpleNamespace(COMPUTE_TYPE_DEFAULT="FP32", COMPUTE_TYPE_TF32="TF32"))
    return cupy


for _name, _signature in standin_words.METHODS.items():
    setattr(ndarray, _name, checked(_name, "self" + _signature, getattr(np.ndarray, _name)))

module = _module()

for _python, _word in standin_words.OPERATORS.items():
    _of = getattr(module, _word)
    setattr(ndarray, f"__{_python}__", lambda self, *a, f=_of: f(self, *a))
    if (_of.__class__ is ufunc and _of.nin == 2) or _word == "matmul":
        setattr(ndarray, f"__r{_python}__", lambda self, a, f=_of: f(a, self))
        if _word != "matmul" and _of.of.types[-1][-1] != "?":
            setattr(ndarray, f"__i{_python}__", lambda self, a, f=_of: f(self, a, out=self))


class NoKernels(kernels.Launcher):
    """Takes no arrays: every operator computes as it is."""

    ndarray = None


@contextlib.contextmanager
def gpu(launcher: Any = None) -> Iterator[Any]:
    """Let device "cuda" be the stand-in; yields its counts, from 0. Its kernels are launched by
    ``launcher``, which counts them; without one there are none.
    """
    before, words, real = sys.modules.get("cupy"), backend._cupy_words, kernels.launcher
    sys.modules["cupy"], backend._cupy_words = module, None
    kernels.launcher = launcher or NoKernels()
    if launcher:
        launcher.ndarray = ndarray
    crossing.forget()
    reset()
    try:
        with np.errstate(all="ignore"):
            yield counts
    finally:
        for optimizer in Elementwise.__subclasses__():
            optimizer.programs = {key: p for key, p in optimizer.programs.items() if key[0]}
        crossing.forget()
        backend._cupy_words, kernels.launcher = words, real
        random._states.clear()
        runtime.precision_followers.clear()
        sys.modules.pop("cupy")
        if before is not None:
            sys.modules["cupy"] = before


def reset() -> None:
    """Count from 0 again."""
    counts.launches = counts.allocations = counts.syncs = 0
    counts.calls.clear()
