"""Restricted Boltzmann machines are what their definition says, added up state by state."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import nn
from minitorch.labs.machines import machine
from minitorch.nn import partition
from minitorch.testing import check_grad
from tests.nn.both import assert_agree, assert_same
from tests.standin import gpu

kinds = st.sampled_from(["bernoulli", "gaussian"])
sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)
# Sums of a few dozen float64 terms of moderate size.
close = pytest.approx
TOLERANCE = {"rel": 1e-11, "abs": 1e-11}


def binary(n: int) -> np.ndarray:
    """All states of n units."""
    return np.array(list(product([0.0, 1.0], repeat=n)))


def drawn(n_visible: int, n_hidden: int, kind: str = "bernoulli", seed: int = 0,
          scale: float = 1.0) -> nn.RBM:
    """An RBM in float64 with parameters that matter."""
    random = np.random.default_rng(seed)
    rbm = nn.RBM(n_visible, n_hidden, kind, dtype=minitorch.float64)
    for p in rbm.parameters():
        p.data.copy_(minitorch.from_numpy(random.normal(size=p.shape) * scale))
    return rbm


def parts(rbm: nn.RBM) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (rbm.weight.detach().numpy(), rbm.visible_bias.detach().numpy(),
            rbm.hidden_bias.detach().numpy())


def energies(rbm: nn.RBM, v: np.ndarray, h: np.ndarray) -> np.ndarray:
    """E(v, h) for every pair of rows, (N, M), term by term as it is defined."""
    W, a, c = parts(rbm)
    bias = -v @ a if rbm.visible == "bernoulli" else ((v - a) ** 2).sum(1) / 2
    return bias[:, None] - (h @ c)[None] - np.einsum("mj,ji,ni->nm", h, W, v)


def points(rbm: nn.RBM, seed: int, n: int = 5) -> np.ndarray:
    random = np.random.default_rng(seed + 1)
    if rbm.visible == "gaussian":
        return random.normal(size=(n, rbm.n_visible))
    return random.integers(0, 2, (n, rbm.n_visible)).astype(float)


def log_sum(x: np.ndarray, axis: Any = None) -> np.ndarray:
    return np.logaddexp.reduce(x.ravel() if axis is None else x, 0 if axis is None else axis)


# -- the definition --------------------------------------------------------------------------------

@given(kind=kinds, n=sizes, m=sizes, seed=seeds)
def test_free_energy_sums_the_hidden_states_out(kind: str, n: int, m: int, seed: int) -> None:
    rbm = drawn(n, m, kind, seed)
    v, h = points(rbm, seed), binary(m)
    expected = -log_sum(-energies(rbm, v, h), 1)
    assert rbm.free_energy(minitorch.tensor(v)).tolist() == close(expected, **TOLERANCE)
    pairs = rbm.energy(minitorch.tensor(v).unsqueeze(1), minitorch.tensor(h))
    np.testing.assert_allclose(pairs.detach().numpy(), energies(rbm, v, h), 1e-11, 1e-11)


@given(n=sizes, m=sizes, seed=seeds)
def test_hidden_free_energy_sums_the_visible_states_out(n: int, m: int, seed: int) -> None:
    rbm = drawn(n, m, seed=seed)
    expected = -log_sum(-energies(rbm, binary(n), binary(m)), 0)
    found = rbm.hidden_free_energy(minitorch.tensor(binary(m)))
    assert found.tolist() == close(expected, **TOLERANCE)


@given(m=sizes, seed=seeds)
def test_hidden_free_energy_integrates_gaussian_units_out(m: int, seed: int) -> None:
    rbm = drawn(1, m, "gaussian", seed)
    v = np.linspace(-40, 40, 4001)[:, None]  # the trapezoid rule is exact for smooth bells
    expected = -log_sum(-energies(rbm, v, binary(m)), 0) - math.log(0.02)
    found = rbm.hidden_free_energy(minitorch.tensor(binary(m)))
    assert found.tolist() == close(expected, **TOLERANCE)
    density = rbm.log_likelihood(minitorch.tensor(v)).exp().sum().item() * 0.02
    assert density == close(1, **TOLERANCE)


@given(kind=kinds, n=sizes, m=sizes, seed=seeds)
def test_means_are_those_of_the_states(kind: str, n: int, m: int, seed: int) -> None:
    rbm = drawn(n, m, kind, seed)
    v, h = points(rbm, seed), binary(m)
    p = np.exp(-energies(rbm, v, h))
    expected = p @ h / p.sum(1, keepdims=True)
    found = rbm.hidden_mean(minitorch.tensor(v))
    np.testing.assert_allclose(found.detach().numpy(), expected, 1e-11)
    assert_same(rbm(minitorch.tensor(v)), found, exact=True)
    W, a, _ = parts(rbm)
    if kind == "bernoulli":
        p = np.exp(-energies(rbm, binary(n), h))
        expected = p.T @ binary(n) / p.sum(0)[:, None]
    else:
        expected = a + h @ W
    found = rbm.visible_mean(minitorch.tensor(h)).detach().numpy()
    np.testing.assert_allclose(found, expected, 1e-11, 1e-11)
    twice = rbm.visible_mean(rbm.hidden_mean(minitorch.tensor(v)))
    assert_same(rbm.reconstruct(minitorch.tensor(v)), twice, exact=True)


@given(n=st.integers(1, 6), m=st.integers(1, 6), seed=seeds, block=st.sampled_from([1, 3, 8, 999]))
def test_log_partition_is_the_sum_over_all_states(n: int, m: int, seed: int, block: int) -> None:
    rbm = drawn(n, m, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "BLOCK", block)
        found = rbm.log_partition().item()
    assert found == close(log_sum(-energies(rbm, binary(n), binary(m))), **TOLERANCE)
    p = rbm.log_likelihood(minitorch.tensor(binary(n))).exp()
    assert p.sum().item() == close(1, **TOLERANCE)


def test_what_cannot_be_enumerated_is_refused() -> None:
    assert nn.RBM(21, 3).log_partition().item() == pytest.approx(24 * math.log(2), rel=0.01)
    for rbm in (nn.RBM(21, 22), nn.RBM(3, 21, "gaussian")):
        with pytest.raises(ValueError, match=r"that of 21 units.*ais"):
            rbm.log_partition()


# -- gradients -------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_gradients_are_those_of_the_values(kind: str) -> None:
    rbm = drawn(4, 3, kind, 7)
    v = minitorch.tensor(points(rbm, 7), requires_grad=True)
    named = list(rbm.parameters())
    assert check_grad(rbm.free_energy, v, parameters=named).ok
    assert check_grad(rbm.log_likelihood, v, parameters=named).ok
    assert check_grad(lambda v: rbm.sparsity(v, 0.1), v, parameters=named[::2]).ok


def phases(rbm: nn.RBM, v: np.ndarray, weights: np.ndarray | None = None) -> list[np.ndarray]:
    """Weighted means over the rows of v of what multiplies W, a and c: hᵀv, v, h."""
    hidden = rbm.hidden_mean(minitorch.tensor(v)).detach().numpy()
    w = np.full(len(v), 1 / len(v)) if weights is None else weights
    _, a, _ = parts(rbm)
    return [np.einsum("n,nj,ni->ji", w, hidden, v),
            w @ (v if rbm.visible == "bernoulli" else v - a), w @ hidden]


def exact_gradient(rbm: nn.RBM, v: np.ndarray) -> list[np.ndarray]:
    """Of the mean log-likelihood: positive minus negative phase, over all states."""
    every = binary(rbm.n_visible)
    p = rbm.log_likelihood(minitorch.tensor(every)).exp().detach().numpy()
    return [x - y for x, y in zip(phases(rbm, v), phases(rbm, every, p))]


def gradients(rbm: nn.RBM, loss: Any) -> list[np.ndarray]:
    rbm.zero_grad()
    loss.backward()
    return [p.grad.numpy().copy() for p in (rbm.weight, rbm.visible_bias, rbm.hidden_bias)]


@given(n=sizes, m=sizes, seed=seeds)
def test_likelihood_has_the_gradient_of_two_phases(n: int, m: int, seed: int) -> None:
    rbm = drawn(n, m, seed=seed)
    v = points(rbm, seed)
    found = gradients(rbm, rbm.log_likelihood(minitorch.tensor(v)).mean())
    for g, expected in zip(found, exact_gradient(rbm, v)):
        np.testing.assert_allclose(g, expected, 1e-10, 1e-10)


@given(kind=kinds, n=sizes, m=sizes, seed=seeds, k=st.integers(1, 3))
def test_contrastive_divergence_takes_its_negative_phase_from_the_chain(
        kind: str, n: int, m: int, seed: int, k: int) -> None:
    rbm = drawn(n, m, kind, seed)
    v = points(rbm, seed)
    generator = minitorch.Generator().manual_seed(seed)
    chain = minitorch.tensor(v)
    for _ in range(k):
        h = rbm.hidden_mean(chain).detach().bernoulli(generator=generator)
        mean = rbm.visible_mean(h).detach()
        chain = (mean.bernoulli(generator=generator) if kind == "bernoulli"
                 else mean + minitorch.randn(mean.shape, generator=generator, dtype=mean.dtype))
    again = minitorch.Generator().manual_seed(seed)
    assert_same(rbm.gibbs(minitorch.tensor(v), k, again), chain, exact=True)
    again.manual_seed(seed)
    found = gradients(rbm, rbm.contrastive_divergence(minitorch.tensor(v), k, generator=again))
    expected = [y - x for x, y in zip(phases(rbm, v), phases(rbm, chain.numpy()))]
    for g, e in zip(found, expected):
        np.testing.assert_allclose(g, e, 1e-10, 1e-10)


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


@given(n=sizes, m=sizes, seed=seeds, target=st.floats(0.01, 0.99))
def test_sparsity_pulls_by_the_difference_from_the_target(
        n: int, m: int, seed: int, target: float) -> None:
    rbm = drawn(n, m, seed=seed)
    v = points(rbm, seed)
    q = rbm.hidden_mean(minitorch.tensor(v)).detach().numpy().mean(0)
    expected = -(target * np.log(q) + (1 - target) * np.log(1 - q)).sum()
    assert rbm.sparsity(minitorch.tensor(v), target).item() == close(expected, **TOLERANCE)
    row = v[:1].repeat(5, 0)  # where all rows agree the gradient by the bias is q - p
    q = rbm.hidden_mean(minitorch.tensor(v[:1])).detach().numpy()[0]
    rbm.zero_grad()
    rbm.sparsity(minitorch.tensor(row), target).backward()
    np.testing.assert_allclose(rbm.hidden_bias.grad.numpy(), q - target, 1e-9, 1e-12)


def test_sparsity_reaches_units_that_float32_takes_for_certain() -> None:
    rbm = nn.RBM(2, 2)
    rbm.hidden_bias.data.copy_(minitorch.tensor([-200.0, 200.0]))
    rbm.sparsity(minitorch.zeros(3, 2), 0.1).backward()
    # Logarithms near 200 are rounded to 2e-5, and so the shares that are their exponentials.
    assert rbm.hidden_bias.grad.tolist() == pytest.approx([-0.1, 0.9], rel=5e-5)
    for target in (0, 1, -0.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            rbm.sparsity(minitorch.zeros(3, 2), target)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_a_fitted_bias_gives_the_means_of_the_data(kind: str) -> None:
    rbm = nn.RBM(3, 2, kind)
    data = minitorch.tensor([[0.0, 1, 0], [0, 1, 1], [0, 1, 1]])
    rbm.fit_visible_bias(data)
    mean = rbm.visible_mean(minitorch.zeros(2)) + 0 * rbm.weight.sum()
    expected = [0.125, 0.875, 0.625] if kind == "bernoulli" else [0, 1, 2 / 3]
    assert mean.tolist() == pytest.approx(expected, rel=1e-6)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="bernoulli, gaussian, got 'relu'"):
        nn.RBM(3, 2, "relu")
    with pytest.raises(ValueError, match="n_visible=0"):
        nn.RBM(0, 2)
    rbm = nn.RBM(3, 2)
    for call in (rbm.gibbs, rbm.contrastive_divergence):
        with pytest.raises(ValueError, match="k=0"):
            call(minitorch.zeros(1, 3), 0)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        rbm.free_energy(minitorch.zeros(2, 4))
    with pytest.raises(ValueError, match="at least two sizes"):
        nn.DBN([3])


# -- the same under PyTorch ------------------------------------------------------------------------

@given(kind=kinds, n=st.integers(1, 20), m=st.integers(1, 20), rows=sizes, seed=seeds)
def test_pytorch_draws_and_computes_the_same(kind: str, n: int, m: int, rows: int,
                                             seed: int) -> None:
    """The class under PyTorch's Module, under ours, and nn.RBM."""
    def program(engine: Any) -> Any:
        engine.set_default_dtype(engine.float64)
        try:
            engine.manual_seed(seed)
            rbm = machine(engine, n, m, kind)
            v = engine.rand(rows, n)
            loss = rbm.contrastive_divergence(v, 2) + rbm.sparsity(v)
            loss.backward()
            ais = rbm.ais(3, 4, v)
            return [dict(rbm.state_dict()), loss, [p.grad for p in rbm.parameters()],
                    rbm.reconstruct(v), rbm.gibbs(v, 2), [engine.tensor(x) for x in ais]]
        finally:
            engine.set_default_dtype(engine.float32)

    ours = assert_agree(program)
    minitorch.manual_seed(seed)
    minitorch.set_default_dtype(minitorch.float64)
    assert_same(dict(nn.RBM(n, m, kind).state_dict()), ours[0], exact=True)
    theirs = machine(torch, n, m, kind)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in ours[0].items()})


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_learning_and_sampling_stay_on_the_device(kind: str) -> None:
    """One step of CD, of persistent CD, and a pre-trained DBN, there and here."""
    def program(device: str) -> list[Any]:
        minitorch.manual_seed(6)
        v = minitorch.rand(8, 6, device=device)
        rbm = nn.RBM(6, 4, kind, device=device)
        rbm.fit_visible_bias(v)
        optimizer = minitorch.optim.SGD(rbm.parameters(), lr=0.1, momentum=0.5)
        for chains in None, v[:5].clone():
            optimizer.zero_grad()
            (rbm.contrastive_divergence(v, 2, chains) + rbm.sparsity(v)).backward()
            optimizer.step()
        dbn = nn.DBN([6, 5, 4], kind, device=device)
        errors = dbn.pretrain([v], rates, epochs=2, persistent=True)
        values = [*rbm.parameters(), rbm.log_likelihood(v), rbm.gibbs(v, 3), rbm.reconstruct(v),
                  dbn.sample(3, 4), dbn.to_mlp(2)(v)]
        assert {value.device.type for value in values} == {device}
        return [*(value.detach().cpu().numpy() for value in values), rbm.ais(4, 5, v), errors]

    here = program("cpu")
    with gpu():
        there = program("cuda")
    for a, b in zip(here, there):
        np.testing.assert_array_equal(a, b)


