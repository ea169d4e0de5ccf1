"""The monitor: right numbers, no trace in the training, no hook left behind."""

from __future__ import annotations

import copy
import csv
import importlib
import math
import re
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.monitor import COLUMNS, Monitor

ENGINES = ["minitorch", "torch"]


def engine(name):
    return minitorch if name == "minitorch" else pytest.importorskip("torch")


def network(torch, activation="ReLU", widths=(6, 5, 4, 3), **options):
    layers = []
    for n, m in pairwise(widths):
        layers += [torch.nn.Linear(n, m), getattr(torch.nn, activation)(**options)]
    return torch.nn.Sequential(*layers[:-1])


def trained(torch, every=1, steps=6, watch=True, optimizer="Adam", model=None, seed=1, size=8):
    """Losses and final weights of a short training, and its monitor."""
    torch.manual_seed(seed)
    model = model or network(torch)
    x = torch.randn(steps, size, 6)
    y = torch.randint(0, 3, (steps, size))
    opt = getattr(torch.optim, optimizer)(model.parameters(), lr=0.05)
    monitor = Monitor(model, every=every) if watch else None
    losses = []
    for k in range(steps):
        def closure(k=k):
            opt.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[k]), y[k])
            loss.backward()
            return loss
        losses.append(opt.step(closure).item())
    if monitor is not None:
        monitor.close()
    return losses, [p.detach().numpy().copy() for p in model.parameters()], monitor


def hooks_of(model):
    return [hook for module in model.modules()
            for hook in (*module._forward_hooks.values(), *module._backward_hooks.values())]


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "LBFGS"])
def test_training_is_the_same_bit_for_bit(name, optimizer):
    torch = engine(name)
    losses, weights, _ = trained(torch, optimizer=optimizer, watch=False)
    for every in 1, 3:
        watched, same, monitor = trained(torch, optimizer=optimizer, every=every)
        assert watched == losses and monitor.rows
        assert all((a == b).all() for a, b in zip(weights, same))


def test_dropout_draws_the_same_numbers():
    def model():
        return minitorch.nn.Sequential(*network(minitorch, "Dropout"), minitorch.nn.Dropout(0.4))

    def losses(watch):
        minitorch.manual_seed(5)
        return trained(minitorch, watch=watch, model=model())[0]

    assert losses(False) == losses(True)


@pytest.mark.parametrize("name", ENGINES)
@given(seed=st.integers(0, 10**6), activation=st.sampled_from(["ReLU", "Tanh", "Sigmoid"]))
def test_every_number_is_what_its_definition_says(name, seed, activation):
    torch = engine(name)
    torch.manual_seed(seed)
    model = network(torch, activation)
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    x, cotangent = torch.randn(7, 6), torch.randn(7, 3)
    outputs, h = [], x
    for layer in model:
        h = layer(h)
        h.retain_grad()
        outputs.append(h)
    (h * cotangent).sum().backward()
    gradients = [h.grad.numpy().astype(float) for h in outputs]
    outputs = [h.detach().numpy().astype(float) for h in outputs]
    opt.zero_grad()
    before = [p.detach().numpy().astype(float) for p in model.parameters()][::2]
    with Monitor(model, every=1) as monitor:
        (model(x) * cotangent).sum().backward()
        opt.step()
    after = [p.detach().numpy().astype(float) for p in model.parameters()][::2]
    by_weight = [p.grad.numpy().astype(float) for p in model.parameters()][::2]

    def rms(a):
        return math.sqrt((a * a).mean())

    low, high = {"ReLU": (0, np.inf), "Tanh": (-0.95, 0.95), "Sigmoid": (0.025, 0.975)}[activation]
    assert len(monitor.rows) == 5
    # Single precision: sums of at most 42 numbers, each rounded once or twice.
    for i, row in enumerate(monitor.rows):
        assert list(row) == list(COLUMNS) and row["layer"] == str(i) and row["step"] == 0
        assert row["mean"] == pytest.approx(outputs[i].mean(), rel=1e-5, abs=1e-6)
        assert row["std"] == pytest.approx(outputs[i].std(), rel=1e-5)
        assert row["grad_rms"] == pytest.approx(rms(gradients[i]), rel=1e-5, abs=1e-12)
        silent = (outputs[i] == 0).all(0).mean()
        assert row["silent"] == row["dead"] == pytest.approx(silent) and row["nonfinite"] == 0
        if i % 2:
            flat = (outputs[i] <= low) | (outputs[i] >= high)
            assert row["saturated"] == pytest.approx(flat.mean())
            assert row["weight_rms"] is row["update_ratio"] is row["weight_grad_rms"] is None
        else:
            k = i // 2
            assert row["saturated"] is None
            assert row["weight_rms"] == pytest.approx(rms(before[k]), rel=1e-5)
            assert row["weight_grad_rms"] == pytest.approx(rms(by_weight[k]), rel=1e-5, abs=1e-12)
            # The change is a difference of rounded numbers of size 1.
            assert row["update_ratio"] == pytest.approx(
                rms(after[k] - before[k]) / rms(before[k]), rel=1e-4, abs=1e-7)


