"""The public function that an operator is, called alike in PyTorch and in minitorch.

It is found by name: ``op.like`` or the operator's own name, in nn.functional, in the package or on
its Tensor. Only where the calling convention differs there is an adapter below; in them, and
wherever a function takes ``lib``, that is either library.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import dtypes

POSITIONAL = ("x", "y", "xs", "condition", "equation")
RENAMED = {"source": "src", "smoothing": "label_smoothing", "p": "ord"}
ADAPTERS: dict[str, tuple[str, Callable[..., Any]]] = {}  # and the name of what they call


def adapter(name: str = "") -> Callable[[Any], Any]:
    """File a function of the library and the operator's arguments by name.

    ``name``: what it calls, where that has another name than the operator.
    """
    def file(function: Callable[..., Any]) -> Callable[..., Any]:
        ADAPTERS[function.__name__] = name, function
        return function
    return file


def convert(lib: Any, value: Any) -> Any:
    """An argument in the library's terms; arrays are copied."""
    if isinstance(value, np.ndarray):
        return lib.from_numpy(value.copy())
    if isinstance(value, np.dtype):
        return getattr(lib, dtypes.of_numpy(value).name)
    if isinstance(value, tuple):
        return tuple([convert(lib, v) for v in value])
    return value


def public_name(lib: Any, op: Any) -> str:
    """Where in the library an operator is: "nn.functional.relu", "add", "Tensor.copy_"."""
    name = ADAPTERS.get(op.name, ("", None))[0] or op.like or op.name
    for home in ("nn.functional.", "", "Tensor.") if "." not in name else ("",):
        if found(lib, home + name) is not None:
            return home + name
    raise LookupError(f"{lib.__name__} has no '{name}': register the operator '{op.name}' with "
                      f"like=... or file how it is called with "
                      f"@minitorch.testing.db.functions.adapter()")


def found(lib: Any, path: str) -> Any:
    """What a dotted name stands for in the library, or None."""
    for part in path.split("."):
        lib = getattr(lib, part, None)
    return lib


def call(lib: Any, op: Any, named: dict[str, Any]) -> Any:
    """The library's result (without by-products) of an operator, given its arguments by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "degrees of freedom is <= 0" and the like
        if op.name in ADAPTERS:
            out = ADAPTERS[op.name][1](lib, **named)
        else:
            out = spelled(lib, found(lib, public_name(lib, op)), op, named)
    return out[0] if isinstance(out, tuple) else out


def spelled(lib: Any, function: Callable[..., Any], op: Any, named: dict[str, Any]) -> Any:
    """The function's result, with arguments passed by PyTorch's names for them."""
    args: list[Any] = []
    for name, default in zip(op.parameters, op.defaults):
        if name in POSITIONAL:
            value = named.pop(name)
            args += value if name == "xs" else [value]
        elif default is None and named[name] is None and name != "dim":
            del named[name]
    named = {RENAMED.get(k, k): v for k, v in named.items()}
    if op.promote and isinstance(args[0], (int, float)):
        args[0] = tensor_beside(lib, args[0], args[1])
    try:
        return function(*args, **named)
    except (TypeError, AttributeError):
        if op.promote and isinstance(args[-1], (int, float)):  # maximum and others take no numbers
            return function(*args[:-1], tensor_beside(lib, args[-1], args[-2]), **named)
        raise


def tensor_beside(lib: Any, number: Any, x: Any) -> Any:
    """A Python number as a tensor that promotes with ``x`` as the number does."""
    return lib.tensor(number, dtype=lib.result_type(x, number))


@adapter("div")
def floor_divide(lib: Any, x: Any, y: Any) -> Any:
    return lib.div(x, y, rounding_mode="floor")  # torch.floor_divide has no derivative


@adapter()
def prod(lib: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        return lib.prod(x).reshape((1,) * x.ndim if keepdim else ())
    return lib.prod(x, dim, keepdim)


@adapter()
def squeeze(lib: Any, x: Any, dim: Any) -> Any:
    return lib.squeeze(x) if dim is None else lib.squeeze(x, dim)


@adapter()
def broadcast_to(lib: Any, x: Any, shape: Any) -> Any:
    return lib.broadcast_to(x, shape)


@adapter()
def clamp(lib: Any, x: Any, min: Any, max: Any) -> Any:
    if isinstance(min, lib.Tensor) or isinstance(max, lib.Tensor):  # both or neither
        min, max = (tensor_beside(lib, v, x) if isinstance(v, (int, float)) else v
                    for v in (min, max))
    return lib.clamp(x, min, max)


@adapter("Tensor.__getitem__")
def index(lib: Any, x: Any, key: Any) -> Any:
    return x[key]


@adapter("Tensor.index_add")
def index_add(lib: Any, g: Any, shape: Any, key: Any) -> Any:
    n = int(np.prod(shape))
    where = lib.arange(n).reshape(shape)[key]
    return g.new_zeros(n).index_add(0, where.reshape(-1), g.reshape(-1)).reshape(shape)


@adapter("Tensor.__setitem__")
def index_put(lib: Any, x: Any, key: Any, value: Any) -> Any:
    out = x.clone()
    out[key] = value
    return out


@adapter("Tensor.__setitem__")
def view_put(lib: Any, x: Any, value: Any, view: Any) -> Any:
    out = x.clone()
    part = out[convert(lib, view.steps[0][1][0])]
    for _, dims in view.steps[1:]:
        part = part.transpose(*dims)
    part.copy_(value)
    return out


@adapter("Tensor.copy_")
def overwrite(lib: Any, x: Any, value: Any) -> Any:
    return x.clone().copy_(value)


@adapter()
def cat(lib: Any, dim: int, xs: Any) -> Any:
    return lib.cat(xs, dim)


@adapter()
def stack(lib: Any, dim: int, xs: Any) -> Any:
    return lib.stack(xs, dim)


@adapter()
def embedding(lib: Any, weight: Any, index: Any, padding_idx: Any, scale_grad_by_freq: Any,
              sparse: Any) -> Any:
    return lib.nn.functional.embedding(index, weight, padding_idx,
                                       scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


@adapter()
def batch_norm(lib: Any, x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any,
               training: bool, eps: float) -> Any:
    return lib.nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training,
                                        0.1, eps)


@adapter()
def layer_norm(lib: Any, x: Any, weight: Any, bias: Any, dims: int, eps: float) -> Any:
    return lib.nn.functional.layer_norm(x, x.shape[x.ndim - dims:], weight, bias, eps)


@adapter("mul")
def masked_scale(lib: Any, x: Any, mask: Any, scale: float) -> Any:
    if not x.is_floating_point():
        raise RuntimeError("dropout of integers cannot be scaled")
    return x * mask * scale


@adapter("Tensor.to")
def cast(lib: Any, x: Any, dtype: Any) -> Any:
    return x.to(dtype)


@adapter("Tensor.to")
def transfer(lib: Any, x: Any, device: Any) -> Any:
    return x.to(str(device))
