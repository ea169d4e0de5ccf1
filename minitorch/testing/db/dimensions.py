"""Strategies for the parameters of operators that name dimensions or give a shape."""

from __future__ import annotations

from typing import Any

from minitorch.backend import count
from minitorch.ops.reduce import axes
from minitorch.testing.db.cases import Call, parameter
from minitorch.testing.drawing import st


@parameter("softmax.dim", "log_softmax.dim", "gather.dim", "scatter.dim", "scatter_add.dim",
           "sort.dim", "topk.dim", "max_dim.dim", "min_dim.dim", "cumsum.dim", "dim0", "dim1")
def one_dim(call: Call) -> int:
    return call.axis()


@parameter("prod.dim", "argmax.dim", "argmin.dim")
def one_dim_or_all(call: Call) -> Any:
    return call.choose(None, call.axis())


@parameter("dim")
def some_dims(call: Call) -> Any:
    """None (all), an int, or a tuple of distinct dims, some counted from the end."""
    if call.choose(False, True):
        return call.axis() if call.choose(True, False) or call.op.defaults[
            call.op.parameters.index("dim")] is not None else None
    return distinct_dims(call, call.integer(1, call.axes))


def distinct_dims(call: Call, n: int) -> tuple[int, ...]:
    chosen = call.draw(st.permutations(range(call.axes)))[:n]
    return tuple([d - call.axes * call.choose(0, 1) for d in chosen])


@parameter("correction")
def correction(call: Call) -> int:
    """At most one degree of freedom too many: beyond, PyTorch's gradient depends on how ``dim``
    is spelled."""
    n = count(call.x.shape, axes(call.x.shape, call.need("dim")))
    return call.choose(*[c for c in (1, 0, 2) if c < max(n, 1 if call.kind == "edges" else 2)])


@parameter("unsqueeze.dim")
def new_dim(call: Call) -> int:
    return call.integer(-call.x.ndim - 1, call.x.ndim)


@parameter("permute.dims")
def order(call: Call) -> Any:
    return distinct_dims(call, call.axes) if call.x.ndim else ()


@parameter("dim2")
def another_dim(call: Call) -> int:
    n = call.axes
    return call.choose(*[d for d in range(-n, n) if (d - call.need("dim1")) % n])


@parameter("flip.dims")
def flipped(call: Call) -> Any:
    return distinct_dims(call, call.integer(0, call.axes)) if call.x.ndim else ()


@parameter("reshape.shape")
def same_size(call: Call) -> Any:
    n, sizes = call.x.size, []
    if not n:
        return (*call.shape(0, 1), 0, *call.shape(0, 1))
    for _ in range(call.integer(0, 2)):
        sizes.append(call.choose(*[k for k in range(1, n + 1) if n % k == 0]))
        n //= sizes[-1]
    sizes.append(n)
    sizes = call.draw(st.permutations(sizes))
    if call.choose(False, True):
        sizes[call.integer(0, len(sizes) - 1)] = -1
    return () if call.x.size == 1 and call.choose(False, True) else tuple(sizes)


@parameter("broadcast_to.shape")
def larger(call: Call) -> Any:
    return call.shape(0, 2, 3) + tuple([call.integer(1, 3) if n == 1 else n for n in call.x.shape])


@parameter("repeats")
def repeats(call: Call) -> Any:
    return tuple([call.integer(0, 3) for _ in range(call.x.ndim + call.integer(0, 1))])
