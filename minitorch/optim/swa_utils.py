"""Averages of a model's weights over the course of training, and the schedule that goes with them.

Stochastic weight averaging (Izmailov et al. 2018, Averaging weights leads to wider optima and
better generalization): train on with a constant rate, and average the weights that it visits.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from minitorch.creation import tensor
from minitorch.dtypes import int64
from minitorch.modes import no_grad
from minitorch.nn.module import Module
from minitorch.nn.normalization import BatchNorm1d
from minitorch.optim.lr_scheduler.base import LRScheduler, per_group
from minitorch.optim.optimizer import Optimizer

Average = Callable[[Any, Any, Any], Any]  # of (average, current, number averaged)


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average: ``decay * average + (1 - decay) * current``.

    Raises ValueError unless ``0 <= decay <= 1``.
    """
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] "
                         "range.")

    @no_grad()
    def ema_update(average: Any, current: Any, num_averaged: Any) -> Any:
        return decay * average + (1 - decay) * current
    return ema_update


def get_swa_avg_fn() -> Average:
    """The equal average: ``average + (current - average) / (num_averaged + 1)``."""
    @no_grad()
    def swa_update(average: Any, current: Any, num_averaged: Any) -> Any:
        return average + (current - average) / (num_averaged + 1)
    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Average:
    """`get_ema_avg_fn` for lists of averages and of current tensors; the averages are written."""
    return _for_each(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Average:
    """`get_swa_avg_fn` for lists; the averages are written.

    As in PyTorch ``1 / (num_averaged + 1)`` is a float32, where ``num_averaged`` is a tensor.
    """
    return _for_each(lambda average, current, num_averaged:
                     average + (current - average) * (1 / (num_averaged + 1)))


def _for_each(update: Average) -> Average:
    @no_grad()
    def multi_update(averages: Any, currents: Any, num_averaged: Any) -> None:
        for average, current in zip(averages, currents, strict=True):
            average.copy_(update(average, current, num_averaged))
    return multi_update


class AveragedModel(Module):
    """A copy of ``model`` whose parameters are averages of those that the model has had.

    ``update_parameters(model)`` takes the present ones into the average: the first time it copies
    them, then ``avg_fn(average, current, n_averaged)`` gives the new average of a tensor, or
    ``multi_avg_fn`` writes those of lists of tensors, one list per dtype; without either, all
    count equally. Buffers are copied or, with ``use_buffers``, averaged as well; see also
    `update_bn`. ``device``: where the average is kept. Raises AssertionError for both functions.

    >>> import minitorch as torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> averaged = torch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = torch.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    3.0
    """

    n_averaged: Any

    def __init__(self, model: Module, device: Any = None, avg_fn: Average | None = None,
                 multi_avg_fn: Average | None = None, use_buffers: bool = False) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of ``model``, one like the first, into the average."""
        pairs = _pairs(self.module.parameters(), model.parameters())
        buffers = _pairs(self.module.buffers(), model.buffers())
        if self.use_buffers:
            pairs, buffers = pairs + buffers, []
        if self.n_averaged == 0:
            pairs, buffers = [], pairs + buffers
        if self.multi_avg_fn is not None:
            groups = defaultdict(list)
            for average, current in pairs:
                groups[average.device, average.dtype].append((average, current))
            for (device, _), group in groups.items():
                averages, currents = map(list, zip(*group))
                self.multi_avg_fn(averages, currents, self.n_averaged.to(device))
        else:
            update = self.avg_fn or get_swa_avg_fn()
            for average, current in pairs:
                average.copy_(update(average, current, self.n_averaged.to(average.device)))
        for copy, current in buffers:
            copy.copy_(current)
        self.n_averaged += 1


def _pairs(averages: Iterable[Any], currents: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Detached, and on the average's device."""
    return [(average.detach(), current.detach().to(average.device))
            for average, current in zip(averages, currents, strict=True)]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of the batch norms in ``model`` again, over ``loader``.

    Averaged weights need it, for the statistics are those of other weights. A batch is a tensor,
    or a list or tuple whose first item is the input; it is moved to ``device`` if that is given.
    """
    momenta = {layer: layer.momentum for layer in model.modules() if isinstance(layer, BatchNorm1d)}
    if not momenta:
        return
    was_training = model.training
    try:
        model.train()
        for layer in momenta:
            layer.reset_running_stats()
            layer.momentum = None  # the average over all batches
        for batch in loader:
            x = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(x if device is None else x.to(device))
    finally:
        for layer, momentum in momenta.items():
            layer.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """The rate goes from where it is to ``swa_lr`` over ``anneal_epochs`` epochs, and stays.

    ``lr[t] = (1 - a) * lr[0] + a * swa_lr``, where ``a`` goes from 0 to 1 along half a cosine
    (``anneal_strategy="cos"``) or a line ("linear"). ``swa_lr``: a number or a list of one per
    group. Raises ValueError for a list of another length and for other options out of range.

    >>> import minitorch as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.swa_utils.SWALR(
    ...     optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(4):
    ...     print(*scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    1.0
    0.75
    0.5
    0.5
    """

    def __init__(self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10,
                 anneal_strategy: str = "cos", last_epoch: int = -1) -> None:
        swa_lrs = per_group("swa_lr", optimizer, swa_lr)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got "
                             f"{anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for group, lr in zip(optimizer.param_groups, swa_lrs):
            group["swa_lr"] = lr
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        t = self._step_count - 1
        if self.anneal_epochs == 0:
            t = max(1, t)
        before, now = self._alpha(t - 1), self._alpha(t)
        return [now * group["swa_lr"] + (1 - now) * _start(group["lr"], group["swa_lr"], before)
                for group in self.optimizer.param_groups]

    def _alpha(self, t: int) -> float:
        """How far the rate is on its way after ``t`` steps, from 0 to 1."""
        part = max(0, min(1, t / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * part)) / 2 if self._anneal_strategy == "cos" else part


def _start(lr: Any, swa_lr: Any, alpha: float) -> Any:
    """The rate from which ``alpha`` of the way to ``swa_lr`` leads to ``lr``."""
    return swa_lr if alpha == 1 else (lr - alpha * swa_lr) / (1 - alpha)
