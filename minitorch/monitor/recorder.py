"""``Monitor``: per layer and step, what flows forward, what comes back, and how weights move.

It is made of hooks alone. A forward hook on every layer without layers of its own sees the output,
and asks that tensor to show its gradient when backward comes by; unlike a full backward hook this
adds nothing to the graph, so steps that are not recorded cost next to nothing and in-place layers
go on working. A hook on all optimizers notices when the weights have moved.
"""

from __future__ import annotations

import csv
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch.monitor.layer import COLUMNS, Layer, Row


class Monitor:
    """Records what happens in each layer of ``model`` while it trains; PyTorch's modules work too.

    Every ``every``-th training step adds a row per layer to ``rows``: a dict of

    - ``step``, ``layer`` (its dotted name), ``kind`` (its class);
    - ``mean`` and ``std`` of its output, over all samples and units (biased, 1/n);
    - ``saturated``: fraction of the outputs at a flat end of the activation (see `ends`);
    - ``silent``: fraction of the units that are 0 for every sample of this step;
    - ``dead``: fraction of the units that were 0 for every sample of *every* step, recorded or
      not, since the last ``reset()``: call that when an epoch begins;
    - ``grad_rms``: root mean square of the loss's gradient by the output;
    - ``weight_rms``, ``weight_grad_rms``, ``update_ratio``: of the layer's ``weight``, or else its
      largest parameter: root mean squares before the step and of its gradient, and that of the
      step's change over ``weight_rms``; about 1e-3 is common;
    - ``nonfinite``: fraction of the outputs that are nan or inf. Those show in the other numbers.

    What does not apply is None. A step is what happens between two steps of an optimizer that
    holds one of the model's parameters; who updates by hand calls ``step()`` after it. Calls in
    eval mode or under ``no_grad`` are not training and are left out. ``close()``, or the end of
    the ``with`` block, takes all hooks away. A step that ``minitorch.compile`` recorded before is
    replayed without hooks, unseen; one that is compiled meanwhile runs uncompiled, with a warning.

    Raises TypeError if ``model`` is no module, ValueError if ``every`` is less than 1.

    >>> import minitorch as torch
    >>> from minitorch.monitor import Monitor
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with Monitor(model, every=1) as monitor:
    ...     for _ in range(2):
    ...         optimizer.zero_grad()
    ...         model(torch.ones(5, 4)).sum().backward()
    ...         optimizer.step()
    >>> [(row["step"], row["layer"], row["kind"]) for row in monitor.rows]
    [(0, '0', 'Linear'), (0, '1', 'ReLU'), (1, '0', 'Linear'), (1, '1', 'ReLU')]
    """

    def __init__(self, model: Any, every: int = 50) -> None:
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"every must be a whole number of at least 1, got {every!r}")
        self.torch = engine_of(model)
        self.every = every
        self.rows: list[Row] = []
        self.steps = 0  # training steps that are over
        self.layers = [Layer(name or type(module).__name__, module)
                       for name, module in model.named_modules()
                       if next(module.children(), None) is None]
        self._parameters = {id(p) for p in model.parameters()}
        self._seen = False  # whether a layer ran in the step that is going on
        optimizers = importlib.import_module(f"{self.torch.__name__}.optim.optimizer")
        self._handles = [layer.module.register_forward_hook(self._forward_hook(layer))
                         for layer in self.layers]
        self._handles.append(optimizers.register_optimizer_step_post_hook(self._after_step))

    # -- watching ---------------------------------------------------------------------------------

    def _forward_hook(self, layer: Layer) -> Callable[..., None]:
        grad_enabled = self.torch.is_grad_enabled

        def see(module: Any, args: Any, output: Any) -> None:
            # A deep copy of the model takes the hook along, but is another model.
            if module is not layer.module or not module.training or not grad_enabled():
                return
            self._seen = True
            recorded = self.steps % self.every == 0
            if recorded or layer.asleep is None or layer.asleep.size:
                layer.see(output, recorded)
        return see

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if any(id(p) in self._parameters for group in optimizer.param_groups
               for p in group["params"]):
            self.step()

    def step(self) -> None:
        """A training step is over. Optimizers say so themselves; saying it again changes nothing.
        """
        if not self._seen:
            return
        self._seen = False
        if self.steps % self.every == 0:
            with np.errstate(all="ignore"):
                self.rows += [row for layer in self.layers
                              if (row := layer.finish(self.steps)) is not None]
        self.steps += 1

    def reset(self) -> None:
        """A new epoch: no unit counts as dead until it was silent from here on."""
        for layer in self.layers:
            layer.asleep = None

    def close(self) -> None:
        """Take all hooks away; what was recorded stays."""
        for handle in self._handles:
            handle.remove()
        for layer in self.layers:
            layer.forget()
        self._handles = []

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (f"Monitor({len(self.layers)} layers, every={self.every}, {self.steps} steps, "
                f"{len(self.rows)} rows)")

    # -- what came of it --------------------------------------------------------------------------

    def recorded(self) -> list[Row]:
        """``rows``, or a RuntimeError that says why there are none."""
        if not self.rows:
            raise RuntimeError("nothing was recorded yet: a row is written when an optimizer that "
                               "holds the model's parameters makes its step after a forward pass "
                               "in training mode; if you update by hand, call step() after it")
        return self.rows

    def to_csv(self, path: str | Path) -> None:
        """Write ``rows`` with a heading; what does not apply is empty."""
        rows = self.recorded()
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def heatmap(self, path: str | Path | None = None, dark: bool = False) -> Any:
        """A matplotlib Figure: a map per quantity, layers down and steps across; saved at ``path``.

        Raises ImportError, with advice, without matplotlib.
        """
        from minitorch.monitor.picture import heatmap

        figure = heatmap(self.recorded(), dark)
        if path is not None:
            figure.savefig(path)
        return figure

    def to_html(self, path: str | Path) -> None:
        """Write one page that needs no other file: findings, maps, and the last recorded step.

        Raises ImportError, with advice, without matplotlib.
        """
        from minitorch.monitor.page import page

        Path(path).write_text(page(self.recorded()), encoding="utf-8")


def engine_of(model: Any) -> Any:
    """The package that ``model`` is a module of: this one or PyTorch."""
    if isinstance(model, minitorch.nn.Module):
        return minitorch
    torch = sys.modules.get("torch")
    if torch is not None and torch is not minitorch and isinstance(model, torch.nn.Module):
        return torch
    raise TypeError(f"Monitor records a module of minitorch or PyTorch, got {type(model).__name__}")
