"""The arrays of the stand-in for CuPy: the host's memory behind CuPy's rules; see ``standin``."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from minitorch import backend
from tests import standin_cuda

counts = standin_cuda.counts


def launch(name: str, times: int = 1) -> None:
    counts.launches += times
    counts.calls += [name] * times


def near(value: Any) -> Any:
    """The host's memory of an operand; what CuPy does not take is refused in its words."""
    if isinstance(value, ndarray):
        return value.host
    if isinstance(value, (tuple, list)):
        return type(value)(map(near, value))
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    return value


def fresh(host: Any) -> Any:
    """A result in memory of its own; a tuple of them."""
    if isinstance(host, tuple):
        return tuple(map(fresh, host))
    counts.allocations += 1
    return ndarray(np.asarray(host))


class ndarray:
    """An array on the device that is not there; ``host`` is its memory."""

    __module__ = "cupy"
    __array_ufunc__ = None  # NumPy's operators give up, as they do beside CuPy's arrays
    __array_priority__ = 100

    def __init__(self, host: Any, base: ndarray | None = None) -> None:
        self.host = host
        self.base = None if base is None else base if base.base is None else base.base
        if base is None:
            if not host.flags.owndata or not host.flags.writeable:
                self.host = host.copy(order="K")
            standin_cuda.allocated(host.nbytes)

    def __del__(self) -> None:
        if self.base is None:
            standin_cuda.freed(self.host.nbytes)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` "
                        "to construct a NumPy array explicitly.")

    # -- what it is --------------------------------------------------------------------------

    shape = property(lambda self: self.host.shape)
    dtype = property(lambda self: self.host.dtype)
    ndim = property(lambda self: self.host.ndim)
    size = property(lambda self: self.host.size)
    itemsize = property(lambda self: self.host.itemsize)
    nbytes = property(lambda self: self.host.nbytes)
    strides = property(lambda self: self.host.strides)
    device = property(lambda self: standin_cuda.Device(0))
    data = property(lambda self: SimpleNamespace(ptr=self.host.ctypes.data, device_id=0))
    T = property(lambda self: self.transpose())

    @property
    def flags(self) -> Any:
        f = self.host.flags
        return SimpleNamespace(c_contiguous=f.c_contiguous, f_contiguous=f.f_contiguous,
                               owndata=self.base is None, forc=f.forc, fnc=f.fnc)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"shape": self.shape, "typestr": self.dtype.str, "version": 3, "stream": 1,
                "strides": None if self.flags.c_contiguous else self.strides,
                "data": (self.data.ptr, False)}

    def __dlpack__(self, stream: Any = None, **options: Any) -> Any:
        return self

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __len__(self) -> int:
        return len(self.host)

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self))])

    def __repr__(self) -> str:
        return repr(self.host)

    # -- to the host: each waits ---------------------------------------------------------------

    def get(self, stream: Any = None, order: str = "C", out: Any = None,
            blocking: bool = True) -> Any:
        counts.syncs += 1
        return self.host.copy(order)

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    # -- reading and writing at an index -------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        if backend.is_basic(key):
            keys = key if isinstance(key, tuple) else (key,)
            whole = () if any(k is Ellipsis for k in keys) else (...,)
            return ndarray(self.host[(*keys, *whole)], self)
        return fresh(self.host[self._prepared(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, (np.ndarray, list)):
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        value = near(value)
        launch("copy" if hasattr(value, "ndim") else "fill")
        self.host[key if backend.is_basic(key) else self._prepared(key)] = value

    def _prepared(self, key: Any) -> Any:
        """An advanced key for NumPy: masks are waited for, indices out of range wrap around."""
        keys = key if isinstance(key, tuple) else (key,)
        keys = [np.asarray(k) if isinstance(k, (list, bool)) else k.host if isinstance(k, ndarray)
                else k for k in keys]
        arrays = [k for k in keys if isinstance(k, np.ndarray)]
        if any(k.dtype == bool for k in arrays):
            counts.syncs += 1
            launch("scan")
        launch("take", 1 if len(arrays) == 1 else len(arrays) + 1)
        taken = [k.ndim if getattr(k, "dtype", None) == np.bool_ else k is not None
                 for k in keys if k is not Ellipsis]
        d = 0
        for i, k in enumerate(keys):
            if k is Ellipsis:
                d += self.ndim - sum(taken)
            elif isinstance(k, np.ndarray) and k.dtype == bool:
                d += k.ndim
            elif k is not None:
                if isinstance(k, np.ndarray) and k.size:
                    keys[i] = k % self.shape[d]
                d += 1
        return tuple(keys)

    # -- methods that are more than NumPy's ------------------------------------------------------

    def astype(self, dtype: Any, order: str = "K", casting: Any = None, subok: Any = None,
               copy: bool = True) -> Any:
        if casting is not None or subok is not None:
            raise TypeError("casting is not supported yet")
        if not copy and self.dtype == dtype:
            return self
        launch("copy")
        return fresh(self.host.astype(dtype, order=order))  # type: ignore[call-overload]

    def copy(self, order: str = "C") -> Any:
        launch("copy")
        return fresh(self.host.copy(order))  # type: ignore[call-overload]

    def view(self, dtype: Any = None) -> Any:
        return ndarray(self.host.view(dtype or self.dtype), self)

    def fill(self, value: Any) -> None:
        launch("fill")
        self.host.fill(near(value))

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        return self._maybe_view(self.host.reshape(*shape, order=order))

    def ravel(self, order: str = "C") -> Any:
        return self._maybe_view(self.host.ravel(order))  # type: ignore[arg-type]

    def _maybe_view(self, host: Any) -> Any:
        if np.may_share_memory(host, self.host):
            return ndarray(host, self)
        launch("copy")
        return fresh(host)

    def nonzero(self) -> Any:
        counts.syncs += 1
        launch("nonzero", 2)
        return fresh(self.host.nonzero())
