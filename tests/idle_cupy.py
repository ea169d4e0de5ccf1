"""The real CuPy over a driver that computes nothing: its own Python and Cython code, without a GPU.

Memory is the host's, kernels are "compiled" to nothing and launched without effect, so every
number is 0. But shapes, dtypes, signatures, and what CuPy refuses, are CuPy's own. It works by
handing CuPy's modules other C functions in place of those that call CUDA (``__pyx_capi__`` of
``cupy_backends.cuda.api``), before CuPy is imported: so it runs in a process of its own.

    python -m tests.idle_cupy        prints what minitorch does that CuPy does not take
"""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import sys
import warnings
from types import ModuleType
from typing import Any

from tests import standin_cuda

launched: list[str] = []
waits: list[str] = []  # where in minitorch the host waited

_handles = itertools.count(0x1000)
_libc = ctypes.CDLL(None)
_libc.calloc.restype, _libc.calloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t, ctypes.c_size_t]
_libc.free.argtypes = [ctypes.c_void_p]
_names: dict[int, str] = {}
_kept: list[Any] = []  # what C must not lose

TYPES = {"int": ctypes.c_int, "unsigned int": ctypes.c_uint, "intptr_t": ctypes.c_ssize_t,
         "size_t": ctypes.c_size_t, "uintmax_t": ctypes.c_ulonglong, "float": ctypes.c_float,
         "PyObject *": ctypes.py_object}


def allocate(size: int, *_: Any) -> Any:
    return _libc.calloc(max(size, 1), 1)


def free(pointer: int, *_: Any) -> None:
    _libc.free(pointer)


def copy(target: int, source: int, size: int, kind: int, *_: Any) -> None:
    if kind == 2:  # to the host
        frame: Any = sys._getframe(1)
        while frame and f"minitorch{os.sep}" not in frame.f_code.co_filename:
            frame = frame.f_back
        waits.append(f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "outside")
    ctypes.memmove(target, source, size)


def get_function(module: int, name: str, *_: Any) -> int:
    handle = next(_handles)
    _names[handle] = name
    return handle


def launch(function: int, *_: Any) -> None:
    launched.append(_names[function])


def attribute(which: int, *_: Any) -> int:
    return {75: 9, 76: 0, 10: 32}.get(which, 1024)  # sm_90, warps of 32


ANSWERS = {
    "malloc": allocate, "mallocAsync": allocate, "hostAlloc": allocate,
    "free": free, "freeAsync": free, "freeHost": free, "memcpy": copy, "memcpyAsync": copy,
    "memset": ctypes.memset, "memsetAsync": lambda p, v, n, *_: ctypes.memset(p, v, n) and None,
    "streamQuery": lambda *_: 0, "eventQuery": lambda *_: 0, "getDeviceCount": lambda *_: 1,
    "driverGetVersion": lambda *_: 12080,
    "runtimeGetVersion": lambda *_: 12080, "_getCUDAMajorVersion": lambda *_: 12,
    "deviceGetAttribute": attribute, "funcGetAttribute": lambda which, *_: 1024 * (which == 0),
    "memGetInfo": lambda *_: (2**34, 2**35), "moduleGetFunction": get_function,
    "launchKernel": launch, "occupancyMaxActiveBlocksPerMultiprocessor": lambda *_: 2,
    "occupancyMaxPotentialBlockSize": lambda *_: (132, 1024),
    "getDeviceProperties": lambda *_: dict(standin_cuda.PROPERTIES),
}


def hand_over(module: Any) -> None:
    """Replace the C functions of a module, which others look up by name and signature."""
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    for name, capsule in list(module.__pyx_capi__.items()):
        signature = name_of(capsule)
        match = re.fullmatch(r"(.*?) ?\((.*)\)", (signature or b"").decode())
        if match is None or match[1] not in TYPES or name == "check_status" or "Extent" in match[2]:
            continue
        args = [a.replace("__pyx_skip_dispatch", "").strip() for a in match[2].split(",")]
        nothing = None if match[1] == "PyObject *" else 0
        answer: Any = ANSWERS.get(name) or (
            (lambda *_: next(_handles)) if match[1] == "intptr_t" else lambda *_, n=nothing: n)
        call = ctypes.PYFUNCTYPE(TYPES[match[1]], *[TYPES.get(a, ctypes.c_void_p) for a in args
                                                    if a != "void"])(answer)
        _kept.append((call, signature))
        module.__pyx_capi__[name] = new(ctypes.cast(call, ctypes.c_void_p), signature, None)
        if not name.startswith("_"):
            setattr(module, name, lambda *a, f=answer, **k: f(*a, *k.values()))


class Library(ModuleType):
    """cuBLAS: every function is there, and does nothing."""

    CONSTANTS = {
        "CUBLAS_OP_N": 0, "CUBLAS_OP_T": 1, "CUBLAS_OP_C": 2, "CUBLAS_COMPUTE_16F": 64,
        "CUBLAS_COMPUTE_32F": 68, "CUBLAS_COMPUTE_32F_PEDANTIC": 69, "CUBLAS_COMPUTE_64F": 70,
        "CUBLAS_COMPUTE_32F_FAST_TF32": 77, "CUBLAS_GEMM_DEFAULT": -1,
        "CUBLAS_GEMM_DEFAULT_TENSOR_OP": 99}

    def __getattr__(self, name: str) -> Any:
        if name in self.CONSTANTS:
            return self.CONSTANTS[name]
        if name.isupper() or name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any) -> Any:
            launched.append(f"cublas.{name}")
            return next(_handles) if name.startswith(("create", "get")) else None
        return call


