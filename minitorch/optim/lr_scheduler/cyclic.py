"""Schedules that rise and fall, with the momentum falling and rising against them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from minitorch.optim.lr_scheduler.base import (
    LRScheduler,
    per_group,
    put,
    require_optimizer,
    restore,
    saved,
)
from minitorch.optim.lr_scheduler.cosine import height
from minitorch.optim.optimizer import Optimizer


class _Cycling(LRScheduler):
    """Sets the momentum too: each group's ``"momentum"``, or the first of its ``"betas"``."""

    use_beta1: bool

    def _momentums(self, optimizer: Optimizer, base: Any, top: Any) -> tuple[list[Any], list[Any]]:
        """The least and the greatest momentum of each group; raises ValueError if it has none."""
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` "
                             "option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        return (per_group("base_momentum", optimizer, base),
                per_group("max_momentum", optimizer, top))

    def _begin_momentums(self, optimizer: Optimizer, bases: list[Any], tops: list[Any]) -> None:
        for group, base, top in zip(optimizer.param_groups, bases, tops):
            self._put_momentum(group, top)
            group["max_momentum"] = top
            group["base_momentum"] = base

    def _put_momentum(self, group: dict[str, Any], momentum: Any) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_Cycling):
    """The rate goes from ``base_lr`` up to ``max_lr`` and back along lines, in cycles.

    It rises for ``step_size_up`` epochs and falls for ``step_size_down`` (as many, if None):
    ``lr = base_lr + (max_lr - base_lr) * x * scale``, where ``x`` goes from 0 to 1 and back (Smith
    2017, Cyclical learning rates). ``mode``: in cycle c = 1, 2, ... ``scale`` is 1 with
    "triangular" and ``2 ** (1 - c)`` with "triangular2"; with "exp_range" it is ``gamma ** t``.
    Or it is ``scale_fn`` of c or, if ``scale_mode="iterations"``, of t. ``cycle_momentum``: the
    momentum goes from ``max_momentum`` down to ``base_momentum`` and back, in the same way.

    Rates and momentums are numbers, or lists of one per group. Raises ValueError for lists of
    another length, an unknown mode, and an optimizer without momentum to cycle.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, 0.5, 1.0, step_size_up=2)
    >>> for _ in range(5):
    ...     print(*scheduler.get_last_lr(), round(optimizer.param_groups[0]["momentum"], 4))
    ...     optimizer.step()
    ...     scheduler.step()
    0.5 0.9
    0.75 0.85
    1.0 0.8
    0.75 0.85
    0.5 0.9
    """

    def __init__(self, optimizer: Optimizer, base_lr: Any, max_lr: Any, step_size_up: int = 2000,
                 step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
                 scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle",
                 cycle_momentum: bool = True, base_momentum: Any = 0.8, max_momentum: Any = 0.9,
                 last_epoch: int = -1) -> None:
        require_optimizer(optimizer)
        base_lrs = per_group("base_lr", optimizer, base_lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._momentums(
                optimizer, base_momentum, max_momentum)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs):
                put(group, "lr", lr)
            if cycle_momentum:
                self._begin_momentums(optimizer, self.base_momentums, self.max_momentums)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of the cycle ``x``, or at the epoch ``x``, as a part of the first's."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 2.0 ** (1 - x) if self.mode == "triangular2" else self.gamma ** x

    def get_lr(self) -> list[Any]:
        """As in `LRScheduler`; also sets the momentums."""
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle  # the part of the cycle that is over
        x = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, base, top in zip(self.optimizer.param_groups, self.base_momentums,
                                        self.max_momentums, strict=True):
                self._put_momentum(group, top - (top - base) * x * scale)
        return [base + (top - base) * x * scale
                for base, top in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """All attributes; of ``scale_fn``, only the attributes of a callable object."""
        return {**super().state_dict(), "_scale_fn_custom": saved(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state; ``scale_fn`` stays, an object takes its attributes from it."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        restore(self._scale_fn_custom, state_dict["_scale_fn_custom"])


class OneCycleLR(_Cycling):
    """The rate rises from ``max_lr / div_factor`` to ``max_lr``, and falls to nearly nothing.

    It rises for the part ``pct_start`` of ``total_steps`` (or ``epochs * steps_per_epoch``) and
    falls for the rest, to ``max_lr / div_factor / final_div_factor``; with ``three_phase`` it
    falls as fast as it rose to where it began, and for the rest to the end (Smith & Topin 2019,
    Super-convergence). ``anneal_strategy``: each phase is half a cosine ("cos") or a "linear".
    ``cycle_momentum``: the momentum goes from ``max_momentum`` to ``base_momentum`` and back.
    Call ``step()`` after each batch.

    Rates and momentums are numbers, or lists of one per group. Raises ValueError for lists of
    another length, options out of range, an optimizer without momentum to cycle, and for more
    than ``total_steps`` steps.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.OneCycleLR(
    ...     optimizer, max_lr=1.0, total_steps=5, pct_start=0.6, div_factor=2.0)
    >>> for _ in range(5):
    ...     lr, momentum = *scheduler.get_last_lr(), optimizer.param_groups[0]["momentum"]
    ...     print(round(lr, 4), round(momentum, 4))
    ...     optimizer.step()
    ...     scheduler.step()
    0.5 0.95
    0.75 0.9
    1.0 0.85
    0.5 0.9
    0.0001 0.95
    """

    def __init__(self, optimizer: Optimizer, max_lr: Any, total_steps: int | None = None,
                 epochs: int | None = None, steps_per_epoch: int | None = None,
                 pct_start: float = 0.3, anneal_strategy: str = "cos", cycle_momentum: bool = True,
                 base_momentum: Any = 0.85, max_momentum: Any = 0.95, div_factor: float = 25.0,
                 final_div_factor: float = 1e4, three_phase: bool = False,
                 last_epoch: int = -1) -> None:
        require_optimizer(optimizer)
        if total_steps is not None:
            _require_positive("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            _require_positive("epochs", epochs)
            _require_positive("steps_per_epoch", steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got "
                             f"{anneal_strategy}")
        max_lrs = per_group("max_lr", optimizer, max_lr)
        self.total_steps = total_steps
        rise, end = pct_start * total_steps, total_steps - 1
        self._schedule_phases = [_phase(rise - 1, "initial_lr", "max_lr")]
        if three_phase:
            self._schedule_phases += [_phase(2 * rise - 2, "max_lr", "initial_lr"),
                                      _phase(end, "initial_lr", "min_lr")]
        else:
            self._schedule_phases += [_phase(end, "max_lr", "min_lr")]
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            momentums = self._momentums(optimizer, base_momentum, max_momentum)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, max_lrs):
                group["initial_lr"] = lr / div_factor
                group["max_lr"] = lr
                group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                self._begin_momentums(optimizer, *momentums)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """As in `LRScheduler`; also sets the momentums."""
        self._warn_outside_step()
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"Tried to step {t} times. The specified number of total steps is "
                             f"{self.total_steps}")
        ends = [phase["end_step"] for phase in self._schedule_phases]
        i = bisect_left(ends[:-1], t)
        start = ends[i - 1] if i > 0 else 0.0
        part = (t - start) / (ends[i] - start)
        phase = self._schedule_phases[i]
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                self._put_momentum(group, self._anneal(
                    group[phase["start_momentum"]], group[phase["end_momentum"]], part))
        return [self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], part)
                for group in self.optimizer.param_groups]

    def _anneal(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "linear":
            return start + (end - start) * part
        return end + (start - end) * height(part)


def _require_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")


def _phase(end_step: float, start_lr: str, end_lr: str) -> dict[str, Any]:
    """Up to ``end_step``; the momentum is least where the rate is greatest."""
    momentum = {"max_lr": "base_momentum"}
    return {"end_step": end_step, "start_lr": start_lr, "end_lr": end_lr,
            "start_momentum": momentum.get(start_lr, "max_momentum"),
            "end_momentum": momentum.get(end_lr, "max_momentum")}
