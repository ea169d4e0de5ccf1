"""A compiled module in an ordinary training loop: its backward pass is recorded as well."""

import numpy as np
import pytest

import minitorch as torch

nn = torch.nn


def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.2),
                         nn.Linear(8, 3))


def losses(model, steps=6, twice=False):
    torch.manual_seed(2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    out = []
    for _ in range(steps):
        x, y = torch.randn(8, 5), torch.randint(0, 3, (8,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        if twice:  # both passes are alive until backward
            loss = loss + model(-x).pow(2).sum()
        loss.backward()
        optimizer.step()
        out.append(loss.item())
    return out


@pytest.mark.parametrize("twice", [False, True])
def test_a_compiled_module_trains_as_the_module_does_bit_for_bit(twice):
    assert losses(torch.compile(network()), twice=twice) == losses(network(), twice=twice)


def test_parameters_modes_and_state_are_the_originals():
    model = network()
    compiled = torch.compile(model)
    assert [id(p) for p in compiled.parameters()] == [id(p) for p in model.parameters()]
    assert list(compiled.state_dict()) == [f"_orig_mod.{k}" for k in model.state_dict()]
    compiled.eval()
    assert not model.training and compiled._orig_mod is model
    x = torch.randn(4, 5)
    with torch.no_grad():
        for _ in range(3):
            assert torch.equal(compiled(x), model(x)) and not compiled(x).requires_grad


def test_inputs_have_gradients_too():
    model = network().eval()
    compiled = torch.compile(model)
    for seed in range(4):
        torch.manual_seed(seed)
        x, g = torch.randn(4, 5), torch.randn(4, 3)
        a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
        compiled(a).backward(g)
        model(b).backward(g)
        assert torch.equal(a.grad, b.grad)


def test_a_second_backward_is_refused_as_by_any_graph():
    compiled = torch.compile(network().eval())
    for _ in range(3):
        y = compiled(torch.randn(2, 5)).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()


def test_a_result_whose_graph_was_dropped_does_not_block_the_plan():
    compiled = torch.compile(network().eval())
    x = torch.randn(2, 5)
    for _ in range(4):
        compiled(x)
    plan = compiled.compiled.plans[0]
    calls = []
    plan.parts[0], run = lambda: (calls.append(1), run()), plan.parts[0]
    y = compiled(x)
    compiled(x)  # y may still be pulled back: this one runs unrecorded
    y.sum().backward()
    assert calls == [1]


def test_values_of_the_forward_pass_are_not_shared_with_later_ones():
    model = network().eval()
    compiled = torch.compile(model)
    for _ in range(3):
        compiled(torch.randn(2, 5)).sum().backward()
    model.zero_grad()
    x, z = torch.randn(2, 5), torch.randn(2, 5)
    a = compiled(x)
    b = compiled(z)
    (a * b).sum().backward()
    found = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    (model(x) * model(z)).sum().backward()
    for g, p in zip(found, model.parameters()):
        np.testing.assert_array_equal(g.array, p.grad.array)
