"""Data: datasets, samplers and the DataLoader, MNIST and a small set of built-in digits."""

import importlib
from typing import TYPE_CHECKING, Any

from minitorch.data.collate import default_collate as default_collate
from minitorch.data.collate import default_convert as default_convert
from minitorch.data.dataset import ChainDataset as ChainDataset
from minitorch.data.dataset import ConcatDataset as ConcatDataset
from minitorch.data.dataset import Dataset as Dataset
from minitorch.data.dataset import IterableDataset as IterableDataset
from minitorch.data.dataset import StackDataset as StackDataset
from minitorch.data.dataset import Subset as Subset
from minitorch.data.dataset import TensorDataset as TensorDataset
from minitorch.data.dataset import random_split as random_split
from minitorch.data.loader import DataLoader as DataLoader
from minitorch.data.loader import get_worker_info as get_worker_info
from minitorch.data.sampler import BatchSampler as BatchSampler
from minitorch.data.sampler import RandomSampler as RandomSampler
from minitorch.data.sampler import Sampler as Sampler
from minitorch.data.sampler import SequentialSampler as SequentialSampler
from minitorch.data.sampler import SubsetRandomSampler as SubsetRandomSampler
from minitorch.data.sampler import WeightedRandomSampler as WeightedRandomSampler

if TYPE_CHECKING:
    from minitorch.data import transforms as transforms
    from minitorch.data.device_loader import DeviceLoader as DeviceLoader
    from minitorch.data.digits import Digits as Digits
    from minitorch.data.mnist import KMNIST as KMNIST
    from minitorch.data.mnist import MNIST as MNIST
    from minitorch.data.mnist import FashionMNIST as FashionMNIST

_LATER = {"Digits": "digits", "MNIST": "mnist", "FashionMNIST": "mnist", "KMNIST": "mnist",
          "DeviceLoader": "device_loader"}


def __getattr__(name: str) -> Any:
    """The data sets and `transforms` on first use: most programs need none of them."""
    if name in _LATER:
        return getattr(importlib.import_module(f"minitorch.data.{_LATER[name]}"), name)
    if name == "transforms":
        return importlib.import_module("minitorch.data.transforms")
    raise AttributeError(f"module 'minitorch.data' has no attribute '{name}'")