def test_both_engines_record_the_same():
    torch = engine("torch")
    ours, theirs = (trained(t)[2].rows for t in (minitorch, torch))
    assert len(ours) == len(theirs) == 30
    for a, b in zip(ours, theirs):
        for column in COLUMNS:  # six steps of Adam magnify rounding
            assert a[column] == (b[column] if isinstance(b[column], (str, type(None)))
                                 else pytest.approx(b[column], rel=1e-3, abs=1e-6)), column


@pytest.mark.parametrize("name", ENGINES)
def test_dead_looks_at_every_step_and_silent_at_one(name):
    """A unit that works only in steps that are not recorded is silent there, but not dead."""
    torch = engine(name)
    model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU())
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(2))
    opt = torch.optim.SGD(model.parameters(), lr=0.0)
    rows = []
    with Monitor(model, every=2) as monitor:
        for k, x in enumerate([[1., -1.], [1., 1.], [1., -1.], [1., -1.], [1., -1.]]):
            if k == 3:
                monitor.reset()
            model(torch.tensor([x])).sum().backward()
            opt.step()
        rows = [(row["silent"], row["dead"]) for row in monitor.rows if row["kind"] == "ReLU"]
    assert rows == [(0.5, 0.5), (0.5, 0.0), (0.5, 0.5)]


def test_a_reset_between_forward_and_step_leaves_dead_open():
    model = network(minitorch)
    with Monitor(model, every=1) as monitor:
        model(minitorch.randn(3, 6)).sum().backward()
        monitor.reset()
        monitor.step()
    assert {row["dead"] for row in monitor.rows} == {None}
    assert all(0 <= row["silent"] <= 1 for row in monitor.rows)


@pytest.mark.parametrize("name", ENGINES)
def test_nan_and_inf_are_shown(name, tmp_path):
    torch = engine(name)
    model = network(torch)
    with torch.no_grad():
        model[2].weight[0, 0] = float("inf")
    *_, monitor = trained(torch, model=model, steps=2)
    first, *_, last = monitor.rows[:5]
    assert math.isfinite(first["mean"]) and first["nonfinite"] == 0
    assert not math.isfinite(last["mean"]) and last["nonfinite"] > 0
    assert not math.isfinite(monitor.rows[2]["update_ratio"])
    monitor.to_csv(tmp_path / "rows.csv")
    assert re.search("nan|inf", (tmp_path / "rows.csv").read_text())
    pytest.importorskip("matplotlib")
    titles = [axis.get_title(loc="left") for axis in monitor.heatmap().axes]
    assert any("red: nan or inf" in title for title in titles)
    monitor.to_html(tmp_path / "page.html")
    assert "nan or inf first at step 0, in 2 (Linear)" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("size", [1e-30, 1e25])
def test_squares_neither_underflow_nor_overflow(size):
    model = network(minitorch, widths=(4, 4))
    x = minitorch.randn(5, 4)
    with minitorch.no_grad():
        model[0].bias.zero_()
    with Monitor(model, every=1) as monitor:
        y = model(x * size)
        y.sum().backward()
        monitor.step()
    exact = y.detach().numpy().astype(float).std()
    assert monitor.rows[0]["std"] == pytest.approx(exact, rel=1e-4) and exact > 0


def test_a_layer_that_runs_twice_in_a_step_counts_once():
    layer = minitorch.nn.Linear(3, 3)
    x = minitorch.randn(2, 4, 3)
    with Monitor(layer, every=1) as monitor:
        y = layer(x[0])
        (y.sum() + layer(x[1]).sum()).backward()
        monitor.step()
    (row,) = monitor.rows
    both = layer(x.reshape(8, 3)).detach().numpy()
    assert row["mean"] == pytest.approx(both.mean(), abs=1e-6)
    assert row["std"] == pytest.approx(both.std(), rel=1e-5)
    assert row["grad_rms"] == 1.0 and row["update_ratio"] == 0.0