# -- deep belief networks --------------------------------------------------------------------------

def rates(parameters: Any) -> Any:
    return minitorch.optim.SGD(parameters, lr=0.1, momentum=0.5)


def test_pretraining_is_greedy_and_layer_by_layer() -> None:
    minitorch.manual_seed(3)
    dbn = nn.DBN([6, 5, 4], "gaussian")
    assert [rbm.visible for rbm in dbn.rbms] == ["gaussian", "bernoulli"]
    batches = [(minitorch.rand(8, 6), None), (minitorch.rand(4, 6), None)]
    minitorch.manual_seed(4)
    hand = nn.DBN([6, 5, 4], "gaussian")
    hand.load_state_dict(dbn.state_dict())
    minitorch.manual_seed(5)
    errors = dbn.pretrain(batches, rates, epochs=2, k=3)
    assert [len(row) for row in errors] == [2, 2]
    minitorch.manual_seed(5)
    for depth, rbm in enumerate(hand.rbms):
        optimizer = rates(rbm.parameters())
        for _ in range(2):
            for x, _ in batches:
                v = hand.rbms[0](x).detach() if depth else x
                optimizer.zero_grad()
                rbm.contrastive_divergence(v, 3).backward()
                optimizer.step()
    assert_same(dict(dbn.state_dict()), dict(hand.state_dict()), exact=True)
    minitorch.manual_seed(5)
    nn.DBN([6, 5, 4], "gaussian").pretrain([x for x, _ in batches], rates, 1, persistent=True)


