"""A measurement's numbers, text and tables are PyTorch's.

Times are drawn by NumPy, not by Hypothesis itself: PyTorch's float32 may round round numbers
otherwise.
"""

import math
import re

import numpy as np
import pytest
import torch.utils.benchmark as theirs
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.benchmark.utils import common

import minitorch.utils.benchmark as ours

SEEDS = st.integers(0, 2**32 - 1)


def drawn(rng, **spec):
    """The same times as a measurement of ours and one of PyTorch's; some all equal."""
    n, number = int(rng.integers(1, 40)), int(rng.integers(1, 1000))
    spread = rng.choice([0, 1]) * 10 ** rng.uniform(-4, 0)
    times = number * 10 ** rng.uniform(-7, 1) * np.exp(spread * rng.normal(size=n))
    spec = {"stmt": "f(x)", "setup": "pass", **spec}
    return (ours.Measurement(number, times.tolist(), ours.TaskSpec(**spec)),
            theirs.Measurement(number, times.tolist(), common.TaskSpec(**spec)))


@given(SEEDS)
def test_the_numbers_of_a_measurement_are_torchs(seed):
    mine, yours = drawn(np.random.default_rng(seed))
    for name in ("times", "median", "mean", "iqr", "has_warnings", "num_threads", "title",
                 "as_row_name"):
        expected = getattr(yours, name)
        if name in ("times", "median", "mean", "iqr"):  # a few roundings of the largest
            expected = pytest.approx(expected, rel=1e-14, abs=1e-14 * max(yours.times))
        assert getattr(mine, name) == expected, name
    for threshold in (0.02, 0.1, 0.5):
        assert mine.meets_confidence(threshold) == yours.meets_confidence(threshold)
    with pytest.raises(AttributeError, match="no attribute 'medium'"):
        mine.medium  # noqa: B018


def test_significant_figures_are_torchs():
    """The same draws each time: PyTorch's float32 may round a number near a limit otherwise."""
    rng = np.random.default_rng(777)
    found = [tuple(m.significant_figures for m in drawn(rng)) for _ in range(500)]
    assert {mine for mine, yours in found} == {1, 2, 3, 4}
    assert all(mine == yours for mine, yours in found)


@given(SEEDS, st.sampled_from(["pass", "", "x = 1", "x = 1\ny = 2"]),
       st.sampled_from(["f(x)", "f(x)\ng(x)"]), st.sampled_from([None, "L"]),
       st.sampled_from([None, "s"]), st.sampled_from([None, "d"]), st.sampled_from([1, 4]))
def test_it_is_printed_as_torchs(seed, setup, stmt, label, sub_label, description, num_threads):
    mine, yours = (repr(m).split("\n", 1) for m in drawn(
        np.random.default_rng(seed), setup=setup, stmt=stmt, label=label, sub_label=sub_label,
        description=description, num_threads=num_threads))
    assert mine[1] == yours[1]
    assert mine[0].startswith("<minitorch.utils.benchmark.measurement.Measurement object at 0x")


@given(SEEDS, st.sampled_from([[None], ["e", "other"]]), st.booleans(), st.booleans(),
       st.sampled_from([None, False, True]))
def test_tables_are_torchs(seed, envs, trim, warn, rowwise):
    """PyTorch counts and trims digits in float32: it is given ours for that, tested elsewhere."""
    rng = np.random.default_rng(seed)

    def one_of(*choices):
        return choices[rng.integers(len(choices))]

    pairs = [drawn(rng, stmt=one_of("f(x)", "g(x)"), label=one_of(None, "L", "a longer label"),
                   sub_label=one_of(None, "s", "ss"), description=one_of("n=1", "n=1,000,000"),
                   env=one_of(*envs), num_threads=one_of(1, 4))
             for _ in range(rng.integers(1, 9))]
    mine, yours = ours.Compare([p[0] for p in pairs[:1]]), theirs.Compare([p[1] for p in pairs])
    mine.extend_results(p[0] for p in pairs[1:])
    for c in (mine, yours):
        if trim:
            c.trim_significant_figures()
        if warn:
            c.highlight_warnings()
        if rowwise is not None:
            c.colorize(rowwise)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "trim_sigfig", ours.trim_sigfig)
        patch.setattr(theirs.Measurement, "significant_figures",
                      ours.Measurement.significant_figures)
        assert str(mine) == str(yours)


@pytest.mark.parametrize("best", [1e-7, 1e-5])
@pytest.mark.parametrize("rowwise", [False, True])
def test_colours_are_torchs(best, rowwise):
    """Near every limit; of short times also what is within 100 ns of the best."""
    tables = []
    for lib, spec in ((ours, ours.TaskSpec), (theirs, common.TaskSpec)):
        tables.append(lib.Compare([
            lib.Measurement(1, [best * x], spec("f", "", sub_label="s" if rowwise else f"{x}",
                                                description=f"{x}" if rowwise else "d"))
            for x in (1, 1.009, 1.02, 1.09, 1.11, 1.95, 2.05, 4.9, 5.1)]))
        tables[-1].colorize(rowwise)
    assert str(tables[0]) == str(tables[1]) and "\033" in str(tables[0])


def test_a_table_without_descriptions_or_with_some_envs_is_printed_all_the_same(capsys):
    """(PyTorch's raises TypeError.)"""
    ms = [ours.Measurement(1, [t], ours.TaskSpec(f"f{i}", "", env=env))
          for i, (t, env) in enumerate([(2e-3, None), (3e-3, "new")])]
    ours.Compare(ms).print()
    out = capsys.readouterr().out
    assert re.search(r"\(Unspecified env\) +f0 +\|  2.0", out)
    assert re.search(r"\(new\) +f1 +\|  3.0", out) and "milliseconds (ms)" in out


def test_what_is_no_measurement_is_refused():
    for lib in (ours, theirs):
        with pytest.raises(ValueError) as error:
            lib.Compare([1.0])
        assert str(error.value) == "Expected an instance of `Measurement`, got <class 'float'> " \
                                   "instead."
    with pytest.raises(ValueError, match="at least one time"):
        ours.Measurement(1, [], ours.TaskSpec("f", ""))


@given(SEEDS)
def test_merged_replicates_are_torchs(seed):
    rng = np.random.default_rng(seed)
    pairs = [drawn(rng, env=env) for env in "abaab"]
    mine, yours = (lib.Measurement.merge(ms) for lib, ms in zip((ours, theirs), zip(*pairs)))
    assert [(m.env, m.times) for m in mine] == [(m.env, m.times) for m in yours]


@given(SEEDS, st.integers(1, 4))
def test_digits_and_units_are_torchs(seed, n):
    x = float(10 ** np.random.default_rng(seed).uniform(-9, 4))
    place = 10.0 ** (math.ceil(math.log10(x)) - n)
    trimmed = ours.trim_sigfig(x, n)
    assert abs(trimmed - x) <= 0.5 * place * (1 + 1e-9)
    assert trimmed / place == pytest.approx(round(trimmed / place), rel=1e-12)
    assert abs(trimmed - theirs.trim_sigfig(x, n)) <= (1 + 1e-6) * place  # a tie in float32
    assert ours.trim_sigfig(-x, n) == -ours.trim_sigfig(x, n) and ours.trim_sigfig(0.0, n) == 0
    assert ours.select_unit(x) == theirs.select_unit(x)
    unit = ours.select_unit(x)[0]
    assert ours.select_unit(1e-10) == ("ns", 1e-9)  # PyTorch's says seconds
    assert ours.unit_to_english(unit) == theirs.unit_to_english(unit)
