"""``minitorch.data`` under PyTorch's name: ``from minitorch.utils.data import DataLoader``."""

import sys

from minitorch.data import BatchSampler as BatchSampler
from minitorch.data import ChainDataset as ChainDataset
from minitorch.data import ConcatDataset as ConcatDataset
from minitorch.data import DataLoader as DataLoader
from minitorch.data import Dataset as Dataset
from minitorch.data import IterableDataset as IterableDataset
from minitorch.data import RandomSampler as RandomSampler
from minitorch.data import Sampler as Sampler
from minitorch.data import SequentialSampler as SequentialSampler
from minitorch.data import StackDataset as StackDataset
from minitorch.data import Subset as Subset
from minitorch.data import SubsetRandomSampler as SubsetRandomSampler
from minitorch.data import TensorDataset as TensorDataset
from minitorch.data import WeightedRandomSampler as WeightedRandomSampler
from minitorch.data import dataset as dataset
from minitorch.data import default_collate as default_collate
from minitorch.data import default_convert as default_convert
from minitorch.data import get_worker_info as get_worker_info
from minitorch.data import loader as dataloader  # noqa: F401
from minitorch.data import random_split as random_split
from minitorch.data import sampler as sampler

# PyTorch has these as files, and programs import from them: torch.utils.data.sampler.
for _module in ("dataset", "sampler", "dataloader"):
    sys.modules[f"{__name__}.{_module}"] = globals()[_module]
