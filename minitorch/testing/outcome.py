"""What one engine makes of a program: results, gradients, what it wrote, or its error.

Everything is put into terms that PyTorch and minitorch share, so that two outcomes can be compared
(``oracle``). Neither engine is imported here beyond minitorch: the engine is an argument.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

Program = str | Callable[..., Any]


class Given:
    """An array that becomes a tensor: laid out in memory "plain", "transposed" or "sliced" (every
    second element of a wider one), with a gradient or without."""

    def __init__(self, array: Any, layout: str = "plain", grad: bool = False) -> None:
        self.array, self.layout, self.grad = np.asarray(array), layout, grad

    def tensor(self, engine: Any) -> tuple[Any, Any]:
        """A leaf, and what the program sees: laid out as asked, and with a gradient no leaf, so
        that it may be written to."""
        array, layout = self.array, self.layout if self.array.ndim else "plain"
        if layout == "transposed":
            array = array.T
        elif layout == "sliced":
            wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
            wide[..., ::2] = array
            array = wide
        leaf = engine.from_numpy(np.ascontiguousarray(array).reshape(array.shape).copy())
        x = leaf.requires_grad_().clone() if self.grad else leaf
        if layout == "transposed":
            x = x.permute(*range(x.ndim)[::-1])
        elif layout == "sliced":
            x = x[..., ::2]
        return leaf, x

    def __repr__(self) -> str:
        if self.array.size > 64:
            array = f"<{self.array.dtype} array of shape {self.array.shape}>"
        else:
            numbers = re.sub(r"\b(nan|inf)\b", r"np.\1", repr(self.array.tolist()))
            array = f"np.array({numbers}, '{self.array.dtype}')"
            if not self.array.size:
                array += f".reshape{self.array.shape}"
        layout = f", {self.layout!r}" if self.layout != "plain" else ""
        return f"Given({array}{layout}{', grad=True' if self.grad else ''})"


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor of either engine."""
    return any(base.__name__ == "Tensor" and base.__module__.split(".")[0] in (
        "torch", "minitorch") for base in type(value).__mro__)


def given(value: Any, grad: bool) -> Any:
    """An argument as it will be given to each engine: arrays and tensors become ``Given``."""
    if isinstance(value, np.ndarray):
        return Given(value, grad=grad and value.dtype.kind == "f")
    if is_tensor(value):
        return Given(np.array(value.detach().cpu().numpy()), grad=bool(value.requires_grad))
    if type(value) in (tuple, list):
        return type(value)(given(v, grad) for v in value)
    if hasattr(value, "named_parameters"):
        raise TypeError(f"{type(value).__name__} is a module of one engine: build it inside the "
                        f"program, from the engine that is its first argument")
    return value


@dataclass(frozen=True)
class Numbers:
    """A tensor, in terms that both engines share."""

    dtype: str
    requires_grad: bool
    array: Any

    def __repr__(self) -> str:
        return f"{self.array!r}{' (requires grad)' if self.requires_grad else ''}"


def plain(value: Any) -> Any:
    """A value in terms that both engines share."""
    if is_tensor(value):
        dense = value.detach().to_dense() if value.is_sparse else value.detach()
        return Numbers(str(value.dtype), value.requires_grad, np.array(dense.cpu().numpy()))
    kind = type(value).__name__
    if type(value).__module__.split(".")[0] in ("torch", "minitorch") and kind in (
            "dtype", "device"):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return (kind, *[plain(v) for v in value])
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def flat(value: Any) -> list[Any]:
    """The tensors in a result."""
    if is_tensor(value):
        return [value]
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in flat(v)]
    return [t for v in value.values() for t in flat(v)] if isinstance(value, dict) else []


@cache
def compiled(text: str) -> tuple[Any, Any]:
    """The statements before the last ``;``, and the expression after it."""
    statements, _, last = text.rpartition(";")
    return (compile("\n".join(map(str.strip, statements.split(";"))), text, "exec"),
            compile(last.strip(), text, "eval"))


class Outcome:
    """What one engine made of a program: a function ``f(torch, *args, **kwargs)``, or a text in
    which ``torch``, ``np`` and the names in ``kwargs`` are known."""

    def __init__(self, engine: Any, program: Program, args: tuple[Any, ...] = (),
                 kwargs: dict[str, Any] | None = None, seed: int = 0) -> None:
        self.error: BaseException | None = None
        self.result: Any = None
        self.gradients: dict[str, Any] | BaseException = {}
        self.kinds: set[str] = set()  # dtypes of what the gradients come through
        self.leaves: dict[str, Any] = {}
        self.seen: dict[str, Any] = {}
        ready = [self.made(engine, f"argument {i}", a) for i, a in enumerate(args)]
        named = {k: self.made(engine, k, v) for k, v in (kwargs or {}).items()}
        self.before = {name: plain(x) for name, x in self.seen.items()}
        if isinstance(program, str):
            statements, last = compiled(program)  # a misspelt program is no agreement
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with engine.random.fork_rng():
                engine.manual_seed(seed)
                try:
                    if isinstance(program, str):
                        names = {"torch": engine, "np": np, **named}
                        exec(statements, names)
                        result = eval(last, names)
                    else:
                        result = program(engine, *ready, **named)
                except Exception as error:
                    self.error = error
            self.after = {name: plain(x) for name, x in self.seen.items()}
            self.versions = {name: x._version for name, x in self.seen.items()}
            if self.error is None:
                self.result = plain(result)
                self.differentiate(engine, [*flat(result), *self.seen.values()])

    def made(self, engine: Any, name: str, value: Any) -> Any:
        """An argument of this engine."""
        if isinstance(value, Given):
            self.leaves[name], self.seen[name] = value.tensor(engine)
            return self.seen[name]
        if type(value) in (tuple, list):
            return type(value)(self.made(engine, f"{name}[{i}]", v) for i, v in enumerate(value))
        return value

    def differentiate(self, engine: Any, results: list[Any]) -> None:
        """The gradients of all results that have one, for random cotangents, by the arguments and
        by leaves among the results."""
        outs = [t for t in results if t.requires_grad]
        leaves = {k: t for k, t in self.leaves.items() if t.requires_grad}
        made = [t for t in outs if t.is_leaf and not any(t is x for x in leaves.values())]
        leaves |= {f"the leaf in result {i}": t for i, t in enumerate(made)}
        self.kinds = {str(t.dtype) for t in results}
        if not outs or not leaves:
            return
        random = np.random.default_rng(0)
        gs = [engine.from_numpy(np.asarray(random.normal(size=tuple(t.shape)),
                                           t.detach().numpy().dtype)) for t in outs]
        try:
            found = engine.autograd.grad(outs, list(leaves.values()), gs, allow_unused=True)
            self.gradients = dict(zip(leaves, map(plain, found)))
        except RuntimeError as error:
            self.gradients = error
