"""Overfitting: what a network learns from few images, and what helps, dropout above all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from minitorch.labs.moons import METHODS, boundaries, with_dropout
from minitorch.labs.networks import Split, Table, add, perceptron, pick, tensors, train
from minitorch.labs.overfitting_claims import claims
from minitorch.labs.style import Picture

TITLE = "Overfitting and dropout"
QUESTION = "Why is a network better on the images it has seen, and what helps?"
CLAIM = ("A large network learns a small training set by heart: its training cost goes to 0 while "
         "its test cost rises. More data, fewer features, L2 regularisation and dropout help, and "
         "dropout must be switched off for the test by eval().")
P = 0.3  # probability of dropping a unit: the course's
# The decay was chosen by the cost on training images left out for it, not on the test images.
REMEDIES: dict[str, dict[str, Any]] = {
    "plain": {}, "dropout": {"p": P}, "l2": {"decay": 0.01}, "fewer pixels": {"coarse": True},
    "more data": {"more": True}}
PASSES = 10  # without eval()


@dataclass(frozen=True)
class Setting:
    """The engine, the data, and sizes: what all experiments share."""

    torch: Any
    train_set: Split
    test_set: Split
    few: int
    more: int
    width: int
    epochs: int  # with few images; with more so many fewer that the steps are as many
    all_epochs: int
    moons_epochs: int
    seeds: int
    seed: int
    tick: Callable[[str], None]


def run(torch: Any, train_set: Split, test_set: Split, quick: bool = False, seed: int = 777,
        tick: Callable[[str], None] = lambda what: None) -> dict[str, Table]:
    """All experiments, as tables; ``tick`` is told what comes next.

    ``curves``: cost and accuracy over the epochs with few images, the first seed. ``remedies``:
    where every seed ends. ``all``: the course's network with all images. ``passes``, ``outputs``:
    this network when eval() is forgotten. ``scaling``: mean activations in training and test, with
    dropout's scale and without. ``moons``, ``grid``, ``points``: boundaries on a plane.
    """
    few, more, width, epochs, all_epochs, seeds, moons_epochs = (
        (200, 1000, 128, 40, 8, 2, 100) if quick else (1000, 10_000, 512, 20, 2, 3, 200))
    return experiments(Setting(torch, train_set, test_set, few, more, width, epochs, all_epochs,
                               moons_epochs, seeds, seed, tick))


def experiments(at: Setting) -> dict[str, Table]:
    """What ``run`` returns."""
    result, first = remedies(at)
    result.update(everything(at))
    result["scaling"] = scaling(at, *first["dropout"])
    result.update(boundaries(at.torch, at.seeds, at.moons_epochs, at.seed, at.tick))
    return {"summary": summary(at, result), "claims": claims(result), **result}


def fit(at: Setting, k: int, p: float = 0.0, decay: float = 0.0, coarse: bool = False,
        more: bool = False, make: Callable[[], Any] | None = None,
        curve: Callable[..., None] | None = None) -> tuple[Any, list[Any]]:
    """Train with a remedy, or none, on few images drawn by seed k; the network and its data."""
    many = at.more if more else at.few
    drawn = np.random.RandomState(at.seed + k).permutation(len(at.train_set[0]))[:many]
    splits = [(at.train_set[0][drawn], at.train_set[1][drawn]), at.test_set]
    if coarse:
        splits = [(coarser(images), labels) for images, labels in splits]
    images, labels, *test = tensors(at.torch, *splits)
    at.torch.manual_seed(at.seed + k)
    widths = [images.shape[1], *[at.width] * 3, 10]
    make = make or ((lambda: at.torch.nn.Dropout(p)) if p else None)
    model = with_dropout(at.torch, perceptron(at.torch, widths, "relu", "xavier uniform"), make)
    optimizer = at.torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=decay)
    data = [images, labels, *test]
    begun, epochs = [-1], at.epochs * at.few // many

    def each(epoch: int) -> None:
        if epoch != begun[-1]:
            begun.append(epoch)
            at.tick(f"{many:,} images, seed {at.seed + k}, epoch {epoch + 1}")
            if curve and epoch % max(1, epochs // 20) == 0:
                curve(epoch, model, data)

    train(at.torch, model, optimizer, images, labels, epochs, each)
    if curve:
        curve(epochs, model, data)
    return model, data


def coarser(images: Any) -> Any:
    """The mean of every 2 x 2 pixels: a quarter of the features."""
    half = round(images.shape[1] ** 0.5) // 2
    return images.reshape(-1, half, 2, half, 2).mean((2, 4)).reshape(len(images), -1)


def measure(torch: Any, model: Any, images: Any, labels: Any,
            forgotten: bool = False) -> tuple[float, float]:
    """Cost and accuracy: as they should be measured, or with ``eval()`` forgotten."""
    if not forgotten:
        model.eval()
    with torch.no_grad():
        outputs = model(images)
    model.train()
    cost = torch.nn.functional.cross_entropy(outputs, labels)
    return cost.item(), (outputs.argmax(1) == labels).sum().item() / len(labels)


def both(at: Setting, model: Any, data: Sequence[Any], forgotten: bool = False) -> dict[str, float]:
    """Cost and accuracy on (at most 10,000) training images and on the test images."""
    train_cost, train_accuracy = measure(at.torch, model, data[0][:10_000], data[1][:10_000],
                                         forgotten)
    test_cost, test_accuracy = measure(at.torch, model, data[2], data[3], forgotten)
    return {"train_cost": train_cost, "test_cost": test_cost, "train_accuracy": train_accuracy,
            "test_accuracy": test_accuracy, "gap": train_accuracy - test_accuracy}


def remedies(at: Setting) -> tuple[dict[str, Table], dict[str, tuple[Any, list[Any]]]]:
    """Each remedy from several seeds; the first is watched, and its network and data kept."""
    curves: Table = {}
    ends: Table = {}
    first: dict[str, tuple[Any, list[Any]]] = {}
    for remedy, options in REMEDIES.items():
        def watch(epoch: int, model: Any, data: list[Any], remedy: str = remedy) -> None:
            add(curves, remedy=remedy, epoch=epoch, **both(at, model, data))

        watched = remedy in METHODS
        for k in range(at.seeds):
            model, data = fit(at, k, **options, curve=watch if watched and k == 0 else None)
            add(ends, remedy=remedy, seed=at.seed + k, **both(at, model, data))
            first.setdefault(remedy, (model, data))
    return {"curves": curves, "remedies": ends}, first


def everything(at: Setting) -> dict[str, Table]:
    """The course's network on all images, without dropout and with; then without eval()."""
    images, labels, *test = data = tensors(at.torch, at.train_set, at.test_set)
    table: Table = {}
    for remedy in "plain", "dropout":
        at.torch.manual_seed(at.seed)
        make = (lambda: at.torch.nn.Dropout(P)) if remedy == "dropout" else None
        model = perceptron(at.torch, [images.shape[1], *[at.width] * 4, 10], "relu",
                           "xavier uniform")
        model = with_dropout(at.torch, model, make)
        optimizer = at.torch.optim.Adam(model.parameters(), lr=0.001)
        costs = train(at.torch, model, optimizer, images, labels, at.all_epochs,
                      telling(at.tick, f"all images, {remedy}"))
        steps = len(costs) // at.all_epochs
        first, second = (mean(costs[i * steps:(i + 1) * steps]) for i in (0, 1))
        add(table, remedy=remedy, images=len(images), epochs=at.all_epochs, first_cost=first,
            second_cost=second, **both(at, model, data))
    passes: Table = {}
    for n in range(PASSES):
        at.tick(f"eval() forgotten, pass {n + 1}")
        add(passes, **{"pass": n + 1}, **both(at, model, data, forgotten=True))
    return {"all": table, "passes": passes, "outputs": outputs(at, model, *test)}


