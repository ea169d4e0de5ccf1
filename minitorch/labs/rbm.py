"""Restricted Boltzmann machines and deep belief networks on images of digits, for either engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import fmean as mean
from typing import Any

import numpy as np

from minitorch.labs.machines import batches, machine, network, packed, teach
from minitorch.labs.networks import Split, Table, accuracy, add, tensors
from minitorch.labs.rbm_claims import TARGET, claims, summary
from minitorch.labs.rbm_exact import annealing, gradients
from minitorch.labs.style import Picture

TITLE = "Boltzmann machines"
QUESTION = "What does a restricted Boltzmann machine learn, and does it help a classifier?"
CLAIM = ("Contrastive divergence follows the likelihood's gradient roughly, but well enough that "
         "an RBM learns strokes, gives images it has not seen a high probability, and dreams up "
         "digits. A network that begins as a stack of RBMs needs fewer labels than one whose "
         "weights begin at random.")

# How much work, by `quick`. RBMs have n_hidden units and learn for so many epochs from batches of
# that size, at a rate that begins at lr; AIS takes so many betas, chains in pictures so many steps;
# `few` images do for the smaller questions. AIS is held against machines of `exact` units, with
# `tried` betas. Classifiers learn at that rate, on few labels so often as tries says, and for so
# many steps by the number of labels. The tiny machine goes so often over its bars.
SETTINGS: dict[bool, dict[str, Any]] = {
    False: {"n_hidden": 256, "epochs": 2, "size": 100, "lr": 0.1, "betas": 1000, "gibbs": 1000,
            "few": 10_000, "exact": (4, 8, 12, 16), "tried": (10, 100, 1000), "rate": 0.002,
            "tries": 2, "steps": {100: 150, 1000: 300, 60_000: 1200}, "bars": 150},
    True: {"n_hidden": 64, "epochs": 5, "size": 25, "lr": 0.4, "betas": 100, "gibbs": 100,
           "few": 800, "exact": (4, 12), "tried": (5, 20, 100), "rate": 0.01,
           "tries": 2, "steps": {100: 100, 60_000: 200}, "bars": 100},
}
METHODS: dict[str, dict[str, Any]] = {
    "CD-1": {"momentum": 0.5}, "PCD": {"momentum": 0.0, "persistent": True},
}
STARTS = "nn.Linear", "xavier", "pre-trained"
SPARSITY = 1.0  # what missing the target costs


def run(torch: Any, train_set: Split, test_set: Split, quick: bool = False, seed: int = 777,
        tick: Callable[[str], None] = lambda what: None) -> dict[str, Any]:
    """All experiments, as tables of numbers; ``tick`` is told what comes next.

    ``learning``, ``likelihood``: RBMs by contrastive divergence and its persistent form.
    ``activity``: how often hidden units are on, with and without a sparsity target. ``labels``:
    classifiers by their start. ``ais``, ``gradient``: against enumeration. ``images``: filters,
    reconstructions and samples, as texts. ``summary``, ``claims``: what came of it.
    """
    work = SETTINGS[quick]
    torch.manual_seed(seed)
    images, labels, test, answers = tensors(torch, train_set, test_set)
    # An RBM's units are on or off: grey is taken for a probability, and drawn once.
    binary, unseen = images.bernoulli(), test.bernoulli()
    result: dict[str, Any] = {"learning": {}, "likelihood": {}, "images": {}}
    keep(result, "original", test[:10])
    rbms = [likely(torch, result, binary, unseen, name, work, tick) for name in METHODS]
    gaussian(torch, result, images, test, work, tick)
    result["activity"] = sparse(torch, binary[:work["few"]], unseen, work, tick)
    result["ais"] = annealing(torch, binary[:work["few"]], work, tick)
    result["gradient"] = gradients(torch, work, tick)
    tick("pre-training the second layer")
    above = machine(torch, work["n_hidden"], work["n_hidden"])
    teach(torch, above, rbms[0].hidden_mean(binary).detach(), work)
    result["labels"] = compare(torch, [rbms[0], above], (images, labels), (test, answers), work,
                               seed, tick)
    result["summary"] = summary(result)
    result["claims"] = claims(result)
    return result


def keep(result: dict[str, Any], what: str, images: Any, low: float = 0.0) -> None:
    for text in packed(images.detach().numpy(), low, 1.0 if low == 0 else -low):
        add(result["images"], what=what, pixels=text)


def likely(torch: Any, result: dict[str, Any], binary: Any, unseen: Any, name: str,
           work: dict[str, Any], tick: Callable[[str], None]) -> Any:
    """Train by the method of that name; how likely are images it has, and has not, seen?"""
    tick(f"an RBM by {name}")
    if not result["likelihood"]:
        add(result["likelihood"], model="independent pixels", **alone(torch, binary, unseen))
    rbm = machine(torch, binary.shape[1], work["n_hidden"])
    rbm.fit_visible_bias(binary)
    errors = teach(torch, rbm, binary, work, **METHODS[name])
    for epoch, error in enumerate(errors):
        add(result["learning"], model=name, epoch=epoch + 1, error=error)
    tick(f"its likelihood and its samples, {name}")
    add(result["likelihood"], model=name, **measured(rbm, binary, unseen, work))
    ends = rbm.gibbs(torch.full((20, binary.shape[1]), 0.5).bernoulli(), work["gibbs"])
    most = float(np.quantile(np.abs(rbm.weight.detach().numpy()[:40]), 0.995))
    keep(result, f"{name} filters", rbm.weight[:40], -most)
    keep(result, f"{name} reconstructions", rbm.reconstruct(unseen[:10]))
    keep(result, f"{name} samples", rbm.visible_mean(rbm.sample_hidden(ends)))
    return rbm


def measured(rbm: Any, seen: Any, unseen: Any, work: dict[str, Any]) -> dict[str, float]:
    """Mean log-likelihoods (nats) by an estimate of log Z, and its standard error."""
    log_z, error = rbm.ais(100, work["betas"], seen)
    train, test = (rbm.log_likelihood(v, log_z).mean().item() for v in (seen[:len(unseen)], unseen))
    return {"log_z": log_z, "error": error, "train": train, "test": test}


def alone(torch: Any, seen: Any, unseen: Any, visible: str = "bernoulli") -> dict[str, float]:
    """The same for pixels independent of each other: an RBM whose weights are 0."""
    rbm = machine(torch, seen.shape[1], 1, visible)
    rbm.weight.detach().zero_()
    rbm.fit_visible_bias(seen)
    log_z = rbm.log_partition().detach()
    train, test = (rbm.log_likelihood(v, log_z).mean().item() for v in (seen[:len(unseen)], unseen))
    return {"log_z": log_z.item(), "error": 0.0, "train": train, "test": test}


def gaussian(torch: Any, result: dict[str, Any], images: Any, test: Any, work: dict[str, Any],
             tick: Callable[[str], None]) -> None:
    """Real visible units, on grey images with the mean image taken away and variance 1."""
    tick("a Gaussian-Bernoulli RBM")
    few = images[:work["few"]]
    middle, scale = few.mean(0), few.std()
    scaled, unseen = (few - middle) / scale, (test - middle) / scale
    add(result["likelihood"], model="independent Gaussians",
        **alone(torch, scaled, unseen, "gaussian"))
    rbm = machine(torch, images.shape[1], work["n_hidden"], "gaussian")
    for epoch, error in enumerate(teach(torch, rbm, scaled, work, slower=10)):
        add(result["learning"], model="Gaussian", epoch=epoch + 1, error=error)
    add(result["likelihood"], model="Gaussian RBM", **measured(rbm, scaled, unseen, work))
    keep(result, "Gaussian reconstructions", middle + scale * rbm.reconstruct(unseen[:10]))


def sparse(torch: Any, binary: Any, unseen: Any, work: dict[str, Any],
           tick: Callable[[str], None]) -> Table:
    """How often each hidden unit is on for images it has not seen, without a target and with."""
    table: Table = {}
    for sparsity in 0.0, SPARSITY:
        tick("an RBM with a sparsity target" if sparsity else "an RBM without a sparsity target")
        rbm = machine(torch, binary.shape[1], work["n_hidden"])
        rbm.fit_visible_bias(binary)
        errors = teach(torch, rbm, binary, work, sparsity=sparsity, target=TARGET)
        for unit, q in enumerate(sorted(rbm.hidden_mean(unseen).mean(0).tolist())):
            add(table, target=TARGET if sparsity else None, unit=unit, on=q, error=errors[-1])
    return table


def compare(torch: Any, rbms: list[Any], train: tuple[Any, Any], test: tuple[Any, Any],
            work: dict[str, Any], seed: int, tick: Callable[[str], None]) -> Table:
    """Accuracy after tuning on few labels and on all, from each start.

    All see the same labels in batches of up to 100 and make the same number of steps with Adam;
    pre-training has seen every training image, but no label.
    """
    table: Table = {}
    n = len(train[0])
    for count, steps in work["steps"].items():
        count = min(count, n)
        for repeat in range(work["tries"] if count < n else 1):
            chosen = torch.from_numpy(np.random.default_rng([seed, repeat]).permutation(n)[:count])
            for start in STARTS:
                tick(f"{count} labels, {start} weights")
                torch.manual_seed(seed + repeat)
                model = network(torch, rbms, 10)
                if start != "pre-trained":
                    restart(torch, model, start)
                cost = tune(torch, model, train[0][chosen], train[1][chosen], steps,
                            work["rate"])
                add(table, labels=count, start=start, repeat=repeat, cost=cost,
                    accuracy=accuracy(torch, model, *test))
    return table


def restart(torch: Any, model: Any, start: str) -> None:
    """Weights drawn at random, as if nothing had been learnt."""
    for layer in model:
        if hasattr(layer, "weight"):
            layer.reset_parameters()
            if start == "xavier":
                torch.nn.init.xavier_uniform_(layer.weight)
                torch.nn.init.zeros_(layer.bias)


def tune(torch: Any, model: Any, images: Any, labels: Any, steps: int, rate: float) -> float:
    """Backpropagation for so many steps; the mean cost of the last ten."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    costs: list[float] = []
    while len(costs) < steps:
        for x, y in batches(torch, images, labels, size=100):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            costs.append(loss.item())
            if len(costs) == steps:
                break
    return mean(costs[-10:])


CODE = [teach, compare, gradients]


def draw(result: dict[str, Any]) -> Iterator[Picture]:
    """The pictures. Raises ImportError, with advice, without matplotlib."""
    from minitorch.labs.rbm_plot import draw

    return draw(result)
