"""What was saved, loaded again, and whether it is the same in every bit."""

from __future__ import annotations

import io

import numpy as np

import minitorch


def there_and_back(obj, **options):
    file = io.BytesIO()
    minitorch.save(obj, file)
    file.seek(0)
    return minitorch.load(file, **options)


def same(a, b):
    """Equal in type, structure and every bit (nan is nan; 0.0 is not -0.0)."""
    if type(a) is not type(b):
        return False
    if isinstance(a, minitorch.Tensor):
        return a.requires_grad == b.requires_grad and same(a.array, b.array)
    if isinstance(a, np.ndarray):
        native = a.astype(a.dtype.newbyteorder("="))
        return native.dtype == b.dtype and a.shape == b.shape and native.tobytes() == b.tobytes()
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and same(a.item(), b.item())
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b
