"""The optimizers lab: both engines walk the same ways, and its claims come from its numbers."""

from __future__ import annotations

import copy
import inspect
import math

import numpy as np
import pytest

import minitorch
from minitorch.cli.recipes import load
from minitorch.labs import LABS, contest, optimizers, style
from minitorch.labs.contest import CONTESTANTS, SURFACES, walk
from minitorch.labs.networks import pick

ENGINES = minitorch, pytest.importorskip("torch")


def few():
    """The first images of the embedded digits: two batches an epoch."""
    return tuple((x.numpy()[:n], y.numpy()[:n])
                 for (x, y), n in zip(load(None, False, "cpu"), (200, 100)))


@pytest.fixture(scope="module")
def results():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimizers, "STEPS", 40)
        patch.setattr(optimizers, "GRID", [(-1.8, 2.8), (0.9, 1.0)])
        patch.setattr(optimizers, "RIDGE", [1e-2, 1e-3])
        yield [optimizers.run(engine, *few(), quick=True) for engine in ENGINES]


def test_both_engines_show_the_same(results):
    ours, theirs = results
    assert ours["summary"]["optimizer"] == [who.label for who in CONTESTANTS]
    for column in "rosenbrock", "saddle":  # 40 steps in double precision
        assert ours["summary"][column] == pytest.approx(theirs["summary"][column], rel=1e-6)
    for column in "x", "y":
        assert ours["walks"][column] == pytest.approx(theirs["walks"][column], abs=1e-6)
    assert ours["escape"] == theirs["escape"]
    lost = [[d is None for d in r["starts"]["distance"]] for r in results]
    assert lost[0] == lost[1] and any(lost[0])
    assert ours["tests"]["step"] == theirs["tests"]["step"]
    assert ours["tests"]["step"][:13] == list(range(13)), "before the first step and after each"
    for who in "SGD", "Adam":  # 12 steps in single precision
        a, b = (pick(r["tests"], "cost", optimizer=who) for r in results)
        assert a == pytest.approx(b, rel=1e-4) and a[-1] < a[0]


@pytest.mark.parametrize("who", CONTESTANTS, ids=lambda who: who.label)
def test_walks_side_by_side_are_walks_alone(who):
    starts = [(-1.2, 0.01), (0.5, -1.0), (1.0, 1e-5)]
    together = optimizers.several(minitorch, who, SURFACES[1], starts)[:20]
    assert len(together) == 20 or (who.label == "LBFGS" and len(together) > 3)
    for k, start in enumerate(starts):
        alone = np.array(walk(minitorch, who, SURFACES[1], len(together) - 1, start))
        np.testing.assert_array_equal(together[:, :, k], alone)


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 2)])
def test_rows_are_to_sparses(shape):
    g = np.random.default_rng(0).standard_normal(shape).astype("float32")
    g[1] = 0
    for torch in ENGINES:
        dense = torch.from_numpy(g)
        ours, theirs = contest.rows(torch, dense).coalesce(), dense.to_sparse(1)
        assert ours.shape == theirs.shape
        assert ours.indices().tolist() == theirs.indices().tolist()
        assert ours.values().tolist() == theirs.values().tolist()


def test_steps_left_and_rise_are_as_defined():
    x = 0.5 + 0.01 * np.arange(31)  # ends at 0.8, 0.2 from the minimum, at 0.01 a step
    assert optimizers.steps_left(np.stack([x, np.ones(31)], 1)) == pytest.approx(20)
    assert math.isfinite(optimizers.steps_left(np.zeros((31, 2))))
    path = np.array([[1.0, 0.0], [1.0, 0.02], [1.0, 0.02 + 0.98 * 200 * 0.0003]])
    # Gradients by y are 200 (y - x^2): rates of 0.02 / 200 and, next, of 0.0003.
    assert optimizers.rise(path) == pytest.approx(3)


def test_claims_come_from_the_numbers(results):
    result = copy.deepcopy(results[0])
    seen = dict(zip(result["claims"]["claim"], result["claims"]["seen"]))
    assert seen["momentum overshoots"] and optimizers.claims(result) == result["claims"]
    walks, summary = result["walks"], result["summary"]
    for i, (who, surface) in enumerate(zip(walks["optimizer"], walks["surface"])):
        if who == "SGD, momentum" and surface == "saddle":
            walks["x"][i] = -1.0
    summary["test_cost"] = [1.0 + (who == "Adam") for who in summary["optimizer"]]
    summary["rosenbrock"] = [0.5] * len(CONTESTANTS)
    result["starts"]["distance"] = [1.0] * len(result["starts"]["distance"])
    result["escape"]["steps"] = [9] * len(result["escape"]["steps"])
    turned = dict(zip(result["claims"]["claim"], optimizers.claims(result)["seen"]))
    for words in "overshoots", "LBFGS", "flies off", "hangs", "on the network", "best third", \
            "Rprop":
        assert [now for claim, now in turned.items() if words in claim] == [False], words


def test_every_picture_is_drawn_by_day_and_by_night(results, tmp_path):
    pytest.importorskip("matplotlib")
    names = []
    for picture in optimizers.draw(results[0]):
        names.append(picture.name)
        assert picture.caption and picture.alt
        if not picture.name.startswith("walks"):  # they take their time; one is drawn below
            picture.figure.savefig(tmp_path / "light.png", dpi=20)
    assert names == ["walks-rosenbrock", "walks-saddle", "descent", "saddle-escape",
                     "other-starts", "network-costs", "network-tests"]
    with style.dark():
        night = list(optimizers.draw(results[0]))
    assert [picture.name for picture in night] == names
    assert all(picture.figure.get_facecolor()[:3] != (1, 1, 1) for picture in night)
    night[0].figure.savefig(tmp_path / "dark.png", dpi=20)


def test_it_is_a_lab():
    assert "optimizers" in LABS and optimizers.QUESTION.endswith("?")
    assert all(len(inspect.getsource(function).splitlines()) < 30 for function in optimizers.CODE)
    assert {who.family for who in CONTESTANTS} <= set(style.COLOURS)