def telling(tick: Callable[[str], None], what: str) -> Callable[[int], None]:
    """To be called before each step: tells every 50th."""
    steps = count()

    def each(epoch: int) -> None:
        if (step := next(steps)) % 50 == 0:
            tick(f"{what}, step {step}")
    return each


def outputs(at: Setting, model: Any, images: Any, labels: Any) -> Table:
    """30 passes without eval(), and one with it (pass 0), of the test image they agree least on.

    ``changed``: the fraction of the first 1,000 test images put into another class than with eval.
    """
    table: Table = {}
    images = images[:1000]
    with at.torch.no_grad():
        seen = [model(images).softmax(1).numpy() for _ in range(30)]
        model.eval()
        seen.insert(0, model(images).softmax(1).numpy())
        model.train()
    image = int(np.std(seen[1:], axis=0).sum(1).argmax())
    for n, shares in enumerate(seen):
        changed = float((shares.argmax(1) != seen[0].argmax(1)).mean())
        for digit in range(10):
            add(table, **{"pass": n}, image=image, label=int(labels[image]), digit=digit,
                share=round(float(shares[image, digit]), 4), changed=changed)
    return table


def unscaled(torch: Any, p: float) -> Any:
    """Dropout that forgets to scale; at the test it multiplies by ``at_test``."""
    class Unscaled(torch.nn.Dropout):
        at_test = 1.0

        def forward(self, x: Any) -> Any:
            return super().forward(x) * (1 - self.p) if self.training else x * self.at_test
    return Unscaled(p)


