"""Results that come in pairs, and print as PyTorch's ``torch.return_types``."""

from __future__ import annotations

from collections import namedtuple
from functools import cache
from typing import Any

from minitorch.functions.common import into

FIELDS = {"aminmax": ["min", "max"]}  # all others: values and indices


@cache
def _type(name: str) -> Any:
    def text(self: Any) -> str:
        fields = ",\n".join(f"{k}={v!r}" for k, v in zip(self._fields, self))
        return f"torch.return_types.{name}(\n{fields})"
    base: Any = namedtuple(name, FIELDS.get(name, ["values", "indices"]))  # type: ignore[misc]
    return type(name, (base,), {"__repr__": text, "__slots__": ()})


def pair(name: str, first: Any, second: Any, out: Any = None, exact: bool = False) -> Any:
    """A named pair; delivered into the two tensors of ``out``, if given (see ``into``)."""
    if out is not None:
        first, second = [into(o, y, exact=exact) for o, y in zip(out, (first, second))]
    return _type(name)(first, second)
