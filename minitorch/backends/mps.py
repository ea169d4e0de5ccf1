"""Apple's GPUs are not supported."""


def is_available() -> bool:
    """False: tensors live on the CPU or on an NVIDIA GPU."""
    return False


def is_built() -> bool:
    """False, as ``is_available``."""
    return False
