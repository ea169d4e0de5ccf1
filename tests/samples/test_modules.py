"""Every layer and loss that PyTorch has test inputs for agrees with PyTorch on them.

The parameters drawn at construction, what it prints as, results, gradients of inputs and
parameters and their derivatives, buffers after the call, errors on bad input.
"""

from __future__ import annotations

import os
from itertools import islice

import pytest

pytest.importorskip("torch.testing._internal.common_modules", exc_type=ImportError,
                    reason="PyTorch's test inputs cannot be imported: install expecttest")

from tests.samples.modules import MODULES, module_differences

LIMIT = None if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 8


@pytest.mark.parametrize("name", MODULES)
def test_module_agrees_with_torch_on_torchs_samples(name: str) -> None:
    found = [text for _, text in islice(module_differences(MODULES[name], LIMIT), 5)]
    assert not found, "\n".join(found)
