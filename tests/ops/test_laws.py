"""Every operator against PyTorch and against the definition of a derivative.

Generated from the registry: an operator is held to all of this by being registered.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.testing import op_db
from minitorch.testing.db import Case
from minitorch.testing.db.operators import calls
from minitorch.testing.strategies import laid_out, layouts
from tests.ops import laws

# Those of sparse tensors take no arrays: tests/test_sparse.py holds them to PyTorch.
OPERATORS = [entry.op for entry in op_db]
DIFFERENTIABLE = [op for op in OPERATORS if op.rules]
NAMES = {"ids": lambda op: op.name}
# For laws that vary one of the others: half as many calls of each operator.
FEWER = settings(max_examples=settings().max_examples // 2)

# Where a float is nan or infinite, PyTorch's gradient is not worth following.
LANES = "at nan it depends on how many numbers the processor takes at once"
UNFOLLOWED = {
    "elu": LANES, "selu": LANES, "celu": LANES, "hardtanh": LANES,
    "einsum": "the order of its products decides between infinity and nan",
    "prod": "two zeros make every gradient 0, even beside nan",
    "vector_norm": "of a norm that is nan it is 0 or nan, depending on p",
}
# Where the second derivative is an artefact of the two cut-offs of binary_cross_entropy.
CUT_OFF = {"binary_cross_entropy"}


def law(check: Any, operators: list[Any], *kinds: str) -> Any:
    """One test per operator: the check of drawn calls with values of these kinds."""
    @pytest.mark.parametrize("op", operators, **NAMES)
    @given(data=st.data())
    def test(op: Any, data: Any) -> None:
        check(data.draw(calls(op, data.draw(st.sampled_from(kinds)))))
    test.__doc__ = check.__doc__
    return test


test_forward_agrees_with_torch = law(
    laws.forward_agrees_with_torch, OPERATORS, "smooth", "ties", "edges")
test_gradient_agrees_with_torch = law(
    laws.gradient_agrees_with_torch, DIFFERENTIABLE, "smooth", "ties")
test_gradient_at_infinities_and_nan_agrees_with_torch = law(
    laws.gradient_agrees_with_torch,
    [op for op in DIFFERENTIABLE if op.name not in UNFOLLOWED], "edges")
test_second_order_agrees_with_torch = law(
    laws.second_order_agrees_with_torch, DIFFERENTIABLE, "smooth")
test_second_order_at_kinks_agrees_with_torch = FEWER(law(
    laws.second_order_agrees_with_torch,
    [op for op in DIFFERENTIABLE if op.name not in CUT_OFF], "ties"))
test_single_precision_agrees_with_torch = FEWER(law(
    lambda case: laws.agrees_or_both_raise(case.astype(np.float32)), OPERATORS, "smooth"))
test_public_function_agrees_with_torch = FEWER(law(
    lambda case: laws.agrees_or_both_raise(case, public=True), OPERATORS, "ties"))
test_rule_is_linear_in_the_cotangent = law(
    laws.rule_is_linear_in_the_cotangent, DIFFERENTIABLE, "smooth")
test_neither_inputs_nor_cotangent_are_written = law(
    laws.neither_inputs_nor_cotangent_are_written, OPERATORS, "ties")


@pytest.mark.parametrize("op", DIFFERENTIABLE, **NAMES)
def test_rule_is_the_adjoint_of_the_numerical_jvp(op: Any) -> None:
    measured = []

    @given(calls(op))
    def law(case: Case) -> None:
        measured.append(laws.rule_is_the_adjoint_of_the_numerical_jvp(case))

    law()
    assert sum(measured) >= len(measured) / 4, "too many kinks: give the operator a domain"


# Their forward is one word of NumPy's, or a few that Tensors lack: there is nothing to compose.
WORDS = set("""sigmoid add subtract multiply divide negative remainder fmod floor_divide sqrt
reciprocal exp expm1 log log1p log2 log10 logaddexp logaddexp2 hypot erf
sin cos tan asin acos atan atan2 sinh cosh tanh asinh
acosh atanh index index_add index_put gather scatter_add scatter transfer matmul einsum sum mean
prod amax amin cumsum where maximum minimum abs sign floor ceil trunc round clone cast reshape
permute swapaxes unsqueeze broadcast_to flip repeat tril triu cat stack sort topk
diagonal t""".split())


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.name not in WORDS], **NAMES)
def test_rule_equals_its_forward_differentiated(op: Any) -> None:
    compared = []

    @given(calls(op))
    def law(case: Case) -> None:
        compared.append(laws.rule_equals_its_forward_differentiated(case))

    law()
    assert sum(compared) >= len(compared) / 4, "the forward cannot be run on Tensors"


@pytest.mark.parametrize("op", DIFFERENTIABLE, **NAMES)
@FEWER
@given(data=st.data())
def test_only_the_gradients_asked_for_are_computed(op: Any, data: Any) -> None:
    case = data.draw(calls(op))
    asked = data.draw(st.sets(st.sampled_from(case.differentiable)) if case.differentiable
                      else st.just(set()))
    laws.gradient_agrees_with_torch(case, tuple(sorted(asked)))


def relaid(a: Any, layout: str) -> Any:
    """The numbers of ``a`` (or for "expanded", its first ones) in a layout, if it has that."""
    if layout == "expanded" and a.ndim:
        a = np.broadcast_to(a[:1], a.shape)
    return laid_out(a).get(layout, a)


@pytest.mark.parametrize("op", OPERATORS, **NAMES)
@FEWER
@given(data=st.data())
def test_layout_does_not_matter(op: Any, data: Any) -> None:
    layout = data.draw(layouts())
    case = data.draw(calls(op)).map(lambda a: relaid(a, layout))
    laws.layout_does_not_matter(case.map(lambda a: np.array(a, order="C")), case)


@pytest.mark.parametrize("op", OPERATORS, **NAMES)
@FEWER
@given(data=st.data())
def test_empty_tensors_agree_with_torch(op: Any, data: Any) -> None:
    laws.agrees_or_both_raise(data.draw(calls(op, least=0)))
