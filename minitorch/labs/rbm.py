"""Restricted Boltzmann machines and deep belief networks on images of digits, for either engine.

What does an RBM learn, how likely does it make images it has not seen, and does a network that
begins as a deep belief network classify better than one that begins at random?
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.nn.boltzmann import Boltzmann
from minitorch.nn.dbn import pretrain

# How much work, by `quick`. RBMs have n_hidden units and learn for so many epochs from batches of
# that size; ais takes so many betas, chains in pictures so many steps; classifiers are trained on
# few labels so often as tries says, for steps on 100, 1,000 and all labels.
SETTINGS: dict[bool, dict[str, Any]] = {
    False: {"images": 60_000, "n_hidden": 256, "epochs": 3, "size": 100, "betas": 1000,
            "gibbs": 1000, "tries": 3, "steps": (400, 800, 3000)},
    True: {"images": 2000, "n_hidden": 64, "epochs": 10, "size": 10, "betas": 300,
           "gibbs": 200, "tries": 2, "steps": (400, 800, 1000)},
}
METHODS = {"CD-1": {"lr": 0.1, "momentum": 0.5}, "PCD": {"lr": 0.03, "momentum": 0.0}}
STARTS = ("nn.Linear's", "Xavier's", "pre-trained")
COLOURS = {"CD-1": "#0072b2", "PCD": "#d55e00", "nn.Linear's": "#888888", "Xavier's": "#332288",
           "pre-trained": "#d55e00"}


def machine(torch: Any, n_visible: int, n_hidden: int, visible: str = "bernoulli") -> Any:
    """What ``nn.RBM`` is, for either engine."""

    class RBM(Boltzmann, torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visible = visible
            self.weight = torch.nn.Parameter(torch.empty(n_hidden, n_visible))
            self.visible_bias = torch.nn.Parameter(torch.zeros(n_visible))
            self.hidden_bias = torch.nn.Parameter(torch.zeros(n_hidden))
            torch.nn.init.normal_(self.weight, std=0.01)

    return RBM()


def network(torch: Any, rbms: list[Any], n_classes: int) -> Any:
    """What ``nn.DBN.to_mlp`` makes, for either engine."""
    layers: list[Any] = []
    for rbm in rbms:
        n_hidden, n_visible = rbm.weight.shape
        layers += [torch.nn.Linear(n_visible, n_hidden), torch.nn.Sigmoid()]
        layers[-2].load_state_dict({"weight": rbm.weight, "bias": rbm.hidden_bias})
    return torch.nn.Sequential(*layers, torch.nn.Linear(n_hidden, n_classes))


def batches(torch: Any, *tensors: Any, size: int = 100) -> Any:
    """So many rows at a time, in an order drawn anew each time they are gone through."""
    together = torch.utils.data.TensorDataset(*tensors)
    return torch.utils.data.DataLoader(together, batch_size=size, shuffle=True)


def run(torch: Any, train: Any, test: Any, quick: bool = False, seed: int = 777,
        say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Train RBMs, estimate their likelihoods, and compare classifiers that begin with them.

    `train` and `test` are each images (N, pixels) in [0, 1] and labels (N,), as NumPy arrays.
    Returns tables, dicts of lists by column: ``learning`` and ``likelihood`` of the RBMs,
    ``labels`` for the classifiers; and ``pictures``, arrays of images by name. `quick` takes fewer
    images, units and steps. `say` is told how far it is.
    """
    work = SETTINGS[quick]
    train, test = ([array[:work["images"]] for array in part] for part in (train, test))
    torch.manual_seed(seed)
    pixels = torch.from_numpy(train[0]), torch.from_numpy(test[0])
    # An RBM's units are on or off: grey is taken for a probability, and drawn once.
    binary, unseen = (part.bernoulli() for part in pixels)
    rbms, learning, pictures = {}, [], {"originals": test[0][:10]}
    likelihood = [independent(torch, binary, unseen)]
    for name in METHODS:
        rbms[name] = rbm = machine(torch, binary.shape[1], work["n_hidden"])
        rbm.fit_visible_bias(binary)
        errors = teach(torch, rbm, binary, name, work)
        learning += [{"method": name, "epoch": i + 1, "error": e} for i, e in enumerate(errors)]
        log_z, error = rbm.ais(100, work["betas"], binary)
        likelihood.append({
            "model": name, "log_z": log_z, "error": error,
            "train": rbm.log_likelihood(binary[:len(unseen)], log_z).mean().item(),
            "test": rbm.log_likelihood(unseen, log_z).mean().item()})
        say(f"{name}: reconstruction error {errors[-1]:.4f}, log-likelihood "
            f"{likelihood[-1]['test']:.1f} +- {error:.1f} nats")
        ends = rbm.gibbs(torch.rand(20, binary.shape[1]).bernoulli(), work["gibbs"])
        pictures |= {f"{name} filters": rbm.weight.detach()[:40].numpy().copy(),
                     f"{name} reconstructions": rbm.reconstruct(unseen[:10]).detach().numpy(),
                     f"{name} samples": rbm.reconstruct(ends).detach().numpy()}
    above = machine(torch, work["n_hidden"], work["n_hidden"])
    features = rbms["CD-1"].hidden_mean(binary).detach()
    teach(torch, above, features, "CD-1", work)
    labels = compare(torch, [rbms["CD-1"], above], train, test, work, say)
    return {"learning": columns(learning), "likelihood": columns(likelihood),
            "labels": columns(labels), "pictures": pictures}


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {key: [row[key] for row in rows] for key in rows[0]}


