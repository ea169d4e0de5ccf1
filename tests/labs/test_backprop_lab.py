"""The backprop lab: the chain rule by hand is both engines' gradient, a slip is not."""

from __future__ import annotations

import copy
import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from minitorch.cli.recipes import load
from minitorch.labs import LABS, backprop, style
from minitorch.labs.mistakes import MISTAKES, planted
from minitorch.labs.networks import pick

ENGINES = minitorch, pytest.importorskip("torch")
EPS = float(np.finfo(np.float64).eps)


def few():
    """The first images of the embedded digits: twenty batches an epoch."""
    return tuple((x.numpy()[:n], y.numpy()[:n])
                 for (x, y), n in zip(load(None, False, "cpu"), (200, 100)))


@pytest.fixture(scope="module")
def results():
    return [backprop.run(engine, *few(), quick=True) for engine in ENGINES]


def drawn(seed, n, pixels):
    random = np.random.default_rng(seed)
    shapes = {"w1": (pixels, 30), "b1": (30,), "w2": (30, 10), "b2": (10,)}
    params = {name: random.standard_normal(shape) for name, shape in shapes.items()}
    return random.random((n, pixels)), np.eye(10)[random.integers(0, 10, n)], params


@given(st.integers(0, 2**32), st.integers(1, 20), st.integers(1, 70))
@settings(max_examples=12, deadline=None)
def test_the_chain_rule_is_both_engines_gradient_to_rounding(seed, n, pixels):
    x, t, params = drawn(seed, n, pixels)
    found = []
    for torch in ENGINES:
        x_, t_ = torch.from_numpy(x), torch.from_numpy(t)
        p = {name: torch.from_numpy(a) for name, a in params.items()}
        cost, own = backprop.chain_rule(torch, x_, t_, **p)
        theirs, right = backprop.by_autograd(torch, x_, t_, **backprop.watched(p))
        assert cost.item() == theirs.item()
        assert set(own) == set(right) == {"a2", "z2", "a1", "z1", *backprop.PARAMETERS}
        for name in own:
            assert own[name].shape == right[name].shape
            # A sum over n images, ten operations one after the other.
            assert backprop.difference(own[name], right[name]) < (n + 10) * EPS
        found.append({name: g.numpy() for name, g in own.items()})
    for name, g in found[0].items():  # sums of up to 70 products behind sigmoids
        assert g == pytest.approx(found[1][name], rel=1e-9, abs=1e-11 * np.abs(g).max())


@pytest.mark.parametrize("slip, line, instead", MISTAKES, ids=lambda text: text)
def test_a_mistake_changes_one_line_and_the_gradient(slip, line, instead):
    before = inspect.getsource(backprop.chain_rule)
    wrong = planted(backprop.chain_rule, line, instead)
    x, t, params = drawn(0, 10, 64)
    x, t = minitorch.from_numpy(x), minitorch.from_numpy(t)
    params = {name: minitorch.from_numpy(a) for name, a in params.items()}
    cost, right = backprop.chain_rule(minitorch, x, t, **params)
    if slip == "not transposed":
        with pytest.raises(RuntimeError, match="cannot be multiplied"):
            wrong(minitorch, x, t, **params)
    else:
        same, own = wrong(minitorch, x, t, **params)
        assert same.item() == cost.item(), "the cost is right, its gradient is not"
        assert max(backprop.difference(own[p], right[p]) for p in backprop.PARAMETERS) > 1e-3
    assert inspect.getsource(backprop.chain_rule) == before


def test_a_line_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="0 lines 'd_w3 = 0', not one"):
        planted(backprop.chain_rule, "d_w3 = 0", "")


def test_central_differences_err_by_their_step_squared():
    x, t, params = drawn(1, 10, 8)
    at = type("At", (), {"torch": minitorch})
    x, t = minitorch.from_numpy(x), minitorch.from_numpy(t)
    params = {name: minitorch.from_numpy(a) for name, a in params.items()}
    right = backprop.chain_rule(minitorch, x, t, **params)[1]
    for p in backprop.PARAMETERS:
        far, near = (backprop.central(at, x, t, params, p, right[p], h) for h in (0.02, 0.01))
        assert far / near == pytest.approx(4, rel=0.05)  # the next term is h^2 smaller


def test_both_engines_show_the_same(results):
    ours, theirs = results
    assert [list(table) for table in ours.values()] == [list(table) for table in theirs.values()]
    for result in results:
        assert len(result["summary"]["what"]) == 13
        for p in backprop.PARAMETERS:
            for dtype, eps in ("float64", EPS), ("float32", float(np.finfo(np.float32).eps)):
                assert pick(result["summary"], p, what="by hand", dtype=dtype)[0] < 20 * eps
    slips = [slip for slip, *_ in MISTAKES[:-1]]
    for slip in slips:
        a, b = (max(pick(r["summary"], p, what=slip)[0] for p in backprop.PARAMETERS)
                for r in results)
        assert a > 1e-3 and a == pytest.approx(b, rel=1e-6)
    for table, column in ("costs", "autograd"), ("graph", "forward"), ("accuracy", "accuracy"):
        # 100 steps in single precision, the cost within a few times 1e-5.
        assert ours[table][column] == pytest.approx(theirs[table][column], rel=1e-3)
    assert ours["mistakes"]["refused"] == theirs["mistakes"]["refused"]
    assert ours["claims"]["claim"] == theirs["claims"]["claim"]


def test_claims_come_from_the_numbers(results):
    result = copy.deepcopy(results[0])
    assert backprop.claims(result) == result["claims"]
    claims = dict(zip(result["claims"]["claim"], result["claims"]["seen"]))
    assert claims["float64: the chain rule by hand is autograd's gradient to rounding"]
    assert claims["a slip in one line is seen at once, on every batch"]
    result["summary"]["w1"] = [1e-4] * len(result["summary"]["w1"])
    result["summary"]["b1"] = result["summary"]["w2"] = result["summary"]["b2"] = [0.0] * 13
    result["costs"]["apart"] = [0.1] * len(result["costs"]["apart"])
    result["mistakes"]["accuracy"] = [0.9, *[0.1] * 9, None]
    result["accuracy"]["accuracy"] = [0.5, 0.52, 0.5, 0.5]
    assert not any(backprop.claims(result)["seen"])


def test_costs_agree_until_one_differs_by_a_hundredth():
    costs = {"dtype": ["float32"] * 3, "step": [10, 20, 30], "apart": [1e-7, 1e-2, 5e-2]}
    assert backprop.agreed(costs, "float32") == 20
    assert backprop.agreed({**costs, "apart": [0.02, 0.0, 0.0]}, "float32") == 0
    assert backprop.agreed({**costs, "apart": [0.0] * 3}, "float32") == 30


def test_every_picture_is_drawn_by_day_and_by_night(results, tmp_path):
    pytest.importorskip("matplotlib")
    names = []
    for picture in backprop.draw(results[0]):
        names.append(picture.name)
        assert picture.caption and picture.alt
        picture.figure.savefig(tmp_path / "light.png", dpi=20)
    assert names == ["graph", "differences", "rounding", "step-of-differences", "costs", "drift",
                     "mistakes"]
    with style.dark():
        night = list(backprop.draw(results[0]))
    assert [picture.name for picture in night] == names
    assert all(picture.figure.get_facecolor()[:3] != (1, 1, 1) for picture in night)
    night[0].figure.savefig(tmp_path / "dark.png", dpi=20)


def test_it_is_a_lab():
    assert "backprop" in LABS and backprop.QUESTION.endswith("?")
    assert all(len(inspect.getsource(function).splitlines()) < 30 for function in backprop.CODE)
