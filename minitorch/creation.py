"""Making tensors from data, and filled with one number.

Numbers in sequence are made in ``sequences``, random ones in ``sampling``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine
from minitorch.coo import Coo, refusal
from minitorch.crossing import item
from minitorch.engine import wrap
from minitorch.functions import into, sizes
from minitorch.literals import array_of
from minitorch.tensor import Tensor

__all__ = ["tensor", "as_tensor", "asarray", "scalar_tensor", "from_numpy", "from_dlpack",
           "frombuffer", "zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like",
           "full_like"]


def make(array: Any, device: Any = None, requires_grad: bool = False, out: Any = None) -> Any:
    """A tensor around a fresh array, on ``device`` (or the default one)."""
    to = backend.get_default_device() if device is None else backend.device(device)
    if to.type != "cpu":
        array = backend.move(array, to)
    t = wrap(array)
    if requires_grad:
        t.requires_grad = True
    return into(out, t)


def dtype_or_default(dtype: Any) -> np.dtype[Any]:
    return dtypes.default() if dtype is None else dtypes.to_numpy(dtype)


def dtype_or_int(dtype: Any) -> np.dtype[Any]:
    return dtypes.INT64 if dtype is None else dtypes.to_numpy(dtype)


def shape_of(name: str, size: tuple[Any, ...], named: dict[str, Any]) -> tuple[int, ...]:
    """The shape in ``f(2, 3)``, ``f((2, 3))`` and ``f(size=(2, 3))``."""
    if not size:
        if "size" not in named:
            raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
        size = (named.pop("size"),)
    if named:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(named))}'")
    shape = sizes(size)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"{name}: Trying to create tensor with negative dimension: "
                           f"{list(shape)}")
    return shape


# -- from data -------------------------------------------------------------------------------

def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
           pin_memory: bool = False) -> Any:
    """A tensor with a copy of ``data``: nested lists, numbers, arrays.

    >>> import minitorch as torch
    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    if device is None and isinstance(data, engine.Tensor):
        device = backend.device_of(data.array)
    elif device is None and engine.is_array(data):
        device = backend.device_of(data)
    return make(array_of(data, None if dtype is None else dtypes.to_numpy(dtype)), device,
                requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """A tensor over ``data``, sharing memory where it can."""
    if isinstance(data, engine.Tensor):
        return data.to(dtype=dtype, device=device)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray):
        return from_numpy(data).to(dtype=dtype, device=device)
    if backend.is_own(data):  # CuPy's
        dtypes.of_numpy(data.dtype)
        return wrap(data).to(dtype=dtype, device=device)
    return tensor(data, dtype=dtype, device=device)


def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None,
            requires_grad: bool = False) -> Any:
    """``as_tensor`` under its array-API name."""
    x = as_tensor(obj, dtype, device)
    x = x.detach().clone() if copy else x
    return x.detach().requires_grad_() if requires_grad else x


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None,
                  requires_grad: bool = False) -> Any:
    """A 0-d tensor, of the default float unless ``dtype`` says otherwise."""
    return full((), s, dtype=dtypes.of_numpy(dtype_or_default(dtype)), device=device,
                requires_grad=requires_grad)


def from_numpy(ndarray: Any) -> Any:
    """A tensor that shares the array's memory; raises TypeError for dtypes PyTorch lacks."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.of_numpy(ndarray.dtype)
    if not ndarray.dtype.isnative:
        raise ValueError("given numpy array has byte order different from the native byte order. "
                         "Conversion between byte orders is currently not supported.")
    if any(step < 0 for step in ndarray.strides):
        raise ValueError("At least one stride in the given numpy array is negative, and tensors "
                         "with negative strides are not currently supported. (You can probably "
                         "work around this by making a copy of your array with array.copy().)")
    return wrap(ndarray)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor that shares memory with another library's array."""
    x = wrap(backend.from_dlpack(ext_tensor, copy))
    return x if device is None else x.to(device)


def frombuffer(buffer: Any, *, dtype: dtypes.dtype, count: int = -1, offset: int = 0,
               requires_grad: bool = False) -> Any:
    """A 1-D tensor that shares memory with an object's buffer."""
    return make(np.frombuffer(buffer, dtype.dtype, count, offset), requires_grad=requires_grad)


# -- filled ----------------------------------------------------------------------------------

def _filled(name: str, fill: str, doc: str) -> Callable[..., Any]:
    def create(*size: Any, out: Any = None, dtype: Any = None, layout: Any = None,
               device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
               memory_format: Any = None, **named: Any) -> Any:
        shape = shape_of(name, size, named)
        to = backend.get_default_device() if device is None else backend.device(device)
        return make(backend.made(fill, to, shape, dtype_or_default(dtype)), to, requires_grad, out)
    create.__name__, create.__doc__ = name, doc
    return create


zeros = _filled("zeros", "zeros", "Zeros of the given shape.")
ones = _filled("ones", "ones", "Ones of the given shape.")
empty = _filled("empty", "zeros", "A tensor of the given shape to be written into (here: zeros).")


def full(size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, layout: Any = None,
         device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Any:
    """``fill_value`` in the given shape; its type gives the dtype."""
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not "
                        f"{type(size).__name__}")
    if isinstance(fill_value, engine.Tensor):
        fill_value = item(fill_value.array)
    if not isinstance(fill_value, (int, float, np.number, np.bool_)):
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not "
                        f"{type(fill_value).__name__}")
    value = array_of(fill_value, None if dtype is None else dtypes.to_numpy(dtype))
    to = backend.get_default_device() if device is None else backend.device(device)
    shape = shape_of("full", (tuple(size),), {})
    return make(backend.made("full", to, shape, value.item(), value.dtype), to, requires_grad, out)


def like(create: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function ``NAME_like`` of a function that takes a shape first."""
    def function(input: Any, *args: Any, dtype: Any = None, layout: Any = None, device: Any = None,
                 requires_grad: bool = False, memory_format: Any = None, **options: Any) -> Any:
        if not isinstance(input, engine.Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not "
                            f"{type(input).__name__}")
        if isinstance(input.array, Coo):
            if name not in ("zeros_like", "empty_like") or dtype or layout or device:
                raise refusal(f"{name}()")
            return make(input.array.zeros(), None, requires_grad)
        return create(input.array.shape, *args,
                      dtype=dtypes.of_numpy(input.array.dtype) if dtype is None else dtype,
                      device=backend.device_of(input.array) if device is None else device,
                      requires_grad=requires_grad, **options)
    function.__name__ = name
    function.__doc__ = (f"``{name.removesuffix('_like')}`` with the shape, dtype and device of "
                        f"``input``.")
    return function


zeros_like, ones_like = like(zeros, "zeros_like"), like(ones, "ones_like")
empty_like, full_like = like(empty, "empty_like"), like(full, "full_like")


# -- like a tensor ---------------------------------------------------------------------------

def _new(name: str, create: Callable[..., Any]) -> None:
    def new(self: Any, *args: Any, dtype: Any = None, device: Any = None, **options: Any) -> Any:
        if isinstance(self.array, Coo):
            raise refusal(f"{name}()")
        return create(*args, dtype=self.dtype if dtype is None else dtype,
                      device=self.device if device is None else device, **options)
    new.__name__ = name
    new.__doc__ = f"``{create.__name__}`` with this tensor's dtype and device."
    setattr(Tensor, name, new)


_new("new_zeros", zeros)
_new("new_ones", ones)
_new("new_empty", empty)
_new("new_full", full)
_new("new_tensor", tensor)
