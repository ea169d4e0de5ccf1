"""Wrong formulas: the source of a function with one place changed, put in the function's place."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from minitorch.optim.elementwise import Elementwise

SWAPS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
# The contrary, and what differs where both sides are equal.
FLIPS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.GtE, ast.LtE), ast.LtE: (ast.Gt, ast.Lt), ast.Gt: (ast.LtE, ast.GtE),
    ast.GtE: (ast.Lt, ast.Gt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,)}
CONTRARY = {"maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max"}
DROPPED = ("sqrt", "abs", "sign")
UNTOUCHED = ("annotation", "returns", "decorator_list")


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def swapped(things: list[Any], i: int, j: int) -> list[Any]:
    things = list(things)
    things[i], things[j] = things[j], things[i]
    return things


def operations(node: ast.AST) -> Iterator[ast.AST]:
    """Other operations, or one operand alone."""
    match node:
        case ast.BinOp(left, op, right):
            if type(op) in SWAPS:
                yield ast.BinOp(left, SWAPS[type(op)](), right)
            yield from (left, right)
        case ast.AugAssign(target, op, value):
            if type(op) in SWAPS:
                yield ast.AugAssign(target, SWAPS[type(op)](), value)
            yield ast.Assign([target], value)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.Compare(left, ops, comparators):
            for i, op in enumerate(ops):
                for flip in FLIPS[type(op)]:
                    yield ast.Compare(left, [*ops[:i], flip(), *ops[i + 1:]], comparators)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            for i in range(len(values)):
                rest = [*values[:i], *values[i + 1:]]
                yield ast.BoolOp(op, rest) if len(rest) > 1 else rest[0]


def conditions(node: ast.AST) -> Iterator[ast.AST]:
    """The other branch."""
    match node:
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.If(test, body, orelse) if not isinstance(test, ast.Compare):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)


def values(node: ast.AST, is_index: bool) -> Iterator[ast.AST]:
    """Other numbers: a hundredth more, or the next index."""
    match node:
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)) if is_index:
            yield ast.Constant(value + 1)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value * 1.01 if value else 0.01)
        case ast.Name(id, ast.Load()) if id.isupper():  # a constant of the module
            yield ast.BinOp(node, ast.Mult(), ast.Constant(1.01))


def names(node: ast.AST) -> Iterator[ast.AST]:
    """Another function, one argument alone, or two named values in each other's place."""
    match node:
        case ast.Call(func, args, keywords):
            name = called(node)
            if name in CONTRARY:
                other = (ast.Attribute(func.value, CONTRARY[name], ast.Load())
                         if isinstance(func, ast.Attribute)
                         else ast.Name(CONTRARY[name], ast.Load()))
                yield ast.Call(other, args, keywords)
            if name in DROPPED or (name in CONTRARY and len(args) == 2):
                yield from args
            if name == "where":
                yield ast.Call(func, swapped(args, 1, 2), keywords)
            if name in ("dict", "update"):
                for i in range(1, len(keywords)):
                    pair = keywords[i - 1:i + 1]
                    new = [ast.keyword(a.arg, b.value) for a, b in zip(pair, reversed(pair))]
                    yield ast.Call(func, args, [*keywords[:i - 1], *new, *keywords[i + 1:]])
        case ast.Dict(keys, entries):
            for i in range(1, len(keys)):
                if keys[i - 1] and keys[i]:
                    yield ast.Dict(keys, swapped(entries, i - 1, i))
        case ast.Tuple(elements, ast.Store()):
            for i in range(1, len(elements)):
                yield ast.Tuple(swapped(elements, i - 1, i), ast.Store())


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """No statement at all."""
    match node:
        case ast.Expr(ast.Constant()):  # a docstring
            return
        case (ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Delete() | ast.Break()
              | ast.Continue()):
            yield ast.Pass()


def is_check(node: ast.AST) -> bool:
    """Whether it only looks whether arguments are right, or notes that memory was written."""
    match node:
        case ast.If(body=[ast.Raise()]) | ast.keyword("strict") | ast.arguments():
            return True
        case ast.Expr(ast.Call(ast.Name("wrote"))):
            return True
    return False


def one_line(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())


