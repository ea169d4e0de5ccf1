"""Calling a module that has hooks: functions that watch or change what flows through it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minitorch import engine
from minitorch.autograd import Function
from minitorch.modes import modes
from minitorch.tensor import Handle
from minitorch.views import node_of

if TYPE_CHECKING:
    from minitorch.nn.module import Module


def register(hooks: dict[int, Any], entry: Any, prepend: bool) -> Handle:
    """Add a hook after the others (or before them); its handle removes it."""
    handle = Handle(hooks)
    others = dict(hooks)
    if prepend:
        hooks.clear()
    hooks[handle.id] = entry
    hooks.update(others)
    return handle


def call(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward`` between its hooks."""
    for hook, with_kwargs in tuple(module._forward_pre_hooks.values()):
        new = hook(module, args, kwargs) if with_kwargs else hook(module, args)
        if new is None:
            continue
        if not with_kwargs:
            args = new if isinstance(new, tuple) else (new,)
        elif isinstance(new, tuple) and len(new) == 2:
            args, kwargs = new
        else:
            raise RuntimeError(f"forward pre-hook must return None or a tuple of (new_args, "
                               f"new_kwargs), but got {new}.")
    watch = None
    if module._backward_hooks or module._backward_pre_hooks:
        watch = _Watch(module)
        args = watch.enter(args)
    result = module.forward(*args, **kwargs)
    for hook, with_kwargs in tuple(module._forward_hooks.values()):
        new = (hook(module, args, kwargs, result) if with_kwargs
               else hook(module, args, result))
        if new is not None:
            result = new
    return result if watch is None else watch.leave(result)


class BackwardHookFunction(Function):
    """The identity on several tensors; its backward shows ``see`` all their gradients at once."""

    @staticmethod
    def forward(ctx: Any, see: Callable[..., Any], *tensors: Any) -> Any:
        ctx.see = see
        # As PyTorch shows them: no gradient of an output is None, of an input zeros.
        ctx.set_materialize_grads(see.__name__ == "see_input")
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (None, *ctx.see(grads))


def _gate(see: Callable[..., Any], values: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int]]:
    """``values`` with its tensors passed through one gate, and their places; none if no
    gradient will come."""
    places = [i for i, v in enumerate(values) if isinstance(v, engine.Tensor)]
    if not modes.grad or all(node_of(values[i]) is None for i in places):
        return values, []
    passed = dict(zip(places, BackwardHookFunction.apply(see, *[values[i] for i in places])))
    return tuple([passed.get(i, v) for i, v in enumerate(values)]), places


def _spread(places: list[int], values: Any, count: int) -> tuple[Any, ...]:
    found = dict(zip(places, values))
    return tuple([found.get(i) for i in range(count)])


class _Watch:
    """One call of a module with backward hooks, between its gates.

    Backward reaches the outputs' gate first, then the inputs' gate; there the hooks are called
    with both gradients. It holds no node, so it closes no cycle with the graph that holds it.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.hooks = tuple(module._backward_hooks.values())
        self.pre_hooks = tuple(module._backward_pre_hooks.values())
        self.grad_output: tuple[Any, ...] | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.inputs = len(args)
        args, self.input_places = _gate(self.see_input, args)
        return args

    def leave(self, result: Any) -> Any:
        outputs = result if isinstance(result, tuple) else (result,)
        if not isinstance(outputs[0], engine.Tensor) and not isinstance(result, tuple):
            warnings.warn(f"For backward hooks to be called, module output should be a Tensor or a "
                          f"tuple of Tensors but received {type(result)}", stacklevel=4)
        self.outputs = len(outputs)
        outputs, self.output_places = _gate(self.see_output, outputs)
        return outputs if isinstance(result, tuple) else outputs[0]

    def see_output(self, grads: tuple[Any, ...]) -> list[Any]:
        grad_output = _spread(self.output_places, grads, self.outputs)
        for hook in self.pre_hooks:
            new = _as_tuple(hook(self.module, grad_output))
            if new is not None:
                if len(new) != len(grad_output):
                    raise RuntimeError(f"Backward pre hook returned an invalid number of "
                                       f"grad_output, got {len(new)}, but expected "
                                       f"{len(grad_output)}")
                grad_output = new
        self.grad_output = grad_output
        if not self.input_places:  # no gradient will reach the inputs: this is the moment
            if self.hooks:
                warnings.warn("Full backward hook is firing when gradients are computed with "
                              "respect to module outputs since no inputs require gradients.",
                              stacklevel=2)
            for hook in self.hooks:
                new = _as_tuple(hook(self.module, (None,) * self.inputs, grad_output))
                if new is not None and any(g is not None for g in new):
                    raise RuntimeError("Backward hook for Modules where no input requires gradient "
                                       "should always return None or None for all gradients.")
            self.grad_output = None
        return [grad_output[i] for i in self.output_places]

    def see_input(self, grads: tuple[Any, ...]) -> list[Any]:
        if self.grad_output is None:  # the gradient did not come through the output
            return list(grads)
        grad_input = _spread(self.input_places, grads, self.inputs)
        for hook in self.hooks:
            new = _as_tuple(hook(self.module, grad_input, self.grad_output))
            if new is not None:
                if len(new) != len(grad_input):
                    raise RuntimeError(f"Backward hook returned an invalid number of grad_input, "
                                       f"got {len(new)}, but expected {len(grad_input)}")
                grad_input = new
        self.grad_output = None
        return [grad_input[i] for i in self.input_places]


def _as_tuple(x: Any) -> tuple[Any, ...] | None:
    return x if x is None or isinstance(x, tuple) else (x,)
