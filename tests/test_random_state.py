"""States of generators travel to PyTorch and back; what PyTorch refuses leaves them alone."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch import random
from tests.streams import assert_same_numbers, assert_same_state, many, pair, seeds

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


@pytest.mark.parametrize("n", [0, 623, 624, 625, 1248])
def test_where_624_words_are_used_up_or_not_yet_begun_the_state_is_torchs(n):
    ours, theirs = pair(n)
    ours.uniform(n), torch.rand(n, generator=theirs)
    assert_same_state(ours, theirs)


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
