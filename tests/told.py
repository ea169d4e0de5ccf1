"""All that either engine tells of a result, sparse tensors entry by entry, in PyTorch's order."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

import minitorch
from tests.nn.both import Raised, outcome

seeds = st.integers(0, 2**32 - 1)
DTYPES = ["float32", "float64"]


def told(x: Any) -> Any:
    """All that can be asked of a result, as plain values; tensors at any depth."""
    if isinstance(x, (torch.Tensor, minitorch.Tensor)):
        facts = [str(x.layout), tuple(x.shape), str(x.dtype), x.requires_grad]
        if x.is_sparse:
            return [*facts, x.is_coalesced(), x._nnz(), x.sparse_dim(), x.dense_dim(),
                    x._indices().tolist(), x._values().tolist(), repr(x)]
        return [*facts, x.tolist()]
    if isinstance(x, (list, tuple)):
        return [told(v) for v in x]
    return x


def assert_told_alike(program: Any) -> Any:
    """``program`` gives the same tensors, bit for bit, or the same error, under both engines."""
    ours, theirs = outcome(program, minitorch), outcome(program, torch)
    if isinstance(theirs, Raised):
        assert isinstance(ours, Raised), f"{ours!r} | {theirs!r}"
        assert (ours.type, ours.text) == (theirs.type, theirs.text)
    else:
        assert not isinstance(ours, Raised), ours
        assert told(ours) == told(theirs)
    return ours
