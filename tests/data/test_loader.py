"""The DataLoader gives PyTorch's batches, in its order, for the same seed."""

from __future__ import annotations

import collections
import types

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitorch
from minitorch.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate
from tests.data.engines import in_both, numbers, plain, refused_by_both, stream

SAMPLERS = {
    "in order": lambda torch, data, n, g: {},
    "shuffled": lambda torch, data, n, g: {"shuffle": True},
    "generator": lambda torch, data, n, g: {"shuffle": True, "generator": g},
    "generator, in order": lambda torch, data, n, g: {"generator": g},
    "replacement": lambda torch, data, n, g: {
        "sampler": data.RandomSampler(range(n), replacement=True, generator=g)},
    "more than there are": lambda torch, data, n, g: {
        "sampler": data.RandomSampler(range(n), num_samples=2 * n + 1)},
    "subset": lambda torch, data, n, g: {
        "sampler": data.SubsetRandomSampler(range(0, n, 2)), "generator": g},
    "weighted": lambda torch, data, n, g: {
        "sampler": data.WeightedRandomSampler([i + 0.5 for i in range(n)], 2 * n)},
    "weighted, once each": lambda torch, data, n, g: {
        "sampler": data.WeightedRandomSampler([i + 0.5 for i in range(n)], n, False, g)},
    "list": lambda torch, data, n, g: {"sampler": [n - 1, 0, -1]},
}


@given(st.integers(0, 2**63 - 1), st.integers(1, 60), st.integers(1, 20), st.booleans(),
       st.sampled_from(sorted(SAMPLERS)),
       st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=3))
def test_batches_come_in_torchs_order(seed, n, batch_size, drop_last, sampler, passes):
    """Over several passes, some left half-way, with other draws between the batches."""
    def program(torch, data):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed // 3)
        loader = data.DataLoader(numbers(torch, 0, n), batch_size, drop_last=drop_last,
                                 **SAMPLERS[sampler](torch, data, n, generator))
        log = [len(loader)]
        for stop, draw in passes:
            for i, batch in enumerate(loader):
                log.append(batch)
                if draw:
                    log += [torch.bernoulli(torch.full((3,), 0.5)), torch.randn(2)]
                if i == stop:
                    break
            log.append(torch.rand(1))
        return [*log, torch.rand(1, generator=generator)]
    in_both(program)


def test_a_pass_that_is_never_read_draws_only_its_base_seed():
    def program(torch, data):
        torch.manual_seed(1)
        loader = data.DataLoader(numbers(torch, 0, 5), shuffle=True)
        iter(loader)
        return torch.rand(2), len(iter(loader)), next(iter(loader)), torch.rand(2)
    in_both(program)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork beside torch's threads
@pytest.mark.parametrize("persistent", [False, True])
def test_batches_of_workers_come_in_the_same_order(persistent):
    def program(torch, data):
        torch.manual_seed(1)
        loader = data.DataLoader(numbers(torch, 0, 5), 2, shuffle=True, num_workers=1,
                                 persistent_workers=persistent)
        return [list(loader), list(loader), torch.rand(1)]
    in_both(program)


@given(st.integers(0, 20), st.none() | st.integers(1, 6), st.booleans())
def test_streams_are_read_as_in_torch(n, batch_size, drop_last):
    def program(torch, data):
        torch.manual_seed(0)
        loader = data.DataLoader(stream(data, n), batch_size,
                                 drop_last=drop_last and batch_size is not None)
        return len(loader), list(loader), list(loader), torch.rand(1)
    in_both(program)


def test_batches_may_be_named_by_a_batch_sampler_or_not_be_made():
    def program(torch, data):
        dataset = numbers(torch, 0, 6)
        chosen = data.DataLoader(dataset, batch_sampler=[[0, 1, 2], (5, -1), torch.tensor([4, 1])])
        single = data.DataLoader(dataset, batch_size=None)
        arrays = data.DataLoader([np.arange(2), np.float32(1), "a", (1, [2.5])], batch_size=None)
        whole = data.DataLoader(dataset, batch_size=None,
                                sampler=data.BatchSampler(range(6), 4, False))
        return (len(chosen), list(chosen), len(single), list(single), list(arrays), list(whole),
                chosen.batch_size, single.batch_sampler)
    in_both(program)


