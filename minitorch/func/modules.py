"""Modules as functions of their parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from minitorch.engine import Tensor

Place = tuple[dict[str, Any], str]  # the module's dict that holds it, and its name there


def functional_call(module: Any, parameter_and_buffer_dicts: Any, args: Any = None,
                    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True,
                    strict: bool = False) -> Any:
    """``module(*args, **kwargs)`` with these tensors, by dotted name, in place of its own.

    A dict or several; names not given keep the module's. A tensor that the module holds under two
    names is replaced under both if ``tie_weights``. The module is left as it was: what the call
    writes into buffers goes to those given. Raises ValueError for a name given twice, and with
    ``strict`` RuntimeError for names that are missing or unknown.

    >>> import minitorch as torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> torch.func.functional_call(layer, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)},
    ...                            torch.tensor([3.0, 4.0]))
    tensor([7.])
    """
    given = _merged(parameter_and_buffer_dicts)
    for x in given.values():
        if not isinstance(x, Tensor):
            raise TypeError(f"{x} is not an instance of torch.Tensor")
    places = _places(module)
    new = _tied(given, places) if tie_weights else dict(given)
    if strict:
        _check_names(module, new, places)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    old = {name: group[key] for name, (group, key) in places.items() if name in new}
    try:
        for name in old:
            group, key = places[name]
            group[key] = new[name]
        return module(*args, **(kwargs or {}))
    finally:
        for name in old:
            group, key = places[name]
            if name in given:
                given[name] = group[key]  # the call may have put another in its place
        for name, x in old.items():
            group, key = places[name]
            group[key] = x


def _merged(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, Sequence):
        raise ValueError(f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of "
                         f"dicts, but got {type(dicts)}")
    if not all(isinstance(d, dict) for d in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = Counter(name for d in dicts for name in d)
    repeated = [name for name, n in names.items() if n > 1]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional "
                         f"call is ambiguous")
    return {name: x for d in dicts for name, x in d.items()}


def _places(module: Any) -> dict[str, Place]:
    """Where each parameter and buffer is filed, by its dotted name."""
    return {f"{prefix}.{key}" if prefix else key: (group, key)
            for prefix, part in module.named_modules(remove_duplicate=False)
            for group in (part._parameters, part._buffers)
            for key, x in group.items() if x is not None}


def _tied(given: dict[str, Any], places: dict[str, Place]) -> dict[str, Any]:
    """The given tensors, also under the other names of those that they replace."""
    groups: dict[int, list[str]] = {}
    for name, (group, key) in places.items():
        groups.setdefault(id(group[key]), []).append(name)
    out = dict(given)
    for names in groups.values():
        found = [given[name] for name in names if name in given]
        if len({id(x) for x in found}) > 1:
            raise ValueError(f"functional_call got multiple values for keys {sorted(names)}, which "
                             f"are tied. Consider using tie_weights=False")
        out.update((name, x) for name in names for x in found)
    return out


def _check_names(module: Any, new: dict[str, Any], places: dict[str, Place]) -> None:
    lines = [f"{what} key(s): {', '.join(map(repr, sorted(names)))}."
             for what, names in (("Unexpected", new.keys() - places.keys()),
                                 ("Missing", places.keys() - new.keys())) if names]
    if lines:
        raise RuntimeError("\n\t".join([f"Error(s) in reparametrizing for "
                                        f"{module._get_name()}:", *lines]))
