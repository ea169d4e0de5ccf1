"""``functional_call``: a module with other parameters, beside torch.func's."""

import pytest

from tests.worlds import ENGINES, FORWARD_MODE, World, described, same

pytestmark = FORWARD_MODE


def network(lib, seed):
    """A small network with two names for one weight, a buffer, and running statistics."""
    class Net(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = lib.nn.Linear(3, 3, dtype=lib.float64)
            self.again = lib.nn.Linear(3, 3, dtype=lib.float64)
            self.again.weight = self.first.weight
            self.norm = lib.nn.BatchNorm1d(3, dtype=lib.float64)
            self.register_buffer("shift", lib.ones(3, dtype=lib.float64))

        def forward(self, x, scale=1.0):
            return self.norm(self.again(self.first(x).tanh())) * scale + self.shift

    lib.manual_seed(seed)
    return Net()


CALLS = {
    "own": lambda e, net: e.F.functional_call(net, dict(net.named_parameters()), e.m),
    "some": lambda e, net: e.F.functional_call(net, {"first.bias": e.x}, e.m),
    "tied": lambda e, net: e.F.functional_call(net, {"again.weight": e.m[:3]}, (e.m,)),
    "not tied": lambda e, net: e.F.functional_call(net, {"again.weight": e.m[:3]}, (e.m,),
                                                   tie_weights=False),
    "several dicts": lambda e, net: e.F.functional_call(
        net, [{"first.bias": e.x}, {"shift": e.y}], e.m, {"scale": 2.0}),
    "unknown": lambda e, net: e.F.functional_call(net, {"first.shift": e.x}, e.m),
    "gradients": lambda e, net: e.F.grad(lambda p: e.F.functional_call(net, p, e.m).square().sum())(
        {"first.weight": e.m[:3], "norm.bias": e.x}),
    "strict": lambda e, net: e.F.functional_call(net, {"first.bias": e.x, "b": e.x}, e.m,
                                                 strict=True),
    "twice": lambda e, net: e.F.functional_call(net, [{"shift": e.x}, {"shift": e.x}], e.m),
    "tied twice": lambda e, net: e.F.functional_call(
        net, {"first.weight": e.m[:3], "again.weight": e.m[1:]}, e.m),
    "no dict": lambda e, net: e.F.functional_call(net, 3, e.m),
    "no dicts": lambda e, net: e.F.functional_call(net, [3], e.m),
    "no tensor": lambda e, net: e.F.functional_call(net, {"first.bias": 3.0}, e.m),
}


@pytest.mark.parametrize("case", list(CALLS))
def test_functional_call_agrees_with_torch(case):
    found = []
    for lib in ENGINES:
        world, net = World(lib, 1), network(lib, 0)
        net.train(case != "gradients")  # torch lets no transform write running statistics
        before = {name: id(t) for name, t in (*net.named_parameters(), *net.named_buffers())}
        try:
            found.append(described(CALLS[case](world, net)))
        except (RuntimeError, TypeError, ValueError) as error:
            found.append((type(error), str(error)))
        assert {name: id(t) for name, t in (*net.named_parameters(), *net.named_buffers())
                } == before
        found[-1] = [found[-1], described(dict(net.named_buffers()))]
    same(*found)


@pytest.mark.parametrize("lib", ENGINES)
def test_functional_call_writes_into_the_buffers_it_was_given(lib):
    net, world = network(lib, 0), World(lib, 2)
    given = {name: b.detach().clone() for name, b in net.named_buffers()}
    own = {name: b.tolist() for name, b in net.named_buffers()}
    lib.func.functional_call(net, given, world.m)
    assert {name: b.tolist() for name, b in net.named_buffers()} == own
    assert given["norm.running_mean"].tolist() != own["norm.running_mean"]
    assert given["norm.num_batches_tracked"].item() == 1
