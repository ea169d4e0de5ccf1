"""What every optimizer has: groups of parameters, state, hooks, and saving both.

A new algorithm can be written as in PyTorch, as a ``step`` over ``self.param_groups``; those of
this package say only how one parameter moves (see ``elementwise``).
"""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from minitorch.engine import Tensor
from minitorch.nn.hooks import register
from minitorch.optim import state
from minitorch.tensor import Handle


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required: Any = _Required()  # the default of an option that every group must give

_pre_hooks: dict[int, Callable[..., Any]] = {}
_post_hooks: dict[int, Callable[..., Any]] = {}


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call ``hook(optimizer, args, kwargs)`` before every step of every optimizer."""
    return register(_pre_hooks, hook, False)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> Handle:
    """Call ``hook(optimizer, args, kwargs)`` after every step of every optimizer."""
    return register(_post_hooks, hook, False)


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` between its hooks; a hook before it may return other ``(args, kwargs)``.

    As in PyTorch, the first of ``args`` is the optimizer.
    """
    @functools.wraps(step)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        self = args[0]
        self._opt_called = True  # schedulers ask
        for hook in (*_pre_hooks.values(), *self._step_pre_hooks.values()):
            new = hook(self, args, kwargs)
            if new is not None:
                if not isinstance(new, tuple) or len(new) != 2:
                    raise RuntimeError(f"{step} must return None or a tuple of (new_args, "
                                       f"new_kwargs), but got {new}.")
                args, kwargs = new
        out = step(*args, **kwargs)
        for hook in (*self._step_post_hooks.values(), *_post_hooks.values()):
            hook(self, args, kwargs)
        return out
    return wrapper


class Optimizer:
    """Base of all optimizers: ``params`` is an iterable of tensors, of (name, tensor), or of dicts.

    A dict is a group: its ``"params"`` and options that differ from ``defaults``. Raises TypeError
    for anything else and ValueError for an empty list, a computed tensor, a parameter in two
    groups, or a group without a ``required`` option.

    >>> import minitorch as torch
    >>> class SignSGD(torch.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, dict(lr=lr))
    ...
    ...     @torch.no_grad()
    ...     def step(self):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p -= group["lr"] * p.grad.sign()
    >>> x = torch.tensor([4.0, -2.0], requires_grad=True)
    >>> optimizer = SignSGD([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([ 3.5000, -1.5000], requires_grad=True)
    """

    _opt_called = False  # whether step was called at all

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            setattr(cls, "step", _hooked(vars(cls)["step"]))

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of "
                            "Tensors or dicts, but got torch.FloatTensor")
        self.defaults = defaults
        self._without_hooks()
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
        """Optimize more parameters, with options of their own; the dict becomes the group."""
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
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is "
                                f"{type(p).__name__}")
            leaf: Any = p
            if not (self.defaults.get("differentiable") or leaf.is_leaf or leaf.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required "
                                 f"optimization parameter {name}")
        if len({id(p) for p in params}) < len(params):
            warnings.warn("optimizer contains a parameter group with duplicate parameters; in "
                          "future, this will cause an error", stacklevel=3)
        if any(("param_names" in group) != bool(names or "param_names" in param_group)
               for group in self.param_groups):
            raise ValueError(f"all optimizer param groups should be with/without names. cannot add "
                             f"param group {'with' if names else 'without'} names to the optimizer")
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if any(id(p) in known for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; or, with ``set_to_none=False``, overwrite them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                elif p._grad is not None:
                    p._grad.detach_().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; returns what ``closure``, if any, computes."""
        raise NotImplementedError

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(self, args, kwargs)`` before a step; it may return other (args, kwargs)."""
        return register(self._step_pre_hooks, hook, False)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(self, args, kwargs)`` after a step."""
        return register(self._step_post_hooks, hook, False)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any],
                                     prepend: bool = False) -> Handle:
        """Call ``hook(self)`` before ``state_dict``."""
        return register(self._save_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any],
                                      prepend: bool = False) -> Handle:
        """Call ``hook(self, state_dict)`` after ``state_dict``; it may return another."""
        return register(self._save_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any],
                                          prepend: bool = False) -> Handle:
        """Call ``hook(self, state_dict)`` before loading; it may return another."""
        return register(self._load_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any],
                                           prepend: bool = False) -> Handle:
        """Call ``hook(self)`` after loading."""
        return register(self._load_post_hooks, hook, prepend)

    def state_dict(self) -> dict[str, Any]:
        """State and options in PyTorch's layout: parameters are numbered in their order.

        The tensors in it are the optimizer's own, and change with the next step.
        """
        for hook in self._save_pre_hooks.values():
            hook(self)
        out = state.packed(self.param_groups, self.state)
        for hook in self._save_post_hooks.values():
            new = hook(self, out)
            out = out if new is None else new
        return out

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a saved state, of this engine or of PyTorch.

        Raises ValueError, before anything is changed, if the groups do not match.
        """
        state_dict = dict(state_dict)
        for hook in self._load_pre_hooks.values():
            new = hook(self, state_dict)
            state_dict = state_dict if new is None else new
        groups, values = state.unpacked(state_dict, self.param_groups)
        self.__setstate__({"state": values, "param_groups": groups})
        for hook in self._load_post_hooks.values():
            hook(self)

    def _without_hooks(self) -> None:
        self._step_pre_hooks: dict[int, Any] = {}
        self._step_post_hooks: dict[int, Any] = {}
        self._save_pre_hooks: dict[int, Any] = {}
        self._save_post_hooks: dict[int, Any] = {}
        self._load_pre_hooks: dict[int, Any] = {}
        self._load_post_hooks: dict[int, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle takes along: as in PyTorch no hooks."""
        return {name: getattr(self, name) for name in ("defaults", "state", "param_groups")}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        if "_step_pre_hooks" not in self.__dict__:
            self._without_hooks()
        self.__dict__.update(attributes)
        for group in self.param_groups:  # a state of an older version may lack an option
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {k}: {group[k]}\n" for k in sorted(group) if k != "params")
        return text + ")"
