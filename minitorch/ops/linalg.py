"""Matrix products."""

import numpy as np

from minitorch.backend import count
from minitorch.errors import advised
from minitorch.primitive import primitive


def _matmul_x(xp, g, x_shape, y):
    if y.ndim == 1:
        return xp.unsqueeze(g, -1) * y
    if len(x_shape) == 1:
        return xp.squeeze(xp.matmul(y, xp.unsqueeze(g, -1)), -1)
    return xp.matmul(g, xp.swapaxes(y, -1, -2))


def _rows(xp, x):
    """A matrix with all dimensions but the last joined into one."""
    return xp.reshape(x, (count(x.shape, tuple(range(x.ndim - 1))), x.shape[-1]))


def _matmul_y(xp, g, x, y_shape):
    if x.ndim == 1:
        return xp.unsqueeze(x, -1) * (g if len(y_shape) == 1 else xp.unsqueeze(g, -2)) \
            if len(y_shape) > 1 else x * g
    if len(y_shape) == 1:
        return xp.squeeze(xp.matmul(xp.swapaxes(x, -1, -2), xp.unsqueeze(g, -1)), -1)
    if len(y_shape) == 2 and x.ndim > 2:  # one product instead of a batch that is then summed
        x, g = _rows(xp, x), _rows(xp, g)
    return xp.matmul(xp.swapaxes(x, -1, -2), g)


def _refuse_bool(x):
    if x.dtype.kind == "b":
        raise NotImplementedError("matrix products are not implemented for 'Bool': convert first, "
                                  "as in x.long()")


def _shown(node):
    """PyTorch has one operator per case, and reshapes around them for batches."""
    shapes = {i: shape for i, (shape, _) in zip(node.plan.positions, node.inputs)}
    dims = tuple([len(shapes[i] if i in shapes else node.kept(name).shape)
                  for i, name in enumerate("xy")])
    return {(1, 1): "DotBackward0", (2, 1): "MvBackward0", (1, 2): "SqueezeBackward4",
            (2, 2): "MmBackward0"}.get(dims, "UnsafeViewBackward0")


@primitive(shown=_shown, law="(n?,k),(k,m?)->(n?,m?)", x=_matmul_x, y=_matmul_y)
def matmul(xp, x, y):
    """The matrix product; 1-D operands are vectors, leading dimensions a broadcast batch."""
    if not x.ndim or not y.ndim:
        raise RuntimeError("both arguments to matmul need to be at least 1D, but they are "
                           f"{x.ndim}D and {y.ndim}D")
    if x.dtype != y.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {x.dtype} != "
                           f"{y.dtype}; convert one, as in x.float()")
    _refuse_bool(x)
    if x.shape[-1] != y.shape[-2 if y.ndim > 1 else -1]:
        raise advised(RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, x.shape))} and "
            f"{'x'.join(map(str, y.shape))})"), "The inner sizes must be equal.")
    return xp.matmul(x, y)


def _linear_weight(xp, g, x):
    if x.ndim == 1:
        return xp.unsqueeze(g, -1) * x
    if x.ndim > 2:
        x, g = _rows(xp, x), _rows(xp, g)
    return xp.matmul(xp.swapaxes(g, 0, 1), x)


def _linear_shown(node):
    x = node.kept("x")
    shape = node.inputs[0][0] if 0 in node.plan.positions else (0, 0) if x is None else x.shape
    names = {1: ("ViewBackward0", "SqueezeBackward4"), 2: ("AddmmBackward0", "MmBackward0")}
    return names.get(len(shape), ("ViewBackward0", "UnsafeViewBackward0"))[
        2 not in node.plan.positions]


@primitive(shown=_linear_shown,
           law="(n?,k),(m,k),(m)->(n?,m)", like="nn.functional.linear",
           bias=lambda xp, g: g,  # the engine sums over what was broadcast
           x=lambda xp, g, weight: xp.matmul(g, weight),
           weight=_linear_weight)
def linear(xp, x, weight, bias=None):
    """``x @ weight.T + bias``: weight (out, in), bias (out,)."""
    if x.dtype != weight.dtype:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {x.dtype} and "
                           f"{weight.dtype}; convert the input, as in x.float()")
    _refuse_bool(x)
    if not x.ndim or x.shape[-1] != weight.shape[-1]:
        raise advised(RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, x.shape))} and "
            f"{'x'.join(map(str, weight.shape[::-1]))})"),
            f"The layer takes {weight.shape[-1]} features, the input's last dimension has "
            f"{x.shape[-1] if x.ndim else 'no size'}.")
    out = xp.matmul(x, xp.swapaxes(weight, -1, -2))
    if bias is not None:
        out += bias
    return out


def _letters(equation, shapes):
    """Operand and output labels, with ``...`` spelled out and the output made explicit."""
    equation = equation.replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise RuntimeError(f"einsum(): {len(terms)} operands in '{equation}', {len(shapes)} given")
    free = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in equation]
    widest = 0
    for i, (term, shape) in enumerate(zip(terms, shapes)):
        extra = len(shape) - len(term.replace("...", ""))
        if extra < 0 or (extra and "..." not in term):
            raise RuntimeError(f"einsum(): the number of subscripts in '{term}' does not match the "
                               f"number of dimensions {len(shape)} of operand {i}")
        if "..." in term:
            widest = max(widest, extra)
            terms[i] = term.replace("...", "".join(reversed(free[:extra])))
    if not arrow:
        flat = "".join(left.replace("...", "").split(","))
        right = "..." + "".join(sorted(c for c in set(flat) if flat.count(c) == 1))
    out = right.replace("...", "".join(reversed(free[:widest])))
    if len(set(out)) < len(out) or not set(out) <= set("".join(terms)):
        raise RuntimeError(f"einsum(): in '{equation}' each label of the output must stand there "
                           f"once, and in an operand")
    return terms, out


def _einsum_rule(xp, g, place, equation, xs, shapes):
    """The product of ``g`` with the other operands, summed to this operand's labels."""
    terms, out = _letters(equation, shapes)
    factors, labels = [g], [out]
    for i, (term, x) in enumerate(zip(terms, xs)):
        if i != place:
            factors.append(x)
            labels.append(term)
    sizes = dict(zip(terms[place], shapes[place]))  # in the order of the operand's own labels
    known = [c for c in sizes if any(c in term for term in labels)]
    pulled = xp.einsum(",".join(labels) + "->" + "".join(known), *factors)
    # A label that stands nowhere else was summed away: every position gets the same.
    found = dict(zip(known, pulled.shape))
    pulled = xp.reshape(pulled, tuple([found.get(c, 1) for c in sizes]))
    pulled = xp.broadcast_to(pulled, tuple([max(found.get(c, 1), n) for c, n in sizes.items()]))
    if len(sizes) == len(terms[place]):
        return pulled
    # A label that stands twice read a diagonal: write into it.
    return xp.index_add(pulled, shapes[place], tuple(
        [np.arange(sizes[c]).reshape([-1 if c == d else 1 for d in sizes]) for c in terms[place]]))


@primitive(xs=_einsum_rule)
def einsum(xp, equation, *xs):
    """Products of ``xs`` summed by labels: ``einsum("ij,jk->ik", x, y)`` is a matrix product."""
    terms, out = _letters(equation, [x.shape for x in xs])
    try:
        return xp.einsum(",".join(terms) + "->" + out, *xs)
    except ValueError as error:
        raise RuntimeError(f"einsum(): '{equation}' does not fit shapes "
                           f"{[tuple(x.shape) for x in xs]}: {error}") from None
