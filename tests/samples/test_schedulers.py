"""The schedulers that PyTorch has test inputs for give PyTorch's rates on them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch.testing._internal.common_optimizers", exc_type=ImportError,
                    reason="PyTorch's test inputs cannot be imported: install expecttest")

import torch

import minitorch
from tests.samples.schedulers import SCHEDULED, rates


@pytest.mark.parametrize("name", SCHEDULED)
def test_rates_agree_with_torch_on_torchs_schedulers(name: str) -> None:
    ours, theirs = (rates(engine, *SCHEDULED[name]) for engine in (minitorch, torch))
    assert len({tuple(row) for row in theirs}) > 1
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
