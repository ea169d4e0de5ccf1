"""``python -m benchmarks``: a training step of each course network, minitorch beside PyTorch.

Each engine runs in a process of its own (idle thread pools spin and would disturb the other),
the processes alternate over rounds, and the losses of the first 20 steps are compared before any
time counts. Printed are medians over rounds of each process's median, and their ratio with the
spread of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.programs import NETWORKS

ENGINES = ("torch", "minitorch")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run(engine: str, network: str, threads: int, seconds: float) -> dict[str, Any]:
    environment = {**os.environ, **{name: str(threads) for name in THREADS}}
    out = subprocess.run([sys.executable, "-m", "benchmarks.worker", engine, network, str(threads),
                          str(seconds)], env=environment, capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f"{engine} failed on network {network}:\n{out.stderr}")
    found: dict[str, Any] = json.loads(out.stdout)
    return found


def compare(network: str, threads: int, rounds: int, seconds: float) -> dict[str, Any]:
    medians: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    for k in range(rounds):
        order = ENGINES if k % 2 == 0 else ENGINES[::-1]
        results = {engine: run(engine, network, threads, seconds) for engine in order}
        ours, theirs = (results[e]["losses"] for e in ("minitorch", "torch"))
        worst = max(abs(a - b) / abs(b) for a, b in zip(ours, theirs))
        if worst > 1e-3:
            raise SystemExit(f"network {network}: the losses differ by {worst:.1e} relative; "
                             f"engines that compute different things are not timed")
        for engine in ENGINES:
            medians[engine].append(results[engine]["median"])
    ratios = sorted(a / b for a, b in zip(medians["minitorch"], medians["torch"]))
    return {"network": network, "threads": threads, "loss_difference": worst,
            **{e: statistics.median(m) for e, m in medians.items()},
            "ratio": statistics.median(ratios), "spread": [ratios[0], ratios[-1]]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("networks", nargs="*", help=f"of {', '.join(NETWORKS)}; all by default")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="per process")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    options = parser.parse_args()
    unknown = set(options.networks) - set(NETWORKS)
    if unknown:
        parser.error(f"no network {', '.join(sorted(unknown))}; there are {', '.join(NETWORKS)}")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; "
          f"{options.rounds} rounds of {options.seconds:g} s per process; ms per training step")
    print(f"{'network':<58} {'threads':>7} {'torch':>8} {'minitorch':>9} {'ratio':>6}  spread")
    rows = []
    for name in options.networks or NETWORKS:
        for threads in options.threads:
            row = compare(name, threads, options.rounds, options.seconds)
            rows.append(row)
            low, high = row["spread"]
            text = f"{name}: {NETWORKS[name].__doc__}"
            print(f"{text:<58} {threads:>7} {row['torch'] * 1e3:>8.3f} "
                  f"{row['minitorch'] * 1e3:>9.3f} {row['ratio']:>6.2f}  {low:.2f}-{high:.2f}",
                  flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
