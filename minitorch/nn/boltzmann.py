"""What a restricted Boltzmann machine computes, in tensor methods alone.

`Boltzmann` needs no engine's functions, only methods that tensors of both minitorch and PyTorch
have: ``class RBM(Boltzmann, torch.nn.Module)`` runs under either, and so they can be compared.

An RBM gives visible units v and hidden units h in {0, 1} the probability exp(-E(v, h)) / Z, with
E(v, h) = A(v) - c·h - h·W v, where c is the hidden bias and A belongs to the kind of visible unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minitorch.nn import partition


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), also where exp(x) overflows."""
    return x.logaddexp(x.new_zeros(()))


class Bernoulli:
    """Visible units in {0, 1}, or probabilities in [0, 1] standing for them: A(v) = -a·v."""

    @staticmethod
    def energy(v: Any, a: Any) -> Any:
        """A(v), unit by unit, for the bias `a`."""
        return -a * v

    @staticmethod
    def log_normaliser(y: Any, a: Any) -> Any:
        """The log of the sum over v of exp(v y - A(v)), unit by unit."""
        return softplus(a + y)

    @staticmethod
    def mean(x: Any) -> Any:
        """The mean of v where bias and hidden units together send `x`."""
        return x.sigmoid()

    @staticmethod
    def sample(mean: Any, generator: Any) -> Any:
        """v, drawn."""
        return mean.detach().bernoulli(generator=generator)

    @staticmethod
    def bias_of(data: Any) -> Any:
        """The bias at which units alone have the means of `data`, one half example added to each
        side: no unit is taken for certain."""
        on = data.sum(0) + 0.5
        return (on / (len(data) + 1 - on)).log()


class Gaussian:
    """Real visible units of variance 1 around their mean: A(v) = |v - a|² / 2."""

    @staticmethod
    def energy(v: Any, a: Any) -> Any:
        return (v - a) ** 2 / 2

    @staticmethod
    def log_normaliser(y: Any, a: Any) -> Any:
        return a * y + y ** 2 / 2 + math.log(2 * math.pi) / 2

    @staticmethod
    def mean(x: Any) -> Any:
        return x

    @staticmethod
    def sample(mean: Any, generator: Any) -> Any:
        return mean.detach() + mean.new_empty(mean.shape).normal_(generator=generator)

    @staticmethod
    def bias_of(data: Any) -> Any:
        return data.mean(0)


UNITS: dict[str, Any] = {"bernoulli": Bernoulli, "gaussian": Gaussian}


