"""The initialisation lab: its theory, its networks and its claims, held to definitions."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.labs import initialisation as lab
from minitorch.labs import style
from minitorch.labs.networks import INITS, perceptron, pick
from reference import data
from reference.programs import mnist

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def few():
    """The first images of the embedded digits: two batches an epoch."""
    return data.load().head(200, 100)


@pytest.fixture(scope="module")
def result(few):
    return lab.run(minitorch, few.train, few.test, quick=True)


@pytest.mark.parametrize("init, kept", [("he", 1), ("xavier", 1 / 2), ("lecun", 1 / 2),
                                        ("normal", 50), ("zero", 0)])
def test_theory_is_hes_rule_for_relu(init, kept):
    std, grad = lab.theory(torch, [100] * 5 + [10], "relu", init, 0.5, 0.25)
    q = 100 * lab.VARIANCES[init](100, 100) * 0.5
    for layer in range(4):  # a grid of 4,000 points: the bends of ReLU cost 1e-4
        assert std[layer] == pytest.approx(
            math.sqrt(q * kept ** layer * (1 / 2 - 1 / (2 * math.pi))), rel=1e-3)
        assert grad[layer] == pytest.approx(0.25 * math.sqrt(kept ** (3 - layer)), rel=1e-3)


def test_theory_is_linear_where_activations_are():
    """Small inputs: sigmoid's slope is 1/4, tanh's is 1, whatever the widths."""
    std, grad = lab.theory(minitorch, [60, 80, 30, 10], "tanh", "xavier", 1e-8, 1.0)
    assert std == pytest.approx([math.sqrt(1e-8 * 60 * 2 / 140),
                                 math.sqrt(1e-8 * 60 * 2 / 140 * 80 * 2 / 110)], rel=1e-4)
    assert grad == pytest.approx([math.sqrt(30 * 2 / 110), 1.0], rel=1e-4)
    std, _ = lab.theory(minitorch, [60, 80, 10], "sigmoid", "xavier", 1e-8, 1.0)
    assert std == pytest.approx([math.sqrt(1e-8 * 60 * 2 / 140) / 4], rel=1e-4)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_distinct_counts_neurons_that_differ(groups):
    rows = np.random.default_rng(0).normal(size=(6, 4))
    layer = minitorch.nn.Linear(3, len(groups))
    for parameter, values in (layer.weight, rows[:, :3]), (layer.bias, rows[:, 3]):
        with minitorch.no_grad():
            parameter.copy_(minitorch.tensor(values[groups], dtype=minitorch.float32))
    assert lab.distinct(layer) == len(set(groups))


def test_equal_neurons_stay_equal_until_biases_differ(result):
    table = result["symmetry"]
    for start in "zero", "constant":
        assert set(pick(table, "distinct", start=start)) == {1}
    for start in "xavier", "zero, random biases":
        assert set(pick(table, "distinct", start=start)) == {lab.NEURONS}
    assert max(table["step"]) == 2 * 5  # batches, epochs


@pytest.mark.parametrize("engine", [minitorch, torch])
def test_weights_init_draws_as_the_courses_program(engine):
    engine.manual_seed(5)
    ours = perceptron(engine, [6, 5, 4], "relu", None)
    lab.initialise(engine, ours, "xavier uniform")
    engine.manual_seed(5)
    theirs = mnist.perceptron(engine, [6, 5, 4], engine.nn.init.xavier_uniform_)
    for a, b in zip(ours.parameters(), theirs.parameters()):
        assert (a == b).all()
    assert (ours[0].bias != 0).all()


@pytest.mark.parametrize("init, program", [("normal", mnist.nn), ("xavier uniform", mnist.xavier)])
def test_the_courses_networks_print_the_courses_numbers(init, program, few, result, capsys):
    program(minitorch, few, epochs=3)
    *printed, _, _ = (line.split()[-1] for line in capsys.readouterr().out.splitlines())
    costs = pick(result["learning"], "cost", network="256-256", init=init)
    assert [f"{cost:.9f}" for cost in costs[:3]] == printed


def test_both_engines_agree(few, result):
    at = lab.Setting(torch, few.train, few.test, True, 777, lambda what: None)
    theirs = {"layers": lab.layers(at), **lab.symmetry(at), "learning": lab.learning(at)}
    for name, table in theirs.items():
        for column, values in table.items():
            if isinstance(values[0], float):  # rounding, magnified by ten layers or some 30 steps
                assert result[name][column] == pytest.approx(values, rel=5e-3, abs=1e-12), column
            else:
                assert result[name][column] == values


def test_tables_are_tables_and_the_summary_is_short(result):
    json.dumps(result, allow_nan=False)
    for columns in result.values():
        assert len({len(values) for values in columns.values()}) == 1
    assert 4 <= len(result["summary"]["network"]) <= 30
    assert set(result["layers"]["init"]) == set(INITS)
    overflowed = pick(result["grid"], "last_cost", activation="relu", init="normal")
    assert overflowed == [None] or overflowed[0] > 100


def seen(result, words):
    table = lab.claims(result)
    found = [s for claim, s in zip(table["claim"], table["seen"]) if words in claim]
    assert found, words
    return found


@pytest.mark.parametrize("words, table, column, where, value", [
    ("stay equal: zero", "symmetry", "distinct", {"start": "zero"}, 2),
    ("with constant weights learns", "equal", "accuracy", {"start": "constant"}, 0.9),
    ("He's weights keep activations and gradients of ReLU", "layers", "std",
     {"activation": "relu", "init": "he", "layer": 10}, 1e-3),
    ("activations explode", "layers", "std", {"activation": "relu", "init": "normal"}, 1.0),
    ("theory", "layers", "grad_rms", {"activation": "tanh", "init": "he", "layer": 4}, 1.0),
    ("half of ReLU's variance", "layers", "std",
     {"activation": "relu", "init": "xavier", "layer": 10}, 0.3),
    ("begins at over a hundred times", "learning", "cost", {"init": "normal"}, 1.0),
])
def test_a_claim_is_read_from_the_numbers(words, table, column, where, value, result):
    assert seen(result, words) == [True]
    other = copy.deepcopy(result)
    for i in range(len(other[table][column])):
        if all(other[table][key][i] == wanted for key, wanted in where.items()):
            other[table][column][i] = value
    assert seen(other, words) == [False]


def test_published_numbers_stand_for_mnist_only(result):
    assert "published" not in result
    table = lab.claims({**result, "published": lab.PUBLISHED})
    assert len(table["claim"]) == len(result["claims"]["claim"]) + 1
    i = next(i for i, c in enumerate(table["claim"]) if "the course prints" in c)
    assert table["seen"][i] is False, "digits are not MNIST"


@pytest.mark.parametrize("published", [False, True])
def test_every_picture_draws_in_both_themes(published, result):
    pytest.importorskip("matplotlib")
    if published:
        with style.dark():
            drawn = list(lab.draw({**result, "published": lab.PUBLISHED}))
    else:
        drawn = list(lab.draw(result))
    names = [picture.name for picture in drawn]
    assert len(set(names)) == len(names) == 7
    for picture in drawn:
        assert picture.caption.endswith(".") and picture.alt.endswith(".")
        assert ("course prints" in picture.caption or "wizard prints" in picture.caption) == (
            published and picture.name in ("costs", "errors"))
        picture.figure.canvas.draw()
