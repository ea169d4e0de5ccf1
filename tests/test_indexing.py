"""``x[key]`` and ``x[key] = value`` with every kind of key, and their gradients."""

import warnings
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
from tests.twins import Given, Outcome, agree, drawn, lines, tensors

SIZES = st.sampled_from([3, 2, 4, 1])


ONE = [":", ":", "{i}", "{i}", "torch.tensor({i})", "np.int64({i})"]
RANGE = ["{a}:{b}", "{a}:{b}:{s}"]
SOME = ["[{some}]", "torch.tensor([{some}])", "np.array([{some}])", "torch.tensor([[{some}]])",
        "torch.tensor([{some}]).int()"]
MASK = ["[{bools}]", "torch.tensor([{bools}])", "np.array([{bools}])",
        "torch.tensor([{bools}]).byte()"]


@cache
def items(size):
    """One index for a dimension of ``size``, as source text; now and then out of range."""
    i = st.sampled_from([*range(size), *range(-size, 0)] * 3 + [-size - 1]).map(str)
    bounds = st.sampled_from(["", *map(str, range(-size - 1, size + 2))])
    bools = st.lists(st.sampled_from(["True", "False"]), min_size=size, max_size=size)
    return st.one_of(
        st.builds(str.format, st.sampled_from(ONE), i=i),
        st.builds(str.format, st.sampled_from(RANGE), a=bounds, b=bounds, s=st.integers(1, 3)),
        st.builds(str.format, st.sampled_from(SOME),
                  some=st.lists(i, min_size=1, max_size=3).map(", ".join)),
        st.builds(str.format, st.sampled_from(MASK), bools=bools.map(", ".join)))


@st.composite
def keys(draw, shape):
    """A key for a tensor of ``shape``, as source text."""
    n = draw(st.integers(0, len(shape)))
    parts = [draw(items(size)) for size in shape[:n]]
    for extra in draw(st.lists(st.sampled_from(["None", "None", "True", "False"]), max_size=2)):
        parts.insert(draw(st.integers(0, len(parts))), extra)
    if draw(st.integers(0, 2)) == 0:
        place = draw(st.integers(0, len(parts)))
        rest = [draw(items(size)) for size in shape[n:]]
        parts = parts[:place] + ["..."] + parts[place:]
        if place == n and n:
            parts += rest[len(rest) - draw(st.integers(0, len(rest))):]
    return ", ".join(parts) if parts else "..."


@st.composite
def indexed(draw):
    shape = tuple(draw(st.lists(SIZES, min_size=1, max_size=4)))
    return draw(tensors(shape=shape)), draw(st.lists(keys(shape), min_size=1, max_size=6))


@given(xk=indexed())
def test_reading_agrees_with_torch(xk):
    x, ks = xk
    agree([f"x[{key}]" for key in ks], x=x)


KINDS = [":", "1", "None", "...", "True", "[1, 0]", "torch.tensor([True, True])",
         "torch.tensor([[True, False], [True, True]])"]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_order_of_the_kinds_of_index_agrees_with_torch(n):
    keys = [", ".join(key) for key in product(KINDS, repeat=n) if key.count("...") < 2]
    agree([text for key in keys for text in (f"x[{key}]", f"x[{key}] = w; x")],
          x=Given(np.arange(8.0).reshape(2, 2, 2)), w=Given(np.array([[1.5], [2.5]]), grad=True))


