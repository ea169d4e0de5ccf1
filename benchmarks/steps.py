"""A training step of each network of the course."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.engines import MAIN
from benchmarks.networks import NETWORKS, Network
from benchmarks.table import Table, Work

FIRST = 10  # losses that are compared


def read(loss: Any) -> float:
    """The loss, which on a GPU is a tensor still."""
    return loss if isinstance(loss, float) else float(loss.item())


def row(network: Network) -> Callable[[Any], Work]:
    def work(engine: Any) -> Work:
        step = engine.train(network)
        still = replace(network, dropout=0.0)

        def check() -> list[float]:
            """The first losses: without dropout where masks differ, and with it where not."""
            if engine.name == "gemms":
                return []
            losses = []
            if network.dropout:
                plain = engine.train(still)
                losses = [read(plain()) for _ in range(FIRST)]
            fresh = [read(step()) for _ in range(FIRST)]  # those that count or not: it warms up
            return losses + ([] if engine.own_masks and network.dropout else fresh)
        return Work(step, check)
    return work


TABLE = Table("A training step: forward, backward, update, and its loss read",
              {name: row(network) for name, network in NETWORKS.items()},
              engines=MAIN, usual=("A", "B", "C", "D", "E"), setup=0.3, warm=10)
ABOUT = {name: str(network) for name, network in NETWORKS.items()}