def start() -> Any:
    """CuPy, imported over the idle driver."""
    assert "cupy" not in sys.modules, "too late: CuPy has been imported"
    import cupy_backends.cuda.libs as libs  # type: ignore[import-not-found,unused-ignore]
    from cupy_backends.cuda.api import (  # type: ignore[import-not-found,unused-ignore]
        driver,
        runtime,
    )
    hand_over(runtime)
    hand_over(driver)
    libs.cublas = sys.modules["cupy_backends.cuda.libs.cublas"] = Library("cublas")
    import cupy
    from cupy.cuda import compiler, function, thrust

    def compiled(source: str, options: Any = (), *args: Any, **given: Any) -> Any:
        module = function.Module()
        module.load(b"nothing")
        module._set_mapping({name: name for name in given.get("name_expressions") or ()})
        return module

    compiler._compile_module_with_cache = compiled
    for name in ("sort", "argsort", "lexsort"):  # these carry a CUDA runtime of their own
        setattr(thrust, name, lambda *args, name=name: launched.append(f"thrust.{name}"))
    return cupy


# Their shapes depend on the numbers, which are all 0 here.
BY_NUMBERS = {"unique", "unique_consecutive", "masked_select", "bincount", "argwhere", "nonzero",
              "nn.functional.one_hot", "to_sparse", "repeat_interleave"}
# They ask for an answer, as PyTorch's do: gradients of products look for zeros, masks are counted.
WAITS = {"prod", "cumprod", "LBFGS", "embedding", "linspace.tensor_overload", "take",
         "logspace.tensor_overload", "masked_scatter", "tensor_split", "multinomial", "normal",
         "normal.number_mean", "bernoulli", "index", "index_put", "index_add", "transfer",
         "view_put", "item", "to", "allclose", "equal", "median"} | BY_NUMBERS


def look(cupy: Any, programs: Any) -> list[str]:
    """Where a program raises with CuPy, though not on the CPU, or gives another shape or dtype;
    and where it waits."""
    from minitorch.coo import Coo

    def bare(x: Any) -> Any:
        return x.array.values if isinstance(x.array, Coo) else x.array

    found = []
    for name, program in programs:
        try:
            here = program("cpu")
        except Exception:
            continue
        del waits[:]
        try:
            there = program("cuda")
        except Exception as error:
            found.append(f"{name}: {error!r}")
            continue
        if waits and name not in WAITS and "sparse" not in name:
            found.append(f"{name} waits: {sorted(set(waits))}")
        for x, y in zip(here, there):
            if not isinstance(bare(y), cupy.ndarray) and name not in ("transfer", "to"):
                found.append(f"{name}: a result is no array of CuPy's")
            elif (x.shape, x.dtype) != (y.shape, y.dtype) and name not in BY_NUMBERS \
                    and "sparse" not in name:
                found.append(f"{name}: {tuple(y.shape)} {y.dtype}, on the CPU {tuple(x.shape)} "
                             f"{x.dtype}")
    return found


def signatures(cupy: Any) -> list[str]:
    """Where the stand-in's words are not CuPy's."""
    import inspect

    from tests import standin_words

    def plain(signature: str) -> str:
        text = re.sub(r": '[^']*'| -> '[^']*'", "", signature)  # annotations
        return re.sub(r"\s+", "", text.replace("<class 'float'>", "float").replace('"', "'"))

    found = [f"cupy.{name} is no ufunc" for name in standin_words.UFUNCS
             if not isinstance(getattr(cupy, name, None), cupy.ufunc)]
    found += [f"cupy.{name}.at" for name in standin_words.UFUNCS
              if bool(getattr(cupy, name)._scatter_op) != (name in standin_words.AT)]
    for name, wanted in standin_words.FUNCTIONS.items():
        given = plain(str(inspect.signature(getattr(cupy, name)))).strip("()")
        if given != plain(wanted).replace(":None", ""):
            found.append(f"cupy.{name}({given}), here ({wanted})")
    for name, wanted in standin_words.METHODS.items():
        doc = (getattr(cupy.ndarray, name).__doc__ or "").split("\n")[0]
        given = re.sub(r"(Py_ssize_t|int|bool) (?=\w)", "",
                       doc.partition("(")[2].rpartition(")")[0])
        if plain(given) not in ("", plain("self" + wanted)):
            found.append(f"cupy.ndarray.{name}({given}), here (self{wanted})")
    return found


def precision(cupy: Any) -> list[str]:
    """Where CuPy's products do not follow ``set_float32_matmul_precision``."""
    import minitorch
    seen = []
    for word in ("high", "highest", "medium", "highest"):
        minitorch.set_float32_matmul_precision(word)
        kind = cupy._core._routines_linalg.compute_type_to_str(
            cupy._core.get_compute_type(cupy.dtype("float32")))
        seen.append(f"{word}: {kind}")
    expected = [f"{word}: COMPUTE_TYPE_{'DEFAULT' if word == 'highest' else 'TF32'}"
                for word in ("high", "highest", "medium", "highest")]
    return [] if seen == expected else [str(seen)]


def main() -> None:
    cupy = start()
    warnings.simplefilter("ignore")
    from tests import elsewhere
    found = signatures(cupy)
    elsewhere.use_interface()
    found += precision(cupy)
    cupy.cuda.set_allocator(None)  # fresh memory is all zeros
    given = {"operators": 3, "layers": 1, "optimizers": 1, "networks": 1}
    if "functions" in sys.argv:
        given["functions"] = 3
    for kind, n in given.items():
        found += look(cupy, getattr(elsewhere, kind)(n))
    print("\n".join(dict.fromkeys(found)))
    print(f"launched {len(launched)}")
    sys.stdout.flush()
    os._exit(1 if found else 0)  # CuPy would still call what Python has taken down


if __name__ == "__main__":
    main()
