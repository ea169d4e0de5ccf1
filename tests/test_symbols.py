"""Reading a definition with symbols notes what it computes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from minitorch.symbols import read


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
