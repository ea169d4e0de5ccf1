"""Datasets give the items, lengths, splits and errors that PyTorch's give."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.data.engines import in_both, numbers, refused_by_both, stream


@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.integers(-10, 10))
def test_datasets_in_a_row_are_indexed_as_one(lengths, index):
    def program(torch, data):
        whole = data.ConcatDataset([numbers(torch, 10 * i, 10 * i + n)
                                    for i, n in enumerate(lengths)])
        return len(whole), whole.cumulative_sizes, whole[index]
    in_both(program, (IndexError, ValueError))


def test_plus_joins_datasets_and_streams():
    def program(torch, data):
        both = numbers(torch, 0, 2) + numbers(torch, 5, 6)
        streams = stream(data, 2) + stream(data, 3)
        return [both[i] for i in range(3)], list(streams), len(streams), type(streams).__name__
    items, streamed, *_ = in_both(program)
    assert len(items) == 3 and streamed == [0, 1, 0, 1, 2]


@pytest.mark.parametrize("wrong", [
    lambda torch, data: data.ConcatDataset([]),
    lambda torch, data: data.ConcatDataset([stream(data)]),
    lambda torch, data: list(data.ChainDataset([[1, 2]])),
    lambda torch, data: data.TensorDataset(torch.zeros(2), torch.zeros(3)),
    lambda torch, data: data.TensorDataset(torch.tensor(1.0)),
    lambda torch, data: numbers(torch, 0, 3)[3],
    lambda torch, data: data.Dataset()[0],
    lambda torch, data: data.IterableDataset(),
    lambda torch, data: data.StackDataset(),
    lambda torch, data: data.StackDataset([1], b=[2]),
    lambda torch, data: data.StackDataset([1], [2, 3]),
    lambda torch, data: data.random_split(range(4), [1, 2]),
    lambda torch, data: data.random_split(range(4), [1.5, -0.5]),
])
def test_what_torch_refuses_is_refused(wrong):
    assert refused_by_both(wrong)


def test_only_tensors_make_a_tensor_dataset():
    with pytest.raises(TypeError, match=r"argument 1 is a ndarray.*as_tensor"):
        minitorch.utils.data.TensorDataset(minitorch.zeros(2), np.zeros(2))


def test_stacked_datasets_give_tuples_or_dicts():
    def program(torch, data):
        a, b = numbers(torch, 0, 3), numbers(torch, 5, 8)
        pairs, named = data.StackDataset(a, b), data.StackDataset(left=a, right=b)
        return len(pairs), pairs[1], named[2], list(data.DataLoader(named, batch_size=2))
    in_both(program)


@given(st.lists(st.integers(0, 5), max_size=6), st.data())
def test_a_subset_gives_the_chosen_items(indices, data):
    places = data.draw(st.lists(st.integers(0, len(indices) - 1), max_size=4) if indices
                       else st.just([]))

    def program(torch, data):
        subset = data.Subset(numbers(torch, 0, 6), indices)
        deeper = data.Subset(subset, places)
        return (len(deeper), [deeper[i] for i in range(len(places))], subset[places] if places
                else None, deeper.__getitems__(list(range(len(places)))))
    in_both(program)


def test_a_subset_with_its_own_items_must_say_how_to_get_many():
    def program(torch, data):
        class Doubled(data.Subset):
            def __getitem__(self, index):
                return 2 * super().__getitem__(index)
        return Doubled(range(3), [0])
    assert in_both(program, NotImplementedError) is NotImplementedError


@given(st.integers(0, 2**40), st.lists(st.integers(0, 30), min_size=1, max_size=5),
       st.booleans())
def test_a_random_split_is_torchs(seed, lengths, own):
    def program(torch, data):
        torch.manual_seed(seed)
        generator = {"generator": torch.Generator().manual_seed(seed // 2)} if own else {}
        parts = data.random_split(range(sum(lengths)), lengths, **generator)
        return [list(part) for part in parts], torch.rand(1)
    in_both(program)


@given(st.integers(0, 40), st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any))
def test_fractions_split_as_in_torch(n, shares):
    fractions = [share / sum(shares) for share in shares]

    def program(torch, data):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.manual_seed(0)
            parts = data.random_split(range(n), fractions)
        return [list(part) for part in parts], [str(warning.message) for warning in caught]
    in_both(program, ValueError)  # when rounding makes the sum exceed 1
