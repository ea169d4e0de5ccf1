"""Training steps and modules as CUDA graphs; ``minitorch.cuda`` has them.

A step is recorded and translated into few launches over memory of its own (``plan.device.step``).
These run one by one the first time; then they are captured, and launched as a whole. Only a GPU can
check what CuPy and the driver make of it.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from minitorch import backend
from minitorch.autograd import Function
from minitorch.cuda import random
from minitorch.engine import Leaf, Tensor, wrap
from minitorch.kernels.cuda import blas
from minitorch.modes import modes
from minitorch.nn.module import Module
from minitorch.plan.compiled import LIMIT, OptimizedModule
from minitorch.plan.device.step import DeviceStep
from minitorch.plan.trees import mapped, signature


class Replay:
    """Launches run one by one the first time, and from the second on as one graph."""

    def __init__(self) -> None:
        self.graph: Any = None
        self.ran = False

    def __call__(self, launches: Sequence[Any], graphs: bool) -> None:
        if self.graph is None and self.ran and graphs:
            self.graph = captured(launches)
        if self.graph is not None:
            self.graph.launch()
            return
        for each in launches:
            each()
        self.ran = True


capture_streams: dict[int, list[Any]] = {}  # two for each GPU


def captured(launches: Sequence[Any]) -> Any:
    """CuPy's graph of launches that have run before: they allocate nothing, and wait for nothing.

    Those ``aside`` are captured on a second stream, so that the graph may run them beside others.
    """
    cuda = backend.cupy_module().cuda
    device = cuda.Device().id
    if device not in capture_streams:  # each has a workspace of cuBLAS's, and keeps it
        capture_streams[device] = [cuda.Stream(non_blocking=True) for _ in range(2)]
    main, side = capture_streams[device]
    for stream in (side, main):
        with stream:
            blas.products.handle()  # and a workspace for each
    forked = False
    events = []  # kept until the end

    def after(stream: Any) -> Any:
        events.append(stream.record())
        return events[-1]

    with main:
        main.begin_capture()
        try:
            for each in launches:
                if each.aside:
                    side.wait_event(after(main))
                    forked = True
                    with side:
                        each()
                    continue
                if each.joins and forked:
                    main.wait_event(after(side))
                    forked = False
                each()
        finally:
            if forked:  # else the capture is not whole
                main.wait_event(after(side))
            made = main.end_capture()
    return made


class GraphedStep:
    """What ``make_graphed_step`` returns; ``steps`` are its recordings."""

    def __init__(self, function: Callable[..., Any], example: tuple[Any, ...]) -> None:
        if not example or not all(isinstance(t, Tensor) for t in example):
            raise TypeError("the example is a tuple of tensors: model's arguments, and the target")
        self.function = function
        self.kinds = kinds(example)
        self.steps: list[tuple[DeviceStep, Replay]] = []
        self.record(example)

    def explain(self) -> str:
        """The launches of the last recording, one a line: what they compute, and how."""
        return self.steps[-1][0].explain()

    def record(self, args: tuple[Any, ...]) -> tuple[DeviceStep, Replay]:
        if len(self.steps) >= LIMIT:
            raise RuntimeError(f"the step was recorded {LIMIT} times, for as many different modes "
                               f"or values that it goes by")
        step = DeviceStep(self.function, args, "the step", generator=generator(args))
        self.steps.append((step, Replay()))
        return self.steps[-1]

    def __call__(self, *args: Any) -> Any:
        if kinds(args) != self.kinds:
            asked, given = [", ".join(f"{dtype}{list(shape)}" for shape, dtype in each)
                            for each in (self.kinds, kinds(args))]
            raise ValueError(f"a graph takes arguments like its example's, {asked}, not {given}; "
                             f"make another graph for others, or leave the last, smaller batch "
                             f"out (drop_last=True)")
        step, replay = next((pair for pair in self.steps if pair[0].holds()), None) \
            or self.record(args)
        if step.prepare([t.array for t in args]):
            replay.graph, replay.ran = None, False
        replay(step.launches, step.on_gpu)
        return step.finish()


def generator(tensors: Sequence[Any]) -> Any:
    """The state of the generator of the GPU where tensors are; None for tensors on a CPU."""
    return next((random.state(t.device) for t in tensors if t.is_cuda), None)


def kinds(tensors: tuple[Any, ...]) -> list[Any]:
    return [(t.array.shape, t.array.dtype) for t in tensors]


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
        self.step = DeviceStep(function, args, "the callable", True, generator(given))
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
