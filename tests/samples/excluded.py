"""Where minitorch differs from PyTorch on PyTorch's own samples, and why that is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import torch


class Exclusion(NamedTuple):
    """Differences of the named records, whose text ``text`` finds, for samples where ``when``."""

    names: str
    text: str
    reason: str
    when: Callable[[Any], bool] = lambda sample: True


def is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float))


EXCLUSIONS = [
    Exclusion("norm.nuc linalg.norm linalg.norm.subgradients_at_zero linalg.matrix_norm",
              "NotImplementedError", "norms by singular values are not there: no SVD"),
    Exclusion("sort argsort", "value", "which of equal elements comes first is open unless "
              "stable=True; here the sort is always stable",
              lambda s: s.input.dtype == torch.bool and not s.kwargs.get("stable")),
    Exclusion("topk", r"\[1\]: value", "which of equal elements is taken is open",
              lambda s: not s.input.dtype.is_floating_point),
    Exclusion("addbmm", "in place: raised RuntimeError: output with shape", "PyTorch's addbmm_ "
              "enlarges its own tensor; here, as for its relatives in PyTorch, that is an error"),
    Exclusion("sum_to_size", "view of|dtype", "of a 0-d tensor PyTorch takes the sum, a copy that "
              "is int64 for bools; otherwise the tensor itself",
              lambda s: s.input.ndim == 0),
    Exclusion("nn.functional.layer_norm", "gradient [01]: value np.float32", "one element minus "
              "its mean is 0, and so are the gradients; PyTorch's are rounding error",
              lambda s: s.args[0] == (1,)),
    Exclusion("nn.functional.batch_norm", r"shape \(1, 0\)", "a 1-D input without elements has no "
              "channels", lambda s: s.input.shape == (0,)),
    Exclusion("narrow_copy", "IndexError", "a dimension out of range is an IndexError everywhere"),
    Exclusion("__radd__ __rmul__ __rand__ __ror__ __rxor__", "^error: none",
              "a method called on a number that is no tensor", lambda s: is_number(s.input)),
    Exclusion("__rsub__", "instead of NotImplemented",
              "a method called on a number that is no tensor", lambda s: is_number(s.input)),
    Exclusion("add sub mul div.no_rounding_mode div.trunc_rounding div.floor_rounding true_divide "
              "floor_divide", "must be Tensor", "arithmetic of two Python numbers is Python's",
              lambda s: is_number(s.input) and is_number(s.args[0])),
    Exclusion("nn.functional.hardtanh nn.functional.relu6", "gradient 0", "PyTorch's gradient at "
              "nan is 0 in vectorised loops and 1 in their remainder; here it is 1",
              lambda s: bool(s.input.isnan().any())),
    Exclusion("xlogy", r"gradient 1: .*\(nan\)", "0 * log(0) is 0 and so is its gradient; "
              "PyTorch's is 0 / 0"),
    Exclusion("LBFGS", "Tensor lr.*dtype", "the step length is a number, also where the rate is a "
              "tensor"),
    Exclusion("Adam AdamW", "foreach", "foreach changes nothing here, so nothing conflicts with "
              "it"),
]


def excluded(name: str, sample: Any, text: str) -> str | None:
    """Why the difference ``text`` of one sample is accepted; None if it is not."""
    for entry in EXCLUSIONS:
        if name in entry.names.split() and re.search(entry.text, text) and entry.when(sample):
            return entry.reason
    return None
