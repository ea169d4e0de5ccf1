"""Tensors of another dtype or device, and the in-place forms: methods hung on Tensor."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, inplace, ops
from minitorch.engine import wrap
from minitorch.functions import FUNCTIONS
from minitorch.primitive import registry
from minitorch.tensor import Tensor


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function ``Tensor.NAME``; there is no ``minitorch.NAME``."""
    setattr(Tensor, function.__name__, function)
    return function


def convert(x: Any, dtype: Any = None, device: Any = None, copy: bool = False) -> Any:
    """``x`` as ``dtype`` on ``device``: itself if nothing changes, else a recorded copy."""
    dt = x.array.dtype if dtype is None else dtypes.to_numpy(dtype)
    if device is not None:
        to = backend.device(device)
        backend.require(to)
        if to.type != x.device.type:
            x = ops.transfer(x, to)
    if dt != x.array.dtype:
        return ops.cast(x, dt)
    return ops.clone(x) if copy else x


@method
def to(input: Any, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False,
       copy: bool = False, memory_format: Any = None) -> Any:
    """Another dtype or device: ``x.to(torch.float64)``, ``x.to("cpu")``, ``x.to(other)``."""
    for arg in args:
        if isinstance(arg, engine.Tensor):
            dtype, device = arg.dtype, arg.device  # type: ignore[attr-defined]
        elif isinstance(arg, (dtypes.dtype, np.dtype, builtins.type)):
            dtype = arg
        elif isinstance(arg, (str, backend.device)):
            device = arg
        elif arg is not None and not isinstance(arg, bool):
            raise TypeError(f"to() received an invalid combination of arguments: {arg!r}")
    return convert(input, dtype, device, copy)


def _as(d: dtypes.dtype, name: str) -> Any:
    def cast(input: Any, memory_format: Any = None) -> Any:
        return convert(input, d)
    cast.__name__, cast.__doc__ = name, f"Converted to {d.name}."
    setattr(Tensor, name, cast)
    return cast


for _name, _d in {"half": dtypes.float16, "float": dtypes.float32, "double": dtypes.float64,
                  "byte": dtypes.uint8, "char": dtypes.int8, "short": dtypes.int16,
                  "int": dtypes.int32, "long": dtypes.int64, "bool": dtypes.bool_}.items():
    _as(_d, _name)


