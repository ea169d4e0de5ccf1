"""``Module``: a function with parameters, and modules inside it.

``tree`` files and finds the parts, ``state`` saves and loads them, ``hooks`` watches calls; here
they come together. Calling a module runs its ``forward``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from minitorch import backend, dtypes, engine
from minitorch.guests import adopt
from minitorch.modes import no_grad
from minitorch.nn import hooks, state
from minitorch.nn.tree import Tree
from minitorch.tensor import Handle


def _forward_unimplemented(self: Any, *input: Any) -> None:
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" '
                              f"function")


class Module(Tree):
    """Base class of all layers and networks: subclass, assign parts, define ``forward``.

    >>> import minitorch as torch
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = torch.nn.Linear(2, 1)
    ...     def forward(self, x):
    ...         return torch.sigmoid(self.layer(x))
    >>> net = Net()
    >>> [name for name, _ in net.named_parameters()]
    ['layer.weight', 'layer.bias']
    >>> net(torch.zeros(5, 2)).shape
    torch.Size([5, 1])
    """

    _version = 1  # of the layout of this class's state, written beside it in a state dict
    _since_version: dict[str, int] = {}  # entries of the state that older layouts lack
    training: bool
    forward: Callable[..., Any] = _forward_unimplemented

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(training=True, _forward_pre_hooks={}, _forward_hooks={},
                             _backward_pre_hooks={}, _backward_hooks={})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for x in args:
            if not isinstance(x, engine.Tensor):
                args = adopt(args)
                break
        if (self._forward_pre_hooks or self._forward_hooks or self._backward_hooks
                or self._backward_pre_hooks):
            return hooks.call(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # -- modes and gradients ---------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch dropout and batch norm to training; the grad mode is untouched."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch dropout and batch norm to evaluation; the grad mode is untouched."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Train the parameters, or freeze them."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or set them to 0."""
        for p in self.parameters():
            if p._grad is None:
                continue
            if set_to_none:
                p._grad = None
            else:
                p._grad.detach_().zero_()

    # -- dtype and device ------------------------------------------------------------------------

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Replace the memory of every parameter, gradient and buffer by what ``fn`` makes of it."""
        for child in self.children() if recurse else ():
            child._apply(fn)
        with no_grad():
            for p in self._parameters.values():
                if p is not None:
                    p.data = fn(p)
                    if p._grad is not None:
                        p._grad.data = fn(p._grad)
            for name, b in self._buffers.items():
                if b is not None:
                    self._buffers[name] = fn(b)
        return self

    def to(self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False,
           memory_format: Any = None) -> Self:
        """Floating parameters and buffers as ``dtype``, all on ``device``; in place.

        ``to(device)``, ``to(dtype)``, ``to(device, dtype)``, ``to(tensor)``. Raises TypeError for
        a dtype that is not floating.
        """
        for arg in args:
            if isinstance(arg, engine.Tensor):
                dtype, device = arg.dtype, arg.device  # type: ignore[attr-defined]
            elif isinstance(arg, dtypes.dtype):
                dtype = arg
            elif isinstance(arg, (str, int, backend.device)) and not isinstance(arg, bool):
                device = arg
            elif arg is not None and not isinstance(arg, bool):
                raise TypeError(f"to() received an invalid combination of arguments: {arg!r}")
        if dtype is not None and dtypes.to_numpy(dtype).kind != "f":
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got "
                            f"desired dtype={dtype}")
        return self._apply(lambda t: t.to(dtype=dtype if t.is_floating_point() else None,
                                          device=device))

    def double(self) -> Self:
        """Floating parameters and buffers as float64."""
        return self.to(dtypes.float64)

    def half(self) -> Self:
        """Floating parameters and buffers as float16."""
        return self.to(dtypes.float16)

    def type(self, dst_type: Any) -> Self:
        """All parameters and buffers as ``dst_type``."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self) -> Self:
        """Parameters and buffers on the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Self:
        """Parameters and buffers on the GPU; raises RuntimeError without one."""
        return self.to(backend.device("cuda" if device is None else device))

    def float(self) -> Self:
        """Floating parameters and buffers as float32."""
        return self.to(dtypes.float32)

    # -- state -----------------------------------------------------------------------------------

    def state_dict(self, *, destination: Any = None, prefix: str = "",
                   keep_vars: bool = False) -> Any:
        """Parameters and persistent buffers by dotted name, detached, sharing memory."""
        return state.save(self, destination, prefix, keep_vars)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True,
                        assign: bool = False) -> state._IncompatibleKeys:
        """Copy values from a state dict: of Tensors, NumPy arrays or PyTorch's own tensors.

        Raises RuntimeError, before anything is changed, that lists what does not fit: shapes, and
        with ``strict`` missing and unexpected keys (else they are returned). ``assign`` puts the
        dict's tensors in place of the module's instead of copying.
        """
        return state.load(self, state_dict, strict, assign)

    # -- hooks -----------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                                  with_kwargs: bool = False) -> Handle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        With ``with_kwargs``: ``hook(module, args, kwargs)``, which returns both.
        """
        return hooks.register(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                              with_kwargs: bool = False) -> Handle:
        """Call ``hook(module, args, output)`` after ``forward``; its result replaces the output.

        With ``with_kwargs``: ``hook(module, args, kwargs, output)``.
        """
        return hooks.register(self._forward_hooks, (hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any],
                                        prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_output)`` in backward; its result replaces ``grad_output``."""
        return hooks.register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any],
                                    prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` in backward, with tuples of gradients;
        its result replaces ``grad_input``."""
        return hooks.register(self._backward_hooks, hook, prepend)

    # -- text ------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What is shown between the parentheses, before the submodules."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): {indented(repr(child))}" for name, child in self._modules.items()]
        return f"{self._get_name()}({bracketed(lines)})"


def indented(text: str) -> str:
    """``text`` with every line but the first moved in by two; blank lines stay empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *["  " + line if line.strip() else "" for line in rest]])


def bracketed(lines: list[str]) -> str:
    """Lines between parentheses, each on its own."""
    return "\n  " + "\n  ".join(lines) + "\n" if lines else ""
