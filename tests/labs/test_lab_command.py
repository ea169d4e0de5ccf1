"""``minitorch lab NAME`` saves numbers and pictures, and says what was seen."""

from __future__ import annotations

import json
import sys

import pytest

import minitorch.__main__ as command
from minitorch.cli import lab as lab_command
from minitorch.labs import LABS
from tests.labs.toy import tables, toy

pytest.importorskip("matplotlib")


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "minitorch.labs.toy", toy())
    for module in command, lab_command:
        monkeypatch.setattr(module, "LABS", {"toy": "whether it falls"})
    return lambda *more: command.main(["lab", "toy", "--out", str(tmp_path / "new"), *more])


def test_numbers_pictures_and_claims(lab, tmp_path, capsys):
    assert lab("--quick", "--seed", "3") == 0
    out = capsys.readouterr().out
    assert "xavier  2  cost -inf" in out and "seen      costs fall & stay: 3.000 < 2" in out
    assert "2 pictures saved" in out and "falling" not in out
    folder = tmp_path / "new"
    saved = json.loads((folder / "toy.json").read_text())
    assert saved["tables"]["summary"]["cost"] == [3.0, "-inf"]
    assert saved["about"]["seed"] == 3 and saved["about"]["pixels"] == 64
    assert {f.name for f in folder.iterdir()} == {
        "toy.json", "toy-curve.png", "toy-wide-curve.png", *(f"toy-{t}.csv" for t in tables())}


def test_the_other_engine_and_progress_by_line(lab, tmp_path, capsys):
    pytest.importorskip("torch")
    assert lab("--engine", "torch", "--progress", "--no-pictures") == 0
    assert "  falling under torch\n" in capsys.readouterr().out
    assert {f.suffix for f in (tmp_path / "new").iterdir()} == {".json", ".csv"}
    saved = json.loads((tmp_path / "new" / "toy-torch.json").read_text())
    assert saved["about"]["engine"] == "torch"


def test_an_engine_that_is_missing_is_said_before_anything_runs(lab, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert lab("--engine", "torch") == 2
    assert "not installed" in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_list_and_refusals(capsys):
    assert command.main(["lab", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(LABS)
    assert command.main(["lab"]) == 2 and "say which" in capsys.readouterr().err
    assert command.main(["lab", "rbm", "--quick", "--data", "x"]) == 2
    assert "leave --data out" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["lab", "nothing"])
