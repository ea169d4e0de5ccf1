"""``vmap``: a function of one sample, applied to every sample of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minitorch import ops
from minitorch.engine import Tensor
from minitorch.func.trees import filled, leaves, spread, structure
from minitorch.sampling import get_rng_state, set_rng_state


def vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error",
         *, chunk_size: int | None = None) -> Callable[..., Any]:
    """A function that applies ``func`` slice by slice along ``in_dims`` and stacks the results.

    ``in_dims``: the axis of each argument that is sliced, None for one passed as it is; an int for
    all, or a structure like the arguments. ``out_dims``: where the new axis goes in each output;
    None for an output that is the same for all slices. Keyword arguments are passed as they are.
    ``randomness``: "error", "different" draws for each slice, or the "same".

    It calls ``func`` once per slice, so it costs what a Python loop does: PyTorch's is one batched
    call. In return it is right for every function, and takes ``item()`` and branches on values.
    ``chunk_size`` changes nothing. Raises ValueError where ``in_dims`` or ``out_dims`` do not fit.

    >>> import minitorch as torch
    >>> torch.vmap(torch.dot)(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.ones(2, 2))
    tensor([3., 7.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or "
                           f"'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func, updated=())
    def batched(*args: Any, **kwargs: Any) -> Any:
        name = getattr(func, "__name__", repr(func))
        _check_out_dims(out_dims, name)
        xs = leaves(args)
        dims = _checked_dims(in_dims, args, name)
        count = _count(dims, xs)
        start = get_rng_state()
        results = []
        for i in range(count or 1):
            if randomness == "same":
                set_rng_state(start)
            one = [x if d is None else x.select(d, i) if count else _blank(x, d)
                   for d, x in zip(dims, xs)]
            results.append(func(*filled(args, one), **kwargs))
        if randomness == "error" and not get_rng_state().equal(start):
            raise RuntimeError("vmap: called random operation while in randomness error mode. "
                               "Please either use the 'same' or 'different' randomness flags on "
                               "vmap or perform the randomness operation out of vmap")
        first = results[0]
        places = _out_places(out_dims, first, name)
        columns = zip(*map(leaves, results))
        return filled(first, [_joined(ys, d, count, name) for ys, d in zip(columns, places)])
    return batched


def _count(dims: Sequence[int | None], xs: Sequence[Any]) -> int:
    """How many slices there are."""
    sizes = [x.shape[d] for d, x in zip(dims, xs) if d is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueError(f"vmap: Expected all tensors to have the same size in the mapped "
                         f"dimension, got sizes {sizes} for the mapped dimension")
    return int(sizes[0])


def _blank(x: Any, d: int) -> Any:
    """A slice of a batch of none: it tells the shape of the results."""
    return ops.new_zeros(x, tuple(n for i, n in enumerate(x.shape) if i != d))


def _joined(ys: Sequence[Any], d: int | None, count: int, name: str) -> Any:
    """The results of all slices as one, along a new axis ``d``."""
    if d is None:
        if any(isinstance(y, Tensor) and y is not ys[0] for y in ys):
            raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when "
                             f"out_dim is None")
        return ys[0]
    for y in ys:
        if not isinstance(y, Tensor):
            raise ValueError(f"vmap({name}, ...): `{name}` must only return Tensors, got type "
                             f"{type(y)}. Did you mean to set out_dims= to None for output?")
    n = ys[0].array.ndim + 1
    if not -n <= d < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but "
                         f"got {d})")
    out = ops.stack(d, *ys)
    return out if count else out.narrow(d, 0, 0)


def _checked_dims(in_dims: Any, args: tuple[Any, ...], name: str) -> list[int | None]:
    """The axis to slice for each leaf of the arguments, counted from 0."""
    call = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(f"{call}expected `in_dims` to be int or a (potentially nested) tuple "
                         f"matching the structure of inputs, got: {type(in_dims)}.")
    if not args:
        raise ValueError(f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, "
                         f"or you are trying to vmap over a function with no inputs. The latter "
                         f"is unsupported.")
    dims = spread(in_dims, args)
    if dims is None:
        raise ValueError(f"{call}in_dims is not compatible with the structure of `inputs`. in_dims "
                         f"has structure {structure(in_dims)} but inputs has structure "
                         f"{structure(args)}.")
    out: list[int | None] = []
    for d, x in zip(dims, leaves(args)):
        if d is None:
            out.append(d)
            continue
        if not isinstance(d, int):
            raise ValueError(f"{call}Got in_dim={d} for an input but in_dim must be either an "
                             f"integer dimension or None.")
        if not isinstance(x, Tensor):
            raise ValueError(f"{call}Got in_dim={d} for an input but the input is of type "
                             f"{type(x)}. We cannot vmap over non-Tensor arguments, please use "
                             f"None as the respective in_dim")
        n = x.array.ndim
        if not -n <= d < n:
            raise ValueError(f"{call}Got in_dim={d} for some input, but that input is a Tensor of "
                             f"dimensionality {n} so expected in_dim to satisfy -{n} <= in_dim < "
                             f"{n}.")
        out.append(d % n)
    return out


def _check_out_dims(out_dims: Any, name: str) -> None:
    for d in leaves(out_dims):
        if not (d is None or isinstance(d, int)):
            raise ValueError(f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, "
                             f"None or a python collection of ints representing where in the "
                             f"outputs the vmapped dimension should appear.")


def _out_places(out_dims: Any, out: Any, name: str) -> list[Any]:
    """The new axis of each leaf of the output."""
    if isinstance(out, Tensor) and isinstance(out_dims, tuple) and len(out_dims) == 1:
        return list(out_dims)
    found = spread(out_dims, out)
    if found is None:
        raise ValueError(f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not "
                         f"compatible with the structure of `outputs`. out_dims has structure "
                         f"{structure(out_dims)} but outputs has structure {structure(out)}.")
    return found
