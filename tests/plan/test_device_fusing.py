"""When statements may share a loop or a kernel: the rules on steps, against the elements meant."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from minitorch.plan.device.fusing import Touch
from minitorch.plan.device.words import Operand

MEMORY = np.zeros(200, np.float32)


@st.composite
def touches(draw, space):
    """An array at some place and steps, often those of the whole matrix; sometimes with jumps."""
    whole = space[1], 1
    steps = draw(st.sampled_from([whole, (whole[0] + 2, 1), (whole[0], 0), (0, 1), (1, 0), (0, 0)])
                 | st.tuples(st.integers(0, 6), st.integers(0, 6)))
    first = draw(st.sampled_from([0, 0, 0, 1, 5]))
    jumps = draw(st.sampled_from([(), (), (), ((0, 1, 3),), ((0, 7, 2),)]))
    shape = (*space, *[n for _, _, n in jumps])
    strides = [4 * s for s in (*steps, *[s for _, s, _ in jumps])]
    array = as_strided(MEMORY[first:], shape, strides)
    steps = tuple(s if n > 1 else 0 for s, n in zip(steps, space))
    return Touch(Operand(array, steps, jumps), steps, space, draw(st.booleans()))


def elements(t, place):
    """The elements that one place of the space may touch."""
    start = (t.first - MEMORY.ctypes.data) // 4 + np.dot(t.steps, place)
    jumps = [[step * k for k in range(n)] for _, step, n in t.operand.jumps]
    return {int(start) + sum(js) for js in itertools.product(*jumps)}


def places(space):
    return list(itertools.product(*map(range, space)))


@st.composite
def pairs(draw):
    r, c = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    other = draw(st.sampled_from([(r, c), (r, 1), (1, c)]))
    return draw(touches((r, c))), draw(touches(other))


@given(pairs())
def test_what_does_not_meet_shares_nothing(pair):
    a, b = pair
    if (a.written or b.written) and not a.meets(b):
        assert not (set().union(*[elements(a, p) for p in places(a.space)])
                    & set().union(*[elements(b, p) for p in places(b.space)]))


@given(pairs())
def test_the_same_element_is_touched_by_no_other_place(pair):
    a, b = pair
    if a.same_element(b):
        assert a.space == b.space
        for p, q in itertools.product(places(a.space), repeat=2):
            assert (elements(a, p) == elements(b, q)) == (p == q)


@given(pairs(), st.sampled_from([0, 1]))
def test_the_same_line_is_touched_by_no_other_line(pair, axis):
    a, b = pair
    if a.space[axis] == b.space[axis] and a.same_line(b, axis):
        for p, q in itertools.product(places(a.space), places(b.space)):
            if p[axis] != q[axis]:
                assert not elements(a, p) & elements(b, q)


def test_rows_columns_and_elements_of_a_matrix_are_known_as_such():
    """The rules do not only refuse."""
    x = np.zeros((3, 4), np.float32)
    whole = Touch(Operand(x, (4, 1)), (4, 1), (3, 4), True)
    row = Touch(Operand(x, (4, 0)), (4, 0), (3, 1))
    column = Touch(Operand(x, (0, 1)), (0, 1), (1, 4))
    assert whole.same_element(whole) and whole.same_line(whole, 0) and whole.same_line(whole, 1)
    assert whole.same_line(row, 0) and not whole.same_line(row, 1)
    assert whole.same_line(column, 1) and not whole.same_line(column, 0)
    label = Touch(Operand(x, (4,), ((0, 1, 4),)), (4, 0), (3, 1))
    assert whole.same_line(label, 0) and not whole.same_element(label)
