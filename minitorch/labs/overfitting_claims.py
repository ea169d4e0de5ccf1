"""What the chapter says about overfitting, held against the lab's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.labs.networks import Table, add, pick
from minitorch.labs.style import name

# 784-512-512-512-512-10 on MNIST: cost of epochs 1 and 2, test accuracy after 15 (notebooks
# lab-09_4 and lab-09_5 of "Deep Learning Zero To All", its PyTorch edition).
PUBLISHED = {"plain": (0.2839, 0.0893, 0.9819), "dropout": (0.3099, 0.1435, 0.9772)}
# An earlier version of lab-09_4 (CNN/lab-10-4 there) has 784-512-512-512, whose 512 outputs begin
# at log 512, and prints 0.2837, 0.0893; that network gives 0.2822, 0.0884 here, with seed 777.
DOUBT = " (which seem to be those of 784-512-512-512, in an earlier version of its notebook)"
MNIST = 60_000


def claims(result: dict[str, Any]) -> Table:
    """Claim, whether it was seen, and the numbers that speak to it."""
    table: Table = {}
    fitted(table, result)
    for remedy in dict.fromkeys(result["remedies"]["remedy"]):
        if remedy != "plain":
            helped(table, result["remedies"], remedy)
    on_all(table, result["all"])
    forgotten(table, result)
    scaled(table, result["scaling"])
    smoothed(table, result["moons"])
    return table


def fitted(table: Table, result: dict[str, Any]) -> None:
    ends = {c: pick(result["remedies"], c, remedy="plain") for c in ("train_accuracy", "gap")}
    add(table, claim="a large network learns a few images by heart (over 99%), and is worse on "
        "others (by over 5 points)",
        seen=min(ends["train_accuracy"]) > 0.99 and min(ends["gap"]) > 0.05,
        numbers=f"right on {np.mean(ends['train_accuracy']):.1%} of those it was trained on, the "
        f"gap to the test images is {points(ends['gap'])} points")
    epochs, train, test = (pick(result["curves"], c, remedy="plain")
                           for c in ("epoch", "train_cost", "test_cost"))
    least = int(np.argmin(test))
    add(table, claim="the test cost turns and rises by over 10% while that in training falls",
        seen=test[-1] > 1.1 * test[least] and train[-1] < train[least],
        numbers=f"test {test[least]:.2f} after epoch {epochs[least]}, {test[-1]:.2f} at the end; "
        f"training {train[least]:.3f}, then {train[-1]:.4f}")


def helped(table: Table, ends: Table, remedy: str) -> None:
    def columns(which: str) -> dict[str, list[float]]:
        return {c: pick(ends, c, remedy=which) for c in ("gap", "test_accuracy", "test_cost")}

    plain, cured = columns("plain"), columns(remedy)
    closer = all(a < b for a, b in zip(cured["gap"], plain["gap"]))
    better = all(a > b for a, b in zip(cured["test_accuracy"], plain["test_accuracy"]))
    add(table, claim=f"{name(remedy)} closes the gap and raises the test accuracy, from every seed",
        seen=closer and better,
        numbers=f"gap {points(plain['gap'])} to {points(cured['gap'])} points, test accuracy "
        f"{points(plain['test_accuracy'])}% to {points(cured['test_accuracy'])}%, test cost "
        f"{np.mean(plain['test_cost']):.2f} to {np.mean(cured['test_cost']):.2f}")


def on_all(table: Table, ends: Table) -> None:
    (plain, dropout), gaps = ends["test_accuracy"], ends["gap"]
    mnist = ends["images"][0] == MNIST
    told = (f"; the course after 15 epochs: {PUBLISHED['plain'][2]:.2%} without, "
            f"{PUBLISHED['dropout'][2]:.2%} with") if mnist else ""
    add(table, claim="with all images, dropout still closes the gap", seen=gaps[1] < gaps[0],
        numbers=f"{100 * gaps[0]:.2f} to {100 * gaps[1]:.2f} points in {ends['epochs'][0]} epochs")
    add(table, claim="with all images, dropout still raises the test accuracy",
        seen=dropout > plain, numbers=f"{plain:.2%} without, {dropout:.2%} with{told}")
    for i, remedy in enumerate(ends["remedy"] if mnist else []):
        ours, theirs = [ends[c][i] for c in ("first_cost", "second_cost")], PUBLISHED[remedy][:2]
        add(table, claim="the costs of the first two epochs are the course's, within 10%: "
            + {"plain": "without dropout", "dropout": "with dropout"}[remedy],
            seen=all(abs(a / b - 1) < 0.1 for a, b in zip(ours, theirs)),
            numbers="{:.4f}, {:.4f}; the course {:.4f}, {:.4f}".format(*ours, *theirs)
            + DOUBT * (remedy == "plain"))


def forgotten(table: Table, result: dict[str, Any]) -> None:
    right, wrong = result["all"]["test_accuracy"][1], result["passes"]["test_accuracy"]
    changed = [c for c, n in zip(result["outputs"]["changed"], result["outputs"]["pass"]) if n]
    add(table, claim="when eval() is forgotten, the test accuracy is lower in every pass",
        seen=max(wrong) < right, numbers=f"{right:.2%} with eval(), {points(wrong, 2)}% without")
    different = len(set(wrong)) > 1 and min(changed) > 0
    add(table, claim="and the same images get other outputs each time", seen=different,
        numbers=f"{np.mean(changed):.1%} of the images are put into another class than with eval()")


def scaled(table: Table, means: Table) -> None:
    kept = pick(means, "kept", kind="inverted")
    p = 1 - np.mean(pick(means, "kept", kind="unscaled"))
    add(table, claim="inverted dropout keeps the mean of the activations, within 1%",
        seen=all(abs(k - 1) < 0.01 for k in kept),
        numbers="out / in by layer: " + ", ".join(f"{k:.4f}" for k in kept))
    grown = pick(means, "test_to_train", kind="unscaled")
    layers = range(1, len(grown) + 1)
    add(table, claim="without the scale, activations grow at the test by 1 / (1 - p) each layer "
        "(within 20%)",
        seen=all(abs(g * (1 - p) ** n - 1) < 0.2 for n, g in zip(layers, grown)),
        numbers=", ".join(f"{g:.2f}" for g in grown) + " times those of training; expected "
        + ", ".join(f"{(1 - p) ** -n:.2f}" for n in layers))
    cost, accuracy = ([pick(means, c, kind=kind)[0] for kind in ("unscaled", "scaled at test")]
                      for c in ("test_cost", "test_accuracy"))
    add(table, claim="which raises the test cost by over 10%; units times 1 - p there mend it",
        seen=cost[0] > 1.1 * cost[1],
        numbers=f"cost {cost[0]:.2f} against {cost[1]:.2f}, accuracy {accuracy[0]:.1%} against "
        f"{accuracy[1]:.1%}")


def smoothed(table: Table, moons: Table) -> None:
    columns = "length", "test_accuracy"
    plain = [pick(moons, c, method="plain") for c in columns]
    for method in [m for m in dict.fromkeys(moons["method"]) if m != "plain"]:
        length, right = (pick(moons, c, method=method) for c in columns)
        add(table, claim=f"{name(method)} smooths the boundary and raises the test accuracy",
            seen=all(a < b for a, b in zip(length, plain[0]))
            and all(a > b for a, b in zip(right, plain[1])),
            numbers=f"length {np.mean(plain[0]):.1f} to {np.mean(length):.1f}, accuracy "
            f"{points(plain[1])}% to {points(right)}%")


def points(values: list[float], digits: int = 1) -> str:
    """Mean and standard deviation in per cent, without its sign."""
    return f"{100 * np.mean(values):.{digits}f} ± {100 * np.std(values, ddof=1):.{digits}f}"
