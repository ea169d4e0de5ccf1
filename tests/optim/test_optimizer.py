"""Groups, closures, hooks and refusals of every optimizer are torch's."""

from __future__ import annotations

import copy
import importlib
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import minitorch
from minitorch.testing.db.optimizers import OPTIONS
from minitorch.testing.db.runs import Run, close

BOTH = minitorch, torch
ALL = [*OPTIONS, "SparseAdam", "LBFGS"]


def outcome(f: Any, *args: Any) -> Any:
    """What ``f`` gives or raises under each engine; errors by their type and text."""
    found = []
    for engine in BOTH:
        try:
            found.append(f(engine, *args))
        except Exception as error:
            found.append((type(error).__name__, str(error)))
    return found


def module(engine: Any) -> Any:
    return importlib.import_module(f"{engine.__name__}.optim.optimizer")


BAD: list[tuple[str, dict[str, Any]]] = [
    *((name, dict(lr=-1.0)) for name in ALL),
    *((name, dict(weight_decay=-0.1)) for name in OPTIONS if name != "Rprop"),
    *((name, dict(eps=-1.0)) for name in ("Adadelta", "Adagrad", "Adam", "AdamW", "Adamax",
                                           "NAdam", "RAdam", "RMSprop", "SparseAdam")),
    *((name, dict(betas=betas)) for betas in ((1.0, 0.9), (0.9, -0.1), (0.5, 1.0))
      for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "SparseAdam")),
    ("SGD", dict(momentum=-1.0)), ("SGD", dict(nesterov=True)),
    ("SGD", dict(nesterov=True, momentum=0.9, dampening=0.1)), ("Adadelta", dict(rho=1.5)),
    ("Adadelta", dict(rho=-0.1)), ("Adagrad", dict(lr_decay=-1.0)),
    ("Adagrad", dict(initial_accumulator_value=-1.0)), ("NAdam", dict(momentum_decay=-0.2)),
    ("RMSprop", dict(momentum=-1.0)), ("RMSprop", dict(alpha=-1.0)),
    ("Rprop", dict(etas=(1.0, 1.2))), ("Rprop", dict(etas=(0.0, 1.2))),
    ("Rprop", dict(etas=(0.5, 1.0))), ("SparseAdam", dict(lr=0.0)), ("SparseAdam", dict(eps=0.0)),
    ("Adam", dict(betas=(0, 0.9))),
    *((name, dict(fused=True, foreach=True)) for name in ("SGD", "Adagrad", "Adam", "AdamW")),
    *((name, dict(fused=True, differentiable=True)) for name in ("SGD", "Adagrad", "Adam")),
    *((name, dict(no_such_option=1)) for name in ("SGD", "LBFGS")),
]


@pytest.mark.parametrize(("name", "options"), BAD)
def test_bad_hyper_parameters_raise_what_torch_raises(name: str, options: dict[str, Any]) -> None:
    def make(engine: Any) -> Any:
        getattr(engine.optim, name)([engine.ones(2, requires_grad=True)], **options)

    ours, theirs = outcome(make)
    assert ours == theirs and ours is not None


@pytest.mark.parametrize("name", ALL)
def test_a_rate_of_several_elements_is_refused(name: str) -> None:
    def make(engine: Any) -> Any:
        getattr(engine.optim, name)([engine.ones(2, requires_grad=True)], lr=engine.ones(2))

    ours, theirs = outcome(make)
    assert ours == theirs == ("ValueError", "Tensor lr must be 1-element")


@pytest.mark.parametrize("options", [
    lambda e: dict(lr=e.tensor(0.1), foreach=True), lambda e: dict(betas=(0.9, e.tensor(0.9))),
    lambda e: dict(betas=(e.tensor(0.5), e.tensor(0.9)), foreach=True)])
def test_adams_tensor_options_are_refused_as_by_torch(options: Any) -> None:
    ours, theirs = outcome(lambda e: e.optim.Adam([e.ones(2, requires_grad=True)], **options(e)))
    assert ours == theirs and ours[0] == "ValueError"


PARAMS: dict[str, Any] = {
    "none": lambda e, x, y: [],
    "a tensor": lambda e, x, y: x,
    "a number": lambda e, x, y: [1],
    "a computed tensor": lambda e, x, y: [x * 2],
    "one in two groups": lambda e, x, y: [{"params": [x]}, {"params": [y, x]}],
    "a set": lambda e, x, y: [{"params": {x}}],
    "names for some": lambda e, x, y: [("x", x), y],
    "names in some groups": lambda e, x, y: [{"params": [("x", x)]}, {"params": [y]}],
    "a group that is no dict": lambda e, x, y: [{"params": [x]}, [y]],
}


