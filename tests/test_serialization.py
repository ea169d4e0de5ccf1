"""What is saved is what is loaded, or refused by name."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter, OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitorch
from minitorch.nn.parameter import Parameter
from tests.saved import same, there_and_back

pytest.importorskip("safetensors")


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
