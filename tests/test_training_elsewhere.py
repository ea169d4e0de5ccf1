"""Training on the GPU, on a stand-in: the CPU's numbers, few launches, and no hidden wait."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import minitorch
from tests import elsewhere
from tests.emulated import COMPILER, Emulated
from tests.standin import gpu, reset
from tests.test_elsewhere import holds

nn, F = minitorch.nn, minitorch.nn.functional

# What one eager step launches and allocates: kernels, products and fills.
BOUNDS = {"adam": (29, 28), "dropout": (46, 47), "batch norm": (53, 50)}


@pytest.fixture
def counts():
    with gpu() as counted:
        yield counted


@pytest.mark.parametrize("kind", BOUNDS)
def test_a_step_has_the_cpus_numbers(kind: str, counts: Any) -> None:
    assert holds(kind, lambda device: elsewhere.run_network(kind, device))


@pytest.mark.skipif(COMPILER is None, reason="NO KERNEL IS RUN: g++ is not installed")
@pytest.mark.parametrize("kind", BOUNDS)
def test_a_step_through_kernels_has_few_launches_and_no_wait(kind: str) -> None:
    expected = elsewhere.run_network(kind, "cpu", dtype=minitorch.float64)
    seen: list[Any] = []
    launcher = Emulated()

    def between() -> None:
        seen.append((counts.launches + launcher.launches, counts.allocations, counts.syncs))
        reset()
        launcher.launches = 0

    with gpu(launcher) as counts:
        found = elsewhere.run_network(kind, "cuda", between, minitorch.float64)
        same = kind != "dropout"  # a GPU draws other masks
        for a, b in zip(found, expected, strict=True) if same else ():  # sums go in another order
            np.testing.assert_allclose(a.cpu().detach(), b.detach(), rtol=1e-7, atol=1e-9)
    launches, allocations, waits = seen[-1]
    assert waits == 0
    assert launches <= BOUNDS[kind][0] and allocations <= BOUNDS[kind][1], seen[-1]
    assert launches > 0.8 * BOUNDS[kind][0], f"lower the bound: it is {launches} now"


@pytest.mark.skipif(COMPILER is None, reason="NO KERNEL IS RUN: g++ is not installed")
def test_dropout_draws_on_the_gpu_and_pulls_back_through_the_same_mask() -> None:
    values = np.random.default_rng(0).uniform(1, 2, (40, 25)).astype(np.float32)
    with gpu(Emulated()) as counts:
        def run() -> list[Any]:
            x = minitorch.from_numpy(values).cuda().requires_grad_()
            F.dropout(x, 0.3)  # the first brings the seed to the GPU
            weight = minitorch.from_numpy(values[::-1].copy()).cuda().requires_grad_()
            reset()
            y = F.dropout(x, 0.3)
            assert counts.syncs == 0 and counts.allocations == 2  # the result, seed and offset
            (pulled,) = minitorch.autograd.grad(y, x, weight, create_graph=True)
            (twice,) = minitorch.autograd.grad(pulled, weight, minitorch.ones_like(weight))
            return [t.detach().cpu().numpy() for t in (y, pulled, twice)]

        minitorch.manual_seed(777)
        out, pulled, twice = run()
        other, *_ = run()
        minitorch.manual_seed(777)
        again, *_ = run()
    kept, scale = out != 0, np.float32(1) / np.float32(1 - 0.3)
    assert abs(kept.mean() - 0.7) < 6 * (0.3 * 0.7 / kept.size) ** 0.5
    np.testing.assert_array_equal(out, np.where(kept, values * scale, 0))
    np.testing.assert_array_equal(pulled, np.where(kept, values[::-1] * scale, 0))
    np.testing.assert_array_equal(twice, np.where(kept, scale, 0))
    assert (other != out).any(), "the generator moves on"
    np.testing.assert_array_equal(again, out)


def net() -> Any:
    minitorch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))


def step(model: Any, optimizer: Any, seed: int) -> Any:
    device = next(model.parameters()).device
    rng = np.random.default_rng(seed)
    x = minitorch.from_numpy(rng.random((6, 4), np.float32)).to(device)
    y = minitorch.tensor([0, 1, 2, 0, 1, 2], device=device)
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adagrad", "RMSprop", "NAdam"])
def test_a_checkpoint_continues_on_the_other_device(name: str, counts: Any) -> None:
    """Saved on one device and loaded on the other, a run goes on as if it had never moved."""
    options = {"lr": 0.01, **({"momentum": 0.9} if name == "SGD" else {})}
    for start, end in (("cuda", "cpu"), ("cpu", "cuda")):
        stayed, moved = net(), net().to(start)
        first, second = [getattr(minitorch.optim, name)(m.parameters(), **options)
                         for m in (stayed, moved)]
        for seed in range(2):
            assert step(stayed, first, seed).item() == step(moved, second, seed).item()
        file = io.BytesIO()
        minitorch.save({"model": moved.state_dict(), "optimizer": second.state_dict()}, file)
        file.seek(0)
        state = minitorch.load(file, map_location=end)
        assert {str(v.device.type) for v in state["model"].values()} == {end}
        resumed = net().to(end)
        resumed.load_state_dict(state["model"])
        third = getattr(minitorch.optim, name)(resumed.parameters(), **options)
        third.load_state_dict(state["optimizer"])
        for seed in range(2, 4):
            assert step(stayed, first, seed).item() == step(resumed, third, seed).item()
        for p in resumed.parameters():
            assert p.device.type == end and all(
                v.device.type == end for k, v in third.state[p].items()
                if isinstance(v, minitorch.Tensor) and v.ndim)


def test_a_state_loads_across_devices_without_map_location(counts: Any) -> None:
    there = net().cuda()
    here = net()
    for p in there.parameters():
        p.data.mul_(2)
    here.load_state_dict(there.state_dict())
    assert all(p.device.type == "cpu" for p in here.parameters())
    np.testing.assert_array_equal(here[0].weight.detach(), there[0].weight.cpu().detach())
    there.load_state_dict(net().state_dict())
    assert all(p.is_cuda for p in there.parameters())
    np.testing.assert_array_equal(there[0].weight.cpu().detach(), net()[0].weight.detach())
    file = io.BytesIO()
    minitorch.save(there.state_dict(), file)
    file.seek(0)
    assert all(v.is_cuda for v in minitorch.load(file).values()), "they return where they were"


def test_modules_and_gradients_move_together(counts: Any) -> None:
    model = net()
    step(model, minitorch.optim.SGD(model.parameters(), lr=0.1), 0)
    parameters = list(model.parameters())
    assert model.cuda() is model and model[1].running_mean.is_cuda
    assert all(p.is_cuda and p.grad.is_cuda for p in parameters)
    assert all(a is b for a, b in zip(parameters, model.parameters())), "the same Parameters"
    model.to(minitorch.device("cuda:0"), minitorch.float64)
    assert model[0].weight.dtype == minitorch.float64 and model[1].num_batches_tracked.is_cuda
    model.cpu()
    assert not any(t.is_cuda for t in (*model.parameters(), *model.buffers()))
    x = minitorch.ones(2, 4)
    assert x.to("cuda", non_blocking=True).to(x).is_cpu and x.pin_memory() is x
    assert x.cuda().cuda().is_cuda and x.to("cuda:0", minitorch.float64).dtype == minitorch.float64
    assert x.cuda(0).to("cuda").is_cuda and x.to(device=0).is_cuda and x.to(0).is_cuda


def test_batches_of_a_loader_move(counts: Any) -> None:
    data = minitorch.utils.data.TensorDataset(minitorch.arange(12.0).reshape(6, 2),
                                              minitorch.arange(6))
    loader = minitorch.utils.data.DataLoader(data, batch_size=4, pin_memory=True)
    batches = [[t.to("cuda", non_blocking=True) for t in batch] for batch in loader]
    assert counts.syncs == 0 and all(t.is_cuda for batch in batches for t in batch)
    assert minitorch.cat([y for _, y in batches]).tolist() == [0, 1, 2, 3, 4, 5]
