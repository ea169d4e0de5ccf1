"""Backpropagation by hand: the chain rule in tensor operations, beside autograd's gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitorch.labs.mistakes import MISTAKES, planted
from minitorch.labs.networks import Split, Table, add, batches, pick

TITLE = "Backpropagation by hand"
QUESTION = "Does the chain rule, written out by hand, give the gradients that autograd gives?"
CLAIM = ("Backpropagation is the chain rule and nothing else: written out in tensor operations for "
         "a network of two layers, it gives autograd's gradients to the last digits and trains the "
         "same network. Finite differences only come near, and a slip in one line is seen at once.")
HIDDEN, CLASSES, SIZE, RATE = 30, 10, 10, 3.0  # units, units, images in a batch, learning rate
PARAMETERS = "w1", "b1", "w2", "b2"
EARLY, CHECKS, PROBES = 2000, 60, 5  # of so many steps, gradients compared; with differences
ENTRIES = 10  # of every parameter, those of the largest gradients, for finite differences
BOUND = 20  # units of rounding: sums over 10 images, and about ten operations one after the other
WAYS = "by hand", "finite differences"

Numbers = dict[str, Any]  # tensors by name


def chain_rule(torch: Any, x: Any, t: Any, w1: Any, b1: Any, w2: Any, b2: Any
               ) -> tuple[Any, Numbers]:
    """Cost of a batch, and its derivative by each value: d_w1 is dC/dW1, and so on."""
    n = len(x)                                   # images in the batch, one a row
    z1 = x @ w1 + b1                             # z1 = x W1 + b1
    a1 = torch.sigmoid(z1)                       # a1 = s(z1),  s(z) = 1 / (1 + exp(-z))
    z2 = a1 @ w2 + b2                            # z2 = a1 W2 + b2
    a2 = torch.sigmoid(z2)                       # a2 = s(z2)
    cost = ((a2 - t) ** 2).sum() / (2 * n)       # C = sum |a2 - t|^2 / 2n
    # From the cost back to the weights, a line for a line.
    d_a2 = (a2 - t) / n                          # dC/da2 = (a2 - t) / n
    d_z2 = d_a2 * a2 * (1 - a2)                  # dC/dz2 = dC/da2 s'(z2),  s' = s (1 - s)
    d_w2 = a1.T @ d_z2                           # dC/dW2 = a1^T dC/dz2
    d_b2 = d_z2.sum(0)                           # dC/db2 = dC/dz2, summed over the images
    d_a1 = d_z2 @ w2.T                           # dC/da1 = dC/dz2 W2^T
    d_z1 = d_a1 * a1 * (1 - a1)                  # dC/dz1 = dC/da1 s'(z1)
    d_w1 = x.T @ d_z1                            # dC/dW1 = x^T dC/dz1
    d_b1 = d_z1.sum(0)                           # dC/db1 = dC/dz1, summed over the images
    return cost, {"a2": d_a2, "z2": d_z2, "w2": d_w2, "b2": d_b2,
                  "a1": d_a1, "z1": d_z1, "w1": d_w1, "b1": d_b1}


def forward(torch: Any, x: Any, t: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Numbers:
    """The same network without any derivative."""
    z1 = x @ w1 + b1
    a1 = torch.sigmoid(z1)
    z2 = a1 @ w2 + b2
    a2 = torch.sigmoid(z2)
    return {"z1": z1, "a1": a1, "z2": z2, "a2": a2,
            "cost": ((a2 - t) ** 2).sum() / (2 * len(x))}


def by_autograd(torch: Any, x: Any, t: Any, **params: Any) -> tuple[Any, Numbers]:
    """What ``chain_rule`` returns, by the engine."""
    values = forward(torch, x, t, **params)
    cost = values.pop("cost")
    values.update(params)
    return cost.detach(), dict(zip(values, torch.autograd.grad(cost, list(values.values()))))


CODE = [chain_rule, forward, by_autograd]

class Setting:
    """The engine, the data in one dtype, and weights from N(0, 1) to start with."""

    def __init__(self, torch: Any, dtype: str, train: Split, test: Split, seed: int) -> None:
        self.torch, self.seed, self.eps = torch, seed, float(np.finfo(dtype).eps)
        self.x, self.test = (torch.from_numpy(split[0].astype(dtype)) for split in (train, test))
        self.labels, self.answers = (torch.from_numpy(split[1]) for split in (train, test))
        self.one_hot = torch.from_numpy(np.eye(CLASSES, dtype=dtype))
        torch.manual_seed(seed)
        shapes = [(self.x.shape[1], HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,)]
        self.start = {name: torch.randn(*shape, dtype=torch.float32).to(self.x.dtype)
                      for name, shape in zip(PARAMETERS, shapes)}

    def batches(self, epochs: int) -> Iterator[tuple[Any, Any]]:
        self.torch.manual_seed(self.seed)
        for _, x, y in batches(self.torch, self.x, self.labels, epochs, SIZE):
            yield x, self.one_hot[y]

    def accuracy(self, params: Numbers) -> float:
        answers = forward(self.torch, self.test, 0, **params)["a2"].argmax(1)
        return float((answers == self.answers).sum().item() / len(self.answers))


def descend(params: Numbers, gradients: Numbers) -> Numbers:
    """One step of gradient descent."""
    return {name: p - RATE * gradients[name] for name, p in params.items()}


def watched(params: Numbers) -> Numbers:
    """The same numbers, as leaves of a new graph."""
    return {name: p.detach().requires_grad_() for name, p in params.items()}


def difference(found: Any, right: Any) -> float:
    """The largest difference between two gradients, as a fraction of the largest entry."""
    return float(((found - right).abs().max() / right.abs().max()).item())


def central(at: Setting, x: Any, t: Any, params: Numbers, name: str, right: Any, h: float
            ) -> float:
    """How far (C(p + h) - C(p - h)) / 2h is from the largest ``ENTRIES`` of the gradient."""
    worst = 0.0
    g, p = right.reshape(-1).numpy(), params[name].reshape(-1).numpy()
    for k in np.argsort(-np.abs(g), kind="stable")[:ENTRIES].tolist():
        costs = []
        for shift in h, -h:
            moved = p.copy()
            moved[k] += shift
            other = at.torch.from_numpy(moved.reshape(tuple(params[name].shape)))
            costs.append(forward(at.torch, x, t, **{**params, name: other})["cost"].item())
        worst = max(worst, abs((costs[0] - costs[1]) / (2 * h) - float(g[k])))
    return worst / float(np.abs(g).max())


def run(torch: Any, train_set: Split, test_set: Split, quick: bool = False, seed: int = 777,
        tick: Callable[[str], None] = lambda what: None) -> dict[str, Table]:
    """All experiments, as tables. A difference is relative to the gradient's largest entry.

    ``summary``: the difference from autograd by parameter: of a right way on the batch where it is
    largest, of a mistake on the batch where it shows least. ``graph``: values and cotangents of the
    first batch, as shapes and root mean squares. ``rounding``: by hand against autograd while
    training. ``steps``: finite differences by their step h, on the first batch. ``costs``: of the
    training by hand and of that by autograd, means over a few batches, and the largest relative
    difference of one. ``mistakes``: the line, how it is noticed, and what training makes of it.
    """
    result: dict[str, Table] = {key: {} for key in (
        "summary", "graph", "rounding", "steps", "costs", "accuracy", "mistakes")}
    epochs = 5 if quick else 2
    for dtype in "float64", "float32":
        at = Setting(torch, dtype, train_set, test_set, seed)
        side_by_side(at, dtype, epochs, result, tick)
    at = Setting(torch, "float32", train_set, test_set, seed)
    mistakes(at, 4 if quick else 1, result, tick)
    result["claims"] = claims(result)
    return result


def side_by_side(at: Setting, dtype: str, epochs: int, result: dict[str, Table],
                 tick: Callable[[str], None]) -> None:
    """Train by hand and by autograd on the same batches, and compare all that can be compared."""
    torch, total = at.torch, epochs * (len(at.x) // SIZE)
    slips = {slip: planted(chain_rule, line, instead) for slip, line, instead in MISTAKES[:-1]
             if dtype == "float64"}
    found: dict[str, list[list[float]]] = {key: [] for key in (*WAYS, *slips)}
    by_hand, params = at.start, at.start
    window: list[tuple[float, float]] = []
    early = min(EARLY, total)  # later, rounding may have led the engines different ways
    check, probe, show = max(1, early // CHECKS), max(1, early // PROBES), max(1, total // 150)
    h = at.eps ** (1 / 3)  # balances the error of the formula, h^2, with that of rounding, eps / h
    for step, (x, t) in enumerate(at.batches(epochs)):
        if step % 100 == 0:
            tick(f"{dtype}, step {step:,} of {total:,}")
        cost, right = by_autograd(torch, x, t, **watched(params))
        if step == 0:
            if dtype == "float64":
                graph(at, x, t, right, result["graph"])
            step_sizes(at, dtype, x, t, right, result["steps"])
        if step % check == 0 and step < early:
            own = chain_rule(torch, x, t, **params)[1]
            found["by hand"].append([difference(own[p], right[p]) for p in PARAMETERS])
            for p, apart in zip(PARAMETERS, found["by hand"][-1]):
                add(result["rounding"], dtype=dtype, step=step, parameter=p, units=apart / at.eps)
            for slip, wrong in slips.items():
                own = wrong(torch, x, t, **params)[1]
                found[slip].append([difference(own[p], right[p]) for p in PARAMETERS])
        if step % probe == 0 and step < early:
            found["finite differences"].append(
                [central(at, x, t, params, p, right[p], h) for p in PARAMETERS])
        own_cost, own = chain_rule(torch, x, t, **by_hand)
        by_hand, params = descend(by_hand, own), descend(params, right)
        window.append((own_cost.item(), cost.item()))
        if len(window) == show:
            a, b = (np.array(column) for column in zip(*window))
            add(result["costs"], dtype=dtype, step=step + 1, by_hand=float(a.mean()),
                autograd=float(b.mean()), apart=float((np.abs(a - b) / b).max()))
            window = []
    for what, rows in found.items():  # the case against each
        least = np.max(rows, 0) if what in WAYS else rows[int(np.argmin(np.max(rows, 1)))]
        add(result["summary"], what=what, dtype=dtype, **dict(zip(PARAMETERS, map(float, least))))
    for way, trained in ("by hand", by_hand), ("autograd", params):
        add(result["accuracy"], dtype=dtype, way=way, accuracy=at.accuracy(trained))


def graph(at: Setting, x: Any, t: Any, right: Numbers, table: Table) -> None:
    """The values that flow forward through the network, and the cotangents that come back."""
    def rms(a: Any) -> float:
        return float((a * a).mean().item() ** 0.5)

    values = {"x": x, "t": t, **at.start, **forward(at.torch, x, t, **at.start)}
    for name, value in values.items():
        back = 1.0 if name == "cost" else rms(right[name]) if name in right else None
        add(table, value=name, shape=" x ".join(map(str, value.shape)), forward=rms(value),
            backward=back)


def step_sizes(at: Setting, dtype: str, x: Any, t: Any, right: Numbers, table: Table) -> None:
    for power in range(0, -13, -1) if dtype == "float64" else range(0, -7, -1):
        for h in 10.0 ** power, 0.3 * 10.0 ** power:
            add(table, dtype=dtype, h=h, apart=max(
                central(at, x, t, at.start, p, right[p], h) for p in PARAMETERS))


def mistakes(at: Setting, epochs: int, result: dict[str, Table], tick: Callable[[str], None]
             ) -> None:
    """Train with each: some gradients that are wrong train nevertheless."""
    total = epochs * (len(at.x) // SIZE)
    for slip, line, instead in [("none", "", ""), *MISTAKES]:
        rule = chain_rule if slip == "none" else planted(chain_rule, line, instead)
        params, costs, refused = at.start, list[float](), None
        for step, (x, t) in enumerate(at.batches(epochs)):
            if step % 500 == 0:
                tick(f"training with a mistake: {slip}, step {step:,} of {total:,}")
            try:
                cost, gradients = rule(at.torch, x, t, **params)
            except RuntimeError as error:  # a shape that does not fit
                refused = str(error).splitlines()[0]
                break
            params = descend(params, gradients)
            costs.append(cost.item())
        last = None if refused else float(np.mean(costs[-50:]))
        add(result["mistakes"], mistake=slip, line=line, instead=instead, refused=refused,
            cost=last, accuracy=None if refused else at.accuracy(params))


def draw(result: dict[str, Table]) -> Iterator[Any]:
    """The pictures. Raises ImportError, with advice, without matplotlib."""
    from minitorch.labs.backprop_plot import draw

    return draw(result)


def agreed(costs: Table, dtype: str) -> int:
    """The first so many steps have costs within 1% of each other."""
    steps, apart = (pick(costs, column, dtype=dtype) for column in ("step", "apart"))
    return next((before for before, a in zip([0, *steps], apart) if a > 0.01), int(steps[-1]))


def claims(result: dict[str, Table]) -> Table:
    """What the chapter says, the numbers that speak to it, and whether they bear it out."""
    table: Table = {}
    rows = {key: [pick(result["summary"], p, what=key[0], dtype=key[1])[0] for p in PARAMETERS]
            for key in zip(result["summary"]["what"], result["summary"]["dtype"])}
    for dtype in "float32", "float64":
        eps = float(np.finfo(dtype).eps)
        apart = [value / eps for value in rows["by hand", dtype]]
        add(table, claim=f"{dtype}: the chain rule by hand is autograd's gradient to rounding",
            seen=max(apart) < BOUND, numbers=f"at most {max(apart):.1f} units of {eps:.1e} of the "
            f"largest entry ({', '.join(f'{p} {a:.1f}' for p, a in zip(PARAMETERS, apart))})")
    near = max(rows["finite differences", "float64"])
    exact = max(rows["by hand", "float64"])
    add(table, claim="finite differences only come near", seen=1e3 * exact < near < 1e-4,
        numbers=f"float64: {near:.0e} of the largest entry, {near / exact:,.0f} times the hand's; "
        f"float32: {max(rows['finite differences', 'float32']):.0e}")
    sizes = {what: max(row) for (what, _), row in rows.items() if what not in WAYS}
    least = min(sizes, key=lambda what: sizes[what])
    refused = pick(result["mistakes"], "refused", mistake=MISTAKES[-1][0])[0]
    add(table, claim="a slip in one line is seen at once, on every batch",
        seen=sizes[least] > 1e3 * near and refused is not None,
        numbers=f"the smallest of {len(sizes)}, {least}: {sizes[least]:.1g} of the largest entry, "
        f"{sizes[least] / near:,.0f} times the error of finite differences; one more is refused: "
        f"{refused}")
    for dtype in "float64", "float32":
        most = max(pick(result["costs"], "apart", dtype=dtype))
        same = agreed(result["costs"], dtype)
        # The tolerance is a figure that a printed cost would show.
        add(table, claim=f"{dtype}: training by hand gives the costs of training by autograd, step "
            "by step", seen=most < (1e-9 if dtype == "float64" else 1e-3),
            numbers=f"of {max(result['costs']['step']):,} steps the most different by {most:.0e} "
            f"of itself; within 1% for the first {same:,}")
    reached = [pick(result["accuracy"], "accuracy", dtype=d) for d in ("float64", "float32")]
    add(table, claim="both trainings come to the same accuracy, within a point",
        seen=all(abs(own - theirs) < 0.01 for own, theirs in reached), numbers="; ".join(
            f"{own:.2%} by hand, {theirs:.2%} by autograd" for own, theirs in reached))
    well: float = pick(result["mistakes"], "accuracy", mistake="none")[0]
    trained = {m: a for m, a in zip(result["mistakes"]["mistake"], result["mistakes"]["accuracy"])
               if m != "none" and a is not None}
    good = [m for m, a in trained.items() if a > well - 0.02]
    add(table, claim="that a network learns does not show that its gradients are right",
        seen=bool(good), numbers=f"{len(good)} of {len(trained)} wrong rules come within 2 points "
        f"of the right one's {well:.1%}: " + ", ".join(f"{m} {trained[m]:.1%}" for m in good))
    return table
