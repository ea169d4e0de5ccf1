"""Random programs of operators, views, in-place writes and backward passes, against two judges:
a naive engine of ten lines, and torch."""

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

import minitorch

SHAPE = (2, 3)
UNARY = {  # name: (forward, derivative from the input)
    "sin": (np.sin, np.cos), "cos": (np.cos, lambda x: -np.sin(x)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "neg": (np.negative, lambda x: -np.ones_like(x)),
}
BINARY = {
    "add": (np.add, lambda x, y: (np.ones_like(x), np.ones_like(y))),
    "sub": (np.subtract, lambda x, y: (np.ones_like(x), -np.ones_like(y))),
    "mul": (np.multiply, lambda x, y: (y, x)),
}


class Naive:
    """A value and, for every leaf, its full Jacobian, carried forward: no graph, no backward."""

    def __init__(self, value, jacobians):
        self.value, self.jacobians = value, jacobians

    def chain(self, value, *parts):
        total = {}
        for slope, other in parts:
            for name, j in other.jacobians.items():
                total[name] = total.get(name, 0) + slope[..., None] * j
        return Naive(value, total)


class GrowAndWalk(RuleBasedStateMachine):
    values = Bundle("values")

    @initialize()
    def start(self):
        self.leaves = []

    @rule(target=values, seed=st.integers(0, 2 ** 16))
    def leaf(self, seed):
        array = np.random.default_rng(seed).normal(size=SHAPE)
        name = len(self.leaves)
        x = minitorch.tensor(array, requires_grad=True)
        self.leaves.append(x)
        return x, Naive(array, {name: np.eye(array.size).reshape(*SHAPE, -1)})

    @rule(target=values, x=values, name=st.sampled_from(sorted(UNARY)))
    def unary(self, x, name):
        forward, slope = UNARY[name]
        v = x[1].value
        return getattr(x[0], name)(), x[1].chain(forward(v), (slope(v), x[1]))

    @rule(target=values, x=values, y=values, name=st.sampled_from(sorted(BINARY)))
    def binary(self, x, y, name):
        forward, slopes = BINARY[name]
        a, b = x[1].value, y[1].value
        s, t = slopes(a, b)
        return (getattr(x[0], name)(y[0]),
                x[1].chain(forward(a, b), (s, x[1]), (t, y[1])))

    @rule(x=values, seed=st.integers(0, 2 ** 16))
    def walk_back(self, x, seed):
        g = np.random.default_rng(seed).normal(size=SHAPE)
        found = minitorch.autograd.grad(x[0], self.leaves, minitorch.tensor(g), retain_graph=True,
                                        allow_unused=True)
        for name, ours in enumerate(found):
            j = x[1].jacobians.get(name)
            if ours is None:
                assert j is None
            else:
                expected = np.tensordot(g, j, 2).reshape(SHAPE)
                np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-9, atol=1e-9)

    @rule(x=values)
    def values_agree(self, x):
        np.testing.assert_allclose(x[0].detach().numpy(), x[1].value, rtol=1e-12, atol=1e-12)


class WriteAndRead(RuleBasedStateMachine):
    """The same views and in-place writes under minitorch and torch: same values, same gradients,
    and an error in one is an error in the other."""

    tensors = Bundle("tensors")

    @initialize(target=tensors)
    def start(self):
        array = np.random.default_rng(0).normal(size=(3, 4))
        self.leaf = [engine.tensor(array, requires_grad=True) for engine in (minitorch, torch)]
        self.all = []
        self.broken = False
        return self.keep([x * 1 for x in self.leaf])

    def keep(self, pair):
        self.all.append(pair)
        return pair

    def both(self, act, pair, *others, same_errors=True):
        """Act under both engines; a failure in one must be a failure in the other."""
        results, errors = [], []
        for k in (0, 1):
            try:
                results.append(act(pair[k], *[o[k] for o in others]))
                errors.append(None)
            except RuntimeError as error:
                results.append(None)
                errors.append(str(error))
        if same_errors:
            assert (errors[0] is None) == (errors[1] is None), errors
        else:
            assert errors[0] is None or errors[1] is not None, errors
        return results if errors == [None, None] else pair

    @rule(target=tensors, x=tensors, i=st.integers(0, 2))
    def row(self, x, i):
        return self.keep(self.both(lambda t: t[i % len(t)] if t.ndim else t, x))

    @rule(target=tensors, x=tensors)
    def part(self, x):
        return self.keep(self.both(lambda t: t[1:] if t.ndim and len(t) > 1 else t, x))

    @rule(target=tensors, x=tensors)
    def transposed(self, x):
        return self.keep(self.both(lambda t: t.t() if t.ndim == 2 else t, x))

    @rule(target=tensors, x=tensors)
    def product(self, x):
        return self.keep(self.both(lambda t: t * 3 + t.sin(), x))

    @rule(x=tensors, name=st.sampled_from(["mul_", "add_", "sub_"]), by=st.floats(-2, 2))
    def write_number(self, x, name, by):
        self.both(lambda t: getattr(t, name)(by), x)

    @rule(x=tensors, y=tensors)
    def write_tensor(self, x, y):
        self.both(lambda t, u: t.mul_(u.sum()), x, y)

    @rule(x=tensors)
    def write_through_an_index(self, x):
        def act(t):
            if t.ndim:
                t[0] = 2 * t[-1]
        self.both(act, x)

    @rule(x=tensors)
    def write_unrecorded_copy(self, x):
        self.both(lambda t: t.exp_() if abs(t.detach()).max() < 2 else t, x)

    @invariant()
    def values_agree(self):
        for ours, theirs in getattr(self, "all", []):
            np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(),
                                       rtol=1e-9, atol=1e-12)

    @rule(x=tensors)
    def gradients_agree(self, x):
        def act(t, leaf):
            engine = minitorch if isinstance(t, minitorch.Tensor) else torch
            (g,) = engine.autograd.grad((t * t).sum(), leaf, retain_graph=True)
            return g.numpy()
        # minitorch keeps a copy of what exp_ overwrote; torch keeps the overwritten memory itself
        # and refuses more often.
        ours, theirs = self.both(act, x, self.leaf, same_errors=False)
        if isinstance(ours, np.ndarray):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


for machine in (GrowAndWalk, WriteAndRead):
    machine.TestCase.settings = settings(stateful_step_count=30)
TestGrowAndWalk = GrowAndWalk.TestCase
TestWriteAndRead = WriteAndRead.TestCase
