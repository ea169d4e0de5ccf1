"""Laws of minitorch.random: the numbers, and the states left behind, are PyTorch's."""

import copy
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minitorch import random, rounding

SIZES = (0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 100, 1000)
DTYPES = {np.float16: torch.float16, np.float32: torch.float32, np.float64: torch.float64}
INTEGERS = {np.int64: torch.int64, np.int32: torch.int32, np.int16: torch.int16,
            np.uint8: torch.uint8, np.bool_: torch.bool}
# Without AVX2 PyTorch runs other loops, whose float32 rounds otherwise in the last bits.
VECTORISED = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")

seeds = st.integers(-(2**63), 2**64 - 1)
sizes = st.sampled_from(SIZES) | st.integers(0, 2000)
floats = st.sampled_from(list(DTYPES))
def reals(least, most):
    """Numbers the float64 fused multiply-add can take apart: none so small that it vanishes."""
    return st.floats(least, most).filter(lambda v: v == 0 or abs(v) > 1e-6)


many = settings(max_examples=60, deadline=None)


def pair(seed):
    return random.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def assert_same_numbers(ours, theirs, exact=True):
    """Equal bit for bit; `exact=False` where NumPy's float64 log, sin, tan or exp shows."""
    theirs = theirs.numpy()
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    if exact and VECTORISED:
        np.testing.assert_array_equal(ours, theirs)
    else:
        # NumPy's functions and the C library's each err by up to a unit of the last place.
        eps = 4 * np.finfo(ours.dtype).eps
        np.testing.assert_allclose(ours, theirs, rtol=eps, atol=eps)


def assert_same_state(ours, theirs):
    np.testing.assert_array_equal(ours.get_state(), theirs.get_state().numpy())


# ---- each stream alone


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


# ---- streams mixed, states carried over

DRAWS = {
    "uniform": lambda g, n: g.uniform((n,)),
    "uniform float64": lambda g, n: g.uniform((n,), -1, 2, np.float64),
    "normal": lambda g, n: g.normal((n,)),
    "normal float16": lambda g, n: g.normal((n,), dtype=np.float16),
    "bernoulli": lambda g, n: g.bernoulli((n,), 0.3),
    "randint": lambda g, n: g.randint(-5, 17, (n,)),
    "randint wide": lambda g, n: g.randint(0, 2**40, (n,)),
    "randperm": lambda g, n: g.randperm(n),
    "random_": lambda g, n: g.random_int64(),
    "seed": lambda g, n: g.manual_seed(n),
    "state": lambda g, n: g.set_state(g.get_state()),
}
TWINS = {
    "uniform": lambda g, n: torch.rand(n, generator=g),
    "uniform float64": lambda g, n: torch.empty(n).double().uniform_(-1, 2, generator=g),
    "normal": lambda g, n: torch.randn(n, generator=g),
    "normal float16": lambda g, n: torch.randn(n, generator=g, dtype=torch.float16),
    "bernoulli": lambda g, n: torch.empty(n, dtype=torch.bool).bernoulli_(0.3, generator=g),
    "randint": lambda g, n: torch.randint(-5, 17, (n,), generator=g),
    "randint wide": lambda g, n: torch.randint(2**40, (n,), generator=g),
    "randperm": lambda g, n: torch.randperm(n, generator=g),
    "random_": lambda g, n: torch.empty((), dtype=torch.int64).random_(generator=g).item(),
    "seed": lambda g, n: g.manual_seed(n),
    "state": lambda g, n: g.set_state(g.get_state()),
}
programs = st.lists(st.tuples(st.sampled_from(list(DRAWS)), st.integers(0, 40)), max_size=25)


@settings(max_examples=150, deadline=None)
@given(seeds, programs)
def test_any_program_of_draws_agrees_with_torch(seed, program):
    ours, theirs = pair(seed)
    for kind, n in program:
        mine, expected = DRAWS[kind](ours, n), TWINS[kind](theirs, n)
        if isinstance(expected, torch.Tensor):
            assert_same_numbers(mine, expected)
        elif isinstance(expected, int):
            assert mine == expected
        assert_same_state(ours, theirs)


@many
@given(seeds, programs)
def test_states_travel_to_torch_and_back(seed, program):
    ours, _ = pair(seed)
    for kind, n in program:
        DRAWS[kind](ours, n)
    theirs = torch.Generator()
    theirs.set_state(torch.from_numpy(ours.get_state()))
    back = random.Generator()
    back.set_state(theirs.get_state())
    assert back.initial_seed() == theirs.initial_seed() == ours.initial_seed()
    expected = torch.randn(7, generator=theirs)
    for generator in (ours.clone_state(), copy.deepcopy(ours), back, ours):
        assert_same_numbers(generator.normal(7), expected)
        assert_same_state(generator, theirs)


