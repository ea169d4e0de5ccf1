"""A module's state as a flat dict of names and tensors, and back."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import engine
from minitorch.conversion import convert
from minitorch.engine import wrap
from minitorch.inplace import check_writable, copy_
from minitorch.modes import no_grad
from minitorch.nn.parameter import Parameter

if TYPE_CHECKING:
    from minitorch.nn.module import Module


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What ``load_state_dict`` found missing in the dict, and what it did not expect there."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()


def own_state(module: Module) -> dict[str, Any]:
    """The parameters and persistent buffers of this module itself."""
    buffers = {name: b for name, b in module._buffers.items()
               if name not in module._non_persistent_buffers_set}
    return {name: t for name, t in (*module._parameters.items(), *buffers.items())
            if t is not None}


def save(module: Module, destination: Any, prefix: str, keep_vars: bool) -> Any:
    """The module's own entries first, then its children's, in the order of registration."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    if hasattr(destination, "_metadata"):  # PyTorch's loader reads the versions of layers there
        destination._metadata[prefix[:-1]] = {"version": module._version}
    for name, tensor in own_state(module).items():
        destination[prefix + name] = tensor if keep_vars else tensor.detach()
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.",
                             keep_vars=keep_vars)
    return destination


class _Loader:
    """Compares a state dict with a module, then copies; nothing is changed if they differ."""

    def __init__(self, state: Mapping[str, Any], assign: bool) -> None:
        self.state, self.assign = state, assign
        self.metadata: Mapping[str, Any] = getattr(state, "_metadata", {})
        self.todo: list[tuple[Module, str, Any, Any]] = []  # module, name, old tensor, new one
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def compare(self, module: Module, keys: list[str], prefix: str) -> None:
        own = own_state(module)
        version = self.metadata.get(prefix[:-1], {}).get("version", 0)
        for name, old in own.items():
            key = prefix + name
            if key in self.state:
                self.match(module, name, key, old)
            elif version >= module._since_version.get(name, 0):
                self.missing.append(key)
        for key in keys:
            name, dot, _ = key[len(prefix):].partition(".")
            if name not in (module._modules if dot else own):
                self.unexpected.append(key)
        for name, child in module._modules.items():
            if child is not None:
                inner = f"{prefix}{name}."
                self.compare(child, [k for k in keys if k.startswith(inner)], inner)

    def match(self, module: Module, name: str, key: str, old: Any) -> None:
        value = self.state[key]
        new = _tensor(value)
        if new is None:
            self.errors.append(f'While copying the parameter named "{key}", expected torch.Tensor '
                               f"or Tensor-like object from checkpoint but received {type(value)}")
            return
        if not old.shape and new.shape == (1,):
            new = wrap(new.array.reshape(()))
        if new.shape != old.shape:
            self.errors.append(f"size mismatch for {key}: copying a param with shape {new.shape} "
                               f"from checkpoint, the shape in current model is {old.shape}.")
            return
        try:
            if not self.assign:
                with no_grad():
                    new = convert(new, old.dtype, old.device)
                    check_writable(old)
            self.todo.append((module, name, old, new))
        except Exception as error:
            self.errors.append(f'While copying the parameter named "{key}", whose dimensions in '
                               f"the model are {old.shape} and whose dimensions in the checkpoint "
                               f"are {new.shape}, an exception occurred : {error.args}.")

    def copy(self) -> None:
        for module, name, old, new in self.todo:
            if not self.assign:
                with no_grad():
                    copy_(old, new)
            elif isinstance(old, Parameter):
                if not isinstance(new, Parameter):
                    new = Parameter(new, old.requires_grad)
                setattr(module, name, new.requires_grad_(old.requires_grad))
            else:
                setattr(module, name, new)


def _tensor(value: Any) -> Any:
    """A Tensor around a Tensor's, an array's or a torch tensor's values; None for the rest."""
    if isinstance(value, engine.Tensor):
        return value
    if engine.is_array(value) or isinstance(value, np.generic):
        return wrap(np.asarray(value) if isinstance(value, np.generic) else value)
    if hasattr(value, "detach") and hasattr(value, "shape"):
        return wrap(value.detach().cpu().numpy())
    return None


def load(module: Module, state_dict: Any, strict: bool, assign: bool) -> _IncompatibleKeys:
    """See ``Module.load_state_dict``."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    loader = _Loader(state_dict, assign)
    loader.compare(module, list(state_dict), "")
    errors = list(loader.errors)
    for what, keys in (("Unexpected", loader.unexpected), ("Missing", loader.missing)):
        if strict and keys:
            names = ", ".join(f'"{k}"' for k in keys)
            errors.insert(0, f"{what} key(s) in state_dict: {names}. ")
    if errors:
        raise RuntimeError("Error(s) in loading state_dict for {}:\n\t{}".format(
            type(module).__name__, "\n\t".join(errors)))
    loader.copy()
    return _IncompatibleKeys(loader.missing, loader.unexpected)

