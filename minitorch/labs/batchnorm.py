"""Batch normalisation: what it changes in training, and what its two modes ask for.

The chapter explains its success by "internal covariate shift": while a layer learns, the layers
below change what it is given. Santurkar et al. (2018, "How Does Batch Normalization Help
Optimization?") doubt that: networks with a shift put back behind the norm trained as well, and they
credit a smoother cost instead. So here is also their network, ``shifted``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minitorch.labs.batchnorm_modes import (
    SIZES,
    classes,
    forgotten,
    single,
    statistics,
    true_statistics,
)
from minitorch.labs.batchnorm_network import BATCH, RATE, Setting, learn, network, norms, score
from minitorch.labs.networks import Split, Table, add, pick, tensors

TITLE = "Batch normalisation"
QUESTION = "What does normalising each batch change, and what must then not be forgotten?"
CLAIM = ("Each layer's inputs shift while the layers below it learn; normalising them over the "
         "batch keeps them in place, so that the network learns faster, at larger rates and from "
         "worse weights. Evaluation must use running statistics, so model.eval() is no option but "
         "part of the method.")
PROBE = 500  # test images on which the inputs of the hidden layers are watched
PERCENTILES = 5, 25, 50, 75, 95
RATES = [10 ** (k / 2) for k in range(-6, 5)]  # of SGD, 0.001 to 100
STDS = [10 ** (k / 2) for k in range(-6, 3)]  # of the weights, 0.001 to 10
SGD = 0.1  # the rate while the weights' std or the batch's size is swept


def run(torch: Any, train_set: Split, test_set: Split, quick: bool = False, seed: int = 777,
        tick: Callable[[str], None] = lambda what: None) -> dict[str, Any]:
    """All experiments, as tables of numbers; ``tick`` is told what comes next.

    ``curves``: cost and accuracy by epoch. ``shift``: how far a hidden layer's inputs have moved,
    and move in one step; ``units``: the percentiles of a typical unit's. ``rates``, ``stds``,
    ``sizes``: accuracy after a fixed number of SGD steps. ``running``: each unit's running
    statistics beside the true ones; ``settling``: how they get there; ``unbiased``: which variance
    they keep; ``replaced``: accuracy with either. ``forgotten``: without eval(), by order and size
    of the batches. ``single``: a batch of one.
    """
    at = Setting(torch, tensors(torch, train_set, test_set), quick, seed, tick)
    models, result = course(at)
    rates, stds = (RATES[2:-2:2], STDS[::2]) if quick else (RATES, STDS)
    for table, values in ("rates", rates), ("stds", stds), ("sizes", SIZES):
        result[table] = swept(at, table, values)
    tick("running statistics")
    result.update(statistics(at, models["batchnorm"]))
    tick("without eval()")
    result["forgotten"] = forgotten(at, models)
    result["single"] = single(at, models)
    result["summary"] = summary(result)
    result["claims"] = claims(result)
    return result


def course(at: Setting) -> tuple[dict[str, Any], dict[str, Any]]:
    """The course's training of each network, watched: the models, and three tables."""
    tables: dict[str, Any] = {"curves": {}, "shift": {}, "units": {}}
    return {kind: watched(at, kind, epochs, tables) for kind, epochs in at.epochs.items()}, tables


def watched(at: Setting, kind: str, epochs: int, tables: dict[str, Any]) -> Any:
    model = network(at, kind)
    an_epoch = len(at.images) // BATCH
    grid = sorted({0, *np.geomspace(1, epochs * an_epoch - 1, 40).astype(int).tolist()})
    seen: dict[int, list[Any]] = {}

    def each(step: int) -> None:
        if step in grid or step - 1 in grid:
            seen[step] = inputs(at, model, at.test[0][:PROBE])
        if step % an_epoch == 0:
            at.tick(f"{kind}, epoch {step // an_epoch + 1}")
            train, test = (score(at, model, *data) for data in ((at.images, at.labels), at.test))
            add(tables["curves"], network=kind, epoch=step // an_epoch, train_cost=train[0],
                test_cost=test[0], train=train[1], test=test[1])
    adam = at.torch.optim.Adam(model.parameters(), lr=RATE)
    learn(at, model, adam, epochs * an_epoch, each=each)
    drifts(tables, kind, seen, grid)
    return model


