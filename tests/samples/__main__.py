"""``python -m tests.samples [NAME ...]``: every sample of every record, differences by cause."""

from __future__ import annotations

import re
import sys
import time
import warnings
from collections import Counter, defaultdict
from typing import Any

import torch

from tests.samples.operators import OPERATORS, differences


def show(value: Any) -> str:
    """A sample's argument on one line: tensors by shape and dtype."""
    if isinstance(value, torch.Tensor):
        return f"{value.dtype}{list(value.shape)}".removeprefix("torch.")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(show, value))}]"
    return repr(value)


def call(sample: Any) -> str:
    named = [f"{k}={show(v)}" for k, v in sample.kwargs.items()]
    return ", ".join([*map(show, (sample.input, *sample.args)), *named])


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    for name, op in OPERATORS.items():
        if names and name not in names and op.name not in names:
            continue
        start, before = time.perf_counter(), counts["samples"]
        causes: dict[str, list[Any]] = defaultdict(list)
        for sample, text in differences(op, None, counts):
            causes[re.sub(r"-?\d[\d.e+-]*", "#", text)[:110]].append((sample, text))
        print(f"{name}: {counts['samples'] - before} samples, "
              f"{time.perf_counter() - start:.1f} s", flush=True)
        for found in sorted(causes.values(), key=len, reverse=True):
            sample, text = found[0]
            print(f"  {len(found)}x {text[:300]}\n      ({call(sample)[:200]})", flush=True)
    for what, n in sorted(counts.items()):
        print(f"{n:7} {what}")


if __name__ == "__main__":
    main(sys.argv[1:])
