"""Memory: of a whole process that trains, of its training alone, and of the graph of one step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.networks import NETWORKS, Network, batches
from benchmarks.table import Table, Unfit, Work

STEPS = 30


def status(field: str) -> float:
    """A figure of the kernel's about this process, in bytes: VmRSS now, VmHWM at its highest."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        raise Unfit("memory is read from /proc, which is Linux's") from None
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def process(network: Network) -> Callable[[Any], Work]:
    """The highest resident memory of the process, with the package's own code and data."""
    def work(engine: Any) -> Work:
        step = engine.train(network)

        def measure() -> float:
            for _ in range(STEPS):
                step()
            return status("VmHWM")
        return Work(measure=measure)
    return work


def training(network: Network) -> Callable[[Any], Work]:
    """What training adds to the resident memory after import: data, weights, state, temporaries."""
    def work(engine: Any) -> Work:
        def measure() -> float:
            Path("/proc/self/clear_refs").write_text("5")  # the highest so far is forgotten
            before = status("VmRSS")
            step = engine.train(network)
            for _ in range(STEPS):
                step()
            return status("VmHWM") - before
        return Work(measure=measure)
    return work


def tape(network: Network) -> Callable[[Any], Work]:
    """Bytes kept from forward to backward, beside parameters and batch.

    For a compiled step: the memory of its plan, which holds the temporaries, too.
    """
    def work(engine: Any) -> Work:
        if not hasattr(engine, "parts"):
            raise Unfit(f"{engine.name} has no tape")
        model, criterion, optimizer = engine.parts(network)
        x, y = map(engine.lib.from_numpy, batches(network)[0])

        def measure() -> float:
            step = engine.step(model, criterion, optimizer)
            if hasattr(step, "plans"):
                step(x, y)
                return sum(plan.memory.nbytes for plan in step.plans)
            kept = saved_by_torch if engine.module == "torch" else saved_by_minitorch
            found = kept(lambda: criterion(model(x), y))
            for t in (x, y, *model.parameters()):
                found.pop(t.data_ptr(), None)
            return sum(found.values())
        return Work(measure=measure)
    return work


def saved_by_torch(forward: Callable[[], Any]) -> dict[int, int]:
    """The storages that autograd saves: address and size."""
    import torch
    found = {}

    def pack(t: Any) -> Any:
        storage = t.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        loss = forward()
        del loss
    return found


def saved_by_minitorch(forward: Callable[[], Any]) -> dict[int, int]:
    """The arrays that the nodes of the graph save: address and size of what owns the memory."""
    from minitorch import engine
    found = {}

    def note(x: Any) -> None:
        if isinstance(x, tuple):
            for item in x:
                note(item)
        elif isinstance(x, np.ndarray):
            while isinstance(x.base, np.ndarray):
                x = x.base
            found[x.__array_interface__["data"][0]] = x.nbytes

    loss = forward()
    for node in engine.history([loss.node]):
        note(node.saved or ())
    return found


KINDS = {"process": process, "training": training, "tape": tape}
TABLE = Table(f"Memory of training ({STEPS} steps)",
              {f"{name} {kind}": row(network) for name, network in NETWORKS.items()
               for kind, row in KINDS.items()},
              usual=tuple(f"{name} {kind}" for name in "ABCDE" for kind in KINDS),
              engines=("minitorch", "compiled", "torch", "fused", "jax", "numpy"), unit="MB",
              rounds=2, alone=True)
