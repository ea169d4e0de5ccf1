"""Deep belief networks: machines trained one on the other, and all of it on the device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import nn
from tests.nn.both import assert_same
from tests.standin import gpu


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
