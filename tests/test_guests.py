"""PyTorch's own tensors as arguments, as a torchvision dataset hands them to a program."""

import numpy as np
import pytest
import torch

import minitorch

F = minitorch.nn.functional


@pytest.fixture
def images():
    return torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4)


def agrees(ours, theirs):
    assert isinstance(ours, minitorch.Tensor), type(ours)
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("call", [
    lambda t, x: t.stack([x, x]), lambda t, x: t.cat([x, x], dim=1), lambda t, x: t.flatten(x, 1),
    lambda t, x: t.max(x), lambda t, x: t.mean(x.float()), lambda t, x: t.std(x.float()),
    lambda t, x: t.unsqueeze(x, 0), lambda t, x: t.where(x > 5, 1, 0), lambda t, x: t.unique(x),
    lambda t, x: t.zeros_like(x), lambda t, x: t.nonzero(x == 5),
    lambda t, x: t.nn.functional.softmax(x.float(), dim=-1),
    lambda t, x: t.nn.functional.one_hot(x[0, 0].long(), 5),
    lambda t, x: t.nn.functional.mse_loss(x.float(), t.zeros(2, 3, 4)),
    lambda t, x: t.zeros(24)[x[0].long()], lambda t, x: t.zeros(2, 3, 4).masked_fill_(x > 3, 1.0),
    lambda t, x: t.zeros(1, 30).scatter_(1, x[0, :1].long(), 1.0),
    lambda t, x: t.zeros(2, 3, 4).copy_(x),
    lambda t, x: t.utils.data.TensorDataset(x, x[:, 0])[1][0],
    lambda t, x: t.nn.Sequential(t.nn.Flatten(), t.nn.ReLU())(x.float())])
def test_functions_and_modules_take_them_as_constants(images, call):
    agrees(call(minitorch, images), call(torch, images))


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")  # PyTorch's, before it asks us
@pytest.mark.parametrize("call", [
    lambda t, x: x.to(t.device("cpu")), lambda t, x: x.to(t.float32),
    lambda t, x: x[t.tensor([1, 0])], lambda t, x: x[t.tensor([True, False])],
    lambda t, x: x.eq(t.ones(4, dtype=t.uint8)), lambda t, x: x + t.ones(4),
    lambda t, x: x.float() @ t.eye(4), lambda t, x: x == t.ones(4)])
def test_their_methods_with_our_objects_give_our_tensors(images, call):
    agrees(call(minitorch, images), call(torch, images))


def test_their_type_takes_our_class(images):
    assert images.type(minitorch.FloatTensor).dtype is torch.float32
    assert repr(minitorch.FloatTensor) == repr(torch.FloatTensor)


def test_memory_is_shared_and_gradients_flow_past_them(images):
    x = images.float()
    w = minitorch.ones(4, requires_grad=True)
    F.linear(x, w.reshape(1, 4)).sum().backward()
    assert w.grad.tolist() == x.sum((0, 1)).tolist()
    minitorch.flatten(x)[0] = 7.0
    assert x[0, 0, 0].item() == 7.0


def test_an_error_without_guests_is_raised_once():
    seen = []

    class Watched:
        def __getattr__(self, name):
            seen.append(name)
            raise AttributeError(name)

    with pytest.raises((AttributeError, TypeError)):
        minitorch.flatten(Watched())
    first = list(seen)
    with pytest.raises((AttributeError, TypeError)):
        minitorch.flatten.__wrapped__(Watched())
    assert set(first) - {"__dlpack__"} == set(seen[len(first):]) - {"__dlpack__"}
