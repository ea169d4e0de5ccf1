"""``python -m benchmarks.monitor``: what a ``Monitor`` adds to a training step.

Two equal networks, 784-256-256-10 with ReLU, Adam and batches of 100, one of them watched, take
turns in this process; printed is the median over rounds of the ratio of their times.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import minitorch as torch
from minitorch.monitor import Monitor


def network() -> tuple[Any, Any]:
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(),
                          nn.Linear(256, 10))
    return model, torch.optim.Adam(model.parameters(), lr=0.001)


def seconds(model: Any, optimizer: Any, x: Any, y: Any, steps: int) -> float:
    """Of the processor, not of the clock: others may be at work on this machine."""
    start = time.process_time()
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitor", description=__doc__)
    parser.add_argument("--every", type=int, nargs="+", default=[50, 1], metavar="N")
    parser.add_argument("--rounds", type=int, default=40, metavar="N")
    options = parser.parse_args()
    torch.manual_seed(777)
    x, y = torch.rand(100, 784), torch.randint(0, 10, (100,))
    for every in options.every:
        plain, watched = network(), network()
        Monitor(watched[0], every=every)
        steps = 2 * max(every, 10)
        pairs = []
        for k in range(options.rounds + 2):
            order = (plain, watched) if k % 2 else (watched, plain)
            times = {id(each): seconds(*each, x, y, steps) for each in order}
            pairs.append((times[id(plain)], times[id(watched)]))
        ratios = sorted(b / a for a, b in pairs[2:])  # the first rounds warm up
        quarter = len(ratios) // 4
        print(f"every={every:<3} {100 * (statistics.median(ratios) - 1):+5.1f} % of a step "
              f"(middle half of {options.rounds} rounds: {100 * (ratios[quarter] - 1):+.1f} to "
              f"{100 * (ratios[-1 - quarter] - 1):+.1f})")


if __name__ == "__main__":
    main()
