"""Tensors on the GPU, on a stand-in: copies, writes, numbers of the CPU, errors and waits."""

from __future__ import annotations

import copy
import io
import pickle
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import crossing
from tests import elsewhere
from tests.standin import gpu, ndarray, reset
from tests.test_elsewhere import holds

nn, F = minitorch.nn, minitorch.nn.functional


@pytest.fixture
def counts() -> Iterator[Any]:
    with gpu() as counted:
        yield counted


def test_tensors_on_the_device_copy_pickle_and_print(counts: Any) -> None:
    x = minitorch.tensor([1.0, 2.5], device="cuda", requires_grad=True)
    twin = copy.deepcopy(x)
    assert twin.is_cuda and twin.requires_grad and twin.data_ptr() != x.data_ptr()
    assert pickle.loads(pickle.dumps(x)).tolist() == [1.0, 2.5]
    assert repr(x) == "tensor([1.0000, 2.5000], device='cuda:0', requires_grad=True)"
    assert f"{x.sum():.2f}" == "3.50" and float(x[0]) == 1.0 and int(x[1]) == 2 and bool(x[0] > 0)
    assert x.get_device() == 0 and str(x.device) == "cuda:0" and x.tolist() == [1.0, 2.5]
    with pytest.raises(TypeError, match=r"Use Tensor.cpu\(\)"):
        x.detach().numpy()
    assert x.numpy(force=True).tolist() == [1.0, 2.5]
    assert list(map(float, x)) == [1.0, 2.5] and 2.5 in x and len(x) == 2
    for make in (minitorch.zeros, minitorch.ones, minitorch.empty, minitorch.rand, minitorch.randn):
        assert make(2, 3, device="cuda").is_cuda
    assert minitorch.full((2,), 3, device="cuda").tolist() == [3, 3]
    assert minitorch.zeros_like(x).is_cuda and x.new_ones(2).is_cuda and x.new_tensor([1]).is_cuda
    assert minitorch.tensor(x).is_cuda and minitorch.as_tensor(x.detach().array).is_cuda
    assert minitorch.as_tensor([1, 2], device="cuda").is_cuda
    minitorch.set_default_device("cuda")
    try:
        assert minitorch.zeros(1).is_cuda and minitorch.tensor([1]).is_cuda
        assert nn.Linear(1, 1).weight.is_cuda
    finally:
        minitorch.set_default_device("cpu")


def test_writes_and_views_are_those_of_the_cpu(counts: Any) -> None:
    def program(device: str) -> list[Any]:
        x = minitorch.arange(12.0).reshape(3, 4).to(device)
        w = minitorch.ones(4).to(device).requires_grad_()
        y = x * w
        y[0] = 7.0
        y[1, 1:3] += w[:2]
        y[:, [0, 2]] = minitorch.zeros(3, 2).to(device)
        y[y > 8] = -1.0
        y.t()[0].mul_(2)
        y.view(-1)[5].add_(w[3])
        y.diagonal().fill_(0.5)
        y[minitorch.tensor([0, 2])] *= 2.0  # an index from the CPU
        (y * y).sum().backward()
        z = x.clone()
        z.copy_(minitorch.arange(4.0))  # from the CPU
        z.index_fill_(0, minitorch.tensor([1]).to(device), 3.0)
        z.clamp_(1, 9).sub_(1)
        minitorch.add(z, 1, out=z)
        return [y, w.grad, z, z.t().contiguous(), x.reshape(4, 3).t().reshape(-1)]
    assert holds("program", program)


def test_numbers_of_the_cpu_mix_with_tensors_of_the_gpu(counts: Any) -> None:
    x = minitorch.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    k = minitorch.tensor(3.0, requires_grad=True)
    for y in (x * k, k * x, minitorch.where(x > k, x, k), minitorch.maximum(x, k), x.clamp(max=k)):
        assert y.is_cuda
    (x * k).sum().backward()
    assert k.grad.is_cpu and k.grad.item() == 3.0 and x.grad.is_cuda
    x.detach().add_(k.detach())
    with pytest.raises(RuntimeError, match=re.escape(
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0 "
            "and cpu!")):
        x + minitorch.ones(2)
    with pytest.raises(RuntimeError, match="found at least two devices, cuda:0 and cpu!"):
        minitorch.ones(2) * x
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device, but got "
                                           "weight is on cpu, different from other tensors on "
                                           "cuda:0"):
        nn.Linear(2, 3)(x)
    with pytest.raises(RuntimeError, match="same device"):
        minitorch.cat([x, minitorch.ones(2)])
    with pytest.raises(RuntimeError, match="same device"):
        minitorch.ones(2).add_(x)
    with pytest.raises(RuntimeError, match=r"indices should be either on cpu or on the same device "
                                           r"as the indexed tensor \(cpu\)"):
        minitorch.ones(2)[minitorch.tensor([0]).cuda()]


