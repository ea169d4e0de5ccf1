"""minitorch: a neural-net engine from scratch, with PyTorch's names and PyTorch's numbers.

``import minitorch as torch`` runs an ordinary PyTorch program. Reading order for how it works:
``backend``, ``engine``, ``primitive``, ``ops/elementwise``, ``nn/module``, ``optim/sgd``.
"""

import importlib
import math
from types import FunctionType as _FunctionType
from typing import Any

from minitorch import autograd as autograd
from minitorch import dtypes as _dtypes
from minitorch import facts as _facts
from minitorch import random as random
from minitorch.backend import device as device
from minitorch.backend import get_default_device as get_default_device
from minitorch.backend import set_default_device as set_default_device
from minitorch.conversion import *  # noqa: F403
from minitorch.creation import *  # noqa: F403
from minitorch.dtypes import *  # noqa: F403
from minitorch.functions import *  # noqa: F403
from minitorch.guests import welcoming as _welcoming
from minitorch.legacy import *  # noqa: F403
from minitorch.methods import OPERATORS as _OPERATORS
from minitorch.modes import enable_grad as enable_grad
from minitorch.modes import inference_mode as inference_mode
from minitorch.modes import is_grad_enabled as is_grad_enabled
from minitorch.modes import is_inference_mode_enabled as is_inference_mode_enabled
from minitorch.modes import no_grad as no_grad
from minitorch.modes import set_grad_enabled as set_grad_enabled
from minitorch.printing import set_printoptions as set_printoptions
from minitorch.runtime import *  # noqa: F403
from minitorch.sampling import *  # noqa: F403
from minitorch.sequences import *  # noqa: F403
from minitorch.sparse import *  # noqa: F403
from minitorch.tensor import Size as Size
from minitorch.tensor import Tensor as Tensor

__version__ = "0.1.0"

for _name, _function in _OPERATORS.items():
    globals().setdefault(_name, _function)

for _name, _function in list(globals().items()):
    if isinstance(_function, _FunctionType) and not _name.startswith("_"):
        globals()[_name] = _welcoming(_function)
        if getattr(Tensor, _name, None) is _function:
            setattr(Tensor, _name, globals()[_name])
for _name in ("__getitem__", "__setitem__", "copy_", "scatter_"):
    setattr(Tensor, _name, _welcoming(getattr(Tensor, _name)))

# Dtypes last: their names (float, int, bool) are Python's too.
half, float, double = _dtypes.float16, _dtypes.float32, _dtypes.float64
short, int, long = _dtypes.int16, _dtypes.int32, _dtypes.int64
bool = _dtypes.bool_

inf, nan, pi, e = math.inf, math.nan, math.pi, math.e
newaxis = None
strided, sparse_coo = _facts.strided, _facts.sparse_coo
contiguous_format, preserve_format = _facts.contiguous_format, _facts.preserve_format
channels_last = _facts.channels_last

_SUBMODULES = {"func", "nn", "optim", "data", "utils", "cuda", "backends", "accelerator", "linalg",
               "testing", "monitor"}
_HOMES = {"save": "minitorch.serialization", "load": "minitorch.serialization",
          "compile": "minitorch.plan", "vmap": "minitorch.func"}
_FUNCTIONAL = {"dropout", "alpha_dropout", "cosine_similarity", "pairwise_distance", "prelu",
               "layer_norm", "selu_", "celu_"}  # torch.NAME is torch.nn.functional.NAME
_LACKING = {"bfloat16", "complex32", "complex64", "complex128", "cfloat", "cdouble"}


def __getattr__(name: str) -> Any:
    """Submodules on first use, so that ``import minitorch`` stays quick; ``save`` and ``load``."""
    if name in _SUBMODULES:
        return importlib.import_module(f"minitorch.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _FUNCTIONAL:
        return getattr(importlib.import_module("minitorch.nn.functional"), name)
    if name in _LACKING:
        raise AttributeError(f"minitorch has no '{name}': NumPy has no such numbers")
    raise AttributeError(f"module 'minitorch' has no attribute '{name}'")
