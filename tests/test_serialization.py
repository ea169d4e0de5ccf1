"""What is saved is what is loaded, a file is whole or untouched, and no file can do harm."""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitorch
from minitorch import serialization
from minitorch.nn.parameter import Parameter

library = pytest.importorskip("safetensors")
pytest.importorskip("safetensors.numpy")


def there_and_back(obj, **options):
    file = io.BytesIO()
    minitorch.save(obj, file)
    file.seek(0)
    return minitorch.load(file, **options)


def same(a, b):
    """Equal in type, structure and every bit (nan is nan; 0.0 is not -0.0)."""
    if type(a) is not type(b):
        return False
    if isinstance(a, minitorch.Tensor):
        return a.requires_grad == b.requires_grad and same(a.array, b.array)
    if isinstance(a, np.ndarray):
        native = a.astype(a.dtype.newbyteorder("="))
        return native.dtype == b.dtype and a.shape == b.shape and native.tobytes() == b.tobytes()
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and same(a.item(), b.item())
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


# -- round trips -----------------------------------------------------------------------------

DTYPES = ["f2", "f4", "f8", "u1", "i1", "i2", "i4", "i8", "?"]
LAYOUTS = {
    "plain": lambda x: x, "transposed": lambda x: x.T, "reversed": lambda x: x[..., ::-1],
    "every other": lambda x: x[..., ::2], "expanded": lambda x: np.broadcast_to(x, (2, *x.shape)),
}


@st.composite
def arrays(draw, dtypes=DTYPES):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    layout = draw(st.sampled_from(sorted(LAYOUTS) if shape else ["plain", "expanded"]))
    return LAYOUTS[layout](draw(hnp.arrays(draw(st.sampled_from(dtypes)), shape)))


@st.composite
def tensors(draw):
    x = minitorch.from_numpy(draw(arrays()))
    wanted = x.is_floating_point() and draw(st.booleans())
    return Parameter(x, wanted) if draw(st.booleans()) else x.requires_grad_(wanted)


scalars = st.sampled_from([*DTYPES, "u2", "u4", "u8"]).flatmap(
    lambda dtype: hnp.arrays(dtype, ()).map(lambda x: x[()]))
keys = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
                    | st.text(max_size=3) | scalars.filter(lambda x: x == x),
                    lambda inner: st.lists(inner, max_size=2).map(tuple), max_leaves=2)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), scalars, tensors(),
    arrays([*DTYPES, "u2", "u4", "u8", ">f4", ">i2"]), st.sampled_from([
        minitorch.float32, minitorch.bool, minitorch.device("cpu"), minitorch.Size((2, 0)),
        minitorch.device("cuda:1"), "\ud800", "__metadata__", 2**80]))
objects = st.recursive(leaves, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple),
    *(st.dictionaries(keys, inner, max_size=3).map(kind) for kind in (dict, OrderedDict, Counter))),
    max_leaves=8)


@given(objects)
def test_what_is_saved_is_what_is_loaded(obj):
    assert same(obj, there_and_back(obj))


def test_paths_of_every_kind_and_files_are_written_and_read(tmp_path):
    obj = {"x": minitorch.randn(3)}
    for path in (tmp_path / "a", str(tmp_path / "b"), os.fsencode(tmp_path / "c")):
        minitorch.save(obj, path)
        assert same(minitorch.load(path), obj)
    with open(tmp_path / "d", "wb") as file:
        minitorch.save(obj, file)
    with open(tmp_path / "d", "rb") as file:
        assert same(minitorch.load(file, weights_only=True), obj)
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c", "d"]


def test_a_checkpoint_of_nested_states_comes_back():
    """Int keys stay ints, nan and inf stay themselves, and so do tuples."""
    w = Parameter(minitorch.randn(2, 3))
    state = OrderedDict({"fc.weight": w.detach(), "fc.bias": minitorch.zeros(2)})
    state._metadata = OrderedDict({"": {"version": 1}})
    checkpoint = {
        "epoch": 3, "model": state, "loss": [float("nan"), float("inf"), -0.0],
        "optimizer": {"state": {0: {"step": minitorch.tensor(5.0), "exp_avg": w.detach() / 2}},
                      "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0]}]},
        "scheduler": {"milestones": Counter({30: 1}), "base_lrs": [np.float64(0.1)]},
        "rng": minitorch.get_rng_state()}
    loaded = there_and_back(checkpoint)
    assert same(checkpoint, loaded)
    assert loaded["model"]._metadata == state._metadata


def test_training_continues_from_a_file_as_if_never_stopped(tmp_path):
    nn, x = minitorch.nn, minitorch.randn(8, 3)

    def fresh():
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        return model, minitorch.optim.Adam(model.parameters(), lr=0.1)

    def train(model, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()

    model, optimizer = fresh()
    train(model, optimizer)
    minitorch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()},
                   tmp_path / "checkpoint")
    train(model, optimizer)
    resumed, its_optimizer = fresh()
    checkpoint = minitorch.load(tmp_path / "checkpoint")
    resumed.load_state_dict(checkpoint["model"])
    its_optimizer.load_state_dict(checkpoint["optimizer"])
    train(resumed, its_optimizer)
    assert same(dict(model.state_dict()), dict(resumed.state_dict()))
    with pytest.raises(TypeError, match=r"obj\['model'\] of type .*Sequential: .*state_dict\(\)"):
        minitorch.save({"model": model}, tmp_path / "whole")


