"""Laws of conduct: nobody who behaves is accused."""

import numpy as np
import pytest
import torch

import minitorch
from minitorch.testing import check_grad

LIBRARIES = [minitorch, torch]
x = np.random.default_rng(0).normal(size=(4, 3))


def right_functions(lib):
    """Functions with something that might look like an offence."""
    def in_place_inside(x):
        y = x * 1
        y += 1
        return y * y

    def views_only(x):
        return x.view(-1) ** 2  # refuses what is not contiguous: loudly

    def many(x, y, z):
        return x * y, (y @ z.T).sum(), z
    return [
        (in_place_inside, 1), (views_only, 1), (many, 3), (lambda x: x, 1),
        (lambda x, y: lib.log((x - y) ** 2), 2),  # not defined at f(x, x)
        (lambda x, y: x + y, 2),
        (lambda x: x.T @ lib.inverse(x @ x.T + 1e-3 * lib.eye(4, dtype=x.dtype)), 1)
        if lib is torch else (lambda x: x[[0, 0, 2]].cumsum(0), 1),
        (lambda x: (x.amax(0), x.sort(0)[0] ** 2), 1),
        (lambda x: (x - x.mean(0)) / x.std(0), 1),  # nan where rows are equal
        (lambda x: x.mean(), 1), (lambda x: lib.nn.functional.dropout(x, 0.5), 1),
    ]


@pytest.mark.parametrize("lib", LIBRARIES)
def test_right_functions_are_not_accused(lib):
    inputs = [lib.from_numpy(np.random.default_rng(k).normal(size=(4, 3))) for k in range(3)]
    for number, (f, n) in enumerate(right_functions(lib)):
        report = check_grad(f, *inputs[:n], raise_exception=False)
        assert report.verdict == "pass", (number, report.reason)


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0)])
def test_0d_and_empty_inputs_are_not_accused(lib, shape):
    a, b = (lib.from_numpy(np.full(shape, value)) for value in (0.7, -0.3))
    assert check_grad(lambda a, b: (a * b, lib.sin(a).sum()), a, b).verdict == "pass"
    pair = (np.multiply, lambda v, a, b: (v * b, v * a))
    assert check_grad(pair, np.full(shape, 0.7), np.full(shape, -0.3)).verdict == "pass"


@pytest.mark.parametrize("lib", LIBRARIES)
def test_a_module_with_running_statistics_is_not_accused_and_keeps_its_grad(lib):
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.Tanh()).double()
    batch = lib.from_numpy(x.copy())
    net(batch).sum().backward()
    grads = [p.grad for p in net.parameters()]
    before = {name: t.detach().clone() for name, t in net.state_dict().items()}
    for mode in (True, False):
        assert check_grad(net.train(mode), batch).verdict == "pass"
    assert all(p.grad is g and p.requires_grad for p, g in zip(net.parameters(), grads))
    assert all((net.state_dict()[name] == t).all() for name, t in before.items())
