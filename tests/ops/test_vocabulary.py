"""The words that forwards and rules are written in exist wherever they are read."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

import minitorch
from minitorch import ops, runtime
from minitorch.backend import numpy_words, vocabulary
from minitorch.cupy_words import respell

SOURCES = sorted((Path(minitorch.__file__).parent / "ops").glob("*.py"))


def words(function: ast.AST) -> set[str]:
    """``word`` for each ``xp.word`` in a function whose first parameter is ``xp``."""
    return {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name) and node.value.id == "xp"}


def called(function: ast.AST) -> set[str]:
    """The names of helpers that a function hands ``xp`` to."""
    return {node.func.id for node in ast.walk(function) if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name) and any(
                isinstance(a, ast.Name) and a.id == "xp" for a in node.args)}


def read(path: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The words of each forward and of each operator's rules in a file, helpers included."""
    tree = ast.parse(path.read_text())
    helpers = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef)
               and not f.decorator_list}

    def spoken(function: ast.AST, seen: frozenset[str] = frozenset()) -> set[str]:
        found = words(function)
        for name in called(function) - seen:
            if name in helpers:
                found |= spoken(helpers[name], seen | {name})
        return found

    forwards, rules = {}, {}
    for f in tree.body:
        if isinstance(f, ast.FunctionDef) and f.decorator_list:
            forwards[f.name] = spoken(f)
            rules[f.name] = set()
            for keyword in f.decorator_list[0].keywords:  # type: ignore[attr-defined]
                if isinstance(keyword.value, ast.Name):
                    if keyword.value.id in helpers:
                        rules[f.name] |= spoken(helpers[keyword.value.id])
                elif isinstance(keyword.value, ast.Lambda):
                    rules[f.name] |= spoken(keyword.value)
    return forwards, rules


READ = {path.stem: read(path) for path in SOURCES}


def test_every_operator_was_read() -> None:
    names = {name.strip("_") for forwards, _ in READ.values() for name in forwards}
    assert names == {op.name for op in ops.registry.values()
                     if op.__module__.startswith("minitorch.ops.")}
    assert READ["activation"][0]["gelu"] == {"tanh", "erf"}
    assert "absolute" in READ["loss"][1]["huber_loss"], "helpers are followed"


@pytest.mark.parametrize("module", READ)
def test_every_word_is_a_word_of_numpy(module: str) -> None:
    forwards, rules = READ[module]
    for name in forwards:
        missing = {w for w in forwards[name] | rules[name] if not hasattr(numpy_words, w)}
        assert not missing, f"{name} uses {missing}, which backend.vocabulary does not give"


@pytest.mark.parametrize("module", READ)
def test_every_word_is_a_word_of_cupy(module: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(runtime, "precision_followers", [])  # there may be no driver to follow
    try:
        cupy = importlib.import_module("cupy")
        xp = vocabulary(cupy)
        respell(xp, cupy)
    except Exception as error:
        pytest.skip(f"CuPy cannot be imported here: {error}")
    forwards, rules = READ[module]
    for name in forwards:
        missing = {w for w in forwards[name] | rules[name] if not hasattr(xp, w)}
        assert not missing, f"{name} uses {missing}, which CuPy lacks"


@pytest.mark.parametrize("module", READ)
def test_every_word_of_a_rule_is_an_operator_on_tensors(module: str) -> None:
    """Else the backward pass could not be recorded, and there would be no second derivative."""
    for name, found in READ[module][1].items():
        missing = {w for w in found if not hasattr(ops, w)}
        assert not missing, f"the rules of {name} use {missing}, which minitorch.ops lacks"
