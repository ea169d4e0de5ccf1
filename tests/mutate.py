"""Wrong gradients, injected one at a time: every one must be caught by the operators' laws.

    python -m tests.mutate                 every mutant of every rule
    python -m tests.mutate --sample 40     that many, drawn at random
    python -m tests.mutate --op softmax    of one operator
    python -m tests.mutate --law NAME      by one law alone

A rule is replaced in the registry (``minitorch.testing.rules``) by one that spoils its result, or
that ignores one of the values it saved; then the operator's laws run over calls drawn once. A
mutant that no law catches is a survivor, and the exit status is 1. One that changes no derivative,
first or second, in any of the calls is none: a transposition where nothing is square, or a multiple
of a gradient that is zero.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

import minitorch
from minitorch import ops
from minitorch.testing.db.cases import Case
from minitorch.testing.db.operators import calls
from minitorch.testing.rules import Mutant, mutants, values
from tests.ops import laws

LAWS = {  # and the values of which each holds
    laws.gradient_agrees_with_torch: ("smooth", "ties"),
    laws.second_order_agrees_with_torch: ("smooth",),
    laws.rule_is_the_adjoint_of_the_numerical_jvp: ("smooth",),
    laws.rule_equals_its_forward_differentiated: ("smooth",),
    laws.rule_is_linear_in_the_cotangent: ("smooth",),
}
CALLS = {"smooth": 30, "ties": 25}

Drawn = dict[str, list[Any]]  # calls by the kind of their values; under "right", with derivatives


def caught_by(mutant: Mutant, drawn: Drawn, chosen: Any = LAWS) -> str | None:
    """The name of the first law that catches it; "" if it changes nothing; else None."""
    with mutant:
        for law in chosen:
            for case in (case for kind in LAWS[law] for case in drawn[kind]):
                try:
                    law(case)
                except Exception:  # wrong numbers, or none at all
                    return law.__name__
        changed = not all(equal(derivatives(case), right) for case, right in drawn["right"])
    return None if changed else ""


def derivatives(case: Case) -> list[Any]:
    """All first and second derivatives, which a mutant must change to be one."""
    return [*laws.everything(case), *laws.second_derivatives(minitorch, case)]


def equal(xs: list[Any], ys: list[Any]) -> bool:
    """Up to the last digits: a sum may be taken in another order."""
    return all(np.allclose(values(x), values(y), 1e-13, 1e-15, equal_nan=True)
               for x, y in zip(xs, ys, strict=True))


def some_calls(op: Any, kind: str, n: int) -> list[Case]:
    found: list[Case] = []

    @settings(max_examples=n, database=None, derandomize=True, deadline=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(calls(op, kind))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def drawn_calls(op: Any) -> Drawn:
    """The calls that the laws are tried on, the same in every run; unspoilt, they obey them."""
    found = {kind: some_calls(op, kind, n) for kind, n in CALLS.items()}
    for law, kinds in LAWS.items():
        for kind in kinds:
            for case in found[kind]:
                law(case)
    found["right"] = [(case, derivatives(case)) for kind in CALLS for case in found[kind]]
    return found


def run(chosen: list[Mutant], by: Any = LAWS) -> list[Mutant]:
    """The survivors; prints a summary of what happened to the others."""
    survivors: list[Mutant] = []
    ends: Counter[str] = Counter()
    drawn: dict[str, Drawn] = {}
    for mutant in chosen:
        if mutant.op.name not in drawn:
            drawn[mutant.op.name] = drawn_calls(mutant.op)
        law = caught_by(mutant, drawn[mutant.op.name], by)
        if law is None:
            survivors.append(mutant)
            print(f"SURVIVED  {mutant}", flush=True)
        ends[{None: "survived", "": "changed nothing"}.get(law, f"caught by {law}")] += 1
    for end, n in ends.most_common():
        print(f"{n:5} {end}")
    return survivors


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="only so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=None, help="of the sample")
    parser.add_argument("--op", help="only of this operator")
    parser.add_argument("--law", help="judge by this law alone", choices=[f.__name__ for f in LAWS])
    options = parser.parse_args(argv)
    chosen = [mutant for op in ops.registry.values()
              if op.rules and options.op in (None, op.name)
              and op.__module__ != "minitorch.ops.sparse"
              for mutant in mutants(op)]
    if options.sample is not None:
        seed = random.randrange(2**32) if options.seed is None else options.seed
        chosen = random.Random(seed).sample(chosen, min(options.sample, len(chosen)))
        print(f"{len(chosen)} mutants, sample seed {seed}")
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        survivors = run(chosen, [f for f in LAWS if options.law in (None, f.__name__)])
    print(f"{len(chosen)} mutants, {len(survivors)} survivors, "
          f"{time.perf_counter() - started:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
