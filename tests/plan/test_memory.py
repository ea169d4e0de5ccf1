"""Values of a plan share memory only where one is no longer needed when the other comes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minitorch.plan import memory
from minitorch.plan.noted import Noted, owned, plain
from minitorch.plan.notes import Note, Recorder
from minitorch.plan.plan import Plan


@st.composite
def programs(draw):
    """Random chains of calls on values of a few sizes, views among them."""
    recorder = Recorder()
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = [rng.normal(size=(n, 4)) for n in (3, 3, 5)]  # from outside
    for _ in range(draw(st.integers(1, 25))):
        x = draw(st.sampled_from(values))
        y = draw(st.sampled_from([v for v in values if v.shape == x.shape]))
        kind = draw(st.sampled_from(["add", "multiply", "product", "sum", "view", "into"]))
        if kind == "view":
            values.append(x[::-1] if draw(st.booleans()) else x[:, ::-1])
            continue
        if kind == "into" and isinstance(memory.owner(x), Noted):
            recorder.notes.append(Note(np.add, (x, y), {"out": (x,)}, writes=[x]))
            np.add(x, y, out=x)
            continue
        if kind == "product":
            note, result = Note(np.matmul, (x, x.T), {}), (x @ x.T)[:, :1] * np.ones((1, 4))
            out = plain(owned(recorder, x @ x.T))
            note.into = out
            recorder.notes.append(note)
            function, args, result = np.multiply, (out[:, :1], y), out[:, :1] * y
        elif kind == "sum":
            out = plain(owned(recorder, x.sum(0, keepdims=True)))
            recorder.notes.append(Note(np.add.reduce, (x,), {"axis": 0, "keepdims": True}, out))
            function, args, result = np.subtract, (x, out), x - out
        else:
            function = getattr(np, kind, np.add)
            args, result = (x, y), function(x, y)
        out = plain(owned(recorder, result))
        recorder.notes.append(Note(function, args, {}, out))
        values.append(out)
    return recorder, values


@given(programs())
def test_a_plan_computes_what_its_calls_computed(program):
    recorder, values = program
    inside = [v for v in values if isinstance(memory.owner(v), Noted)]
    kept = inside[-1:]
    expected = [v.copy() for v in kept]
    outside = [v for v in values if not isinstance(memory.owner(v), Noted)]
    before = [v.copy() for v in outside]
    plan = Plan([recorder.notes], recorder.made, kept)
    plan.memory[:] = 255  # nan: what is read before it is written shows
    for v in kept:
        memory.owner(v)[...] = np.nan
    plan.parts[0]()
    for v, was in zip(kept, expected):
        np.testing.assert_array_equal(v, was)
    for v, was in zip(outside, before):
        np.testing.assert_array_equal(v, was)


@given(programs())
def test_memory_is_reused_but_never_more_than_each_value_would_need(program):
    recorder, _ = program
    plan = Plan([recorder.notes], recorder.made)
    found = memory.lives(recorder.notes, recorder.made, [])
    assert plan.memory.nbytes <= sum(life.size for life in found.values())
    assert memory.address(plan.memory) % memory.LINE == 0
