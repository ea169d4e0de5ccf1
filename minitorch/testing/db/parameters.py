"""Strategies for the parameters of operators: options, and arrays that the law does not lay down.

Each is filed under the parameter's name (``weight``, ``keepdim``, ...), or under
``operator.parameter`` where the name alone does not say enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.backend import device
from minitorch.testing.db.cases import Call, choices, parameter
from minitorch.testing.drawing import st

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
