"""Batch norm's two modes: running statistics beside the true ones, and what needs eval()."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.labs.batchnorm_network import BATCH, Setting, network, norms, score
from minitorch.labs.networks import Table, add

SIZES = 2, 4, 8, 32, 128


def twin(at: Setting, model: Any, momentum: float | None = 0.1) -> Any:
    """A copy, so that a forward pass in train mode does not change the original."""
    same = network(at, "batchnorm" if norms(at, model) else "plain")
    same.load_state_dict(model.state_dict())
    for norm in norms(at, same):
        norm.momentum = momentum
    return same


def true_statistics(at: Setting, model: Any) -> Any:
    """A copy whose norms hold the whole training set's statistics: that of one batch of it all."""
    same = twin(at, model, momentum=1.0)
    with at.torch.no_grad():
        same(at.images)
    return same


def statistics(at: Setting, model: Any) -> dict[str, Table]:
    """Running statistics beside the true ones of the same weights."""
    names = "running", "settling", "unbiased", "replaced"
    running, settling, unbiased, replaced = tables = [Table() for _ in names]
    truth = true_statistics(at, model)
    for layer, (norm, true) in enumerate(zip(norms(at, model), norms(at, truth)), 1):
        values = [getattr(each, f"running_{what}").tolist() for what in ("mean", "var")
                  for each in (norm, true)]
        for unit, (a, b, c, d) in enumerate(zip(*values)):
            add(running, layer=layer, unit=unit, mean=a, true_mean=b, var=c, true_var=d)
    for which, each in ("running", model), ("true", truth):
        add(replaced, statistics=which, accuracy=score(at, each, *at.test)[1])
    mean, var = (getattr(norms(at, truth)[0], f"running_{what}").numpy().astype(np.float64)
                 for what in ("mean", "var"))
    grid = sorted(set(np.geomspace(1, at.settling, 30).astype(int).tolist()))
    for momentum in 0.1, 0.01, None:
        for step, norm in enumerate(fed(at, twin(at, model, momentum), BATCH, at.settling), 1):
            if step in grid:
                off = (norm.running_mean.numpy() - mean) / var ** 0.5
                add(settling, momentum="average" if momentum is None else str(momentum), step=step,
                    error=rms(off), predicted=predicted(momentum, step, rms(mean / var ** 0.5)),
                    var_error=rms(norm.running_var.numpy() / var - 1))
    for size in SIZES:
        *_, norm = fed(at, twin(at, model, None), size, 2 * at.settling)
        add(unbiased, size=size, ratio=float((norm.running_var.numpy() / var).mean()),
            biased=1 - 1 / size)
    return dict(zip(names, tables))


def fed(at: Setting, model: Any, size: int, steps: int) -> Iterator[Any]:
    """The first norm, forgetful at first, after each batch drawn with replacement; no learning."""
    first = model[:2]
    first[1].reset_running_stats()
    for _ in range(steps):
        with at.torch.no_grad():
            first(at.images[at.torch.randint(0, len(at.images), (size,))])
        yield first[1]


def predicted(momentum: float | None, step: int, start: float) -> float:
    """What independent batches leave: what is left of the start, and the batches' own noise."""
    if momentum is None:
        return float((1 / (step * BATCH)) ** 0.5)
    kept = (1 - momentum) ** (2 * step)
    noise = momentum / (2 - momentum) * (1 - kept) / BATCH
    return float((kept * start ** 2 + noise) ** 0.5)


def rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def forgotten(at: Setting, models: dict[str, Any]) -> Table:
    """The test images in train mode, each row on a fresh copy, twice in another order.

    ``changed`` is the share whose class depends on the images that shared the batch;
    ``afterwards`` the accuracy when eval() is called only then.
    """
    table: Table = {}
    images, labels = (each[::max(1, len(each) // 2000)] for each in at.test)
    for kind in "plain", "batchnorm":
        right = score(at, models[kind], images, labels)[1]
        for order in "shuffled", "sorted":
            for size in SIZES:
                model, found = twin(at, models[kind]), []
                for _ in range(2):
                    place = at.torch.randperm(len(images))
                    if order == "sorted":
                        place = place[at.torch.argsort(labels[place], stable=True)]
                    found.append(classes(at, model, images, place, size))
                add(table, network=kind, order=order, size=size, eval=right,
                    accuracy=float((found[0] == labels.numpy()).mean()),
                    changed=float((found[0] != found[1]).mean()),
                    afterwards=score(at, model, images, labels)[1])
    return table


def classes(at: Setting, model: Any, images: Any, place: Any, size: int) -> Any:
    """The class of each image, from batches of about this size in this order."""
    found = np.empty(len(images), int)
    with at.torch.no_grad():
        for batch in np.array_split(place.numpy(), max(1, len(images) // size)):
            found[batch] = model(images[at.torch.from_numpy(batch)]).argmax(1).numpy()
    return found


def single(at: Setting, models: dict[str, Any]) -> Table:
    """A batch of one image: an error in train mode, an answer in eval mode."""
    table: Table = {}
    for kind in "plain", "batchnorm":
        for mode in True, False:
            model = twin(at, models[kind]).train(mode)
            try:
                said = f"class {model(at.test[0][:1]).argmax(1).item()}"
            except ValueError as error:
                said = f"ValueError: {str(error).splitlines()[0]}"
            add(table, network=kind, mode="train" if mode else "eval", said=said)
    return table
