"""``python -m tests.samples [NAME ...]``: every sample of every operator; differences by cause."""

from __future__ import annotations

import collections
import itertools
import re
import sys
import time
import warnings
from typing import Any

import torch

import minitorch
from tests.samples.bridge import OutOfScope
from tests.samples.catalogue import OPERATORS, ours
from tests.samples.compare import Sample, check_error

DT = (torch.float64, torch.float32, torch.int64, torch.bool)


def run(op: Any, limit: int, counts: Any) -> Any:
    f = ours(op)
    for dtype in DT:
        if dtype not in op.dtypes:
            continue
        grad = op.supports_autograd and dtype.is_floating_point
        try:
            source = op.reference_inputs if "--reference" in sys.argv else op.sample_inputs
            samples = list(itertools.islice(source("cpu", dtype, requires_grad=grad), limit))
        except Exception as e:
            yield dtype, None, f"SAMPLES {e!r}"
            continue
        for s in samples:
            counts["samples"] += 1
            try:
                c = Sample(s, op.op, f, values="empty" not in op.name)
                for text in c.check(second=op.supports_gradgrad):
                    yield dtype, s, text
                if c.values and op.method_variant and (m := getattr(
                        minitorch.Tensor, op.method_variant.__name__, None)):
                    for text in c.check_method(op.method_variant, m):
                        yield dtype, s, text
                if c.values and op.supports_out:
                    for text in c.check_out():
                        yield dtype, s, text
                if op.inplace_variant and (m := getattr(
                        minitorch.Tensor, op.inplace_variant.__name__, None)):
                    for text in c.check_in_place(op.inplace_variant, m):
                        yield dtype, s, text
            except OutOfScope as e:
                counts[f"scope {e}"] += 1
            except Exception as e:
                yield dtype, s, f"HARNESS {type(e).__name__}: {e}"
    if op.error_inputs_func:
        for e in op.error_inputs("cpu"):
            counts["errors"] += 1
            try:
                for text in check_error(e.sample_input, op.op, f):
                    yield "error", e.sample_input, text
            except OutOfScope as err:
                counts[f"scope {err}"] += 1


def show(s: Any) -> str:
    def one(v: Any) -> str:
        if isinstance(v, torch.Tensor):
            return f"T{list(v.shape)}{'' if v.dtype.is_floating_point else v.dtype}"
        if isinstance(v, (list, tuple)):
            return "[" + ", ".join(map(one, v)) + "]"
        return repr(v)
    if s is None:
        return ""
    return ", ".join([one(s.input), *map(one, s.args),
                      *(f"{k}={one(v)}" for k, v in s.kwargs.items())])


def main() -> None:
    warnings.simplefilter("ignore")
    names = [a for a in sys.argv[1:] if a != "--reference"]
    counts: Any = collections.Counter()
    total = collections.Counter()
    for name, op in OPERATORS.items():
        if names and name not in names and op.name not in names:
            continue
        t = time.time()
        seen: Any = collections.defaultdict(list)
        before = counts["samples"]
        for dtype, s, text in run(op, 10**6, counts):
            key = re.sub(r"-?\d[\d.e+-]*", "#", text)[:110]
            seen[key].append((dtype, s, text))
        print(f"== {name}: {counts['samples'] - before} samples, {time.time() - t:.1f} s, "
              f"{sum(map(len, seen.values()))} differences", flush=True)
        for key, cases in sorted(seen.items(), key=lambda kv: -len(kv[1])):
            dtype, s, text = cases[0]
            total[re.split(r"[:(]", key)[0]] += len(cases)
            print(f"   {len(cases):4}x [{','.join(sorted({str(c[0])[6:] for c in cases}))}] "
                  f"{text[:300]}\n         f({show(s)[:220]})", flush=True)
    print(counts)
    print(total.most_common(40))


main()
