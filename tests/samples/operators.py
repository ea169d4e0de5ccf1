"""PyTorch's operator records (OpInfo) run against minitorch's functions of the same name."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.testing._internal import common_utils
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_utils import set_rng_seed
from torch.testing._internal.opinfo import core

import minitorch
from tests.samples.bridge import Arguments, OutOfScope
from tests.samples.compare import Sample, check_error
from tests.samples.excluded import excluded

# For every list of samples the records search the whole stack, file by file, for the method of a
# unittest.TestCase that asks. There is none here, and the search took most of the time.
for module in (common_utils, core):
    module.extract_test_fn = lambda: None

DTYPES = (torch.float64, torch.float32, torch.int64, torch.bool)
UNINITIALISED = ("empty", "empty_like", "new_empty")  # only shape and dtype are compared


def found(name: str) -> Any:
    """``minitorch.NAME`` (dotted), or the method of that name; None where there is neither."""
    home: Any = minitorch
    for part in name.split("."):
        home = getattr(home, part, None)
    return home if home is not None or "." in name else getattr(minitorch.Tensor, name, None)


def _seeded(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    minitorch.manual_seed(42)
    return op(*args, **kwargs)


def ours(op: Any) -> Any:
    """minitorch's function for an OpInfo.

    Where the record calls PyTorch through a lambda of its own, that lambda runs with ``torch``
    meaning minitorch.
    """
    f = op.op
    if isinstance(f, types.FunctionType) and f.__name__ == "<lambda>":
        return types.FunctionType(f.__code__, {**f.__globals__, "torch": minitorch,
                                               "wrapper_set_seed": _seeded})
    return found(op.name)


def title(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else str(op.name)


OPERATORS = {title(op): op for op in op_db
             if found(op.name) is not None and op.dtypes & set(DTYPES)}


def samples(op: Any, dtype: torch.dtype, limit: int | None, counts: Counter[str]) -> list[Any]:
    """``limit`` of PyTorch's sample inputs, spread evenly; None: all, and its reference inputs."""
    grad = op.supports_autograd and dtype.is_floating_point
    every: list[Any] = []
    set_rng_seed(0)  # once: before every sample, as PyTorch does it, takes most of the time
    try:
        source = op.sample_inputs if limit else op.reference_inputs
        every.extend(source("cpu", dtype, requires_grad=grad, set_seed=False))
    except ValueError as error:  # some reference inputs ask for gradients of integers
        assert "requires_grad=True" in str(error)
    kept = in_scope(every, counts)
    return kept if limit is None else kept[::-(-len(kept) // limit) or 1]


def in_scope(every: list[Any], counts: Counter[str]) -> list[Any]:
    """Samples without those whose arguments are of a kind that minitorch lacks; these count."""
    kept = []
    for sample in every:
        try:
            Arguments(minitorch).convert((sample.input, sample.args, sample.kwargs))
            kept.append(sample)
        except OutOfScope as error:
            counts[f"out of scope: {error}"] += 1
    return kept


def checks(op: Any, sample: Any) -> Iterator[str]:
    """What differs for one sample, in every form that both engines have."""
    function = ours(op)
    values = op.name not in UNINITIALISED
    case = Sample(sample, op.op, function, values=values)
    yield from case.check(second=op.supports_gradgrad)
    if not values or not isinstance(sample.input, (torch.Tensor, list, tuple)):
        return
    if op.supports_out:
        yield from case.check_out()
    for variant, check in ((op.method_variant, case.check_method),
                           (op.inplace_variant, case.check_in_place)):
        method = variant and getattr(minitorch.Tensor, variant.__name__, None)
        if method is not None and isinstance(sample.input, torch.Tensor):
            yield from check(variant, method)


def differences(op: Any, limit: int | None, counts: Counter[str]) -> Iterator[tuple[Any, str]]:
    """Samples and what differs in them; ``counts`` learns how many were compared or left out."""
    for dtype in DTYPES:
        for sample in samples(op, dtype, limit, counts) if dtype in op.dtypes else []:
            counts["samples"] += 1
            yield from known(op, sample, checks(op, sample), counts)
    errors = op.error_inputs("cpu", set_seed=False) if op.error_inputs_func else []
    for sample in in_scope([error.sample_input for error in errors], counts):
        counts["errors"] += 1
        yield from known(op, sample, check_error(sample, op.op, ours(op)), counts)


def known(op: Any, sample: Any, texts: Iterator[str],
          counts: Counter[str]) -> Iterator[tuple[Any, str]]:
    """Those differences that no entry of the table of exclusions explains."""
    for text in texts:
        reason = excluded(title(op), sample, text)
        if reason is None:
            yield sample, text
        else:
            counts[f"excluded: {reason}"] += 1