def inputs(at: Setting, model: Any, images: Any) -> list[Any]:
    """What each ReLU is given in training; momentum 0 lets the running statistics stay."""
    found = []
    for norm in norms(at, model):
        norm.momentum = 0.0
    with at.torch.no_grad():
        x = images
        for module in model:
            if isinstance(module, at.torch.nn.ReLU):
                found.append(x.numpy().astype(np.float64))
            x = module(x)
    for norm in norms(at, model):
        norm.momentum = 0.1
    return found


def drifts(tables: dict[str, Any], kind: str, seen: dict[int, list[Any]], grid: list[int]) -> None:
    """Medians over a layer's units: how far mean and std are from the first, in the first std."""
    for layer in 1, 2:
        x = {step: each[layer - 1] for step, each in seen.items()}
        mean, std = ({k: f(v, axis=0) for k, v in x.items()} for f in (np.mean, np.std))
        for step in grid:
            drift = np.abs(mean[step] - mean[0]) / std[0]
            jump = np.abs(mean[step + 1] - mean[step]) / std[step]
            add(tables["shift"], network=kind, layer=layer, step=step,
                drift=float(np.median(drift)), spread=float(np.median(std[step] / std[0])),
                jump=float(np.median(jump)))
        typical = np.argsort(drift)[len(drift) // 2]
        for step in grid:
            unit = (x[step][:, typical] - mean[0][typical]) / std[0][typical]
            found = np.percentile(unit, PERCENTILES).tolist()
            add(tables["units"], network=kind, layer=layer, step=step,
                **{f"p{p}": value for p, value in zip(PERCENTILES, found)})


def swept(at: Setting, what: str, values: Iterable[float]) -> Table:
    """Accuracy after some steps of SGD: by learning rate, std of the weights, or batch size."""
    table: Table = {}
    for value in values:
        at.tick(f"{what}, {value:.3g}")
        for kind in "plain", "batchnorm":
            model = network(at, kind, value if what == "stds" else None)
            rate = value if what == "rates" else SGD
            learn(at, model, at.torch.optim.SGD(model.parameters(), lr=rate), at.steps,
                  int(value) if what == "sizes" else BATCH)
            cost, right = score(at, model, *at.test)
            add(table, network=kind, value=value, cost=cost, accuracy=right)
    return table


def summary(result: dict[str, Any]) -> Table:
    """Both networks, a measure a row."""
    table: Table = {}
    plain, batchnorm = (measures(result, kind) for kind in ("plain", "batchnorm"))
    for (measure, setting), value in plain.items():
        add(table, measure=measure, setting=setting, plain=value,
            batchnorm=batchnorm[measure, setting])
    return table


def measures(result: dict[str, Any], kind: str) -> dict[tuple[str, str], float]:
    """One network's numbers, by measure and setting; drift and growth in units of the first std."""
    found: dict[tuple[str, str], float] = {}
    epochs = 1, max(pick(result["curves"], "epoch", network=kind))
    for column in "test_cost", "train_cost", "test":
        for epoch in epochs:
            name = "test accuracy" if column == "test" else column.replace("_", " ")
            found[name, f"epoch {epoch}"] = at_epoch(result, column, kind, epoch)
    for name, column in ("drift of means", "drift"), ("growth of stds", "spread"):
        for layer in 1, 2:
            found[name, f"layer {layer}"] = pick(result["shift"], column, network=kind,
                                                 layer=layer)[-1]
    found["largest rate tolerated", "SGD"] = max(tolerated(result["rates"], kind))
    stds = tolerated(result["stds"], kind)
    found["decades of std tolerated", "SGD"] = math.log10(max(stds) / min(stds))
    for size in SIZES[0], SIZES[-1]:
        found["test accuracy", f"batches of {size}"] = pick(result["sizes"], "accuracy",
                                                            network=kind, value=size)[0]
    for order, size in ("shuffled", SIZES[0]), ("shuffled", BATCH), ("sorted", BATCH):
        found["accuracy in train mode", f"{order}, {size}"] = without_eval(
            result, "accuracy", kind, order, size)
    found["eval() after that", f"sorted, {BATCH}"] = without_eval(result, "afterwards", kind)
    return found


def at_epoch(result: dict[str, Any], column: str, kind: str, epoch: int) -> float:
    return float(pick(result["curves"], column, network=kind, epoch=epoch)[0])


def without_eval(result: dict[str, Any], column: str, kind: str = "batchnorm",
                 order: str = "sorted", size: int = BATCH) -> float:
    return float(pick(result["forgotten"], column, network=kind, order=order, size=size)[0])


def tolerated(table: Table, kind: str) -> list[float]:
    """The settings at which a network comes within 10 points of its own best."""
    right = pick(table, "accuracy", network=kind)
    return [value for value, each in zip(pick(table, "value", network=kind), right)
            if each > max(right) - 0.1]


def claims(result: dict[str, Any]) -> Table:
    """What the chapter says, the numbers that speak to it, and whether they bear it out."""
    table: Table = {}
    summary = {kind: measures(result, kind) for kind in ("plain", "batchnorm")}

    def two(measure: str, setting: str) -> tuple[float, float]:
        return summary["plain"][measure, setting], summary["batchnorm"][measure, setting]

    plain, norm = two("test cost", "epoch 1")
    add(table, claim="after one epoch batch norm's test cost is lower", seen=norm < plain,
        numbers=f"{norm:.3f} against {plain:.3f} (course, behind ReLU: 0.170, 0.183)")
    last = max(pick(result["curves"], "epoch", network="plain"))
    plain, norm = two("test accuracy", f"epoch {last}")
    add(table, claim=f"and after {last} epochs its accuracy is higher", seen=norm > plain,
        numbers=f"{norm:.1%} against {plain:.1%} (course, after 10: 97%, 96%); test cost "
        "{1:.3f} against {0:.3f} (0.112, 0.168)".format(*two("test cost", f"epoch {last}")))
    for layer in 1, 2:
        plain, norm = two("drift of means", f"layer {layer}")
        stds = two("growth of stds", f"layer {layer}")
        add(table, claim=f"hidden layer {layer}: with batch norm its inputs' means drift less than "
            "half as far", seen=norm < plain / 2, numbers=f"{norm:.2f} against {plain:.2f} first "
            f"stds, while the std grew to {stds[1]:.2f} against {stds[0]:.2f} of the first")
    epoch = max(pick(result["curves"], "epoch", network="shifted"))
    plain, norm, shifted = (at_epoch(result, "test_cost", kind, epoch)
                            for kind in ("plain", "batchnorm", "shifted"))
    jumps = {kind: float(np.median(pick(result["shift"], "jump", network=kind)))
             for kind in ("plain", "shifted")}
    add(table, claim="but less shift is not why (Santurkar et al. 2018): with more of it behind "
        "the norms than without norms the network still learns better",
        seen=jumps["shifted"] > jumps["plain"] and shifted < plain,
        numbers=f"means jump by {jumps['shifted']:.2f} std a step against {jumps['plain']:.3f}; "
        f"test cost after {epoch} epochs {shifted:.3f}, without norms {plain:.3f}, with batch norm "
        f"alone {norm:.3f}")
    plain, norm = two("largest rate tolerated", "SGD")
    add(table, claim="batch norm tolerates rates at least 10 times as large",
        seen=norm > 9.9 * plain, numbers=f"within 10 points of its best accuracy up to {norm:.3g}, "
        f"without up to {plain:.3g}")
    plain, norm = two("decades of std tolerated", "SGD")
    add(table, claim="and weights whose std varies at least 10 times as far",
        seen=norm > plain + 0.99, numbers=f"within 10 points of its best over {norm:.1f} decades "
        f"against {plain:.1f}")
    few, many = (two("test accuracy", f"batches of {size}") for size in (SIZES[0], SIZES[-1]))
    add(table, claim=f"batches of {SIZES[0]} harm it, those of {SIZES[-1]} do not",
        seen=few[1] < few[0] and many[1] >= many[0], numbers=f"{few[1]:.1%} against {few[0]:.1%} "
        f"without, {many[1]:.1%} against {many[0]:.1%}")
    said = {mode: pick(result["single"], "said", network="batchnorm", mode=mode)[0]
            for mode in ("train", "eval")}
    add(table, claim="one image is no batch in train mode, and is enough in eval mode",
        seen=said["train"].startswith("ValueError") and said["eval"].startswith("class"),
        numbers=f"{said['train']}; {said['eval']}")
    claims_of_modes(table, result)
    return table


def claims_of_modes(table: Table, result: dict[str, Any]) -> None:
    running = {key: np.array(values) for key, values in result["running"].items()}
    off = float(np.sqrt(np.mean((running["mean"] - running["true_mean"]) ** 2
                                / running["true_var"])))
    ratio = running["var"] / running["true_var"]
    right = {which: pick(result["replaced"], "accuracy", statistics=which)[0]
             for which in ("running", "true")}
    add(table, claim="running statistics stand in for the training set's: the accuracy is within a "
        "point", seen=abs(right["true"] - right["running"]) < 0.01,
        numbers=f"{right['running']:.2%}, with the true ones {right['true']:.2%}; means off by "
        f"{off:.3f} std, variances {ratio.min():.2f} to {ratio.max():.2f} of the true")
    end = {m: pick(result["settling"], "error", momentum=m)[-1] for m in ("0.1", "average")}
    expected = pick(result["settling"], "predicted", momentum="0.1")[-1]
    add(table, claim="momentum 0.1 soon forgets the start but keeps sqrt(0.1 / 1.9 / batch) of the "
        "batches' noise, an average over all does not", seen=0.5 < end["0.1"] / expected < 2
        and end["average"] < end["0.1"] / 2,
        numbers=f"means off by {end['0.1']:.4f} std ({expected:.4f} expected), the average by "
        f"{end['average']:.4f}, after {max(result['settling']['step'])} batches")
    size, kept, biased = (result["unbiased"][key][0] for key in ("size", "ratio", "biased"))
    add(table, claim="running_var keeps unbiased variances", seen=abs(kept - 1) < 0.1,
        numbers=f"from batches of {size}, {kept:.3f} of the true; biased ones would give {biased}")
    right = {which: without_eval(result, "eval", which) for which in ("plain", "batchnorm")}
    wrong = without_eval(result, "accuracy")
    add(table, claim="without eval(), images sorted by class lose over 10 points",
        seen=wrong < right["batchnorm"] - 0.1, numbers=f"{wrong:.1%} instead of "
        f"{right['batchnorm']:.1%} in batches of {BATCH}; without norms "
        f"{without_eval(result, 'accuracy', 'plain'):.1%} and {right['plain']:.1%}")
    changed = without_eval(result, "changed", order="shuffled")
    add(table, claim="and an image's class depends on its companions in the batch",
        seen=changed > 0.01, numbers=f"{changed:.1%} change it between two shuffles in batches of "
        f"{BATCH}, {without_eval(result, 'changed', order='shuffled', size=SIZES[0]):.1%} of "
        f"{SIZES[0]}")
    after = without_eval(result, "afterwards")
    add(table, claim="and eval() afterwards is too late: the running statistics have moved",
        seen=after < right["batchnorm"] - 0.01, numbers=f"{after:.1%} instead of "
        f"{right['batchnorm']:.1%}, after passes under no_grad() in train mode")


CODE = [network, true_statistics, classes]


def draw(result: dict[str, Any]) -> Iterable[Any]:
    """Yield the pictures. Raises ImportError, with advice, without matplotlib."""
    from minitorch.labs.batchnorm_plot import draw

    yield from draw(result)
