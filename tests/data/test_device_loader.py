"""Batches gathered by a kernel are a DataLoader's: the same order, the same numbers."""

import numpy as np
import pytest

import minitorch as torch
from minitorch.data import DataLoader, TensorDataset
from minitorch.data.device_loader import DeviceLoader
from minitorch.kernels.cuda import launch
from tests import emulated


@pytest.fixture(scope="module")
def emulator():
    return emulated.Emulated()


@pytest.fixture
def gpu(monkeypatch, emulator):
    if emulated.COMPILER is None:
        pytest.skip("needs g++ to run kernels")
    monkeypatch.setattr(launch, "launcher", emulator)
    return emulator


DATA = TensorDataset(torch.arange(66.0).reshape(11, 2, 3), torch.arange(11) * 7)


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"shuffle": True, "drop_last": True},
                                     {"sampler": [3, 3, 0, 10]}])
def test_the_batches_of_each_pass_are_those_of_a_dataloader(options, gpu):
    seen = []
    for kind in (DataLoader, DeviceLoader):
        torch.manual_seed(5)
        loader = kind(DATA, batch_size=4, **options)
        seen.append([[(x.array.tolist(), y.array.tolist()) for x, y in loader] for _ in range(2)])
        assert len(loader) == len(seen[-1][0])
        seen[-1].append(torch.randn(1).item())  # the stream has come as far
    assert seen[0] == seen[1]


def test_a_pass_is_one_launch_a_batch_into_the_same_tensors(gpu):
    loader = DeviceLoader(DATA, batch_size=3, shuffle=True)
    before = gpu.launches
    batches = list(loader)
    assert gpu.launches - before == len(batches) == 4
    assert batches[0] is batches[1] and len(batches[3][1]) == 2
    assert np.shares_memory(batches[3][0].array, batches[0][0].array)


def test_any_data_set_of_tensors_is_loaded_once(gpu):
    class Squares(torch.utils.data.Dataset):
        read = 0

        def __len__(self):
            return 5

        def __getitem__(self, i):
            self.read += 1
            return torch.tensor([float(i)]), i * i
    data = Squares()
    loader = DeviceLoader(data, batch_size=2, device="cpu")
    for _ in range(2):
        assert [y.array.tolist() for _, y in loader] == [[0, 1], [4, 9], [16]]
    assert data.read == 5
    with pytest.raises(TypeError, match="items are tuples of tensors"):
        DeviceLoader([["a"], ["b"]], batch_size=2, device="cpu")


def test_without_a_gpu_it_says_what_to_use():
    with pytest.raises(RuntimeError, match="DataLoader"):
        DeviceLoader(DATA, batch_size=2)
