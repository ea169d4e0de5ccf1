"""``first_divergence``: where a program first does under minitorch what it does not under PyTorch.

How far rounding alone may drive two engines apart is measured on the program itself (``runs``).
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitorch.testing.oracle import pytorch
from minitorch.testing.recording import Call, Quantity
from minitorch.testing.runs import Runs, Spread

RUNS, UNITS = 3, 3  # of PyTorch, in which last places change by so many units
MORE_RUNS, MORE_UNITS = 12, 15  # before a difference is reported
BARS = 8  # how many times further apart than those the two engines may be
ROUNDINGS = 64  # in units of the largest number's last place: between two summation orders


@dataclass
class Divergence:
    """What ``first_divergence`` found; true if there is something to look at."""

    verdict: str  # "no divergence", "divergence", "error", "nothing compared"
    compared: int
    seed: int
    quantity: Quantity | None = None
    last: Quantity | None = None  # the last quantity that agreed
    index: tuple[int, ...] = ()
    ours: Any = None
    theirs: Any = None
    note: str = ""
    alone: tuple[Counter[str], Counter[str]] = (Counter(), Counter())  # torch's, minitorch's
    blurred: list[Quantity] = field(default_factory=list)  # not compared: nothing but rounding

    def __bool__(self) -> bool:
        return self.verdict != "no divergence"

    @property
    def step(self) -> int | None:
        """How many optimizer steps came before."""
        return self.quantity.call.step if self.quantity else None

    @property
    def operator(self) -> str:
        """The operator (of a gradient: those whose rules made it) or optimizer in question."""
        if self.quantity is None:
            return ""
        calls = [call for call, _ in self.quantity.by] or [self.quantity.call]
        return ", ".join(dict.fromkeys(call.name for call in calls))

    def __str__(self) -> str:
        lines = [f"{self.verdict.upper()}: {self.compared} quantities compared, seed {self.seed}"]
        if self.quantity is not None:
            lines.append(f"first in step {self.step}: {self.quantity}")
        if self.note:
            lines.append(f"  {self.note}")
        if self and self.last is not None:
            lines.append(f"the last to agree, in step {self.last.call.step}: {self.last}")
        if self.blurred:
            lines.append(f"not compared, since rounding alone may change all of it: "
                         f"{len(self.blurred)} quantities, first in step "
                         f"{self.blurred[0].call.step}: {self.blurred[0]}")
        for engine, names in zip(("torch", "minitorch"), self.alone):
            if names:
                calls = ", ".join(f"{k} ({n})" if n > 1 else k for k, n in names.most_common(8))
                lines.append(f"called under {engine} only, not compared: {calls}")
        return "\n".join(lines)


def first_divergence(program: Callable[..., Any], *args: Any, seed: int = 0, steps: int = 10,
                     operators: int = 5000, float64: bool = False, **kwargs: Any) -> Divergence:
    """Run ``program(torch, *args, **kwargs)`` under both engines, and find where they part.

    Recorded are the results of all public functions and methods that the program, its modules and
    losses call; tensors that come from elsewhere (data), where they are first used; the gradients
    of all of those in each backward pass; and the parameters after each optimizer's step (what
    happens within a step is not looked at). Calls are aligned by name and order within a step;
    those that only one engine makes are listed. Both engines start from ``seed``, and each run gets
    its own copy of the arguments; the program's output is dropped.

    ``steps``, ``operators``: a program is stopped after so many optimizer steps or recorded calls.
    ``float64``: run with that default dtype and arrays of it, where rounding hides nothing.

    Beyond rounding is a difference of more than 8 times what 3 more runs of PyTorch show, in which
    results and gradients are changed by up to 3 units in the last place (in this quantity, or
    relative to its size in an earlier one of its kind), plus 64 units in the last place of the
    largest number; and still so after 12 runs that change them by up to 15 units. What that budget
    covers whole, since rounding decides it, is not compared, and said to be so.

    Returns a ``Divergence`` that prints: true if there is one, if the program raised under either
    engine, or if there was nothing to compare. Raises ImportError without PyTorch.

    >>> from minitorch.testing import first_divergence
    >>> def program(torch, scale=1.0):
    ...     model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh())
    ...     optimizer = torch.optim.Adam(model.parameters())
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         y = model(torch.randn(5, 3)) * (scale if "mini" in torch.__name__ else 1.0)
    ...         y.square().sum().backward()
    ...         optimizer.step()
    >>> print(first_divergence(program))
    NO DIVERGENCE: 47 quantities compared, seed 0
    >>> found = first_divergence(program, scale=1.001)
    >>> found.operator, found.step
    ('mul', 0)
    """
    torch, minitorch = pytorch(), importlib.import_module("minitorch")
    runs = Runs(program, args, kwargs, seed, steps, operators, float64)
    theirs: list[Quantity] = []
    ours: list[Quantity] = []
    their_calls, their_error = runs.run(torch, theirs.append)
    our_calls, our_error = runs.run(minitorch, ours.append)
    partner, alone = aligned(their_calls, our_calls)
    partner |= aligned(*([q.call for q in side if q.kind == "parameter"]
                         for side in (theirs, ours)))[0]
    found = {q.key: q for q in ours}
    pairs = [(q, other) for q in theirs if q.call in partner and (
        other := found.get((q.kind, partner[q.call], q.part))) is not None]
    spread = Spread(torch, runs, theirs)
    spread.measure(RUNS, UNITS)
    known = None
    while (at := scan(pairs, spread)) is not None and at != known:
        known = at  # is it rounding after all?
        spread.measure(MORE_RUNS, MORE_UNITS, pairs[known][0])
    allowed = allowances(pairs, spread)
    seen = range(len(pairs) if at is None else at + 1)
    clear = [i for i in seen if allowed[i] is not None]
    out = Divergence("no divergence" if clear else "nothing compared", len(clear), seed, None,
                     pairs[clear[-1]][0] if clear else None, alone=alone,
                     blurred=[pairs[i][0] for i in seen if allowed[i] is None])
    if at is not None:
        out.last = pairs[clear[-2]][0] if len(clear) > 1 else None
        describe(out, *pairs[at], allowed[at] or 0.0)
    elif our_error is not None or their_error is not None:
        out.verdict, out.note = "error", f"torch: {their_error!r}; minitorch: {our_error!r}"
    return out


Pairs = Sequence[tuple[Quantity, Quantity]]  # PyTorch's and minitorch's


def allowances(pairs: Pairs, spread: Spread) -> list[float | None]:
    """How far apart each pair may be: the budget of its kind, which only grows along the program
    relative to the quantity's size. None where that is all of it."""
    out: list[float | None] = []
    budget: dict[tuple[Any, ...], float] = {}
    for q, _ in pairs:
        size = float(np.max(abs(q.array[np.isfinite(q.array)].astype(np.float64)), initial=0.0))
        kind = q.kind, q.call.name, q.part[:2] if q.kind == "gradient" else q.part
        if size:
            budget[kind] = max(budget.get(kind, 0.0), BARS * spread[q] / size)
        relative = budget.get(kind, 0.0) if size or not spread[q] else np.inf
        eps = float(np.finfo(q.array.dtype).eps) if q.array.dtype.kind == "f" else 0.0
        out.append(None if relative >= 1 else (relative + ROUNDINGS * eps) * size)
    return out


