"""Reading a definition with symbols notes what it computes, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minitorch.symbols import Given, read, read_cell


def ops(definition: Any, options: dict[str, Any], state: tuple[str, ...] = ()) -> list[str]:
    return [step.op for step in read(definition, state, options).needed()]


def test_calls_are_noted_in_order_numbers_apart_from_arrays() -> None:
    def update(xp: Any, x: Any, g: Any, o: Any, m: Any) -> Any:
        m = o.b * m + (1 - o.b) * g
        return x - o.lr * xp.sqrt(abs_of(xp, m)), {"m": m}

    def abs_of(xp: Any, m: Any) -> Any:
        return xp.abs(m)

    program = read(update, ["m"], {"lr": 0.1, "b": 0.9})
    assert [(s.op, s.array) for s in program.needed()] == [
        ("multiply", True), ("subtract", False), ("multiply", True), ("add", True),
        ("abs", True), ("sqrt", True), ("multiply", True), ("subtract", True)]
    assert [a.name for a in program.arrays] == ["x", "g", "m"]
    assert set(program.results) == {"x", "m"}


def test_what_no_result_needs_is_left_out() -> None:
    def update(xp: Any, x: Any, g: Any, o: Any) -> Any:
        xp.sqrt(g)
        return x - g, {}

    assert ops(update, {}) == ["subtract"]


def test_flags_choose_and_options_may_be_asked_whether_they_are_zero() -> None:
    def update(xp: Any, x: Any, g: Any, o: Any) -> Any:
        if o.maximize:
            g = -g
        if o.decay:
            g = g + o.decay * x
        return x - g, {}

    for maximize in (False, True):
        for decay in (0, 0.1):
            expected = ["negative"] * maximize + ["multiply", "add"] * bool(decay) + ["subtract"]
            assert ops(update, {"maximize": maximize, "decay": decay}) == expected


@pytest.mark.parametrize("question", [
    lambda x, o: x, lambda x, o: x > 0, lambda x, o: o.lr * 2, lambda x, o: 1 - o.lr])
def test_a_computed_value_may_not_be_asked(question: Any) -> None:
    """The answer would be built in, and wrong the next time."""
    def update(xp: Any, x: Any, g: Any, o: Any) -> Any:
        return (x if question(x, o) else x - g), {}

    with pytest.raises(TypeError, match=r"use xp\.where"):
        read(update, [], {"lr": 0.1})


def test_tuples_of_options_are_symbols_one_by_one() -> None:
    def update(xp: Any, x: Any, g: Any, o: Any) -> Any:
        first, second = o.betas
        return first * x + second * g, {}

    program = read(update, [], {"betas": (0.9, 0.0)})
    assert list(program.options.values()) == ["o['betas'][0]", "o['betas'][1]"]
    assert [number.truth for number in program.options] == [True, False]


def scaled(xp: Any, g: Any, x: Any, slope: Any) -> Any:
    return xp.where((x > 0) | (x == 0), g, g * (2 * slope))


def test_an_operators_function_is_read_for_a_kind_of_arguments() -> None:
    program = read_cell(scaled, [Given.ARRAY, Given.ARRAY, Given.NUMBER], np.float32)
    assert [(s.op, s.array, s.mask) for s in program.needed()] == [
        ("greater", True, True), ("equal", True, True), ("logical_or", True, True),
        ("multiply", False, False), ("multiply", True, False), ("where", True, False)]
    assert [a.name for a in program.arrays] == ["g", "x"]
    assert list(program.options.values()) == ["o[2]"]
    assert program.results["result"].dtype == np.float32
    built_in = read_cell(scaled, [Given.ARRAY, Given.ARRAY, 0.5], np.float32)
    assert not built_in.options


def test_a_masks_dtype_is_bool_and_that_of_an_update_is_unknown() -> None:
    def masked(xp: Any, x: Any, mask: Any) -> Any:
        assert x.dtype == np.float64 and mask.dtype == bool and (x < 0).dtype == bool
        return x * mask

    def update(xp: Any, x: Any, g: Any, o: Any) -> Any:
        return x.dtype, {}

    read_cell(masked, [Given.ARRAY, Given.MASK], np.float64)
    with pytest.raises(AttributeError):
        read(update, [], {})


@pytest.mark.parametrize("function", [
    lambda xp, x, n: xp.sum(x), lambda xp, x, n: x[0], lambda xp, x, n: x.reshape(-1),
    lambda xp, x, n: x, lambda xp, x, n: (x + 1, x), lambda xp, x, n: 0.0,
    lambda xp, x, n: x * 2 if n > 1 else x, lambda xp, x, n: xp.exp(1.0)])
def test_what_is_no_function_of_single_elements_is_refused(function: Any) -> None:
    with pytest.raises(TypeError):
        read_cell(function, [Given.ARRAY, Given.NUMBER], np.float32)
