"""How a module's parts are filed and found: the three dicts behind its attributes.

Assigning a Parameter, a Buffer or another module to an attribute files it under its name in one of
three dicts; everything else about modules walks those dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

from minitorch import engine
from minitorch.nn.parameter import Buffer, Parameter
from minitorch.tensor import Tensor


def typename(x: Any) -> str:
    """How PyTorch calls the type of ``x`` in messages."""
    if isinstance(x, engine.Tensor):
        return str(x.type())  # type: ignore[attr-defined]
    cls = type(x)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


class Tree:
    """The part of ``Module`` that holds parameters, buffers and submodules by name."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]

    def __init__(self) -> None:
        self.__dict__.update(_parameters={}, _buffers={}, _modules={},
                             _non_persistent_buffers_set=set())

    # -- attributes ------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """Called for names that are not plain attributes."""
        own = self.__dict__
        if "_parameters" in own:  # else __init__ has not run yet
            if name in own["_parameters"]:
                return own["_parameters"][name]
            if name in own["_modules"]:
                return own["_modules"][name]
            if name in own["_buffers"]:
                return own["_buffers"][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        for kind in _KINDS:
            if isinstance(value, kind.cls):
                if kind.group not in own:
                    raise AttributeError(f"cannot assign {kind.early} before Module.__init__() "
                                         f"call")
                if kind.cls is Buffer:
                    self.register_buffer(name, value, value.persistent)
                    return
                for place in (own, *[own[k.group] for k in _KINDS if k is not kind]):
                    place.pop(name, None)
                self._non_persistent_buffers_set.discard(name)
                if kind.cls is Parameter:
                    self.register_parameter(name, value)
                else:
                    self._modules[name] = value
                return
            if name in own.get(kind.group, ()):
                plain = kind.cls is Buffer and isinstance(value, engine.Tensor)
                if value is not None and not plain:
                    raise TypeError(f"cannot assign '{typename(value)}' as {kind.what} '{name}' "
                                    f"(torch.{kind.expected} or None expected)")
                own[kind.group][name] = value
                return
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for group in (self._parameters, self._buffers, self._modules):
            if name in group:
                del group[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers,
                 *self._modules}
        return sorted(n for n in names if not n[0].isdigit())

    def _check_name(self, group: str, what: str, name: Any) -> None:
        if group not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {typename(name)}")
        if hasattr(self, name) and name not in self.__dict__[group]:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """File a parameter under ``name``; None reserves the name."""
        self._check_name("_parameters", "parameter", name)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(f"cannot assign '{typename(param)}' object to parameter '{name}' "
                                f"(torch.nn.Parameter or None required)")
            if param.grad_fn is not None:
                raise ValueError(f"Cannot assign non-leaf Tensor to parameter '{name}'. Model "
                                 f"parameters must be created explicitly. To express '{name}' as "
                                 f"a function of another Tensor, compute the value in the "
                                 f"forward() method.")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """File a tensor that is state but not trained; part of the state dict if ``persistent``."""
        self._check_name("_buffers", "buffer", name)
        if tensor is not None and not isinstance(tensor, engine.Tensor):
            raise TypeError(f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch "
                            f"Tensor or None required)")
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Tree | None) -> None:
        """File a submodule under ``name``."""
        if module is not None and not isinstance(module, Tree):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("_modules", "module", name)
        self._modules[name] = module

    register_module = add_module

    # -- walking ---------------------------------------------------------------------------------

    def named_modules(self, memo: set[Tree] | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:
        """This module and all below it, each once, with their dotted names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """The submodules one level below, each once, with their names."""
        seen = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Any]:
        """The submodules one level below, each once."""
        return (child for _, child in self.named_children())

    def _named_members(self, group: str, prefix: str, recurse: bool,
                       remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen = set()
        walk = (self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse
                else [(prefix, self)])
        for path, module in walk:
            for name, member in module.__dict__[group].items():
                if member is not None and id(member) not in seen:
                    if remove_duplicate:
                        seen.add(id(member))
                    yield f"{path}.{name}" if path else name, member

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names; shared ones once."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters: what an optimizer takes."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their dotted names."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Any:
        """The module at a dotted path; raises AttributeError where the path breaks off."""
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Tree):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def get_parameter(self, target: str) -> Any:
        """The parameter at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if module._parameters.get(name) is None:
            raise AttributeError(f"{module._get_name()} has no parameter `{name}`")
        return module._parameters[name]

    def get_buffer(self, target: str) -> Any:
        """The buffer at a dotted path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if module._buffers.get(name) is None:
            raise AttributeError(f"{module._get_name()} has no buffer `{name}`")
        return module._buffers[name]

    def apply(self, fn: Callable[[Any], Any]) -> Self:
        """Call ``fn`` on every submodule, then on this module: how weights are initialised."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self


class _Kind(NamedTuple):
    """What an attribute may be besides a plain value: where it is filed, and PyTorch's words."""

    group: str
    cls: Any
    what: str
    early: str
    expected: str


_KINDS = (_Kind("_parameters", Parameter, "parameter", "parameters", "nn.Parameter"),
          _Kind("_modules", Tree, "child module", "module", "nn.Module"),
          _Kind("_buffers", Buffer, "buffer", "buffer", "nn.Buffer, torch.Tensor"))
