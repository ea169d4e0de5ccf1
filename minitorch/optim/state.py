"""An optimizer's state in PyTorch's layout, and back."""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

import numpy as np

from minitorch import backend, dtypes
from minitorch.engine import Tensor, is_array, wrap

Groups = list[dict[str, Any]]
State = defaultdict[Any, dict[str, Any]]
NUMBERS = {"step", "eta", "mu", "mu_product"}


def packed(groups: Groups, state: State) -> dict[str, Any]:
    """Groups and state with a number in the place of each parameter."""
    numbers: dict[int, int] = {}
    start, out = 0, []
    for group in groups:
        for i, p in enumerate(group["params"]):
            numbers.setdefault(id(p), start + i)
        start += len(group["params"])
        out.append({**{k: v for k, v in group.items() if k != "params"},
                    "params": [numbers[id(p)] for p in group["params"]]})
    return {"state": {numbers[id(p)] if isinstance(p, Tensor) else p: s for p, s in state.items()},
            "param_groups": out}


def unpacked(state_dict: dict[str, Any], groups: Groups) -> tuple[Groups, State]:
    """``groups`` with the saved options, and the saved state as copies of the parameters' dtype.

    Raises ValueError if the groups do not match.
    """
    saved = state_dict["param_groups"]
    if len(saved) != len(groups):
        raise ValueError("loaded state dict has a different number of parameter groups")
    if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, saved)):
        raise ValueError("loaded state dict contains a parameter group that doesn't match the size "
                         "of optimizer's group")
    params = dict(zip((i for group in saved for i in group["params"]),
                      (p for group in groups for p in group["params"])))
    state: State = defaultdict(dict)
    for i, value in state_dict["state"].items():
        state[params.get(i, i)] = own(value, params[i]) if i in params else value
    new = []
    for ours, theirs in zip(groups, saved):
        group = {k: copied(v) for k, v in theirs.items()}
        group["params"] = ours["params"]
        if "param_names" in ours:
            group.setdefault("param_names", ours["param_names"])
        new.append(group)
    return new, state


def copied(value: Any) -> Any:
    """A saved option as this engine's own."""
    return own(value) if hasattr(value, "__dlpack__") else copy.deepcopy(value)


def own(value: Any, p: Any = None, name: str = "") -> Any:
    """A saved value as this engine's own tensor, where ``p`` is and of its dtype.

    Numbers of the state keep their dtype, so that a resumed run equals one that never stopped.
    """
    if isinstance(value, dict):
        return {k: own(v, p, k) for k, v in value.items()}
    if hasattr(value, "__dlpack__"):
        array = getattr(value, "array", value)
        array = array.copy() if is_array(array) else backend.from_dlpack(array).copy()
        if name in NUMBERS:  # read by every step
            array = backend.move(array, backend.CPU)
        elif p is not None:
            array = backend.move(array, backend.device_of(p.array))
            if p.array.dtype.kind == "f":
                array = array.astype(p.array.dtype, copy=False)
        return wrap(array)
    if isinstance(value, (list, tuple)):
        return type(value)(own(v, p) for v in value)
    return value


def count(n: float = 0.0) -> Tensor:
    """A number of the state, such as the step count: 0-d, of PyTorch's dtype for it."""
    double = dtypes.default() == np.float64
    return wrap(np.array(n, np.float64 if double else np.float32))
