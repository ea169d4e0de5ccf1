"""The engines on a GPU: those of the CPU's benchmarks, moved there, and those that have graphs.

The loss stays on the device: reading it would wait for every step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from benchmarks import engines, raw
from benchmarks.gpu.capture import capture, graphed
from benchmarks.gpu.placed import Placed, device
from benchmarks.networks import Network, endless
from minitorch.utils.benchmark import Timer

Step = Callable[[], Any]
Epoch = Callable[[Any], Iterator[Any]]
PRECISIONS = {"FP32": "highest", "TF32": "high"}  # PyTorch's names for the products' precision


class OnDevice(engines.Named):
    """A package with PyTorch's names; ``graph``: its step is a CUDA graph."""

    own_masks = True  # generators differ on a GPU
    graph = False
    startup = 6.0

    def missing(self) -> str:
        return super().missing() or (
            "a graph needs a GPU" if self.graph and device() == "cpu" else "")

    def start(self, threads: int) -> dict[str, Any]:
        said = super().start(threads)
        if device() == "cuda" and not self.lib.cuda.is_available():
            raise RuntimeError(f"{self.module} sees no GPU")
        self.placed, self.clock, self.threads = Placed(self.lib, device()), self.lib.cuda, threads
        return {**said, f"{self.module} CUDA": self.lib.version.cuda}

    def timed(self, run: Step, seconds: float, least: int, warm: int) -> dict[str, Any]:
        """Many runs between two waits for the device; the median of blocks of runs."""
        threads = self.threads if device() == "cpu" else 1
        m = Timer(run, num_threads=threads).device_autorange(seconds, self.clock)
        return {"value": m.wall.median, "mean": m.wall.mean, "host": m.host.median,
                "device": m.device.median if m.device else None,
                "runs": m.wall.number_per_run * len(m.wall.times)}

    def precise(self, precision: str) -> None:
        self.lib.set_float32_matmul_precision(PRECISIONS[precision])

    def parts(self, network: Network) -> tuple[Any, Any, Any]:
        """The model is moved before the optimizer sees it."""
        return engines.parts(self.lib, network, device(), **self.options)

    def stepper(self, network: Network, x: Any, y: Any) -> Callable[..., Any]:
        """A training step on batches like this one."""
        return self.step(*self.parts(network))

    def by_index(self, network: Network, x: Any, y: Any, batch: int) -> Callable[[Any], Any]:
        """A training step on those of the images ``x`` that an index names."""
        step = self.stepper(network, x[:batch], y[:batch])
        return lambda index: step(x[index], y[index])

    def epochs(self, network: Network, x: Any, y: Any, batch: int) -> Epoch:
        """An epoch on the images in a given order, an array of NumPy's: its losses."""
        x, y = map(self.placed.from_numpy, (x, y))
        step = self.by_index(network, x, y, batch)

        def epoch(order: Any) -> Iterator[Any]:
            order = self.placed.from_numpy(order)
            for i in range(0, len(order), batch):
                yield step(order[i:i + batch])
        return epoch

    def train(self, network: Network) -> Step:
        data = endless(network, self.placed.from_numpy)
        step = self.stepper(network, *next(data))
        data = endless(network, self.placed.from_numpy)
        return lambda: step(*next(data))

    def wait(self) -> None:
        if device() == "cuda":
            self.clock.synchronize()


class Minitorch(OnDevice, engines.Minitorch):
    """minitorch, one operator after the other."""

    def start(self, threads: int) -> dict[str, Any]:
        said = super().start(threads)
        if device() == "cuda":
            import cupy
            said |= {"cupy": cupy.__version__,
                     "cupy CUDA": cupy.cuda.runtime.runtimeGetVersion()}
        return said


class Graphed(Minitorch):
    """minitorch.cuda.make_graphed_step: the whole step as one graph."""

    graph = True

    def stepper(self, network: Network, x: Any, y: Any) -> Callable[..., Any]:
        step: Callable[..., Any] = self.lib.cuda.make_graphed_step(*self.parts(network), (x, y))
        return step

    def epochs(self, network: Network, x: Any, y: Any, batch: int) -> Epoch:
        """A DeviceLoader copies a batch by one launch."""
        data = self.lib.data
        given: list[int] = []  # a sampler: each epoch's order
        x, y = map(self.placed.from_numpy, (x, y))
        loader = data.DeviceLoader(data.TensorDataset(x, y), batch, sampler=given)
        step = self.stepper(network, x[:batch], y[:batch])

        def epoch(order: Any) -> Iterator[Any]:
            given[:] = order.tolist()
            for batch in loader:
                yield step(*batch)
        return epoch


