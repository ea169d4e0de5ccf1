"""Switches of matrix products on the GPU; nothing depends on them."""

from types import SimpleNamespace

from minitorch import backend

matmul = SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=True)


def is_built() -> bool:
    """Whether a GPU can be used."""
    return backend.cuda_count() > 0
