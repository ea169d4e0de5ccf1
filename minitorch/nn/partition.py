"""The partition function Z of a restricted Boltzmann machine: exactly, and by sampling.

Written in tensor methods alone, as `boltzmann` is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

ENUMERABLE = 20  # units
BLOCK = 2**14  # states that are looked at together


def log_partition(rbm: Any) -> Any:
    """log Z = log Σ exp(-F(v)) over all v, or log Σ exp(-G(h)) over all h, whichever are fewer."""
    n_hidden, n_visible = rbm.weight.shape
    free_energy, n = rbm.hidden_free_energy, n_hidden
    if rbm.visible == "bernoulli" and n_visible < n_hidden:
        free_energy, n = rbm.free_energy, n_visible
    if n > ENUMERABLE:
        raise ValueError(
            f"log_partition sums over all states of the smaller side, and that of {n} units has "
            f"2**{n}; up to {ENUMERABLE} units are enumerated. Use ais() for an estimate")
    total = None
    for start in range(0, 2**n, BLOCK):
        numbers = range(start, min(start + BLOCK, 2**n))
        part = (-free_energy(states(rbm.weight, numbers, n))).logsumexp(0)
        total = part if total is None else total.logaddexp(part)
    return total


def states(like: Any, numbers: range, n: int) -> Any:
    """The last n binary digits of each number, lowest first, as a tensor `like` another."""
    powers = like.new_tensor([2.0**i for i in range(n)])
    return (like.new_tensor(list(numbers)).unsqueeze(1) / powers).floor() % 2


def ais(rbm: Any, chains: int = 100, betas: int | Sequence[float] = 1000, data: Any = None,
        generator: Any = None) -> tuple[float, float]:
    """Annealed importance sampling: log Z and its standard error.

    Chains of Gibbs steps lead from an RBM without weights, whose Z is known, to this one, through
    RBMs with weights β W, hidden biases β c and visible biases (1 - β) a₀ + β a; each step
    multiplies a chain's importance weight w by the ratio of unnormalised probabilities, and
    Z / Z₀ = E[w] (Neal, *Annealed importance sampling*, 2001; Salakhutdinov and Murray, *On the
    quantitative analysis of deep belief networks*, 2008). `betas` are the β from 0 to 1, or how
    many, evenly spaced; many pay more than many chains. a₀ is fitted to the rows of `data`, which
    the paper advises, or else is this machine's own a.

    The standard error of log Z is that of the mean of w, over that mean: it knows only of the
    chains that were run, and is too small where none of them found a mode that matters.

    Raises ValueError for fewer than two chains, or `betas` that do not rise from 0 to 1.
    """
    if isinstance(betas, int):
        steps = [i / max(betas - 1, 1) for i in range(betas)]
    else:
        steps = list(map(float, betas))
    if len(steps) < 2 or (steps[0], steps[-1]) != (0, 1) or any(a > b for a, b in pairwise(steps)):
        raise ValueError(f"betas must be at least two numbers that rise from 0 to 1, got {betas}")
    if chains < 2:
        raise ValueError(f"a standard error needs at least 2 chains, got {chains}")
    units, weight = rbm.units, rbm.weight.detach()
    end = rbm.visible_bias.detach()
    start = end if data is None else units.bias_of(data)

    def log_p(v: Any, x: Any, beta: float) -> Any:
        """The log of the unnormalised probability; `x` is what the hidden units receive."""
        visible = units.energy(v, start + beta * (end - start))
        return ((beta * x).logaddexp(x.new_zeros(())).sum(-1) - visible.sum(-1)).double()

    log_w: Any = 0.0
    v = units.sample(units.mean(start).expand(chains, len(start)), generator)
    for previous, beta in pairwise(steps):
        x = rbm.hidden_input(v).detach()
        log_w = log_w + log_p(v, x, beta) - log_p(v, x, previous)
        h = (beta * x).sigmoid().bernoulli(generator=generator)
        v = units.sample(units.mean(start + beta * (end - start) + beta * (h @ weight)), generator)
    log_z0 = units.log_normaliser(0 * start, start).sum().item() + len(weight) * math.log(2)
    most = log_w.max()
    w = (log_w - most).exp()
    error = (w.std() / w.mean()).item() / math.sqrt(chains)
    return log_z0 + most.item() + w.mean().log().item(), error
