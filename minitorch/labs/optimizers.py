"""Optimizers: what each does in a ravine, at a saddle, and to the course's network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitorch.labs.contest import (
    CONTESTANTS,
    SURFACES,
    Contestant,
    Surface,
    Training,
    step,
    train,
    walk,
)
from minitorch.labs.networks import Split, Table, add, pick, tensors

TITLE = "Optimizers"
QUESTION = "What does an optimizer make of the same gradients?"
CLAIM = ("Plain SGD crawls along a ravine and hangs at a saddle; momentum keeps its pace but "
         "overshoots. Adagrad, RMSprop and Adam give each coordinate a rate of its own, so that "
         "neither flat nor steep directions stop them; Adam is the one to try first.")
STEPS = 200  # of every walk
CHAPTER = "SGD", "SGD, momentum", "Adagrad", "RMSprop", "Adam"  # what the chapter speaks of
BATCH, SHOWN, EXAMS = 100, 30, 20  # images; points of a cost curve; test costs
RIDGE = [10.0 ** -k for k in range(2, 7)]  # distances from the saddle's ridge to start at
LEFT_AT = -0.5  # half as deep as the saddle's lowest points: it has been left
GRID = [(x, y) for x in (-1.8, -0.9, 0.0, 0.9, 1.8) for y in (-0.8, 0.1, 1.0, 1.9, 2.8)]

CODE = [step, walk]


def run(torch: Any, train_set: Split, test_set: Split, quick: bool = False, seed: int = 777,
        tick: Callable[[str], None] = lambda what: None) -> dict[str, Table]:
    """All experiments, as tables.

    ``summary``: f where each walk ends, and what training comes to. ``walks``: all points visited,
    and how far f is ``above`` its lowest value there. ``escape``: steps needed to leave the saddle,
    by how near to its ridge (y = 0, where nothing pulls sideways) they begin. ``starts``: distance
    from Rosenbrock's minimum, begun elsewhere at the same rate (None: flown off). ``costs``: of
    training, means over a few steps. ``tests``: costs of the test images. ``timing``: of a step.
    """
    images, labels, *test = tensors(torch, train_set, test_set)
    epochs = 6 if quick else 2
    total = epochs * (len(images) // BATCH)
    result: dict[str, Table] = {key: {} for key in (
        "summary", "walks", "escape", "starts", "costs", "tests", "timing")}
    for who in CONTESTANTS:
        tick(f"{who.label} on the surfaces")
        ends = [surface.f(*walked(torch, who, surface, result["walks"])) for surface in SURFACES]
        escape(torch, who, result["escape"])
        elsewhere(torch, who, result["starts"])
        done = [0]

        def count(label: str = who.label, done: list[int] = done) -> None:
            done[0] += 1
            if done[0] % 50 == 0:
                tick(f"{label} on the network, step {done[0]:,} of {total:,}")

        trained = train(torch, who, images, labels, (test[0], test[1]), epochs, BATCH, seed, count,
                        every=max(1, total // EXAMS))
        curves(who, trained, total, result)
        add(result["summary"], optimizer=who.label, rosenbrock=ends[0], saddle=ends[1],
            cost=trained.last_cost, test_cost=trained.tests[-1][1], accuracy=trained.accuracy)
        add(result["timing"], optimizer=who.label, step_us=trained.seconds * 1e6,
            update_us=trained.update * 1e6)
    result["claims"] = claims(result)
    return result


def walked(torch: Any, who: Contestant, surface: Surface, table: Table) -> tuple[float, float]:
    """Where a walk ends; its points go into the table, to nine figures."""
    path = walk(torch, who, surface, STEPS)
    lowest = surface.f(*surface.lowest[0])
    for k, (x, y) in enumerate(path):
        add(table, optimizer=who.label, surface=surface.name, step=k, x=figures(x), y=figures(y),
            above=figures(surface.f(x, y) - lowest))
    return path[-1]


def figures(value: float) -> float:
    return float(f"{value:.9g}")


def several(torch: Any, who: Contestant, surface: Surface, starts: list[tuple[float, float]]
            ) -> Any:
    """Walks from several starts, as an array (steps + 1, 2, starts)."""
    if who.optimizer == "LBFGS":  # depends on all coordinates; of its long steps a few will do
        return np.stack([np.array(walk(torch, who, surface, STEPS // 8, start))
                         for start in starts], -1)
    xs, ys = (list(each) for each in zip(*starts))
    with np.errstate(all="ignore"):  # some fly off
        return np.array(walk(torch, who, surface, STEPS, (xs, ys)))


def escape(torch: Any, who: Contestant, table: Table) -> None:
    saddle = SURFACES[1]
    paths = several(torch, who, saddle, [(saddle.start[0], y) for y in RIDGE])
    f = saddle.f(paths[:, 0], paths[:, 1])
    for y, out in zip(RIDGE, (f < LEFT_AT).T):
        add(table, optimizer=who.label, start_y=y, steps=int(out.argmax()) if out.any() else None)


def elsewhere(torch: Any, who: Contestant, table: Table) -> None:
    last = several(torch, who, SURFACES[0], GRID)[-1]
    for (x, y), end in zip(GRID, last.T):
        distance = float(np.hypot(*(end - SURFACES[0].lowest[0])))
        add(table, optimizer=who.label, x=x, y=y, distance=distance if distance < 100 else None)


def curves(who: Contestant, trained: Training, total: int, result: dict[str, Table]) -> None:
    window = max(1, total // SHOWN)
    for k in range(0, total - window + 1, window):
        add(result["costs"], optimizer=who.label, step=k + window,
            cost=float(np.mean(trained.costs[k:k + window])))
    for made, cost in trained.tests:
        add(result["tests"], optimizer=who.label, step=made, cost=cost)


def draw(result: dict[str, Table]) -> Iterator[Any]:
    """The pictures. Raises ImportError, with advice, without matplotlib."""
    from minitorch.labs.optimizers_plot import draw

    return draw(result)


def path_of(result: dict[str, Table], label: str, surface: str) -> Any:
    """A walk, as an array (steps + 1, 2)."""
    return np.array([pick(result["walks"], axis, optimizer=label, surface=surface)
                     for axis in ("x", "y")]).T


def steps_left(path: Any) -> float:
    """Steps from a walk's end to (1, 1), at the mean pace of its last twenty."""
    pace = np.hypot(*np.diff(path[-21:], axis=0).T).mean()
    return float(np.hypot(*(path[-1] - 1)) / max(pace, 1e-300))


