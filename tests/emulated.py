"""CUDA kernels without a GPU: the same texts, compiled by g++ and run on host memory.

``emulated.h`` says what CUDA C has beyond C++; barriers, shuffles and shared memory work. Texts
that were asked for before the first launch share one compilation; what was compiled is kept in the
folder for temporary files.

    monkeypatch.setattr(launch, "launcher", Emulated())
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.kernels.cuda.launch import Launcher

HEADER = Path(__file__).with_suffix(".h").read_text()
COMPILER = shutil.which("g++")
KERNEL = re.compile(r"__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s*)?(\w+)\s*\(([^)]*)\)")
DYNAMIC = re.compile(r"extern\s+__shared__\s+([\w ]+?)\s+(\w+)\[\];")


def kernels(source: str) -> dict[str, list[str]]:
    """The kernels of a text, and the types of their parameters."""
    return {name: [re.sub(r"\w+$", "", p.strip()) for p in parameters.split(",")]
            for name, parameters in KERNEL.findall(re.sub(r"//.*", "", source))}


def translated(source: str, unit: int) -> str:
    """A text as C++ in a namespace of its own, and an entry for each kernel in it."""
    body = DYNAMIC.sub(r"\1* \2 = (\1*)dynamic_shared;", source).replace('extern "C"', "")
    meets = str(bool(re.search(r"__sync|__shfl", body))).lower()
    calls, entries = "", ""
    for name, types in kernels(source).items():
        args = ", ".join(f"*({kind}*)args[{i}]" for i, kind in enumerate(types))
        calls += f"static void call_{name}(void** args) {{ {name}({args}); }}\n"
        entries += (f'extern "C" int unit{unit}_{name}(const unsigned* d, int shared, bool back, '
                    f"void** args) {{ return launch(unit{unit}::call_{name}, d, shared, {meets}, "
                    f"back, args); }}\n")
    return f"namespace {{ namespace unit{unit} {{\n{body}\n{calls}}} }}\n{entries}"


@cache
def library(sources: tuple[str, ...]) -> ctypes.PyDLL:
    """The texts, compiled together."""
    text = HEADER + "".join(translated(source, i) for i, source in enumerate(sources))
    folder = Path(tempfile.gettempdir()) / f"minitorch-emulated-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.so"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as work:
            (Path(work) / "kernels.cpp").write_text(text)
            done = subprocess.run(
                [str(COMPILER), "-std=c++17", "-O0", "-ffp-contract=off", "-w", "-shared", "-fPIC",
                 "kernels.cpp", "-o", "kernels.so"], cwd=work, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"g++ refuses a kernel:\n{done.stderr[:4000]}")
            os.replace(Path(work) / "kernels.so", path)  # whole, whoever else makes it
    return ctypes.PyDLL(str(path))  # one launch at a time


class Emulated(Launcher):
    """A launcher on host memory. ``backwards``: the threads of a block run last to first, so that a
    result which hangs on their order shows."""

    backwards = False
    ndarray = np.ndarray

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []  # texts, not compiled yet
        self.units: dict[str, tuple[tuple[str, ...], int]] = {}

    def kernel(self, source: str, name: str, options: tuple[str, ...]) -> Callable[..., None]:
        if name not in kernels(source):
            raise ValueError(f"the text has no kernel {name}, only {list(kernels(source))}")
        if source not in self.asked and source not in self.units:
            self.asked.append(source)
        entry: Any = None

        def run(grid: tuple[int, ...], block: tuple[int, ...], args: Sequence[Any],
                shared_mem: int = 0) -> None:
            nonlocal entry
            if entry is None:
                entry = self.entry(source, name)
            sizes = [(*size, 1, 1)[:3] for size in (grid, block)]
            threads = sizes[1][0] * sizes[1][1] * sizes[1][2]
            if not (0 < threads <= 1024 and min(sizes[0]) > 0 and shared_mem <= 48 << 10):
                raise ValueError(f"no GPU launches {name} with {grid}, {block}, {shared_mem}")
            values = [argument(a) for a in args]
            pointers = (ctypes.c_void_p * len(values))(*[v.ctypes.data for v in values])
            dims = np.array(sizes, np.uint32)
            if entry(ctypes.c_void_p(dims.ctypes.data), ctypes.c_int(shared_mem),
                     ctypes.c_bool(self.backwards), pointers):
                raise RuntimeError(f"{name}: threads wait for others that never come")
        return run

    def entry(self, source: str, name: str) -> Any:
        if source not in self.units:
            texts = tuple(self.asked)
            self.units |= {text: (texts, i) for i, text in enumerate(texts)}
            self.asked.clear()
        texts, i = self.units[source]
        return getattr(library(texts), f"unit{i}_{name}")

    def address(self, array: Any) -> int:
        return int(argument(array)[0])


def argument(value: Any) -> np.ndarray:
    """An argument as it lies in memory: a pointer, or a number."""
    value = getattr(value, "host", value)
    if isinstance(value, np.ndarray) and value.dtype.names:
        return value  # a structure
    if isinstance(value, np.ndarray):
        return np.array([value.__array_interface__["data"][0]], np.uint64)
    if isinstance(value, np.generic):
        return np.array([value])
    if type(value) is int:
        return np.array([value], np.int64)
    raise TypeError(f"a kernel takes arrays, NumPy's scalars or structures, ints; not {value!r}")