@pytest.mark.parametrize("kind", PARAMS)
def test_bad_parameters_raise_what_torch_raises(kind: str) -> None:
    def make(engine: Any) -> Any:
        x, y = engine.ones(2, requires_grad=True), engine.ones(3, requires_grad=True)
        engine.optim.SGD(PARAMS[kind](engine, x, y), lr=0.1)

    ours, theirs = outcome(make)
    assert ours[0] == theirs[0] != None  # noqa: E711
    if kind not in ("a tensor", "a number"):  # we name the type our way
        assert ours == theirs


def test_a_parameter_given_twice_warns() -> None:
    for engine in BOTH:
        x = engine.ones(2, requires_grad=True)
        with pytest.warns(UserWarning, match="duplicate parameters"):
            engine.optim.SGD([x, x], lr=0.1)


def test_a_required_option_must_be_given() -> None:
    def make(engine: Any) -> Any:
        required = module(engine).required
        engine.optim.Optimizer([engine.ones(1, requires_grad=True)], dict(lr=required))

    ours, theirs = outcome(make)
    assert ours == theirs


@pytest.mark.parametrize("name", [name for name in ALL if name != "LBFGS"])
def test_groups_and_defaults_are_torchs(name: str) -> None:
    """What a group is given stays; what it lacks comes from the constructor; later groups too."""
    found = []
    for engine in BOTH:
        x, y, z = (engine.ones(2, requires_grad=True) for _ in range(3))
        first: dict[str, Any] = {"params": (p for p in [("x", x)]), "lr": 0.5, "own": 3}
        optimizer = getattr(engine.optim, name)([first], lr=0.25)
        optimizer.add_param_group({"params": [("y", y), ("z", z)]})
        assert first is optimizer.param_groups[0]
        found.append([{k: v for k, v in group.items() if k != "params"}
                      for group in optimizer.param_groups] + [repr(optimizer)])
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ALL)
def test_repr_is_torchs(name: str) -> None:
    ours, theirs = outcome(lambda e: repr(getattr(e.optim, name)([e.ones(1, requires_grad=True)])))
    assert ours == theirs


def test_lbfgs_takes_one_group() -> None:
    def make(engine: Any) -> Any:
        engine.optim.LBFGS([{"params": [engine.ones(1, requires_grad=True)]} for _ in range(2)])

    ours, theirs = outcome(make)
    assert ours == theirs and ours[0] == "ValueError"


