"""Calls of any registered operator, drawn from what its registration says.

Shapes come from the operator's law (gufunc notation), values from its domain, every other
argument from the strategy filed here under the parameter's name (``dim``, ``keepdim``, ...), or
under ``operator.parameter`` where the name alone does not say enough. A new operator whose
parameters have known names needs no code here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minitorch.backend import count, device
from minitorch.ops.reduce import axes
from minitorch.primitive import Primitive
from tests import index_strategies  # noqa: F401  (files its strategies too)
from tests.cases import Call, Case, choices, parameter


@st.composite
def calls(draw: Any, op: Primitive, kind: str = "smooth", least: int = 1) -> Case:
    """Any valid call of ``op``; ``least`` is the smallest size of a dimension."""
    call = Call(draw, op, kind, least)
    if op.law:
        drawn = draw(hnp.mutually_broadcastable_shapes(
            signature=op.law, max_dims=3, min_side=least, max_side=4))
        call.shapes = dict(zip(op.parameters, drawn.input_shapes))
    args = [call.need(name) for name in op.parameters]
    if op.variadic:
        args[-1:] = args[-1]
    elif len(op.operands) == 2 and op.promote and "reduction" not in op.parameters \
            and call.integer(0, 5) == 5:
        i = call.choose(*op.operands)  # a Python number beside a tensor
        args[i] = call.operand(op.parameters[i], ()).item()
    return Case(op, tuple(args), call.seed)


# alpha: PyTorch rounds 1 / alpha to float32 in the gradient of celu, so it is a power of two.
choices(keepdim=[False, True], descending=[False, True], largest=[False, True],
        training=[True, False], log_target=[False, True],
        sorted=[True],  # with sorted=False PyTorch promises no order to compare with
        reduction=["mean", "sum", "none"],
        p=[2.0, 1.0, 3.0, 1.5, 0.5, 0.0, -1.0, float("inf"), float("-inf")],
        negative_slope=[0.01, 0.3, 0.0], alpha=[1.0, 0.5, 2.0], approximate=["none", "tanh"],
        softplus__beta=[1.0, 2.0, 0.5], threshold=[20.0, 1.1], beta=[1.0, 0.4],
        delta=[1.0, 0.4], min_val=[-1.0, -0.5], max_val=[1.0, 0.5], decimals=[0, 1, -1],
        diagonal=[0, 1, -1, 2], offset=[0, 1, -1], dtype=[np.dtype("float32"), np.dtype("float64")],
        device=[device("cpu")], eps=[1e-5, 0.1], scale=[1.0, 2.0], ignore_index=[-100, 1],
        smoothing=[0.0, 0.1], padding_idx=[None] * 6 + [0, 1], sparse=[False],
        scale_grad_by_freq=[False] * 7 + [True])


# -- arrays ----------------------------------------------------------------------------------

@parameter("x", "g")
def anything(call: Call) -> Any:
    return call.operand("x", call.shape())


@parameter("topk.x")
def distinct(call: Call) -> Any:
    """Of equal numbers PyTorch returns any."""
    return call.array(call.shape(), kind="smooth")


@parameter("tril.x", "triu.x", "diagonal.x")
def matrices(call: Call) -> Any:
    return call.operand("x", call.shape(2))


@parameter("t.x")
def at_most_a_matrix(call: Call) -> Any:
    return call.operand("x", call.shape(0, 2))


@parameter("nll_loss.x", "cross_entropy.x")
def logits(call: Call) -> Any:
    return call.operand("x", (call.integer(1, 4), call.integer(2, 4)))


@parameter("batch_norm.x")
def channels(call: Call) -> Any:
    # Of two values per channel the gradient is the difference of nearly equal numbers.
    return call.operand("x", (call.integer(3, 4), call.integer(1, 3), *call.shape(0, 2, 3)))


@parameter("layer_norm.x")
def samples(call: Call) -> Any:
    return call.operand("x", (*call.shape(0, 2, 3), call.integer(3, 4)))


@parameter("embedding.weight")
def table(call: Call) -> Any:
    return call.operand("weight", (call.integer(2, 4), call.integer(1, 3)))


@parameter("where.condition")
def condition(call: Call) -> Any:
    return np.asarray(call.rng.random(call.shapes["condition"]) < 0.5)


@parameter("mask")
def mask(call: Call) -> Any:
    return np.asarray(call.rng.random(call.broadcastable(call.x.shape)) < 0.5)


@parameter("binary_cross_entropy.y", "bce_with_logits.y")
def target_of_same_shape(call: Call) -> Any:
    return call.operand("y", call.x.shape)


@parameter("weight", "pos_weight")
def positive(call: Call) -> Any:
    """None, or positive numbers that broadcast against ``x``."""
    if call.choose(False, True):
        return None
    return call.array(call.broadcastable(np.shape(call.x)), "positive", "smooth")


@parameter("linear.weight")  # only the input may have more dimensions than the law says
def matrix(call: Call) -> Any:
    return call.array(call.shapes["weight"][-2:])


@parameter("linear.bias")
def bias(call: Call) -> Any:
    return call.array(call.shapes["bias"][-1:]) if call.choose(True, False) else None


@parameter("nll_loss.weight", "cross_entropy.weight", "batch_norm.weight")
def per_channel(call: Call) -> Any:
    return call.array((call.x.shape[1],), "positive", "smooth") if call.choose(1, 0) else None


@parameter("layer_norm.weight")
def per_feature(call: Call) -> Any:
    features = call.x.shape[call.x.ndim - call.need("dims"):]
    return call.array(features, "positive", "smooth") if call.choose(1, 0) else None


@parameter("bias")
def offset(call: Call) -> Any:
    """Like the weight, and only beside one: PyTorch's second order fails without."""
    weight = call.need("weight")
    return None if weight is None or call.choose(False, True) else call.array(weight.shape)


