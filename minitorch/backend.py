"""NumPy and CuPy behind one vocabulary, and the devices they stand for.

Forwards and rules are written against a namespace ``xp``. For arrays it is one of the two made
here: everything NumPy (or CuPy) has, plus the few words below that they lack or spell otherwise.
``minitorch.ops`` speaks the same words on Tensors.
"""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from minitorch import coo, crossing, cupy_words, faster, special
from minitorch.devices import CPU, device

Array = Any  # numpy.ndarray or cupy.ndarray

# log(0) is -inf and 0/0 is nan, quietly, as in PyTorch. The filter names this package only:
# warnings from the user's own NumPy code are untouched.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minitorch\.")


def vocabulary(np_: Any) -> SimpleNamespace:
    """The namespace ``xp`` for arrays: ``np_`` (numpy or cupy) and the words it lacks."""
    xp = SimpleNamespace(**{k: v for k, v in vars(np_).items() if not k.startswith("_")})

    def sum(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        return np_.add.reduce(x, axis, None, None, keepdims)

    def mean(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        return np_.true_divide(xp.sum(x, axis, keepdims), count(x.shape, axis), dtype=x.dtype)

    def amax(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        return np_.maximum.reduce(x, axis, None, None, keepdims)

    def amin(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        return np_.minimum.reduce(x, axis, None, None, keepdims)

    def prod(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
        return np_.multiply.reduce(x, axis, precise(x.dtype), None, keepdims).astype(x.dtype)

    def sigmoid(x: Array) -> Array:
        out = np_.exp(-x)
        out += 1
        return np_.reciprocal(out)

    def sign(x: Array) -> Array:
        """-1, 0 or 1; 0 for nan, as in PyTorch."""
        if x.dtype.kind in "bu":
            return (x != 0).astype(x.dtype)
        return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)

    def cumsum(x: Array, axis: int) -> Array:
        dtype = x.dtype if x.dtype.kind == "f" else np.int64
        return np_.add.accumulate(x, axis, precise(dtype)).astype(dtype, copy=False)

    def cast(x: Array, dtype: Any) -> Array:
        return x.astype(dtype, copy=False)

    def new_zeros(x: Array, shape: tuple[int, ...]) -> Array:
        return np_.zeros(shape, x.dtype)  # on the current device, which is that of x

    def transfer(x: Array, device: Any) -> Array:
        return move(x, device)

    def index(x: Array, key: Any) -> Array:
        out = x[key]
        if isinstance(out, np.generic):  # a view even of a single element
            out = x[(*key, ...) if isinstance(key, tuple) else (key, ...)]
        return out

    def index_add(g: Array, shape: tuple[int, ...], key: Any) -> Array:
        """Zeros of ``shape`` with ``g`` added at ``key``: what a read of ``x[key]`` pulls back."""
        out = np_.zeros(shape, g.dtype)
        if is_basic(key):
            out[key] = g
        else:
            xp.add_at(out, key, g)
        return out

    def index_put(x: Array, key: Any, value: Any) -> Array:
        out = x.copy()
        out[key] = value
        return out

    def einsum(equation: str, *xs: Array) -> Array:
        with np.errstate(all="ignore"):  # inf - inf is nan, quietly, as everywhere
            return np_.asarray(np_.einsum(equation, *xs, optimize=len(xs) > 1))

    def diagonal(x: Array, offset: int, axis1: int, axis2: int) -> Array:
        out = np_.diagonal(x, offset, axis1, axis2)
        if np_ is np and x.flags.writeable:
            out.flags.writeable = True  # NumPy's own is read-only
        return out

    def scatter_add(x: Array, dim: int, where: Array, source: Array) -> Array:
        """A copy of ``x`` with ``source[i..]`` added at position ``where[i..]`` along ``dim``."""
        out = x.copy()
        if where.size:
            key = along(np_, where, dim)
            xp.add_at(line(out), key, corner(source, line(where).shape))
        return out

    def gather(x: Array, dim: int, where: Array) -> Array:
        if not where.size:
            return new_zeros(x, where.shape)
        out = line(x)[along(np_, where, dim)]
        return out if where.ndim else out.reshape(())

    def scatter(x: Array, dim: int, where: Array, source: Array) -> Array:
        out = x.copy()
        if where.size:
            line(out)[along(np_, where, dim)] = corner(source, line(where).shape)
        return out

    def accumulate(word: str, x: Array, axis: int) -> Array:
        """The running maximum (or another word's) along ``axis``."""
        return getattr(np_, word).accumulate(x, axis)

    def erf(x: Array) -> Array:
        return special.erf(np_, x)

    xp.sum, xp.cumsum, xp.cast, xp.index, xp.index_add = sum, cumsum, cast, index, index_add
    xp.scatter_add, xp.scatter, xp.gather, xp.erf = scatter_add, scatter, gather, erf
    xp.mean, xp.amax, xp.amin, xp.prod, xp.sigmoid = mean, amax, amin, prod, sigmoid
    xp.coo = coo.words.coo
    xp.index_put, xp.einsum, xp.transfer, xp.new_zeros = index_put, einsum, transfer, new_zeros
    xp.permute, xp.unsqueeze = np_.transpose, np_.expand_dims
    xp.pow, xp.clamp, xp.sign = np_.power, np_.clip, sign
    xp.diagonal, xp.add_at, xp.accumulate = diagonal, np_.add.at, accumulate
    if np_ is np:
        xp.where, xp.sum, xp.erf = faster.where, faster.sum, special.erf_of_numpy
    return xp


def precise(dtype: Any) -> Any:
    """In what many numbers are combined: float16 would lose them."""
    return np.float32 if dtype == np.float16 else dtype


def count(shape: tuple[int, ...], axis: Any) -> int:
    """How many elements a reduction over ``axis`` combines into one."""
    axes = (range(len(shape)) if axis is None else axis if isinstance(axis, (tuple, list))
            else (axis,))
    n = 1
    for i in axes:
        n *= shape[i]
    return n


def is_basic(key: Any) -> bool:
    """Whether ``x[key]`` is basic indexing: each element is read at most once, and shared."""
    keys = key if isinstance(key, tuple) else (key,)
    return all(k is None or k is Ellipsis or (isinstance(k, (int, np.integer, slice))
               and not isinstance(k, (bool, np.bool_))) for k in keys)


def line(x: Array) -> Array:
    """A 0-d array as one of a single element, over the same memory."""
    return x if x.ndim else x.reshape(1)


def along(np_: Any, where: Array, dim: int) -> tuple[Array, ...]:
    """Index arrays that pick ``where`` along ``dim`` and every position along the other axes."""
    where = line(where)
    grids = [np_.arange(n).reshape((-1,) + (1,) * (where.ndim - i - 1))
             for i, n in enumerate(where.shape)]
    grids[dim] = where
    return tuple(grids)


def corner(source: Any, shape: tuple[int, ...]) -> Any:
    """As much of ``source`` (an array, or a number) as an index of ``shape`` reads."""
    return source[tuple([slice(n) for n in shape])] if getattr(source, "ndim", 0) else source


def look(check: Any, *args: Any) -> None:
    """``check(x, ...)``, which looks at numbers and may raise: a recorded step repeats it.

    On the GPU it is made without waiting for the answer (see ``crossing``).
    """
    if type(args[0]) is np.ndarray or not hasattr(args[0], "__cuda_array_interface__"):
        check(*args)
    else:
        crossing.look(check, *args)


def library(array: Array) -> Any:
    """The module an array comes from: numpy or cupy."""
    return np if isinstance(array, (np.ndarray, np.generic, coo.Coo)) else cupy_module()


def is_own(x: Any) -> bool:
    """Whether ``x`` is an array as tensors hold them: NumPy's, or CuPy's."""
    return isinstance(x, np.ndarray) or type(x).__module__.partition(".")[0] == "cupy"


def from_dlpack(x: Any, copy: bool | None = None) -> Array:
    """Another library's array or tensor, without a copy, as NumPy's or CuPy's."""
    kind = int(x.__dlpack_device__()[0])
    if kind in (1, 3):  # in the host's memory, maybe page-locked
        return np.from_dlpack(x, copy=copy)
    if kind not in (2, 13):
        raise RuntimeError(f"from_dlpack: arrays of DLPack device type {kind} are neither on the "
                           f"CPU nor on an NVIDIA GPU")
    array = cupy_module().from_dlpack(x)
    return array.copy() if copy else array


def writable(array: Array) -> bool:
    """Whether an array may be written into; CuPy's always may."""
    return bool(getattr(array.flags, "writeable", True))


def share_memory(x: Array, y: Array) -> bool:
    """Whether two arrays lie in the same memory."""
    if isinstance(x, np.ndarray):
        return bool(np.may_share_memory(x, y) if x.size else
                    x.base is y or (x.base is not None and x.base is y.base))
    return (x if x.base is None else x.base) is (y if y.base is None else y.base)


numpy_words = vocabulary(np)
_cupy_words: SimpleNamespace | None = None


def namespace(array: Array) -> SimpleNamespace:
    """The vocabulary for the library that ``array`` belongs to."""
    global _cupy_words
    if isinstance(array, (np.ndarray, np.generic)):
        return numpy_words
    if isinstance(array, coo.Coo):
        return coo.words
    if _cupy_words is None:
        _cupy_words = vocabulary(cupy_module())
        cupy_words.respell(_cupy_words, cupy_module())
    return _cupy_words


def cupy_module() -> Any:
    try:
        import cupy  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        raise RuntimeError("device 'cuda' needs CuPy: install minitorch-xp[cuda12] or "
                           "minitorch-xp[cuda13]; without a GPU use device 'cpu'") from None
    return cupy


_default_device = CPU


def get_default_device() -> device:
    """Where creation functions put tensors when no ``device`` is given."""
    return _default_device


def set_default_device(d: Any) -> None:
    """Put new tensors on ``d`` unless ``device=`` says otherwise."""
    global _default_device
    wanted = CPU if d is None else device(d)
    require(wanted)
    _default_device = wanted


def require(d: device) -> None:
    """Raise, before anything is made, when device ``d`` cannot be used on this machine."""
    if d.type != "cuda":
        return
    n = cuda_count()
    if not n:
        cupy_module()
        raise RuntimeError(f"device '{d}' asked for, but no NVIDIA GPU is available here; "
                           f"use device 'cpu'")
    if d.index is not None and d.index >= n:
        raise RuntimeError(f"CUDA error: invalid device ordinal: '{d}' asked for, there are {n} "
                           f"GPUs here")


def cuda_count() -> int:
    """Number of usable GPUs; 0 without CuPy or a driver."""
    try:
        import cupy
        return int(cupy.cuda.runtime.getDeviceCount())
    except Exception:  # no CuPy, no driver, or a driver too old: no GPU either way
        return 0


def device_of(array: Array) -> device:
    if isinstance(array, coo.Coo):
        array = array.values
    if isinstance(array, (np.ndarray, np.generic)):
        return CPU
    return device("cuda", array.device.id)


def made(word: str, to: device, *args: Any) -> Array:
    """What the function ``word`` of NumPy or CuPy makes of ``args``, on device ``to``."""
    if to.type == "cpu":
        return getattr(np, word)(*args)
    require(to)
    cupy = cupy_module()
    with cupy.cuda.Device(cupy.cuda.Device().id if to.index is None else to.index):
        return getattr(cupy, word)(*args)


def move(array: Array, to: device) -> Array:
    """``array`` on device ``to``: the array itself if it is there already, else a copy."""
    if isinstance(array, coo.Coo):
        return coo.Coo(move(array.indices, to), move(array.values, to), array.shape,
                       array.coalesced)
    if to.type == "cpu":
        return array if isinstance(array, np.ndarray) else crossing.fetch(array)
    require(to)
    cupy = cupy_module()
    index = cupy.cuda.Device().id if to.index is None else to.index
    if not isinstance(array, np.ndarray) and array.device.id == index:
        return array
    with cupy.cuda.Device(index):  # where copies, also from another GPU, are made
        return cupy.asarray(array) if isinstance(array, np.ndarray) else array.copy()


coo.words.transfer = move
