"""Hooks on modules: when they are called, with what, and what their results replace."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.nn.both import assert_agree


class Log(list):  # type: ignore[type-arg]
    """Hooks that write down what they see, and return a given function of it."""

    def hook(self, name: str, change: Any = None) -> Any:
        def hook(module: Any, *seen: Any) -> Any:
            self.append([name, type(module).__name__, *map(kept, seen)])
            return None if change is None else change(*seen)
        return hook


def kept(x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return [kept(v) for v in x]
    if isinstance(x, dict):
        return {k: kept(v) for k, v in x.items()}
    return x.detach().clone() if hasattr(x, "detach") else x


CHANGES = [None, lambda *seen: None]


@given(order=st.permutations(["pre", "pre kw", "pre first", "after", "after kw", "after first"]),
       change=st.booleans())
def test_forward_hooks_agree(order: list[str], change: bool) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        layer, log = t.nn.Linear(2, 2), Log()
        for name in order:
            first, kw = "first" in name, "kw" in name
            if name.startswith("pre"):
                new = {True: lambda x, k: ((x[0] + 1,), k), False: lambda x: x[0] * 2}[kw]
                layer.register_forward_pre_hook(log.hook(name, new if change else None),
                                                prepend=first, with_kwargs=kw)
            else:
                new = {True: lambda x, k, y: y + x[0], False: lambda x, y: y * 3}[kw]
                layer.register_forward_hook(log.hook(name, new if change else None),
                                            prepend=first, with_kwargs=kw)
        return layer(t.arange(4.0).reshape(2, 2)), list(log)

    assert_agree(program)


def test_keyword_arguments_reach_hooks_and_may_be_replaced() -> None:
    def program(t: Any) -> Any:
        log = Log()
        layer = t.nn.Identity()
        layer.register_forward_pre_hook(
            log.hook("pre", lambda x, k: ((), {"input": k["input"] + 1})), with_kwargs=True)
        layer.register_forward_hook(log.hook("after"), with_kwargs=True)
        return layer(input=t.ones(2)), list(log)

    assert_agree(program)


def test_a_pre_hook_with_keywords_must_return_both() -> None:
    def program(t: Any) -> Any:
        layer = t.nn.Identity()
        layer.register_forward_pre_hook(lambda m, x, k: x, with_kwargs=True)
        return layer(t.ones(2))

    assert assert_agree(program).type is RuntimeError


def test_removed_hooks_are_not_called() -> None:
    def program(t: Any) -> Any:
        layer, log = t.nn.Linear(2, 2), Log()
        handles = [layer.register_forward_hook(log.hook("a")),
                   layer.register_forward_pre_hook(log.hook("b")),
                   layer.register_full_backward_hook(log.hook("c"))]
        with handles[0]:
            pass
        for handle in handles[1:]:
            handle.remove()
            handle.remove()
        layer(t.ones(1, 2)).sum().backward()
        return list(log)

    assert assert_agree(program) == []


@given(x_needs=st.booleans(), pre=st.booleans(), change=st.booleans(), seed=st.integers(0, 99))
def test_backward_hooks_agree(x_needs: bool, pre: bool, change: bool, seed: int) -> None:
    """With and without a gradient of the input; what the hook returns replaces it."""
    def program(t: Any) -> Any:
        t.manual_seed(seed)
        net, log = t.nn.Sequential(t.nn.Linear(3, 2), t.nn.Tanh(), t.nn.Linear(2, 2)), Log()
        changes = change and x_needs
        for module in (net, net[1]):
            module.register_full_backward_hook(
                log.hook("back", (lambda gx, gy: (gx[0] * 2,)) if changes else None))
            if pre:
                module.register_full_backward_pre_hook(
                    log.hook("pre", (lambda gy: (gy[0] + 1,)) if change else None), prepend=True)
        x = t.randn(4, 3, requires_grad=x_needs)
        h = x * 2
        y = net(h)
        y.backward(t.randn(4, 2))
        return y, x.grad, [p.grad for p in net.parameters()], list(log)

    assert_agree(program)


def test_backward_hooks_see_several_inputs_and_outputs() -> None:
    def program(t: Any) -> Any:
        class Pair(t.nn.Module):  # type: ignore[misc]
            def forward(self, a: Any, n: int, b: Any, c: Any) -> Any:
                return a * b, n, c * a

        log = Log()
        module = Pair()
        module.register_full_backward_hook(log.hook("back"))
        a, b = t.tensor([2.0], requires_grad=True), t.tensor([3.0], requires_grad=True)
        y, n, z = module(a, 5, b, t.tensor([4.0]))
        (y * 10 + z).sum().backward()
        return y, n, z, a.grad, b.grad, list(log), type(y.grad_fn).__name__ != ""

    assert_agree(program)


def test_an_unused_output_gives_none() -> None:
    def program(t: Any) -> Any:
        class Pair(t.nn.Module):  # type: ignore[misc]
            def forward(self, a: Any) -> Any:
                return a * 2, a * 3

        log = Log()
        module = Pair()
        module.register_full_backward_hook(log.hook("back"))
        a = t.tensor([2.0], requires_grad=True)
        module(a)[1].sum().backward()
        return a.grad, list(log)

    assert_agree(program)


@pytest.mark.parametrize("hook", ["pre", "back", "back without input"])
def test_a_wrong_number_of_gradients_raises(hook: str) -> None:
    def program(t: Any) -> Any:
        layer = t.nn.Linear(2, 2)
        if hook == "pre":
            layer.register_full_backward_pre_hook(lambda m, gy: (gy[0], gy[0]))
        else:
            layer.register_full_backward_hook(lambda m, gx, gy: (gy[0], gy[0]))
        x = t.ones(1, 2, requires_grad=hook != "back without input")
        layer(x).sum().backward()

    assert assert_agree(program).type is RuntimeError


def test_backward_hooks_survive_double_backward() -> None:
    def program(t: Any) -> Any:
        log = Log()
        layer = t.nn.Tanh()
        layer.register_full_backward_hook(log.hook("back"))
        x = t.tensor([0.3, 0.7], requires_grad=True)
        (g,) = t.autograd.grad(layer(x).sum(), x, create_graph=True)
        (h,) = t.autograd.grad(g.sum(), x)
        return g, h, len(log)

    assert_agree(program)


def test_no_grad_calls_no_backward_hook() -> None:
    layer = minitorch.nn.Linear(2, 2)
    layer.register_full_backward_hook(lambda m, gx, gy: 1 / 0)
    with minitorch.no_grad():
        assert not layer(minitorch.ones(1, 2)).requires_grad
