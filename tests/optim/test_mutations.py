"""The mutation run can tell: wrong formulas are caught, right ones are not, and nothing stays."""

from __future__ import annotations

from typing import Any

import pytest

from minitorch.optim import NAdam, swa_utils
from minitorch.optim.line_search import strong_wolfe
from tests.optim.mutate import SAME, judge, subjects
from tests.optim.mutations import Mutant, mutants

pytestmark = pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # torch says it once
SUBJECTS = subjects()


@pytest.mark.parametrize("name", SUBJECTS)
def test_right_formulas_compiled_anew_change_nothing(name: str) -> None:
    functions, laws = SUBJECTS[name]
    for function in functions:
        for law in laws:
            assert law.comparisons[-1].judge(Mutant(function)) == "", (function, law.name)


@pytest.mark.parametrize(("name", "function", "text"), [
    ("NAdam", NAdam.numbers, "1 - mu(t)  ->  1.01 - mu(t)"),
    ("NAdam", NAdam.update, "dict(exp_avg=m, exp_avg_sq=v)  ->  dict(exp_avg=v, exp_avg_sq=m)"),
    ("averages", swa_utils.get_swa_avg_fn, "num_averaged + 1  ->  num_averaged + 1.01"),
    ("LBFGS", strong_wolfe, "new.t * 10  ->  new.t * 10.1"),
])
def test_a_wrong_formula_is_caught_and_taken_out_again(name: str, function: Any,
                                                       text: str) -> None:
    mutant, = [each for each in mutants(function) if each.text == text]
    right = function.__code__
    comparisons = [each for law in SUBJECTS[name][1] for each in law.comparisons[::-1]]
    assert judge(mutant, comparisons).startswith("caught")
    assert function.__code__ is right and mutant.code is not right


def test_the_explanations_are_of_mutants_that_there_are() -> None:
    """And each of one alone."""
    every = [str(mutant) for functions, _ in SUBJECTS.values()
             for function in functions for mutant in mutants(function)]
    assert [every.count(same) for same in SAME] == [1] * len(SAME)