@parameter("layer_norm.dims")
def last_dims(call: Call) -> int:
    return call.integer(1, call.x.ndim)


@parameter("running_mean", "running_var")
def statistics(call: Call) -> Any:
    return call.array((call.x.shape[1],), "positive", "smooth")


@parameter("min", "max")
def bound(call: Call) -> Any:
    kind = call.choose("number", "tensor", "none")
    if kind == "none" and call.values.get("min", 0) is not None:
        return None  # one of the two is given
    if kind == "tensor":
        return call.array(call.broadcastable(call.x.shape))
    return call.array(()).item()


@parameter("target")
def classes(call: Call) -> Any:
    n, c = call.x.shape
    target = call.rng.integers(0, c, n)
    return np.where(call.rng.random(n) < 0.2, call.need("ignore_index"), target)


@parameter("cat.xs", "stack.xs")
def several(call: Call) -> Any:
    """Arrays that differ at most in the dimension they are joined along."""
    joined = call.op.name == "cat"
    shape = list(call.shape(1 if joined else 0))
    dim = call.values["dim"] = call.integer(-len(shape) - (not joined), len(shape) - joined)
    xs: list[Any] = []
    for _ in range(call.integer(1, 3)):
        if joined:
            shape[dim] = call.integer(0, 3)
        xs.append(call.array(tuple(shape)))
    return tuple(xs)


@parameter("cat.dim", "stack.dim")
def joined_dim(call: Call) -> int:
    call.need("xs")
    return call.values["dim"]


@parameter("equation")
def equation(call: Call) -> str:
    """Operands and their labels: diagonals, sums over one label, ellipses, implicit outputs."""
    size = {c: call.integer(1, 3) for c in "ijk"}
    around = call.shape(0, 2, 3)  # what an ellipsis stands for
    terms, xs = [], []
    for _ in range(call.integer(1, 3)):
        labels = call.draw(st.text("ijk", max_size=3))
        shape = tuple([size[c] for c in labels])
        if call.choose(False, False, True):
            cut = call.integer(0, len(labels))
            shape = (*shape[:cut], *call.broadcastable(around), *shape[cut:])
            labels = labels[:cut] + "..." + labels[cut:]
        terms.append(labels)
        xs.append(call.array(shape))
    call.values["xs"] = tuple(xs)
    if call.choose(False, False, True):
        return ",".join(terms)
    used = sorted({c for t in terms for c in t} - {"."})
    kept = call.draw(st.lists(st.sampled_from(used), unique=True)) if used else []
    if any("." in t for t in terms) and call.choose(True, True, False):
        kept.insert(call.integer(0, len(kept)), "...")  # left out, it is summed
    return ",".join(terms) + "->" + "".join(kept)


@parameter("einsum.xs")
def factors(call: Call) -> Any:
    call.need("equation")
    return call.values["xs"]


# -- dimensions and shapes -------------------------------------------------------------------

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
