"""CUDA texts compiled to machine code of GPUs, on machines without one, by NVIDIA's own compiler.

    pip install minitorch-xp[kernels]
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from minitorch.kernels.cuda.launch import OPTIONS

ARCHITECTURES = ("sm_80", "sm_90", "sm_100")  # A100, H100 and H200, B200


def compiled(sources: Iterable[str], architecture: str) -> bytes:
    """All texts as one, each in a namespace of its own; raises where the compiler refuses.

    ``ofast_compile`` leaves optimizations out: a third of the time.
    """
    core = pytest.importorskip("cuda.core", reason="no NVRTC: pip install minitorch-xp[kernels]")
    assert OPTIONS == ("--std=c++17", "--fmad=false")
    texts = [source.replace('extern "C"', "") for source in sources]
    text = "".join(f"namespace unit{i} {{\n{each}\n}}\n" for i, each in enumerate(texts))
    options = core.ProgramOptions(arch=architecture, std="c++17", fma=False, ofast_compile="max")
    return bytes(core.Program(text, "c++", options).compile("cubin").code)