def test_many_items_may_be_asked_for_at_once():
    def program(torch, data):
        class Squares(data.Dataset):
            def __getitems__(self, indices):
                return [i * i for i in indices]

            def __len__(self):
                return 5
        return list(data.DataLoader(Squares(), batch_size=2)), list(
            data.DataLoader(data.Subset(Squares(), [3, 1]), batch_size=2))
    in_both(program)


@pytest.mark.parametrize("arguments", [
    {"num_workers": -1}, {"timeout": -1}, {"prefetch_factor": 2}, {"persistent_workers": True},
    {"num_workers": 1, "prefetch_factor": -1}, {"multiprocessing_context": "fork"},
    {"num_workers": 1, "multiprocessing_context": "no such method"},
    {"num_workers": 1, "multiprocessing_context": 3},
    {"sampler": [0], "shuffle": True}, {"batch_sampler": [[0]], "shuffle": True},
    {"batch_sampler": [[0]], "batch_size": 2}, {"batch_sampler": [[0]], "sampler": [0]},
    {"batch_sampler": [[0]], "drop_last": True}, {"batch_size": None, "drop_last": True},
    {"batch_size": 0}, {"batch_size": 1.5}, {"drop_last": 1},
    {"stream": True, "shuffle": True}, {"stream": True, "sampler": [0]},
    {"stream": True, "batch_sampler": [[0]]}, {"dataset": [], "shuffle": True},
], ids=str)
def test_arguments_that_torch_refuses_are_refused(arguments):
    def program(torch, data):
        options = dict(arguments)
        dataset = stream(data) if options.pop("stream", False) else [1, 2]
        return data.DataLoader(**{"dataset": dataset, **options})
    assert refused_by_both(program)


def test_arguments_about_workers_and_memory_are_accepted():
    loader = DataLoader([1, 2], num_workers=2, pin_memory=True, prefetch_factor=4, timeout=1,
                        persistent_workers=True, worker_init_fn=print, in_order=False,
                        multiprocessing_context="spawn", pin_memory_device="")
    assert [x.tolist() for x in loader] == [[1], [2]]
    with pytest.raises(ValueError, match="batch_size attribute should not be set"):
        loader.batch_size = 3
    loader.num_workers = 0


# -- collating -------------------------------------------------------------------------------

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


def frozen(x):
    """Comparable, and with the types of the containers."""
    if isinstance(x, (minitorch.Tensor, torch.Tensor)):
        return tuple(x.shape), *plain(x)
    if isinstance(x, dict):
        return type(x).__name__, [(k, frozen(v)) for k, v in x.items()]
    return (type(x).__name__, list(map(frozen, x))) if isinstance(x, (list, tuple)) else x


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


# -- whole batches at once -------------------------------------------------------------------

def item_by_item(batch):
    return default_collate(batch)


@st.composite
def tensor_datasets(draw):
    n = draw(st.integers(1, 12))
    dtypes = st.sampled_from(["f4", "f8", "u1", "i8", "?"])
    shapes = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)
    arrays = [draw(hnp.arrays(draw(dtypes), (n, *draw(shapes))))
              for _ in range(draw(st.integers(1, 3)))]
    dataset = TensorDataset(*map(minitorch.from_numpy, arrays))
    for _ in range(draw(st.integers(0, 2))):
        indices = st.lists(st.integers(-len(dataset), len(dataset) - 1), min_size=1, max_size=9)
        chosen = draw(indices | st.just(range(len(dataset))))
        dataset = Subset(dataset, draw(st.sampled_from([list, np.array]))(chosen))
    return dataset


@given(tensor_datasets(), st.data())
def test_batches_taken_at_once_are_those_taken_item_by_item(dataset, data):
    n = len(dataset)
    batches = data.draw(st.lists(st.one_of(
        st.lists(st.integers(-n, n - 1), min_size=1, max_size=6),
        st.integers(0, n - 1).flatmap(lambda a: st.integers(a + 1, n).map(
            lambda b: list(range(a, b))))), max_size=4))
    fast = list(DataLoader(dataset, batch_sampler=batches))
    slow = list(DataLoader(dataset, batch_sampler=batches, collate_fn=item_by_item))
    assert len(fast) == len(slow)
    for ours, theirs in zip(fast, slow):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            assert a.dtype is b.dtype and a.array.flags.c_contiguous
            np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_is_a_copy(shuffle):
    x = minitorch.arange(6.0)
    for (batch,) in DataLoader(TensorDataset(x), batch_size=2, shuffle=shuffle):
        batch.zero_()
    assert x.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("indices", [[3], [-4], [1, 2, 3], [0.5], [[0]]])
