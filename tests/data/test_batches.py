"""Batches taken at once are those taken item by item."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitorch
from minitorch.utils.data import DataLoader, Dataset, Subset, TensorDataset, default_collate
from tests.data.engines import frozen


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