def positions(key, x):
    """The positions that a key takes, by their numbers; None where PyTorch refuses it."""
    shape = x.array.shape
    numbers = torch.arange(int(np.prod(shape))).reshape(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(f"n[{key}]", {"torch": torch, "np": np, "n": numbers}).reshape(-1).tolist()
        except (IndexError, RuntimeError, TypeError):
            return None


def writes(key, x, values):
    """Programs that write each of the values at ``key``; none where the order of writes shows."""
    taken = positions(key, x)
    if taken is None:
        return [f"x[{key}] = 1; x"]  # only one error at a time: which comes first is open
    if not taken or len(taken) != len(set(taken)) or "byte" in key:
        return []  # PyTorch counts only some empty writes, and hardly writes by masks of bytes
    return [f"x[{key}] {'' if '= ' in value else '= '}{value}; x" for value in values]


@settings(max_examples=max(50, settings.default.max_examples))
@given(xk=indexed(), number=st.sampled_from(["2", "-1.5", "True", "3", "0"]))
def test_writing_agrees_with_torch(xk, number):
    """Numbers, the tensor's own dtype, other dtypes, and shapes that broadcast or do not."""
    x, ks = xk
    if x.array.dtype == np.uint8:
        number = number.removeprefix("-")  # what becomes of negative numbers is open
    for key in ks:
        old = f"(x[{key}].detach() * 2).to(x.dtype)"
        agree(writes(key, x, [number, "+= 1", old, f"{old}[None]", f"{old}.reshape(-1)", "w",
                              f"torch.tensor({number}).to(x.dtype)",
                              f"torch.tensor({number}, dtype=torch.float64)"]),
              x=x, w=Given(np.arange(3.0), grad=True))


@given(xk=indexed())
def test_writing_tensors_that_need_gradients_agrees_with_torch(xk):
    """The gradient of what is written, and of what it replaces."""
    x, ks = xk
    x.array, x.grad = x.array.astype(np.float64), True
    for key in ks:
        agree(writes(key, x, [f"v * x[{key}].detach()", "v", f"x[{key}].exp()", "+= v", "*= v",
                              f"x[{key}].sum()"]), x=x, v=Given(np.array(1.5), grad=True))


IN_PRACTICE = lines("""
    x[x > 0] = v; x
    x[x < 0] *= -1; x
    x[x > y.detach()] = y[x > y.detach()]; x
    x[(x > 0) & (x < 2)] = 0.0; x
    x[0][1] = v; x
    x[1:][0, 1:] = y[0, 1:]; x
    x[:, 1:] += y[0, 1:]; x
    x[..., -1] *= v; x
    x[i] = y[i].exp(); x
    x[i] **= 2; x
    x[[0, 1]] -= y[:2]; x
    x[i, i] = 0; x
    x[torch.arange(3), i] += y[:, 0]; x
    x[None, 0] = y[0]; x
    x[x.sum(1) > 0, 0] = v; x
    x[x.sum(1) > 0] = y[0]; x
    x[i == 1] = v; x
    x.T[0] = y[0]; x
    x.diagonal()[:] = v; x
    x.view(-1)[1:].view(2, -1)[0] = v; x
    x[0], x[1] = x[1].clone(), x[0].clone(); x
    x[0:2, 0:2] = x[1:3, 1:3].clone(); x
    a = x[0]; x[0] = 5; x[1] = a; x
    a = x[0]; a += y[0]; x[1] = a * 2; x
    a = x[0]; a[0] = 1; b = x.clone(); a[1] = v; x, b
    a = x[:2]; b = a[:, 1:]; b[0] = v; a.requires_grad, (a * 2, x)
    z = torch.zeros_like(x); z[1:] = x[:-1]; z
    z = torch.zeros(3, 2, 3).double(); z[:, 0] = x; z[:, 1] = y; z
    x[0] = y[0].half(); x
    x[0] = torch.ones(3, dtype=torch.int64); x
    x[0] = x[1] > 0; x
    x[i] = y[i].float(); x
    x[0] = y; x
    x[0] = y[:, :2]; x
    x[x > 0] = y; x
    x[9] = v; x
    x[:, [5]] = 1; x
""")


@pytest.mark.parametrize("layout", ["plain", "transposed", "sliced"])
@pytest.mark.parametrize("grads", list(product([False, True], repeat=2)))
def test_writes_that_programs_make_agree_with_torch(grads, layout):
    x, y = drawn((3, 3), "float64", 1), drawn((3, 3), "float64", 2)
    agree(IN_PRACTICE, x=Given(x, layout, grads[0]), y=Given(y, grad=grads[1]),
          v=Given(np.array(1.5), grad=grads[1]), i=Given(np.array([2, 0, 1])))


ODD = lines("""
    x[::-1]
    x[2:0:-1]
    x[::0]
    x[1.0]
    x["a"]
    x[torch.tensor(1.5)]
    x[torch.tensor([0.0])]
    x[0, 0, 0, 0]
    x[9]
    x[-9]
    x[:, 9]
    x[[0, 9]]
    x[torch.tensor([9])]
    x[torch.tensor([True, False])]
    x[torch.tensor([[True, False]])]
    x[[]]
    x[torch.tensor([], dtype=torch.int64)]
    x[torch.zeros(0, 3, dtype=torch.int64)]
    x[[[0, 1], [1, 0]]]
    x[[slice(0, 2), 1]]
    x[[0, None]]
    x[(0,)]
    x[()]
    x[np.array(1)]
    x[np.array(True)]
    x[torch.tensor(True)]
    x[torch.tensor(False)]
    x[range(2)]
    x[:torch.tensor(2)]
    x[0:2.5]
    x[np.float32(1)]
    x[x > 0]
    x[x > 0, None]
    x[x > 100]
    x[x[:, 0] > 0]
    x[x[:, 0] > 0, 1]
    x[0][1]
    x[0:2][1]
    x[None].shape
    x[..., None].shape
    x[torch.tensor([0, 1])[:, None], torch.tensor([1, 2])]
    x[torch.tensor([0, 1]), torch.tensor([0, 1, 2])]
    x[torch.tensor([0, -1]), :2]
    x[0].is_contiguous()
    x[:, 0].is_contiguous()
    x[0] = [1, 2, 3]; x
    x[0] = "a"; x
    x[0] = None; x
    x[0] = np.ones(3); x
    x[0] = np.float64(2); x
    x[0] = torch.ones(4); x
    x[0] = torch.ones(1, 1, 3); x
    x[9] = 1; x
    x[[0, 1]] = torch.ones(2, 3); x
    x[[0, 1]] = torch.ones(2, 3).double(); x
    x[[0]] = torch.tensor(1).double(); x
    x[x > 0] = torch.tensor([1.0]).double(); x
    x[x > 0] = torch.ones(2); x
    x[x > 100] = torch.ones(0); x
    x[1:1] = 5; x
    x[:] = torch.arange(3.0); x
    x[...] = 7; x
    x[x != x] = 0; x
    x[0, 1] = float("nan"); x
    x[0] += torch.ones(3); x
    x[:, 1:] *= 2; x
    x[torch.tensor([0, 0])] += 1; x
    del x[0]; x
""")


def test_odd_keys_and_values_agree_with_torch():
    agree(ODD, x=Given(np.arange(9.0, dtype=np.float32).reshape(3, 3) - 4))


@pytest.mark.parametrize("program", ["x[0] = 300", "x[[0]] = 300", "x[x > 0] = 300"])
def test_numbers_that_do_not_fit_are_refused(program):
    x = minitorch.tensor([1, 2], dtype=minitorch.uint8)
    with pytest.raises(RuntimeError, match="300"):
        exec(program, {"x": x})
    assert x.tolist() == [1, 2] and x._version == 0


@given(x=tensors(shape=(3, 4), grad=False))
def test_a_view_shares_memory_and_version_and_a_copy_does_not(x):
    for key, shares in [("0", True), ("1:, ::2", True), ("..., None", True), ("[0, 1]", False),
                        ("x > 0", False), (":, torch.tensor([0])", False)]:
        for engine in (torch, minitorch):
            names = {"torch": engine, "x": engine.from_numpy(x.array.copy())}
            y = eval(f"x[{key}]", names)
            y.fill_(1)
            assert (names["x"]._version == 1) is shares


def test_index_tensors_are_kept_as_they_were():
    """Changing an index after use does not change the gradient."""
    x = minitorch.arange(3.0, requires_grad=True)
    i = minitorch.tensor([0, 1])
    y = x[i]
    i[0] = 2
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 0]
    kept = Outcome(minitorch, "x[i]", kwargs={"x": Given(np.arange(3.0)), "i": Given(
        np.array([0, 1]))})
    assert kept.result.array.tolist() == [0.0, 1.0]
