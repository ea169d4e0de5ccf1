"""The public function that an operator is, called alike in PyTorch and in minitorch.

It is found by name: ``op.like`` or the operator's own name, in nn.functional, in the package or on
its Tensor. Only where the calling convention differs there is an adapter below; in them, and
wherever a function takes ``torch``, that is either engine.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch as pytorch

from minitorch import dtypes
from tests.cases import Case

POSITIONAL = ("x", "y", "xs", "condition", "equation")
RENAMED = {"source": "src", "smoothing": "label_smoothing", "p": "ord"}
ADAPTERS: dict[str, Callable[..., Any]] = {}


def adapter(function: Callable[..., Any]) -> Callable[..., Any]:
    """File a function of the engine and the operator's arguments by name."""
    ADAPTERS[function.__name__] = function
    return function


def convert(torch: Any, value: Any) -> Any:
    """An argument in the engine's terms; arrays are copied."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, np.dtype):
        return getattr(torch, dtypes.of_numpy(value).name)
    if isinstance(value, tuple):
        return tuple([convert(torch, v) for v in value])
    return value


def twin(torch: Any, op: Any) -> Callable[..., Any]:
    """The engine's public function for an operator, taking its arguments by our names."""
    if op.name in ADAPTERS:
        return lambda **named: ADAPTERS[op.name](torch, **named)
    for home in (torch.nn.functional, torch, torch.Tensor):
        found: Any = home
        for part in (op.like or op.name).split("."):
            found = getattr(found, part, None)
        if found is not None:
            return lambda **named: call(torch, found, op, named)
    raise LookupError(f"{torch.__name__} has no '{op.like or op.name}': register the operator "
                      f"'{op.name}' with like=... or file an adapter in tests/ops/oracle.py")


def call(torch: Any, function: Callable[..., Any], op: Any, named: dict[str, Any]) -> Any:
    args: list[Any] = []
    for name, default in zip(op.parameters, op.defaults):
        if name in POSITIONAL:
            value = named.pop(name)
            args += value if name == "xs" else [value]
        elif default is None and named[name] is None and name != "dim":
            del named[name]
    named = {RENAMED.get(k, k): v for k, v in named.items()}
    if op.promote and isinstance(args[0], (int, float)):
        args[0] = tensor_beside(torch, args[0], args[1])
    try:
        return function(*args, **named)
    except (TypeError, AttributeError):
        if op.promote and isinstance(args[-1], (int, float)):  # maximum and others take no numbers
            return function(*args[:-1], tensor_beside(torch, args[-1], args[-2]), **named)
        raise


def tensor_beside(torch: Any, number: Any, x: Any) -> Any:
    """A Python number as a tensor that promotes with ``x`` as the number does."""
    return torch.tensor(number, dtype=torch.result_type(x, number))


def spelled(torch: Any, case: Case, needing: tuple[int, ...] = ()) -> tuple[Any, list[Any]]:
    """The engine's result (without by-products), and its leaves at the positions ``needing``."""
    args = [convert(torch, a) for a in case.args]
    for i in needing:
        args[i].requires_grad_()
    named = Case(case.op, tuple(args), 0).named
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "degrees of freedom is <= 0" and the like
        out = twin(torch, case.op)(**named)
    return (out[0] if isinstance(out, tuple) else out), [args[i] for i in needing]


def theirs(case: Case, needing: tuple[int, ...] = ()) -> tuple[Any, list[Any]]:
    return spelled(pytorch, case, needing)


@adapter
def floor_divide(torch: Any, x: Any, y: Any) -> Any:
    return torch.div(x, y, rounding_mode="floor")  # torch.floor_divide has no derivative


@adapter
def prod(torch: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        return torch.prod(x).reshape((1,) * x.ndim if keepdim else ())
    return torch.prod(x, dim, keepdim)


@adapter
def squeeze(torch: Any, x: Any, dim: Any) -> Any:
    return torch.squeeze(x) if dim is None else torch.squeeze(x, dim)


@adapter
def broadcast_to(torch: Any, x: Any, shape: Any) -> Any:
    return torch.broadcast_to(x, shape)


@adapter
def clamp(torch: Any, x: Any, min: Any, max: Any) -> Any:
    if isinstance(min, torch.Tensor) or isinstance(max, torch.Tensor):  # both or neither
        min, max = (tensor_beside(torch, v, x) if isinstance(v, (int, float)) else v
                    for v in (min, max))
    return torch.clamp(x, min, max)


@adapter
def index(torch: Any, x: Any, key: Any) -> Any:
    return x[key]


@adapter
def index_add(torch: Any, g: Any, shape: Any, key: Any) -> Any:
    n = int(np.prod(shape))
    where = torch.arange(n).reshape(shape)[key]
    return g.new_zeros(n).index_add(0, where.reshape(-1), g.reshape(-1)).reshape(shape)


@adapter
def index_put(torch: Any, x: Any, key: Any, value: Any) -> Any:
    out = x.clone()
    out[key] = value
    return out


@adapter
def view_put(torch: Any, x: Any, value: Any, view: Any) -> Any:
    out = x.clone()
    part = out[convert(torch, view.steps[0][1][0])]
    for _, dims in view.steps[1:]:
        part = part.transpose(*dims)
    part.copy_(value)
    return out


@adapter
def overwrite(torch: Any, x: Any, value: Any) -> Any:
    return x.clone().copy_(value)


@adapter
def cat(torch: Any, dim: int, xs: Any) -> Any:
    return torch.cat(xs, dim)


@adapter
def stack(torch: Any, dim: int, xs: Any) -> Any:
    return torch.stack(xs, dim)


@adapter
def embedding(torch: Any, weight: Any, index: Any, padding_idx: Any, scale_grad_by_freq: Any,
              sparse: Any) -> Any:
    return torch.nn.functional.embedding(index, weight, padding_idx,
                                         scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


@adapter
def batch_norm(torch: Any, x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any,
               training: bool, eps: float) -> Any:
    return torch.nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training,
                                          0.1, eps)


@adapter
def layer_norm(torch: Any, x: Any, weight: Any, bias: Any, dims: int, eps: float) -> Any:
    return torch.nn.functional.layer_norm(x, x.shape[x.ndim - dims:], weight, bias, eps)


@adapter
def masked_scale(torch: Any, x: Any, mask: Any, scale: float) -> Any:
    if not x.is_floating_point():
        raise RuntimeError("dropout of integers cannot be scaled")
    return x * mask * scale


@adapter
def cast(torch: Any, x: Any, dtype: Any) -> Any:
    return x.to(dtype)


@adapter
def transfer(torch: Any, x: Any, device: Any) -> Any:
    return x.to(str(device))
