"""Every operator that PyTorch has test inputs for agrees with PyTorch on them.

Values, dtypes, shapes, which results are views and which require a gradient; gradients for random
cotangents and their derivatives; the forms with ``out=``, in place and as methods; errors on bad
input. CI runs a few samples per operator and dtype, the thorough profile all of them and PyTorch's
larger reference inputs. What is accepted to differ stands in ``excluded.py``.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from itertools import islice

import pytest

pytest.importorskip("torch.testing._internal.common_methods_invocations", exc_type=ImportError,
                    reason="PyTorch's test inputs cannot be imported: install expecttest")

from tests.samples.operators import OPERATORS, differences

LIMIT = None if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 3

# The operators that minitorch sets out to have, as far as PyTorch has records of them.
LISTED = """add sub mul div.no_rounding_mode pow eq ne lt le gt ge where clamp maximum minimum abs
neg sign square sqrt rsqrt reciprocal exp expm1 log log1p log2 log10 sin cos tan asin acos atan sinh
cosh tanh sigmoid erf nn.functional.softplus sum mean prod var std amax amin max.reduction_no_dim
max.reduction_with_dim min.reduction_no_dim min.reduction_with_dim argmax argmin logsumexp cumsum
norm any all matmul mm bmm mv dot outer addmm einsum reshape view flatten permute transpose t
squeeze unsqueeze expand broadcast_to repeat flip cat stack split chunk unbind narrow __getitem__
gather scatter scatter_add index_select masked_fill masked_select tril triu nn.functional.one_hot
sort topk softmax log_softmax nn.functional.cross_entropy nn.functional.nll_loss
nn.functional.mse_loss nn.functional.l1_loss nn.functional.smooth_l1_loss nn.functional.huber_loss
nn.functional.binary_cross_entropy nn.functional.binary_cross_entropy_with_logits
nn.functional.kl_div nn.functional.linear nn.functional.batch_norm nn.functional.layer_norm
nn.functional.dropout nn.functional.alpha_dropout nn.functional.embedding nn.functional.relu
nn.functional.leaky_relu nn.functional.elu nn.functional.selu nn.functional.gelu nn.functional.silu
nn.functional.hardtanh zeros ones full empty zeros_like ones_like empty_like full_like linspace
arange eye multinomial randn randint normal bernoulli""".split()


def test_the_listed_operators_are_compared() -> None:
    assert not set(LISTED) - set(OPERATORS)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_agrees_with_torch_on_torchs_samples(name: str) -> None:
    counts: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [text for _, text in islice(differences(OPERATORS[name], LIMIT, counts), 5)]
    assert not found, "\n".join(found)
    assert counts["samples"], f"no sample was compared: {counts}"
