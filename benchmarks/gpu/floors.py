"""What nothing can be faster than: by the data sheet, and measured with PyTorch's own calls."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.gpu.capture import capture
from benchmarks.gpu.placed import device
from benchmarks.networks import Network
from benchmarks.table import Table, Unfit, Work

SIDE, SMALL_SIDE = 8192, 512  # of the large product, and where there is no GPU
COPIED, SMALL_COPIED = 2**30, 2**22  # bytes


@dataclass(frozen=True)
class Peak:
    """Bytes and operations per second; a multiplication with its addition is two operations."""

    bytes: float
    operations: dict[str, float]


# NVIDIA's data sheet of the H200 (SXM): 4.8 TB/s; FP32 67 TFLOP/s; TF32 989 TFLOP/s with half of
# the numbers zero ("sparsity"), so half of that with all of them.
PEAKS = {"NVIDIA H200": Peak(4.8e12, {"FP32": 67e12, "TF32": 494.5e12})}


def floors(network: Network, precision: str, gpu: str) -> dict[str, float]:
    """Seconds per step by the two floors; nothing for a GPU whose peaks are not known.

    Bytes: images and labels read, parameters and the optimizer's state read and written, each
    once. What fits into the second-level cache (60 MB) need not leave it, so that small networks
    can be faster. Operations: those of the products, without those for the images' gradient.
    """
    if gpu not in PEAKS:
        return {}
    layers = list(pairwise(network.widths))
    products = 3 * sum(n * m for n, m in layers) - layers[0][0] * layers[0][1]
    parameters = sum((n + 1) * m for n, m in layers) + 2 * network.norm * sum(network.widths[1:-1])
    state = 3 if network.optimizer == "Adam" else 1
    moved = 4 * (2 * state * parameters + network.batch * network.widths[0]) + 8 * network.batch
    peak = PEAKS[gpu]
    return {"floor: bytes": moved / peak.bytes,
            "floor: operations": 2 * network.batch * products / peak.operations[precision]}


def graph_of(kernels: int) -> Callable[[Any], Work]:
    """A graph of so many small kernels, each after the one before."""
    def work(engine: Any) -> Work:
        if device() == "cpu":
            raise Unfit("a graph needs a GPU")
        torch = engine.lib
        x = torch.zeros(1, device=device())

        def run() -> None:
            for _ in range(kernels):
                x.add_(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the graph is empty
            graph, _ = capture(torch, run)
        return Work(graph.replay)
    return work


def copy(engine: Any) -> Work:
    torch = engine.lib
    n = COPIED if device() == "cuda" else SMALL_COPIED
    x, y = (torch.rand(n // 4, device=device()) for _ in range(2))
    return Work(lambda: y.copy_(x))


def product(precision: str) -> Callable[[Any], Work]:
    def work(engine: Any) -> Work:
        engine.precise(precision)
        n = SIDE if device() == "cuda" else SMALL_SIDE
        x, y, out = (engine.lib.rand(n, n, device=device()) for _ in range(3))
        return Work(lambda: engine.lib.mm(x, y, out=out))
    return work


def rates(row: str, seconds: float) -> str:
    """What a measured time means per second."""
    gpu = device() == "cuda"
    if row == "copy":
        moved = 2 * (COPIED if gpu else SMALL_COPIED)
        return f"{moved / seconds / 1e12:.3g} TB/s, counting what is read and what is written"
    if row.startswith("product"):
        side = SIDE if gpu else SMALL_SIDE
        return f"{2 * side**3 / seconds / 1e12:.3g} TFLOP/s at side {side}"
    return ""


TABLE = Table("Floors, measured with PyTorch's calls", {
    "copy": copy, "product FP32": product("FP32"), "product TF32": product("TF32"),
    "graph of 0 kernels": graph_of(0), "graph of 1 kernel": graph_of(1),
    "graph of 12 kernels": graph_of(12)}, engines=("torch",), unit="us", seconds=0.2, rounds=1)
