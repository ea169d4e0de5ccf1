"""Items become batches as in PyTorch: types, structures, numbers, errors."""

from __future__ import annotations

import collections

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.utils.data import default_collate
from tests.data.engines import frozen, in_both, refused_by_both

Pair = collections.namedtuple("Pair", "a b")
LEAVES = {
    "int": lambda rng: int(rng.integers(-9, 9)), "bool": lambda rng: bool(rng.integers(2)),
    "float": lambda rng: float(rng.normal()), "str": lambda rng: str(rng.integers(9)),
    "bytes": lambda rng: bytes(rng.integers(0, 9, 2).tolist()),
    **{f"scalar {d}": lambda rng, d=d: np.dtype(d).type(rng.integers(2))
       for d in ("f2", "f4", "f8", "u1", "i4", "i8", "?")},
    **{f"{kind} {d} {shape}": lambda rng, kind=kind, d=d, shape=shape: (
        kind, rng.integers(0, 5, shape).astype(d))
       for kind in ("array", "tensor", "strided") for d in ("f4", "f8", "u1", "i8", "?")
       for shape in ((), (0,), (2, 3))},
}
structures = st.recursive(st.sampled_from(sorted(LEAVES)), lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple),
    st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    st.tuples(inner, inner).map(lambda ab: Pair(*ab)),
    st.dictionaries(st.integers(0, 3), inner, max_size=2).map(collections.OrderedDict)),
    max_leaves=5)


def sample(structure, rng, torch):
    """An item of the drawn structure, with fresh values."""
    if isinstance(structure, str):
        leaf = LEAVES[structure](rng)
        if not isinstance(leaf, tuple):
            return leaf
        kind, array = leaf
        if kind == "strided":
            array = np.stack([array, array], -1)[..., 1]
        return array if kind == "array" else torch.from_numpy(np.asarray(array))
    if isinstance(structure, dict):
        return type(structure)((k, sample(v, rng, torch)) for k, v in structure.items())
    parts = [sample(part, rng, torch) for part in structure]
    return Pair(*parts) if isinstance(structure, Pair) else type(structure)(parts)


@given(structures, st.integers(1, 4), st.integers(0, 99))
def test_collating_and_converting_agree_with_torch(structure, n, seed):
    results = []
    for engine, own in ((minitorch, minitorch), (torch, torch), (minitorch, torch)):
        rng = np.random.default_rng(seed)
        batch = [sample(structure, rng, own) for _ in range(n)]
        data = engine.utils.data
        results.append((data.default_collate(batch), data.default_convert(batch[0])))
    ours, theirs, converted = map(frozen, results)
    assert ours == theirs
    assert converted == theirs  # PyTorch's own tensors, in our loader
    assert kinds(results[2]) == kinds(results[0])


def flat(x):
    return [v for part in x for v in flat(part)] if isinstance(x, list) else [x]


def kinds(x):
    if isinstance(x, dict):
        return [kinds(v) for v in x.values()]
    return list(map(kinds, x)) if isinstance(x, (list, tuple)) else type(x)


@pytest.mark.parametrize("numbers", [
    [1, 2.5], [2.5, 1], [True, 2], [np.float32(1), 2.0], [np.float16(1), np.int64(2)],
    [np.int32(1), np.int64(2)], [np.float64(1), np.float32(2)], [1, np.float64(2)]], ids=str)
def test_mixed_numbers_become_what_torch_makes_of_them(numbers):
    in_both(lambda torch, data: data.default_collate(numbers))


@pytest.mark.parametrize(("make", "message"), [
    (lambda torch: [{"a": (1, None)}], r"found <class 'NoneType'> as item\['a'\]\[1\]"),
    (lambda torch: [(1, 2 + 1j)], r"found <class 'complex'> as item\[1\]"),
    (lambda torch: [np.array(["a"])], "found <U1 as item"),
    (lambda torch: [1.5, None], "found <class 'NoneType'> as item"),
    (lambda torch: [(torch.zeros(2, 3), 0), (torch.zeros(2, 4), 0)],
     r"\[2, 3\] at entry 0 and \[2, 4\] at entry 1.*item\[0\] of 2 samples"),
    (lambda torch: [[1, 2], [3]], "item has 2 entries in sample 0 and 1 in sample 1"),
    (lambda torch: [{"a": 1}, {"b": 1}], "item of sample 1 has no key 'a'"),
    (lambda torch: [torch.zeros(2), np.zeros(2)], "element 1"),
    (lambda torch: [], "list index out of range"),
])
def test_what_cannot_be_collated_is_named(make, message):
    assert refused_by_both(lambda torch, data: data.default_collate(make(torch)))
    with pytest.raises(Exception, match=message):
        default_collate(make(minitorch))


def test_images_are_refused_with_advice():
    image = pytest.importorskip("PIL.Image").new("L", (2, 2))
    with pytest.raises(TypeError, match=r"found <class 'PIL.* as item\[0\].*ToTensor"):
        default_collate([(image, 1)])


def test_a_container_with_attributes_keeps_them():
    def program(torch, data):
        class Named(dict):
            name = "?"
        item = Named(x=1)
        item.name = "first"
        batch = data.default_collate([item, Named(x=2)])
        return batch.name, type(batch).__name__, dict(batch)
    assert in_both(program)[:2] == ("first", "Named")


def test_gradients_flow_through_a_batch():
    def program(torch, data):
        x, w = torch.arange(4.0), torch.tensor([3.0, 1.0, 2.0])
        x.requires_grad_()
        dataset = data.TensorDataset(x)
        for batch_sampler in ([[3, 1, 3]], [[0, 1, 2]]):
            (batch,) = next(iter(data.DataLoader(dataset, batch_sampler=batch_sampler)))
            (batch * w).sum().backward()
        return x.grad
    in_both(program)
