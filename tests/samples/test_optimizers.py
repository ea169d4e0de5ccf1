"""Every optimizer that PyTorch has test inputs for agrees with PyTorch on them."""

from __future__ import annotations

import pytest

pytest.importorskip("torch.testing._internal.common_optimizers", exc_type=ImportError,
                    reason="PyTorch's test inputs cannot be imported: install expecttest")

from tests.samples.excluded import excluded
from tests.samples.optimizers import OPTIMIZERS, optimizer_differences


# PyTorch says once that it does not check indices.
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_agrees_with_torch_on_torchs_options(name: str) -> None:
    found = [text for options, text in optimizer_differences(OPTIMIZERS[name])
             if excluded(name, options, text) is None]
    assert not found, "\n".join(found)
