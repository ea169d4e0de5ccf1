"""PyTorch's sample inputs, on a stand-in for the GPU: what they give is what the CPU gives."""

import pytest

pytest.importorskip("torch.testing._internal.common_methods_invocations", exc_type=ImportError,
                    reason="PyTorch's test inputs cannot be imported: install expecttest")

from tests.test_elsewhere import compare


def test_functions_give_on_the_gpu_what_they_give_on_the_cpu() -> None:
    compare("functions", 1)
