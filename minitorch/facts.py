"""What a tensor is: its shape, its dtype, where and how its numbers lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine
from minitorch.coo import Coo


class Constant:
    """A name that PyTorch's programs pass around, such as ``torch.strided``; it prints as that."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


strided, sparse_coo = Constant("strided"), Constant("sparse_coo")
contiguous_format, preserve_format = Constant("contiguous_format"), Constant("preserve_format")
channels_last = Constant("channels_last")


class Size(tuple[int, ...]):
    """A shape: a tuple of ints that prints as ``torch.Size([2, 3])``."""

    def numel(self) -> int:
        """The product of the sizes."""
        n = 1
        for k in self:
            n *= k
        return n

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, i: Any) -> Any:
        out = super().__getitem__(i)
        return Size(out) if isinstance(i, slice) else out

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + tuple(other))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, other: Any) -> Size:
        return Size(tuple(self) * other)

    __rmul__ = __mul__


class Facts(engine.Tensor):
    """Questions about a tensor, answered without computing."""

    is_quantized = is_meta = is_mps = is_nested = False
    output_nr = 0
    name = None

    @property
    def is_sparse(self) -> bool:
        return isinstance(self.array, Coo)

    @property
    def layout(self) -> Constant:
        return sparse_coo if self.is_sparse else strided

    @property
    def shape(self) -> Size:
        return Size(self.array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return Size(self.array.shape) if dim is None else self.array.shape[self._axis(dim)]

    def _axis(self, dim: int) -> int:
        n = self.array.ndim
        if not -n <= dim < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], "
                             f"but got {dim})" if n else
                             "Dimension specified as 0 but tensor has no dimensions")
        return dim % n

    @property
    def ndim(self) -> int:
        return self.array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self.array.size)

    nelement = numel

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.of_numpy(self.array.dtype)

    @property
    def device(self) -> backend.device:
        return backend.device_of(self.array)

    def get_device(self) -> int:
        """The number of its GPU; -1 on the CPU."""
        return -1 if self.device.index is None else self.device.index

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def is_cpu(self) -> bool:
        return self.device.type == "cpu"

    @property
    def itemsize(self) -> int:
        return int(self.array.itemsize)

    def element_size(self) -> int:
        """Bytes per element."""
        return self.itemsize

    @property
    def nbytes(self) -> int:
        return int(self.array.nbytes)

    @property
    def _version(self) -> int:
        return self.version[0]

    def is_floating_point(self) -> bool:
        """Whether the dtype is a float."""
        return bool(self.array.dtype.kind == "f")

    def is_complex(self) -> bool:
        """False: there are no complex dtypes here."""
        return False

    def is_inference(self) -> bool:
        """False: there are no inference tensors here."""
        return False

    def is_pinned(self, device: Any = None) -> bool:
        """False: NumPy has no page-locked memory."""
        return False

    def is_shared(self) -> bool:
        """False: memory is not shared between processes."""
        return False

    def share_memory_(self) -> Any:
        """Itself; memory is not shared between processes."""
        return self

    def stride(self, dim: int | None = None) -> Any:
        """Steps between neighbours, in elements, per dimension."""
        steps, sizes = self.array.strides, self.array.shape
        strides = tuple(s // self.array.itemsize for s in steps)
        if self.array.flags.c_contiguous:  # NumPy leaves steps along sizes 0 and 1 undefined
            n, found = 1, []
            for k in reversed(sizes):
                found.append(n)
                n *= max(k, 1)
            strides = tuple(reversed(found))
        return strides if dim is None else strides[self._axis(dim)]

    def storage_offset(self) -> int:
        """How many elements of the base's memory come before the first one."""
        base = self if self.alias_of is None else self.alias_of.base
        return (address(self.array) - address(base.array)) // self.itemsize

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return bool(self.array.flags.c_contiguous) and not self.is_sparse

    def data_ptr(self) -> int:
        """The address of the first element."""
        return address(self.array)


def address(array: Any) -> int:
    """Where the first element lies."""
    return int(array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr)
