"""Restricted Boltzmann machines are what their definition says, added up state by state."""

from __future__ import annotations

import math
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
from tests.nn.rbms import (
    TOLERANCE,
    binary,
    close,
    drawn,
    energies,
    exact_gradient,
    gradients,
    kinds,
    log_sum,
    parts,
    phases,
    points,
    seeds,
    sizes,
)

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
