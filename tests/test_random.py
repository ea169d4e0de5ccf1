"""Laws of minitorch.random: the numbers, and the states left behind, are PyTorch's."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from minitorch import random
from tests.streams import (
    DTYPES,
    INTEGERS,
    assert_same_numbers,
    assert_same_state,
    floats,
    many,
    pair,
    reals,
    seeds,
    sizes,
)


def test_a_new_generator_starts_as_torchs():
    ours, theirs = random.Generator(), torch.Generator()
    assert ours.initial_seed() == theirs.initial_seed()
    assert ours.device == str(theirs.device)
    assert_same_state(ours, theirs)
    assert_same_numbers(ours.uniform(5), torch.rand(5, generator=theirs))


@many
@given(seeds)
@example(-1)
@example(2**64 - 1)
@example(2**32)
def test_any_seed_gives_torchs_state(seed):
    ours, theirs = pair(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    assert_same_state(ours, theirs)


@many
@given(seeds, sizes, floats, reals(-100, 100), reals(0, 100))
@example(0, 100_000, np.float32, 0.0, 1.0)
@example(0, 100_000, np.float32, -0.1, 0.2)
@example(0, 100_000, np.float64, -0.1, 0.2)
@example(0, 100_000, np.float16, 0.0, 1.0)  # some of these round up to 1, and become 0
def test_uniform_agrees_with_torch(seed, n, dtype, low, width):
    ours, theirs = pair(seed)
    expected = torch.empty(n, dtype=DTYPES[dtype]).uniform_(low, low + width, generator=theirs)
    assert_same_numbers(ours.uniform(n, low, low + width, dtype), expected)
    assert_same_state(ours, theirs)


@many
@given(seeds, sizes, floats, st.sampled_from([0.0, -3.0, 0.3]), st.sampled_from([0.0, 1.0, 1.7]))
@example(0, 1_000_003, np.float32, 0.0, 1.0)
@example(5554, 1712, np.float32, 0.0, 1.0)  # an angle next to 3 pi / 2: a fused reduction tells
@example(0, 100_003, np.float32, 0.3, 1.7)
@example(0, 100_003, np.float16, 0.3, 1.7)
def test_normal_agrees_with_torch(seed, n, dtype, mean, std):
    ours, theirs = pair(seed)
    expected = torch.empty(n, dtype=DTYPES[dtype]).normal_(mean, std, generator=theirs)
    exact = dtype != np.float64 or n < 16
    assert_same_numbers(ours.normal(n, mean, std, dtype), expected, exact)
    assert_same_state(ours, theirs)


@many
@given(seeds, sizes, st.floats(0, 1))
@example(0, 100_000, 0.7)
@example(0, 1000, 0.0)
@example(0, 1000, 1.0)
def test_bernoulli_agrees_with_torch(seed, n, p):
    ours, theirs = pair(seed)
    expected = torch.empty(n, dtype=torch.bool).bernoulli_(p, generator=theirs)
    assert_same_numbers(ours.bernoulli(n, p), expected)
    assert_same_state(ours, theirs)


@many
@given(st.integers(0, 2**32), sizes, floats)
def test_bernoulli_of_a_tensor_agrees_with_torch(seed, n, dtype):
    ours, theirs = pair(seed)
    p = np.random.default_rng(seed).random(n).astype(dtype)
    expected = torch.bernoulli(torch.from_numpy(p), generator=theirs)
    np.testing.assert_array_equal(ours.bernoulli_from(p), expected.numpy())
    assert_same_state(ours, theirs)


@many
@given(seeds, sizes, st.integers(-(2**63), 2**63 - 2), st.integers(1, 2**64 - 1))
@example(0, 100, -7, 2**28 - 1)
@example(0, 100, -7, 2**28)
@example(0, 100, -7, 2**32)
@example(0, 100, -(2**63), 2**64 - 1)
def test_randint_agrees_with_torch(seed, n, low, span):
    high = min(low + span, 2**63 - 1)
    ours, theirs = pair(seed)
    expected = torch.randint(low, high, (n,), generator=theirs)
    assert_same_numbers(ours.randint(low, high, n), expected)
    assert_same_state(ours, theirs)


@many
@given(seeds, sizes, st.sampled_from(list(INTEGERS | DTYPES)), st.integers(0, 254), st.data())
def test_randint_agrees_with_torch_in_every_dtype(seed, n, dtype, high, data):
    high = 1 + (high if dtype != np.bool_ else high % 2)
    low = data.draw(st.integers(0, high - 1))
    ours, theirs = pair(seed)
    twin = (INTEGERS | DTYPES)[dtype]
    expected = torch.randint(low, high, (n,), generator=theirs, dtype=twin)
    assert_same_numbers(ours.randint(low, high, n, dtype), expected)
    expected = torch.empty(n, dtype=twin).random_(generator=theirs)
    assert_same_numbers(ours.random(n, dtype), expected)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("n", [*range(101), 1000, 60_000])
def test_randperm_agrees_with_torch(n):
    ours, theirs = pair(n)
    assert_same_numbers(ours.randperm(n), torch.randperm(n, generator=theirs))
    assert_same_state(ours, theirs)


@many
@given(seeds, sizes, floats, st.floats(0.1, 10))
@example(0, 100_000, np.float16, 1.7)  # some round otherwise by way of float32
def test_exponential_agrees_with_torch(seed, n, dtype, rate):
    ours, theirs = pair(seed)
    expected = torch.empty(n, dtype=DTYPES[dtype]).exponential_(rate, generator=theirs)
    assert_same_numbers(ours.exponential(n, rate, dtype), expected, exact=dtype != np.float64)
    assert_same_state(ours, theirs)


@many
@given(seeds, sizes, floats, st.floats(0.1, 0.9))
def test_geometric_cauchy_and_log_normal_agree_with_torch(seed, n, dtype, p):
    ours, theirs = pair(seed)
    empty = torch.empty(n, dtype=DTYPES[dtype])
    expected = empty.geometric_(p, generator=theirs)
    assert_same_numbers(ours.geometric(n, p, dtype), expected)
    expected = empty.log_normal_(0.3, p, generator=theirs)
    assert_same_numbers(ours.log_normal(n, 0.3, p, dtype), expected, exact=dtype != np.float64)
    expected = empty.cauchy_(0.3, p, generator=theirs)
    with np.errstate(over="ignore"):  # to inf in float16, as in torch
        assert_same_numbers(ours.cauchy(n, 0.3, p, dtype), expected, exact=dtype != np.float64)
    assert_same_state(ours, theirs)


@many
@given(st.integers(0, 2**32), st.integers(0, 100), st.sampled_from([1.0, 10.0, 30.0, 1e4]))
@example(0, 20_000, 30.0)
def test_poisson_agrees_with_torch(seed, n, scale):
    ours, theirs = pair(seed)
    rates = (np.random.default_rng(seed).random((n, 2)) * scale).astype(np.float32)
    rates[::7], rates[1::7] = 0, 10  # 10 is the first rate of the other method
    expected = torch.poisson(torch.from_numpy(rates), generator=theirs)
    assert_same_numbers(ours.poisson(rates), expected)
    assert_same_state(ours, theirs)


@many
@given(st.integers(0, 2**32), st.integers(1, 50), st.sampled_from([(), (0,), (3,)]), floats,
       st.booleans(), st.data())
def test_multinomial_agrees_with_torch(seed, categories, rows, dtype, replacement, data):
    ours, theirs = pair(seed)
    weights = np.random.default_rng(seed).random((*rows, categories)).astype(dtype) + dtype(0.1)
    count = data.draw(st.integers(1, 200 if replacement else categories))
    twin = torch.from_numpy(weights)
    if dtype == np.float16 and not (replacement and count > 1):
        count = 1  # in float16 the race has ties, which torch.topk breaks as it likes
    expected = torch.multinomial(twin, count, replacement, generator=theirs)
    assert_same_numbers(ours.multinomial(weights, count, replacement), expected)
    assert_same_state(ours, theirs)


def test_multinomial_adds_many_probabilities_as_torch_does():
    ours, theirs = pair(0)
    weights = np.random.default_rng(0).random(5000, np.float32)
    expected = torch.multinomial(torch.from_numpy(weights), 100_000, True, generator=theirs)
    assert_same_numbers(ours.multinomial(weights, 100_000, True), expected)


@pytest.mark.parametrize("shape", [(), (0, 3), (4, 5), (2, 3, 7), [2, 3]])
def test_a_shape_is_filled_in_row_major_order(shape):
    draws = {
        "uniform": lambda g, s: g.uniform(s),
        "normal": lambda g, s: g.normal(s),
        "bernoulli": lambda g, s: g.bernoulli(s, 0.5),
        "randint": lambda g, s: g.randint(0, 9, s),
        "random": lambda g, s: g.random(s),
        "exponential": lambda g, s: g.exponential(s),
        "geometric": lambda g, s: g.geometric(s, 0.5),
        "cauchy": lambda g, s: g.cauchy(s),
        "log_normal": lambda g, s: g.log_normal(s),
    }
    for draw in draws.values():
        shaped, flat = draw(pair(2)[0], shape), draw(pair(2)[0], int(np.prod(shape)))
        assert isinstance(shaped, np.ndarray) and shaped.shape == tuple(shape)
        np.testing.assert_array_equal(shaped.reshape(-1), flat)
