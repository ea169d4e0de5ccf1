"""What every optimizer shares: parameter groups, state, and the walk over both.

An algorithm is one method, ``update``: how a parameter's array ``x`` moves, given its gradient's
array ``g``. It works in place, in ``scratch`` arrays that all parameters share.
"""

from __future__ import annotations

import copy
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minitorch.engine import Tensor, wrap
from minitorch.inplace import wrote
from minitorch.modes import enable_grad, no_grad

Array = Any
BLOCK = 1 << 15  # elements updated at a time: the block, its state and scratch fit in L2


class Optimizer:
    """Base of all optimizers: ``params`` is an iterable of tensors or of dicts (groups).

    Raises TypeError for anything else and ValueError for an empty list, a computed tensor, or a
    parameter that is in two groups.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of "
                            "Tensors or dicts, but got a Tensor; write [tensor]")
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize more parameters, with options of their own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError("optimizer parameters need to be organized in ordered collections, but "
                            "the ordering of tensors in sets will change between runs. Please use "
                            "a list instead.")
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names and len(names) != len(params):
            raise ValueError("all optimizer params should be with/without names. Some param names "
                             "are missing")
        if self.param_groups and bool(names) != ("param_names" in self.param_groups[0]):
            raise ValueError(f"all optimizer param groups should be with/without names. cannot add "
                             f"param group {'with' if names else 'without'} names to the optimizer")
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is "
                                f"{type(p).__name__}")
            if not p.is_leaf:  # type: ignore[attr-defined]
                raise ValueError("can't optimize a non-leaf Tensor")
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        if len({id(p) for p in params}) < len(params):
            warnings.warn("optimizer contains a parameter group with duplicate parameters",
                          stacklevel=3)
        group = {**param_group, "params": params}
        if names:
            group["param_names"] = names
        self.param_groups.append({**group, **{k: v for k, v in self.defaults.items()
                                              if k not in group}})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; or, with ``set_to_none=False``, overwrite them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p._grad is None:
                    p._grad = None
                else:
                    p._grad = wrap(np.zeros_like(p._grad.array))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; returns what ``closure``, if any, computes."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                constants = None
                for p in group["params"]:
                    if p._grad is None:
                        continue
                    state = self.state[p]
                    first = not state
                    if first:
                        self.begin(p.array, state, group)
                    constants = self.constants(state, group)
                    self.walk(p, p._grad.array, state, constants)
                    wrote(p)
        return loss

    def begin(self, x: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Make the state of a parameter that is moved for the first time."""

    def constants(self, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """What this step's update needs besides the arrays: numbers, computed once."""
        raise NotImplementedError

    def update(self, x: Array, g: Array, c: Any, scratch: tuple[Array, Array],
               *state: Array) -> None:
        """Move ``x`` in place, given the gradient ``g``; ``scratch`` may be overwritten."""
        raise NotImplementedError

    def arrays(self, state: dict[str, Any]) -> list[Array]:
        """The state arrays that ``update`` takes, of the parameter's shape."""
        return [v.array for k, v in state.items() if k != "step" and v is not None]

    def walk(self, p: Any, g: Array, state: dict[str, Any], c: Any) -> None:
        """Update one parameter, in blocks small enough to stay in the cache."""
        arrays = [p.array, g, *self.arrays(state)]
        if all(a.flags.c_contiguous for a in arrays):
            arrays = [a.reshape(-1) for a in arrays]
        n = p.array.size
        scratch = _scratch(min(n, BLOCK), p.array.dtype)
        if arrays[0].ndim != 1 or n <= BLOCK:
            shape = arrays[0].shape
            if n > BLOCK:
                scratch = (np.empty(n, p.array.dtype), np.empty(n, p.array.dtype))
            a, b = scratch
            self.update(arrays[0], arrays[1], c, (a[:n].reshape(shape), b[:n].reshape(shape)),
                        *arrays[2:])
            return
        for start in range(0, n, BLOCK):
            x, g, *s = [a[start:start + BLOCK] for a in arrays]
            self.update(x, g, c, (scratch[0][:x.size], scratch[1][:x.size]), *s)

    def state_dict(self) -> dict[str, Any]:
        """State and options in PyTorch's layout: parameters are numbered in their order."""
        numbers = {id(p): i for i, p in enumerate(self._all())}
        groups = [{**{k: v for k, v in group.items() if k != "params"},
                   "params": [numbers[id(p)] for p in group["params"]]}
                  for group in self.param_groups]
        return {"state": {numbers[id(p)]: dict(s) for p, s in self.state.items() if s},
                "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a saved state, of this engine or of PyTorch.

        Raises ValueError, before anything is changed, if the groups do not match.
        """
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError(f"loaded state dict has a different number of parameter groups: "
                             f"{len(saved)}, not {len(self.param_groups)}")
        for ours, theirs in zip(self.param_groups, saved):
            if len(ours["params"]) != len(theirs["params"]):
                raise ValueError(f"loaded state dict contains a parameter group that doesn't match "
                                 f"the size of optimizer's group: {len(theirs['params'])} "
                                 f"parameters, not {len(ours['params'])}")
        order = [i for group in saved for i in group["params"]]
        params = dict(zip(order, self._all()))
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for i, s in state_dict["state"].items():
            state[params[i]] = {k: _own(v, params[i], k) for k, v in s.items()}
        self.param_groups = [
            {**ours, **{k: copy.copy(v) for k, v in theirs.items() if k != "params"}}
            for ours, theirs in zip(self.param_groups, saved)]
        self.state = state

    def _all(self) -> Iterable[Any]:
        return [p for group in self.param_groups for p in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return "\n".join([*lines, ")"])


def _own(value: Any, p: Any, name: str) -> Any:
    """A saved value as this engine's own tensor; state has the parameter's dtype."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    array = np.asarray(getattr(value, "array", value)).copy()
    return wrap(array if name == "step" else array.astype(p.array.dtype, copy=False))


_buffers: dict[Any, tuple[Array, Array]] = {}


def _scratch(n: int, dtype: Any) -> tuple[Array, Array]:
    """Two arrays of at least ``n`` elements, kept between steps."""
    found = _buffers.get(dtype)
    if found is None or found[0].size < n:
        found = _buffers[dtype] = np.empty(n, dtype), np.empty(n, dtype)
    return found


def check_rate(lr: Any) -> None:
    """Raise ValueError unless ``lr`` is a number, or a tensor of one, of at least 0."""
    if isinstance(lr, Tensor) and lr.array.size != 1:
        raise ValueError("Tensor lr must be 1-element")
    check(lr >= 0, "learning rate", lr)


def check(valid: bool, what: str, value: Any) -> None:
    """Raise ValueError for a hyper-parameter out of its range."""
    if not valid:
        raise ValueError(f"Invalid {what}: {value}")
