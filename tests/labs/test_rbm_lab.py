"""The lab on RBMs: both engines give its numbers, and what it claims of them holds."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from itertools import product

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.cli.recipes import load
from minitorch.labs import machines, rbm_claims, rbm_exact, rbm_plot, style
from minitorch.labs import rbm as lab
from minitorch.labs.networks import pick

LITTLE = {"n_hidden": 12, "epochs": 4, "size": 30, "lr": 0.3, "betas": 20, "gibbs": 5, "few": 90,
          "exact": (3, 5), "tried": (5, 50), "rate": 0.01, "tries": 1,
          "steps": {100: 10, 60_000: 10}, "bars": 10}


@pytest.fixture(scope="module")
def run():
    """The lab under an engine with less work than quick: 300 images, in double precision."""
    data = [(x.numpy()[:n].astype(np.float64), y.numpy()[:n])
            for (x, y), n in zip(load(None, False, "cpu"), (300, 100))]

    def run(torch):
        torch.set_default_dtype(torch.float64)
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(lab.SETTINGS, True, LITTLE)
                return lab.run(torch, *data, quick=True)
        finally:
            torch.set_default_dtype(torch.float32)
    return run


@pytest.fixture(scope="module")
def result(run):
    return run(minitorch)


def test_both_engines_give_the_same_numbers(run, result):
    theirs = run(pytest.importorskip("torch"))
    assert list(theirs) == list(result)
    for name in set(result) - {"claims"}:
        for column, values in result[name].items():
            if isinstance(values[0], float):
                # Rounding of 1e-16, magnified by a few hundred steps; biases fall to rounding.
                assert values == pytest.approx(theirs[name][column], rel=1e-6, abs=1e-9)
            else:
                assert values == theirs[name][column]


def test_all_tables_are_tables_and_small(result):
    for columns in result.values():
        assert len({len(values) for values in columns.values()}) == 1
    assert len(json.dumps(result)) < 100_000
    assert lab.QUESTION.endswith("?") and all(map(callable, lab.CODE))
    errors = pick(result["learning"], "error", model="CD-1")
    assert errors[-1] < errors[0]


def test_claims_and_summary_are_computed_from_the_tables(result):
    seen = dict(zip(result["claims"]["claim"], result["claims"]["seen"]))
    assert all(isinstance(value, bool) for value in seen.values())
    other = copy.deepcopy(result)
    other["likelihood"]["test"] = other["likelihood"]["test"][::-1]
    other["ais"]["estimate"] = [9.0 + x for x in other["ais"]["exact"]]
    other["gradient"]["cosine"] = [-x for x in other["gradient"]["cosine"]]
    other["gradient"]["bias"] = other["gradient"]["bias"][::-1]
    other["activity"]["on"] = [0.5] * len(other["activity"]["on"])
    other["labels"]["accuracy"] = [float(start == "xavier") for start in other["labels"]["start"]]
    flipped = dict(zip(*list(rbm_claims.claims(other).values())[:2]))
    assert flipped.keys() == seen.keys()
    assert not any(value for claim, value in flipped.items() if "Gauss" not in claim
                   and "persistent" not in claim)
    assert sum(seen.values()) > sum(flipped.values()) + 4
    assert result["summary"] == rbm_claims.summary(result) != rbm_claims.summary(other)


@pytest.mark.parametrize("paper", [contextlib.nullcontext, style.dark])
def test_all_pictures_draw_on_both_papers(result, paper):
    pytest.importorskip("matplotlib")
    with paper():
        shown = list(lab.draw(result))
    assert len({picture.name for picture in shown}) == len(shown) == 7
    for picture in shown:
        assert picture.caption.endswith(".") and picture.alt.endswith(".")
    shown[0].figure.savefig(out := io.BytesIO(), format="png", dpi=50)
    assert out.getvalue()[:4] == b"\x89PNG"


def test_the_likelihood_without_weights_is_that_of_independent_pixels():
    random = np.random.default_rng(0)
    binary = minitorch.from_numpy((random.random((50, 9)) < 0.3).astype("float64"))
    p = (binary.numpy().sum(0) + 0.5) / 51
    expected = np.where(binary.numpy(), np.log(p), np.log(1 - p)).sum(1).mean()
    minitorch.set_default_dtype(minitorch.float64)
    found = lab.alone(minitorch, binary, binary)
    assert found["test"] == found["train"] == pytest.approx(expected, rel=1e-12)


def test_the_chance_after_k_steps_is_that_of_all_paths():
    """A machine of 2 by 1 units, its two Gibbs steps written out over all states between."""
    minitorch.manual_seed(4)
    rbm = machines.machine(minitorch, 2, 1).double()
    for p in rbm.parameters():
        p.data.normal_()
    v, h = np.array(list(product([0.0, 1.0], repeat=2))), np.array([[0.0], [1.0]])
    energy = rbm.energy(minitorch.tensor(v).unsqueeze(1), minitorch.tensor(h)).detach().numpy()
    joint = np.exp(-energy)
    up, down = joint / joint.sum(1, keepdims=True), (joint / joint.sum(0)).T
    start = minitorch.tensor(v[[1, 3]])
    found = dict(rbm_exact.chained(rbm, start))
    free = rbm.free_energy(minitorch.tensor(v)).detach().numpy()
    once = up @ down
    assert found[1].item() == pytest.approx((once[[1, 3]].mean(0) * free).sum(), rel=1e-12)
    assert found[2].item() == pytest.approx(((once @ once)[[1, 3]].mean(0) * free).sum(), rel=1e-12)


def test_bars_are_those_that_mackay_counts():
    found = rbm_exact.bars()
    assert len(found) == 2 ** 3 + 2 ** 3 - 2  # none and all are both
    for image in found.reshape(-1, 3, 3):
        assert (image == image[:1]).all() or (image == image[:, :1]).all()


def test_what_both_engines_build_is_what_the_package_offers():
    dbn = nn.DBN([5, 4, 3])
    x = minitorch.rand(7, 5)
    model, same = dbn.to_mlp(2), machines.network(minitorch, list(dbn.rbms), 2)
    assert repr(model) == repr(same)
    assert (model[:-1](x) == same[:-1](x)).all()
    before = {k: v.clone() for k, v in same.state_dict().items()}
    lab.restart(minitorch, same, "xavier")
    assert all((before[k] != v).any() for k, v in same.state_dict().items() if "weight" in k)
    assert same[0].bias.abs().sum().item() == 0


def test_images_come_back_from_their_texts():
    images = np.random.default_rng(0).random((3, 4)) * 2 - 1
    back = machines.unpacked(machines.packed(images, -1, 1)) * 2 - 1
    assert abs(back - images).max() <= 1 / 255 + 1e-12
    assert machines.unpacked(machines.packed([[-5.0, 5.0]])).tolist() == [[0, 1]]


def test_nearest_images_are_found():
    assert rbm_plot.nearest(np.array([[0.0, 0.0], [0.0, 1.0], [4.0, 1.0]])) == (0.5 + 0.5 + 8) / 3


def test_tiles_lie_in_rows():
    images = np.arange(6 * 4.0).reshape(6, 4)
    page = rbm_plot.tiles(images, 3)
    assert page.shape == (2 * 4, 3 * 4)
    np.testing.assert_array_equal(page[5:7, 9:11], images[5].reshape(2, 2))
    assert np.isnan(page[0]).all()
    np.testing.assert_array_equal(rbm_plot.tiles(images[:5], 3)[:, :8], page[:, :8])
