"""Random tensors and the default stream: PyTorch's numbers, options and errors."""

import torch
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.twins import agree, difference, lines

DRAWN = lines("""
    torch.rand(n)
    torch.rand((2, n))
    torch.rand([n], dtype=torch.float64)
    torch.rand(size=(n,))
    torch.rand(2, n, requires_grad=True)
    torch.rand(n, dtype=torch.int64)
    torch.randn(n)
    torch.randn(2, n, dtype=torch.float64)
    torch.rand_like(torch.zeros(n))
    torch.randn_like(torch.zeros(n, dtype=torch.float64))
    torch.randint(5, (n,))
    torch.randint(-2, 5, (n,))
    torch.randint(high=5, size=(n,))
    torch.randint(low=1, high=5, size=[n])
    torch.randint(0, 9, (n,), dtype=torch.float32)
    torch.randint(0, 200, (n,), dtype=torch.uint8)
    torch.randint(0, 300, (n,), dtype=torch.uint8)
    torch.randint(5, 2, (1,))
    torch.randint(5)
    torch.randint_like(torch.zeros(n), 7)
    torch.randint_like(torch.zeros(n, dtype=torch.int64), 1, 7)
    torch.randperm(n)
    torch.randperm(n, dtype=torch.int32)
    torch.randperm(-1)
    torch.normal(0.0, 1.0, (n,))
    torch.normal(2.0, 3.0, size=(2, n))
    torch.normal(mean=torch.arange(n).float(), std=2.0)
    torch.normal(torch.zeros(n), torch.ones(2, 1))
    torch.normal(1.0, torch.ones(n))
    torch.normal(torch.ones(n))
    torch.normal(0.0, -1.0, (2,))
    torch.normal(torch.zeros(2), torch.tensor([1.0, -1.0]))
    torch.bernoulli(torch.full((n,), 0.3))
    torch.bernoulli(torch.zeros(n), 0.7)
    torch.bernoulli(torch.tensor([2.0]))
    torch.zeros(n).bernoulli(0.5)
    torch.multinomial(torch.rand(n + 2), 2)
    torch.multinomial(torch.ones(2, n + 2), 2)
    torch.multinomial(torch.ones(n), 5, replacement=True)
    torch.multinomial(torch.zeros(3), 1)
    torch.multinomial(torch.tensor([-1.0, 1.0]), 1)
    torch.multinomial(torch.tensor([1, 1]), 1)
    torch.multinomial(torch.ones(2), 3)
    torch.poisson(torch.full((n,), 2.5))
    torch.zeros(n).normal_()
    torch.zeros(n).normal_(1.0, std=2.0)
    torch.zeros(n).normal_(0, -1)
    torch.zeros(n).uniform_()
    torch.zeros(n).uniform_(-2, 3)
    torch.zeros(n).uniform_(3, 2)
    torch.zeros(n, dtype=torch.int64).uniform_()
    torch.zeros(n).exponential_(2.0)
    torch.zeros(n).bernoulli_()
    torch.zeros(n).bernoulli_(0.2)
    torch.zeros(n).bernoulli_(torch.linspace(0, 1, n))
    torch.zeros(n).random_(5)
    torch.zeros(n, dtype=torch.int64).random_(2, 9)
    torch.zeros(n, dtype=torch.int32).random_()
    torch.zeros(n).geometric_(0.5)
    torch.zeros(n).log_normal_()
    torch.zeros(n).cauchy_()
    torch.zeros(n, 4)[:, ::2].uniform_()
    torch.rand(n, out=torch.zeros(n))
    torch.rand(n, generator=torch.Generator().manual_seed(5))
    torch.randn(n, generator=torch.Generator().manual_seed(5))
    torch.randperm(n, generator=torch.Generator().manual_seed(5))
    torch.zeros(n).uniform_(generator=torch.Generator().manual_seed(5))
    torch.rand(n, generator=5)
    (torch.ones(n, requires_grad=True) * 2).normal_()
    (torch.ones(n, requires_grad=True) * 2).uniform_()
""")


@given(n=st.sampled_from([1, 3, 15, 16, 17, 40]), seed=st.integers(0, 2**40))
def test_random_tensors_agree_with_torch(n, seed):
    wrong = []
    for program in DRAWN:
        text = f"torch.manual_seed({seed}); first = torch.rand(1); ({program}, torch.rand(2))"
        wrong.append(difference(text, True, {"n": n}))
    assert not list(filter(None, wrong)), "\n".join(filter(None, wrong))


def test_generators_agree_with_torch():
    agree(lines("""
        torch.Generator().get_state()
        torch.Generator().get_state().shape
        torch.Generator().device
        torch.Generator().initial_seed()
        torch.Generator(device="cpu").manual_seed(3).initial_seed()
        torch.manual_seed(3).initial_seed()
        torch.manual_seed(-1).initial_seed()
        torch.manual_seed(3); torch.initial_seed()
        torch.manual_seed(3); torch.rand(5); torch.get_rng_state()
        s = torch.manual_seed(3).get_state(); torch.rand(3); torch.set_rng_state(s); torch.rand(3)
        g = torch.Generator().manual_seed(1); s = g.get_state(); g.set_state(s).get_state()
        g = torch.Generator().manual_seed(1); torch.rand(3, generator=g); torch.rand(3, generator=g)
        torch.default_generator.manual_seed(4); torch.rand(2)
        torch.set_rng_state(torch.zeros(3))
        torch.set_rng_state(torch.zeros(3, dtype=torch.uint8))
        isinstance(torch.seed(), int)
        isinstance(torch.default_generator, torch.Generator)
        torch.manual_seed(0); torch.random.fork_rng().__enter__(); torch.rand(1)
    """))


def test_states_travel_between_the_engines():
    torch.manual_seed(9)
    torch.randn(5)
    minitorch.set_rng_state(minitorch.from_numpy(torch.get_rng_state().numpy()))
    assert minitorch.randn(20).tolist() == torch.randn(20).tolist()
    torch.set_rng_state(torch.from_numpy(minitorch.get_rng_state().numpy()))
    assert minitorch.rand(3).tolist() == torch.rand(3).tolist()