def test_a_clone_goes_its_own_way():
    ours, _ = pair(3)
    clone = ours.clone_state()
    first = clone.uniform(4)
    np.testing.assert_array_equal(ours.uniform(4), first)


def test_reseeding_drops_the_spare_normal():
    ours, theirs = pair(1)
    ours.normal(1), torch.randn(1, generator=theirs)
    ours.manual_seed(1), theirs.manual_seed(1)
    assert_same_numbers(ours.normal(2), torch.randn(2, generator=theirs))


def test_seeding_at_random_gives_another_stream_each_time():
    ours, _ = pair(0)
    seed = ours.seed()
    assert seed == ours.initial_seed() and 0 <= seed < 2**64
    assert ours.seed() != seed


# ---- the default generator


def test_the_default_generator_is_seeded_saved_and_forked():
    saved = random.get_rng_state()
    try:
        assert random.manual_seed("5") is random.default_generator  # int(seed), as torch does
        assert random.initial_seed() == 5
        state = random.get_rng_state()
        with random.fork_rng():
            inside = random.default_generator.uniform(3)
        np.testing.assert_array_equal(random.get_rng_state(), state)
        with random.fork_rng(enabled=False):
            np.testing.assert_array_equal(random.default_generator.uniform(3), inside)
        assert not np.array_equal(random.get_rng_state(), state)
        random.set_rng_state(state)
        np.testing.assert_array_equal(random.default_generator.uniform(3), inside)
        assert random.seed() == random.initial_seed()
    finally:
        random.set_rng_state(saved)


# ---- shapes


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


# ---- errors: as torch, and before the stream moves

x = torch.empty(3)
REFUSED = {
    "uniform from > to": (lambda g: g.uniform(3, 1, 0), lambda: x.uniform_(1, 0)),
    "uniform to nan": (lambda g: g.uniform(3, 0, np.nan), lambda: x.uniform_(0, torch.nan)),
    "uniform to inf": (lambda g: g.uniform(3, 0, np.inf), lambda: x.uniform_(0, torch.inf)),
    "uniform too wide": (lambda g: g.uniform(3, -3e38, 3e38), lambda: x.uniform_(-3e38, 3e38)),
    "uniform of integers": (lambda g: g.uniform(3, dtype=np.int64), lambda: x.long().uniform_()),
    "normal std < 0": (lambda g: g.normal(3, 0, -1), lambda: x.normal_(0, -1)),
    "normal std nan": (lambda g: g.normal(3, 0, np.nan), lambda: x.normal_(0, torch.nan)),
    "negative size": (lambda g: g.normal((2, -1)), lambda: torch.randn(2, -1)),
    "bernoulli p > 1": (lambda g: g.bernoulli(3, 1.5), lambda: x.bernoulli_(1.5)),
    "bernoulli p nan": (lambda g: g.bernoulli(3, np.nan), lambda: x.bernoulli_(torch.nan)),
    "bernoulli of p > 1": (
        lambda g: g.bernoulli_from(np.array([0.5, 1.5])),
        lambda: torch.bernoulli(torch.tensor([0.5, 1.5])),
    ),
    "bernoulli of integers": (
        lambda g: g.bernoulli_from(np.array([0, 1])),
        lambda: torch.bernoulli(torch.tensor([0, 1])),
    ),
    "randint from = to": (lambda g: g.randint(3, 3, 2), lambda: torch.randint(3, 3, (2,))),
    "randint from > to": (lambda g: g.randint(3, 2, 2), lambda: torch.randint(3, 2, (2,))),
    "randint too large": (
        lambda g: g.randint(0, 300, 2, np.uint8),
        lambda: torch.randint(0, 300, (2,), dtype=torch.uint8),
    ),
    "randint too small": (
        lambda g: g.randint(-1, 3, 2, np.uint8),
        lambda: torch.randint(-1, 3, (2,), dtype=torch.uint8),
    ),
    "randperm -1": (lambda g: g.randperm(-1), lambda: torch.randperm(-1)),
    "randperm 2.5": (lambda g: g.randperm(2.5), lambda: torch.randperm(2.5)),
    "exponential 0": (lambda g: g.exponential(3, 0), lambda: x.exponential_(0)),
    "geometric 0": (lambda g: g.geometric(3, 0), lambda: x.geometric_(0)),
    "geometric 1": (lambda g: g.geometric(3, 1), lambda: x.geometric_(1)),
    "cauchy 0": (lambda g: g.cauchy(3, 0, 0), lambda: x.cauchy_(0, 0)),
    "log_normal 0": (lambda g: g.log_normal(3, 0, 0), lambda: x.log_normal_(0, 0)),
    "poisson -1": (
        lambda g: g.poisson(np.array([-1.0])),
        lambda: torch.poisson(torch.tensor([-1.0])),
    ),
    "seed too large": (
        lambda g: g.manual_seed(2**64),
        lambda: torch.Generator().manual_seed(2**64),
    ),
    "seed too small": (
        lambda g: g.manual_seed(-(2**63) - 1),
        lambda: torch.Generator().manual_seed(-(2**63) - 1),
    ),
    "seed 1.5": (lambda g: g.manual_seed(1.5), lambda: torch.Generator().manual_seed(1.5)),
    "seed True": (lambda g: g.manual_seed(True), lambda: torch.Generator().manual_seed(True)),
    "state too short": (
        lambda g: g.set_state(np.zeros(5, np.uint8)),
        lambda: torch.Generator().set_state(torch.zeros(5, dtype=torch.uint8)),
    ),
    "state of floats": (
        lambda g: g.set_state(np.zeros(5056)),
        lambda: torch.Generator().set_state(torch.zeros(5056)),
    ),
    "state of zeros": (
        lambda g: g.set_state(np.zeros(5056, np.uint8)),
        lambda: torch.Generator().set_state(torch.zeros(5056, dtype=torch.uint8)),
    ),
}
for name, place in {"seeded": 12, "left": 8, "next": 16}.items():  # bytes of a good state
    bad = random.Generator().get_state()
    bad[place : place + 4] = 0 if name == "seeded" else 3
    REFUSED[f"state with a bad {name}"] = (
        lambda g, bad=bad: g.set_state(bad),
        lambda bad=bad: torch.Generator().set_state(torch.from_numpy(bad)),
    )
