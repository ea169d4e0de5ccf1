"""Wrong updates, one at a time: the optimizers' comparisons with torch must catch every one.

    python -m tests.optim.mutate                 every mutant of every formula
    python -m tests.optim.mutate --sample 40     that many, drawn at random
    python -m tests.optim.mutate --only Adam     of one optimizer; or LBFGS, averages

One place of a formula's source is changed (``mutations`` says how), and what the tests compare is
compared again, in configurations drawn once. A mutant that no comparison catches is a survivor, and
the exit status is 1. So is one that changed nothing in any of them, unless ``SAME`` says why.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property, partial
from types import FunctionType
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import minitorch
from minitorch.optim import lbfgs, line_search, swa_utils
from minitorch.optim.elementwise import Elementwise, decayed
from minitorch.testing.db.optimizers import OPTIONS, options
from minitorch.testing.db.runs import Run, array, close
from tests.optim import test_lbfgs, test_steps, test_swa
from tests.optim.mutations import Mutant, mutants
from tests.optim.test_line_search import OUTWARD, SCRIPTS, STRAIGHT, N, Script
from tests.optim.test_sparse_steps import TAKING, Table

# Mutants that are the same function, or another one only where two rounded numbers are equal.
SAME = {
    # Only their product is used.
    "LBFGS._minimise: (d, t, before)  ->  (t, d, before)",
    "Memory.__init__: (self.d, self.t)  ->  (self.t, self.d)",
    # Of integers.
    "Memory.store: state['n_iter'] > 1  ->  state['n_iter'] > 1.01",
    "strong_wolfe: tried > 1  ->  tried > 1.01",
    # Where both sides are equal there is a division by 0, or a slope of 0, which is flat.
    "cubic_minimum: a.t > b.t  ->  a.t >= b.t",
    "strong_wolfe: new.slope >= 0  ->  new.slope > 0",
    "strong_wolfe: new.slope * (between[1 - low].t - between[low].t) >= 0  ->  "
    "new.slope * (between[1 - low].t - between[low].t) > 0",
    # The same sign.
    "strong_wolfe: new.slope * (between[1 - low].t - between[low].t)  ->  "
    "new.slope / (between[1 - low].t - between[low].t)",
    # In the middle no end is near.
    "strong_wolfe: right - t < t - left  ->  right - t <= t - left",
    # Two rounded numbers that are never equal.
    "Memory.remember: ys > 1e-10  ->  ys >= 1e-10",
    "RAdam.numbers: rho > 5  ->  rho >= 5",
    "strong_wolfe: min(right - t, t - left) >= margin  ->  min(right - t, t - left) > margin",
}

SEEDS = st.integers(0, 99)
Way = Callable[..., Iterator[list[Any]]]  # of (an engine, *what is drawn): what is compared


class Comparison:
    """One configuration: what torch comes to in it, and what the unspoilt formulas do."""

    def __init__(self, law: Law, drawn: tuple[Any, ...]) -> None:
        self.law, self.drawn = law, drawn

    @cached_property
    def right(self) -> tuple[list[Any], list[Any]]:
        """torch's and ours, which agree; made before a mutant is put in place."""
        theirs = list(self.law.way(torch, *self.drawn))
        ours = list(self.law.way(minitorch, *self.drawn))
        for mine, others in zip(ours, theirs, strict=True):
            self.law.agree(mine, others)
        return ours, theirs

    def judge(self, mutant: Mutant) -> str | None:
        """How the mutant is caught; "" if it changes nothing; None if it changes too little."""
        ours, theirs = self.right
        same = True
        with mutant:
            try:
                mine = self.law.way(minitorch, *self.drawn)
                for new, old, others in zip(mine, ours, theirs, strict=True):
                    self.law.agree(new, others)
                    same = same and all(map(partial(np.array_equal, equal_nan=True), new, old))
            except AssertionError:
                return f"caught by {self.law.name}"
            except Exception:
                return "an error"
        return "" if same else None


