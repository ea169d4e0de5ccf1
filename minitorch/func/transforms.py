"""``grad``, ``vjp``, ``jvp``: derivatives as functions, which can be transformed again.

A transform calls ``f`` on stand-ins for its inputs, recording whatever the grad mode outside is. In
the graph outside, results stay part of what they were computed from there: inputs that require
gradients, and tensors that ``f`` closes over. The stand-ins themselves are nobody's: a result that
depends on nothing else is a plain tensor.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minitorch import ops
from minitorch.autograd.pulling import StandIn, pulled, stand_in, transposed
from minitorch.engine import Leaf, Tensor, wrap
from minitorch.errors import advised
from minitorch.func.trees import filled, leaves, mapped, spread, structure
from minitorch.modes import enable_grad, modes
from minitorch.views import node_of

Argnums = int | tuple[int, ...] | None  # None: all
JVP = "jvp(f, primals, tangents)"


def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0,
         has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of ``func``, which must return a 0-d tensor.

    ``argnums``: the positions of the arguments to differentiate by; a tuple of gradients for a
    tuple. Arguments may be tuples, lists and dicts of tensors, and gradients are alike. With
    ``has_aux``, ``func`` returns ``(output, aux)`` and the new function ``(gradient, aux)``. No
    ``.grad`` is touched. Raises RuntimeError for another output or for bad ``argnums``.

    >>> import minitorch as torch
    >>> from minitorch.func import grad, vmap
    >>> grad(torch.sin)(torch.tensor(0.0)), grad(grad(torch.sin))(torch.tensor(0.0))
    (tensor(1.), tensor(-0.))
    >>> loss = lambda w, x: (w * x).sum() ** 2
    >>> w, xs = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> vmap(grad(loss), in_dims=(None, 0))(w, xs)  # one gradient per sample
    tensor([[2., 0.],
            [0., 4.]])
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        gs, value = both(*args, **kwargs)
        return (gs, value[1]) if has_aux else gs
    return gradient


def grad_and_value(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0,
                   has_aux: bool = False) -> Callable[..., Any]:
    """Like ``grad``: returns ``(gradient, output)``, with aux ``(gradient, (output, aux))``.

    >>> import minitorch as torch
    >>> torch.func.grad_and_value(lambda x: x ** 3)(torch.tensor(2.0))
    (tensor(12.), tensor(8.))
    """
    @functools.wraps(func, updated=())
    def both(*args: Any, **kwargs: Any) -> Any:
        name = "grad_and_value(f)(*args)"
        chosen, y, aux = traced(func, args, kwargs, argnums, has_aux, name)
        if not isinstance(y, Tensor):
            raise RuntimeError(f"{name}: Expected f(*args) to return a Tensor, got {type(y)}")
        if y.array.ndim != 0:
            raise RuntimeError(f"{name}: Expected f(*args) to return a scalar Tensor, got tensor "
                               f"with {y.array.ndim} dims. Maybe you wanted to use the vjp or "
                               f"jacrev APIs instead?")
        gs = filled(chosen, pullback([y], leaves(chosen), [ops.ones_like(y)]))
        return (gs, (cut(y), aux)) if has_aux else (gs, cut(y))
    return both


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """``func(*primals)`` and the function v -> J^T v, a tuple with one entry per primal.

    Arguments and outputs may be tuples, lists and dicts of tensors, and v is like the output. With
    ``has_aux``, ``func`` returns ``(output, aux)``, and aux comes third. Raises RuntimeError for
    outputs that are not floating point tensors.

    >>> import minitorch as torch
    >>> y, pull = torch.func.vjp(torch.sin, torch.tensor([0.0, 1.0]))
    >>> pull(torch.tensor([1.0, 0.0]))
    (tensor([1., 0.]),)
    """
    chosen, out, aux = traced(func, primals, {}, None, has_aux, "vjp(f, *primals)")
    ys, xs = checked_outputs(out, "vjp(f, *primals)"), leaves(chosen)
    check_floating(ys)

    def pull(cotangents: Any) -> Any:
        if structure(cotangents) != structure(out):
            raise RuntimeError(f"Expected pytree structure of cotangents to be the same as pytree "
                               f"structure of outputs to the function. cotangents: "
                               f"{structure(cotangents)}, primal output: {structure(out)}")
        return filled(chosen, pullback(ys, xs, spread(cotangents, out) or []))

    results = mapped(cut, out), pull
    return (*results, aux) if has_aux else results


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False,
        has_aux: bool = False) -> tuple[Any, ...]:
    """``func(*primals)`` and J u, where the tangents u are like the tuple of primals.

    J u comes from the same rules as J^T v: the pullback is linear, and this is its transpose. It
    costs a recorded backward pass and another through that record; unlike PyTorch's forward mode,
    what ``func`` computes under ``no_grad`` counts as constant. With ``strict`` an output that does
    not depend on the primals raises RuntimeError. With ``has_aux``, aux comes third.

    >>> import minitorch as torch
    >>> torch.func.jvp(torch.sin, (torch.tensor(0.0),), (torch.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{JVP}: Expected primals to be a tuple. E.g. it should be valid to "
                           f"call f(*primals).")
    us = checked_tangents(tangents, primals)
    chosen, out, aux = traced(func, primals, {}, None, has_aux, JVP)
    ys = checked_outputs(out, JVP)
    if strict and not all(y.requires_grad for y in ys):
        raise RuntimeError("jvp(f, primals, tangents, strict=True): The output of f is independent "
                           "of the inputs. This is not allowed with strict=True.")
    results = mapped(cut, out), filled(out, pushforward(ys, leaves(chosen), us))
    return (*results, aux) if has_aux else results


# -- the steps that they share ---------------------------------------------------------------------

def traced(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any],
           argnums: Argnums, has_aux: bool, name: str) -> tuple[Any, Any, Any]:
    """The stand-ins for the chosen arguments, the output of ``func`` on them, and its aux."""
    places = range(len(args)) if argnums is None else positions(argnums, len(args))
    with enable_grad():
        new = list(args)
        for i in places:
            new[i] = mapped(replaced, args[i])
        # Their places in the graph, kept apart: func may write into what it is given.
        kept = [mapped(lambda x: wrap(x.array, x.node), new[i]) for i in places]
        try:
            out = func(*new, **kwargs)
        finally:
            for x in leaves(kept):
                if isinstance(x.node, StandIn):
                    x.node.open = False
    aux = None
    if has_aux:
        if not (isinstance(out, tuple) and len(out) == 2):
            raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if "
                               f"has_aux is True")
        out, aux = out[0], mapped(cut, out[1])
    return kept[0] if isinstance(argnums, int) else tuple(kept), out, aux


