"""minitorch: a neural-net engine from scratch, with PyTorch's names and PyTorch's numbers.

``import minitorch as torch`` runs an ordinary PyTorch program. Reading order for how it works:
``backend``, ``engine``, ``primitive``, ``ops/elementwise``, ``nn/module``, ``optim/sgd``.
"""

import importlib
from typing import Any

from minitorch import autograd as autograd
from minitorch import backend as _backend
from minitorch import creation as _creation
from minitorch import dtypes as _dtypes
from minitorch import random as random
from minitorch.backend import device as device
from minitorch.backend import get_default_device as get_default_device
from minitorch.backend import set_default_device as set_default_device
from minitorch.conversion import FUNCTIONS as _FUNCTIONS
from minitorch.creation import arange as arange
from minitorch.creation import as_tensor as as_tensor
from minitorch.creation import asarray as asarray
from minitorch.creation import bernoulli as bernoulli
from minitorch.creation import empty as empty
from minitorch.creation import empty_like as empty_like
from minitorch.creation import eye as eye
from minitorch.creation import from_dlpack as from_dlpack
from minitorch.creation import from_numpy as from_numpy
from minitorch.creation import full as full
from minitorch.creation import full_like as full_like
from minitorch.creation import get_rng_state as get_rng_state
from minitorch.creation import initial_seed as initial_seed
from minitorch.creation import linspace as linspace
from minitorch.creation import logspace as logspace
from minitorch.creation import manual_seed as manual_seed
from minitorch.creation import multinomial as multinomial
from minitorch.creation import normal as normal
from minitorch.creation import ones as ones
from minitorch.creation import ones_like as ones_like
from minitorch.creation import rand as rand
from minitorch.creation import rand_like as rand_like
from minitorch.creation import randint as randint
from minitorch.creation import randint_like as randint_like
from minitorch.creation import randn as randn
from minitorch.creation import randn_like as randn_like
from minitorch.creation import randperm as randperm
from minitorch.creation import seed as seed
from minitorch.creation import set_rng_state as set_rng_state
from minitorch.creation import tensor as tensor
from minitorch.creation import zeros as zeros
from minitorch.creation import zeros_like as zeros_like
from minitorch.dtypes import can_cast as can_cast
from minitorch.dtypes import dtype as dtype
from minitorch.dtypes import finfo as finfo
from minitorch.dtypes import get_default_dtype as get_default_dtype
from minitorch.dtypes import iinfo as iinfo
from minitorch.dtypes import promote_types as promote_types
from minitorch.dtypes import set_default_dtype as set_default_dtype
from minitorch.functions import cat as cat
from minitorch.functions import concat as concat
from minitorch.functions import concatenate as concatenate
from minitorch.functions import einsum as einsum
from minitorch.functions import hstack as hstack
from minitorch.functions import is_floating_point as is_floating_point
from minitorch.functions import is_tensor as is_tensor
from minitorch.functions import meshgrid as meshgrid
from minitorch.functions import numel as numel
from minitorch.functions import result_type as result_type
from minitorch.functions import stack as stack
from minitorch.functions import vstack as vstack
from minitorch.functions import where as where
from minitorch.modes import enable_grad as enable_grad
from minitorch.modes import inference_mode as inference_mode
from minitorch.modes import is_grad_enabled as is_grad_enabled
from minitorch.modes import is_inference_mode_enabled as is_inference_mode_enabled
from minitorch.modes import no_grad as no_grad
from minitorch.modes import set_grad_enabled as set_grad_enabled
from minitorch.printing import set_printoptions as set_printoptions
from minitorch.random import Generator as Generator
from minitorch.random import default_generator as default_generator
from minitorch.tensor import Size as Size
from minitorch.tensor import Tensor as Tensor

__version__ = "0.1.0"

for _name, _function in _FUNCTIONS.items():
    globals().setdefault(_name, _function)

# Dtypes last: their names (float, int, bool) are Python's too.
float16 = half = _dtypes.float16
float32 = float = _dtypes.float32
float64 = double = _dtypes.float64
uint8, int8 = _dtypes.uint8, _dtypes.int8
int16 = short = _dtypes.int16
int32 = int = _dtypes.int32
int64 = long = _dtypes.int64
bool = _dtypes.bool_
for _d in _dtypes.ALL:
    globals()[f"{_d.legacy}Tensor"] = _creation.legacy(_d)

inf, nan, pi, e = (_backend.np.inf, _backend.np.nan, _backend.np.pi, _backend.np.e)
strided = "strided"

_LATER = {"nn", "optim", "data", "utils", "cuda", "backends", "accelerator", "linalg", "testing"}


def __getattr__(name: str) -> Any:
    """Submodules on first use, so that ``import minitorch`` stays quick; ``save`` and ``load``."""
    if name in _LATER:
        return importlib.import_module(f"minitorch.{name}")
    if name in ("save", "load"):
        return getattr(importlib.import_module("minitorch.serialization"), name)
    raise AttributeError(f"module 'minitorch' has no attribute '{name}'")
