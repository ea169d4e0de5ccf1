"""``vmap``: values, structures, dimensions and draws beside torch.func's."""

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
    tensors_in,
)

pytestmark = FORWARD_MODE

VMAPS = {
    "rows": lambda e: e.F.vmap(lambda r: r * r.sum())(e.m),
    "columns": lambda e: e.F.vmap(lambda c: c.sum(), in_dims=1)(e.m),
    "from behind": lambda e: e.F.vmap(lambda c: c * 2, in_dims=-1, out_dims=-1)(e.m),
    "two": lambda e: e.F.vmap(lambda r, s: r @ s)(e.m, e.m + 1),
    "one held": lambda e: e.F.vmap(lambda r, s: r * s, in_dims=(0, None))(e.m, e.x),
    "trees": lambda e: e.F.vmap(lambda d, t: {"a": d["a"] * d["b"], "b": [t[0]]},
                                in_dims=({"a": 0, "b": None}, 0))({"a": e.m, "b": e.x}, (e.m,)),
    "out_dims": lambda e: e.F.vmap(lambda r: (r, {"s": r.outer(r)}), out_dims=(1, 2))(e.m),
    "out_dims of one": lambda e: e.F.vmap(lambda r: r, out_dims=(1,))(e.m),
    "not batched": lambda e: e.F.vmap(lambda r: e.x)(e.m),
    "out_dims None": lambda e: e.F.vmap(lambda r: (r, 3, e.x), out_dims=(0, None, None))(e.m),
    "keyword": lambda e: e.F.vmap(lambda r, k: r * k)(e.m, k=e.x),
    "nested": lambda e: e.F.vmap(lambda r: e.F.vmap(lambda s: r * s)(e.x))(e.m),
    "gradients": lambda e: e.F.vmap(lambda r: r * e.w.exp())(e.m),
    "batch of gradients": lambda e: e.F.vmap(lambda s: s.sin())(e.w),
    "empty": lambda e: e.F.vmap(lambda r: (r.sum(), r * 2), out_dims=(0, 1))(e.m[:0]),
    "chunks": lambda e: e.F.vmap(lambda r: r.sin(), chunk_size=2)(e.m),
    "at the top": lambda e: e.lib.vmap(lambda r: r.sin())(e.m),
}


@given(case=st.sampled_from(list(VMAPS)), seed=seeds)
def test_vmap_agrees_with_torch(case, seed):
    worlds = [World(lib, seed) for lib in ENGINES]
    results = [VMAPS[case](world) for world in worlds]
    if case == "out_dims None":
        results = [(a, b, None) for a, b, _ in results]
    same(*[(described(r), gradient_through(e, [t for t in tensors_in(r) if hasattr(t, "detach")]))
           for e, r in zip(worlds, results)])


@pytest.mark.parametrize("randomness", ["same", "different"])
def test_vmap_draws_as_told(randomness):
    minitorch.manual_seed(0)
    m = minitorch.vmap(lambda x: x + minitorch.rand(2), randomness=randomness)(minitorch.zeros(3))
    minitorch.manual_seed(0)
    first, second = minitorch.rand(2), minitorch.rand(2)
    assert m[0].tolist() == first.tolist()
    assert m[1].tolist() == (first if randomness == "same" else second).tolist()


def test_vmap_takes_values_and_branches():
    y = minitorch.vmap(lambda x: x * x.item() if x > 0 else -x)(minitorch.tensor([2.0, -3.0]))
    assert y.tolist() == [4, 3]
