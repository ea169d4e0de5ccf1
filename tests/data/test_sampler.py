"""Samplers give PyTorch's indices for the same seed, and leave the streams where it does."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.data.engines import in_both, refused_by_both

seeds = st.integers(0, 2**63 - 1)


@given(seeds, st.integers(1, 70), st.booleans(), st.none() | st.integers(1, 150), st.booleans(),
       st.integers(0, 150))
def test_random_sampler_is_torchs(seed, n, replacement, num_samples, own, taken):
    """Also a pass left half-way, and the generator after it: what is drawn, and when, shows."""
    def program(torch, data):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed // 3) if own else None
        sampler = data.RandomSampler(range(n), replacement, num_samples, generator)
        log = [len(sampler), list(itertools.islice(iter(sampler), taken)), torch.rand(1)]
        if own:
            log.append(torch.rand(1, generator=generator))
        return [*log, list(sampler), list(sampler), torch.rand(1)]
    in_both(program)


@given(seeds, st.lists(st.integers(), max_size=40), st.booleans())
def test_subset_random_sampler_is_torchs(seed, indices, own):
    def program(torch, data):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed // 3) if own else None
        sampler = data.SubsetRandomSampler(indices, generator)
        return len(sampler), list(sampler), list(sampler), torch.rand(1)
    in_both(program)


@given(seeds, st.lists(st.floats(0, 1e3), min_size=1, max_size=40), st.integers(1, 50),
       st.booleans(), st.booleans())
def test_weighted_random_sampler_is_torchs(seed, weights, num_samples, replacement, own):
    positive = sum(weight > 0 for weight in weights)
    # Asked for more than there are of positive weight, PyTorch adds some of weight zero: any.
    assume(replacement or not positive < num_samples <= len(weights))

    def program(torch, data):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed // 3) if own else None
        sampler = data.WeightedRandomSampler(weights, num_samples, replacement, generator)
        return len(sampler), list(sampler), list(sampler), torch.rand(1)
    in_both(program, RuntimeError)  # too few weights, or all zero


@given(st.integers(0, 30), st.integers(1, 12), st.booleans())
def test_batch_sampler_is_torchs(n, batch_size, drop_last):
    def program(torch, data):
        sampler = data.BatchSampler(data.SequentialSampler(range(n)), batch_size, drop_last)
        return len(sampler), list(sampler)
    in_both(program)


@pytest.mark.parametrize("wrong", [
    lambda torch, data: data.RandomSampler([]),
    lambda torch, data: data.RandomSampler([1], replacement=1),
    lambda torch, data: data.RandomSampler([1], num_samples=0),
    lambda torch, data: data.RandomSampler([1], num_samples=1.5),
    lambda torch, data: data.WeightedRandomSampler([1.0], 0),
    lambda torch, data: data.WeightedRandomSampler([1.0], True),
    lambda torch, data: data.WeightedRandomSampler([1.0], 1, replacement=0),
    lambda torch, data: data.WeightedRandomSampler([[1.0]], 1),
    lambda torch, data: list(data.WeightedRandomSampler([1.0], 2, replacement=False)),
    lambda torch, data: list(data.WeightedRandomSampler([-1.0, 2.0], 1)),
    lambda torch, data: data.BatchSampler([1], 0, False),
    lambda torch, data: data.BatchSampler([1], True, False),
    lambda torch, data: data.BatchSampler([1], 1.5, False),
    lambda torch, data: data.BatchSampler([1], 1, 0),
    lambda torch, data: list(data.Sampler()),
])
def test_what_torch_refuses_is_refused(wrong):
    assert refused_by_both(wrong)