def scan(pairs: Pairs, spread: Spread) -> int | None:
    """The first pair that is further apart than allowed."""
    for i, ((q, other), allowed) in enumerate(zip(pairs, allowances(pairs, spread))):
        if (q.array.dtype, q.array.shape) != (other.array.dtype, other.array.shape) or (
                allowed is not None and (off(q, other) > allowed).any()):
            return i
    return None


def off(q: Quantity, other: Quantity) -> Any:
    """Entry by entry, how far apart two arrays of one shape are; nan is equal to nan."""
    a, b = other.array, q.array
    with np.errstate(all="ignore"):
        out = abs(a.astype(np.float64) - b.astype(np.float64))
    out = np.where((a == b) | ((a != a) & (b != b)), 0.0, out)
    return np.where(out != out, np.inf, out)


def describe(out: Divergence, q: Quantity, other: Quantity, allowed: float) -> None:
    """Say of the pair that is too far apart where, and by how much."""
    out.verdict, out.quantity = "divergence", q
    for what in ("dtype", "shape"):
        x, y = getattr(other.array, what), getattr(q.array, what)
        if x != y:
            out.ours, out.theirs, out.note = x, y, f"the {what} is {x}, under torch {y}"
            return
    distance = off(q, other)
    index = tuple(map(int, np.unravel_index(int(distance.argmax()), distance.shape)))
    out.index, out.ours, out.theirs = index, other.array[index].item(), q.array[index].item()
    out.note = (f"minitorch {out.ours!r}, torch {out.theirs!r} at {list(index)}: off by "
                f"{distance[index]:.2g}, allowed {allowed:.2g}, as are "
                f"{int((distance > allowed).sum())} of {distance.size} entries")


def aligned(theirs: Sequence[Call], ours: Sequence[Call]) -> tuple[
        dict[Call, Call], tuple[Counter[str], Counter[str]]]:
    """Each call of PyTorch's run with minitorch's, by name and order within a step; and the names
    of those left over."""
    partner: dict[Call, Call] = {}
    for step in range(1 + max([c.step for c in (*theirs, *ours)], default=0)):
        a, b = ([c for c in calls if c.step == step] for calls in (theirs, ours))
        i = j = 0
        while i < len(a) and j < len(b):
            skips = ((s, t) for n in range(len(a) + len(b) - i - j) for s in range(n + 1)
                     if i + s < len(a) and j + (t := n - s) < len(b)
                     and a[i + s].name == b[j + t].name)
            found = next(skips, None)  # the nearest pair of one name
            if found is None:
                break
            i, j = i + found[0], j + found[1]
            partner[a[i]] = b[j]
            i, j = i + 1, j + 1
    taken = set(partner.values())
    return partner, (Counter(c.name for c in theirs if c not in partner),
                     Counter(c.name for c in ours if c not in taken))
