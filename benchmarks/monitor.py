"""``python -m benchmarks.monitor``: what a ``Monitor`` adds to a training step.

One network, 784-256-256-10 with ReLU, Adam and batches of 100, makes a step watched and a step
unwatched in turn: two equal networks would differ by where their memory lies. A step's time is the
median over rounds, apart for each place between two recorded steps; printed is the ratio of their
sums, with the least and largest of five parts of the rounds.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

import minitorch as torch
from minitorch.monitor import Monitor


def network() -> tuple[Any, Any]:
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(),
                          nn.Linear(256, 10))
    return model, torch.optim.Adam(model.parameters(), lr=0.001)


def seconds(model: Any, optimizer: Any, x: Any, y: Any) -> float:
    """Of a step; of the processor, not of the clock: others may be at work on this machine."""
    start = time.process_time()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    return time.process_time() - start


def watched(model: Any, hooks: list[Any], on: bool) -> None:
    """Put the hooks of the monitor into their layers, or take them out."""
    for module, theirs in zip(model.modules(), hooks):
        module._forward_hooks = theirs if on else type(theirs)()


def extra(rounds: Any) -> float:
    """Percent that watched steps take longer; of seconds by round, step, and whether watched."""
    plain, seen = np.median(rounds, axis=0).sum(0)
    return 100 * (seen / plain - 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitor", description=__doc__)
    parser.add_argument("--every", type=int, nargs="+", default=[50, 1], metavar="N")
    parser.add_argument("--rounds", type=int, default=50, metavar="N")
    options = parser.parse_args()
    torch.manual_seed(777)
    x, y = torch.rand(100, 784), torch.randint(0, 10, (100,))
    for every in options.every:
        model, optimizer = network()
        monitor = Monitor(model, every=every)
        hooks = [module._forward_hooks for module in model.modules()]
        times = np.empty((options.rounds + 2, max(every, 10), 2))
        for i, step, turn in np.ndindex(times.shape):
            on = (turn + i + step) % 2
            watched(model, hooks, bool(on))
            times[i, step, on] = seconds(model, optimizer, x, y)
        assert monitor.steps == times.size // 2, "the monitor saw other steps than it should"
        times = times[2:]  # the first rounds warm up
        parts = [extra(part) for part in np.array_split(times, 5)]
        print(f"every={every:<3} {extra(times):+5.1f} % of a step (five parts of {options.rounds} "
              f"rounds: {min(parts):+.1f} to {max(parts):+.1f})")
        monitor.close()


if __name__ == "__main__":
    main()
