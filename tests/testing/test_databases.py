"""The databases hold everything, and what they draw is valid for any library of PyTorch's names."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import find, given, settings
from hypothesis import strategies as st

import minitorch
from minitorch import ops
from minitorch.primitive import Primitive
from minitorch.testing import check_grad, module_db, op_db, optim_db
from minitorch.testing.db import Case, Operator

LIBS = pytest.mark.parametrize("lib", [minitorch, torch], ids=["minitorch", "torch"])
FEW = settings(max_examples=3)


# -- what is in them -------------------------------------------------------------------------

def test_every_operator_of_dense_tensors_is_in_the_database() -> None:
    dense = {name for name, op in ops.registry.items()
             if op.__module__.startswith("minitorch.") and not op.__module__.endswith(".sparse")}
    assert {entry.name for entry in op_db} == dense and len(op_db) == len(dense) > 100


def test_every_optimizer_of_dense_gradients_is_in_the_database() -> None:
    classes = {name for name, found in vars(minitorch.optim).items() if inspect.isclass(found)
               and issubclass(found, minitorch.optim.Optimizer)}
    assert classes - {"Optimizer", "LBFGS", "SparseAdam"} == set(map(str, optim_db))


def test_entries_are_found_by_name() -> None:
    assert op_db["add"].name == "add" and "add" in op_db and "plus" not in op_db
    assert "minitorch.testing" in Operator.__module__ and str(op_db["add"]) == "add"
    with pytest.raises(KeyError, match="no entry 'plus', only "):
        op_db["plus"]
    assert repr(optim_db).startswith("<database of SGD, ")


@pytest.mark.parametrize("entry", op_db)
def test_operators_have_one_name_in_both_libraries(entry: Any) -> None:
    name = entry.torch_name(torch)
    assert name == entry.torch_name(minitorch)
    for lib in (torch, minitorch):
        for part in name.split("."):
            lib = getattr(lib, part)
        assert callable(lib)


def test_an_operator_unknown_to_a_library_is_named() -> None:
    def twirl(xp: Any, x: Any) -> Any:
        return x
    with pytest.raises(LookupError, match="torch has no 'twirl'"):
        Operator(Primitive(twirl, {})).torch_name(torch)


def test_differentiable_parameters_have_rules() -> None:
    assert op_db["where"].differentiable == ("x", "y")
    assert op_db["eq"].differentiable == () and op_db["linear"].differentiable == (
        "x", "weight", "bias")


# -- calls of operators ----------------------------------------------------------------------

@pytest.mark.parametrize("entry", op_db)
@FEW
@given(data=st.data())
def test_a_call_is_the_same_in_all_its_forms(entry: Any, data: Any) -> None:
    """As a whole, as a function of its differentiable inputs, and by its arguments' names."""
    case = data.draw(entry.calls())
    assert isinstance(case, Case)
    for lib in (torch, minitorch):
        out, leaves = case.run(lib, needing=case.differentiable)
        inputs = case.inputs(lib)
        again = case.function(lib)(*inputs)
        named = entry.function(lib)(**_converted(lib, case))
        for x, y in zip(leaves, inputs, strict=True):
            assert x.requires_grad and y.requires_grad and x.tolist() == y.tolist()
        for y in (again, named):
            np.testing.assert_array_equal(y.detach().numpy(), out.detach().numpy())


def _converted(lib: Any, case: Case) -> Any:
    def tensors(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(tensors, value))
        if isinstance(value, np.dtype):
            return getattr(lib, value.name)
        return lib.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value
    return {name: tensors(value) for name, value in case.named.items()}


def test_calls_have_values_of_the_kind_asked_for() -> None:
    maximum = op_db["maximum"]

    def ties(case: Any) -> bool:
        return all(isinstance(a, np.ndarray) and a.size for a in case.args) and bool(
            np.equal(*np.broadcast_arrays(*case.args)).any())

    assert ties(find(maximum.calls("ties"), ties))
    assert find(op_db["abs"].calls("edges"), lambda case: bool(np.isnan(case.args[0]).any()))
    assert 0 in find(op_db["abs"].calls(least=0), lambda case: case.args[0].size == 0).args[0].shape

    @given(maximum.calls())
    def no_ties(case: Any) -> None:
        assert not ties(case)

    @given(op_db["log"].calls())
    def in_the_domain(case: Any) -> None:
        assert (case.args[0] > 0).all()

    no_ties()
    in_the_domain()