def test_what_is_not_training_is_left_out():
    model = network(minitorch)
    x = minitorch.randn(4, 6)
    with Monitor(model, every=1) as monitor:
        model.eval()
        model(x)
        monitor.step()
        model.train()
        with minitorch.no_grad():
            model(x)
        monitor.step()
        copy.deepcopy(model)(x).sum().backward()
        monitor.step()
        other = minitorch.nn.Linear(6, 2)
        opt = minitorch.optim.SGD(other.parameters(), lr=0.1)
        model(x)
        opt.step()  # another model's
        assert monitor.steps == 0 and monitor.rows == []
        monitor.step()
        monitor.step()  # saying it again changes nothing
        assert monitor.steps == 1 and len(monitor.rows) == 5


@pytest.mark.parametrize("name", ENGINES)
def test_no_hook_stays(name):
    torch = engine(name)
    optimizers = importlib.import_module(f"{name}.optim.optimizer")
    everywhere = (optimizers._post_hooks if name == "minitorch"
                  else optimizers._global_optimizer_post_hooks)
    before = len(everywhere)
    model = network(torch)
    with pytest.raises(KeyError), Monitor(model, every=1) as monitor:
        assert hooks_of(model) and len(everywhere) == before + 1
        y = model(torch.randn(2, 6))
        raise KeyError
    assert not hooks_of(model) and len(everywhere) == before
    monitor.close()  # again, harmless
    y.sum().backward()
    assert monitor.rows == [] and repr(monitor).startswith("Monitor(5 layers, every=1, 0 steps")


@pytest.mark.parametrize("name", ENGINES)
def test_layers_in_place_go_on_working(name):
    torch = engine(name)
    *_, monitor = trained(torch, model=network(torch, inplace=True))
    *_, plain = trained(torch, model=network(torch))
    # Equal seeds do not start equal weights here; what counts is that the first layer's own output
    # was seen, before ReLU wrote over it.
    assert min(row["mean"] - row["std"] for row in monitor.rows if row["layer"] == "0") < 0
    assert [row["layer"] for row in monitor.rows] == [row["layer"] for row in plain.rows]


def test_csv_has_a_line_for_every_row(tmp_path):
    *_, monitor = trained(minitorch, every=4)
    assert sorted({row["step"] for row in monitor.rows}) == [0, 4]
    monitor.to_csv(tmp_path / "rows.csv")
    with open(tmp_path / "rows.csv", newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(monitor.rows) and list(read[0]) == list(COLUMNS)
    assert float(read[-1]["std"]) == monitor.rows[-1]["std"] and read[1]["update_ratio"] == ""


def test_the_page_needs_nothing_else(tmp_path):
    pytest.importorskip("matplotlib")
    model = minitorch.nn.Sequential(minitorch.nn.Linear(6, 5), minitorch.nn.ReLU(),
                                    minitorch.nn.Linear(5, 3))
    with minitorch.no_grad():
        model[0].bias[:4] = -100.0
    *_, monitor = trained(minitorch, model=model)
    monitor.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert not re.search(r"""(src|srcset|href)=["'](?!data:)""", text) and "<script" not in text
    assert "prefers-color-scheme: dark" in text and 'alt="' in text and "<th scope" in text
    assert "1 (ReLU): 80% of the units are dead" in text


def test_the_heatmap_has_a_cell_for_every_number(tmp_path):
    pytest.importorskip("matplotlib")
    *_, monitor = trained(minitorch)
    monitor.heatmap(tmp_path / "maps.png")
    assert (tmp_path / "maps.png").read_bytes()[:4] == b"\x89PNG"
    from minitorch.monitor.picture import grid

    layers, steps, values = grid(monitor.rows, "update_ratio")
    assert layers == ["0", "2", "4"] and steps == list(range(6)) and values.count() == 18


def test_refusals(monkeypatch):
    with pytest.raises(TypeError, match="a module of minitorch or PyTorch, got int"):
        Monitor(3)
    for every in 0, 1.5:
        with pytest.raises(ValueError, match="whole number of at least 1"):
            Monitor(network(minitorch), every=every)
    monitor = Monitor(network(minitorch))
    monitor.close()
    with pytest.raises(RuntimeError, match=r"call step\(\)"):
        monitor.heatmap()
    *_, monitor = trained(minitorch)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"minitorch-xp\[cli\]"):
        monitor.heatmap()
