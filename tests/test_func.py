"""``func``: values, structures, graphs and errors beside torch.func's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.worlds import (
    ENGINES,
    FORWARD_MODE,
    World,
    described,
    gradient_through,
    same,
    seeds,
    smooth,
)

pytestmark = FORWARD_MODE


TRANSFORMS = {
    "grad": lambda e: e.F.grad(smooth)(e.x),
    "grad and value": lambda e: e.F.grad_and_value(smooth)(e.x),
    "grad, aux": lambda e: e.F.grad(lambda x: (smooth(x), {"a": [x * 2]}), has_aux=True)(e.x),
    "value, aux": lambda e: e.F.grad_and_value(lambda x: (smooth(x), x), has_aux=True)(e.x),
    "argnums": lambda e: e.F.grad(lambda x, y: (x * y.exp()).sum(), argnums=1)(e.x, e.y),
    "argnums from behind": lambda e: e.F.grad(lambda x, y: (x * y).sum(), argnums=-1)(e.x, e.y),
    "several argnums": lambda e: e.F.grad(lambda x, y: (x * y).sum(), argnums=(1, 0))(e.x, e.y),
    "keyword": lambda e: e.F.grad(lambda x, k: (x * k).sum())(e.x, k=e.y),
    "dict": lambda e: e.F.grad(lambda p: (p["a"] * p["b"][0]).sum())({"a": e.x, "b": [e.y]}),
    "dict and argnums": lambda e: e.F.grad(lambda p, x: (p["a"] * x).prod(), argnums=(0, 1))(
        {"a": e.x}, e.y),
    "nested": lambda e: e.F.grad(e.F.grad(lambda s: s**3 * 2))(e.s),
    "three deep": lambda e: e.F.grad(e.F.grad(e.F.grad(lambda s: (s * s).sin())))(e.s),
    "inner use": lambda e: e.F.grad(lambda s: e.F.grad(lambda t: t**3 * s)(s) * s)(e.s),
    "no confusion of levels": lambda e: e.F.grad(
        lambda s: s * e.F.grad(lambda t: s + t)(e.s))(e.s),
    "closure": lambda e: e.F.grad(lambda x: (x * x * e.w).sum())(e.x),
    "closure, linear": lambda e: e.F.grad_and_value(lambda x: (x * x).sum() + e.w.sum())(e.x),
    "input with gradient": lambda e: e.F.grad(smooth)(e.w),
    "input is closure too": lambda e: e.F.grad(lambda x: (x * e.w).sum())(e.w),
    "unused": lambda e: e.F.grad(lambda x, y: x.sum(), argnums=(0, 1))(e.x, e.y),
    "constant": lambda e: e.F.grad(lambda x: e.w.sum())(e.x),
    "detached": lambda e: e.F.grad(lambda x: (x * x.detach()).sum())(e.x),
    "no_grad inside": lambda e: e.F.grad(lambda x: (x - held(e.lib, x)).sum())(e.x),
    "autograd inside": lambda e: e.F.grad(lambda x: e.lib.autograd.grad(
        (x**3).sum(), x, create_graph=True)[0].sum())(e.x),
    "vjp": lambda e: e.F.vjp(lambda x: x.tanh(), e.x)[1](e.y),
    "vjp output": lambda e: e.F.vjp(lambda x: (x * e.w, {"a": x}), e.x)[0],
    "vjp of a tree": lambda e: e.F.vjp(lambda p: {"s": p[0] * p[1], "t": [p[0].sum()]},
                                       (e.x, e.y))[1]({"s": e.y, "t": [e.s]}),
    "vjp, aux": lambda e: e.F.vjp(lambda x: (x.exp(), x), e.x, has_aux=True)[::2],
    "vjp twice": lambda e: [e.F.vjp(lambda x: x.exp(), e.x)[1](v) for v in (e.x, e.y)],
    "vjp of a vjp": lambda e: e.F.vjp(lambda v: e.F.vjp(lambda x: x.exp() * x, e.x)[1](v)[0],
                                      e.y)[1](e.x),
    "jvp": lambda e: e.F.jvp(lambda x, y: (x * y, y.sin()), (e.x, e.y), (e.y, e.x)),
    "jvp of a tree": lambda e: e.F.jvp(lambda p: [p["a"] * 2, {"b": p["a"] ** 2}],
                                       ({"a": e.x},), ({"a": e.y},)),
    "jvp, aux": lambda e: e.F.jvp(lambda x: (x.exp(), x), (e.x,), (e.y,), has_aux=True),
    "jvp of a constant": lambda e: e.F.jvp(lambda x: e.y, (e.x,), (e.y,)),
    "jvp of integers": lambda e: e.F.jvp(lambda x: (x.long(), x), (e.x,), (e.y,)),
    "jvp, closure": lambda e: e.F.jvp(lambda x: x * e.w, (e.x,), (e.y,)),
    "jvp along w": lambda e: e.F.jvp(lambda x: x * x, (e.x,), (e.w,)),
    "jvp of grad": lambda e: e.F.jvp(e.F.grad(smooth), (e.x,), (e.y,)),
    "grad of jvp": lambda e: e.F.grad(
        lambda x: e.F.jvp(lambda y: (y.exp() * y).sum(), (x,), (e.y,))[1])(e.x),
    "jacrev": lambda e: e.F.jacrev(lambda x: x.cumsum(0) * x)(e.x),
    "jacfwd": lambda e: e.F.jacfwd(lambda x: x.cumsum(0) * x)(e.x),
    "jacrev, argnums": lambda e: e.F.jacrev(lambda x, y: x.outer(y), argnums=(1, 0))(e.x, e.y),
    "jacfwd, argnums": lambda e: e.F.jacfwd(lambda x, y: x.outer(y), argnums=(1, 0))(e.x, e.y),
    "jacrev of trees": lambda e: e.F.jacrev(lambda p: {"s": p["a"] * p["b"], "t": (p["a"].sum(),)})(
        {"a": e.x, "b": e.y}),
    "jacrev, aux": lambda e: e.F.jacrev(lambda x: (x * x, x + 1), has_aux=True)(e.x),
    "jacfwd, aux": lambda e: e.F.jacfwd(lambda x: (x * x, x + 1), has_aux=True)(e.x),
    "jacrev, chunks": lambda e: e.F.jacrev(lambda x: x * x, chunk_size=2)(e.x),
    "jacrev, closure": lambda e: e.F.jacrev(lambda x: x * x * e.w)(e.x),
    "jacrev of a constant": lambda e: e.F.jacrev(lambda x: e.y)(e.x),
    "jacrev twice": lambda e: e.F.jacrev(e.F.jacrev(lambda x: x * x.sum() ** 2))(e.x),
    "jacfwd of jacrev": lambda e: e.F.jacfwd(e.F.jacrev(smooth))(e.x),
    "jacrev of jacfwd": lambda e: e.F.jacrev(e.F.jacfwd(smooth))(e.x),
    "hessian": lambda e: e.F.hessian(smooth)(e.x),
    "hessian, argnums": lambda e: e.F.hessian(lambda x, y: (x * y.exp()).sum(), argnums=(0, 1))(
        e.x, e.y),
    "vmap of grad": lambda e: e.F.vmap(e.F.grad(lambda w, x: (w * x).sum() ** 2), (None, 0))(
        e.y, e.m),
    "vmap of grad, closure": lambda e: e.F.vmap(e.F.grad(lambda x: (e.w * x).sum() ** 2))(e.m),
    "vmap of jacrev": lambda e: e.F.vmap(e.F.jacrev(lambda x: x * x.sum()))(e.m),
    "vmap of hessian": lambda e: e.F.vmap(e.F.hessian(smooth))(e.m),
    "vmap of a pullback": lambda e: e.F.vmap(e.F.vjp(lambda x: x.exp(), e.x)[1])(e.m),
    "grad of vmap": lambda e: e.F.grad(
        lambda x: e.F.vmap(lambda r: (r * x).sum().sin())(e.m).sum())(e.x),
    "jacrev of vmap": lambda e: e.F.jacrev(e.F.vmap(smooth))(e.m),
}


def held(lib, x):
    with lib.no_grad():
        return x * x


@given(case=st.sampled_from(list(TRANSFORMS)), seed=seeds, no_grad=st.booleans())
def test_transforms_agree_with_torch(case, seed, no_grad):
    """Values, structures, what is part of the graph outside, and gradients through it."""
    found = []
    for lib in ENGINES:
        world = World(lib, seed)
        with lib.set_grad_enabled(not no_grad):
            result = TRANSFORMS[case](world)
        found.append((described(result), gradient_through(world, result)))
        assert world.w.grad is None and world.x.grad is None and not world.x.requires_grad
    same(*found)


WRONG = {
    "int input": lambda e: e.F.grad(lambda x: x * 1.0)(e.lib.tensor(3)),
    "no tensor": lambda e: e.F.grad(lambda x: x)(3.0),
    "no scalar": lambda e: e.F.grad(lambda x: x)(e.x),
    "one element": lambda e: e.F.grad(lambda x: x[:1])(e.x),
    "two outputs": lambda e: e.F.grad(lambda x: (x, x))(e.s),
    "argnums too large": lambda e: e.F.grad(lambda x: x, argnums=2)(e.s),
    "argnums twice": lambda e: e.F.grad(lambda x: x, argnums=(0, 0))(e.s),
    "argnums empty": lambda e: e.F.grad(lambda x: x, argnums=())(e.s),
    "argnums a float": lambda e: e.F.grad(lambda x: x, argnums=1.0)(e.s),
    "argnums a list": lambda e: e.F.jacrev(lambda x: x, argnums=[0])(e.s),
    "argnums of floats": lambda e: e.F.grad(lambda x: x, argnums=(0.0,))(e.s),
    "no aux": lambda e: e.F.grad(lambda x: x, has_aux=True)(e.s),
    "no aux in vjp": lambda e: e.F.vjp(lambda x: x, e.s, has_aux=True),
    "no aux in jvp": lambda e: e.F.jvp(lambda x: x, (e.s,), (e.s,), has_aux=True),
    "aux of numbers": lambda e: e.F.grad(lambda x: (x, {"a": 1.0}), has_aux=True)(e.s),
    "backward inside": lambda e: e.F.grad(lambda x: [(x * x).backward(), x][1])(e.s),
    "in place": lambda e: e.F.grad(lambda x: x.mul_(2))(e.s),
    "cotangents": lambda e: e.F.vjp(lambda x: (x, x), e.x)[1](e.x),
    "cotangent's shape": lambda e: e.F.vjp(lambda x: x, e.x)[1](e.x[:2]),
    "vjp of no tensor": lambda e: e.F.vjp(lambda x: 3, e.x),
    "vjp of nothing": lambda e: e.F.vjp(lambda x: (), e.x),
    "vjp of None": lambda e: e.F.vjp(lambda x: None, e.x),
    "vjp of integers": lambda e: e.F.vjp(lambda x: x.long(), e.x),
    "jacrev of integers": lambda e: e.F.jacrev(lambda x: x.long())(e.x),
    "primals no tuple": lambda e: e.F.jvp(lambda x: x, e.x, e.x),
    "primals empty": lambda e: e.F.jvp(lambda: e.x, (), ()),
    "primals of numbers": lambda e: e.F.jvp(lambda x: x, (3.0,), (e.s,)),
    "tangents of numbers": lambda e: e.F.jvp(lambda x: x, (e.s,), (3.0,)),
    "tangent's shape": lambda e: e.F.jvp(lambda x: x, (e.x,), (e.x[:2],)),
    "strict": lambda e: e.F.jvp(lambda x: e.y, (e.x,), (e.x,), strict=True),
    "chunk_size": lambda e: e.F.jacrev(lambda x: x, chunk_size=0),
    "vmap without inputs": lambda e: e.F.vmap(lambda: 1)(),
    "in_dims None": lambda e: e.F.vmap(lambda x: x, in_dims=None)(e.m),
    "in_dims a list": lambda e: e.F.vmap(lambda x: x, in_dims=[0])(e.m),
    "in_dims of floats": lambda e: e.F.vmap(lambda x: x, in_dims=(1.0,))(e.m),
    "in_dims too large": lambda e: e.F.vmap(lambda x: x, in_dims=2)(e.m),
    "in_dims all None": lambda e: e.F.vmap(lambda x: x, in_dims=(None,))(e.m),
    "vmap of a number": lambda e: e.F.vmap(lambda x, y: x * y)(e.m, 3),
    "sizes": lambda e: e.F.vmap(lambda x, y: x)(e.m, e.x),
    "vmap returns a number": lambda e: e.F.vmap(lambda x: 3)(e.m),
    "vmap returns None": lambda e: e.F.vmap(lambda x: None)(e.m),
    "batched without out_dims": lambda e: e.F.vmap(lambda x: x, out_dims=None)(e.m),
    "out_dims a string": lambda e: e.F.vmap(lambda x: x, out_dims="a")(e.m),
    "out_dims too large": lambda e: e.F.vmap(lambda x: x, out_dims=5)(e.m),
    "randomness": lambda e: e.F.vmap(lambda x: x, randomness="often"),
    "vmap's chunk_size": lambda e: e.F.vmap(lambda x: x, chunk_size=0),
    "draws": lambda e: e.F.vmap(lambda x: x + e.lib.rand(3))(e.m),
}
STRUCTURES = {  # torch prints its own notation for trees
    "tangents": lambda e: e.F.jvp(lambda x: x, (e.x,), (e.x, e.x)),
    "in_dims": lambda e: e.F.vmap(lambda x: x, in_dims=(0, 0))(e.m),
    "out_dims": lambda e: e.F.vmap(lambda x: (x, x), out_dims=(0, 0, 0))(e.m),
}


@pytest.mark.parametrize("case", [*WRONG, *STRUCTURES])
def test_errors_are_torchs(case):
    messages = []
    for lib in ENGINES:
        with pytest.raises((IndexError, RuntimeError, ValueError)) as caught:
            {**WRONG, **STRUCTURES}[case](World(lib, 0))
        text = str(caught.value).replace("minitorch.tensor", "torch")
        messages.append((caught.type, text.split("tructure")[0] if case in STRUCTURES else text))
    ours, theirs = messages
    assert ours[0] is theirs[0]
    assert ours[1] == theirs[1] or (case == "in place" and ours[1].startswith(theirs[1][:-1]))


def test_what_is_written_into_an_input_of_the_graph_stays_inside():
    """torch refuses it; here the function works on a copy."""
    w = minitorch.ones(3, requires_grad=True)
    g = minitorch.func.grad(lambda x: (x.mul_(2) ** 2).sum())(w * 1)
    assert w.tolist() == [1, 1, 1] and g.tolist() == [8, 8, 8]


def test_forward_products_take_no_grad_as_constant():
    """They come from the reverse rules, which never see it; torch's forward mode does."""
    x = minitorch.tensor(3.0)
    _, u = minitorch.func.jvp(lambda x: x - held(minitorch, x), (x,), (minitorch.tensor(1.0),))
    assert u.item() == 1