def scaling(at: Setting, dropped: Any, data: list[Any]) -> Table:
    """What comes out of each dropout layer on average: of what went in, and in test to training.

    ``unscaled`` is trained like ``inverted``, which is ``dropped``, only without the scale;
    ``scaled at test`` is the same network with its units times 1 - p at the test, as Srivastava
    et al. (2014) wrote dropout down.
    """
    table: Table = {}
    model, _ = fit(at, 0, make=lambda: unscaled(at.torch, P))
    for kind in "inverted", "unscaled", "scaled at test":
        tested = dropped if kind == "inverted" else model
        if kind == "scaled at test":
            for module in list(model.children())[2::3]:
                module.at_test = 1 - P
        ends = both(at, tested, data)
        for layer, (before, after, test) in enumerate(means(at, tested, data[2][:1000]), 1):
            add(table, kind=kind, layer=layer, kept=after / before, test_to_train=test / after,
                test_cost=ends["test_cost"], test_accuracy=ends["test_accuracy"])
    return table


def means(at: Setting, model: Any, images: Any) -> list[list[float]]:
    """By layer: mean before dropout and after it in training, and after it at the test."""
    found: dict[bool, Any] = {}
    for training in True, False:
        model.train(training)
        passes = []
        for _ in range(PASSES if training else 1):
            x, layers = images, []
            with at.torch.no_grad():
                for module in model.children():
                    before, x = x, module(x)
                    if isinstance(module, at.torch.nn.Dropout):
                        layers.append([before.mean().item(), x.mean().item()])
            passes.append(layers)
        found[training] = np.mean(passes, axis=0)
    model.train()
    return [[*map(float, trained), float(tested[1])]
            for trained, tested in zip(found[True], found[False])]


def summary(at: Setting, result: dict[str, Table]) -> Table:
    """By number of images and remedy, the mean over the seeds."""
    table: Table = {}
    columns = "train_accuracy", "test_accuracy", "gap", "train_cost", "test_cost"
    for remedy in REMEDIES:
        add(table, images=at.more if remedy == "more data" else at.few, remedy=remedy,
            **{c: mean(pick(result["remedies"], c, remedy=remedy)) for c in columns})
    for remedy in "plain", "dropout":
        add(table, images=len(at.train_set[0]), remedy=remedy,
            **{c: pick(result["all"], c, remedy=remedy)[0] for c in columns})
    add(table, images=len(at.train_set[0]), remedy="dropout, eval() forgotten",
        **{c: mean(result["passes"][c]) for c in columns})
    return table


def draw(result: dict[str, Table]) -> Iterator[Picture]:
    """Each thing to see. Raises ImportError, with advice, without matplotlib."""
    from minitorch.labs.overfitting_plot import pictures

    yield from pictures(result)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


CODE = [with_dropout, measure, unscaled]
