"""PyTorch's module records (ModuleInfo) run against minitorch's layers of the same name."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import minitorch
from tests.samples.bridge import Arguments, OutOfScope
from tests.samples.compare import Sample, check_error, same_all
from tests.samples.operators import DTYPES

MODULES = {info.module_cls.__name__: info for info in module_db
           if hasattr(minitorch.nn, info.module_cls.__name__)}


class Call:
    """The arguments of a call in the shape of an operator's sample; they follow its ``input``."""

    input = None

    def __init__(self, given: Any) -> None:
        self.args, self.kwargs = given.args, given.kwargs


def after_input(function: Any) -> Any:
    return lambda _, *args, **kwargs: function(*args, **kwargs)


def built(engine: Any, cls: Any, given: Any, dtype: Any, training: bool) -> Any:
    """A module under one engine, from the same seed in both."""
    arguments = Arguments(engine, grad=False)
    engine.manual_seed(42)
    module = cls(*map(arguments.convert, given.args), **arguments.convert(given.kwargs))
    return module.to(arguments.convert(dtype)).train(training)


class ModuleSample(Sample):
    """One call of one module, whose parameters are leaves too."""

    def __init__(self, given: Any, theirs: Any, ours: Any) -> None:
        super().__init__(Call(given), after_input(theirs), after_input(ours))
        self.modules = theirs, ours

    def both(self, functions: Any = None, grad: bool = True) -> Any:
        found = super().both(functions, grad)
        if not isinstance(found, str):
            for (_, arguments), module in zip(found, self.modules):
                arguments.leaves += list(module.parameters())
        return found


def check_module(info: Any, sample: Any, dtype: Any, training: bool) -> Iterator[str]:
    """The fresh parameters, what the module prints as, its results, gradients and buffers."""
    given = sample.constructor_input
    name = info.module_cls.__name__
    theirs = built(torch, info.module_cls, given, dtype, training)
    ours = built(minitorch, getattr(minitorch.nn, name), given, dtype, training)
    if repr(ours) != repr(theirs):
        yield f"prints as {ours!r} instead of {theirs!r}"
    yield from same_states(ours, theirs, "initial")
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    yield from same_states(ours, theirs, "loaded")
    call = ModuleSample(sample.forward_input, theirs, ours)
    for text in call.check(second=info.supports_gradgrad):
        yield f"{'training' if training else 'eval'} {text}"
    yield from same_states(ours, theirs, "state after the call")


def same_states(ours: Any, theirs: Any, what: str) -> Iterator[str]:
    ours, theirs = ours.state_dict(), theirs.state_dict()
    if list(ours) != list(theirs):
        yield f"{what}: {list(ours)} instead of {list(theirs)}"
    else:
        yield from same_all(list(ours.values()), list(theirs.values()), what)


def module_differences(info: Any, limit: int | None = None) -> Iterator[tuple[Any, str]]:
    """What differs over all samples of a record, in both modes and all dtypes."""
    for dtype in (d for d in info.dtypes if d in DTYPES):
        for training in (True, False) if info.train_and_eval_differ else (True,):
            options = {"device": "cpu", "dtype": dtype, "requires_grad": True,
                       "training": training}
            checks = [(check_module, s) for s in info.module_inputs_func(info, **options)[:limit]]
            if dtype == torch.float64 and info.module_error_inputs_func:
                checks += [(check_module_error, e)
                           for e in info.module_error_inputs_func(info, **options)]
            for check, sample in checks:
                with warnings.catch_warnings(), contextlib.suppress(OutOfScope):
                    warnings.simplefilter("ignore")
                    for text in check(info, sample, dtype, training):
                        yield sample, text


def check_module_error(info: Any, error: Any, dtype: Any, training: bool) -> Iterator[str]:
    given = error.module_error_input.constructor_input
    ours = getattr(minitorch.nn, info.module_cls.__name__)
    if error.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
        yield from check_error(Call(given), after_input(info.module_cls), after_input(ours))
    else:
        theirs = built(torch, info.module_cls, given, dtype, training)
        yield from check_error(Call(error.module_error_input.forward_input), after_input(theirs),
                               after_input(built(minitorch, ours, given, dtype, training)))
