"""A training step as a CUDA graph is the same training: to the bit, for long, in fixed memory."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch as pytorch

import minitorch as torch
from tests.gpu.where import DEVICE, agree, numbers

nn = torch.nn
pytestmark = pytest.mark.usefixtures("graphs")
BATCH, WIDTHS = 100, (20, 64, 48, 10)
STEPS, REPLAYS = 1_000, 100_000


def network(lib: Any, norm: bool, dropout: float) -> Any:
    """The same weights whatever ``lib`` is."""
    lib.manual_seed(5)
    layers: list[Any] = []
    for n, m in pairwise(WIDTHS):
        layers += [lib.nn.Linear(n, m)]
        if m != WIDTHS[-1]:
            layers += [lib.nn.BatchNorm1d(m)] * norm + [lib.nn.ReLU()]
            layers += [lib.nn.Dropout(dropout)] * bool(dropout)
    return lib.nn.Sequential(*layers).to(DEVICE)


def parts(lib: Any = torch, norm: bool = True, dropout: float = 0.3) -> tuple[Any, Any, Any]:
    model = network(lib, norm, dropout)
    return model, lib.nn.CrossEntropyLoss(), lib.optim.Adam(model.parameters(), 1e-3)


def data(lib: Any = torch, n: int = 8) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(3)
    return [(lib.from_numpy(rng.random((BATCH, WIDTHS[0]), np.float32)).to(DEVICE),
             lib.from_numpy(rng.integers(0, WIDTHS[-1], BATCH)).to(DEVICE)) for _ in range(n)]


def state(model: Any, optimizer: Any) -> list[Any]:
    """All that a step changes."""
    moments = [numbers(v) for p in model.parameters()
               for _, v in sorted(optimizer.state[p].items())]
    return [np.copy(numbers(x)) for x in model.state_dict().values()] + [
        np.copy(x) for x in moments]


def graphed_run(as_graph: bool, steps: int) -> tuple[list[float], list[Any]]:
    """Losses and final state; not ``as_graph``: the same launches, each made by the host."""
    model, criterion, optimizer = parts()
    batches = data()
    torch.manual_seed(7)  # of the masks
    step = torch.cuda.make_graphed_step(model, criterion, optimizer, batches[0])
    for recorded, _ in step.steps:
        recorded.on_gpu = as_graph
    losses = [step(*batches[i % len(batches)]).item() for i in range(steps)]
    assert all((replay.graph is not None) == as_graph for _, replay in step.steps)
    return losses, state(model, optimizer)


def test_a_thousand_replays_equal_their_launches_to_the_bit() -> None:
    """With dropout and batch norm; the loss of every step, and all state at the end."""
    (losses, end), (others, other_end) = (graphed_run(g, STEPS) for g in (True, False))
    assert losses == others and len(set(losses)) > STEPS // 2
    assert len(end) == len(other_end)
    for x, y in zip(end, other_end):
        np.testing.assert_array_equal(x, y)


def test_a_thousand_replays_of_captured_eager_code_equal_eager_to_the_bit() -> None:
    """``cuda.graph`` around forward and backward pass; the optimizer steps outside of it."""
    ends = []
    for as_graph in (True, False):
        model, criterion, optimizer = parts(dropout=0.0)
        batches = data()
        x, y = (t.clone() for t in batches[0])

        def passes(model: Any = model, criterion: Any = criterion, x: Any = x, y: Any = y) -> Any:
            loss = criterion(model(x), y)
            loss.backward()
            return loss
        start = [np.copy(numbers(t)) for t in model.state_dict().values()]
        passes()  # kernels are compiled, gradients are there
        graph = torch.cuda.CUDAGraph()
        if as_graph:
            optimizer.zero_grad(set_to_none=False)
            with torch.cuda.graph(graph):
                loss = passes()
        with torch.no_grad():
            for t, before in zip(model.state_dict().values(), start):
                t.copy_(torch.from_numpy(before).to(DEVICE))
        losses = []
        for i in range(STEPS):
            for t, new in zip((x, y), batches[i % len(batches)]):
                t.copy_(new)
            optimizer.zero_grad(set_to_none=False)
            if as_graph:
                graph.replay()
            else:
                loss = passes()
            optimizer.step()
            losses.append(loss.item())
        ends.append((losses, state(model, optimizer)))
    assert ends[0][0] == ends[1][0]
    for a, b in zip(ends[0][1], ends[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("norm", [False, True])
def test_a_graphed_step_trains_as_eager_and_as_pytorch(norm: bool) -> None:
    """Ten steps without dropout: rounding is all that differs, and grows by training."""
    found = []
    for lib, graph in ((torch, True), (torch, False), (pytorch, False)):
        model, criterion, optimizer = parts(lib, norm, 0.0)
        batches = data(lib)

        def eager(x: Any, y: Any, m: Any = model, c: Any = criterion, o: Any = optimizer) -> Any:
            o.zero_grad()
            loss = c(m(x), y)
            loss.backward()
            o.step()
            return loss
        step = torch.cuda.make_graphed_step(model, criterion, optimizer, batches[0]) if graph \
            else eager
        found.append([step(*batches[i % len(batches)]).item() for i in range(10)])
    for other in found[1:]:
        agree(np.float32(found[0]), np.float32(other), "losses", scale=10.0)


def test_a_rate_that_changes_takes_effect_in_the_same_graph() -> None:
    model, criterion, optimizer = parts(dropout=0.0)
    batches = data()
    step = torch.cuda.make_graphed_step(model, criterion, optimizer, batches[0])
    for _ in range(3):
        step(*batches[0])
    graph = step.steps[0][1].graph
    for rate, moves in ((0.0, False), (1e-2, True)):
        optimizer.param_groups[0]["lr"] = rate
        before = np.copy(numbers(model[0].weight))
        step(*batches[0])
        assert np.array_equal(before, numbers(model[0].weight)) != moves
    assert len(step.steps) == 1 and step.steps[0][1].graph is graph is not None


def test_memory_is_flat_over_a_hundred_thousand_replays() -> None:
    model, criterion, optimizer = parts()
    batches = data()
    step = torch.cuda.make_graphed_step(model, criterion, optimizer, batches[0])
    for i in range(20):
        step(*batches[i % len(batches)])
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
    for i in range(REPLAYS):
        loss = step(*batches[i % len(batches)])
        if i % 1000 == 999:
            loss.item()
    torch.cuda.synchronize()
    assert np.isfinite(loss.item())
    assert (torch.cuda.memory_allocated(), torch.cuda.memory_reserved()) == before


def test_eager_training_keeps_no_memory() -> None:
    model, criterion, optimizer = parts()
    (x, y), = data(n=1)

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    for _ in range(10):
        step()
    before = torch.cuda.memory_allocated()
    for _ in range(200):
        step()
    assert torch.cuda.memory_allocated() == before


def test_a_wait_or_a_copy_while_a_graph_is_captured_names_its_line() -> None:
    x = torch.ones(3).to(DEVICE)
    for wrong in (lambda: x.sum().item(), lambda: x.cpu()):
        with pytest.raises(RuntimeError, match=r"test_gpu_graphs\.py"):
            with torch.cuda.graph(torch.cuda.CUDAGraph()):
                wrong()
    assert torch.equal(x, torch.ones(3).to(DEVICE))  # the GPU works on


def test_tensors_pass_to_pytorch_and_back_without_a_copy() -> None:
    """By DLPack, both ways: the same memory, whose changes both see."""
    x = torch.arange(6.0).to(DEVICE)
    y = pytorch.from_dlpack(x)
    assert y.is_cuda and y.data_ptr() == x.data_ptr()
    y += 1
    assert x.cpu().tolist() == [1, 2, 3, 4, 5, 6]
    z = torch.from_dlpack(pytorch.arange(3.0, device=DEVICE))
    assert z.is_cuda and (z * 2).cpu().tolist() == [0, 2, 4]
