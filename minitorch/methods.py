"""Operators from the registry, and in-place forms: functions and methods of Tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch.conversion  # noqa: F401  (before the operators: its clone has more arguments)
from minitorch import backend, engine, inplace, ops
from minitorch.functions.common import FUNCTIONS, only_method, require_tensors, sizes
from minitorch.indexing import normalise
from minitorch.primitive import registry
from minitorch.tensor import Tensor

# -- operators -------------------------------------------------------------------------------

# Internal building blocks, and functions that minitorch.nn.functional spells in full.
_HIDDEN = {"cat", "stack", "einsum", "where", "linear", "index", "index_add", "index_put",
           "view_put", "overwrite", "max_dim", "min_dim", "masked_scale", "embedding",
           "batch_norm", "layer_norm", "cross_entropy", "cast", "transfer", "vector_norm", "coo",
           "to_dense", "coalesce", "values"}
_NOT_METHODS = {"leaky_relu", "elu", "selu", "celu", "gelu", "silu", "softplus", "hardtanh",
                "logsigmoid"}
_ALIASES = {"true_divide": "div", "divide": "div", "subtract": "sub", "multiply": "mul",
            "clip": "clamp", "absolute": "abs", "neg": "negative", "moveaxis": "movedim",
            "ger": "outer"}

# Of their two operands, how many must be tensors: 2, or only the first.
_OPERANDS = {"eq": 1, "ne": 1, "lt": 1, "le": 1, "gt": 1, "ge": 1, "fmod": 1, "maximum": 2,
             "minimum": 2, "atan2": 2, "logical_and": 2, "logical_or": 2, "logical_xor": 2}


def _strict(op: Any) -> Any:
    """The operator, but numbers are refused where PyTorch takes only tensors."""
    if op.name not in _OPERANDS:
        return op
    both = _OPERANDS[op.name] == 2

    def function(input: Any, other: Any, *, out: Any = None) -> Any:
        require_tensors(op.name, input=input, **{"other": other} if both else {})
        return op(input, other, out=out)
    function.__name__, function.__doc__ = op.name, op.__doc__
    return function


OPERATORS: dict[str, Any] = {}  # those that are functions of PyTorch just as they are
for _op in list(registry.values()):
    if _op.name in _HIDDEN or _op.__module__.endswith(".loss"):
        continue
    _function = _strict(_op)
    for _name in (_op.name, *_op.aliases):
        if _name not in FUNCTIONS:
            FUNCTIONS[_name] = OPERATORS[_name] = _function
        if _name not in _NOT_METHODS and not hasattr(Tensor, _name):
            setattr(Tensor, _name, _function)
for _alias, _name in _ALIASES.items():
    FUNCTIONS.setdefault(_alias, FUNCTIONS[_name])
    setattr(Tensor, _alias, getattr(Tensor, _name))


# -- in-place forms --------------------------------------------------------------------------

_UNARY = """abs absolute neg negative sign sgn square sqrt rsqrt reciprocal exp exp2 expm1 log log1p
log2 log10 sin cos tan asin acos atan arcsin arccos arctan sinh cosh tanh asinh acosh atanh arcsinh
arccosh arctanh sigmoid relu erf floor ceil trunc fix frac round logit deg2rad rad2deg nan_to_num
clamp clip clamp_min clamp_max""".split()
_OTHERS = """add sub mul div subtract multiply divide true_divide pow remainder fmod
floor_divide atan2 arctan2 hypot xlogy lerp addcmul addcdiv addmm addmv addr addbmm baddbmm
masked_fill masked_scatter scatter scatter_add index_add index_copy index_fill tril triu cumsum
cumprod eq ne lt le gt ge not_equal less less_equal greater greater_equal logical_not logical_and
logical_or logical_xor bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift
bitwise_right_shift""".split()

for _name in _UNARY:  # PyTorch has these as functions too: torch.relu_(x)
    OPERATORS[_name + "_"] = inplace.inplace(FUNCTIONS[_name])
for _name in ("fill_", "zero_"):
    OPERATORS[_name] = getattr(inplace, _name)
for _name, _function in OPERATORS.items():
    if _name.endswith("_"):
        setattr(Tensor, _name, _function)
for _name in _OTHERS:
    setattr(Tensor, _name + "_", inplace.inplace(FUNCTIONS[_name]))
setattr(Tensor, "copy_", inplace.copy_)
for _python, _name in {
        "iadd": "add_", "isub": "sub_", "imul": "mul_", "itruediv": "div_", "ipow": "pow_",
        "ifloordiv": "floor_divide_", "imod": "remainder_", "iand": "bitwise_and_",
        "ior": "bitwise_or_", "ixor": "bitwise_xor_", "ilshift": "bitwise_left_shift_",
        "irshift": "bitwise_right_shift_"}.items():
    setattr(Tensor, f"__{_python}__", getattr(Tensor, _name))


def _reshaping(name: str) -> None:
    def reshape(input: Any, *args: Any) -> Any:
        inplace.check_writable(input)
        y = getattr(input, name)(*args)
        input.array = y.array
        if input.alias_of is not None:
            input.alias_of = y.alias_of
        input.turns += 1
        if y.node is not None:
            input.node = y.node
        inplace.wrote(input)
        return input
    reshape.__name__, reshape.__doc__ = name + "_", f"``{name}``, changing this tensor's shape."
    only_method(reshape)


for _name in ("squeeze", "unsqueeze", "t", "transpose", "swapaxes", "swapdims"):
    _reshaping(_name)


@only_method
def float_power_(input: Any, exponent: Any) -> Any:
    """``input ** exponent`` in float64, the dtype that this tensor must have."""
    if input.array.dtype != np.float64:
        raise RuntimeError(f"the base given to float_power_ has dtype {input.dtype} but the "
                           f"operation's result requires dtype torch.float64")
    return input.pow_(exponent)


@only_method
def resize_(input: Any, *size: Any, memory_format: Any = None) -> Any:
    """Another shape; elements are kept in row-major order, those beyond the old ones are 0."""
    if input.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = sizes(size)
    n = 1
    for k in shape:
        n *= k
    if n != input.array.size:
        grown = backend.library(input.array).zeros(n, input.array.dtype)
        grown[:input.array.size] = input.array.reshape(-1)[:n]
        input.version = [0]
        input.array = grown
    input.array = input.array.reshape(shape)
    return input


@only_method
def index_put_(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """``input[indices] = values``, or ``+= values`` with repeated positions adding up."""
    if not accumulate:
        input[tuple(indices)] = values
        return input
    inplace.check_writable(input)
    key = normalise(tuple(indices))
    read = ops.index(input.detach(), key)
    spread = ops.broadcast_to(values, read.array.shape)
    return inplace.assign(input, input + ops.index_add(spread, input.array.shape, key))


@only_method
def fill_diagonal_(input: Any, fill_value: Any, wrap: bool = False) -> Any:
    """``fill_value`` written along the main diagonal."""
    if input.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if input.ndim > 2 and len(set(input.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    places = np.arange(min(input.shape))
    input[(places,) * input.ndim] = fill_value
    return input


@only_method
def apply_(input: Any, function: Any) -> Any:
    """Each element replaced by ``function(element)``; slow, and never recorded."""
    inplace.check_writable(input)
    new = [function(v) for v in input.reshape(-1).tolist()]
    inplace.copy_(input.detach(), engine.wrap(
        np.array(new, input.array.dtype).reshape(input.array.shape)))
    return input


# -- transposes, as attributes ---------------------------------------------------------------

def _reversed(x: Any) -> Any:
    return ops.permute(x, tuple(range(x.ndim))[::-1])


def _matrix(x: Any) -> Any:
    if x.ndim > 2 or x.ndim == 1:
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {x.ndim}-D "
                           f"tensor. For batches of matrices, consider using tensor.mH")
    return _matrices(x)


def _matrices(x: Any) -> Any:
    if x.ndim == 1:
        raise RuntimeError("tensor.mT is only supported on matrices or batches of matrices. Got "
                           "1-D tensor.")
    return ops.swapaxes(x, -2, -1) if x.ndim else x


for _name, _get, _doc in [("T", _reversed, "The dimensions in reverse order."),
                          ("H", _matrix, "The transpose of a matrix."),
                          ("mT", _matrices, "Matrices transposed."),
                          ("mH", _matrices, "Matrices transposed.")]:
    setattr(Tensor, _name, property(_get, doc=_doc))
