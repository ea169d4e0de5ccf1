"""One layer under watch: what is seen of it in a step becomes a row of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minitorch
from minitorch.monitor.measures import ends, rms, square_sum, units_first

COLUMNS = ("step", "layer", "kind", "mean", "std", "saturated", "silent", "dead", "grad_rms",
           "weight_rms", "weight_grad_rms", "update_ratio", "nonfinite")
Row = dict[str, Any]


class Layer:
    """One module, and what was seen of it in the step that is going on."""

    def __init__(self, name: str, module: Any) -> None:
        self.name, self.module = name, module
        self.ends = ends(module)
        self.asleep: Any = None  # units that were 0 ever since the last reset; None: not looked yet
        self.units = 0
        self.before: Any = None  # the weight's memory before the step
        self.forget()

    def forget(self) -> None:
        for handle in getattr(self, "handles", ()):
            handle.remove()
        self.handles: list[Any] = []
        self.count = self.gradients = 0
        self.mean = self.deviations = self.grad_squares = 0.0
        self.saturated = self.nonfinite = 0
        self.active: Any = None
        self.weight: Any = None

    def see(self, output: Any, recorded: bool) -> None:
        """An output. Units that were not yet seen at work are looked at in every step."""
        y = first_tensor(output)
        if y is None or not (x := array_of(y)).size:
            return
        units = units_first(x)
        if recorded or self.asleep is None or units.shape[1] != self.units:
            active = units.any(0)  # nan counts as at work
            known = self.asleep is not None and units.shape[1] == self.units
            self.asleep = self.asleep[~active[self.asleep]] if known else (~active).nonzero()[0]
            self.units = units.shape[1]
        else:
            self.asleep = self.asleep[~units.take(self.asleep, 1).any(0)]
        if recorded:
            with np.errstate(all="ignore"):
                self.active = either(self.active, active)
                self.measure(x)
            if y.requires_grad:
                self.handles.append(y.register_hook(self.see_gradient))

    def measure(self, x: Any) -> None:
        if not self.count:
            self.note_weight()
        # The layer may have run before in this step: means and deviations of both, joined.
        mean = float(x.mean())
        if not math.isfinite(mean):  # a sum that single precision cannot hold, perhaps
            mean = float(x.mean(dtype="float64"))
        before, self.count = self.count, self.count + x.size
        apart = mean - self.mean
        self.mean += apart * x.size / self.count
        self.deviations += (square_sum(x - x.dtype.type(mean))
                            + apart ** 2 * before * x.size / self.count)
        if not math.isfinite(mean):
            self.nonfinite += int((~np.isfinite(x)).sum())
        if self.ends is not None:
            low, high = self.ends
            self.saturated += int((x <= low).sum())
            if high != math.inf:
                self.saturated += int((x >= high).sum())

    def note_weight(self) -> None:
        """Copy the parameter as it is before the step, always into the same memory."""
        self.weight = largest_parameter(self.module)
        if self.weight is None:
            return
        x = array_of(self.weight)
        if self.before is None or self.before.shape != x.shape or self.before.dtype != x.dtype:
            self.before = x.copy()
        else:
            self.before[...] = x

    def see_gradient(self, gradient: Any) -> None:
        g = array_of(gradient)
        with np.errstate(all="ignore"):
            self.gradients += g.size
            self.grad_squares += square_sum(g)

    def finish(self, step: int) -> Row | None:
        """The row of this step; None if the layer took no part."""
        if not self.count:
            return None
        row: Row = dict.fromkeys(COLUMNS)
        row.update(
            step=step, layer=self.name, kind=type(self.module).__name__, mean=self.mean,
            std=math.sqrt(self.deviations / self.count),
            silent=int((~self.active).sum()) / self.units, nonfinite=self.nonfinite / self.count)
        if self.asleep is not None:  # not reset since the forward pass
            row["dead"] = self.asleep.size / self.units
        if self.ends is not None:
            row["saturated"] = self.saturated / self.count
        if self.gradients:
            row["grad_rms"] = math.sqrt(self.grad_squares / self.gradients)
        if self.weight is not None:
            row["weight_rms"] = size = rms(self.before)
            if self.weight.grad is not None:
                row["weight_grad_rms"] = rms(array_of(self.weight.grad))
            self.before -= array_of(self.weight)
            moved = rms(self.before)
            row["update_ratio"] = moved / size if size else math.inf if moved else 0.0
        self.forget()
        return row


def array_of(tensor: Any) -> Any:
    """The bare array behind a tensor, without a copy where there need not be one."""
    if isinstance(tensor, minitorch.Tensor):
        x = tensor.array
        return x if isinstance(x, np.ndarray) or not hasattr(x, "to_dense") else x.to_dense()
    tensor = tensor.detach()
    if tensor.is_sparse:
        tensor = tensor.to_dense()
    return (tensor.cpu() if tensor.element_size() > 2 else tensor.cpu().float()).numpy()


def either(a: Any, b: Any) -> Any:
    """Units that are active in one or the other; a new count of units begins anew."""
    return b if a is None or a.shape != b.shape else a | b


def first_tensor(output: Any) -> Any:
    """The output, or the first tensor of several; None if it is no floating one."""
    while isinstance(output, (tuple, list)) and output:
        output = output[0]
    floating = getattr(output, "is_floating_point", None)
    return output if floating is not None and floating() else None


def largest_parameter(module: Any) -> Any:
    own = dict(module.named_parameters(recurse=False))
    return own.get("weight", max(own.values(), key=lambda p: p.numel(), default=None))
