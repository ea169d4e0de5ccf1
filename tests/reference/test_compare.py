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
    done = run("xor", "--epochs", "1001")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if " = step " in line.replace("=  ", "= ")]
    assert len(rows) == 2
    left, right = re.split(r" =  ", rows[1])
    assert left.strip() == right.strip() == "step  1000  cost 0.69309998"
    assert "All 7 lines are identical." in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_table_of_costs():
    done = run("mnist-batchnorm", "--epochs", "2", "--threads", "1")
    assert done.returncode == 0, done.stderr
    assert "1 for each engine" in done.stdout
    rows = re.findall(r"^ +(\d) +(\d\.\d{9}) +(\d\.\d{9}) +(\S+) +\S+ s +\S+ s$",
                      done.stdout, re.MULTILINE)
    assert [row[0] for row in rows] == ["1", "2"]
    for _, one, other, _ in rows:
        assert float(one) == pytest.approx(float(other), rel=1e-4)
    assert re.search(r"^ +accuracy +0\.\d{4} +0\.\d{4}", done.stdout, re.MULTILINE)
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_only_one_engine_works_at_a_time():
    with Comparison(["xor", "--epochs", "1001"]) as comparison:
        turns = []
        comparison.watch = turns.append
        pairs = list(comparison)
    assert [one.text for one, _ in pairs] == [other.text for _, other in pairs]
    assert turns[:4] == ["PyTorch", "minitorch"] * 2


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
                                       ["xor", "--threads", "x"]])
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


def conclude(pairs):
    report = Report(Screen())
    for one, other in pairs:
        report.add(one and Line(one, 0.1), other and Line(other, 0.1))
    return report.conclude()


@pytest.mark.parametrize(("pairs", "agree"), [
    ([("Epoch: 0001 cost = 2.000", "Epoch: 0001 cost = 2.001")], True),
    ([("Epoch: 0001 cost = 2.000", "Epoch: 0001 cost = 2.100")], False),
    ([("Epoch: 0001 cost = 2.000", "Epoch: 0001 cost = nan")], False),
    ([("Epoch: 0001 cost = 2.000", "Epoch: 0001 cost = 2.000"),
      ("Accuracy: 0.9500", "Accuracy: 0.9440")], False),
    ([("Epoch: 0001 cost = 2.000", None)], False),
    ([("Epoch: 0001 cost = 2.0", "Epoch: 0001 cost = 2.0"), ("Learning finished", None)], False),
    ([("x 1.00000", "x 1.00000"), ("y 2.0", "y 2.0")], True),
    ([("x 1.00000", "x 1.00001")], True),
    ([("x 1.00000", "x 1.00100")], False),
    ([("x 1.0", "y 1.0")], False),
    ([("x 1.0", None)], False),
    ([], False),
])  # fmt: skip
def test_the_verdict(pairs, agree):
    assert conclude(pairs) is agree
