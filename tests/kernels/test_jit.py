"""What is compiled is kept on disk, and whatever becomes of that, results are right."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.kernels import jit

LOOP = """\
def loop(c, x, g):
    lr = c[0]
    for i in range(x.size):
        x[i] = x[i] - lr * g[i]"""
build = jit.compiled.__wrapped__  # each call as in a new process


def right(loop: Any) -> bool:
    x, g = np.arange(5.0), np.ones(5)
    g.flags.writeable = False
    loop(np.array([0.5]), x, g)
    return bool((x == np.arange(5.0) - 0.5).all())


@pytest.fixture
def kept(numba: Any, tmp_path: Path, monkeypatch: Any) -> Path:
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    return tmp_path / "kept"


def test_a_second_process_compiles_nothing(kept: Path) -> None:
    first, second = (build(LOOP, np.dtype(float), 2) for _ in range(2))
    assert right(first) and right(second)
    assert sum(first.stats.cache_misses.values()) == 1 and not first.stats.cache_hits
    assert sum(second.stats.cache_hits.values()) == 1 and not second.stats.cache_misses
    other = build(LOOP, np.dtype(np.float32), 2)
    assert sum(other.stats.cache_misses.values()) == 1
    assert len(list(kept.glob("*.py"))) == 1


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(
        numba: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / "file"))
    assert right(build(LOOP, np.dtype(float), 2))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_may_be_read_only(kept: Path) -> None:
    kept.mkdir()
    kept.chmod(0o500)
    assert right(build(LOOP, np.dtype(float), 2))


@pytest.mark.parametrize("spoilt", ["*.py", "__pycache__/*.nbi", "__pycache__/*.nbc"])
def test_a_spoilt_file_is_not_used(kept: Path, spoilt: str) -> None:
    assert right(build(LOOP, np.dtype(float), 2))
    files = list(kept.glob(spoilt))
    assert files
    for file in files:
        file.write_bytes(b"spoilt")
    assert right(build(LOOP, np.dtype(float), 2))


def test_writers_at_the_same_time_leave_one_whole_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MINITORCH_CACHE_DIR", str(tmp_path / "new" / "folder"))
    text = "# a text\n" * 10_000
    paths: list[str | None] = []
    seen: list[bool] = []

    def write() -> None:
        path = jit.written(text)
        paths.append(path)
        seen.append(path is not None and Path(path).read_text() == text)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 1 and all(seen)
    assert [str(p) for p in (tmp_path / "new" / "folder").iterdir()] == [paths[0]]


def test_the_folder_is_the_users(monkeypatch: Any) -> None:
    for name in ("MINITORCH_CACHE_DIR", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", os.path.join(os.sep, "some", "where"))
    assert jit.folder() == os.path.join(os.sep, "some", "where", "minitorch")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert jit.folder() == os.path.join(os.path.expanduser("~"), ".cache", "minitorch")
    monkeypatch.setenv("MINITORCH_CACHE_DIR", "here")
    assert jit.folder() == "here"


def test_without_numba_there_are_no_kernels(monkeypatch: Any) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not minitorch.backends.numba.is_available()
    assert jit._numba.__wrapped__() is None


def test_a_numba_that_does_not_load_is_said_and_not_used(tmp_path: Path) -> None:
    """As one does that refuses a newer NumPy."""
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 1.9 or less')")
    code = ("import warnings, minitorch as torch; x = torch.ones(100_000, requires_grad=True)\n"
            "x.grad = torch.ones(100_000); optimizer = torch.optim.SGD([x], lr=0.5)\n"
            "with warnings.catch_warnings(record=True) as found:\n"
            "    warnings.simplefilter('always'); optimizer.step(); optimizer.step()\n"
            "print(*[w.message for w in found], x.sum().item())")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path),
                                                                           os.getcwd()])})
    assert out.stdout == ("Numba is installed but cannot be loaded (Numba needs NumPy 1.9 or less)"
                          "; optimizers run without it 0.0\n")


@pytest.mark.parametrize(("value", "enabled"), [("0", False), ("1", True), (None, True)])
def test_the_environment_is_a_switch_too(value: str | None, enabled: bool) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "MINITORCH_NUMBA"}
    if value is not None:
        environment["MINITORCH_NUMBA"] = value
    out = subprocess.run([sys.executable, "-c", "import minitorch; "
                          "print(minitorch.backends.numba.enabled)"],
                         capture_output=True, text=True, check=True, env=environment)
    assert out.stdout.strip() == str(enabled)
