"""The lab on batch norm: its parts against their definitions, its claims against its numbers."""

import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.cli.recipes import load
from minitorch.labs import batchnorm as lab
from minitorch.labs import batchnorm_modes as modes
from minitorch.labs import style
from minitorch.labs.batchnorm_network import BATCH, SIZE, Setting, jitter, network, norms, score
from minitorch.labs.networks import pick, tensors


def few():
    """The first of the embedded digits: six batches an epoch."""
    return [(x[:n].numpy(), y[:n].numpy())
            for (x, y), n in zip(load(None, False, "cpu"), (200, 100))]


@pytest.fixture(scope="module", autouse=True)
def little():
    """Less work than quick."""
    kept = dict(SIZE[True])
    SIZE[True].update(epochs=2, shifted=1, steps=8, settling=5)
    yield
    SIZE[True].update(kept)


@pytest.fixture(scope="module")
def result(little):
    return lab.run(minitorch, *few(), quick=True)


@pytest.fixture(params=["minitorch", "torch"])
def at(request):
    return setting(pytest.importorskip(request.param))


def setting(torch):
    return Setting(torch, tensors(torch, *few()), True, 777, lambda what: None)


def layer(model, k):
    return model[k].weight.detach().numpy().astype(np.float64)


def test_all_networks_start_from_the_same_weights(at):
    plain, normed, shifted = (network(at, kind) for kind in ("plain", "batchnorm", "shifted"))
    for k, (a, b, c) in enumerate([(0, 0, 0), (2, 3, 4), (4, 6, 8)]):
        np.testing.assert_array_equal(layer(plain, a), layer(normed, b))
        np.testing.assert_array_equal(layer(plain, a), layer(shifted, c))
        assert (normed[b].bias is None) == (k < 2), "a norm has its own bias"
    wide = network(at, "plain", 0.5)
    assert layer(wide, 0).std() == pytest.approx(0.5, rel=0.1)  # 2,048 draws: 1.6% a sigma
    assert (wide[0].bias == 0).all()


def test_the_shift_behind_a_norm_changes_with_every_step_and_only_in_training(at):
    module = jitter(at.torch)
    x = at.torch.randn(50, 32)
    a, b = ((module(x) - x.mean(0)).numpy() for _ in range(2))
    scale = a.std(0) / x.numpy().std(0)
    assert (scale >= 0.999).all() and (scale <= 1.251).all() and scale.std() > 0.03
    assert abs((a - b).mean(0)).mean() > 0.1
    module.eval()
    assert module(x) is x


def test_inputs_are_normalised_by_hand_and_running_statistics_stay(at):
    model = network(at, "batchnorm")
    before = {k: v.clone() for k, v in model.state_dict().items() if "running" in k}
    first, _ = lab.inputs(at, model, at.images)
    z = at.images.numpy().astype(np.float64) @ layer(model, 0).T
    by_hand = (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)
    np.testing.assert_allclose(first, by_hand, atol=2e-5)  # single precision
    assert len(before) == 4
    for key, value in before.items():
        assert (model.state_dict()[key] == value).all(), key
    assert [norm.momentum for norm in norms(at, model)] == [0.1, 0.1]


def test_true_statistics_are_those_of_all_images_and_leave_the_model_alone(at):
    model = network(at, "batchnorm")
    true = modes.true_statistics(at, model)
    z = at.images.numpy().astype(np.float64) @ layer(model, 0).T
    np.testing.assert_allclose(true[1].running_mean.numpy(), z.mean(0), atol=1e-5)
    np.testing.assert_allclose(true[1].running_var.numpy(), z.var(0, ddof=1), rtol=1e-4)
    assert (model[1].running_mean == 0).all() and (model[1].running_var == 1).all()


def test_drift_is_counted_in_the_first_std():
    z = np.random.default_rng(0).normal(size=(400, 5))
    z = 4 * (z - z.mean(0)) / z.std(0)
    seen = {0: [z + 1] * 2, 1: [z + 3] * 2, 9: [-3 * z + 21] * 2, 10: [-3 * z - 3] * 2}
    tables = {"shift": {}, "units": {}}
    lab.drifts(tables, "plain", seen, [0, 9])
    for column, expected in ("drift", [0, 5]), ("spread", [1, 3]), ("jump", [0.5, 2]):
        assert pick(tables["shift"], column, layer=2) == pytest.approx(expected)
    assert tables["units"]["p95"][0] == pytest.approx(1.64, abs=0.2)
    assert tables["units"]["p50"][1] == pytest.approx(5, abs=0.5)


@given(st.floats(0.01, 0.9), st.integers(1, 80), st.floats(0, 3))
def test_the_predicted_error_is_that_of_the_recursion(momentum, steps, start):
    bias, variance = start, 0.0
    for _ in range(steps):
        bias *= 1 - momentum
        variance = (1 - momentum) ** 2 * variance + momentum ** 2 / BATCH
    expected = (bias ** 2 + variance) ** 0.5
    assert modes.predicted(momentum, steps, start) == pytest.approx(expected)
    assert modes.predicted(None, steps, start) == pytest.approx((1 / (steps * BATCH)) ** 0.5)


def test_in_eval_mode_companions_do_not_matter_and_in_train_mode_they_do(at):
    model = network(at, "batchnorm").eval()
    images, labels = at.test
    found = [modes.classes(at, model, images, at.torch.randperm(100), size) for size in (1, 8, 100)]
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()
    right = (found[0] == labels.numpy()).mean()
    assert score(at, model, images, labels)[1] == pytest.approx(right)
    assert model.training, "score leaves the model in train mode"
    a, b = (modes.classes(at, model, images, at.torch.randperm(100), 4) for _ in range(2))
    assert (a != b).any()