def independent(torch: Any, binary: Any, unseen: Any) -> dict[str, Any]:
    """The likelihood with pixels independent of each other: an RBM whose weights are 0."""
    rbm = machine(torch, binary.shape[1], 1)
    rbm.weight.detach().zero_()
    rbm.fit_visible_bias(binary)
    log_z = rbm.log_partition().detach()
    train, test = (rbm.log_likelihood(v, log_z).mean().item()
                   for v in (binary[:len(unseen)], unseen))
    return {"model": "no weights", "log_z": log_z.item(), "error": 0.0, "train": train,
            "test": test}


def teach(torch: Any, rbm: Any, v: Any, name: str, work: dict[str, Any]) -> list[float]:
    """Train by the method of that name; errors of reconstruction by epoch."""
    def optimizer(parameters: Any) -> Any:
        return torch.optim.SGD(parameters, weight_decay=0.0002, **METHODS[name])

    return pretrain([rbm], batches(torch, v, size=work["size"]), optimizer, work["epochs"],
                    persistent=name == "PCD")[0]


def compare(torch: Any, rbms: list[Any], train: Any, test: Any, work: dict[str, Any],
            say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Accuracy on `test` after tuning on few labels and on all, from each start.

    All see the same labels in batches of up to 100 and make the same number of steps with Adam,
    lr 0.001; pre-training has seen every training image, but no label.
    """
    rows: list[dict[str, Any]] = []
    n = len(train[0])
    for count, steps in zip((100, 1000, n), work["steps"]):
        if count > n:
            continue
        for repeat in range(work["tries"] if count < n else 1):
            chosen = np.random.default_rng(repeat).permutation(n)[:count]
            for start in STARTS:
                torch.manual_seed(repeat)
                model = network(torch, rbms, 10)
                if start != "pre-trained":
                    restart(torch, model, start)
                cost = tune(torch, model, train[0][chosen], train[1][chosen], steps)
                with torch.no_grad():
                    answers = model(torch.from_numpy(test[0])).argmax(1).numpy()
                rows.append({"labels": count, "start": start, "repeat": repeat, "cost": cost,
                             "accuracy": float((answers == test[1]).mean())})
        for start in STARTS:
            found = [r["accuracy"] for r in rows if (r["labels"], r["start"]) == (count, start)]
            say(f"{count} labels, {start} weights: accuracy {np.mean(found):.4f}")
    return rows


def restart(torch: Any, model: Any, start: str) -> None:
    """Weights drawn at random, as if nothing had been learnt."""
    for layer in model:
        if hasattr(layer, "weight"):
            layer.reset_parameters()
            if start == "Xavier's":
                torch.nn.init.xavier_uniform_(layer.weight)
                torch.nn.init.zeros_(layer.bias)


def tune(torch: Any, model: Any, images: Any, labels: Any, steps: int) -> float:
    """Backpropagation for so many steps; the mean cost of the last ten."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    size, costs = min(100, len(x)), list[float]()
    while len(costs) < steps:
        order = torch.randperm(len(x))
        for i in range(0, len(x) - size + 1, size):
            optimizer.zero_grad()
            batch = order[i:i + size]
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            costs.append(loss.item())
            if len(costs) == steps:
                break
    return float(np.mean(costs[-10:]))


def draw(result: dict[str, Any], path: str) -> None:
    """What `run` returned as a picture (PNG, SVG or PDF by the name of `path`).

    Raises ImportError without matplotlib, and OSError if the file cannot be written.
    """
    from matplotlib.figure import Figure

    pictures = result["pictures"]
    figure = Figure(figsize=(11, 7.5), dpi=110, layout="constrained")
    grid = figure.subplots(3, 2, height_ratios=[4, 2, 5])
    rows = dict(zip(result["likelihood"]["model"], result["likelihood"]["test"]))
    for axis, name in zip(grid[0], METHODS):
        filters = pictures[f"{name} filters"]
        most = np.quantile(np.abs(filters), 0.995)
        axis.imshow(tiles(filters, 10), cmap="RdBu_r", vmin=-most, vmax=most)
        axis.set_title(f"{name}: weights of 40 hidden units (red +, blue -)")
    for axis, name in zip(grid[1], METHODS):
        axis.imshow(tiles(pictures[f"{name} samples"], 10), cmap="Greys", vmin=0, vmax=1)
        axis.set_title(f"{name}: chains begun at noise; test images {rows[name]:.1f} nats")
    both = [pictures["originals"], *(pictures[f"{name} reconstructions"] for name in METHODS)]
    grid[2][0].imshow(tiles(np.concatenate(both), 10), cmap="Greys", vmin=0, vmax=1)
    grid[2][0].set_title(f"test images, and their reconstructions by {' and '.join(METHODS)}")
    for axis in [*grid[0], *grid[1], grid[2][0]]:
        axis.set_axis_off()
    draw_labels(grid[2][1], result["labels"])
    figure.savefig(path)


def tiles(images: Any, across: int) -> Any:
    """Square images in rows of so many, a frame of nothing around each; a last row is filled."""
    side = round(images.shape[1] ** 0.5)
    framed = np.pad(images.reshape(-1, side, side), ((0, -len(images) % across), (1, 1), (1, 1)),
                    constant_values=np.nan)
    return framed.reshape(-1, across, side + 2, side + 2).swapaxes(1, 2).reshape(
        -1, across * (side + 2))


def draw_labels(axis: Any, table: dict[str, list[Any]]) -> None:
    """Error by the number of labels, a line for each start; a dot for each repetition."""
    n, start, accuracy = (np.array(table[key]) for key in ("labels", "start", "accuracy"))
    counts = np.unique(n)
    for name in STARTS:
        own = start == name
        error = 100 * (1 - accuracy)
        means = [error[own & (n == count)].mean() for count in counts]
        axis.plot(counts, means, color=COLOURS[name], label=f"{name} weights")
        axis.plot(n[own], error[own], ".", color=COLOURS[name], alpha=0.6)
    axis.set(xscale="log", yscale="log", xlabel="labels", ylabel="test errors, %",
             title="a network of sigmoids, by where it begins")
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("{x:g}")
    axis.legend(frameon=False)