def rise(path: Any) -> float:
    """How much the rate of y on Rosenbrock's surface ends above its least: |step| / |gradient|."""
    x, y = path.T
    rates = np.abs(np.diff(y)) / np.abs(200 * (y - x ** 2))[:-1]
    return float(rates[-1] / rates.min())


def claims(result: dict[str, Table]) -> Table:
    """What the chapter says, the numbers that speak to it, and whether they bear it out."""
    table: Table = {}
    ravine = {who: path_of(result, who, "Rosenbrock") for who in CHAPTER}
    left = {who: steps_left(path) for who, path in ravine.items()}
    ends = dict(zip(result["summary"]["optimizer"], result["summary"]["rosenbrock"]))
    add(table, claim="plain SGD crawls along the ravine", seen=left["SGD"] > STEPS,
        numbers=f"after {STEPS} steps, f = {ends['SGD']:.1e}, {left['SGD']:,.0f} more to go at its "
        f"last pace; Adagrad {left['Adagrad']:,.0f}, RMSprop {left['RMSprop']:,.0f}")
    add(table, claim="momentum and Adam keep their pace there",
        seen=max(left["SGD, momentum"], left["Adam"]) < STEPS,
        numbers=f"{left['SGD, momentum']:,.0f} and {left['Adam']:,.0f} more to go")
    lowest = {who: f for who, f in ends.items() if who != "LBFGS"}
    best = min(lowest, key=lambda who: lowest[who])
    add(table, claim="curvature (LBFGS) reaches the ravine's lowest point, slopes alone do not",
        seen=ends["LBFGS"] < 1e-6 < lowest[best],
        numbers=f"f = {ends['LBFGS']:.1e}; the best of the others, {best}, {lowest[best]:.1e}")
    lost = {who: pick(result["starts"], "distance", optimizer=who).count(None) for who in CHAPTER}
    add(table, claim="begun elsewhere at the same rate, plain SGD flies off; Adagrad, RMSprop and "
        "Adam do not",
        seen=lost["SGD"] > 0 and lost["Adagrad"] == lost["RMSprop"] == lost["Adam"] == 0,
        numbers=f"of {len(GRID)} starts " + ", ".join(f"{who} {n}" for who, n in lost.items()))
    crossed = {who: int(np.count_nonzero(np.diff(np.sign(path_of(result, who, "saddle")[:, 0]))))
               for who in ("SGD", "SGD, momentum")}
    add(table, claim="momentum overshoots", seen=crossed["SGD, momentum"] >= 2 > crossed["SGD"],
        numbers=f"crosses the saddle's floor x = 0 {crossed['SGD, momentum']} times, plain SGD "
        f"{crossed['SGD']}")
    grows = {who: rise(ravine[who]) for who in ("Adagrad", "RMSprop")}
    add(table, claim="Adagrad's rate only falls, RMSprop's recovers",
        seen=grows["Adagrad"] < 1.1 < grows["RMSprop"], numbers="in the ravine, last over least "
        f"rate of y: Adagrad {grows['Adagrad']:.2f}, RMSprop {grows['RMSprop']:.2f}")
    hung = {who: [pick(result["escape"], "steps", optimizer=who, start_y=y)[0]
                  for y in (RIDGE[0], RIDGE[-1])] for who in CHAPTER}
    longer = {who: (far or STEPS) / (near or STEPS) for who, (near, far) in hung.items()}
    add(table, claim="plain SGD hangs at the saddle, the longer the nearer; Adagrad, RMSprop and "
        "Adam leave at once", seen=longer["SGD"] > 2
        and max(longer[who] for who in CHAPTER[2:]) < 1.5,
        numbers=f"steps to leave from y = {RIDGE[0]:g} and {RIDGE[-1]:g}: " + ", ".join(
            f"{who} {near} and {far}" for who, (near, far) in hung.items()))
    network(result, table)
    return table


def network(result: dict[str, Table], table: Table) -> None:
    costs = dict(zip(result["summary"]["optimizer"], result["summary"]["test_cost"]))
    add(table, claim="on the network momentum and the adaptive ones get further than plain SGD",
        seen=max(costs[who] for who in CHAPTER[1:]) < costs["SGD"], numbers="test cost "
        + ", ".join(f"{who} {costs[who]:.3f}" for who in CHAPTER))
    ranking = sorted(costs, key=lambda who: costs[who])
    place = ranking.index("Adam") + 1
    add(table, claim="Adam, at the rate it comes with, is among the best third",
        seen=place <= len(ranking) // 3, numbers=f"place {place} of {len(ranking)}, "
        f"{costs['Adam']:.3f}; " + ", ".join(f"{who} {costs[who]:.3f}" for who in ranking[:3]))
    add(table, claim="Rprop is made for full batches and loses its way with small ones",
        seen=ranking[-1] == "Rprop" and costs["Rprop"] > costs["SGD"],
        numbers=f"test cost {costs['Rprop']:.2f}")
