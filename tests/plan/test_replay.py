"""Every operator and rule, recorded and replayed with other numbers: the same bits."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch as torch
from minitorch import ops
from minitorch.testing import op_db
from minitorch.testing.db.cases import is_array, is_float

# They look at numbers: what they compute depends on them.
LOOKING = {"prod", "index", "index_add", "index_put",  # the latter by masks
           "vector_norm"}  # see below


def tensors(case, order):
    """The call's arrays as tensors, their entries in another order: the same domain."""
    out = []
    for i, a in enumerate(case.args):
        if not is_array(a):
            out.append(a)
            continue
        a = a.ravel()[::order].reshape(a.shape) if is_float(a) else a
        out.append(torch.from_numpy(a.copy()).requires_grad_(i in case.differentiable))
    return out


def results(function, case, order):
    """The values and, for a random cotangent, the gradients of all inputs."""
    xs = tensors(case, order)
    out = function(*xs)
    y = out[0] if isinstance(out, tuple) else out
    found = [y.detach().numpy()]
    if y.requires_grad:
        y.backward(torch.from_numpy(np.asarray(case.random(tuple(y.shape), order + 1), y.numpy(
            force=True).dtype)))
        found += [x.grad.numpy() for x in xs if isinstance(x, torch.Tensor) and x.requires_grad
                  and x.grad is not None]
    return found


@pytest.mark.parametrize("op", [op for op in ops.registry.values()
                                if op.__module__ != "minitorch.ops.sparse"], ids=lambda op: op.name)
@settings(max_examples=5)
@given(st.data())
def test_a_replay_has_the_bits_of_the_operator_and_of_its_rules(op, data):
    case = data.draw(op_db[op.name].calls()).astype(np.float32)
    compiled = torch.compile(lambda *args: op(*args))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if op.name in LOOKING else "error", UserWarning)
        for order in (1, -1, 1, -1):
            for ours, theirs in zip(results(compiled, case, order), results(op, case, order),
                                    strict=True):
                # NumPy's power of a single number rounds otherwise than that of an array.
                digits = 2e-7 if op.name == "vector_norm" and not ours.ndim else 0
                np.testing.assert_allclose(ours, theirs, rtol=digits, atol=0)
