"""Schedules along half a cosine: slowly at first, fast in the middle, slowly at the end."""

from __future__ import annotations

import math
from typing import Any

from minitorch.optim.lr_scheduler.base import LRScheduler, marked, values
from minitorch.optim.optimizer import Optimizer


def height(t: float, period: float = 1) -> float:
    """Half a cosine, from 1 at ``t = 0`` to 0 at ``t = period``."""
    return (1 + math.cos(math.pi * t / period)) / 2


class CosineAnnealingLR(LRScheduler):
    """The rate falls to ``eta_min`` over ``T_max`` epochs, then rises again, along a cosine.

    ``lr[t] = eta_min + (base_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2`` (Loshchilov & Hutter
    2017, SGDR, equation 5, without the restarts). As a step multiplies the present ``lr -
    eta_min``, a change by hand lasts, and so does that of another scheduler.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2, eta_min=0.5)
    >>> for _ in range(3):
    ...     print(*scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    1.0
    0.75
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0,
                 last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        groups, t = self.optimizer.param_groups, self.last_epoch
        if self._is_initial:
            return values(self.optimizer, "lr")
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # lr - eta_min was 0: add what it rises
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [group["lr"] + (base_lr - self.eta_min) * rise
                    for base_lr, group in zip(self.base_lrs, groups, strict=True)]
        ratio = height(t, self.T_max) / height(t - 1, self.T_max)
        return [self.eta_min + (group["lr"] - self.eta_min) * ratio for group in groups]

    def _get_closed_form_lr(self) -> list[Any]:
        part = height(self.last_epoch, self.T_max)
        return [self.eta_min + (base_lr - self.eta_min) * part for base_lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """The rate falls to ``eta_min`` along a cosine, again and again from the initial rate.

    ``lr = eta_min + (base_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2`` (Loshchilov & Hutter
    2017, SGDR, equation 5), where ``T_cur`` epochs have passed since the last restart. The first
    restart comes after ``T_i = T_0`` epochs, and each next one after ``T_mult`` times as many.

    Raises ValueError unless ``T_0`` and ``T_mult`` are positive ints and ``eta_min`` a number.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(4):
    ...     print(round(*scheduler.get_last_lr(), 4))
    ...     optimizer.step()
    ...     scheduler.step()
    1.0
    0.5
    1.0
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0,
                 last_epoch: int = -1) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type "
                             f"{type(eta_min)}")
        self.T_0 = T_0
        self.T_i: float = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        part = height(self.T_cur, self.T_i)
        return [self.eta_min + (base_lr - self.eta_min) * part for base_lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to ``epoch``, which may lie between two: ``epoch + i / n``
        after batch i of n. Raises ValueError for a negative one."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = 0 if epoch is None else epoch
            if epoch < 0:
                raise ValueError(f"Expected non-negative epoch, but got {epoch}")
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        with marked(self, "_get_lr_called_within_step"):
            rates = self.get_lr()
        self._write(rates)

    def _jump(self, epoch: float) -> None:
        """Find the period that ``epoch`` lies in, and how far."""
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:  # n periods have passed, together T_0 (1 + T_mult + ... + T_mult ** (n - 1))
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult ** n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult ** n
