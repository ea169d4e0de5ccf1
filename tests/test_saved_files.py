"""A file is whole or untouched, and no file can do harm."""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import serialization
from minitorch.nn.parameter import Parameter
from tests.saved import same, there_and_back

library = pytest.importorskip("safetensors")
pytest.importorskip("safetensors.numpy")


# -- damaged and foreign files ---------------------------------------------------------------

SAMPLE = {"x": minitorch.tensor([[1.5, -2.0], [0.0, 4.0]]), "n": [3, 0.25, "text", None, True],
          "p": Parameter(minitorch.ones(2)), "e": np.zeros((0, 3), np.int64)}


@given(st.data())
def test_damage_is_noticed(data):
    """One byte changed, some cut off or added: an error, or (in blanks) no loss at all."""
    file = io.BytesIO()
    minitorch.save(SAMPLE, file)
    content = bytearray(file.getvalue())
    place = data.draw(st.integers(0, len(content) - 1))
    damage = data.draw(st.sampled_from(["change", "cut", "add", "swap"]))
    if damage == "change":
        content[place] ^= data.draw(st.integers(1, 255))
    elif damage == "cut":
        del content[place:]
    elif damage == "add":
        content[place:place] = data.draw(st.binary(min_size=1, max_size=9))
    else:
        content[place:] = content[place:][::-1]
    try:
        loaded = minitorch.load(io.BytesIO(bytes(content)))
    except ValueError as error:
        assert "cannot load" in str(error)
    else:
        assert same(loaded, SAMPLE)


class Trap:
    def __reduce__(self):
        return exec, ("raise SystemExit('the file ran code')",)


@pytest.mark.parametrize(("content", "message"), [
    (b"", "nothing is left"), (b"plain text, not tensors at all", "damaged, or not a file"),
    (bytes(100), "damaged, or not a file"), (pickle.dumps(Trap()), "looks like a pickle"),
    (pickle.dumps([1], protocol=0), "damaged, or not a file"),
], ids=["empty", "text", "zeros", "pickle", "old pickle"])
def test_foreign_files_are_refused_and_never_run(tmp_path, content, message):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        minitorch.load(tmp_path / "file", weights_only=False)


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch_save_are_refused_with_advice(tmp_path, zipped):
    torch.save({"x": torch.zeros(2), "trap": Trap()}, tmp_path / "model.pt",
               _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"model\.pt: it looks like a .* as torch\.save writes"):
        minitorch.load(tmp_path / "model.pt")


def written(structure, arrays=(), **changes):
    """A file with any structure and a right checksum."""
    arrays, text = dict(arrays), json.dumps(structure)
    metadata = {"minitorch": "1", "structure": text,
                "crc32": serialization._checksum(text, arrays), **changes}
    return io.BytesIO(library.numpy.save(arrays, metadata))


@pytest.mark.parametrize(("file", "message"), [
    (written({"module": "os.system"}), "unknown type 'module'"),
    (written({"tensor": "absent"}), "absent"), (written({}), "unknown type"),
    (written({"dict": [1]}), "makes no sense"), (written({"dict": [[[], 1]]}), "makes no sense"),
    (written({"dtype": "os"}), "makes no sense"), (written(1, minitorch="2"), "version 2"),
    (written(1, crc32="0"), "checksum"),
])
def test_structures_that_save_never_writes_are_refused(file, message):
    with pytest.raises(ValueError, match=message):
        minitorch.load(file)


# -- devices ---------------------------------------------------------------------------------

def on_a_gpu():
    return written([{"tensor": "x", "device": "cuda:0", "requires_grad": True}],
                   {"x": np.ones(2)})


@pytest.mark.parametrize("map_location", [
    "cpu", minitorch.device("cpu"), {"cuda:0": "cpu"}, lambda x, device: x,
    lambda x, device: x if device == "cuda:0" else None])
def test_tensors_of_a_gpu_are_loaded_where_map_location_says(map_location):
    assert same(minitorch.load(on_a_gpu(), map_location),
                [minitorch.ones(2, dtype=minitorch.float64, requires_grad=True)])
    assert same(there_and_back(SAMPLE, map_location=map_location), SAMPLE)


@pytest.mark.skipif(minitorch.backend.cuda_count() > 0, reason="a GPU is there")
@pytest.mark.parametrize("map_location", [None, {}, "cuda", lambda x, device: None])
def test_a_missing_gpu_is_an_error_that_says_map_location(map_location):
    with pytest.raises(RuntimeError, match="map_location='cpu'"):
        minitorch.load(on_a_gpu(), map_location)


# -- all or nothing --------------------------------------------------------------------------

class Failure(Exception):
    pass


def failing(*args, **kwargs):
    raise Failure


def half_written(path, mode):
    """A file whose disk is full after half of the content."""
    file = open(path, mode)

    class Half:
        def __enter__(self):
            return self

        def __exit__(self, *exc):
            file.close()

        def write(self, content):
            file.write(content[: len(content) // 2])
            file.flush()
            raise Failure
    return Half()


@pytest.mark.parametrize(("where", "name", "fault"), [
    (serialization, "open", half_written), (os, "fsync", failing), (os, "replace", failing),
    (serialization.shutil, "copymode", failing)])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, where, name, fault):
    path = tmp_path / "file"
    minitorch.save({"old": minitorch.ones(100)}, path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(where, name, fault, raising=False)
        with pytest.raises(Failure):
            minitorch.save({"new": minitorch.zeros(100)}, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["file"]


def test_a_process_that_dies_while_saving_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    minitorch.save("old", path)
    program = ("import os, sys, minitorch; os.fsync = lambda fd: os._exit(9);"
               "minitorch.save('new', sys.argv[1])")
    assert subprocess.run([sys.executable, "-c", program, path]).returncode == 9
    assert minitorch.load(path) == "old"


def test_the_content_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    path, log = tmp_path / "file", []

    def noted(name, function):
        def call(*args):
            log.append((name, path.exists()))
            return function(*args)
        monkeypatch.setattr(os, name, call)
    noted("fsync", os.fsync)
    noted("replace", os.replace)
    minitorch.save(1, path)
    assert log == [("fsync", False), ("replace", False), *[("fsync", True)] * (os.name == "posix")]


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_modes_links_and_devices_are_respected(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    (tmp_path / "usual").touch()
    minitorch.save(1, path)
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode
    path.chmod(0o640)
    link.symlink_to(path)
    minitorch.save(2, link)
    assert link.is_symlink() and minitorch.load(path) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    minitorch.save(3, os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
