"""The benchmarks work, engines that differ are not timed, and noise is not taken for news."""

import importlib
import json
import math
import time
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace

import pytest

from benchmarks import epoch, operators, report, runner
from benchmarks.__main__ import main
from benchmarks.engines import ENGINES
from benchmarks.networks import NETWORKS
from benchmarks.runner import Cell, disagreement
from benchmarks.steps import TABLE, row
from benchmarks.tables import TABLES

op_db = importlib.import_module("minitorch.testing").op_db
SMALL = {"A": (20, 16, 8, 10), "B": (20, 16, 16, 8, 10), "C": (20, 8, 8, 10),
         "D": (20, 16, 16, 8, 10), "E": (2, 2, 1)}


def engine(name):
    found = ENGINES[name]
    if found.missing():
        pytest.skip(found.missing())
    found.lib = importlib.import_module(found.module)
    return found


@pytest.mark.parametrize("network", SMALL)
@pytest.mark.parametrize("name", ["minitorch", "compiled", "fused", "foreach", "jax", "numpy"])
def test_every_engine_computes_the_losses_of_torch(network, name):
    """They are the same to float32 rounding, which ten steps enlarge."""
    work = row(replace(NETWORKS[network], widths=SMALL[network]))
    mine, theirs = (work(engine(e)).check() for e in (name, "torch"))
    assert len(mine) >= 10
    assert not disagreement(mine, theirs, 1e-4)


def test_dropout_of_the_raw_step_keeps_seven_in_ten_and_the_mean():
    """The loss of 1,000 rows moves by less than a twentieth; the next step draws another mask."""
    network = replace(NETWORKS["B"], batch=1000, lr=0.0)
    dropped, whole = (engine("numpy").train(replace(network, dropout=p)) for p in (0.3, 0.0))
    a, b, c = dropped(), whole(), dropped()
    assert a != b and a == pytest.approx(b, rel=0.05) and c == pytest.approx(b, rel=0.05)


def test_a_run_from_the_command_line(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    files = [str(tmp_path / name) for name in ("run.json", "run.png")]
    arguments = ["steps", "E", "--quick", "--engines", "minitorch", "compiled", "numpy"]
    assert main([*arguments, "--json", files[0], "--picture", files[1]]) == 0
    assert main([*arguments[:-2], "--compare", files[0]]) == 0
    out = capsys.readouterr().out
    assert "1 thread, ms" in out and "E: 2-2-1 Sigmoid SGD batch 4" in out
    assert "min" in out and "only 0 of 1 have" in out
    found = json.loads((tmp_path / "run.json").read_text())
    assert {c["engine"] for c in found["cells"]} == {"minitorch", "compiled", "numpy"}
    for cell in found["cells"]:
        assert 0 < cell["value"] < 1 and cell["runs"] and cell["threads"] == 1
    assert "BLAS" in str(found["machine"]) and (tmp_path / "run.png").stat().st_size > 1000


def test_other_tables_run_where_no_other_engine_is_installed(capsys):
    for arguments in (["operators", "relu + backward"], ["optimizers", "Adam"],
                      ["memory", "E tape"]):
        assert main([*arguments, "--quick", "--engines", "minitorch"]) == 0
        assert "| minitorch |" in capsys.readouterr().out


class Answers:
    """A worker that has computed these numbers, and notes whether it was timed."""

    def __init__(self, check):
        self.numbers, self.timed = check, False

    def ask(self, do, **request):
        if do == "prepare":
            return {"check": self.numbers, "prepared": 0.0}
        self.timed = True
        return {"value": 1.0}


def test_an_engine_that_computes_something_else_is_not_timed():
    workers = {"torch": Answers([2.0, 1.0]), "minitorch": Answers([2.0, 1.01]),
               "numpy": Answers([2.0, math.nan]), "gemms": Answers([])}
    cells = {e: Cell("steps", "A", e, 1, "ms") for e in workers}
    runner.turn("steps", TABLE, "A", workers, cells, 0, runner.Plan(1, 0.0, print))
    assert {e for e, worker in workers.items() if worker.timed} == {"torch", "gemms"}
    assert "number 1 is 1.01 and not 1" in cells["minitorch"].note and not cells["numpy"].rounds
    assert "DIFFERS" in report.text(TABLE, {cell.key: cell for cell in cells.values()}, {})


def test_a_worker_that_does_not_answer_is_ended_and_named():
    """Python itself takes longer to start. (An engine that compiles for minutes, say.)"""
    cell = Cell("steps", "A", "python", 1, "ms")
    plan = runner.Plan(1, 0.0, print, limit=0.001)
    with ExitStack() as stack:
        assert not runner.start({"python": [cell]}, 1, plan, stack)
    assert cell.note == "FAILED: python: no answer in 0.001 s"


def test_when_time_is_up_the_rest_is_left_out_and_named():
    plan = runner.Plan(2, 0.0, lambda line: None, until=time.monotonic() - 1)
    cells, _ = runner.measure("import", TABLES["import"], ["import"], ["python"], 1, plan)
    (cell,) = cells.values()
    assert cell.note == runner.LATE and not cell.rounds


def cells_of(**rounds):
    cells = {}
    for e, figures in rounds.items():
        cell = Cell("steps", "A", e, 1, "ms")
        cell.rounds = dict(enumerate(figures))
        cells[cell.key] = cell
    return cells


def test_a_comparison_sees_what_moved_and_nothing_else():
    """A machine that is slower in all is no news; nor is a change within the spread."""
    old = cells_of(torch=[2.0, 2.2, 1.9], minitorch=[1.0, 1.1, 0.95], numpy=[0.8, 0.9, 1.1])
    new = cells_of(torch=[3.0, 3.3, 2.85], minitorch=[1.0, 1.1, 0.95], numpy=[1.2, 1.35, 1.3])
    about = {"date": "then", "machine": {}}
    first, *lines = report.comparison(old, about, new, about).splitlines()
    assert "then" in first and len(lines) == 1
    assert "less -33%" in lines[0] and "A, minitorch, 1 thread(s)" in lines[0]
    assert "nothing moved" in report.comparison(old, about, old, about)


def test_ratios_are_not_compared_with_times():
    """PyTorch was measured in one of the runs only: then times are compared with times."""
    old = cells_of(torch=[2.0, 2.2, 1.9], minitorch=[1.0, 1.1, 0.95])
    about = {"date": "then", "machine": {}}
    new = cells_of(minitorch=[1.0, 1.1, 0.95])
    assert "nothing moved" in report.comparison(old, about, new, about)


def test_a_run_is_read_as_it_was_written(tmp_path):
    cells = cells_of(torch=[2.0, 2.2], minitorch=[1.0, 1.5])
    report.save(str(tmp_path / "a.json"), cells, {"machine": {"cores": 2}})
    again, about = report.load(str(tmp_path / "a.json"))
    assert [c.as_dict() for c in again.values()] == [c.as_dict() for c in cells.values()]
    assert about["machine"] == {"cores": 2}
    assert "cores was 2, is 4" in report.comparison(again, about, cells, {"machine": {"cores": 4}})


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, of kl_div's reduction
@pytest.mark.parametrize("op", op_db, ids=str)
def test_every_operator_has_a_row(op):
    lib = SimpleNamespace(lib=importlib.import_module("minitorch"))
    assert operators.forward(op.op)(lib).check()


def test_an_epoch_without_files_says_what_is_missing(tmp_path):
    assert "train-images-idx3-ubyte" in epoch.prepare(tmp_path, tmp_path / "laid out")
