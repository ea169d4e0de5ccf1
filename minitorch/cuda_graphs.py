"""CUDA graphs: work of a GPU recorded once and launched as a whole; ``minitorch.cuda`` has them.

Two ways lead to one. ``make_graphed_step`` and ``make_graphed_callables`` translate a recorded
step (``plan.device``) into few launches over memory of its own, and capture these. ``graph``
captures what eager code launches, as PyTorch's does. Only a GPU can check what CuPy and the driver
make of a capture; the order of calls and the errors are checked without.
"""

from __future__ import annotations

import functools
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd import Function
from minitorch.engine import Leaf, wrap
from minitorch.errors import advised
from minitorch.kernels.cuda import blas
from minitorch.modes import modes
from minitorch.nn.module import Module
from minitorch.plan.compiled import LIMIT, OptimizedModule, Refused
from minitorch.plan.device import DeviceStep
from minitorch.plan.trees import mapped, signature

HOME = str(Path(__file__).parent)
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
        if not self.memory.total_bytes():
            before = backend.cupy_module().get_default_memory_pool().free_bytes()
            self.memory.malloc(2 * before + SLACK)  # and freed at once: it stays in the pool


class CUDAGraph:
    """Work captured from a stream: ``replay()`` launches all of it again, on the same memory.

    Fill the tensors that it reads in place (``copy_``), and read those that it wrote. Capture by
    ``with cuda.graph(g)``. ``keep_graph`` is accepted and changes nothing.
    """

    def __init__(self, keep_graph: bool = False) -> None:
        self._graph: Any = None
        self._pool: Pool | None = None
        self._undo: list[Callable[[], None]] = []

    def capture_begin(self, pool: Pool | None = None, capture_error_mode: str = "global") -> None:
        """Capture from here on what the current stream, not the default one, is given.

        Run the same code once before, so that its kernels are compiled and its memory is known.
        """
        if self._undo:
            raise RuntimeError("this graph is being captured already")
        cupy = backend.cupy_module()
        stream = cupy.cuda.get_current_stream()
        self._pool = pool or self._pool or Pool()
        self._pool.reserve()
        blas.products.handle()  # with its workspace, which may not be made during the capture
        xp = backend.namespace(cupy.empty(1, np.float32))
        before = xp.matmul, backend.move
        allocator = cupy.cuda.using_allocator(self._pool.memory.malloc)
        allocator.__enter__()
        stream.begin_capture(MODES[capture_error_mode])
        self._pool.capturing, captured_on = True, self._pool
        xp.matmul, backend.move = blas.matmul, staying

        def undo() -> None:
            captured_on.capturing = False
            xp.matmul, backend.move = before
            allocator.__exit__(None, None, None)
        self._undo = [undo, lambda: setattr(self, "_graph", stream.end_capture())]

    def capture_end(self) -> None:
        """End the capture; ``replay`` may be called then."""
        if not self._undo:
            raise RuntimeError("no capture has begun")
        undo, end = self._undo
        self._undo = []
        undo()
        end()

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
        self.stream = getattr(stream, "stream", stream)  # CuPy's own

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
              and f"{'/'}cupy" not in f.filename.replace("\\", "/")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown line"


def graph_pool_handle() -> Pool:
    """Memory that several graphs may share."""
    return Pool()


def is_current_stream_capturing() -> bool:
    """Whether a graph is captured from the current stream; False without a GPU."""
    return bool(backend.cuda_count()
                and backend.cupy_module().cuda.get_current_stream().is_capturing())


# ---- steps translated to launches


class Replay:
    """Launches run one by one the first time, and from the second on as one graph."""

    def __init__(self) -> None:
        self.graph: Any = None
        self.ran = False

    def __call__(self, launches: list[Callable[[], None]], graphs: bool) -> None:
        if self.graph is None and self.ran and graphs:
            self.graph = captured(launches)
        if self.graph is not None:
            self.graph.launch()
            return
        for each in launches:
            each()
        self.ran = True


def captured(launches: list[Callable[[], None]]) -> Any:
    """CuPy's graph of launches that have run before: they allocate nothing, and wait for nothing.
    """
    cupy = backend.cupy_module()
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        blas.products.handle()
        stream.begin_capture()
        try:
            for each in launches:
                each()
        finally:
            made = stream.end_capture()
    return made


class GraphedStep:
    """What ``make_graphed_step`` returns; ``steps`` are its recordings."""

    def __init__(self, function: Callable[..., Any], example: tuple[Any, ...]) -> None:
        self.function, self.example = function, example
        self.steps: list[tuple[DeviceStep, Replay]] = []
        given: list[Any] = []
        self.signature = signature(example, given)
        self.record(example)

    def record(self, args: tuple[Any, ...]) -> tuple[DeviceStep, Replay]:
        if len(self.steps) >= LIMIT:
            raise RuntimeError(f"the step was recorded {LIMIT} times, for as many different modes "
                               f"or values that it goes by")
        self.steps.append((DeviceStep(self.function, args, "the step"), Replay()))
        return self.steps[-1]

    def __call__(self, *args: Any) -> Any:
        given: list[Any] = []
        if signature(args, given) != self.signature:
            said = [f"{t.array.dtype}{list(t.array.shape)}" for t in given]
            asked: list[Any] = []
            signature(self.example, asked)
            raise ValueError(f"a graph takes arguments like its example's: "
                             f"{[f'{t.array.dtype}{list(t.array.shape)}' for t in asked]}, not "
                             f"{said}; make another graph for others, or leave the last, smaller "
                             f"batch out (drop_last=True)")
        step, replay = next((pair for pair in self.steps if pair[0].holds()), None) \
            or self.record(args)
        if step.prepare([t.array for t in given]):
            replay.graph, replay.ran = None, False
        replay(step.launches, step.on_gpu)
        return step.finish()


