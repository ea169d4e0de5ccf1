"""The lab on RBMs: both engines give its numbers, and what it claims of them holds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import minitorch
from minitorch import nn
from minitorch.labs import rbm as lab
from reference import data
from tests.nn.both import assert_same


@pytest.fixture
def little(monkeypatch):
    """Less work than quick: 300 images of 8x8 pixels, in double precision."""
    monkeypatch.setitem(lab.SETTINGS, True, {
        "images": 300, "n_hidden": 12, "epochs": 12, "size": 10, "betas": 40, "gibbs": 5,
        "tries": 1, "steps": (30, 30, 30)})
    for engine in (torch, minitorch):
        engine.set_default_dtype(engine.float64)
    yield data.load(dtype=np.float64)
    torch.set_default_dtype(torch.float32)


def test_both_engines_give_the_same_numbers_and_rbms_learn(little, tmp_path):
    said = []
    ours = lab.run(minitorch, little.train, little.test, quick=True, say=said.append)
    theirs = lab.run(torch, little.train, little.test, quick=True)
    for name in ours:  # to 1e-8: rounding of 1e-16, magnified by a few hundred steps
        for column in ours[name]:
            assert_same(*(np.array(result[name][column]) for result in (ours, theirs)), scale=100)
    assert len(said) == 2 + 2 * 3, "100 labels and all 300"
    errors = ours["learning"]["error"]
    assert errors[11] < 0.9 * errors[0]
    nothing, cd, _ = ours["likelihood"]["test"]
    assert cd > nothing
    assert ours["labels"]["labels"] == [100] * 3 + [300] * 3
    pytest.importorskip("matplotlib")
    lab.draw(ours, str(tmp_path / "rbm.png"))
    assert (tmp_path / "rbm.png").stat().st_size > 20_000


def test_the_likelihood_without_weights_is_that_of_independent_pixels():
    random = np.random.default_rng(0)
    binary = minitorch.from_numpy((random.random((50, 9)) < 0.3).astype("float64"))
    p = (binary.numpy().sum(0) + 0.5) / 51
    expected = np.where(binary.numpy(), np.log(p), np.log(1 - p)).sum(1).mean()
    minitorch.set_default_dtype(minitorch.float64)
    assert lab.independent(minitorch, binary, binary)["test"] == pytest.approx(expected, rel=1e-12)


def test_what_both_engines_build_is_what_the_package_offers():
    dbn = nn.DBN([5, 4, 3])
    x = minitorch.rand(7, 5)
    model, same = dbn.to_mlp(2), lab.network(minitorch, list(dbn.rbms), 2)
    assert repr(model) == repr(same)
    assert_same(model[:-1](x), same[:-1](x), exact=True)
    before = {k: v.clone() for k, v in same.state_dict().items()}
    lab.restart(minitorch, same, "Xavier's")
    assert all((before[k] != v).any() for k, v in same.state_dict().items() if "weight" in k)
    assert same[0].bias.abs().sum().item() == 0


def test_tiles_lie_in_rows():
    images = np.arange(6 * 4.0).reshape(6, 4)
    page = lab.tiles(images, 3)
    assert page.shape == (2 * 4, 3 * 4)
    np.testing.assert_array_equal(page[5:7, 9:11], images[5].reshape(2, 2))
    assert np.isnan(page[0]).all()
    np.testing.assert_array_equal(lab.tiles(images[:5], 3)[:, :8], page[:, :8])