def test_a_network_begins_where_the_dbn_ended_and_goes_its_own_way() -> None:
    dbn = nn.DBN([6, 5, 4], dtype=minitorch.float64)
    model = dbn.to_mlp(3)
    x = minitorch.rand(7, 6, dtype=minitorch.float64)
    assert_same(model[:-1](x), dbn(x))
    before = {k: v.clone() for k, v in dbn.state_dict().items()}
    optimizer = minitorch.optim.SGD(model.parameters(), lr=1.0)
    nn.CrossEntropyLoss()(model(x), minitorch.zeros(7, dtype=minitorch.int64)).backward()
    optimizer.step()
    assert all(p.grad is None for p in dbn.parameters())
    assert_same(dict(dbn.state_dict()), before, exact=True)
    assert (model[:-1](x) != dbn(x)).any()


def test_a_dbn_dreams_what_it_was_shown() -> None:
    v = minitorch.tensor([[1.0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]).repeat(5, 1)
    minitorch.manual_seed(0)
    dbn = nn.DBN([6, 8, 4])
    dbn.pretrain([v], lambda p: minitorch.optim.SGD(p, lr=1.0, momentum=0.5), epochs=100)
    dreams = dbn.sample(200, 30)
    assert dreams.shape == (200, 6) and not dreams.requires_grad
    seen = ((dreams > 0.5).unsqueeze(1) == (v[:2] > 0.5)).all(-1)
    assert seen.any(1).float().mean().item() > 0.8
    assert (seen.float().mean(0) > 0.2).all(), "both of them"


@pytest.mark.parametrize("batches", [[], iter([minitorch.zeros(2, 6)])])
def test_nothing_to_learn_from_is_an_error(batches: Any) -> None:
    dbn = nn.DBN([6, 4])
    before = {k: v.clone() for k, v in dbn.state_dict().items()}
    with pytest.raises(ValueError, match="`batches`"):
        dbn.pretrain(batches, rates)
    assert_same(dict(dbn.state_dict()), before, exact=True)