@dataclass
class Place:
    """A part of ``node``, or the ``i``-th of its parts of that name, and what to put there."""

    node: ast.AST
    field: str
    i: int | None
    new: ast.AST

    @property
    def old(self) -> Any:
        held = getattr(self.node, self.field)
        return held if self.i is None else held[self.i]

    def put(self, part: ast.AST) -> None:
        if self.i is None:
            setattr(self.node, self.field, part)
        else:
            getattr(self.node, self.field)[self.i] = part

    def text(self) -> str:
        """Old and new, of a number with what it stands in."""
        old = self.old
        if not isinstance(self.node, ast.expr) or not isinstance(old, (ast.Constant, ast.Name)):
            return f"{one_line(old)}  ->  {one_line(self.new)}"
        before = one_line(self.node)
        self.put(self.new)
        after = one_line(self.node)
        self.put(old)
        return f"{before}  ->  {after}"


def places(node: ast.AST) -> Iterator[Place]:
    """Every change of one place below ``node``, always in the same order."""
    for field, value in ast.iter_fields(node):
        if field in UNTOUCHED:
            continue
        held = value if isinstance(value, list) else [value]
        for i, child in enumerate(held):
            if not isinstance(child, ast.AST) or is_check(child):
                continue
            is_index = isinstance(node, ast.Subscript) and field == "slice"
            different = {ast.dump(new): new for new in (
                *operations(child), *conditions(child), *values(child, is_index), *names(child),
                *statements(child))}
            different.pop(ast.dump(child), None)
            for new in different.values():
                ast.fix_missing_locations(ast.copy_location(new, child))
                yield Place(node, field, i if held is value else None, new)
            yield from places(child)


def within(tree: ast.AST, qualname: str) -> ast.AST:
    """The definition of that name."""
    for name in qualname.split("."):
        tree = next(n for n in tree.body if getattr(n, "name", "") == name)
    return tree


def compiled(tree: ast.Module, qualname: str) -> CodeType:
    """The code of one function of a module."""
    codes = [compile(ast.fix_missing_locations(tree), "<mutant>", "exec")]
    for code in codes:
        if code.co_qualname == qualname:
            return code
        codes += [c for c in code.co_consts if isinstance(c, CodeType)]
    raise LookupError(qualname)


def parsed(function: FunctionType) -> tuple[ast.Module, Any]:
    """The module of a function, and in it the definition of the function."""
    tree = ast.parse(inspect.getsource(sys.modules[function.__module__]))
    return tree, within(tree, function.__qualname__)


class Bounded(ast.NodeTransformer):
    """Makes ``while`` loops give up: a mutant may never come to an end."""

    def visit_While(self, node: ast.While) -> ast.For:
        self.generic_visit(node)
        assert not node.orelse
        end = ast.If(ast.UnaryOp(ast.Not(), node.test), [ast.Break()], [])
        return ast.For(ast.Name("_", ast.Store()), ast.parse("range(1000)", mode="eval").body,
                       [end, *node.body], ast.parse("raise RecursionError('endless')").body)


class Mutant:
    """One function, changed in its ``i``-th way for the time of a ``with`` block.

    Without ``i`` it is compiled anew as it is.
    """

    def __init__(self, function: FunctionType, i: int | None = None, text: str = "") -> None:
        self.function, self.i, self.text = function, i, text
        self.right, self.code = function.__code__, None

    def __str__(self) -> str:
        return f"{self.function.__qualname__}: {self.text}"

    def spoilt(self) -> CodeType:
        tree, definition = parsed(self.function)
        if self.i is not None:
            place = list(places(definition))[self.i]
            place.put(place.new)
        if self.right.co_freevars:  # super() has a variable of its own, also where it is dropped
            definition.body.append(ast.Expr(ast.Name("__class__", ast.Load())))
        Bounded().visit(definition)
        return compiled(tree, self.function.__qualname__)

    def __enter__(self) -> None:
        self.code = self.code or self.spoilt()
        self.put(self.code)

    def __exit__(self, *error: object) -> None:
        self.put(self.right)

    def put(self, code: CodeType) -> None:
        self.function.__code__ = code
        for cls in Elementwise.__subclasses__():
            cls.programs.clear()  # spelled from the other code


def mutants(function: FunctionType) -> list[Mutant]:
    """All of one function."""
    return [Mutant(function, i, place.text())
            for i, place in enumerate(places(parsed(function)[1]))]
