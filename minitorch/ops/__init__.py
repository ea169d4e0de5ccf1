"""The table of rules, and the vocabulary ``xp`` on Tensors.

Reading a rule with this module as ``xp`` computes on Tensors, so the backward pass is recorded.
NumPy's words that differ from PyTorch's are given beside the operators they mean.
"""

from typing import TYPE_CHECKING, Any

from minitorch import backend
from minitorch.engine import Tensor, is_array, wrap
from minitorch.ops import (
    activation,
    elementwise,
    indexing,
    linalg,
    loss,
    norm,
    reduce,
    select,
    shape,
    sparse,
)
from minitorch.primitive import Primitive, registry

globals().update(registry)  # every operator under its own name

if TYPE_CHECKING:
    def __getattr__(name: str) -> Any: ...

absolute, negative = select.abs, elementwise.negative
equal, not_equal, less, less_equal = select.eq, select.ne, select.lt, select.le
greater, greater_equal = select.gt, select.ge
arcsin, arccos, arctan = elementwise.asin, elementwise.acos, elementwise.atan
arcsinh, arccosh, arctanh = elementwise.asinh, elementwise.acosh, elementwise.atanh
arctan2 = elementwise.atan2
tile, copy = shape.repeat, select.clone
index_add = indexing.index_add_


def asarray(x: Any) -> Any:
    return (x if isinstance(x, Tensor) else
            wrap(x if is_array(x) else backend.numpy_words.asarray(x)))


def new_zeros(x: Any, shape: tuple[int, ...]) -> Any:
    return wrap(backend.namespace(x.array).new_zeros(x.array, shape))


def ones_like(x: Any) -> Any:
    return wrap(backend.namespace(x.array).ones_like(x.array))


def zeros_like(x: Any) -> Any:
    return wrap(backend.namespace(x.array).zeros_like(x.array))


def concatenate(xs: Any, dim: int) -> Any:
    return shape.cat(dim, *xs)


__all__ = ["Primitive", "registry", "absolute", "negative", "equal", "not_equal", "less",
           "less_equal", "greater", "greater_equal", "arcsin", "arccos", "arctan", "arcsinh",
           "arccosh", "arctanh", "arctan2", "tile", "copy", "index_add", "asarray",
           "new_zeros", "ones_like", "zeros_like", "concatenate",
           "activation", "elementwise", "indexing", "linalg", "loss", "norm", "reduce", "select",
           "shape", "sparse"]
