"""Schedules that a function of the epoch gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.optim.lr_scheduler.base import LRScheduler, restore, saved, values
from minitorch.optim.optimizer import Optimizer


class _OfFunctions(LRScheduler):
    """One function of the epoch for all groups, or a list of one per group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            lr_lambda = [lr_lambda] * groups
        elif len(lr_lambda) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(lr_lambda)}")
        for function in lr_lambda:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got "
                                f"{type(function).__name__}")
        self.lr_lambdas: list[Callable[[int], float]] = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """All attributes; of the functions, only the attributes of callable objects."""
        return {**super().state_dict(), "lr_lambdas": list(map(saved, self.lr_lambdas))}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state; functions stay, callable objects take their attributes from it."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for i, attributes in enumerate(state_dict["lr_lambdas"]):
            restore(self.lr_lambdas[i], attributes)


class LambdaLR(_OfFunctions):
    """The initial rate times a function of the epoch.

    ``lr[t] = base_lr * lr_lambda(t)``. ``lr_lambda``: one function for all groups or a list of
    one per group. Raises ValueError for a list of another length, TypeError for what cannot be
    called.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t + 1))
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        return [base_lr * function(self.last_epoch)
                for function, base_lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_OfFunctions):
    """The rate before, times a function of the epoch.

    ``lr[t] = lr[t-1] * lr_lambda(t)``. ``lr_lambda`` is, and raises, as in `LambdaLR`.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        if self._is_initial:
            return values(self.optimizer, "lr")
        return [group["lr"] * function(self.last_epoch) for function, group in
                zip(self.lr_lambdas, self.optimizer.param_groups, strict=True)]