class Law:
    """A comparison that the tests make: what is drawn for it, and what it compares."""

    def __init__(self, name: str, way: Way, drawn: SearchStrategy[tuple[Any, ...]], n: int,
                 agree: Callable[[list[Any], list[Any]], None],
                 examples: Sequence[tuple[Any, ...]] = ()) -> None:
        self.name, self.way, self.drawn, self.n, self.agree = name, way, drawn, n, agree
        self.examples = examples

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The same in every run."""
        found = [Comparison(self, example) for example in self.examples]

        @settings(max_examples=self.n, database=None, derandomize=True, deadline=None,
                  phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(self.drawn)
        def collect(drawn: tuple[Any, ...]) -> None:
            found.append(Comparison(self, drawn))

        collect()
        return found


@cache
def dense(name: str) -> Law:
    def way(engine: Any, chosen: dict[str, Any], seed: int) -> Iterator[list[Any]]:
        return Run(engine, name, chosen, seed=seed).way()
    return Law("steps", way, st.tuples(options(name), SEEDS), 20, partial(close, tolerance=1e-9,
                                                                        scale=1))


@cache
def sparse(name: str) -> Law:
    def way(engine: Any, chosen: dict[str, Any], seed: int) -> Iterator[list[Any]]:
        return Table(engine, name, chosen, "float64", seed).way()
    return Law("sparse steps", way, st.tuples(st.fixed_dictionaries(TAKING[name]), SEEDS), 10,
               partial(close, tolerance=1e-9, scale=1))


def copied(engine: Any, t0: float) -> Iterator[list[Any]]:
    return test_steps.copied(engine, t0)


def down(engine: Any, chosen: dict[str, Any], seed: int, scale: float) -> Iterator[list[Any]]:
    return test_lbfgs.Run(engine, chosen, seed=seed, scale=scale).way()


def remembered(engine: Any, curvature: float) -> Iterator[list[Any]]:
    yield [np.array(test_lbfgs.remembered(engine, curvature))]


def searched(engine: Any, width: float) -> Iterator[list[Any]]:
    yield [np.array(test_lbfgs.searched(engine, width, 0.1))]


def stopped(engine: Any, bound: tuple[float, ...]) -> Iterator[list[Any]]:
    yield test_lbfgs.stopped(engine, *bound)


def tried(engine: Any, script: dict[str, Any]) -> Iterator[list[Any]]:
    return Script(engine, script).way()


def averaged(engine: Any, *drawn: Any) -> Iterator[list[Any]]:
    for state in test_swa.averaged(engine, *drawn):
        yield [array(value) for value in state.values()]


def same_averages(ours: list[Any], theirs: list[Any]) -> None:
    for x, y in zip(ours, theirs, strict=True):
        test_swa.same_array(x, y)


COPIES = Law("ASGD's copies", copied, st.tuples(st.sampled_from(test_steps.COPIED)), 5,
             partial(close, tolerance=0))
LBFGS = [
    Law("LBFGS's way down", down, st.tuples(test_lbfgs.OPTIONS, SEEDS, test_lbfgs.SCALES), 150,
        partial(close, tolerance=1e-7, scale=1)),
    Law("LBFGS's memory", remembered, st.tuples(st.sampled_from(test_lbfgs.AROUND)), 10,
        partial(close, tolerance=0)),
    Law("LBFGS's searches", searched, st.tuples(st.sampled_from(test_lbfgs.AROUND)), 10,
        partial(close, tolerance=0)),
    Law("LBFGS's tolerances", stopped, st.tuples(st.sampled_from(test_lbfgs.BOUNDS)), 10,
        partial(close, tolerance=0)),
    Law("line searches", tried, st.tuples(SCRIPTS), N, partial(close, tolerance=1e-12),
        [(STRAIGHT,), (OUTWARD,)]),
]
AVERAGES = Law("averages", averaged, st.tuples(
    st.sampled_from(list(test_swa.FUNCTIONS)), test_swa.DECAYS, st.booleans(),
    st.lists(test_swa.VALUES, max_size=6)), 80, same_averages)


def own(cls: type, names: tuple[str, ...]) -> list[FunctionType]:
    """The functions of a class, of those names that it defines itself."""
    return [getattr(cls, name) for name in names if name in vars(cls)]


def subjects() -> dict[str, tuple[list[Any], list[Law]]]:
    """Functions to spoil, and the laws that must tell."""
    found: dict[str, tuple[list[Any], list[Law]]] = {
        "Elementwise": ([Elementwise.numbers, decayed], [dense("Adam"), dense("SGD")])}
    for name in (*OPTIONS, "SparseAdam"):
        functions = own(getattr(minitorch.optim, name), ("begin", "numbers", "update"))
        laws = [law(name) for law, names in ((dense, OPTIONS), (sparse, TAKING)) if name in names]
        laws += [COPIES] * (name == "ASGD")
        if functions:  # AdamW has none of its own
            found[name] = functions, laws
    memory = own(lbfgs.Memory, ("__init__", "remember", "direction", "store"))
    search = [lbfgs.LBFGS._search, line_search.cubic_minimum, line_search.strong_wolfe]
    found["LBFGS"] = [lbfgs.LBFGS._minimise, *memory, *search], LBFGS
    found["averages"] = [
        swa_utils.get_ema_avg_fn, swa_utils.get_swa_avg_fn, swa_utils.get_ema_multi_avg_fn,
        swa_utils.get_swa_multi_avg_fn, swa_utils._for_each,
        swa_utils.AveragedModel.update_parameters], [AVERAGES]
    return found


def judge(mutant: Mutant, comparisons: list[Comparison]) -> str:
    """What becomes of a mutant. The comparison that catches it is the first for the next one."""
    ends = set()
    for i, comparison in enumerate(comparisons):
        end = comparison.judge(mutant)
        if end:
            comparisons.insert(0, comparisons.pop(i))
            return end
        ends.add(end)
    if None in ends:
        return "survived"
    return "the same" if str(mutant) in SAME else "changed nothing"


def run(chosen: list[tuple[Mutant, list[Comparison]]]) -> list[Mutant]:
    """The survivors; prints a summary of what happened to the others."""
    survivors = []
    ends: Counter[str] = Counter()
    for mutant, comparisons in chosen:
        end = judge(mutant, comparisons)
        ends[end] += 1
        if end in ("survived", "changed nothing"):
            survivors.append(mutant)
            print(f"{end.upper()}  {mutant}", flush=True)
    for end, n in ends.most_common():
        print(f"{n:5} {end}")
    return survivors


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.optim.mutate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="only so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=None, help="of the sample")
    parser.add_argument("--only", help="the formulas of this optimizer", choices=subjects())
    chosen_by = parser.parse_args(argv)
    chosen = []
    for name, (functions, laws) in subjects().items():
        if chosen_by.only in (None, name):
            comparisons = [comparison for law in laws for comparison in law.comparisons]
            chosen += [(mutant, comparisons) for f in functions for mutant in mutants(f)]
    if chosen_by.sample is not None:
        seed = random.randrange(2**32) if chosen_by.seed is None else chosen_by.seed
        chosen = random.Random(seed).sample(chosen, min(chosen_by.sample, len(chosen)))
        print(f"{len(chosen)} mutants, sample seed {seed}")
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        survivors = run(chosen)
    print(f"{len(chosen)} mutants, {len(survivors)} survivors, "
          f"{time.perf_counter() - started:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