class Boltzmann:
    """Probabilities, samples and losses of an RBM; see `minitorch.nn.RBM`.

    Whoever inherits it sets ``weight`` (n_hidden, n_visible), ``visible_bias``, ``hidden_bias``
    and ``visible``, a key of `UNITS`.
    """

    weight: Any
    visible_bias: Any
    hidden_bias: Any
    visible: str

    @property
    def units(self) -> Any:
        """The kind of the visible units."""
        return UNITS[self.visible]

    # -- energies ------------------------------------------------------------------------------

    def hidden_input(self, v: Any) -> Any:
        """``v @ weight.T + hidden_bias``: the log odds of each hidden unit, given v."""
        return v @ self.weight.t() + self.hidden_bias

    def energy(self, v: Any, h: Any) -> Any:
        """E(v, h), one number for each pair of rows: (..., n_visible), (..., n_hidden) to (...)."""
        return (self.units.energy(v, self.visible_bias).sum(-1)
                - (h * self.hidden_input(v)).sum(-1))

    def free_energy(self, v: Any) -> Any:
        """F(v) with p(v) = exp(-F(v)) / Z: A(v) - Σ_j log(1 + exp(c_j + (W v)_j)).

        From (..., n_visible) to (...). Only differences mean something, unless Z is known.
        """
        hidden = softplus(self.hidden_input(v)).sum(-1)
        return self.units.energy(v, self.visible_bias).sum(-1) - hidden

    def hidden_free_energy(self, h: Any) -> Any:
        """The same for the hidden side: p(h) = exp(-G(h)) / Z, from (..., n_hidden) to (...)."""
        visible = self.units.log_normaliser(h @ self.weight, self.visible_bias).sum(-1)
        return -(h * self.hidden_bias).sum(-1) - visible

    # -- one side given the other --------------------------------------------------------------

    def hidden_mean(self, v: Any) -> Any:
        """p(h_j = 1 | v) = sigmoid(c_j + (W v)_j)."""
        return self.hidden_input(v).sigmoid()

    def visible_mean(self, h: Any) -> Any:
        """The mean of v given h: of a + h W the sigmoid (Bernoulli), or itself (Gaussian)."""
        return self.units.mean(h @ self.weight + self.visible_bias)

    def sample_hidden(self, v: Any, generator: Any = None) -> Any:
        """h drawn from p(h | v); no gradient flows through a sample."""
        return self.hidden_mean(v).detach().bernoulli(generator=generator)

    def sample_visible(self, h: Any, generator: Any = None) -> Any:
        """v drawn from p(v | h); no gradient flows through a sample."""
        return self.units.sample(self.visible_mean(h), generator)

    def gibbs(self, v: Any, k: int = 1, generator: Any = None) -> Any:
        """Where Markov chains from the rows of `v` are after k times drawing h, then v.

        As k grows they become samples from the model, wherever they began. Raises ValueError
        if k < 1.
        """
        if k < 1:
            raise ValueError(f"a Gibbs chain needs at least one step, got k={k}")
        for _ in range(k):
            v = self.sample_visible(self.sample_hidden(v, generator), generator)
        return v

    def reconstruct(self, v: Any) -> Any:
        """`v` seen through the hidden units: the mean of v given the hidden means. Not random."""
        return self.visible_mean(self.hidden_mean(v))

    # -- learning ------------------------------------------------------------------------------

    def contrastive_divergence(self, v: Any, k: int = 1, chains: Any = None,
                               generator: Any = None) -> Any:
        """A scalar whose gradient is CD-k's: mean F(v) - mean F(v⁻), v⁻ after k steps of Gibbs.

        As -∂F/∂W = p(h = 1 | v) vᵀ, its gradient by the weights is minus (positive phase minus
        negative phase), that of -log p(v) but for where v⁻ comes from (Hinton, *Training products
        of experts by minimizing contrastive divergence*, 2002). The value itself says little; to
        watch learning use `reconstruct`, or `log_likelihood` with `ais`.

        Chains start at `v`, or, for persistent CD (Tieleman, *Training restricted Boltzmann
        machines using approximations to the likelihood gradient*, 2008), at the rows of `chains`,
        of any number, which are moved on in place and given again at the next step.

        Raises ValueError if k < 1.
        """
        negative = self.gibbs(v if chains is None else chains, k, generator)
        if chains is not None:
            chains.copy_(negative)
        return self.free_energy(v).mean() - self.free_energy(negative).mean()

    def fit_visible_bias(self, data: Any) -> None:
        """Set the visible bias so that, without weights, units have the means of `data`'s rows.

        For Bernoulli units the log odds of (number on + 1/2) / (N + 1), for Gaussian ones the mean.
        """
        self.visible_bias.detach().copy_(self.units.bias_of(data))

    def sparsity(self, v: Any, target: float = 0.05) -> Any:
        """How far hidden units are from being on with probability `target`: add it to the loss.

        The cross entropy Σ_j -p log q_j - (1 - p) log(1 - q_j) between p = target and the means
        q_j of p(h_j = 1 | v) over the rows of `v` (Hinton, *A practical guide to training RBMs*,
        2010, section 11, which advises targets of 0.01 to 0.1 and a decaying average of q_j: here
        the batch stands for it). Lee, Ekanadham and Ng (2008) take (p - q_j)², whose gradient
        vanishes for units that are never on. Raises ValueError unless 0 < target < 1.
        """
        if not 0 < target < 1:
            raise ValueError(f"target is a probability between 0 and 1, got {target}")
        x = self.hidden_input(v).reshape(-1, len(self.hidden_bias))
        # log q and log(1 - q) from log sigmoid(±x): where float32 rounds q to 0 or 1, too
        on, off = (-softplus(-x)).logsumexp(0), (-softplus(x)).logsumexp(0)
        return math.log(len(x)) * len(self.hidden_bias) - (target * on + (1 - target) * off).sum()

    # -- how good it is ------------------------------------------------------------------------

    def log_partition(self) -> Any:
        """log Z, exactly, by summing over all states of the smaller side (with Gaussian units:
        of the hidden one); gradients flow.

        Raises ValueError if that side has more than 20 units; `ais` then estimates it.
        """
        return partition.log_partition(self)

    def log_likelihood(self, v: Any, log_z: Any = None) -> Any:
        """log p(v) = -F(v) - log Z, from (..., n_visible) to (...); in nats.

        Without `log_z`, `log_partition` gives it. For Gaussian units it is a log density.
        """
        return -self.free_energy(v) - (self.log_partition() if log_z is None else log_z)

    def ais(self, chains: int = 100, betas: int | Sequence[float] = 1000, data: Any = None,
            generator: Any = None) -> tuple[float, float]:
        """log Z and its standard error, by annealed importance sampling; see `partition.ais`."""
        return partition.ais(self, chains, betas, data, generator)
