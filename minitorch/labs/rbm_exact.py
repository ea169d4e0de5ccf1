"""Machines so small that all their states can be gone through: the truth to hold samplers to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from minitorch.labs.machines import machine, teach
from minitorch.labs.networks import Table, add
from minitorch.nn.boltzmann import softplus
from minitorch.nn.partition import states

STEPS = 1, 2, 5, 10, 20, 50  # k of CD-k
SIDE, UNITS = 3, 6  # the pixels of the tiny machine are SIDE x SIDE


def annealing(torch: Any, v: Any, work: dict[str, Any], tick: Callable[[str], None]) -> Table:
    """log Z by annealed importance sampling and by summing over all hidden states."""
    table: Table = {}
    for n_hidden in work["exact"]:
        tick(f"AIS and enumeration, {n_hidden} hidden units")
        rbm = machine(torch, v.shape[1], n_hidden)
        rbm.fit_visible_bias(v)
        teach(torch, rbm, v, {**work, "lr": 0.3})
        exact = rbm.log_partition().item()
        for betas in work["tried"]:
            estimate, error = rbm.ais(100, betas, v)
            add(table, hidden=n_hidden, betas=betas, exact=exact, estimate=estimate, error=error)
    return table


def gradients(torch: Any, work: dict[str, Any], tick: Callable[[str], None]) -> Table:
    """CD-k's expected gradient against that of the likelihood, for a tiny machine.

    ``bias``: how far off it is, as a fraction of the gradient's norm; ``cosine``: of the angle to
    it; ``sampled``: the same cosine for one draw of 100 chains from each image. The data are bars
    and stripes, before training and after.
    """
    table: Table = {}
    v = torch.from_numpy(bars())
    rbm = machine(torch, SIDE * SIDE, UNITS).double()
    torch.nn.init.normal_(rbm.weight, std=0.5)
    for when, epochs in ("before", 0), ("after", work["bars"]):
        tick(f"CD-k against the exact gradient, {when} training")
        teach(torch, rbm, v, {"epochs": epochs, "size": 7, "lr": 0.1})
        exact = gradient(rbm, -rbm.log_likelihood(v).mean())
        for k, visited in chained(rbm, v):
            expected = gradient(rbm, rbm.free_energy(v).mean() - visited)
            loss = rbm.contrastive_divergence(v.repeat(100, 1), k)
            add(table, when=when, k=k, bias=((expected - exact).norm() / exact.norm()).item(),
                cosine=cosine(expected, exact), sampled=cosine(gradient(rbm, loss), exact))
    return table


def chained(rbm: Any, v: Any) -> Iterator[tuple[int, Any]]:
    """For each k of ``STEPS``, and chains begun at `v`: the mean free energy after k Gibbs steps.

    Not drawn, but the mean over all states by the chance to be there after k steps.
    """
    n_hidden, n_visible = rbm.weight.shape
    seen, hidden = (states(rbm.weight, range(2**n), n) for n in (n_visible, n_hidden))
    up = chances(rbm.hidden_input(seen), hidden)
    down = chances(hidden @ rbm.weight + rbm.visible_bias, seen)
    here = (chances(rbm.hidden_input(v), hidden) @ down).mean(0)  # after the first step
    for k in range(1, max(STEPS) + 1):
        if k in STEPS:
            yield k, (here * rbm.free_energy(seen)).sum()
        here = here @ up @ down


def chances(x: Any, units: Any) -> Any:
    """The probabilities of states of units (M, n), given their log odds (N, n), as (N, M)."""
    return (x @ units.t() - softplus(x).sum(-1, keepdim=True)).exp().detach()


def gradient(rbm: Any, loss: Any) -> Any:
    """By all parameters, in one vector."""
    rbm.zero_grad()
    loss.backward()
    parts = [p.grad.reshape(-1) for p in (rbm.weight, rbm.visible_bias, rbm.hidden_bias)]
    return rbm.weight.new_tensor([x for part in parts for x in part.tolist()])


def cosine(a: Any, b: Any) -> float:
    return float(((a * b).sum() / (a.norm() * b.norm())).item())


def bars() -> Any:
    """All images of horizontal bars, and all of vertical ones (MacKay 2003, section 43)."""
    lines = np.array(list(product([0.0, 1.0], repeat=SIDE)))
    across = lines[:, :, None].repeat(SIDE, 2)
    both = np.concatenate([across, across.swapaxes(1, 2)]).reshape(-1, SIDE * SIDE)
    return np.unique(both, axis=0)
