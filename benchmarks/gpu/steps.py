"""A training step of the course's networks, in FP32 and in TF32, and of A in other sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks import steps
from benchmarks.networks import NETWORKS, Network
from benchmarks.table import Table, Work

MAIN = ("minitorch", "graphed", "torch", "fused", "torch graph", "jax", "gemms")
COURSE = {name: replace(NETWORKS[name], batch=100) for name in "ABC"}
BATCHES, WIDTHS = (100, 1000, 10_000), (256, 512, 1024, 2048, 4096)
SIZES = {
    **{f"{name}-batch-{n}": replace(COURSE[name], batch=n) for name in "BC" for n in BATCHES[1:]},
    **{f"A-width-{w}-batch-{n}": replace(COURSE["A"], widths=(784, w, w, 10), batch=n)
       for w in WIDTHS for n in BATCHES if (w, n) != (256, 100)}}
USUAL = ("A-width-256-batch-1000", "A-width-4096-batch-10000", "A-width-1024-batch-100",
         "A-width-4096-batch-100", "A-width-1024-batch-1000", "A-width-256-batch-10000")


def row(network: Network, precision: str) -> Callable[[Any], Work]:
    work = steps.row(network)

    def precisely(engine: Any) -> Work:
        engine.precise(precision)
        return work(engine)
    return precisely


def table(networks: dict[str, Network], precision: str, engines: tuple[str, ...] = MAIN,
          usual: tuple[str, ...] = (), **options: Any) -> Table:
    """TF32 has ten bits behind the point, and engines need not multiply in the same order."""
    return Table(f"A training step in {precision}, its loss left on the device",
                 {name: row(network, precision) for name, network in networks.items()},
                 engines=engines, usual=usual, unit="us", seconds=0.2, rounds=3, setup=0.8,
                 tolerance=1e-3 if precision == "FP32" else 2e-2, **options)


NETWORKS_OF = {"steps": COURSE, "compiled": COURSE, "sizes": SIZES, "steps-tf32": COURSE,
               "sizes-tf32": SIZES}
COMPILED = ("graphed", "torch", "torch.compile", "reduce-overhead")
TABLES = {name: table(networks, "TF32" if name.endswith("tf32") else "FP32",
                      COMPILED if name == "compiled" else MAIN,
                      USUAL if networks is SIZES else ())
          for name, networks in NETWORKS_OF.items()}
