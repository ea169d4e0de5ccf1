"""What the lab on RBMs trains and shows: machines for either engine; images as short texts."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from typing import Any

import numpy as np

from minitorch.nn.boltzmann import Boltzmann


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


def teach(torch: Any, rbm: Any, v: Any, work: dict[str, Any], momentum: float = 0.5,
          persistent: bool = False, slower: float = 1, sparsity: float = 0.0,
          target: float = 0.05) -> list[float]:
    """Train by CD-1 or persistent CD; the squared error of reconstruction after each epoch.

    `work` says for how many epochs, from batches of which size, and beginning at which lr.
    Weights decay, biases do not (Hinton 2010, section 10); the learning rate falls to 0 step by
    step, as in Tieleman 2008.
    """
    optimizer = torch.optim.SGD([
        {"params": [rbm.weight], "weight_decay": 0.0002},
        {"params": [rbm.visible_bias, rbm.hidden_bias]}],
        lr=work["lr"] / slower, momentum=momentum)
    epochs, size = work["epochs"], work["size"]
    steps = max(1, epochs * math.ceil(len(v) / size))
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    chains, errors = v[:size].clone() if persistent else None, []
    for _ in range(epochs):
        for (batch,) in batches(torch, v, size=size):
            optimizer.zero_grad()
            loss = rbm.contrastive_divergence(batch, 1, chains)
            if sparsity:
                loss = loss + sparsity * rbm.sparsity(batch, target)
            loss.backward()
            optimizer.step()
            rates.step()
        wrong = rbm.reconstruct(v[:2000]).detach() - v[:2000]
        errors.append((wrong * wrong).mean().item())
    return errors


def packed(images: Any, low: float = 0.0, high: float = 1.0) -> list[str]:
    """Each image of an array (N, pixels) as base64 of bytes, from 0 at `low` to 255 at `high`."""
    levels = np.clip((np.asarray(images) - low) / (high - low), 0, 1) * 255
    return [b64encode(row.tobytes()).decode() for row in np.rint(levels).astype(np.uint8)]


def unpacked(texts: list[str]) -> Any:
    """The array (N, pixels), in [0, 1], of which `packed` made the texts."""
    return np.array([np.frombuffer(b64decode(text), np.uint8) for text in texts]) / 255
