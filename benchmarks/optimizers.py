"""``python -m benchmarks.optimizers``: each optimizer's step on the 269,322 parameters of
784-256-256-10, minitorch beside PyTorch's default, foreach and fused forms.

One process for each, which alternate over rounds, threads pinned; the parameters after three steps
are compared before any time counts. Printed are medians over rounds of each process's median step,
and minitorch's ratio to PyTorch's default with the spread of the rounds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.__main__ import THREADS

SHAPES = [(256, 784), (256,), (256, 256), (256,), (10, 256), (10,)]
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {}), "SGD, momentum": ("SGD", {"momentum": 0.9}), "Adadelta": ("Adadelta", {}),
    "Adagrad": ("Adagrad", {}), "Adam": ("Adam", {}), "Adam, amsgrad": ("Adam", {"amsgrad": True}),
    "AdamW": ("AdamW", {}), "SparseAdam": ("SparseAdam", {}), "Adamax": ("Adamax", {}),
    "ASGD": ("ASGD", {}), "NAdam": ("NAdam", {}), "RAdam": ("RAdam", {}),
    "RMSprop": ("RMSprop", {}), "Rprop": ("Rprop", {}), "LBFGS": ("LBFGS", {"max_iter": 1}),
}
FUSED = {"SGD", "Adagrad", "Adam", "AdamW"}  # those that PyTorch has a fused form of
WAYS = {"minitorch": ("minitorch", ""), "torch": ("torch", ""), "foreach": ("torch", "foreach"),
        "fused": ("torch", "fused")}


def measure(way: str, threads: int, seconds: float) -> dict[str, Any]:
    """Median seconds of a step for each optimizer, and what the parameters add up to after three.
    """
    engine, option = WAYS[way]
    torch = importlib.import_module(engine)
    if engine == "torch":
        torch.set_num_threads(threads)
    found = {}
    for label, (name, options) in OPTIMIZERS.items():
        if (option == "fused" and name not in FUSED) or (
                option == "foreach" and name in ("SparseAdam", "LBFGS")):
            continue
        rng = np.random.default_rng(777)
        params = [torch.from_numpy(rng.normal(size=s).astype(np.float32)).requires_grad_(True)
                  for s in SHAPES]
        grads = [torch.from_numpy(rng.normal(size=s).astype(np.float32)) for s in SHAPES]
        for p, g in zip(params, grads):
            p.grad = g.to_sparse(1) if name == "SparseAdam" else g
        optimizer = getattr(torch.optim, name)(params, **options, **({option: True} if option
                                                                     else {}))
        zero = torch.zeros(())
        arguments = [lambda zero=zero: zero] if name == "LBFGS" else []

        def step(optimizer: Any = optimizer, arguments: Any = arguments) -> None:
            optimizer.step(*arguments)

        for _ in range(3):
            step()
        total = float(sum(p.detach().abs().sum().item() for p in params))
        times = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 10:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        found[label] = {"median": statistics.median(times), "sum": total}
    return found


def run(way: str, threads: int, seconds: float) -> dict[str, Any]:
    environment = {**os.environ, **{name: str(threads) for name in THREADS}}
    out = subprocess.run([sys.executable, "-W", "ignore", "-m", "benchmarks.optimizers", "--way",
                          way, "--threads", str(threads), "--seconds", str(seconds)],
                         env=environment, capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f"{way} failed:\n{out.stderr}")
    found: dict[str, Any] = json.loads(out.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.optimizers", description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="per optimizer and process")
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.way, options.threads, options.seconds)))
        return
    rounds: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for k in range(options.rounds):
        for way in WAYS if k % 2 == 0 else reversed(WAYS):
            rounds[way].append(run(way, options.threads, options.seconds))
    print(f"{platform.processor() or platform.machine()}, {options.threads} thread(s), "
          f"{options.rounds} rounds; us per step of {sum(map(np.prod, SHAPES)):,} parameters")
    print(f"{'':14}" + "".join(f"{way:>11}" for way in WAYS) + f"{'ratio':>8}  spread")
    rows = {}
    for label in OPTIMIZERS:
        ours, theirs = rounds["minitorch"], rounds["torch"]
        a, b = ours[0][label]["sum"], theirs[0][label]["sum"]
        if abs(a - b) > 1e-5 * abs(b):
            raise SystemExit(f"{label}: the parameters differ after three steps ({a} and {b}); "
                             f"engines that compute different things are not timed")
        medians = {way: statistics.median(r[label]["median"] for r in found)
                   for way, found in rounds.items() if label in found[0]}
        ratios = sorted(x[label]["median"] / y[label]["median"] for x, y in zip(ours, theirs))
        rows[label] = {**medians, "ratio": statistics.median(ratios),
                       "spread": [ratios[0], ratios[-1]]}
        cells = [f"{medians[way] * 1e6:11,.0f}" if way in medians else f"{'-':>11}"
                 for way in WAYS]
        print(f"{label:14}{''.join(cells)}{statistics.median(ratios):8.2f}  "
              f"{ratios[0]:.2f}-{ratios[-1]:.2f}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