SMOOTH = ["softmax", "maximum", "matmul", "index", "einsum", "batch_norm", "where", "logsumexp"]


@LIBS
@pytest.mark.parametrize("name", SMOOTH)
@FEW
@given(data=st.data())
def test_smooth_calls_have_a_gradient_to_check(name: str, lib: Any, data: Any) -> None:
    case = data.draw(op_db[name].calls().filter(lambda case: case.differentiable))
    check_grad(case.function(lib), *case.inputs(lib))


def test_calls_whose_gradient_is_no_derivative_say_so() -> None:
    calls = op_db["embedding"].calls()
    for cut in (False, True):
        assert find(calls, lambda case, cut=cut: case.is_cut == cut).is_cut == cut


# -- layers and optimizers -------------------------------------------------------------------

@pytest.mark.parametrize("entry", module_db)
@FEW
@given(data=st.data())
def test_layers_are_built_and_run_alike(entry: Any, data: Any) -> None:
    layer = data.draw(entry.layers())
    assert layer.name == entry.name
    outs = []
    for lib in (minitorch, torch):
        module = layer.build(lib)
        assert type(module) is getattr(lib.nn, entry.name)
        xs = layer.inputs(lib)
        y = module(*xs)
        assert all(x.requires_grad == (not layer.integers) for x in xs)
        assert layer.cotangent(lib, y.shape).shape == y.shape
        outs.append((repr(module), str(y.dtype), tuple(y.shape)))
    assert outs[0] == outs[1] and outs[0][1] in (f"torch.{layer.dtype}", "torch.int64")


@pytest.mark.parametrize("entry", optim_db)
@FEW
@given(data=st.data())
def test_options_are_accepted_and_move_parameters(entry: Any, data: Any) -> None:
    options = data.draw(entry.options())
    for lib in (minitorch, torch):
        run = entry.run(lib, options)
        before = [p.detach().numpy().copy() for p in run.params]
        assert type(run.optimizer) is getattr(lib.optim, entry.name)
        assert all((a != b).any() for a, b in zip(before, run.steps(3), strict=True))


# -- from outside ----------------------------------------------------------------------------

GENERIC = '''
import pytest
import torch
from hypothesis import Phase, given, settings, strategies as st
from minitorch.testing import check_grad, module_db, op_db, optim_db

few = settings(max_examples=5, deadline=None, derandomize=True, phases=[Phase.generate])
MINE = {"relu": lambda x: x * (x > 0), "square": lambda x: x * x.detach() * 2 - (x * x).detach(),
        "sigmoid": lambda x: torch.sigmoid(x.detach()) + x - x.detach()}


@pytest.mark.parametrize("op", [op_db[name] for name in MINE])
@few
@given(data=st.data())
def test_mine_equals_torch(op, data):
    (x,) = data.draw(op.calls("ties")).inputs(torch)
    torch.testing.assert_close(MINE[op.name](x), op.function(torch)(x=x))


@pytest.mark.parametrize("op", [op_db[name] for name in MINE])
@few
@given(data=st.data())
def test_gradient_of_mine(op, data):
    check_grad(MINE[op.name], *data.draw(op.calls()).inputs(torch))


@pytest.mark.parametrize("optimizer", [optim_db["SGD"]])
@few
@given(data=st.data())
def test_optimizer(optimizer, data):
    assert len(optimizer.run(torch, data.draw(optimizer.options())).steps(2)) == 3
'''


def test_the_generic_tests_of_others_run_and_find_the_wrong_gradient(tmp_path: Any) -> None:
    (tmp_path / "test_mine.py").write_text(GENERIC)
    root = os.path.dirname(os.path.dirname(minitorch.__file__))
    out = subprocess.run([sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider",
                          "--tb=line", "test_mine.py"], cwd=tmp_path, text=True,
                         capture_output=True, env={**os.environ, "PYTHONPATH": root}).stdout
    passed = {line.split()[0].partition("::")[2] for line in out.splitlines() if " PASSED" in line}
    failed = {line.split()[0].partition("::")[2] for line in out.splitlines() if " FAILED" in line}
    assert failed == {"test_gradient_of_mine[sigmoid]"}, out
    assert passed == {"test_gradient_of_mine[relu]", "test_gradient_of_mine[square]",
                      "test_optimizer[SGD]", *(f"test_mine_equals_torch[{name}]" for name in (
                          "relu", "square", "sigmoid"))}, out
