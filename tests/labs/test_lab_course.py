"""``minitorch lab all`` runs every lab once, goes on where it stopped, and hides no failure."""

from __future__ import annotations

import json
import sys
from itertools import islice

import pytest

from minitorch import labs
from minitorch.__main__ import main
from minitorch.cli import course
from minitorch.cli.lab import fingerprint, splits
from minitorch.labs import backprop

pytest.importorskip("matplotlib")
page = pytest.importorskip("minitorch.labs.page")


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command, with the quickest lab alone."""
    for module in course, page:
        monkeypatch.setattr(module, "LABS", {"backprop": "the chain rule by hand"})
    return lambda *more: main(["lab", "all", "--quick", "--engine", "minitorch", "--out",
                               str(tmp_path / "new"), *more])


def test_what_was_run_is_not_run_again(command, tmp_path, capsys, monkeypatch):
    draw = backprop.draw
    monkeypatch.setattr(backprop, "draw", lambda result: islice(draw(result), 1))  # they take time
    assert command() == 0
    out = capsys.readouterr().out
    assert "claims seen" in out and "1 runs" in out and "index.html" in out
    folder = tmp_path / "new"
    saved = (folder / "backprop.json").read_text()
    assert list(folder.glob("*.png")) and not list(folder.glob("*.log"))
    (folder / "index.html").unlink()

    monkeypatch.setattr(page, "pictures", lambda *_: iter(()))
    assert command() == 0  # nothing to do but the report
    assert "1 of 1 runs are in" in capsys.readouterr().out
    assert (folder / "backprop.json").read_text() == saved
    assert "claims were seen" in (folder / "index.html").read_text()

    data, task = fingerprint(*splits(None, False)), ("backprop", "minitorch")
    assert course.there(folder, task, data, 777)
    assert not course.there(folder, task, data, 778)
    assert not course.there(folder, ("backprop", "torch"), data, 777)
    assert not course.there(folder, task, {**data, "data": "other images"}, 777)
    changed = json.loads(saved)
    changed["about"]["code"] = "that of another day"
    (folder / "backprop.json").write_text(json.dumps(changed))
    assert not course.there(folder, task, data, 777)


def test_a_failure_is_said_and_kept(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(course.sys, "executable", "false")
    assert command() == 1
    assert "failed" in capsys.readouterr().out
    assert "The run with minitorch failed" in (tmp_path / "new" / "index.html").read_text()
    assert (tmp_path / "new" / "backprop.log").exists()


def test_an_interruption_ends_the_runs_too(command, capsys, monkeypatch):
    children = []

    def stop(screen, what):
        raise KeyboardInterrupt if what else SystemExit

    start = course.Child.__init__

    def started(self, *arguments):
        start(self, *arguments)
        children.append(self.process)

    monkeypatch.setattr(course.Child, "__init__", started)
    monkeypatch.setattr(course.Screen, "busy", lambda self, what: what and stop(self, what))
    assert command() == 130
    assert "goes on with" in capsys.readouterr().out
    assert [child.poll() for child in children] == [-9]


def test_without_data_nothing_starts(tmp_path, capsys):
    assert main(["lab", "all", "--data", str(tmp_path), "--out", str(tmp_path / "new")]) == 2
    assert "MNIST is not in" in capsys.readouterr().err and not (tmp_path / "new").exists()


@pytest.mark.parametrize("missing", ["jinja2", "pygments", "matplotlib.backends.backend_agg"])
def test_what_the_report_needs_is_said_before_all_the_work(missing, command, tmp_path, capsys,
                                                           monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "minitorch.labs.page")
    monkeypatch.delattr(labs, "page")
    assert command() == 2
    assert "minitorch-xp[cli]" in capsys.readouterr().err and not (tmp_path / "new").exists()