def test_requires_grad_is_kept_where_torch_keeps_it():
    results = []
    for engine in (minitorch, torch):
        x = engine.randn(3, requires_grad=True)
        frozen = engine.nn.Parameter(engine.ones(2), requires_grad=False)
        file = io.BytesIO()
        engine.save([x, x * 2, x.detach(), engine.nn.Parameter(engine.ones(2)), frozen], file)
        file.seek(0)
        results.append([(y.requires_grad, y.is_leaf, type(y).__name__, y.grad)
                        for y in engine.load(file)])
    assert results[0] == results[1]


def test_loaded_tensors_can_be_trained():
    x = there_and_back(minitorch.ones(3, requires_grad=True))
    (x * x).sum().backward()
    with minitorch.no_grad():
        x -= x.grad
    assert x.tolist() == [-1, -1, -1]


def test_tensors_on_the_same_memory_are_written_once_and_share_it_again():
    w = minitorch.randn(50, 50)
    tied, half = {"a": w, "b": w.detach(), "c": Parameter(w)}, {"a": w, "b": w[:25]}
    once, thrice, apart = (_size(x) for x in ({"a": w}, tied, half))
    assert thrice < once + 1000 and apart > once + 25 * 50 * 4
    loaded = there_and_back(tied)
    loaded["a"].zero_()
    assert not loaded["b"].any() and not loaded["c"].any()
    assert loaded["b"]._version == loaded["c"]._version == loaded["a"]._version == 1
    halves = there_and_back(half)
    halves["a"].zero_()
    assert halves["b"].any()


def test_views_that_start_together_stay_apart():
    x = np.arange(16, dtype=np.float32).reshape(4, 4)
    views = [x, x.T, x.view(np.int32), x[:2], x.reshape(16), np.broadcast_to(x[:1], (4, 4))]
    assert same([view.copy() for view in views], there_and_back(views))


@pytest.mark.parametrize("dtype", [">f4", ">i8", "<f8", ">u2"])
def test_arrays_of_either_byte_order_come_back_in_the_native_one(dtype):
    assert same(np.arange(5).astype(dtype), there_and_back(np.arange(5).astype(dtype)))


def _size(obj):
    file = io.BytesIO()
    minitorch.save(obj, file)
    return len(file.getvalue())


def test_names_that_meet_stay_apart():
    a, b, c, d = (minitorch.tensor(float(i)) for i in range(4))
    obj = {"x.y": a, "x": {"y": b, 1: c, "1": d}, "__metadata__": a + 9, "": b + 9, "x.y#2": c + 9}
    assert same(obj, there_and_back(obj))


def test_state_dicts_travel_to_and_from_other_programs(tmp_path):
    theirs = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    state = OrderedDict({"fc.weight": minitorch.randn(3, 2).t(), "fc.n": minitorch.tensor(7)})
    minitorch.save(state, path)
    read = theirs.load_file(path)
    assert read.keys() == state.keys()
    assert all((read[k].numpy() == state[k].numpy()).all() for k in state)
    theirs.save_file(read, path, {"format": "pt"})
    again = minitorch.load(path)  # in that program's order
    assert same({k: again[k] for k in state}, dict(state))
    for dtype, name in ((torch.bfloat16, "BF16"), (torch.uint16, "uint16")):
        theirs.save_file({"x": torch.zeros(2, dtype=dtype)}, path)
        with pytest.raises(ValueError, match=name):
            minitorch.load(path)


# -- refusals --------------------------------------------------------------------------------

class Model:
    def state_dict(self):
        return {}


Point = namedtuple("Point", "x y")
loop: list = []
loop.append({"again": loop})


@pytest.mark.parametrize(("obj", "error", "message"), [
    ({"model": Model()}, TypeError, r"obj\['model'\] of type .*Model: save its state_dict\(\)"),
    ([{1, 2}], TypeError, r"obj\[0\] of type set"),
    ({"x": (1, print)}, TypeError, r"obj\['x'\]\[1\] of type builtin_function"),
    (defaultdict(list), TypeError, "plain dict"), (Point(1, 2), TypeError, "plain tuple"),
    (1 + 2j, TypeError, "complex"), (b"bytes", TypeError, "bytes"),
    (np.array(["a"]), TypeError, "array of <U1"), (np.zeros(2, "c8"), TypeError, "complex64"),
    (np.array([None]), TypeError, "array of object"), (np.str_("a"), TypeError, "str_"),
    (torch.zeros(2), TypeError, "from_numpy"),
    ({minitorch.tensor(1): 2}, TypeError, "a key of obj of type .*Tensor"),
    ({(1, print): 2}, TypeError, "a key of obj"),
    (loop, ValueError, r"obj\[0\]\['again'\]: this list contains itself"),
])
def test_what_cannot_be_represented_is_refused_and_nothing_written(tmp_path, obj, error, message):
    path, file = tmp_path / "file", io.BytesIO()
    minitorch.save(1, path)
    for target in (path, tmp_path / "new", file):
        with pytest.raises(error, match=message):
            minitorch.save(obj, target)
    assert minitorch.load(path) == 1 and os.listdir(tmp_path) == ["file"]
    assert not file.getvalue()


def test_a_missing_folder_or_file_is_named(tmp_path):
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist"):
        minitorch.save(1, tmp_path / "nowhere" / "file")
    with pytest.raises(FileNotFoundError):
        minitorch.load(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError):
        minitorch.save(1, tmp_path)
    with pytest.raises(TypeError):
        minitorch.save(tmp_path, {"the": "wrong way round"})


def test_files_of_text_are_refused(tmp_path):
    with open(tmp_path / "text", "w+") as file:
        with pytest.raises(TypeError):
            minitorch.save(1, file)
        with pytest.raises(TypeError, match="binary reading"):
            minitorch.load(file)


def test_without_the_library_its_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"minitorch-xp\[save\]"):
        minitorch.save(1, tmp_path / "file")
    assert not os.listdir(tmp_path)


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
