"""All that a step can change, kept aside and put back."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.engine import Tensor
from minitorch.plan.reach import Reach


class Snapshot:
    """The numbers of every tensor, optimizer, scheduler and generator that a step reaches."""

    def __init__(self, reach: Reach) -> None:
        self.tensors = [(t, t.array, t.array.copy(), t._grad,
                         None if t._grad is None else t._grad.array.copy())
                        for t in reach.tensors]
        self.optimizers = [(o, [dict(group) for group in o.param_groups],
                            {p: {k: (v, v.array.copy()) if isinstance(v, Tensor) else (v, None)
                                 for k, v in state.items()} for p, state in o.state.items()})
                           for o in reach.optimizers]
        self.schedulers = [(s, dict(vars(s))) for s in reach.schedulers]
        self.generators = [(g, g.get_state()) for g in reach.generators]

    def restore(self) -> None:
        for t, array, values, grad, grad_values in self.tensors:
            t.array = array
            if array.flags.writeable:
                array[...] = values
            t._grad = grad
            if grad is not None and grad.array.flags.writeable:
                grad.array[...] = grad_values
        for o, groups, states in self.optimizers:
            for group, was in zip(o.param_groups, groups):
                group.update(was)
            o.state.clear()
            for p, state in states.items():
                o.state[p] = {k: v for k, (v, _) in state.items()}
                for v, values in state.values():
                    if values is not None:
                        v.array[...] = values
        for s, attributes in self.schedulers:
            vars(s).update(attributes)
        for g, state in self.generators:
            g.set_state(state)

    def numbers(self) -> list[tuple[str, Any]]:
        """Everything by name, as arrays."""
        out = []
        for i, (t, _, values, _, grad) in enumerate(self.tensors):
            name = f"tensor {i} of shape {tuple(t.array.shape)}"
            out += [(name, values), (f"the gradient of {name}", grad)]
        for o, groups, states in self.optimizers:
            for state in states.values():
                out += [(f"{type(o).__name__}'s {k}", v if a is None else a)
                        for k, (v, a) in state.items()]
            out += [(f"{type(o).__name__}'s {k}", v) for group in groups
                    for k, v in group.items() if isinstance(v, (int, float))]
        out += [("the random stream", np.asarray(getattr(s, "array", s)))
                for _, s in self.generators]
        return out


def difference(a: list[tuple[str, Any]], b: list[tuple[str, Any]]) -> str:
    """The first quantity that differs, and by how much; "" if none does."""
    for (name, x), (_, y) in zip(a, b):
        if x is None or y is None:
            if x is not y:
                return f"{name} is there after {'the step' if x is None else 'the replay'} alone"
            continue
        x, y = np.asarray(x), np.asarray(y)
        if x.shape != y.shape:
            return f"{name} has shape {x.shape} instead of {y.shape}"
        if not np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
            far = np.nanmax(np.abs(x.astype(np.float64) - y.astype(np.float64)))
            return f"{name} differs by {far:.2g}"
    return "" if len(a) == len(b) else "it ends with another number of tensors"
