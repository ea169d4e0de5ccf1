"""What a Boltzmann machine's chains draw has the exact distribution, partition and gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import nn
from tests.nn.rbms import TOLERANCE, binary, close, drawn, exact_gradient, gradients, parts, points

ROWS = 20_000


def bars(rbm: nn.RBM) -> list[np.ndarray]:
    """Exact standard errors of the negative phase over so many independent samples."""
    every = binary(rbm.n_visible)
    p = rbm.log_likelihood(minitorch.tensor(every)).exp().detach().numpy()
    hidden = rbm.hidden_mean(minitorch.tensor(every)).detach().numpy()
    out = []
    for x in (np.einsum("nj,ni->nji", hidden, every), every, hidden):
        mean, square = np.tensordot(p, x, 1), np.tensordot(p, x * x, 1)
        out.append(np.sqrt((square - mean ** 2) / ROWS))
    return out


def test_cd_after_many_steps_is_the_exact_gradient_and_after_one_its_direction() -> None:
    rbm = drawn(4, 3, seed=3, scale=0.7)  # no state is so rare that its count were not normal
    few = points(rbm, 3, 4)
    v = minitorch.tensor(np.repeat(few, ROWS // 4, 0))
    exact = exact_gradient(rbm, few)
    generator = minitorch.Generator().manual_seed(0)
    far = gradients(rbm, rbm.contrastive_divergence(v, 40, generator=generator))
    for g, e, bar in zip(far, exact, bars(rbm)):
        # Of 19 entries one exceeds 4.5 standard errors by chance in 7,700 such tests.
        assert (np.abs(-g - e) < 4.5 * bar).all()
        assert (bar < 0.1 * np.abs(e).max()).all(), "the bars say something"
    near = gradients(rbm, rbm.contrastive_divergence(v, 1, generator=generator))
    flat, true = (np.concatenate([g.ravel() for g in gs]) for gs in (near, exact))
    cosine = -flat @ true / np.linalg.norm(flat) / np.linalg.norm(true)
    assert cosine > 0.7, "a direction that climbs"
    assert np.linalg.norm(flat + true) > 0.1 * np.linalg.norm(true), "but is not the gradient"


def test_persistent_chains_move_in_place_and_average_to_the_exact_gradient() -> None:
    rbm = drawn(4, 3, seed=5, scale=0.7)
    v = points(rbm, 5, 4)
    chains = minitorch.zeros(500, 4, dtype=minitorch.float64)
    exact, found = exact_gradient(rbm, v), []
    generator = minitorch.Generator().manual_seed(1)
    for step in range(140):
        before = chains.clone()
        loss = rbm.contrastive_divergence(minitorch.tensor(v), 1, chains, generator)
        assert (chains != before).any() and not chains.requires_grad
        if step >= 40:
            found.append(gradients(rbm, loss))
    for name, e in enumerate(exact):
        values = np.array([-gs[name] for gs in found])
        # Neighbours in time are alike: bars from ten means of ten steps each.
        means = values.reshape(10, 10, *e.shape).mean(1)
        bar = means.std(0, ddof=1) / math.sqrt(10)
        # Student's t with 9 degrees of freedom exceeds 7 once in 15,000.
        assert (np.abs(means.mean(0) - e) < 7 * bar).all()


# -- sampling --------------------------------------------------------------------------------------

def test_gibbs_steps_keep_the_models_distribution() -> None:
    rbm = drawn(3, 2, seed=2)
    every = binary(3)
    p = rbm.log_likelihood(minitorch.tensor(every)).exp().detach()
    generator = minitorch.Generator().manual_seed(2)
    start = minitorch.multinomial(p, ROWS, True, generator=generator).numpy()
    ends = rbm.gibbs(minitorch.tensor(every[start]), 2, generator).numpy()
    assert ((ends == 0) | (ends == 1)).all() and (ends != every[start]).any()
    count = np.bincount((ends @ [4, 2, 1]).astype(int), minlength=8) / ROWS
    bar = np.sqrt(p.numpy() * (1 - p.numpy()) / ROWS)
    assert (np.abs(count - p.numpy()) < 4.5 * bar).all()


def test_gaussian_gibbs_steps_keep_the_models_distribution() -> None:
    rbm = drawn(2, 2, "gaussian", 4)
    W, a, _ = parts(rbm)
    every = binary(2)
    p = (-rbm.hidden_free_energy(minitorch.tensor(every)) - rbm.log_partition()).exp().detach()
    generator = minitorch.Generator().manual_seed(4)
    h = every[minitorch.multinomial(p, ROWS, True, generator=generator).numpy()]
    v = rbm.gibbs(rbm.sample_visible(minitorch.tensor(h), generator), 2, generator).numpy()
    means = a + every @ W
    mean = p.numpy() @ means
    second = np.eye(2) + np.einsum("k,ki,kj->ij", p.numpy(), means, means)
    assert (np.abs(v.mean(0) - mean) < 4.5 * v.std(0) / math.sqrt(ROWS)).all()
    products = np.einsum("ni,nj->nij", v, v)
    assert (np.abs(products.mean(0) - second) < 4.5 * products.std(0) / math.sqrt(ROWS)).all()


# -- annealed importance sampling ------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("fitted", [False, True])
def test_ais_agrees_with_enumeration_and_knows_its_error(kind: str, fitted: bool) -> None:
    errors, bar = [], []
    for seed in range(25):
        rbm = drawn(6, 5, kind, seed % 5, 0.6)
        data = minitorch.tensor(points(rbm, seed, 20)) if fitted else None
        generator = minitorch.Generator().manual_seed(seed)
        log_z, error = rbm.ais(200, 20, data, generator)
        errors.append(log_z - rbm.log_partition().item())
        bar.append(error)
    z = np.array(errors) / bar
    # Of 25 standard normal numbers, the root mean square is in [0.6, 1.5] in all but one of
    # 2,000 cases, and the largest below 4.5; beyond, the bars or the estimates are wrong.
    assert np.abs(z).max() < 4.5 and 0.6 < np.sqrt((z * z).mean()) < 1.5
    assert max(bar) < 0.3, "the bars say something"


def test_ais_without_weights_is_exact() -> None:
    rbm = drawn(5, 4, scale=1)
    rbm.weight.data.zero_()
    rbm.hidden_bias.data.zero_()
    log_z, error = rbm.ais(10, [0, 0.5, 1])
    assert log_z == close(rbm.log_partition().item(), **TOLERANCE) and error < 1e-12


@pytest.mark.parametrize("betas", [1, 0, [0.0, 0.5], [0.1, 1.0], [0, 0.6, 0.5, 1], []])
def test_ais_refuses_a_path_that_does_not_lead_there(betas: Any) -> None:
    with pytest.raises(ValueError, match="rise from 0 to 1"):
        nn.RBM(3, 2).ais(10, betas)
    with pytest.raises(ValueError, match="at least 2 chains"):
        nn.RBM(3, 2).ais(1)


# -- learning --------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [{"k": 1}, {"k": 5}, {"chains": True}])
def test_learning_brings_the_likelihood_near_its_bound(options: dict[str, Any]) -> None:
    """Four patterns of six units: from -6 log 2 = -4.16 towards -log 4 = -1.39, the best of all."""
    v = minitorch.tensor([[1., 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0],
                          [0, 1, 0, 1, 0, 1]]).repeat(5, 1)
    minitorch.manual_seed(1)
    rbm = nn.RBM(6, 8)
    optimizer = minitorch.optim.SGD(rbm.parameters(), lr=0.2, momentum=0.5)
    chains = minitorch.rand(200, 6).bernoulli() if options.get("chains") else None
    before = rbm.log_likelihood(v).mean().item()
    for _ in range(200):
        optimizer.zero_grad()
        rbm.contrastive_divergence(v, options.get("k", 1), chains).backward()
        optimizer.step()
    after = rbm.log_likelihood(v).mean().item()
    assert before == pytest.approx(-6 * math.log(2), rel=0.01)
    assert -2.5 < after < -math.log(4)
