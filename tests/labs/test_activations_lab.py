"""The activations lab: its numbers are those of the definitions and of PyTorch."""

from __future__ import annotations

import contextlib
import io
import json
import math

import numpy as np
import pytest

import minitorch
from minitorch.cli.recipes import load
from minitorch.labs import activations, style
from minitorch.labs.networks import ACTIVATIONS, INITS, perceptron, pick
from minitorch.labs.report import claim_lines, plain


def few():
    """The first images of the embedded digits: two batches an epoch."""
    (x, y), (u, v) = load(None, False, "cpu")
    return (x[:200], y[:200]), (u[:100], v[:100])


@pytest.fixture(scope="module")
def result():
    train, test = ((x.numpy(), y.numpy()) for x, y in few())
    return activations.run(minitorch, train, test, quick=True)


def test_functions_and_slopes_are_those_of_the_definitions(result):
    def column(which, activation):
        return np.array(pick(result["functions"], which, activation=activation))

    x = column("x", "relu")
    s, t = 1 / (1 + np.exp(-x)), np.tanh(x)
    normal = np.array([0.5 * (1 + math.erf(v / 2 ** 0.5)) for v in x])
    bell = np.exp(-x * x / 2) / (2 * np.pi) ** 0.5
    a, b = 1.6732632423543772, 1.0507009873554805
    expected = {
        "sigmoid": (s, s * (1 - s)), "tanh": (t, 1 - t * t),
        "relu": (np.maximum(x, 0), np.where(x > 0, 1.0, 0.0)),
        "gelu": (x * normal, normal + x * bell),
        "leaky_relu": (np.where(x > 0, x, 0.01 * x), np.where(x > 0, 1, 0.01)),
        "elu": (np.where(x > 0, x, np.expm1(x)), np.where(x > 0, 1, np.exp(x))),
        "selu": (b * np.where(x > 0, x, a * np.expm1(x)), b * np.where(x > 0, 1, a * np.exp(x))),
    }
    assert set(expected) == set(ACTIVATIONS)
    away = np.abs(x) > 1e-3  # at 0 itself slopes are a convention
    for activation, (y, slope) in expected.items():  # single precision
        assert column("y", activation) == pytest.approx(y, abs=2e-6)
        assert column("slope", activation)[away] == pytest.approx(slope[away], abs=2e-6)


def test_gradients_before_training_are_pytorchs(result):
    torch = pytest.importorskip("torch")
    train, test = ((x.numpy(), y.numpy()) for x, y in few())
    images, labels, *rest = activations.tensors(torch, train, test)
    at = activations.Setting(torch, images, labels, rest, 64, 1, 1, 777, lambda what: None)
    theirs = activations.gradients(at)
    ours = result["gradients"]
    assert ours["layer"] == theirs["layer"] and ours["activation"] == theirs["activation"]
    for column in "std", "grad_rms":  # rounding, magnified by up to 20 layers
        assert ours[column] == pytest.approx(theirs[column], rel=1e-3, abs=0)


def test_sigmoids_gradient_shrinks_by_four_or_more_a_layer(result):
    for depth in activations.DEPTHS:
        g = np.array(pick(result["gradients"], "grad_rms", activation="sigmoid", depth=depth))
        assert len(g) == depth and (g[:-1] / g[1:] < 0.3).all()
        relu = pick(result["gradients"], "grad_rms", activation="relu", depth=depth)
        assert 0.1 < relu[0] / relu[-1] < 10


def test_all_tables_are_tables(result):
    for columns in result.values():
        assert len({len(values) for values in columns.values()}) == 1
        assert all(columns.values())
    for activation in "sigmoid", "tanh", "relu":
        for when in "before", "after":
            for layer in range(1, 6):
                shares = pick(result["histograms"], "fraction", activation=activation, when=when,
                              layer=layer)
                assert sum(shares) == pytest.approx(1)
    assert set(result["saturation"]["init"]) == {"xavier", "he", "normal"}


def test_dead_units_are_among_the_silent(result):
    table = result["dying"]
    assert all(d <= s for d, s in zip(table["dead"], table["silent"]))
    assert max(pick(table, "dead", activation="relu")) > 0.3
    assert max(pick(table, "silent", activation="leaky_relu")) == 0


def test_large_weights_saturate_and_the_output_dies(result):
    table = result["saturation"]
    first = [pick(table, "saturated", activation="tanh", init=init, step=0, layer=3)[0]
             for init in ("normal", "xavier")]
    assert first[0] > 0.5 > 0.05 > first[1]
    dead = result["output"]
    assert sum(pick(dead, "dead_classes", output="linear")) == 0
    assert sum(pick(dead, "dead_classes", output="relu")) > 3


def test_what_is_not_seen_is_said(result):
    lines = claim_lines(result)
    assert len(lines) == len(result["claims"]["claim"]) == 11
    seen = [line.startswith("seen ") for line in lines]
    assert seen == result["claims"]["seen"]
    assert lines[seen.index(False)].startswith("NOT SEEN"), "20 steps are too few for some"
    shallow = {**result, "functions": {k: list(v) for k, v in result["functions"].items()}}
    shallow["functions"]["slope"] = [2 * v for v in result["functions"]["slope"]]
    assert activations.claims(shallow)["seen"][0] is False


def test_the_summary_is_of_the_tables(result):
    table = result["summary"]
    assert len(table["depth"]) == 9
    g = pick(result["gradients"], "grad_rms", depth=10, activation="sigmoid")
    assert pick(table, "gradient_kept", depth=10, activation="sigmoid") == [g[0] / g[-1]]
    assert table["accuracy"] == result["accuracies"]["accuracy"]
    assert len(json.dumps(plain(result), indent=1)) < 700_000
    assert callable(activations.CODE[0]) and activations.QUESTION.endswith("?")


def test_curves_keep_their_beginning_and_their_end():
    assert activations.points(14) == list(range(14))
    some = activations.points(600)
    assert some[:20] == list(range(20)) and some[-1] == 599 and len(some) < 300


@pytest.mark.parametrize("paper", [contextlib.nullcontext, style.dark])
def test_all_pictures_draw_on_both_papers(result, paper):
    pytest.importorskip("matplotlib")
    with paper():
        shown = list(activations.draw(result))
    assert len({picture.name for picture in shown}) == len(shown) == 12
    for picture in shown:
        assert picture.caption.endswith((".", ")")) and picture.alt.endswith(".")
    picture.figure.savefig(out := io.BytesIO(), format="png", dpi=50)
    assert out.getvalue()[:4] == b"\x89PNG"


@pytest.mark.parametrize("init", INITS)
def test_weights_have_the_variance_of_their_scheme(init):
    minitorch.manual_seed(3)
    weight = perceptron(minitorch, [300, 500, 10], "tanh", init)[0].weight.detach().numpy()
    expected = {"zero": 0, "normal": 1, "lecun": 1 / 300, "xavier": 2 / 800, "he": 2 / 300}
    # 150,000 draws: the variance's standard error is 0.4%.
    assert weight.var() == pytest.approx(expected[init.split()[0]], rel=0.02)
    assert ("uniform" not in init) or abs(weight).max() < 1.74 * weight.std()