class Torch(OnDevice, engines.Torch):
    """PyTorch eager with its default optimizer, or with an option of the optimizer."""


class TorchCompiled(OnDevice, engines.TorchCompiled):
    """torch.compile of the model with its loss, and of the optimizer's step."""


class TorchReduced(TorchCompiled):
    """torch.compile with CUDA graphs of its own (mode "reduce-overhead")."""

    graph = True
    mode = "reduce-overhead"

    def step(self, model: Any, criterion: Any, optimizer: Any) -> Callable[..., Any]:
        step = super().step(model, criterion, optimizer)
        begin = self.lib.compiler.cudagraph_mark_step_begin

        def begun(x: Any, y: Any) -> Any:
            begin()
            return step(x, y)
        return begun


class TorchGraph(Torch):
    """PyTorch with its own full-step CUDA graph, made by hand: the one to be compared with."""

    graph = True

    def stepper(self, network: Network, x: Any, y: Any) -> Callable[..., Any]:
        model, criterion, optimizer = self.parts(network)
        return graphed(self.lib, self.step(model, criterion, optimizer), model, optimizer, (x, y))

    def by_index(self, network: Network, x: Any, y: Any, batch: int) -> Callable[[Any], Any]:
        """The images are picked inside the graph."""
        model, criterion, optimizer = self.parts(network)
        step = self.step(model, criterion, optimizer)
        index = self.lib.arange(batch, device=device())
        return graphed(self.lib, lambda index: step(x[index], y[index]), model, optimizer, (index,))


class Products(Torch):
    """The step's matrix products alone, by PyTorch's cuBLAS and as one graph: a floor."""

    def train(self, network: Network) -> Step:
        torch = self.lib
        calls = [tuple(map(self.placed.from_numpy, call)) for call in raw.operands(network)]

        def run() -> None:
            for a, b, out in calls:
                torch.mm(a, b, out=out)
        if device() == "cpu":
            return run
        graph, _ = capture(torch, run)
        replay: Step = graph.replay
        return replay


class Jax(engines.Jax):
    """JAX: the whole step in one jit, its state donated. It has no events."""

    graph = False
    startup = 6.0
    last: Any = None

    def start(self, threads: int) -> dict[str, Any]:
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # others are there too
        if device() == "cpu":
            os.environ["JAX_PLATFORMS"] = "cpu"
        said = super().start(threads)
        if device() == "cuda" and self.lib.default_backend() != "gpu":
            raise RuntimeError("jax sees no GPU")
        self.clock = SimpleNamespace(synchronize=self.wait)
        self.placed = SimpleNamespace(from_numpy=self.lib.numpy.asarray)
        self.threads = threads
        return said

    timed, epochs = OnDevice.timed, OnDevice.epochs

    def wait(self) -> None:
        self.lib.block_until_ready(self.last)

    def precise(self, precision: str) -> None:
        name = {"FP32": "float32", "TF32": "tensorfloat32"}[precision]
        self.lib.config.update("jax_default_matmul_precision", name)

    def by_index(self, network: Network, x: Any, y: Any, batch: int) -> Callable[[Any], Any]:
        from benchmarks import jax_step
        step = jax_step.stepper(network)

        def indexed(index: Any) -> Any:
            self.last = step(x[index], y[index])
            return self.last
        return indexed

    def train(self, network: Network) -> Step:
        from benchmarks import jax_step
        step, data = jax_step.stepper(network), endless(network, self.placed.from_numpy)

        def run() -> Any:
            self.last = step(*next(data))
            return self.last
        return run


FUSED = dict(fused=True, capturable=True)
ENGINES: dict[str, engines.Engine] = {e.name: e for e in [
    Minitorch("minitorch"), Graphed("graphed"), Torch("torch"), Torch("fused", fused=True),
    TorchGraph("torch graph", **FUSED), TorchCompiled("torch.compile"),
    TorchReduced("reduce-overhead", capturable=True), Jax("jax"), Products("gemms")]}
