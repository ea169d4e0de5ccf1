"""The engines: one small class each, which says how to start it and how it trains a network.

A process has one of them. An engine is imported when it is started, never before.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from typing import Any

from benchmarks.networks import Network, endless, parts, training_step
from benchmarks.table import Unfit

Step = Callable[[], float]  # one training step; its loss


class Engine:
    """``lib`` is the package, if it speaks PyTorch's names. ``startup``: seconds, about; and
    ``compiling``: seconds per row that only the first process spends (later ones find a cache)."""

    module = "numpy"
    startup = 0.4
    compiling = 0.0
    own_masks = False  # draws dropout's masks from another stream than PyTorch's
    lib: Any = None

    def __init__(self, name: str) -> None:
        self.name = name

    def missing(self) -> str:
        """Why it cannot run here; "" if it can."""
        return "" if importlib.util.find_spec(self.module) else f"{self.module} is not installed"

    def start(self, threads: int) -> dict[str, Any]:
        """Import it and set its threads; what it says of itself."""
        self.lib = importlib.import_module(self.module)
        return {self.module: self.lib.__version__}

    def train(self, network: Network) -> Step:
        raise Unfit(f"{self.name} trains no networks")


class Named(Engine):
    """A package with PyTorch's names; ``options`` are given to the optimizer."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name)
        self.options = options

    def start(self, threads: int) -> dict[str, Any]:
        said = super().start(threads)
        self.lib.set_num_threads(threads)
        return said

    def parts(self, network: Network) -> tuple[Any, Any, Any]:
        return parts(self.lib, network, **self.options)

    def step(self, model: Any, criterion: Any, optimizer: Any) -> Callable[..., Any]:
        return training_step(model, criterion, optimizer)

    def train(self, network: Network) -> Step:
        step = self.step(*self.parts(network))
        data = endless(network, self.lib.from_numpy)
        return lambda: step(*next(data)).item()


class Minitorch(Named):
    """minitorch, one operator after the other."""

    module = "minitorch"


class Compiled(Minitorch):
    """minitorch.compile(step): recorded once, then replayed."""

    def step(self, *parts: Any) -> Callable[..., Any]:
        return self.lib.compile(super().step(*parts), fullgraph=True)


class Torch(Named):
    """PyTorch eager with its default optimizer, or with an option of the optimizer."""

    module = "torch"
    startup = 2.5

    def start(self, threads: int) -> dict[str, Any]:
        return {**super().start(threads), "torch threads": self.lib.get_num_threads(),
                "torch has MKL": self.lib.backends.mkl.is_available()}


class TorchCompiled(Torch):
    """torch.compile of the model with its loss, and of the optimizer's step."""

    startup = 8.0
    compiling = 30.0
    own_masks = True  # Inductor's generator is not eager's
    mode: str | None = None

    def missing(self) -> str:
        compiler = shutil.which("g++") or shutil.which("clang++")
        return super().missing() or ("" if compiler else "torch.compile needs a C++ compiler")

    def step(self, model: Any, criterion: Any, optimizer: Any) -> Callable[..., Any]:
        self.lib.compiler.reset()  # each network with its own limit of recompilations
        forward = self.lib.compile(lambda x, y: criterion(model(x), y), mode=self.mode)
        update = self.lib.compile(optimizer.step, mode=self.mode)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = forward(x, y)
            loss.backward()
            update()
            return loss
        return step


class Jax(Engine):
    """JAX: the whole step in one jit."""

    module = "jax"
    startup = 3.0
    own_masks = True

    def train(self, network: Network) -> Step:
        from benchmarks import jax_step
        return jax_step.train(network)


class RawNumpy(Engine):
    """The same step in NumPy by hand, with reused buffers: no engine, the floor of one."""

    own_masks = True

    def train(self, network: Network) -> Step:
        from benchmarks import raw
        return raw.train(network)


class Gemms(Engine):
    """The step's matrix products alone, which no engine can leave out."""

    def train(self, network: Network) -> Step:
        from benchmarks import raw
        return raw.products(network)


class Python(Engine):
    """Python without any package: the floor of an import."""

    module = "sys"

    def start(self, threads: int) -> dict[str, Any]:
        return {}


ENGINES: dict[str, Engine] = {e.name: e for e in [
    Minitorch("minitorch"), Compiled("compiled"), Torch("torch"), Torch("foreach", foreach=True),
    Torch("fused", fused=True), TorchCompiled("torch.compile"), Jax("jax"), RawNumpy("numpy"),
    Gemms("gemms"), Python("python")]}
MAIN = ("minitorch", "compiled", "torch", "foreach", "fused", "jax", "numpy", "gemms")
