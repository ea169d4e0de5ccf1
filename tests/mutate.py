"""Break every rule on purpose and see that the laws notice: ``python -m tests.mutate``.

Each mutation changes what one rule returns (or what it is given); then the gradient law of that
operator runs on drawn calls until it fails. A mutation that changes no returned number in any of
the calls, like a sign flipped in a gradient that is zero everywhere, breaks nothing and is listed
apart. Any other that the law lets pass is a survivor, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

import minitorch
from minitorch import engine, ops
from tests.ops import laws
from tests.strategies import calls

Rule = Callable[..., Any]
CALLS = 150  # drawn calls that a mutation must survive


def transposed(out: Any) -> Any:
    return np.ascontiguousarray(np.swapaxes(out, -1, -2)) if out.ndim > 1 and (
        out.shape[-1] == out.shape[-2]) else out


def one_dropped(out: Any) -> Any:
    out = np.array(out)
    out[(0,) * out.ndim] = 0
    return out


RESULTS: dict[str, Callable[[Any], Any]] = {
    "zero": lambda out: out * 0,
    "sign": lambda out: -out,
    "twice": lambda out: out * 2,
    "1.01": lambda out: out * 1.01,
    "1+1e-4": lambda out: out * (1 + 1e-4),
    "transposed": transposed,
    "one entry dropped": one_dropped,
    "rolled by one": lambda out: np.roll(out, 1).reshape(out.shape),
    "shifted": lambda out: out + 1e-3,
}


class Mutant:
    """One operator with one broken rule, inside a ``with`` block."""

    def __init__(self, op: Any, position: int, name: str) -> None:
        self.op, self.position, self.name = op, position, name
        self.changed = False
        self.last: tuple[Any, Any] | None = None  # what the rule should have and has returned

    def __str__(self) -> str:
        return f"{self.op.name}.{self.op.parameters[self.position]}: {self.name}"

    def __enter__(self) -> Mutant:
        self.rule = self.op.rules[self.position]
        self.unbroadcast = engine.unbroadcast
        if self.name == "broadcast kept":
            engine.unbroadcast = self.first_only  # type: ignore[assignment]
        elif self.name.startswith("constant "):
            self.op.rules[self.position] = self.forgetful
        else:
            self.op.rules[self.position] = self.broken
            engine.unbroadcast = self.summed  # type: ignore[assignment]
        self.op.plans.clear()
        return self

    def __exit__(self, *exc: object) -> None:
        self.settle()
        self.op.rules[self.position] = self.rule
        engine.unbroadcast = self.unbroadcast
        self.op.plans.clear()

    def note(self, right: Any, wrong: Any) -> Any:
        """Has anything changed, beyond the rounding of sums in another order?"""
        same = np.shape(right) == np.shape(wrong) and np.allclose(right, wrong, 1e-12, 1e-14,
                                                                  equal_nan=True)
        self.changed |= not same
        return wrong

    def settle(self) -> None:
        if self.last is not None:
            self.note(*self.last)
        self.last = None

    def broken(self, xp: Any, g: Any, *saved: Any) -> Any:
        self.settle()
        right = np.asarray(self.rule(xp, g, *saved))
        if not right.size:
            return right
        wrong = RESULTS[self.name](right).astype(right.dtype)
        self.last = right, wrong
        return wrong

    def summed(self, xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
        """What was moved about is the same again if it is then added up: judge it afterwards."""
        out = self.unbroadcast(xp, g, shape)
        if self.last is not None and g is self.last[1]:
            self.last = self.unbroadcast(xp, self.last[0], shape), out
        return out

    def forgetful(self, xp: Any, g: Any, *saved: Any) -> Any:
        """One saved array is taken for ones: the rule no longer depends on it."""
        k = self.op.needs[self.position].index(self.name.removeprefix("constant "))
        right = self.rule(xp, g, *saved)
        if not isinstance(saved[k], np.ndarray) or saved[k].dtype.kind != "f":
            return right
        replaced = [np.ones_like(s) if i == k else s for i, s in enumerate(saved)]
        return self.note(right, self.rule(xp, g, *replaced))

    def first_only(self, xp: Any, g: Any, shape: tuple[int, ...]) -> Any:
        """The sum over broadcast axes forgotten: the first of what should be added up."""
        right = self.unbroadcast(xp, g, shape)
        extra = len(g.shape) - len(shape)
        key = (0,) * extra + tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)
        return self.note(right, np.asarray(g[key]).reshape(shape)) if g.size else right


def mutants(names: list[str]) -> list[Mutant]:
    found = []
    for op in ops.registry.values():
        if not op.__module__.startswith("minitorch.") or (names and op.name not in names):
            continue
        for position in op.rules:
            saved = [n for n in op.needs[position]
                     if n in ("out", *op.extras) or (n in op.parameters
                         and op.parameters.index(n) in op.rules)]
            found += [Mutant(op, position, name) for name in
                      [*RESULTS, *[f"constant {n}" for n in saved]]]
            if op.promote and op.law == "(),()->()":
                found.append(Mutant(op, position, "broadcast kept"))
    return found


def is_caught(mutant: Mutant) -> bool:
    """Whether the gradient law fails on some drawn call."""
    @settings(max_examples=CALLS, database=None, derandomize=True, deadline=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(calls(mutant.op))
    def law(case: Any) -> None:
        laws.gradient_agrees_with_torch(case)

    with mutant:
        try:
            law()
        except Exception:  # whatever it is, a user would have noticed
            return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    parser.add_argument("--op", action="append", default=[], metavar="NAME",
                        help="only this operator (may be repeated)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutations, at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    options = parser.parse_args()
    chosen = mutants(options.op)
    if options.sample:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    caught, idle, survivors = 0, [], []
    for mutant in chosen:
        if is_caught(mutant):
            caught += 1
        elif mutant.changed:
            survivors.append(str(mutant))
            print("SURVIVED", mutant, flush=True)
        else:
            idle.append(str(mutant))
    minitorch.set_grad_enabled(True)
    print(f"{len(chosen)} mutations: {caught} caught, {len(survivors)} survived; "
          f"{len(idle)} change no number:")
    for text in idle:
        print("   ", text)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
