"""The overfitting lab: its parts against their definitions, its numbers against PyTorch's."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

import minitorch
from minitorch.cli.recipes import load
from minitorch.labs import LABS, overfitting, style
from minitorch.labs.moons import GRID, METHODS, boundaries, length, moons, with_dropout
from minitorch.labs.networks import perceptron, pick
from minitorch.labs.overfitting_claims import claims


def tiny(torch):
    train, test = (tuple(part.numpy() for part in split) for split in load(None, False, "cpu"))
    return overfitting.Setting(torch, tuple(a[:400] for a in train), tuple(a[:100] for a in test),
                               few=100, more=200, width=32, epochs=10, all_epochs=2,
                               moons_epochs=4, seeds=2, seed=777, tick=lambda what: None)


@pytest.fixture(scope="module")
def result():
    return overfitting.experiments(tiny(minitorch))


def test_the_lab_is_listed():
    assert "overfitting" in LABS
    assert overfitting.QUESTION.endswith("?") and 1 <= len(overfitting.CODE) <= 3


def test_coarser_images_are_means_of_two_by_two():
    images = np.random.RandomState(0).rand(3, 64).astype(np.float32)
    found = overfitting.coarser(images)
    assert found.shape == (3, 16) and found.dtype == np.float32
    for n, i, j in (0, 0, 0), (1, 2, 3), (2, 3, 0):
        expected = images[n].reshape(8, 8)[2 * i:2 * i + 2, 2 * j:2 * j + 2].mean()
        assert found[n, 4 * i + j] == pytest.approx(expected, rel=1e-6)


def test_moons_are_two_half_circles_some_mislabelled():
    x, y = moons(4000, 0.1, 3)
    truth = np.arange(4000) % 2
    # 4,000 draws with probability 0.1 have a standard deviation of 19.
    assert abs((y != truth).sum() - 400) < 100
    centre = np.where(truth[:, None] == 0, [[0, 0]], [[1, 0.5]])
    radius = np.hypot(*(x - centre).T)
    # Noise of 0.2 along the radius, and its part across it adds 0.02 on average.
    assert radius.mean() == pytest.approx(1.02, abs=0.02) and radius.std() < 0.25
    assert (moons(50, 0.0, 3)[1] == np.arange(50) % 2).all()


def test_the_length_of_a_straight_boundary_is_its_length():
    x, y = np.meshgrid(*GRID)
    assert length(x > 0.3) == pytest.approx(len(GRID[1]) * (GRID[1][1] - GRID[1][0]))
    assert length(y > 0.3) == pytest.approx(len(GRID[0]) * (GRID[0][1] - GRID[0][0]))
    assert length(y > 9) == 0


def test_dropout_comes_behind_every_relu():
    plain = perceptron(minitorch, [4, 3, 3, 2], "relu", "xavier")
    model = with_dropout(minitorch, plain, lambda: minitorch.nn.Dropout(0.3))
    assert [type(m).__name__ for m in model.children()] == [
        "Linear", "ReLU", "Dropout"] * 2 + ["Linear"]
    assert [p is q for p, q in zip(model.parameters(), plain.parameters())] == [True] * 6
    assert len(list(with_dropout(minitorch, plain, None).children())) == 5


@pytest.mark.parametrize("engine", ["minitorch", "torch"])
def test_unscaled_dropout_is_dropout_times_what_is_kept(engine):
    torch = pytest.importorskip(engine)
    x = torch.from_numpy(np.random.RandomState(1).rand(50, 40))
    dropped = {}
    for make in torch.nn.Dropout, lambda p: overfitting.unscaled(torch, p):
        torch.manual_seed(5)
        module = make(0.3)
        dropped[make] = module(x).numpy()
        assert (module.eval()(x).numpy() == x.numpy()).all()
    inverted, unscaled = dropped.values()
    # The float32 scale of some engines is off by up to 6e-8.
    assert unscaled == pytest.approx(0.7 * inverted, rel=1e-6)
    assert set(np.unique((unscaled / x.numpy()).round(6))) == {0.0, 1.0}
    module.at_test = 0.7
    assert module(x).numpy() == pytest.approx(0.7 * x.numpy())


def test_measure_switches_dropout_off_and_on_again():
    minitorch.manual_seed(2)
    model = with_dropout(minitorch, perceptron(minitorch, [6, 30, 3], "relu", "he"),
                         lambda: minitorch.nn.Dropout(0.5))
    x, y = minitorch.randn(40, 6), minitorch.arange(40) % 3
    right = [overfitting.measure(minitorch, model, x, y) for _ in range(2)]
    assert right[0] == right[1] and model.training
    wrong = {overfitting.measure(minitorch, model, x, y, forgotten=True) for _ in range(3)}
    assert len({cost for cost, _ in wrong}) == 3
    model.eval()
    assert right[0][0] == pytest.approx(minitorch.nn.functional.cross_entropy(model(x), y).item())


def test_tables_are_rectangular_and_small(result):
    for columns in result.values():
        assert len({len(values) for values in columns.values()}) == 1 and all(columns.values())
    assert len(json.dumps(result, indent=1, allow_nan=False)) < 1_000_000
    assert list(zip(result["summary"]["images"], result["summary"]["remedy"])) == [
        (100, "plain"), (100, "dropout"), (100, "l2"), (100, "fewer pixels"), (200, "more data"),
        (400, "plain"), (400, "dropout"), (400, "dropout, eval() forgotten")]
    assert max(result["curves"]["epoch"]) == 10
    shares = np.array(result["outputs"]["share"]).reshape(31, 10)
    assert shares.sum(1) == pytest.approx(1, abs=1e-3)  # each rounded to four digits


def test_numbers_are_pytorchs(result):
    torch = pytest.importorskip("torch")
    theirs = overfitting.experiments(tiny(torch))
    for column in "train_cost", "test_cost":  # rounding, after twenty steps of Adam at most
        for table in "summary", "remedies", "curves", "passes":
            assert result[table][column] == pytest.approx(theirs[table][column], rel=2e-3), table
    for column in "train_accuracy", "test_accuracy":  # one of 100 images may be on the border
        assert result["remedies"][column] == pytest.approx(theirs["remedies"][column], abs=0.011)
    for column in "kept", "test_to_train":
        assert result["scaling"][column] == pytest.approx(theirs["scaling"][column], rel=2e-3)
    assert result["points"] == theirs["points"]
    for method in METHODS:
        assert result["grid"][method] == pytest.approx(theirs["grid"][method], abs=0.01)


def test_dropout_keeps_the_mean_only_with_its_scale(result):
    table = result["scaling"]
    # Ten passes of 100 images over 32 units, half of them 0: standard error about 0.5%.
    assert pick(table, "kept", kind="inverted") == pytest.approx([1] * 3, abs=0.02)
    assert pick(table, "kept", kind="unscaled") == pytest.approx([0.7] * 3, abs=0.02)
    first = [pick(table, "test_to_train", kind=kind)[0]
             for kind in ("inverted", "unscaled", "scaled at test")]
    assert first == pytest.approx([1, 1 / 0.7, 1], abs=0.03)


def seen(result, words):
    table = claims(result)
    [found] = [s for claim, s in zip(table["claim"], table["seen"]) if words in claim]
    return found


def test_claims_follow_the_numbers(result):
    mine = copy.deepcopy(result)
    for words, better, worse in (
        ("L2 closes the gap", ("remedies", "gap", "l2", -1.0), ("remedies", "gap", "l2", 1.0)),
        ("raises the test accuracy", ("all", "test_accuracy", "dropout", 1.0),
         ("all", "test_accuracy", "dropout", 0.0)),
    ):
        words = "with all images, dropout still " + words if better[0] == "all" else words
        for (table, column, remedy, value), expected in (better, True), (worse, False):
            rows = [i for i, r in enumerate(mine[table]["remedy"]) if r == remedy]
            for row in rows:
                mine[table][column][row] = value
                if table == "remedies":
                    mine[table]["test_accuracy"][row] = 1.0
            assert seen(mine, words) is expected
    assert seen(result, "in every pass") == (
        max(result["passes"]["test_accuracy"]) < result["all"]["test_accuracy"][1])
    mine["passes"]["test_accuracy"] = [1.0] * 10
    assert not seen(mine, "in every pass")
    mine["scaling"]["kept"][0] = 0.9
    assert not seen(mine, "keeps the mean")
    mine["scaling"]["kept"][:3] = [1.001] * 3
    assert seen(mine, "keeps the mean")
    mine["moons"]["length"] = [1e9 if m == "plain" else 1.0 for m in mine["moons"]["method"]]
    mine["moons"]["test_accuracy"] = [0.5 if m == "plain" else 0.9 for m in mine["moons"]["method"]]
    assert seen(mine, "dropout smooths") and seen(mine, "L2 smooths")


def test_the_courses_numbers_stand_only_beside_mnist(result):
    assert "course" not in " ".join(result["claims"]["claim"] + result["claims"]["numbers"])
    mine = copy.deepcopy(result)
    mine["all"]["images"] = [60_000, 60_000]
    mine["all"].update(first_cost=[0.21, 0.31], second_cost=[0.09, 0.14])
    assert seen(mine, "within 10%: without dropout") is False
    assert seen(mine, "within 10%: with dropout") is True


def test_a_network_without_a_remedy_fits_wrong_labels():
    table = boundaries(minitorch, 1, 100, 777, lambda what: None)["moons"]
    plain, l2 = ({c: pick(table, c, method=m)[0] for c in table} for m in ("plain", "l2"))
    assert plain["train_accuracy"] > l2["train_accuracy"] and plain["length"] > l2["length"]


@pytest.mark.parametrize("dark", [False, True])
def test_every_picture_draws(result, dark):
    pytest.importorskip("matplotlib")
    if dark:
        with style.dark():
            drawn = list(overfitting.draw(result))
    else:
        drawn = list(overfitting.draw(result))
    assert len({picture.name for picture in drawn}) == len(drawn) == 7
    for picture in drawn:
        assert picture.caption and picture.alt
        picture.figure.set_dpi(40)
        picture.figure.canvas.draw()
        paper = picture.figure.get_facecolor()[0]
        assert paper < 0.2 if dark else paper > 0.9
