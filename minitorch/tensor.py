"""``minitorch.Tensor``: PyTorch's spellings over the engine.

Operators with rules become methods by their registration (see the end of ``functions.py``);
here stand Python's own operators, conversions, and the tensor's place in the graph.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import autograd, backend, dtypes, engine, ops, printing
from minitorch.engine import Leaf, wrap
from minitorch.indexing import getitem, setitem
from minitorch.modes import modes
from minitorch.views import refresh


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


class Handle:
    """What ``register_hook`` returns: ``remove()`` takes the hook away."""

    _next = 0

    def __init__(self, hooks: dict[int, Any]) -> None:
        Handle._next += 1
        self.id, self.hooks = Handle._next, hooks

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Tensor(engine.Tensor):
    """An n-dimensional array that can remember how it was computed.

    ``Tensor(2, 3)`` is uninitialised (here: zeros), ``Tensor([1, 2])`` float32, as in PyTorch's
    legacy constructor; ``minitorch.tensor`` is the one to use. The bare array is ``.array``.
    """

    __array_priority__ = 1000  # ndarray * Tensor is left to Tensor
    __hash__ = object.__hash__

    def __init__(self, *data: Any, device: Any = None) -> None:
        if len(data) == 1 and not isinstance(data[0], int):
            value = data[0].array if isinstance(data[0], engine.Tensor) else data[0]
            self.array = np.array(value, dtypes.default())
        else:
            self.array = np.zeros(data if data else 0, dtypes.default())
        self.version = [0]

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...  # operators come from the registry

    # -- what it is --------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return Size(self.array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return Size(self.array.shape) if dim is None else self.array.shape[dim]

    @property
    def ndim(self) -> int:
        return self.array.ndim  # type: ignore[no-any-return]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self.array.size)

    nelement = numel

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes._BY_NUMPY[self.array.dtype]

    @property
    def device(self) -> backend.device:
        return backend.device_of(self.array)

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

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

    def stride(self, dim: int | None = None) -> Any:
        """Steps between neighbours, in elements, per dimension."""
        strides = tuple(s // self.array.itemsize for s in self.array.strides)
        return strides if dim is None else strides[dim]

    def is_contiguous(self) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return bool(self.array.flags.c_contiguous)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self.array.__array_interface__["data"][0])

    # -- its place in the graph --------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not self.is_leaf:
            if not value:
                raise RuntimeError("you can only change requires_grad flags of leaf variables. If "
                                   "you want to use a computed variable in a subgraph that doesn't "
                                   "require differentiation use var_no_grad = var.detach().")
            return
        if value and self.array.dtype.kind != "f":
            raise RuntimeError(f"only Tensors of floating point dtype can require gradients, not "
                               f"{self.dtype}; convert it first, as in x.float()")
        if value != (self.node is not None):
            self.node = Leaf(self) if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient (or not), in place."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        return self.node is None or isinstance(self.node, Leaf)

    @property
    def grad_fn(self) -> Any:
        """The node that made this tensor; None for leaves."""
        refresh(self)
        return None if self.is_leaf else self.node

    @property
    def grad(self) -> Tensor | None:
        return self._grad  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, engine.Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got "
                                f"{type(value).__name__}")
            if value.array.shape != self.array.shape:
                raise RuntimeError(f"assigned grad has data of a different size: "
                                   f"{list(value.array.shape)} for {list(self.array.shape)}")
            if value.array.dtype != self.array.dtype:
                raise RuntimeError(f"assigned grad has data of a different type: {value.dtype} "
                                   f"for {self.dtype}")
        self._grad = value

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph; writes still count as modifications."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, engine.Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self.array = value.array

    def detach(self) -> Tensor:
        """The same memory outside the graph."""
        out = wrap(self.array)
        out.version = self.version
        return out  # type: ignore[no-any-return]

    def detach_(self) -> Tensor:
        """Leave the graph, in place."""
        self.node = None
        return self

    def backward(self, gradient: Tensor | None = None, retain_graph: bool | None = None,
                 create_graph: bool = False, inputs: Any = None) -> None:
        """Add the gradient of this tensor to the ``.grad`` of every leaf it depends on."""
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Keep ``.grad`` here too, although this tensor is not a leaf."""
        if self.node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not self.is_leaf:
            refresh(self)
            self.node.retained = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        return not self.is_leaf and self.node is not None and self.node.retained is not None

    def register_hook(self, hook: Callable[[Any], Any]) -> Handle:
        """Call ``hook(gradient)`` in backward; what it returns replaces the gradient."""
        refresh(self)
        if self.node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.node.hooks is None:
            self.node.hooks = {}
        handle = Handle(self.node.hooks)
        self.node.hooks[handle.id] = hook
        return handle

    # -- out of minitorch --------------------------------------------------------------------

    def item(self) -> Any:
        """The single element as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to "
                               f"Scalar")
        return self.array.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """The NumPy array that shares this tensor's memory."""
        if self.node is not None and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use "
                               "tensor.detach().numpy() instead.")
        if not isinstance(self.array, np.ndarray):
            if not force:
                raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use "
                                f"Tensor.cpu() to copy the tensor to host memory first.")
            return self.array.get()
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return wrap(np.asarray(array))

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.numpy().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __bool__(self) -> bool:
        if self.array.size != 1:
            count = "no values" if not self.array.size else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {count} is ambiguous")
        return bool(self.array.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iub" or self.array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.array.item())

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        if not self.array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self.array)))

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).array.any())

    def __repr__(self) -> str:
        suffixes = []
        if self.is_cuda:
            suffixes.append(f"device='{self.device}'")
        if self.grad_fn is not None:
            suffixes.append(f"grad_fn=<{self.grad_fn.name}>")
        elif self.requires_grad:
            suffixes.append("requires_grad=True")
        array = self.array.get() if self.is_cuda else self.array
        return printing.tensor_text(array, suffixes=suffixes, default_dtype=dtypes.default())

    def __format__(self, spec: str) -> str:
        if not self.array.ndim and type(self) is Tensor:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    # -- copying and pickling: of leaves only, as in PyTorch ---------------------------------

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support "
                               "the deepcopy protocol at the moment. Use .detach().clone().")
        out = type(self).__new__(type(self))
        memo[id(self)] = out
        out.__dict__.update({k: copy.deepcopy(v, memo) for k, v in self.__dict__.items()
                             if k not in ("array", "node", "version", "alias_of", "epoch")})
        out.array, out.version = self.array.copy(), [0]
        out.node = Leaf(out) if self.node is not None else None
        return out

    def __reduce__(self) -> Any:
        return _restore, (type(self), self.detach().numpy(force=True), self.requires_grad)

    # -- Python's operators ------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        return getitem(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        setitem(self, key, value)

    def __add__(self, other: Any) -> Any:
        return ops.add(self, other) if _operand(other) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return ops.add(self, other) if _operand(other) else NotImplemented

    def __sub__(self, other: Any) -> Any:
        return ops.subtract(self, other) if _operand(other) else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return ops.subtract(other, self) if _operand(other) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        return ops.multiply(self, other) if _operand(other) else NotImplemented

    def __rmul__(self, other: Any) -> Any:
        return ops.multiply(self, other) if _operand(other) else NotImplemented

    def __truediv__(self, other: Any) -> Any:
        return ops.divide(self, other) if _operand(other) else NotImplemented

    def __rtruediv__(self, other: Any) -> Any:
        return ops.divide(other, self) if _operand(other) else NotImplemented

    def __floordiv__(self, other: Any) -> Any:
        return ops.floor_divide(self, other) if _operand(other) else NotImplemented

    def __rfloordiv__(self, other: Any) -> Any:
        return ops.floor_divide(other, self) if _operand(other) else NotImplemented

    def __mod__(self, other: Any) -> Any:
        return ops.remainder(self, other) if _operand(other) else NotImplemented

    def __rmod__(self, other: Any) -> Any:
        return ops.remainder(other, self) if _operand(other) else NotImplemented

    def __pow__(self, other: Any) -> Any:
        return ops.pow(self, other) if _operand(other) else NotImplemented

    def __rpow__(self, other: Any) -> Any:
        return ops.pow(other, self) if _operand(other) else NotImplemented

    def __matmul__(self, other: Any) -> Any:
        return ops.matmul(self, other) if isinstance(other, engine.Tensor) else NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        return ops.matmul(wrap(np.asarray(other)), self)

    def __neg__(self) -> Any:
        if self.array.dtype.kind == "b":
            raise RuntimeError("Negation, the `-` operator, on a bool tensor is not supported. If "
                               "you are trying to invert a mask, use the `~` operator instead.")
        return ops.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return ops.abs(self)

    def __invert__(self) -> Any:
        return ops.bitwise_not(self)

    def __and__(self, other: Any) -> Any:
        return ops.bitwise_and(self, other)

    def __or__(self, other: Any) -> Any:
        return ops.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Any:
        return ops.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __eq__(self, other: Any) -> Any:
        return ops.eq(self, other) if _operand(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return ops.ne(self, other) if _operand(other) else NotImplemented

    def __lt__(self, other: Any) -> Any:
        return ops.lt(self, other) if _operand(other) else NotImplemented

    def __le__(self, other: Any) -> Any:
        return ops.le(self, other) if _operand(other) else NotImplemented

    def __gt__(self, other: Any) -> Any:
        return ops.gt(self, other) if _operand(other) else NotImplemented

    def __ge__(self, other: Any) -> Any:
        return ops.ge(self, other) if _operand(other) else NotImplemented


def _operand(x: Any) -> bool:
    return isinstance(x, (engine.Tensor, int, float, np.ndarray, np.generic)) or hasattr(
        x, "__dlpack__")


def _restore(cls: type, array: Any, requires_grad: bool) -> Any:
    out = cls.__new__(cls)
    out.array, out.version = array, [0]
    out.requires_grad = requires_grad
    return out


engine.Tensor.public = Tensor
engine.Tensor.words = ops
__all__ = ["Handle", "Size", "Tensor", "modes"]
