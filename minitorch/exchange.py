"""Tensors as Python numbers, lists, NumPy arrays and text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, ops, printing
from minitorch.coo import Coo
from minitorch.crossing import item
from minitorch.engine import shown_as, wrap
from minitorch.views import node_of


class Exchange(engine.Tensor):
    """What leaves minitorch: numbers, lists, arrays that share memory, text."""

    __array_priority__ = 1000  # ndarray * Tensor is left to Tensor

    def item(self) -> Any:
        """The single element as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to "
                               f"Scalar")
        return item(self.array)

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return backend.move(self.array, backend.CPU).tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """The NumPy array that shares this tensor's memory; ``force`` detaches and copies."""
        if node_of(self) is not None and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use "
                               "tensor.detach().numpy() instead.")
        if isinstance(self.array, Coo):
            raise TypeError("can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() "
                            "first.")
        if not isinstance(self.array, np.ndarray):
            if not force:
                raise TypeError("can't convert a tensor on the GPU to numpy. Use Tensor.cpu() to "
                                "copy the tensor to host memory first.")
            return backend.move(self.array, backend.CPU)
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return wrap(np.asarray(array))

    def __dlpack__(self, **options: Any) -> Any:
        if node_of(self) is not None:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if isinstance(self.array, Coo):
            raise BufferError("Can't export tensors with layout other than torch.strided")
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        array = self.array.values if isinstance(self.array, Coo) else self.array
        return array.__dlpack_device__()

    def __bool__(self) -> bool:
        if self.array.size != 1:
            count = "no values" if not self.array.size else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {count} is ambiguous")
        return bool(item(self.array))

    def _only(self) -> Any:
        if self.array.size != 1:
            raise ValueError(f"only one element tensors can be converted to Python scalars, not "
                             f"one of shape {tuple(self.array.shape)}")
        return item(self.array)

    def __float__(self) -> float:
        return float(self._only())

    def __int__(self) -> int:
        return int(self._only())

    def __complex__(self) -> complex:
        return complex(self._only())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iub" or self.array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(item(self.array))

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        if not self.array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter([shown_as("UnbindBackward0", ops.index(self, i))
                     for i in range(len(self.array))])

    def __reversed__(self) -> Any:
        return ops.flip(self, (0,)) if self.array.ndim else self

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, (engine.Tensor, int, float, np.generic)):
            return bool(item(ops.any(ops.eq(self, value)).array))
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in "
                           f"a {type(value)}.")

    def __repr__(self) -> str:
        suffixes = []
        array = backend.move(self.array, backend.CPU)
        if array is not self.array and self.is_cuda:  # type: ignore[attr-defined]
            suffixes.append(f"device='{self.device}'")  # type: ignore[attr-defined]
        if self.grad_fn is not None:  # type: ignore[attr-defined]
            suffixes.append(f"grad_fn=<{self.grad_fn.name()}>")  # type: ignore[attr-defined]
        elif self.node is not None:
            suffixes.append("requires_grad=True")
        if isinstance(array, Coo):
            return printing.sparse_text(array.indices, array.values, array.shape, suffixes=suffixes,
                                        default_dtype=dtypes.default())
        return printing.tensor_text(array, suffixes=suffixes, default_dtype=dtypes.default())

    def __format__(self, spec: str) -> str:
        if not self.array.ndim and type(self) is engine.Tensor.public:
            return format(self.item(), spec)
        return object.__format__(self, spec)
