"""``minitorch optimizers``: what it prints, draws and refuses."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

import minitorch
from minitorch.__main__ import main
from minitorch.labs.contest import CONTESTANTS, SURFACES, walk
from tests.test_cli import png_pixels


def rows(text: str) -> dict[str, list[str]]:
    """The table: each optimizer's columns."""
    found = {}
    for line in text.splitlines():
        label = next((w.label for w in reversed(CONTESTANTS) if line.startswith(w.label)), None)
        if label:
            found[label] = line[len(label):].split()
    return found


def test_it_prints_a_row_for_each_and_saves_a_picture(tmp_path: Any, capsys: Any) -> None:
    picture = tmp_path / "all.png"
    assert main(["optimizers", "--steps", "30", "--epochs", "1", "--plot", str(picture)]) == 0
    out, err = capsys.readouterr()
    table = rows(out)
    assert list(table) == [who.label for who in CONTESTANTS] and err == ""
    for row in table.values():
        surface, saddle, cost, accuracy, step, _, update, _ = row
        assert -1 <= float(saddle) < 1.5 and 0 <= float(surface) < 1000 and float(cost) < 5
        assert 0 < float(accuracy.rstrip("%")) <= 100
        assert 0 < int(update.replace(",", "")) <= int(step.replace(",", ""))
    assert len({tuple(row[:3]) for row in table.values()}) > 10, "they must not all be the same"
    width, height, values = png_pixels(picture)
    assert width > 1500 and height > 1500 and len(values) > 50


def test_all_ten_of_the_course_take_part() -> None:
    course = {"SGD", "Adadelta", "Adagrad", "Adam", "SparseAdam", "Adamax", "ASGD", "LBFGS",
              "RMSprop", "Rprop"}
    assert course <= {who.optimizer for who in CONTESTANTS}


@pytest.mark.parametrize("who", CONTESTANTS, ids=lambda who: who.label)
def test_every_walk_goes_down(who: Any) -> None:
    for surface in SURFACES:
        path = walk(minitorch, who, surface, 150)
        assert len(path) == 151 and path[0] == surface.start
        assert surface.f(*path[-1]) < 0.9 * surface.f(*path[0])


def test_what_cannot_work_is_said_before_training(capsys: Any) -> None:
    for arguments in (["--plot", "no/such/folder/x.png"], ["--data", "no/such/folder"]):
        assert main(["optimizers", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == "" and "no/such/folder" in err


def test_ctrl_c_ends_with_what_was_run(tmp_path: Any) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "minitorch", "optimizers", "--plot", "part.png"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("SGD, momentum"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err == ""
    assert "Stopped after 2 of 14" in out and (tmp_path / "part.png").exists()