def test_an_index_out_of_range_or_of_another_type_raises(indices):
    dataset = TensorDataset(minitorch.arange(3))
    with pytest.raises((IndexError, TypeError)):
        list(DataLoader(dataset, batch_sampler=[indices]))


def test_a_subclass_with_items_of_its_own_is_not_bypassed():
    class Negated(TensorDataset):
        def __getitem__(self, index):
            return tuple(-x for x in super().__getitem__(index))

    class Renamed(Negated):
        pass

    class Listed(Subset):
        def __getitems__(self, indices):
            return [(i,) for i in indices]
    for kind in (Negated, Renamed):
        for dataset in (kind(minitorch.arange(3)), Subset(kind(minitorch.arange(3)), [0, 1, 2])):
            assert [x.tolist() for (x,) in DataLoader(dataset, batch_size=3)] == [[0, -1, -2]]
    listed = Listed(TensorDataset(minitorch.arange(3)), [2, 1])
    assert [x.tolist() for (x,) in DataLoader(listed, batch_size=2)] == [[0, 1]]


def test_a_collate_fn_is_given_the_items():
    dataset = TensorDataset(minitorch.arange(3))
    loader = DataLoader(dataset, batch_size=2, collate_fn=lambda items: [len(items), *items[0]])
    assert frozen(list(loader)) == frozen([[2, minitorch.tensor(0)], [1, minitorch.tensor(2)]])


@pytest.mark.parametrize("options", [{}, {"transform": lambda x: x.float()},
                                     {"target_transform": lambda y: y % 2}],
                         ids=["plain", "transform", "target_transform"])
def test_the_digits_come_in_the_same_batches_either_way(options):
    digits = minitorch.data.Digits(train=False, **options)
    fast, slow = (next(iter(DataLoader(digits, batch_sampler=[[3, 381, -1, 3]], collate_fn=f)))
                  for f in (None, item_by_item))
    assert frozen(fast) == frozen(slow)
    assert digits.__getbatch__([1]) is NotImplemented or not options


def test_a_dataset_may_offer_whole_batches():
    class Squares(Dataset):
        def __getitem__(self, index):
            raise AssertionError("single items are not asked for")

        def __getbatch__(self, indices):
            return minitorch.tensor(indices) ** 2

        def __len__(self):
            return 3
    assert [x.tolist() for x in DataLoader(Squares(), batch_size=2)] == [[0, 1], [4]]


# -- datasets of others ----------------------------------------------------------------------

def test_torchvisions_datasets_give_the_batches_torchs_loader_gives(
        torchvision: types.ModuleType):
    dataset = torchvision.datasets.FakeData(
        20, (1, 4, 4), transform=torchvision.transforms.ToTensor())
    results = []
    for engine in (minitorch, torch):
        engine.manual_seed(3)
        loader = engine.utils.data.DataLoader(dataset, batch_size=8, shuffle=True)
        results.append([frozen(batch) for batch in loader])
        assert all(isinstance(part, engine.Tensor) for batch in loader for part in batch)
    assert results[0] == results[1]


def test_torchs_datasets_and_streams_are_read():
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter([torch.tensor(1.0, requires_grad=True), torch.tensor(2.0)])
    mapped = torch.utils.data.TensorDataset(torch.arange(3), torch.arange(3.0))
    assert frozen(list(DataLoader(Stream(), batch_size=2))) == (
        "list", [((2,), "torch.float32", [1.0, 2.0])])
    assert frozen(list(DataLoader(mapped, batch_size=3))) == frozen(
        list(torch.utils.data.DataLoader(mapped, batch_size=3)))


def test_programs_may_import_from_torchs_files():
    import minitorch.utils.data.dataloader
    from minitorch.utils.data.dataset import random_split
    from minitorch.utils.data.sampler import SubsetRandomSampler

    assert minitorch.utils.data.dataloader.DataLoader is DataLoader
    assert random_split is minitorch.utils.data.random_split
    assert SubsetRandomSampler is minitorch.utils.data.SubsetRandomSampler
    assert minitorch.utils.data.get_worker_info() is None