def test_both_engines_give_the_same_numbers():
    both = []
    for engine in minitorch, pytest.importorskip("torch"):
        before = engine.get_default_dtype()
        engine.set_default_dtype(engine.float64)
        try:
            at = setting(engine)
            models, tables = lab.course(at)
            tables.update(modes.statistics(at, models["batchnorm"]))
            both.append(tables | {"forgotten": modes.forgotten(at, models),
                                  "single": modes.single(at, models),
                                  "rates": lab.swept(at, "rates", [0.1, 1])})
        finally:
            engine.set_default_dtype(before)
    ours, theirs = both
    for table, columns in ours.items():
        assert list(columns) == list(theirs[table])
        for column, values in columns.items():
            if isinstance(values[0], str):
                assert values == theirs[table][column]
            else:  # rounding of 1e-16, magnified by a dozen steps of Adam
                np.testing.assert_allclose(values, theirs[table][column], rtol=1e-7, atol=1e-9)
    said = pick(ours["single"], "said", network="batchnorm", mode="train")[0]
    assert said.startswith("ValueError: Expected more than 1 value per channel")


def test_tables_are_tables_and_the_summary_is_numbers(result):
    for columns in result.values():
        assert len({len(values) for values in columns.values()}) == 1
        assert all(columns.values())
    assert 4 <= len(result["summary"]["measure"]) <= 30
    assert all(type(v) is float for c in ("plain", "batchnorm") for v in result["summary"][c])
    assert len(set(zip(result["summary"]["measure"], result["summary"]["setting"]))) == len(
        result["summary"]["measure"])


def test_tolerated_settings_are_near_the_best():
    table = {"network": ["a", "a", "b", "a", "a"], "value": [1, 2, 3, 4, 5],
             "accuracy": [0.5, 0.81, 1, 0.9, 0.79]}
    assert lab.tolerated(table, "a") == [2, 4]


def changed(result, table, column, where, new):
    """The result, with another value in the rows chosen."""
    columns = {key: list(values) for key, values in result[table].items()}
    for i in range(len(columns[column])):
        if all(columns[key][i] == wanted for key, wanted in where.items()):
            columns[column][i] = new
    assert columns != result[table], "no row was changed"
    return {**result, table: columns}


B = {"network": "batchnorm"}
FLIPS = {  # of each claim: (table, column, rows, a value that bears it out, one that does not)
    "after one epoch": ("curves", "test_cost", {**B, "epoch": 1}, 1e-3, 9.0),
    "after 2 epochs": ("curves", "test", {**B, "epoch": 2}, 2.0, 0.0),
    "layer 1: with": ("shift", "drift", {**B, "layer": 1}, 1e-3, 1e3),
    "layer 2: with": ("shift", "drift", {**B, "layer": 2}, 1e-3, 1e3),
    "less shift is not why": ("curves", "test_cost", {"network": "shifted"}, 1e-3, 9.0),
    "tolerates rates": ("rates", "accuracy", {**B, "value": 10.0}, 9.0, 0.0),
    "weights whose std": ("stds", "accuracy", {"network": "plain", "value": 1.0}, 9.0, 0.11),
    "harm it": ("sizes", "accuracy", {**B, "value": 2}, 0.0, 1.0),
    "one image": ("single", "said", {**B, "mode": "train"}, "ValueError: x", "class 3"),
    "stand in": ("replaced", "accuracy", {"statistics": "running"}, 0.7, 2.0),
    "momentum 0.1": ("settling", "error", {"momentum": "average"}, 1e-4, 9.0),
    "unbiased": ("unbiased", "ratio", {"size": 2}, 1.01, 0.5),
    "sorted by class": ("forgotten", "accuracy", {**B, "order": "sorted"}, -1.0, 1.0),
    "companions": ("forgotten", "changed", {**B, "order": "shuffled"}, 0.5, 0.0),
    "too late": ("forgotten", "afterwards", {**B, "order": "sorted"}, -1.0, 1.0),
}
BESIDE = {  # what else a claim asks for, so that only the above decides
    "less shift is not why": ("shift", "jump", {"network": "shifted"}, 9.0),
    "tolerates rates": ("rates", "accuracy", {"network": "plain", "value": 1.0}, 9.0),
    "weights whose std": ("stds", "accuracy", {}, 0.1),
    "harm it": ("sizes", "accuracy", {**B, "value": 128}, 1.0),
    "stand in": ("replaced", "accuracy", {"statistics": "true"}, 0.7),
    "momentum 0.1": ("settling", "error", {"momentum": "0.1"}, 0.6),
}


@pytest.mark.parametrize("words", FLIPS)
def test_a_claim_is_computed_from_the_result(result, words):
    assert len(FLIPS) == len(result["claims"]["claim"])
    if words in BESIDE:
        result = changed(result, *BESIDE[words])
    *where, good, bad = FLIPS[words]
    verdicts = []
    for value in good, bad:
        claims = lab.claims(changed(result, *where, value))
        verdicts += [seen for claim, seen in zip(claims["claim"], claims["seen"])
                     if words in claim]
    assert verdicts == [True, False]


def test_every_picture_draws_on_light_and_dark_paper(result):
    pytest.importorskip("matplotlib")
    pictures = list(lab.draw(result))
    with style.dark():
        at_night = list(lab.draw(result))
    assert len({p.name for p in pictures}) == len(pictures) == 8
    for picture, other in zip(pictures, at_night):
        assert re.fullmatch("[a-z-]+", picture.name) and picture.caption and picture.alt
        assert picture.figure.get_facecolor() != other.figure.get_facecolor()
        assert all(axis.get_title(loc="left") for axis in other.figure.axes)
        file = io.BytesIO()
        picture.figure.savefig(file, format="png", dpi=30)
        assert file.getvalue()[:4] == b"\x89PNG"
