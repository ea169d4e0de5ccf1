"""The mutation score: how many wrong gradients a check catches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitorch.testing.changes import MUTATIONS, UNBROADCAST
from minitorch.testing.mutations import first_only, mutate
from minitorch.testing.rules import mutants


@dataclass
class MutationScore:
    """The wrong gradients by name: caught, survivors, and those that were the right ones."""

    caught: list[str] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The part that was caught; nan if none was wrong."""
        total = len(self.caught) + len(self.survivors)
        return len(self.caught) / total if total else float("nan")

    def __str__(self) -> str:
        total = len(self.caught) + len(self.survivors)
        lines = [f"mutation score {self.score:.3g}: {len(self.caught)} of {total} wrong gradients "
                 f"caught"]
        lines += [f"SURVIVED  {name}" for name in self.survivors]
        if self.unchanged:
            lines.append(f"{len(self.unchanged)} changed nothing: {'; '.join(self.unchanged)}")
        return "\n".join(lines)


class Watched:
    """A change that notes whether it was made, and whether it made a difference."""

    def __init__(self, change: Callable[..., Any]) -> None:
        self.change = change
        self.reached = self.changed = False

    def __call__(self, g: Any, *shape: Any) -> Any:
        self.reached = True
        wrong = self.change(g, *shape)
        self.changed = self.changed or not np.array_equal(g, wrong, equal_nan=True)
        return wrong


def mutation_score(check: Callable[..., Any], *subjects: Any, inputs: Sequence[int] = (0,),
                   mutations: Sequence[str] | None = None) -> MutationScore:
    """How many wrong gradients of the subjects ``check`` refuses, by raising or a false result.

    A subject is a function of tensors or a NumPy pair, and ``check(f)`` is called with its wrong
    versions, one for each of ``inputs`` and each mutation; or it is the name of an operator of
    minitorch, and ``check()`` is called with each wrong rule in place, like a test of a suite.
    ``mutations``: the names to try, all if not given. A mutation that changed no number of any
    gradient in the check is not counted; one whose rule the check never asks for survives.

    Raises ValueError if the check refuses the right gradient.

    >>> import numpy as np
    >>> from minitorch.testing import check_grad, mutation_score
    >>> square = (np.square, lambda v, x: 2 * x * v)
    >>> x = np.array([0.5, 1.0, 2.0])
    >>> print(mutation_score(lambda f: check_grad(f, x), square))
    mutation score 1: 7 of 7 wrong gradients caught
    2 changed nothing: input 0: transposed; input 0: un-broadcast dropped
    >>> def by_eye(f):  # one entry, roughly
    ...     return abs(f[1](np.ones(3), x)[0][0] - 1.0) < 0.05
    >>> print(mutation_score(by_eye, (np.square, lambda v, x: (2 * x * v,)),
    ...                      mutations=["zero", "x1.01", "one entry dropped"]))
    mutation score 0.333: 1 of 3 wrong gradients caught
    SURVIVED  input 0: x1.01
    SURVIVED  input 0: one entry dropped
    """
    out = MutationScore()
    for number, subject in enumerate(subjects):
        named = isinstance(subject, str)
        try:
            fine = accepts(check, *([] if named else [subject]))
        except Exception as error:
            raise ValueError(f"the check refuses the right gradient: {error}") from error
        if not fine:
            raise ValueError("the check refuses the right gradient")
        many = f"function {number}, " if len(subjects) > 1 and not named else ""
        for name, f, watched, place in _spoilt(subject, inputs, mutations):
            with place:
                try:
                    refused = not accepts(check, *([] if named else [f]))
                except Exception:  # wrong numbers, or none at all
                    refused = True
            if refused:
                out.caught.append(many + name)
            elif watched.changed or not watched.reached:
                unasked = "" if watched.reached else " (never asked for)"
                out.survivors.append(many + name + unasked)
            else:
                out.unchanged.append(many + name)
    return out


def _spoilt(subject: Any, inputs: Sequence[int], mutations: Sequence[str] | None
            ) -> Iterator[tuple[str, Any, Any, AbstractContextManager[Any]]]:
    """Name, function, what notes the change, and where to be, of each mutant."""
    if isinstance(subject, str):
        for mutant in mutants(subject):
            if mutations is None or mutant.how in mutations:
                yield str(mutant), None, mutant, mutant
        return
    for i in inputs:
        for how in (*MUTATIONS, UNBROADCAST) if mutations is None else mutations:
            watched = Watched(first_only if how == UNBROADCAST else MUTATIONS[how])
            watched.reached = how == UNBROADCAST  # never, where nothing is broadcast
            yield f"input {i}: {how}", mutate(subject, watched, i), watched, nullcontext()


def accepts(check: Callable[..., Any], *args: Any) -> bool:
    """Whether ``check`` lets the gradient pass; exceptions go through, pytest.fail as one."""
    try:
        result = check(*args)
    except Exception:
        raise
    except BaseException as error:
        if type(error).__name__ != "Failed":  # pytest's is no Exception
            raise
        raise AssertionError(str(error)) from error
    return result is None or bool(result)
