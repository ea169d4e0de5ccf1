"""The course's network with and without batch norm, and how the lab trains and judges it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.labs.networks import batches

HIDDEN, BATCH, RATE = 32, 32, 0.01  # the course's network, its batch and Adam's rate
SIZE = {  # by `quick`: epochs, those of the third network, SGD steps, batches with fixed weights
    False: {"epochs": 10, "shifted": 3, "steps": 600, "settling": 300},
    True: {"epochs": 10, "shifted": 3, "steps": 100, "settling": 60},
}


class Setting:
    """The engine, the data, and sizes: what all experiments share."""

    def __init__(self, torch: Any, data: list[Any], quick: bool, seed: int,
                 tick: Callable[[str], None]) -> None:
        self.torch, self.seed, self.tick = torch, seed, tick
        self.images, self.labels, *self.test = data
        size = SIZE[quick]
        self.epochs = {"plain": size["epochs"], "batchnorm": size["epochs"],
                       "shifted": size["shifted"]}
        self.steps, self.settling = size["steps"], size["settling"]


def network(at: Setting, kind: str, std: float | None = None) -> Any:
    """pixels-32-32-10 with ReLU; "batchnorm" normalises before each, "shifted" then shifts again.

    The same weights in all, as norms draw none: ``nn.Linear``'s, or N(0, std) with biases of 0.
    """
    nn = at.torch.nn
    at.torch.manual_seed(at.seed)
    modules: list[Any] = []
    for fan_in in at.images.shape[1], HIDDEN:
        modules.append(nn.Linear(fan_in, HIDDEN))
        if kind != "plain":
            # A norm takes this bias out again: only rounding would be left as its gradient, and
            # Adam would make full steps of that.
            modules[-1].register_parameter("bias", None)
            modules.append(nn.BatchNorm1d(HIDDEN))
        modules += [jitter(at.torch)] if kind == "shifted" else []
        modules.append(nn.ReLU())
    model = nn.Sequential(*modules, nn.Linear(HIDDEN, 10))
    for layer in model:
        if std is not None and isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return model


def jitter(torch: Any) -> Any:
    """In training, another shift and scale of every unit at every step.

    After Santurkar et al. (2018), section 2.1, where they differ from image to image as well.
    """
    class Jitter(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            if not self.training:
                return x
            shift, scale = torch.rand(HIDDEN) - 0.5, 1 + torch.rand(HIDDEN) / 4
            return x * scale + shift
    return Jitter()


def learn(at: Setting, model: Any, optimizer: Any, steps: int, size: int = BATCH,
          each: Callable[[int], None] = lambda step: None) -> None:
    """Train on the cross entropy; ``each`` is called before each step and after the last."""
    criterion = at.torch.nn.CrossEntropyLoss()
    epochs = -(-steps // (len(at.images) // size))
    found = batches(at.torch, at.images, at.labels, epochs, size)
    for step, (_, x, y) in zip(range(steps), found):
        each(step)
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    each(steps)


def score(at: Setting, model: Any, images: Any, labels: Any) -> tuple[float, float]:
    """Cost and accuracy, in eval mode; the model is left in train mode."""
    model.eval()
    with at.torch.no_grad():
        out = model(images)
        cost = at.torch.nn.functional.cross_entropy(out, labels).item()
        correct = (out.argmax(1) == labels).sum().item()
    model.train()
    return cost, correct / len(labels)


def norms(at: Setting, model: Any) -> list[Any]:
    return [module for module in model if isinstance(module, at.torch.nn.BatchNorm1d)]
