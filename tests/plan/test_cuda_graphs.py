"""Captures: what is called in which order, and what is said where a block does too much.

CuPy is a stand-in that writes down its calls; kernels and products are names in the same list.
"""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

import minitorch as torch
from minitorch import backend
from minitorch.cuda import graphs, steps
from minitorch.kernels.cuda import blas, launch
from minitorch.plan.device.step import DeviceStep

nn, F = torch.nn, torch.nn.functional


class Stream:
    """``log.streams``: those entered. A second stream takes part in a capture from where it waits
    for an event of the first until that waits for one of its own.
    """

    def __init__(self, log):
        self.log, self.captured = log, None

    def __enter__(self):
        self.log.append("enter")
        self.log.streams.append(self)
        return self

    def __exit__(self, *_):
        self.log.append("leave")
        assert self.log.streams.pop() is self

    def record(self):
        return self

    def wait_event(self, other):
        assert other is not self
        self.log.append("fork" if other.captured is not None else "join")

    def begin_capture(self, mode=None):
        assert self.log.streams[-1] is self, "it captures what the current stream is given"
        self.log.append(f"begin {mode}")
        self.captured = self.log[:]

    def end_capture(self):
        self.captured = None
        self.log.append("end")
        return SimpleNamespace(launch=lambda: self.log.append("launch graph"))

    def is_capturing(self):
        return self.captured is not None


class MemoryPool:
    """What was freed is handed out again, cut to size; the rest comes from ``allocate``."""

    def __init__(self, allocate):
        self.allocate, self.free, self.total = allocate, 0, 0

    def malloc(self, size):
        if size > self.free:
            self.allocate(size)
            self.total += size
            self.free += size  # here all is freed at once
        return size

    def total_bytes(self):
        return self.total

    def free_bytes(self):
        return self.free


class Log(list):
    def __init__(self):
        super().__init__()
        self.streams = []


@pytest.fixture
def cupy(monkeypatch):
    log = Log()
    default = MemoryPool(lambda size: None)
    default.malloc(1000)

    @contextmanager
    def using_allocator(allocator):
        log.allocator = allocator
        yield
        log.allocator = None

    module = SimpleNamespace(log=log, empty=np.empty, get_default_memory_pool=lambda: default)
    module.cuda = SimpleNamespace(
        Stream=lambda non_blocking: Stream(log), get_current_stream=lambda: log.streams[-1],
        Device=lambda *_: SimpleNamespace(id=0, synchronize=lambda: log.append("wait")),
        MemoryPool=MemoryPool, Memory=lambda size: log.append(f"driver {size}"),
        MemoryPointer=lambda memory, offset: memory, using_allocator=using_allocator)
    monkeypatch.setattr(backend, "cupy_module", lambda: module)
    monkeypatch.setattr(backend, "cuda_count", lambda: 1)
    monkeypatch.setattr(blas, "products", SimpleNamespace(
        handle=lambda: log.append("handle"), multiply=lambda *args: log.append("product")))
    monkeypatch.setattr(steps, "capture_streams", {})
    monkeypatch.setattr(graphs.graph, "default_capture_stream", None)

    class Named(launch.Launcher):
        def kernel(self, source, name, options):
            return lambda *args, **kwargs: log.append(name)

        ndarray = np.ndarray

        def address(self, array):
            return array.ctypes.data
    monkeypatch.setattr(launch, "launcher", Named())
    return module


def test_a_step_runs_once_is_captured_once_and_launched_from_then_on(cupy):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4))
    optimizer = torch.optim.Adam(model.parameters())
    x, y = torch.ones(4, 3), torch.tensor([0, 1, 2, 3])
    step = steps.make_graphed_step(model, F.cross_entropy, optimizer, (x, y))
    step.steps[0][0].on_gpu = True
    said = []
    for _ in range(4):
        step(x, y)
        said.append(cupy.log[:])
        cupy.log.clear()
    work = said[0][1:]
    assert said[0][0] == "bring" and work == [
        "product", "kernel0", "product", "kernel1", "product", "product", "kernel2", "product",
        "update"]
    # The second layer's weights have their gradient beside the rest of the backward pass.
    assert said[1] == [
        "bring", *["enter", "handle", "leave"] * 2, "enter", "begin None",
        "product", "kernel0", "product", "kernel1", "product", "fork", "enter", "product", "leave",
        "kernel2", "product", "join", "update", "end", "leave", "launch graph"]
    assert said[2] == said[3] == ["bring", "launch graph"]


