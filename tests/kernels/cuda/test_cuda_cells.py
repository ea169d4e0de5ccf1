"""A kernel spelled from a forward or a rule computes what that does."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitorch as torch
from minitorch import backend
from minitorch.kernels.cuda import cells, launch, spelled
from minitorch.primitive import registry
from minitorch.symbols import Given, read_cell
from minitorch.testing.db.cases import EDGES
from tests import nvrtc
from tests.emulated import Emulated
from tests.kernels.cuda import operators
from tests.kernels.cuda.operators import OPERATORS, OTHERS, Cell, frozen
from tests.standin import gpu

FEW = settings(max_examples=max(2, settings().max_examples // 20),
               suppress_health_check=[HealthCheck.function_scoped_fixture])
FLOATS = (np.float32, np.float64, np.float16)
HALVES = {"relu", "tanh", "divide", "gelu", "maximum"}  # of float16, a few
XP = SimpleNamespace(**vars(backend.numpy_words))
XP.empty = lambda shape, dtype: np.full(shape, 77, dtype)  # nothing that was right before


def names(found: Any) -> set[str]:
    return {cell.name for cell, _ in found}


@pytest.fixture(scope="module")
def spelled_cells() -> dict[Any, list[tuple[Cell, cells.Kernel]]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "launcher", Emulated())
        found = {dtype: list(operators.every(dtype)) for dtype in FLOATS}
    assert names(found[np.float32]) == names(found[np.float64]) == names(found[np.float16])
    found[np.float16] = [pair for pair in found[np.float16]
                         if pair[0].name.rpartition("_")[0] in HALVES]
    return found


@pytest.fixture(scope="module")
def together(spelled_cells: Any) -> Emulated:
    """A launcher that has been asked for all kernels, so that they share one compilation."""
    launcher = Emulated()
    for found in spelled_cells.values():
        for _, kernel in found:
            launcher.function(kernel.text, kernel.name)
    return launcher


@pytest.fixture
def prepared(emulated: Any, together: Any, monkeypatch: Any) -> Any:
    monkeypatch.setattr(launch, "launcher", together)
    return together


def exact(text: str) -> bool:
    """Whether a kernel has only what IEEE rounds alike everywhere."""
    return "half" not in text and not any(
        f"{form.partition('(')[0]}(" in text for word, form in spelled.SPELLING.items()
        if word not in ("sqrt", "abs", "trunc", "floor", "ceil")
        and form[0].isalpha())


def check(cell: Cell, kernel: cells.Kernel) -> None:
    """One launch, and a result as the function's: to the last bit, or where the elementary
    functions come in (of libm here, and NumPy's own vector code) within 32 roundings of its largest
    intermediate, which is taken to be of the size of 1 or of the result; float16 is rounded at
    other places than NumPy does.
    """
    before = launch.launcher.launches
    ours = cells.Generated(cell.name, cell.function)(XP, *cell.args)
    with np.errstate(all="ignore"):
        theirs = np.asarray(cell.function(XP, *cell.args))
    assert launch.launcher.launches == before + 1
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if theirs.dtype != bool and not exact(kernel.text):
        eps = float(np.finfo(theirs.dtype).eps)
        np.testing.assert_allclose(ours, theirs, 32 * eps, 32 * eps)
    else:
        np.testing.assert_array_equal(ours, theirs)


def test_nearly_all_that_works_on_elements_can_be_spelled(spelled_cells: Any) -> None:
    found = names(spelled_cells[np.float32])
    assert len(found) > 110
    assert found >= {f"{op}_{part}" for op in (
        "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "exp", "log", "sqrt",
        "square", "pow", "softplus", "hardtanh", "erf") for part in ("forward", "x")}
    assert found >= {f"{op}_{part}" for op in ("multiply", "divide", "maximum")
                     for part in ("forward", "x", "y")}


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
@FEW
@given(data=st.data())
def test_kernel_equals_rule(op: Any, prepared: Any, data: Any) -> None:
    dtype = data.draw(st.sampled_from(FLOATS[:2 + (op.name in HALVES)]))
    shape = data.draw(st.sampled_from([(1,), (5, 7), (2, 300), (3, 1, 2)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    edges = dtype != np.float16 and data.draw(st.booleans())
    chosen = data.draw(st.sampled_from([{}, OTHERS.get(op.name, {})]))
    for cell in operators.cells(op, rng, shape, dtype, edges, **chosen):
        kernel = cell.kernel()
        if kernel is not None:
            check(cell, kernel)


# What an element's operand may be: its own, one for all, that of its column, that of its row.
LAYOUTS = [((2, 3), (2, 3)), ((2, 3), ()), ((1, 1), (2, 3)), ((2, 3), (3,)), ((2, 3, 4), (3, 4)),
           ((2, 3), (2, 1)), ((1, 3), (2, 3)), ((2, 1), (1, 3)), ((4, 2, 3), (4, 1, 1)),
           ((4, 2, 3), (4, 2, 1)), ((4, 2, 3), (1, 1, 3))]


def test_operands_that_broadcast(emulated: Any) -> None:
    rng, op = np.random.default_rng(0), registry["subtract"]
    todo = [Cell("minus", op.forward, tuple([rng.normal(size=s).astype("f") for s in shapes]))
            for shapes in LAYOUTS]
    for cell in todo:
        kernel = cell.kernel()
        assert kernel is not None
        emulated.function(kernel.text, kernel.name)
    for cell in todo:
        check(cell, cell.kernel())


@pytest.mark.parametrize("args", [
    (np.ones((2, 3), "f"), np.ones((2, 3))),  # two dtypes
    (np.ones((2, 3), "f"), np.ones((3, 2), "f").T),  # columns
    (np.ones((4, 6), "f"), np.ones((8, 6), "f")[::2]),  # gaps
    (np.ones((2, 3), np.int64), np.ones((2, 3), np.int64)),
    (np.ones((0, 3), "f"), np.ones((0, 3), "f")),
    (np.ones((2, 3, 1), "f"), np.ones((3, 4), "f")),  # rows of 4, and of 12
    (np.ones((2, 3, 4), "f"), np.ones((3, 1), "f")),
    (np.ones((2, 3, 4), "f"), np.ones((1, 3, 1), "f")), (np.ones((2, 3), "f"), np.float32(2)),
    (np.ones((2, 3), bool), np.ones((2, 3), bool))])
def test_what_does_not_fit_runs_as_it_is(args: Any, emulated: Any) -> None:
    f = registry["add"].forward
    out = cells.cell("add", "forward", f)(XP, *args)
    np.testing.assert_array_equal(out, f(XP, *args))
    assert emulated.launches == 0


def test_any_names_will_do(emulated: Any) -> None:
    x = np.linspace(-1, 1, 5, dtype=np.float32)
    for operator, function, expected in (
            ("<lambda>", lambda xp, n, m: n * m, x * x), ("double", lambda xp, i, T: i + T, x + x),
            ("x", lambda xp, x, μ: x - μ, x - x)):
        out = cells.cell(operator, "forward", function)(XP, x, x)
        np.testing.assert_array_equal(out, expected)
    assert emulated.launches == 2  # Greek is left to array calls


def test_a_users_own_operator_is_not_taken_for_one_written_by_hand(emulated: Any) -> None:
    def layer_norm(xp: Any, x: Any, weight: Any, bias: Any, dims: int, eps: float) -> Any:
        return x + eps

    assert isinstance(cells.cell("layer_norm", "forward", layer_norm), cells.Generated)
    assert not isinstance(cells.cell("layer_norm", "forward", registry["layer_norm"].forward),
                          cells.Generated)


def test_shapes_that_do_not_broadcast_are_refused_as_ever(emulated: Any) -> None:
    with pytest.raises(ValueError, match="broadcast"):
        cells.cell("add", "forward", registry["add"].forward)(XP, np.ones((2, 3)), np.ones((3, 2)))


@pytest.mark.parametrize("name", ["matmul", "softmax", "cross_entropy", "batch_norm", "permute",
                                  "gather", "mse_loss"])
def test_what_is_not_of_single_elements_is_not_spelled(name: str) -> None:
    op = registry[name]
    for function in (op.forward, *op.rules.values()):
        with pytest.raises(TypeError):
            read_cell(function, [Given.ARRAY] * (len(inspect.signature(function).parameters) - 1),
                      np.float32)


def test_numbers_are_arguments_and_built_in_only_if_asked_for(emulated: Any) -> None:
    x = np.linspace(0.5, 2, 8, dtype="f")
    scaled = cells.Generated("scaled", lambda xp, x, s: x * (s * 2))
    asked = cells.Generated("asked", lambda xp, x, s: x * s if s > 1 else x / s)
    for s in np.linspace(0.1, 2, 40).tolist():
        np.testing.assert_array_equal(scaled(XP, x, s), x * (s * 2))
        if s in (0.1, 2.0):
            np.testing.assert_array_equal(asked(XP, x, s), x * s if s > 1 else x / s)
        else:
            asked.kernel(cells.kind_of((x, s))[0], (x, s))  # type: ignore[index]
    assert len(scaled.kernels) == 1 and not scaled.literal
    assert len(asked.literal) == cells.LITERALS


def test_a_wrong_kernel_is_caught(emulated: Any, monkeypatch: Any) -> None:
    """The check of this file, held against kernels that are a little wrong."""
    changes = {"tanh_x": [("(T)1.0 - ", "(T)1.0 + "), ("in_g[i]", "in_g[0]"),
                          ("in_out[i]", "in_out[i / 2]")],
               "divide_y": [("-", ""), ("* a", "/ a"), ("i < n", "i + 1 < n")],
               "relu_x": [("!=", "=="), ("g_ *", "g_ +")],
               "maximum_forward": [(">=", "<="), (" || x_ != x_", "")],
               "gelu_forward": [("0.7071067811865475", "0.7072"), ("erf", "tanh")]}
    rng = np.random.default_rng(0)
    values = np.where(rng.random((6, 60)) < 0.2, rng.choice(EDGES[""], (6, 60)),
                      rng.normal(size=(6, 60)))
    found = {c.name: c for c, _ in reversed(list(operators.every(np.float32)))}
    todo = []
    for name, each in changes.items():
        args = tuple([frozen(rng.permuted(values).astype("f")) if isinstance(a, np.ndarray) else a
                      for a in found[name].args])
        cell = found[name]._replace(args=args)
        for old, new in each:
            right = cell.kernel()
            assert right is not None and old in right.text, (name, old, right.text)
            todo.append((cell, right.text.replace(old, new)))
            emulated.function(todo[-1][1], name)
    for cell, wrong in todo:
        monkeypatch.setattr(spelled, "elementwise", lambda *_, wrong=wrong: wrong)
        kernel = cell.kernel()
        assert kernel is not None
        with pytest.raises(AssertionError, match="equal"):
            check(cell, kernel)
            print(f"not caught: {wrong}")


@pytest.mark.parametrize("architecture", nvrtc.ARCHITECTURES)
def test_every_kernel_compiles_for_gpus(architecture: str, spelled_cells: Any) -> None:
    """In float64 and float16, for one of them, those that call functions: arithmetic is alike."""
    texts = [kernel.text for _, kernel in spelled_cells[np.float32]]
    if architecture == "sm_90":
        texts += [kernel.text for dtype in FLOATS[1:] for _, kernel in spelled_cells[dtype]
                  if not exact(kernel.text)]
    assert nvrtc.compiled(texts, architecture)[:4] == b"\x7fELF"


def test_the_compiler_does_refuse() -> None:
    with pytest.raises(Exception, match="undefined"):
        nvrtc.compiled(["__global__ void f(float* x) { x[0] = nothing; }"], "sm_80")


def test_arrays_elsewhere_go_through_kernels_and_numpys_do_not(emulated: Any,
                                                               monkeypatch: Any) -> None:
    values = np.random.default_rng(0).normal(size=(4, 5)).astype("f")
    g = np.random.default_rng(1).normal(size=(4, 5)).astype("f")

    def run(device: str) -> list[Any]:
        x = torch.tensor(values, device=device).requires_grad_()
        y = torch.tanh(x) * x
        y.backward(torch.tensor(g, device=device))
        return [t.detach().cpu().numpy() for t in (y, x.grad)]

    with gpu(emulated):
        there = run("cuda")
    assert emulated.launches == 5  # two forwards; two rules of the product, one of tanh
    monkeypatch.setattr(cells, "cell", None)
    for a, b in zip(there, run("cpu")):
        np.testing.assert_allclose(a, b, rtol=1e-6)  # tanh is libm's