@method
def type(input: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The legacy type name, such as ``torch.FloatTensor``; or a conversion to ``dtype``."""
    if dtype is None:
        return f"torch.{input.dtype.legacy}Tensor"
    if isinstance(dtype, str):
        dtype = next((d for d in dtypes.ALL if dtype == f"torch.{d.legacy}Tensor"), dtype)
    return convert(input, getattr(dtype, "dtype", dtype))


@method
def type_as(input: Any, other: Any) -> Any:
    """Converted to the dtype and device of ``other``."""
    return convert(input, other.dtype, other.device)


@method
def cpu(input: Any) -> Any:
    """On the CPU."""
    return convert(input, device="cpu")


@method
def cuda(input: Any, device: Any = None, non_blocking: bool = False) -> Any:
    """On the GPU; raises RuntimeError without one."""
    return convert(input, device="cuda" if device is None else device)


@method
def contiguous(input: Any, memory_format: Any = None) -> Any:
    """In row-major order: itself if it is already."""
    return input if input.array.flags.c_contiguous else ops.clone(input)


@method
def pin_memory(input: Any) -> Any:
    """Itself: NumPy has no page-locked memory."""
    return input


@method
def receive(out: Any, y: Any) -> Any:
    """Take a result given as ``out=``; refuses to hide it from the graph."""
    if y.node is not None or out.node is not None:
        raise RuntimeError("functions with out=... arguments don't support automatic "
                           "differentiation, but one of the arguments requires grad.")
    if not dtypes.castable(y.array.dtype, out.array.dtype):
        raise RuntimeError(f"result type {y.dtype.legacy} can't be cast to the desired output type "
                           f"{out.dtype.legacy}")
    if out.array.shape != y.array.shape:
        out.array = np.empty(y.array.shape, out.array.dtype)  # as in torch: out is resized
        out.version = [0]
    return inplace.copy_(out, y)


@method
def apply_(input: Any, function: Any) -> Any:
    """Each element replaced by ``function(element)``; slow, and never recorded."""
    inplace.check_writable(input)
    input.array[...] = np.vectorize(function, otypes=[input.array.dtype])(input.array)
    inplace.wrote(input)
    return input


# -- operators and in-place forms from the registry ------------------------------------------

# Internal building blocks, and functions that minitorch.nn.functional spells in full.
_HIDDEN = {"cat", "stack", "einsum", "where", "linear", "index", "index_add", "index_put",
           "view_put", "overwrite", "max_dim", "min_dim", "masked_scale", "embedding",
           "batch_norm", "layer_norm", "cross_entropy", "cast", "transfer", "vector_norm"}
_NOT_METHODS = {"leaky_relu", "elu", "selu", "celu", "gelu", "silu", "softplus", "hardtanh",
                "logsigmoid"}

for _op in list(registry.values()):
    if _op.name in _HIDDEN or _op.__module__.endswith(".loss"):
        continue
    for _name in (_op.name, *_op.aliases):
        if _name not in FUNCTIONS:
            FUNCTIONS[_name] = _op
        if _name not in _NOT_METHODS and not hasattr(Tensor, _name):
            setattr(Tensor, _name, _op)
for _alias, _name in {"true_divide": "div", "divide": "div", "subtract": "sub", "multiply": "mul",
                      "clip": "clamp", "absolute": "abs", "neg": "negative"}.items():
    FUNCTIONS[_alias] = FUNCTIONS[_name]
    setattr(Tensor, _alias, getattr(Tensor, _name))

_IN_PLACE = """add sub mul div subtract multiply divide pow remainder fmod floor_divide neg abs
sign square sqrt rsqrt reciprocal exp expm1 log log1p log2 log10 sin cos tan asin acos atan sinh
cosh tanh sigmoid relu erf floor ceil trunc round clamp clip clamp_min clamp_max lerp addcmul
addcdiv addmm masked_fill scatter scatter_add index_add tril triu cumsum eq ne lt le gt ge
logical_not logical_and logical_or""".split()

for _name in _IN_PLACE:
    setattr(Tensor, _name + "_", inplace.inplace(FUNCTIONS[_name]))
for _name in ("copy_", "fill_", "zero_"):
    setattr(Tensor, _name, getattr(inplace, _name))
for _python, _name in {"iadd": "add_", "isub": "sub_", "imul": "mul_", "itruediv": "div_",
                       "ifloordiv": "floor_divide_", "imod": "remainder_", "ipow": "pow_"}.items():
    setattr(Tensor, f"__{_python}__", getattr(Tensor, _name))


def _reshaping(name: str) -> Any:
    def method(x: Any, *args: Any) -> Any:
        y = getattr(x, name)(*args)
        x.array, x.alias_of = y.array, y.alias_of
        if y.node is not None:
            x.node = y.node
        return x
    method.__name__, method.__doc__ = name + "_", f"``{name}``, changing this tensor's shape."
    return method


for _name in ("squeeze", "unsqueeze", "t", "transpose"):
    setattr(Tensor, _name + "_", _reshaping(_name))
for _name, _doc in {"T": "The transpose.", "mT": "Matrices transposed."}.items():
    setattr(Tensor, _name, property(lambda x, n=_name: (
        ops.permute(x, tuple(range(x.ndim))[::-1]) if n == "T" and x.ndim != 2
        else ops.swapaxes(x, -2, -1)), doc=_doc))


@method
def index_fill_(input: Any, dim: int, index: Any, value: Any) -> Any:
    """``value`` written at positions ``index`` along ``dim``."""
    input[(slice(None),) * (dim % input.ndim) + (index,)] = value
    return input


@method
def index_copy_(input: Any, dim: int, index: Any, tensor: Any) -> Any:
    """The slices of ``tensor`` written at positions ``index`` along ``dim``."""
    input[(slice(None),) * (dim % input.ndim) + (index,)] = tensor
    return input


@method
def fill_diagonal_(input: Any, value: Any) -> Any:
    """``value`` written along the main diagonal."""
    inplace.check_writable(input)
    i = wrap(np.arange(min(input.shape)))
    input[(i,) * input.ndim] = value
    return input
