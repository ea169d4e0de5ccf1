"""One engine, one network, one process: prints the first losses, then the median step time."""

from __future__ import annotations

import importlib
import json
import statistics
import sys
import time

from benchmarks.programs import stepper


def main(engine: str, network: str, threads: int, seconds: float) -> None:
    torch = importlib.import_module(engine)
    if engine == "torch":
        torch.set_num_threads(threads)  # minitorch takes BLAS's threads from the environment
    step = stepper(torch, network)
    losses = [step() for _ in range(20)]
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    print(json.dumps({"losses": losses, "median": statistics.median(times), "steps": len(times)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
