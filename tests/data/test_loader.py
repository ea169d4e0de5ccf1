"""The DataLoader gives PyTorch's batches, in its order, for the same seed."""

from __future__ import annotations

import types

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.utils.data import DataLoader
from tests.data.engines import frozen, in_both, numbers, refused_by_both, stream

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