REFUSED = {
    "F.cross_entropy(x, torch.tensor([0, 5]).cuda())": (IndexError, "Target is out of bounds"),
    "x[0:1].gather(1, torch.tensor([[3]]).cuda())": (RuntimeError, "index is out of bounds"),
    "F.embedding(torch.tensor([2]).cuda(), x)": (IndexError, "index out of range in self"),
    "F.binary_cross_entropy(x + 2, x)": (RuntimeError, "should be between 0 and 1"),
    "x.index_select(0, torch.tensor([-3]).cuda())": (IndexError, "index out of range"),
    "F.one_hot(torch.tensor([1, -1]).cuda(), 3)": (RuntimeError, "Class values"),
}


@pytest.mark.parametrize("program", REFUSED)
def test_a_number_out_of_range_is_found_later_and_its_line_named(program: str, counts: Any) -> None:
    x = minitorch.zeros(2, 3, device="cuda")
    kind, text = REFUSED[program]
    before = counts.syncs
    eval(compile(program, "the_program.py", "eval"), {"torch": minitorch, "F": F, "x": x})
    assert counts.syncs == before, "nobody waited"
    with pytest.raises(kind, match=rf"{text}.*\n?.*the_program.py:1"):
        x.sum().item()
    assert x.sum().item() == 0.0, "it is reported once"
    F.cross_entropy(x, minitorch.tensor([0, -100]).cuda())  # what is ignored is not out of range
    minitorch.cuda.synchronize()


def test_each_wait_is_reported_with_its_line(counts: Any) -> None:
    cuda, x = minitorch.cuda, minitorch.arange(4.0).cuda()
    assert cuda.get_sync_debug_mode() == 0
    try:
        cuda.set_sync_debug_mode("warn")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            x.sum().item()
            (x * 2 + 1).mean()
            print(x[x > 1], file=io.StringIO())
        found = [(w.filename, w.lineno) for w in caught]
        line = test_each_wait_is_reported_with_its_line.__code__.co_firstlineno
        assert {name for name, _ in found} == {__file__}
        assert [n - line for _, n in found] == [7, 9, 9], "the sum; the mask and the printing"
        assert "called a synchronizing CUDA operation" in str(caught[0].message)
        cuda.set_sync_debug_mode(2)
        waits = counts.syncs
        for program in (lambda: float(x[0]), x.cpu, x.tolist, lambda: x[x > 0], x.nonzero,
                        lambda: bool(x.any()), x.unique, lambda: minitorch.equal(x, x)):
            with pytest.raises(RuntimeError, match="called a synchronizing CUDA operation"):
                program()
        assert counts.syncs == waits, "it raises instead of waiting"
        cuda.synchronize()
        with pytest.raises(RuntimeError, match="invalid value of debug_mode"):
            cuda.set_sync_debug_mode("loud")
    finally:
        cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("kind", ["operators", "layers", "networks"])
def test_every_wait_is_announced(kind: str, counts: Any) -> None:
    """In the mode "error" a program either does not wait at all, or raises before it does."""
    ran = 0
    for name, program in getattr(elsewhere, kind)(1):
        crossing.sync_mode = "error"
        reset()
        try:
            program("cuda")
            ran += 1
        except (RuntimeError, TypeError, NotImplementedError):
            pass
        finally:
            crossing.sync_mode = "default"
        assert counts.syncs == 0, f"{name} waits and does not say so"
    assert ran > 2


def test_an_array_of_cupys_is_taken_and_given_without_a_copy(counts: Any) -> None:
    x = minitorch.arange(6.0).cuda()
    array = ndarray(np.arange(4, dtype=np.float32))
    assert minitorch.as_tensor(array).array is array
    y = minitorch.from_dlpack(array)
    y += 1
    assert array.host.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert minitorch.from_dlpack(x).data_ptr() == x.data_ptr()
    assert x.__dlpack_device__() == (2, 0) and x.__dlpack__(stream=1) is x.array
    assert (x[:4] + array).tolist() == [1.0, 3.0, 5.0, 7.0]
    assert not minitorch.tensor(array).data_ptr() == array.data.ptr


def test_an_unused_output_of_a_function_has_its_zeros_on_the_device(counts: Any) -> None:
    class Both(minitorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            assert all(g.is_cuda for g in gs)
            return gs[0] * 2 + gs[1] * 3

    x = minitorch.ones(4).cuda().requires_grad_()
    _, y = Both.apply(x)
    y.backward(minitorch.tensor([1.0, 2, 3, 4]).cuda())
    assert x.grad.tolist() == [3, 6, 9, 12]
