"""Schedules that multiply the rate by a number at each epoch, the same for all groups.

Each is written twice, as in PyTorch. ``_ratio(t)`` is ``lr[t] / lr[t-1]``: steps multiply the
group's present rate by it, so that several schedules on one optimizer multiply each other, and a
change by hand lasts. ``_factor(t)`` is ``lr[t] / base_lr``, the closed form of the same schedule
alone: a jump to a given epoch takes it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

from minitorch.optim.lr_scheduler.base import LRScheduler
from minitorch.optim.optimizer import Optimizer


class _Multiplying(LRScheduler):

    def _ratio(self, t: int) -> float:
        """``lr[t] / lr[t-1]``; where nothing changes the int 1, which keeps the rate's type."""
        raise NotImplementedError

    def _factor(self, t: int) -> float:
        """``lr[t] / base_lr``."""
        raise NotImplementedError

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        ratio = self._ratio(self.last_epoch)
        return [group["lr"] * ratio for group in self.optimizer.param_groups]

    def _get_closed_form_lr(self) -> list[Any]:
        factor = self._factor(self.last_epoch)
        return [base_lr * factor for base_lr in self.base_lrs]


class StepLR(_Multiplying):
    """The rate times ``gamma`` every ``step_size`` epochs.

    ``lr[t] = base_lr * gamma ** (t // step_size)``.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     print(*scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    1.0
    1.0
    0.5
    0.5
    0.25
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1,
                 last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, t: int) -> float:
        return self.gamma if t and t % self.step_size == 0 else 1

    def _factor(self, t: int) -> float:
        return self.gamma ** (t // self.step_size)


class MultiStepLR(_Multiplying):
    """The rate times ``gamma`` at each of the epochs ``milestones``.

    ``lr[t] = base_lr * gamma ** (number of milestones up to t)``; one that is given twice counts
    twice.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> for _ in range(4):
    ...     print(*scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    1.0
    0.5
    0.5
    0.25
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1,
                 last_epoch: int = -1) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, t: int) -> float:
        return self.gamma ** self.milestones[t] if t in self.milestones else 1

    def _factor(self, t: int) -> float:
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), t)


class ConstantLR(_Multiplying):
    """The rate times ``factor`` for the first ``total_iters`` epochs.

    ``lr[t] = base_lr * factor`` for ``t < total_iters``, then ``base_lr``. Raises ValueError
    unless ``0 <= factor <= 1``.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> for _ in range(3):
    ...     print(*scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    0.5
    0.5
    1.0
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5,
                 last_epoch: int = -1) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _ratio(self, t: int) -> float:
        if t == 0:
            return self.factor
        return 1.0 / self.factor if t == self.total_iters else 1

    def _factor(self, t: int) -> float:
        return self.factor if t < self.total_iters else 1.0


class LinearLR(_Multiplying):
    """The rate times a factor that goes from ``start_factor`` to ``end_factor`` along a line.

    ``lr[t] = base_lr * (start_factor + (end_factor - start_factor) * t / total_iters)`` up to
    ``t = total_iters``, and constant from there. Raises ValueError unless ``0 < start_factor <=
    1`` and ``0 <= end_factor <= 1``.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> for _ in range(4):
    ...     print(*scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    0.5
    0.75
    1.0
    1.0
    """

    def __init__(self, optimizer: Optimizer, start_factor: float = 1.0 / 3,
                 end_factor: float = 1.0, total_iters: int = 5, last_epoch: int = -1) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and "
                             "less or equal to 1.")
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _ratio(self, t: int) -> float:
        if t == 0:
            return self.start_factor
        if self._is_initial or t > self.total_iters:
            return 1
        return self._factor(t) / self._factor(t - 1)

    def _factor(self, t: int) -> float:
        part = min(t, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * part


class ExponentialLR(_Multiplying):
    """The rate times ``gamma`` at each epoch.

    ``lr[t] = base_lr * gamma ** t``.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _ratio(self, t: int) -> float:
        return 1 if self._is_initial else self.gamma

    def _factor(self, t: int) -> float:
        return self.gamma ** t


class PolynomialLR(_Multiplying):
    """The rate falls to 0 over ``total_iters`` epochs, as a power of what is left of them.

    ``lr[t] = base_lr * (1 - t / total_iters) ** power`` up to ``t = total_iters``, then 0.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=2, power=2)
    >>> for _ in range(3):
    ...     print(*scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    1.0
    0.25
    0.0
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0,
                 last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _ratio(self, t: int) -> float:
        if self._is_initial or t > self.total_iters:
            return 1
        left = self.total_iters - t
        return (left / (left + 1)) ** self.power

    def _factor(self, t: int) -> float:
        return (1.0 - min(t, self.total_iters) / self.total_iters) ** self.power
