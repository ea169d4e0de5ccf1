"""The GPU's benchmarks, on the CPU: all of them but what calls CUDA."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from benchmarks import raw
from benchmarks.gpu import capture, epochs, floors, steps
from benchmarks.gpu.__main__ import main, text, with_floors
from benchmarks.gpu.clocks import Clocks
from benchmarks.gpu.engines import ENGINES
from benchmarks.gpu.placed import DEVICE
from benchmarks.gpu.tables import TABLES
from benchmarks.networks import Network, batches, parts, training_step
from benchmarks.runner import LATE, Cell, disagreement

SMALL = {"A": (20, 16, 8, 10), "B": (20, 16, 16, 8, 10), "C": (20, 8, 8, 10)}


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv(DEVICE, "cpu")
    monkeypatch.setenv("MINITORCH_BENCHMARK_IMAGES", "1000")
    precision = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(precision)


def started(name):
    found = ENGINES[name]
    if found.missing():
        pytest.skip(found.missing())
    found.start(1)
    return found


@pytest.mark.parametrize("name, network", [
    *(("minitorch", network) for network in SMALL), ("fused", "A"), ("jax", "C")])
def test_every_engine_computes_the_losses_of_torch(network, name):
    """To float32 rounding, which ten steps enlarge; without dropout, which differs on a GPU."""
    work = steps.row(replace(steps.COURSE[network], widths=SMALL[network]), "FP32")
    mine, theirs = (work(started(e)).check() for e in (name, "torch"))
    assert len(mine) == 10 and not disagreement(mine, theirs, 1e-4)


@pytest.mark.parametrize("name", ["minitorch", "jax"])
def test_an_epoch_sees_the_images_in_the_order_it_is_given(name):
    row = epochs.row(1)
    mine, theirs = (row(started(e)) for e in (name, "torch"))
    assert not disagreement(mine.check(), theirs.check(), 1e-3) and mine.measure() > 0


def test_an_operator_is_called_on_tensors_of_the_device():
    row = TABLES["operators"].rows["linear + backward"]
    mine, theirs = (row(started(e)).check() for e in ("minitorch", "torch"))
    assert len(mine) == 3 and not disagreement(mine, theirs, 1e-5)


def test_engines_that_are_graphs_are_left_out_without_a_gpu():
    for name in ("graphed", "torch graph", "reduce-overhead"):
        assert ENGINES[name].missing() == "a graph needs a GPU"


def replayed(torch, run):
    """What capture does, without CUDA: a replay computes again, into the same result."""
    for _ in range(capture.WARM):
        out = run().detach().clone()
    return SimpleNamespace(replay=lambda: out.copy_(run().detach())), out


def test_a_captured_step_begins_where_training_begins(monkeypatch):
    """The runs that warm it up leave no trace: not in weights, statistics or moments."""
    monkeypatch.setattr(capture, "capture", replayed)
    network = Network((20, 8, 8, 10), norm=True)
    eager, made = (parts(torch, network) for _ in range(2))
    data = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in batches(network)]
    step = training_step(*eager)
    graph = capture.graphed(torch, training_step(*made), made[0], made[2], data[0])
    assert [step(*b).item() for b in data] == [graph(*b).item() for b in data]
    states = [m.state_dict() for m, _, _ in (eager, made)]
    for key in states[0].keys() - {"1.num_batches_tracked", "4.num_batches_tracked"}:
        assert torch.equal(states[0][key], states[1][key]), key


def test_the_floors_are_those_of_the_definition():
    """784-256-256-10 at batch 100, counted by hand."""
    found = floors.floors(steps.COURSE["A"], "FP32", "NVIDIA H200")
    weights = [784 * 256, 256 * 256, 256 * 10]
    parameters = sum(weights) + 256 + 256 + 10
    assert parameters == 269_322
    operations = 2 * 100 * (sum(weights) + sum(weights) + sum(weights[1:]))
    assert found["floor: operations"] == pytest.approx(operations / 67e12)
    moved = 4 * 6 * parameters + 4 * 100 * 784 + 8 * 100
    assert found["floor: bytes"] == pytest.approx(moved / 4.8e12)
    assert floors.floors(steps.COURSE["A"], "TF32", "NVIDIA H200")["floor: operations"] == (
        pytest.approx(operations / 494.5e12))
    assert not floors.floors(steps.COURSE["A"], "FP32", "another")


def test_the_products_are_as_many_as_the_floor_counts():
    network = steps.COURSE["C"]
    counted = sum(2 * a.shape[0] * a.shape[1] * b.shape[1] for a, b, _ in raw.operands(network))
    found = floors.floors(network, "FP32", "NVIDIA H200")["floor: operations"]
    assert found == pytest.approx(counted / 67e12)


def cell(row, engine, rounds, note="", **extra):
    found = Cell("steps", row, engine, 16, "us")
    found.rounds, found.note = dict(enumerate(rounds)), note
    found.extra = extra
    return found


def test_a_table_shows_floors_clocks_and_what_had_no_time():
    cells = {c.key: c for c in [
        cell("A", "torch", [2e-3, 2e-3], host=[1e-3, 1e-3], device=[5e-4, 5e-4]),
        cell("A", "jax", [1e-3, 1e-3], host=[2e-4, 2e-4], device=[None, None]),
        cell("B", "torch", [], LATE), cell("B", "jax", [], LATE)]}
    said = text("steps", TABLES["steps"], cells, "NVIDIA H200")
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "| 16 threads, us | torch | jax | floor: bytes | floor: operations |" in lines
    assert "| A | 2,000 | 1,000 | 1.41 | 1.81 |" in lines
    assert "| host time, until it was free, us | torch | jax |" in lines
    assert "| A | 1,000 | 200 |" in lines and "| A | 500 |" in lines
    assert "steps: time ran out in B" in lines
    assert with_floors("steps", cells, "another") == cells


def test_a_run_from_the_command_line(tmp_path, capsys):
    files = {"--json": tmp_path / "a.json", "--table": tmp_path / "a.md"}
    arguments = ["steps", "epochs", "--device", "cpu", "--quick"]
    engines = ["--engines", "minitorch", "graphed"]
    assert main([*arguments, *engines, *(str(x) for pair in files.items() for x in pair)]) == 0
    out = capsys.readouterr().out
    assert "steps: graphed left out: a graph needs a GPU" in out
    assert files["--table"].read_text().strip() in out
    found = json.loads(files["--json"].read_text())
    assert {(c["table"], c["engine"]) for c in found["cells"]} == {
        ("steps", "minitorch"), ("epochs", "minitorch")}
    assert all(0 < c["value"] < 60 for c in found["cells"])
    late = ["steps", "--device", "cpu", "--budget", "0", *engines]
    assert main([*late, "--compare", str(files["--json"])]) == 0
    assert "steps: time ran out in A, B, C" in capsys.readouterr().out


def test_without_a_gpu_it_says_so(monkeypatch):
    monkeypatch.setattr("minitorch.utils.benchmark.machine.gpu", lambda *fields: {})
    monkeypatch.setattr("minitorch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU here: --device cpu"):
        main(["steps"])


def test_clocks_are_heard_while_it_works(tmp_path, monkeypatch):
    """A program that says other numbers each time; without one there are none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with Clocks() as clocks:
        assert clocks.since() == {}
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nfor n in 1 2 4; do echo \"$n, 3201, 70.5, [N/A]\"; done\n")
    program.chmod(0o755)
    with Clocks() as clocks:
        clocks.process.wait()
        assert clocks.since() == {"clocks.sm": [1, 2, 4], "clocks.mem": [3201] * 3,
                                  "power.draw": [70.5] * 3}
        assert clocks.since() == {}


def test_noise_stands_in_for_mnist():
    x, y = epochs.images()
    assert x.shape == (1000, 784) and x.dtype == np.float32 and set(y) <= set(range(10))
