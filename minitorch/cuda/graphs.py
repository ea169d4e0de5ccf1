"""CUDA graphs: work of a GPU recorded once and launched as a whole; ``minitorch.cuda`` has them.

``graph`` captures what eager code launches, as PyTorch's does; ``cuda.steps`` makes a graph of a
whole training step. Only a GPU can check what CuPy and the driver make of a capture; the order of
calls and the errors are checked without.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.errors import advised
from minitorch.kernels.cuda import blas
from minitorch.optim.optimizer import register_optimizer_step_pre_hook

HOME = str(Path(__file__).parents[1])  # the package
MODES = {"global": 0, "thread_local": 1, "relaxed": 2}  # cudaStreamCaptureMode
SLACK = 32 << 20  # bytes that a pool holds ready beyond what the eager run had


class Pool:
    """Device memory that belongs to graphs: what a capture frees is used again only in it.

    While a graph is captured, nothing more comes from the driver: RuntimeError.
    """

    def __init__(self) -> None:
        self.capturing = False
        self.memory = backend.cupy_module().cuda.MemoryPool(self.from_driver)

    def from_driver(self, size: int) -> Any:
        cuda = backend.cupy_module().cuda
        if self.capturing:
            raise RuntimeError(f"an allocation of {size} bytes from the driver while a graph is "
                               f"captured")
        return cuda.MemoryPointer(cuda.Memory(size), 0)

    def reserve(self) -> None:
        """Have ready, on the current stream, what the same code has used and freed before."""
        wanted = 2 * backend.cupy_module().get_default_memory_pool().free_bytes() + SLACK
        if self.memory.free_bytes() < wanted:
            self.memory.malloc(wanted)  # and freed at once: it stays in the pool


class CUDAGraph:
    """Work captured from a stream: ``replay()`` launches all of it again, on the same memory.

    Fill the tensors that it reads in place (``copy_``), and read those that it wrote. Capture by
    ``with cuda.graph(g)``. ``keep_graph`` is accepted and changes nothing.
    """

    def __init__(self, keep_graph: bool = False) -> None:
        self._graph: Any = None
        self._pool: Pool | None = None
        self._block: Any = None  # while it is captured

    def capture_begin(self, pool: Pool | None = None, capture_error_mode: str = "global") -> None:
        """Capture from here on what the current stream, not the default one, is given.

        Run the same code once before, so that its kernels are compiled and its memory is known.
        """
        if self._block is not None:
            raise RuntimeError("this graph is being captured already")
        if capture_error_mode not in MODES:
            raise RuntimeError(f"Unknown capture error mode. Expected `global`, `thread_local`, or "
                               f"`relaxed`, got {capture_error_mode}")
        cupy = backend.cupy_module()
        stream = cupy.cuda.get_current_stream()
        self._pool = pool or self._pool or Pool()
        self._pool.reserve()
        blas.products.handle()  # with its workspace, which may not be made during the capture
        xp = backend.namespace(cupy.empty(1, np.float32))
        stream.begin_capture(MODES[capture_error_mode])
        self._block, self._stream = inside(xp, self._pool), stream
        self._block.__enter__()

    def capture_end(self) -> None:
        """End the capture; ``replay`` may be called then."""
        if self._block is None:
            raise RuntimeError("no capture has begun")
        block, self._block = self._block, None
        block.__exit__(None, None, None)
        self._graph = self._stream.end_capture()

    def replay(self) -> None:
        """Launch the graph on the current stream."""
        if self._graph is None:
            raise RuntimeError("Called CUDAGraph::replay without a preceding successful capture.")
        self._graph.launch()

    def reset(self) -> None:
        """Drop the graph and its memory."""
        self._graph = self._pool = None

    def pool(self) -> Pool:
        """The graph's memory, which another graph may share (``pool=``)."""
        if self._pool is None:
            self._pool = Pool()
        return self._pool


@contextmanager
def inside(xp: Any, pool: Pool) -> Iterator[None]:
    """What holds while a graph is captured: its own memory, our products, and what is refused."""
    before = xp.matmul, backend.move
    hook = register_optimizer_step_pre_hook(stepping)
    xp.matmul, backend.move, pool.capturing = blas.matmul, staying, True
    try:
        with backend.cupy_module().cuda.using_allocator(pool.memory.malloc):
            yield
    finally:
        xp.matmul, backend.move = before
        pool.capturing = False
        hook.remove()


def stepping(optimizer: Any, args: Any, kwargs: Any) -> None:
    raise RuntimeError(f"Attempting CUDA graph capture of step() for an instance of "
                       f"{type(optimizer).__name__}: its learning rate and step count would stay "
                       f"those of this step; make_graphed_step() captures whole steps")


def staying(array: Any, to: Any) -> Any:
    """``backend.move`` during a capture: what crosses then is no part of the graph."""
    if backend.device_of(array).type == to.type:
        return array
    raise RuntimeError(f"a copy from {backend.device_of(array).type} to {to.type} while a graph is "
                       f"captured")


class graph:
    """Capture what the block launches into ``cuda_graph``, on a stream of its own.

    Nothing is computed meanwhile. What the block must not do raises RuntimeError with its line:
    wait for the GPU (``item()``, printing), copy from or to the host, or need more memory than
    its pool has. ``pool`` is another graph's memory, to be shared; ``capture_error_mode`` is
    CUDA's "global", "thread_local" or "relaxed".
    """

    default_capture_stream: Any = None

    def __init__(self, cuda_graph: CUDAGraph, pool: Pool | None = None, stream: Any = None,
                 capture_error_mode: str = "global") -> None:
        self.cuda_graph, self.pool, self.mode = cuda_graph, pool, capture_error_mode
        self.stream = getattr(stream, "native", stream)  # CuPy's own

    def __enter__(self) -> None:
        cupy = backend.cupy_module()
        if self.stream is None:
            if graph.default_capture_stream is None:
                graph.default_capture_stream = cupy.cuda.Stream(non_blocking=True)
            self.stream = graph.default_capture_stream
        cupy.cuda.Device().synchronize()
        self.stream.__enter__()
        try:
            self.cuda_graph.capture_begin(self.pool, self.mode)
        except BaseException:
            self.stream.__exit__(None, None, None)
            raise

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self.cuda_graph.capture_end()
        except Exception:
            if error is None:
                raise
        finally:
            self.stream.__exit__(kind, error, trace)
        if isinstance(error, Exception):
            self.cuda_graph._graph = None
            raise advised(RuntimeError(f"{error} ({place(trace)}, while a graph was captured)"),
                          "A graph is nothing but launches: keep what waits for the GPU, copies "
                          "to the host or makes random numbers there out of it, and run the same "
                          "code once before the capture.") from error


def place(trace: Any) -> str:
    """The innermost line of the user's program in a traceback."""
    frames = [f for f in traceback.extract_tb(trace) if not f.filename.startswith(HOME)
              and "/cupy" not in f.filename.replace("\\", "/")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown line"


def graph_pool_handle() -> Pool:
    """Memory that several graphs may share."""
    return Pool()


def is_current_stream_capturing() -> bool:
    """Whether a graph is captured from the current stream; False without a GPU."""
    return bool(backend.cuda_count()
                and backend.cupy_module().cuda.get_current_stream().is_capturing())
