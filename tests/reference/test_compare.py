"""Two processes take turns, and the verdict can be a bad one."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch.cli.screen import Screen
from reference import __main__ as command
from reference.compare import Comparison, Line
from reference.report import Report

ROOT = Path(__file__).parents[2]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "reference", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )


def test_xor_side_by_side():
    done = run("xor", "--epochs", "101", "--float64")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("  step ")]
    assert len(rows) == 1
    left, right = re.split(r" [=≈≠]  ", rows[0])
    assert left.strip() == right.strip() == "step     0  cost 0.70324699"
    assert "All 6 lines are identical." in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_table_of_costs():
    done = run("mnist-nn", "--epochs", "2", "--threads", "1", "--yardstick")
    assert done.returncode == 0, done.stderr
    assert "1 for each engine" in done.stdout
    rows = re.findall(r"^ +(\d) +(\d+\.\d{9}) +(\d+\.\d{9}) +(\S+) +\S+ +\S+ s +\S+ s$",
                      done.stdout, re.MULTILINE)
    assert [row[0] for row in rows] == ["1", "2"]
    for _, one, other, difference in rows:
        assert float(one) == pytest.approx(float(other), rel=1e-4)
        exact = abs(float(one) - float(other)) / float(one)
        assert float(difference) == pytest.approx(exact, rel=0.1, abs=1e-12)
    assert re.search(r"^ +accuracy +0\.\d{4} +0\.\d{4}", done.stdout, re.MULTILINE)
    assert "The same numbers" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_engines_take_turns_until_both_have_ended():
    with Comparison(["xor", "--epochs", "1"]) as comparison:
        turns = []
        comparison.watch = turns.append
        rows = list(comparison)
    assert [one.text for one, _ in rows] == [other.text for _, other in rows]
    assert len(rows) == 6 and turns == ["PyTorch", "minitorch"] * 7
    assert comparison.engines[0].startswith("PyTorch 2")
    assert comparison.engines[1].startswith("minitorch ")


def test_an_engine_that_fails_is_an_error():
    with pytest.raises(RuntimeError, match="PyTorch stopped with exit code 1"):
        Comparison(["no-such-program"])


def test_missing_data_says_where_to_put_it(tmp_path):
    done = run("mnist-nn", "--data", str(tmp_path))
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr and "train-images-idx3-ubyte.gz" in done.stderr
    assert "Traceback" not in done.stderr


def test_list_and_help():
    listed = run("list")
    assert listed.returncode == 0
    assert "mnist-dropout" in listed.stdout and "xor" in listed.stdout
    helped = run("--help")
    assert helped.returncode == 0 and "--threads" in helped.stdout


@pytest.mark.parametrize("arguments", [["nothing"], ["xor", "--epochs", "0"], [],
                                       ["xor", "--threads", "x"], ["xor", "--yardstick"]])
def test_bad_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_without_torch_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        command.main(["xor"])
    assert "pip install torch" in capsys.readouterr().err


def test_one_engine_alone(monkeypatch, capsys):
    monkeypatch.setattr(os, "environ", dict(os.environ))  # --threads writes there
    assert command.main(["xor", "--epochs", "1", "--only", "minitorch"]) == 0
    assert capsys.readouterr().out.startswith("step     0  cost 0.74340731\n0 xor 0 = ")


def conclude(rows):
    report = Report(Screen())
    for row in rows:
        report.add(*(text and Line(text, 0.1) for text in row))
    return report.conclude()


@pytest.mark.parametrize(("rows", "agree"), [
    ([("Epoch: 0001 cost = 2.000", "Epoch: 0001 cost = 2.001")], True),
    ([("Epoch: 0001 cost = 2.000", "Epoch: 0001 cost = 2.100")], False),
    ([("Epoch: 0001 cost = 2.000", "Epoch: 0001 cost = nan")], False),
    ([("Epoch: 0001 cost = 2.000", "Epoch: 0001 cost = 2.000"),
      ("Accuracy: 0.9500", "Accuracy: 0.9440")], False),
    ([("Epoch: 0001 cost = 2.000", None)], False),
    ([("Epoch: 0001 cost = 2.0", "Epoch: 0001 cost = 2.0"), ("Learning finished", None)], False),
    ([[f"Epoch: 0001 cost = {cost}" for cost in (2.0, 2.2, 2.1)]], True),
    ([[f"Epoch: 0001 cost = {cost}" for cost in (2.0, 2.2, 2.01)]], False),
    ([("x 1.00000", "x 1.00000"), ("y 2.0", "y 2.0")], True),
    ([("x 1.00000", "x 1.00001")], True),
    ([("x 1.00000", "x 1.00100")], False),
    ([("x 1.0", "y 1.0")], False),
    ([("x 1.0", None)], False),
    ([], False),
])  # fmt: skip
def test_the_verdict(rows, agree):
    assert conclude(rows) is agree