def train(model: Any, loss_fn: Any, optimizer: Any, *batch: Any) -> Any:
    """One step of training, as it is written everywhere."""
    *inputs, target = batch
    optimizer.zero_grad()
    out = loss_fn(model(*inputs), target)
    (out[0] if isinstance(out, tuple) else out).backward()
    optimizer.step()
    return out


def make_graphed_step(model: Any, loss_fn: Callable[..., Any], optimizer: Any,
                      example: tuple[Any, ...]) -> GraphedStep:
    """A whole training step as one CUDA graph: ``loss = step(x, y)``.

    It clears gradients, computes ``loss_fn(model(x), y)``, pulls it back and moves the parameters.
    ``loss_fn`` may return a tuple whose first is the loss. ``example`` are arguments like those to
    come: tensors on the GPU of the same shapes and dtypes; they are read, and nothing is trained
    by them. The step is recorded on the CPU from copies and translated into few launches, which
    run one by one in the first call and as one graph from the second on.

    - Arguments are copied on the GPU; the loss stays there, and **the next call overwrites it**:
      keep ``loss.item()`` or ``loss.clone()``. Gradients too are the same tensors in every step.
    - Parameters, buffers and the optimizer's state stay the tensors that they are. A changed
      learning rate takes effect at the next call. ``model.eval()`` and other values that the step
      goes by are recorded anew, up to 8 times.
    - Random numbers (dropout) come from a stream of the GPU's own, which ``torch.manual_seed``
      starts: not the CPU's numbers, but the same for the same seed.
    - Labels out of range are not looked for: their loss is nan.

    Raises RuntimeError (``Refused``) with the line of what has no translation, ValueError for
    arguments unlike the example.
    """
    return GraphedStep(functools.partial(train, model, loss_fn, optimizer), tuple(example))


# ---- modules as graphs in autograd


class Graphed(Function):
    """A replay in a graph of tensors: its backward pass is the step's second part."""

    @staticmethod
    def forward(ctx: Any, callable: GraphedCallable, *leaves: Any) -> Any:
        ctx.callable = callable
        callable.pending = weakref.ref(ctx)
        return tuple([wrap(x.copy()) for x in callable.step.results])

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        mine = ctx.callable
        if mine.pending is None or mine.pending() is not ctx:
            raise RuntimeError("a graphed callable keeps the values of its last call only: call "
                               "backward() before you call it again, and once")
        mine.pending = None
        roots = [g for g, wanted in zip(gs, mine.differentiable) if wanted]
        for array, g in zip(mine.step.cotangents, roots):
            array[...] = 0 if g is None else g.array
        mine.back(mine.step.launches[mine.step.cut:], mine.step.on_gpu)
        return None, *[wrap(g.copy()) for g in mine.step.pulled]


class GraphedCallable:
    """A function of tensors whose forward and backward pass are a graph each."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        given: list[Any] = []
        self.signature = signature(args, given)
        self.function = function
        self.step = DeviceStep(function, args, "the callable", pulling=True)
        self.differentiable = [t.node is not None and not isinstance(t.node, Leaf)
                               for t in self.step.step.results]
        self.ahead, self.back = Replay(), Replay()
        self.pending: Any = None

    def __call__(self, *args: Any) -> Any:
        given: list[Any] = []
        if signature(args, given) != self.signature or not modes.grad or not self.step.holds():
            return self.function(*args)  # other shapes, another mode: as it is
        self.step.prepare([t.array for t in given])
        self.ahead(self.step.launches[:self.step.cut], self.step.on_gpu)
        results = iter(Graphed.apply(self, *self.step.step.leaves_among(given)))
        self.step.finish()
        return mapped(self.step.outputs, lambda t: next(results))


def make_graphed_callables(callables: Any, sample_args: Any, num_warmup_iters: int = 3,
                           allow_unused_input: bool = False, pool: Any = None) -> Any:
    """``callables``, a module or function of tensors or a tuple of them, each as two CUDA graphs.

    One is its forward pass, one its backward pass, with autograd in between: for the part of a
    network that can be a graph, where the rest cannot. ``sample_args`` are tensors like the
    arguments to come, a tuple for each callable. Calls with other shapes, without gradients, or
    in another mode (``eval()``) run as they are. A callable keeps the values of its last call
    only: pull back before calling again. The other arguments are PyTorch's, accepted for its
    programs. Raises RuntimeError (``Refused``) with the line of what has no translation.
    """
    if not isinstance(callables, tuple):
        return make_graphed_callables((callables,), (sample_args,))[0]
    return tuple([GraphedModule(c, args) if isinstance(c, Module) else GraphedCallable(c, args)
                  for c, args in zip(callables, sample_args, strict=True)])


class GraphedModule(OptimizedModule):
    """A module whose passes are graphs; parameters and state are the original's."""

    def __init__(self, module: Module, args: tuple[Any, ...]) -> None:
        super().__init__(module)
        object.__setattr__(self, "compiled", GraphedCallable(module, args))


__all__ = ["CUDAGraph", "Refused", "graph", "graph_pool_handle", "is_current_stream_capturing",
           "make_graphed_callables", "make_graphed_step"]