@pytest.mark.parametrize("name", OPTIONS)
def test_step_returns_the_closures_loss(name: str) -> None:
    x = minitorch.tensor([3.0], requires_grad=True)
    optimizer = getattr(minitorch.optim, name)([x], lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with minitorch.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert x.item() < 3.0


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad_keeps_or_forgets_the_gradients_memory(set_to_none: bool) -> None:
    for engine in BOTH:
        x, y = engine.ones(2, requires_grad=True), engine.ones(2, requires_grad=True)
        (x * 3).sum().backward()
        g = x.grad
        engine.optim.SGD([x, y], lr=0.1).zero_grad(set_to_none)
        assert y.grad is None
        assert g.tolist() == ([3.0, 3.0] if set_to_none else [0.0, 0.0])
        assert x.grad is (None if set_to_none else g)


def hooked(engine: Any) -> list[Any]:
    """Everything the hooks of a few steps see."""
    seen: list[Any] = []
    x = engine.ones(2, requires_grad=True)
    optimizer = engine.optim.SGD([x], lr=0.5)
    other = engine.optim.Adam([x], lr=0.5)

    def note(what: str, answer: Any = None) -> Any:
        def hook(optimizer: Any, args: Any, kwargs: Any) -> Any:
            at = [round(v, 4) for v in x.tolist()]
            seen.append((what, type(optimizer).__name__, len(args), sorted(kwargs), at))
            return answer
        return hook

    handles = [
        module(engine).register_optimizer_step_pre_hook(note("every pre")),
        module(engine).register_optimizer_step_post_hook(note("every post")),
        optimizer.register_step_pre_hook(
            note("pre", ((optimizer,), {"closure": lambda: seen.append("called")}))),
        optimizer.register_step_post_hook(note("post")),
    ]
    x.grad = engine.ones(2)
    optimizer.step()
    other.step()
    for handle in handles:
        handle.remove()
    optimizer.step()
    return seen


def test_hooks_see_what_torchs_see() -> None:
    ours, theirs = map(hooked, BOTH)
    assert ours == theirs and len(ours) == 7


def test_a_hook_that_returns_something_else_is_an_error() -> None:
    x = minitorch.ones(1, requires_grad=True)
    optimizer = minitorch.optim.SGD([x], lr=0.5)
    optimizer.register_step_pre_hook(lambda *_: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_an_own_optimizer_is_written_as_for_torch() -> None:
    """A step over param_groups, with momentum in ``state``; hooks work for it too."""
    def program(engine: Any) -> Any:
        class Heavy(engine.optim.Optimizer):  # type: ignore[misc, name-defined]
            def __init__(self, params: Any, lr: float, momentum: float) -> None:
                super().__init__(params, {"lr": lr, "momentum": momentum})

            def step(self, closure: Any = None) -> None:
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is None:
                            continue
                        state = self.state[p]
                        if "b" not in state:
                            state["b"] = engine.zeros_like(p.data)
                        state["b"].mul_(group["momentum"]).add_(p.grad.data)
                        p.data.add_(state["b"], alpha=-group["lr"])

        seen: list[Any] = []
        x = engine.tensor([1.0, 2.0], requires_grad=True)
        optimizer = Heavy([x], 0.1, 0.9)
        optimizer.register_step_post_hook(lambda *_: seen.append(x.tolist()))
        for _ in range(3):
            optimizer.zero_grad()
            (x * x).sum().backward()
            optimizer.step()
        return np.array([*seen, optimizer.state_dict()["state"][0]["b"].tolist()])

    ours, theirs = map(program, BOTH)
    close([ours], [theirs], 1e-6)


@pytest.mark.parametrize("name", OPTIONS)
def test_copies_and_pickles_go_on_alike(name: str) -> None:
    """The copy moves its own copies of the parameters, and leaves the original alone."""
    run = Run(minitorch, name, {})
    run.steps(3)
    for copied in (copy.deepcopy((run.params, run.optimizer)),
                   pickle.loads(pickle.dumps((run.params, run.optimizer)))):
        again = Run(minitorch, name, {})
        again.params, again.optimizer = copied
        before = [p.detach().numpy().copy() for p in run.params]
        expected = Run(minitorch, name, {}).steps(6)
        close(again.steps(3, 3), expected, 0)
        close([p.detach().numpy() for p in run.params], before, 0)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_step_counts_as_a_write(name: str) -> None:
    """A graph that saved the parameter before the step must not be walked after it."""
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    x.grad = minitorch.ones(2)
    getattr(minitorch.optim, name)([x]).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_threads_do_not_share_scratch() -> None:
    """Two models trained in two threads end where they end alone."""
    import threading

    def train(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        x = minitorch.tensor(rng.normal(size=20000), requires_grad=True)
        optimizer = minitorch.optim.Adam([x], lr=0.1)
        for _ in range(30):
            x.grad = minitorch.tensor(rng.normal(size=20000))
            optimizer.step()
        return x.detach().numpy()

    alone = [train(0), train(1)]
    found: dict[int, Any] = {}
    threads = [threading.Thread(target=lambda i=i: found.update({i: train(i)})) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close([found[0], found[1]], alone, 0)


def test_accepted_ways_change_nothing() -> None:
    """foreach, fused and capturable, where the constructor has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in OPTIONS:
            expected = Run(minitorch, name, {}).steps(3)
            for way in ("foreach", "fused", "capturable"):
                try:
                    run = Run(minitorch, name, {way: True})
                except TypeError:
                    assert not hasattr(getattr(torch.optim, name), way)
                    continue
                close(run.steps(3), expected, 0)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_parameter_that_cannot_be_written_is_refused(name: str) -> None:
    """Read-only memory, or several elements in one place: nothing has moved by then."""
    locked = np.ones(3, np.float32)
    locked.flags.writeable = False
    for bad in (minitorch.from_numpy(locked), minitorch.ones(1).expand(3)):
        x, bad = minitorch.ones(3, requires_grad=True), bad.detach().requires_grad_(True)
        x.grad = bad.grad = minitorch.ones(3)
        with pytest.raises(RuntimeError, match="the memory is read-only"):
            getattr(minitorch.optim, name)([x, bad]).step()
        assert x.tolist() == [1.0, 1.0, 1.0]


def test_hooks_are_not_pickled() -> None:
    x = minitorch.ones(2, requires_grad=True)
    optimizer = minitorch.optim.SGD([x], lr=0.5)
    optimizer.register_step_post_hook(lambda *_: None)
    again = pickle.loads(pickle.dumps(optimizer))
    again.step()
    assert repr(again) == repr(optimizer)