for name, weights, count, replacement in [
    ("negative", [1.0, -1.0], 1, False), ("all zero", [0.0, 0.0], 1, True),
    ("nan", [1.0, np.nan], 1, True), ("inf", [1.0, np.inf], 1, False),
    ("too many samples", [1.0, 2.0], 3, False), ("no samples", [1.0, 2.0], 0, True),
    ("integers", [1, 2], 1, False), ("a scalar", 1.0, 1, True),
    ("three dimensions", [[[1.0]]], 1, False),
]:  # fmt: skip
    REFUSED[f"multinomial: {name}"] = (
        lambda g, a=(weights, count, replacement): g.multinomial(*a),
        lambda a=(weights, count, replacement): torch.multinomial(torch.tensor(a[0]), *a[1:]),
    )


@pytest.mark.parametrize("name", REFUSED)
def test_what_torch_refuses_is_refused_and_the_stream_stays(name):
    ours, theirs = REFUSED[name]
    with pytest.raises(Exception) as refusal:
        theirs()
    generator = random.Generator()
    generator.normal(1)
    state = generator.get_state()
    with pytest.raises(refusal.type):
        ours(generator)
    np.testing.assert_array_equal(generator.get_state(), state)


def test_a_float_range_that_torch_only_warns_about_is_refused():
    with pytest.raises(RuntimeError, match="out of bounds for float32"):
        random.Generator().randint(0, 2**24 + 2, 2, np.float32)


def test_a_device_without_this_stream_is_refused():
    with pytest.raises(RuntimeError, match="cuda"):
        random.Generator("cuda")


# ---- arithmetic


@many
@given(reals(-1e6, 1e6), reals(-1e6, 1e6), reals(-1e6, 1e6))
@example(0.1, 10.0, -1.0)  # the product rounds to 1: unfused, nothing is left
def test_fused_multiply_add_rounds_once(x, scale, shift):
    exact = Fraction(x) * Fraction(scale) + Fraction(shift)
    assert rounding.fused(np.array([x]), scale, shift)[0] == float(exact)
    single = [float(np.float32(v)) for v in (x, scale, shift)]
    exact = Fraction(single[0]) * Fraction(single[1]) + Fraction(single[2])
    fused = rounding.fused(np.array([x], np.float32), *single[1:])
    assert fused.dtype == np.float32 and fused[0] == np.float32(float(exact))


def test_the_single_precision_log_and_sine_are_accurate():
    """Apart from torch's streams: every 24-bit uniform's neighbourhood is within 2 ulp."""
    grid = np.arange(1, 2**24 + 1, 97, dtype=np.float64) * 2.0**-24
    log = rounding._log(grid.astype(np.float32))
    np.testing.assert_allclose(log, np.log(grid), rtol=2.5e-7)
    theta = (2 * np.pi * (grid - 2.0**-24)).astype(np.float32)
    for ours, exact in zip(rounding._sincos(theta), (np.sin, np.cos), strict=True):
        np.testing.assert_allclose(ours, exact(theta.astype(np.float64)), rtol=0, atol=1.2e-7)