def replaced(x: Any) -> Any:
    """What stands for an input: a leaf of its own, or a copy that is part of the same graph."""
    if not isinstance(x, Tensor):
        raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
    if x.array.dtype.kind != "f":
        raise advised(RuntimeError("only Tensors of floating point dtype can require gradients"),
                      f"This one is {x.array.dtype}: convert it, as in x.float()")
    if node_of(x) is not None:
        return ops.clone(x)
    new = stand_in(x.array, open=True)
    new.version = x.version
    return new


def positions(argnums: int | tuple[int, ...], count: int) -> list[int]:
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    several = argnums if isinstance(argnums, tuple) else (argnums,)
    for i in several:
        if not isinstance(i, int):
            raise RuntimeError(f"argnum must be int, got: {type(i)}")
        if not -count <= i < count:
            raise RuntimeError(f"Got argnum={i}, but only {count} positional inputs")
    if not several:
        raise RuntimeError("argnums must be non-empty")
    found = [i % count for i in several]
    if len(set(found)) != len(found):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(found)}")
    return found


def outside(x: Any) -> bool:
    """Whether ``x`` depends on a leaf of the user's, or of a transform that is still running."""
    todo = [node_of(x)]
    seen = set(todo)
    while todo:
        node = todo.pop()
        if isinstance(node, Leaf) and not (isinstance(node, StandIn) and not node.open):
            return True
        for edge in node.edges if node is not None else ():
            if edge not in seen:
                seen.add(edge)
                todo.append(edge)
    return False


def cut(x: Any) -> Any:
    """A result as the graph outside sees it."""
    if not isinstance(x, Tensor):
        raise RuntimeError(f"Expected tensors, got unsupported type {type(x)}")
    return x if modes.grad and outside(x) else x.detach()  # type: ignore[attr-defined]


def pullback(ys: Sequence[Any], xs: Sequence[Any], vs: Sequence[Any]) -> list[Any]:
    """J^T v, recorded where there is someone outside to differentiate it."""
    record = modes.grad and any(outside(t) for t in (*ys, *vs))
    gs = pulled(ys, xs, vs, create_graph=record, retain_graph=True)
    return [ops.zeros_like(x) if g is None else cut(g) for g, x in zip(gs, xs)]


def pushforward(ys: Sequence[Any], xs: Sequence[Any], us: Sequence[Any]) -> list[Any]:
    """J u, recorded likewise."""
    record = modes.grad and any(outside(t) for t in (*ys, *us))
    with enable_grad():
        vs, gs = transposed(ys, xs)
    found = pulled(gs, vs, us, create_graph=record)
    return [ops.zeros_like(y) if du is None else cut(du) for du, y in zip(found, ys)]


def checked_outputs(out: Any, name: str) -> list[Any]:
    ys = leaves(out)
    if not ys or (len(ys) == 1 and ys[0] is None):
        raise RuntimeError(f"{name}: Expected f to be a function that has non-empty output (got "
                           f"output = {ys})")
    for y in ys:
        if not isinstance(y, Tensor):
            raise RuntimeError(f"{name}: expected f(*primals) to return only tensors, got "
                               f"unsupported type {type(y)}")
    return ys


def check_floating(ys: Sequence[Any]) -> None:
    for y in ys:
        if not y.is_floating_point():
            raise RuntimeError(f"vjp(f, ...): All outputs of f must be floating-point or complex "
                               f"Tensors, got Tensor with dtype {y.dtype}")


def checked_tangents(tangents: Any, primals: tuple[Any, ...]) -> list[Any]:
    """The leaves of the tangents beside those of the primals."""
    if structure(tangents) != structure(primals):
        raise RuntimeError(
            f"{JVP}: Expected primals and tangents to have the same python structure. For example, "
            f"if primals is a tuple of 3 tensors, tangents also must be. Got primals with "
            f"structure {structure(primals)} and tangents with structure {structure(tangents)}")
    xs, us = leaves(primals), spread(tangents, primals) or []
    if not xs:
        raise RuntimeError(f"{JVP}: Expected primals to contain at least one Tensor.")
    for given, name in ((xs, "primals"), (us, "tangents")):
        for x in given:
            if not isinstance(x, Tensor):
                raise RuntimeError(f"{JVP}: Expected {name} to only contain Tensors, got {type(x)}")
    for x, u in zip(xs, us):
        if x.shape != u.shape:
            raise RuntimeError(
                f"Trying to set a forward gradient that has a different size than that of the "
                f"original Tensor, this is not supported. Tensor is of size {list(x.shape)} while "
                f"the given forward gradient is of size {list(u.shape)}.")
    return us
