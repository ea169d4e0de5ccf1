"""What every scheduler shares: the count of epochs, and who may set the rates when.

A schedule is one method, ``get_lr``: the rates of all groups at ``self.last_epoch``. Making a
scheduler already takes its first step, to epoch 0. Every attribute but the optimizer is state.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minitorch.guests import adopt
from minitorch.optim.optimizer import Optimizer
from minitorch.tensor import Tensor

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available. Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose.")
_SEE = ("See more details at "
        "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate")


class LRScheduler:
    """Base of all schedulers: a subclass gives ``get_lr``, the rates at epoch ``last_epoch``.

    ``step()`` goes one epoch on and writes the rates into the optimizer's groups; call it after
    the optimizer's own ``step()``. With ``last_epoch=-1`` the groups' present rates become their
    ``"initial_lr"``, and ``base_lrs``. To go on with a schedule, load its ``state_dict()``, or
    give the epoch last seen, where the groups have an ``"initial_lr"`` already.

    Raises TypeError if ``optimizer`` is none, and KeyError if a group lacks ``"initial_lr"``.

    >>> import minitorch as torch
    >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / 2**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    >>> scheduler = Halving(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    _get_lr_called_within_step = False
    _is_initial = False  # during the step that the constructor takes

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        require_optimizer(optimizer)
        self.optimizer = optimizer
        if last_epoch != -1:
            for i, group in enumerate(optimizer.param_groups):
                if "initial_lr" not in group:
                    raise KeyError(
                        f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                        "scheduler with last_epoch >= 0.\nThis typically happens when:\n"
                        "1. You're trying to resume training from a checkpoint but haven't "
                        "properly loaded the optimizer state\n"
                        "2. You're using last_epoch >= 0 for a fresh training run (not "
                        "recommended)")
        for group, lr in zip(optimizer.param_groups, values(optimizer, "lr")):
            group.setdefault("initial_lr", lr)
        self.base_lrs = values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        with marked(self, "_is_initial"):
            self.step()

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch and set its rates; call it after ``optimizer.step()``.

        ``epoch``, deprecated: go there instead, by the schedule's closed form if it has one.
        """
        if self._step_count == 1:
            _warn_unless_stepped(self.optimizer)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        with marked(self, "_get_lr_called_within_step"):
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
            rates = (closed or self.get_lr)()
        self._write(rates)

    def _write(self, rates: list[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            put(group, "lr", lr)
        self._last_lr = values(self.optimizer, "lr")

    def get_lr(self) -> list[Any]:
        """The rate of each group at epoch ``last_epoch``, given their rates before; for `step`."""
        raise NotImplementedError

    def get_last_lr(self) -> list[Any]:
        """The rates that the last step has set, one per group."""
        return self._last_lr

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn("To get the last learning rate computed by the scheduler, please use "
                          "`get_last_lr()`.", UserWarning, stacklevel=3)

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer, in PyTorch's layout."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state of this engine or of PyTorch."""
        self.__dict__.update({name: adopt(value) for name, value in state_dict.items()})


class _LRScheduler(LRScheduler):
    """The name that `LRScheduler` had before PyTorch 2."""


@contextmanager
def marked(scheduler: LRScheduler, flag: str) -> Iterator[None]:
    setattr(scheduler, flag, True)
    try:
        yield
    finally:
        setattr(scheduler, flag, False)


# -- has the optimizer stepped? ------------------------------------------------------------------

def _watch(optimizer: Any) -> None:
    """Start to look whether ``optimizer`` steps; its class sets ``_opt_called`` when it does."""
    if not hasattr(optimizer, "_watched_step"):
        optimizer._opt_called = False
    optimizer._watched_step = optimizer.__dict__.get("step")


def _warn_unless_stepped(optimizer: Any) -> None:
    """Warn, in the name of who calls the scheduler, at its first step."""
    if optimizer.__dict__.get("step") is not getattr(optimizer, "_watched_step", None):
        warnings.warn("Seems like `optimizer.step()` has been overridden after learning rate "
                      "scheduler initialization. Please, make sure to call `optimizer.step()` "
                      "before `lr_scheduler.step()`. " + _SEE, UserWarning, stacklevel=3)
    elif not optimizer._opt_called:
        warnings.warn("Detected call of `lr_scheduler.step()` before `optimizer.step()`. In "
                      "PyTorch 1.1.0 and later, you should call them in the opposite order: "
                      "`optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will "
                      "result in PyTorch skipping the first value of the learning rate schedule. "
                      + _SEE, UserWarning, stacklevel=3)


# -- hyper-parameters of the groups, some of which may be tensors --------------------------------

def require_optimizer(optimizer: Any) -> None:
    """Raise TypeError unless it is an Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def values(optimizer: Optimizer, name: str) -> list[Any]:
    """The option ``name`` of each group; of a tensor, a copy."""
    return list(map(_copy, [group[name] for group in optimizer.param_groups]))


def put(group: dict[str, Any], name: str, value: Any) -> None:
    """Set an option of a group; a tensor keeps its place and takes the value."""
    if isinstance(group[name], Tensor):
        flat = isinstance(value, Tensor) and value.array.ndim > 0
        group[name].fill_(value.squeeze() if flat else value)
    else:
        group[name] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A list or tuple of one value per group, or one value for all; raises ValueError."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    elif len(value) != groups:
        raise ValueError(f"{name} must have the same length as optimizer.param_groups. {name} has "
                         f"{len(value)} values, param_groups has {groups}.")
    return list(map(_copy, value))


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


# -- functions, of which only objects with attributes can be saved -------------------------------

def saved(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """The attributes of a callable object; None for a plain function."""
    if function is None or isinstance(function, types.FunctionType):
        return None
    return function.__dict__.copy()


def restore(function: Any, attributes: dict[str, Any] | None) -> None:
    """Give a callable object back the attributes that `saved` has read."""
    if attributes is not None:
        function.__dict__.update(attributes)