def test_new_state_is_run_and_captured_anew(cupy):
    model = nn.Linear(3, 4)
    optimizer = torch.optim.Adam(model.parameters())
    x, y = torch.ones(2, 3), torch.tensor([0, 1])
    step = steps.make_graphed_step(model, F.cross_entropy, optimizer, (x, y))
    step.steps[0][0].on_gpu = True
    for _ in range(3):
        step(x, y)
    optimizer.load_state_dict(optimizer.state_dict())
    cupy.log.clear()
    step(x, y)
    assert "update" in cupy.log and "launch graph" not in cupy.log
    step(x, y)
    assert cupy.log[-1] == "launch graph" and len(step.steps) == 1


def test_an_error_while_capturing_ends_the_capture(cupy):
    class Fails:
        joins, aside = False, True

        def __call__(self):
            raise ValueError("no")
    with pytest.raises(ValueError, match="no"):
        steps.captured([Fails()])
    assert cupy.log[-4:] == ["leave", "join", "end", "leave"]


def test_eager_code_is_captured_on_a_stream_and_in_memory_of_its_own(cupy):
    g = graphs.CUDAGraph()
    assert not Stream([]).is_capturing()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        g.replay()
    matmul, move = backend.numpy_words.matmul, backend.move
    with graphs.graph(g):
        assert graphs.is_current_stream_capturing()
        assert cupy.log.allocator == g.pool().memory.malloc
        cupy.log.allocator(2000)  # twice what the eager run had, and more, is ready
        assert backend.numpy_words.matmul is blas.matmul
        cupy.log.append("work")
    assert (backend.numpy_words.matmul, backend.move) == (matmul, move)
    reserved = f"driver {2 * 1000 + graphs.SLACK}"
    assert cupy.log == ["wait", "enter", reserved, "handle", "begin 0", "work", "end", "leave"]
    g.replay()
    assert cupy.log[-1] == "launch graph" and cupy.log.allocator is None
    other = graphs.CUDAGraph()
    with graphs.graph(other, pool=g.pool(), capture_error_mode="relaxed"):
        pass
    assert other.pool() is g.pool() and "begin 2" in cupy.log
    g.reset()
    with pytest.raises(RuntimeError, match="without a preceding"):
        g.replay()


def waits():
    raise RuntimeError("cudaErrorStreamCaptureUnsupported: operation not permitted")


@pytest.mark.parametrize("block, what", [
    (waits, "not permitted"),
    (lambda: torch.ones(2).to("cuda"), "a copy from cpu to cuda"),
    (lambda: torch.optim.Adam(nn.Linear(2, 2).parameters()).step(), r"capture of step\(\)"),
    (lambda: graphs.backend.cupy_module().log.allocator(1 << 40), "from the driver")])
def test_what_a_block_must_not_do_is_said_with_its_line(block, what, cupy):
    g = graphs.CUDAGraph()
    with pytest.raises(RuntimeError, match=rf"{what}.*test_cuda_graphs\.py:\d+, while a graph was"):
        with graphs.graph(g):
            block()
    assert cupy.log[-2:] == ["end", "leave"] and not g.pool().capturing
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        g.replay()
    with graphs.graph(g):
        pass
    g.replay()


def test_a_graph_is_not_captured_twice_at_once(cupy):
    g = graphs.CUDAGraph()
    with graphs.graph(g):
        with pytest.raises(RuntimeError, match="captured already"):
            g.capture_begin()
    with pytest.raises(RuntimeError, match="no capture has begun"):
        g.capture_end()


def test_a_callable_is_two_graphs(cupy):
    model = nn.Linear(3, 4)
    x = torch.ones(2, 3)
    graphed = steps.make_graphed_callables(model, (x,))
    graphed.compiled.step.on_gpu = True
    for _ in range(3):
        out = graphed(x)
        cupy.log.append("between")
        out.backward(torch.ones(2, 4))
    assert cupy.log[-4:] == ["bring", "launch graph", "between", "launch graph"]
    assert isinstance(graphed.compiled.step, DeviceStep)
    assert model.weight.grad.shape == (4, 3)
