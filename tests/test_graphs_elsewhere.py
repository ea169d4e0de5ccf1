"""A training step as a graph, from one end to the other, over the stand-in for a GPU."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minitorch as torch
from minitorch.cuda import steps
from minitorch.data import DataLoader, DeviceLoader, TensorDataset
from minitorch.kernels.cuda import blas
from tests.emulated import COMPILER, Emulated
from tests.plan.translations import Products
from tests.standin import gpu, reset

nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.skipif(COMPILER is None, reason="NO KERNEL IS RUN: g++ is not installed")


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stand-in, on which a graph makes its launches again."""
    monkeypatch.setattr(blas, "products", Products())
    monkeypatch.setattr(steps, "captured", lambda launches: SimpleNamespace(
        launch=lambda: [each() for each in launches]))
    with gpu(Emulated()) as counted:
        yield counted


def parts(device: str, dropout: float = 0.0) -> tuple[Any, Any, Any]:
    torch.manual_seed(777)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout),
                          nn.Linear(8, 3)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    rng = np.random.default_rng(0)
    images, labels = rng.random((41, 6), np.float32), rng.integers(0, 3, 41)
    return model, optimizer, TensorDataset(torch.tensor(images, device=device),
                                           torch.tensor(labels, device=device))


def test_two_epochs_train_as_on_the_cpu_and_nothing_waits(counts: Any) -> None:
    model, optimizer, data = parts("cpu")
    expected = [steps.train(model, F.cross_entropy, optimizer, x, y).item()
                for _ in range(2) for x, y in DataLoader(data, 8, shuffle=True, drop_last=True)]
    there, moved, data = parts("cuda")
    loader = DeviceLoader(data, 8, shuffle=True, drop_last=True)
    step = torch.cuda.make_graphed_step(there, F.cross_entropy, moved,
                                        tuple(x[:8] for x in data.tensors))
    losses = []
    for _ in range(2):
        for x, y in loader:
            reset()
            loss = step(x, y)
            assert not counts.syncs
            losses.append(loss.item())
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for a, b in zip(there.state_dict().values(), model.state_dict().values(), strict=True):
        np.testing.assert_allclose(a.cpu(), b, rtol=1e-4, atol=1e-6)


def test_a_replay_draws_new_numbers_from_the_gpus_generator(counts: Any) -> None:
    model, optimizer, data = parts("cuda", dropout=0.5)
    for group in optimizer.param_groups:
        group["lr"] = 0.0  # nothing else changes from step to step
    batch = tuple(x[:40] for x in data.tensors)
    step = torch.cuda.make_graphed_step(model, F.cross_entropy, optimizer, batch)
    torch.cuda.manual_seed(5)
    first = [step(*batch).item() for _ in range(3)]
    assert len(set(first)) == 3
    torch.cuda.manual_seed(5)
    assert [step(*batch).item() for _ in range(3)] == first
    state = torch.cuda.get_rng_state()
    following = step(*batch).item()
    torch.cuda.set_rng_state(state)
    assert step(*batch).item() == following and following not in first
