"""Wrong gradients, injected one at a time: every one must be caught by the operators' laws.

    python -m tests.mutate                 every mutant of every rule
    python -m tests.mutate --sample 40     that many, drawn at random
    python -m tests.mutate --op softmax    of one operator
    python -m tests.mutate --law NAME      by one law alone

A rule is replaced in the registry by one that spoils its result, or that ignores one of the values
it saved; then the operator's laws run over calls drawn once. A mutant that no law catches is a
survivor, and the exit status is 1. One that changes no derivative, first or second, in any of the
calls is none: a transposition where nothing is square, or a multiple of a gradient that is zero.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

import minitorch
from minitorch import engine, ops
from minitorch.engine import Tensor, wrap
from minitorch.testing.db.cases import Case, is_array
from minitorch.testing.db.operators import calls
from tests.ops import laws

LAWS = {  # and the values of which each holds
    laws.gradient_agrees_with_torch: ("smooth", "ties"),
    laws.second_order_agrees_with_torch: ("smooth",),
    laws.rule_is_the_adjoint_of_the_numerical_jvp: ("smooth",),
    laws.rule_equals_its_forward_differentiated: ("smooth",),
    laws.rule_is_linear_in_the_cotangent: ("smooth",),
}
CALLS = {"smooth": 30, "ties": 25}

Change = Callable[[Any, Any], Any]  # of (xp, the rule's result)
Drawn = dict[str, list[Any]]  # calls by the kind of their values; under "right", with derivatives


def values(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else np.asarray(x)


def like(x: Any, array: Any) -> Any:
    return wrap(array) if isinstance(x, Tensor) else array


def drop_one(xp: Any, out: Any) -> Any:
    kept = np.ones(out.shape, values(out).dtype)
    kept.reshape(-1)[-1:] = 0
    return out * like(out, kept)


def transpose(xp: Any, out: Any) -> Any:
    square = len(out.shape) > 1 and out.shape[-1] == out.shape[-2]
    return xp.swapaxes(out, -1, -2) if square else out


def roll(xp: Any, out: Any) -> Any:
    return xp.concatenate((out[..., 1:], out[..., :1]), -1) if out.shape else out


def detach(xp: Any, out: Any) -> Any:
    """Right in first order, but cut off from the graph of the second."""
    return wrap(out.array) if isinstance(out, Tensor) else out


RESULTS: dict[str, Change] = {
    "zero": lambda xp, out: out * 0,
    "sign flipped": lambda xp, out: -out,
    "doubled": lambda xp, out: out * 2,
    "scaled by 1.01": lambda xp, out: out * 1.01,
    "scaled by 1.0001": lambda xp, out: out * 1.0001,
    "shifted by 0.001": lambda xp, out: out + 0.001,
    "one entry dropped": drop_one,
    "transposed": transpose,
    "rolled by one": roll,
    "detached": detach,
}


def first_of_broadcast(xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
    """What takes the place of the engine's sum over the axes that broadcasting added."""
    extra = len(g.shape) - len(shape)
    return xp.reshape(g[tuple([0] * extra + [slice(n) for n in shape])], shape)


class Mutant:
    """One rule of one operator, spoilt in one way; or the engine's un-broadcasting of them all."""

    def __init__(self, op: Any, i: int | None, how: str) -> None:
        self.op, self.i, self.how = op, i, how
        self.earlier: Any = None  # a saved value of an earlier call

    def __str__(self) -> str:
        rule = "" if self.i is None else f", rule for '{self.op.parameters[self.i]}'"
        return f"{self.op.name}{rule}: {self.how}"

    def spoilt(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        if self.how in RESULTS:
            return lambda xp, g, *saved: RESULTS[self.how](xp, rule(xp, g, *saved))
        place = self.op.needs[self.i].index(self.how.removeprefix("without "))

        def forgetful(xp: Any, g: Any, *saved: Any) -> Any:
            value = self.constant(saved[place])
            return rule(xp, g, *saved[:place], value, *saved[place + 1:])
        return forgetful

    def constant(self, value: Any) -> Any:
        """What a rule that forgot to look at ``value`` might take instead."""
        if isinstance(value, tuple) and value and not isinstance(value[0], (int, type(None))):
            return tuple([self.constant(v) for v in value])
        if is_array(value) or isinstance(value, Tensor):  # its first entry, everywhere
            return like(value, np.full_like(values(value), values(value).flat[0])
                        if values(value).size else values(value))
        if self.earlier is None:
            self.earlier = value
        return self.earlier

    def install(self) -> Callable[[], None]:
        """Put it in place; the function returned takes it out again."""
        if self.i is None:
            engine.unbroadcast = first_of_broadcast

            def restore() -> None:
                engine.unbroadcast = UNBROADCAST
            return restore
        original = self.op.rules[self.i]
        self.op.rules[self.i] = self.spoilt(original)
        self.op.plans.clear()

        def put_back() -> None:
            self.op.rules[self.i] = original
            self.op.plans.clear()
        return put_back

    def caught_by(self, drawn: Drawn, chosen: Any = LAWS) -> str | None:
        """The name of the first law that catches it; "" if it changes nothing; else None."""
        restore = self.install()
        try:
            for law in chosen:
                for case in (case for kind in LAWS[law] for case in drawn[kind]):
                    try:
                        law(case)
                    except Exception:  # wrong numbers, or none at all
                        return law.__name__
            changed = not all(equal(derivatives(case), right) for case, right in drawn["right"])
        finally:
            restore()
        return None if changed else ""


def derivatives(case: Case) -> list[Any]:
    """All first and second derivatives, which a mutant must change to be one."""
    return [*laws.everything(case), *laws.second_derivatives(minitorch, case)]


def equal(xs: list[Any], ys: list[Any]) -> bool:
    """Up to the last digits: a sum may be taken in another order."""
    return all(np.allclose(values(x), values(y), 1e-13, 1e-15, equal_nan=True)
               for x, y in zip(xs, ys, strict=True))


UNBROADCAST = engine.unbroadcast


def mutants(op: Any) -> Iterator[Mutant]:
    for i in op.rules:
        for how in [*RESULTS, *[f"without {name}" for name in op.needs[i]]]:
            yield Mutant(op, i, how)
    yield Mutant(op, None, "un-broadcasting takes the first instead of the sum")


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
        law = mutant.caught_by(drawn[mutant.op.name], by)
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
