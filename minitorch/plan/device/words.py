"""What a GPU computes of a recorded step, and how it is spelled in CUDA C.

A statement computes each element of a result, or folds elements into one (a sum, a maximum), from
arrays that are read at fixed steps or at places that other arrays name.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.plan.notes import Note

Array = Any
BOOL = np.dtype(np.bool_)
TYPES = {np.dtype(k): c for k, c in {
    np.float32: "float", np.float64: "double", np.int64: "long long", np.int32: "int",
    np.int16: "short", np.int8: "signed char", np.uint8: "unsigned char", np.bool_: "bool"}.items()}
# ``{f}`` is "f" where numbers are float32; helpers such as ``larger`` stand in ``text``.
SPELLING: dict[Any, str] = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.true_divide: "{} / {}",
    np.negative: "-{}", np.positive: "{}", np.square: "{0} * {0}", np.reciprocal: "1 / {}",
    np.maximum: "larger({}, {})", np.minimum: "smaller({}, {})", np.absolute: "magnitude({})",
    np.equal: "{} == {}", np.not_equal: "{} != {}", np.greater: "{} > {}",
    np.greater_equal: "{} >= {}", np.less: "{} < {}", np.less_equal: "{} <= {}",
    np.copyto: "{}", np.where: "{} ? {} : {}", np.isnan: "{0} != {0}",
    np.logical_not: "!{}", np.logical_and: "{} && {}", np.logical_or: "{} || {}"}
SPELLING |= {getattr(np, name): f"{c}{{f}}({', '.join(['{}'] * n)})" for name, c, n in (
    ("sqrt", "sqrt", 1), ("exp", "exp", 1), ("log", "log", 1), ("tanh", "tanh", 1),
    ("exp2", "exp2", 1), ("expm1", "expm1", 1), ("log1p", "log1p", 1), ("log2", "log2", 1),
    ("log10", "log10", 1), ("sin", "sin", 1), ("cos", "cos", 1), ("tan", "tan", 1),
    ("arctan", "atan", 1), ("sinh", "sinh", 1), ("cosh", "cosh", 1), ("floor", "floor", 1),
    ("ceil", "ceil", 1), ("rint", "rint", 1), ("trunc", "trunc", 1), ("power", "pow", 2),
    ("arctan2", "atan2", 2), ("copysign", "copysign", 2), ("fmod", "fmod", 2),
    ("hypot", "hypot", 2))}
FLOATING = {f for f, text in SPELLING.items() if "{f}" in text} | {np.reciprocal}
LOGICAL = {np.logical_not: 1, np.logical_and: 2, np.logical_or: 2}
BITS = {np.invert: np.logical_not, np.bitwise_and: np.logical_and, np.bitwise_or: np.logical_or}
# How elements are folded into one, and from where that begins.
FOLDS: dict[Any, tuple[str, str]] = {
    np.add: ("{} + {}", "0"), np.multiply: ("{} * {}", "1"),
    np.maximum: ("larger({}, {})", "-INFINITY"), np.minimum: ("smaller({}, {})", "INFINITY")}


class Untranslated(RuntimeError):
    """A call of the step that has no translation."""


@dataclass(eq=False)
class Operand:
    """An array over a statement's axes: its step along each, in elements, 0 where it stays.

    ``jumps``: further steps, each as many as another argument's number says: which argument, the
    step, and how long the axis is.
    """

    array: Array
    steps: tuple[int, ...]
    jumps: tuple[tuple[int, int, int], ...] = ()

    @property
    def span(self) -> int:
        """How far its jumps reach."""
        return sum(abs(step) * (n - 1) for _, step, n in self.jumps)


@dataclass(eq=False)
class Statement:
    """``out = text(args)`` for each element of ``space``; with a ``fold``, all of ``axis`` in one.

    ``kinds``: the dtypes that the arguments are converted to. ``axis`` counts from the end of the
    space; None folds everything.
    """

    note: Note
    space: tuple[int, ...]
    text: str
    args: list[Any]  # operands, or numbers
    kinds: list[Any]
    out: Operand
    fold: Any = None
    axis: int | None = None
    adds: bool = False  # to what is there
    scatters: bool = False  # to places that other arrays name
    draw: tuple[int, float] | None = None  # its first number in the random stream; probability

    @property
    def operands(self) -> list[Operand]:
        return [a for a in self.args if isinstance(a, Operand)]


@dataclass(eq=False)
class Product:
    """``out = a @ b``, matrices all."""

    note: Note
    a: Array
    b: Array
    out: Array


@dataclass(eq=False)
class Known:
    """What is known of a step: the owners (by id) of arrays that are the same in every run, and
    how many random numbers it has drawn so far.
    """

    constants: Container[int]
    drawn: int = 0
