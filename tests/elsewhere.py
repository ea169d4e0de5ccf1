"""Programs that run on any device: what they give is compared with what they give on the CPU.

``operators`` are calls drawn for each operator, with gradients and second derivatives;
``functions`` are some of PyTorch's own sample inputs of public functions; ``layers`` and
``optimizers`` a few steps of each class. A program is a name and a function of a device.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

import minitorch
from minitorch.engine import wrap
from minitorch.testing import module_db, op_db, optim_db
from minitorch.testing.db.cases import Case, is_array, is_float
from minitorch.testing.db.operators import calls

Program = tuple[str, Callable[[str], list[Any]]]


def drawn(strategy: Any, n: int) -> list[Any]:
    """The first ``n`` examples, the same in every run."""
    found: list[Any] = []

    @settings(max_examples=n, database=None, phases=[Phase.generate], derandomize=True,
              deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def draw(example: Any) -> None:
        found.append(example)

    draw()
    return found


def put(array: Any, device: str) -> Any:
    return wrap(array.copy()).to(device)


def derivatives(out: Any, leaves: list[Any], cotangent: Any) -> list[Any]:
    """Gradients of ``leaves``, and the gradients of those."""
    if not out.requires_grad or not leaves:
        return []
    g = cotangent.requires_grad_()
    first = minitorch.autograd.grad(out, leaves, g, allow_unused=True, create_graph=True)
    roots = [d for d in first if d is not None and d.requires_grad]
    second = minitorch.autograd.grad(roots, [*leaves, g], [minitorch.ones_like(r) for r in roots],
                                     allow_unused=True) if roots else []
    return [d for d in (*first, *second) if d is not None]


def run_operator(case: Case, device: str) -> list[Any]:
    if case.op.name == "transfer":
        x = wrap(np.asarray(case.args[0])).to(device)
        return [x, x.cpu(), x.cpu().to(device)]
    args = [put(a, device) if is_array(a) else a for a in case.args]
    if case.op.name == "view_put":  # the view is one of a tensor on that device
        view = case.args[2]
        args[2] = type(view)(args[0], view.steps)
    leaves = [args[i].requires_grad_() for i in case.differentiable]
    out = case.op(*args)
    out, *extras = out if isinstance(out, tuple) else (out,)
    g = put(case.random(tuple(out.shape)).astype(out.array.dtype), device)
    return [out, *[wrap(e) for e in extras], *derivatives(out, leaves, g)]


def in_other_dtypes(cases: list[Case]) -> Iterator[Case]:
    """Calls in double precision, some of them in other dtypes."""
    for n, case in enumerate(cases):
        if n % 3 == 1:
            case = case.astype(np.float32)
        elif n % 7 == 3:
            case = case.map(lambda a: np.round(a).astype(np.int64) if is_float(a) else a)
        elif n % 7 == 5:
            case = case.map(lambda a: a.astype(np.float16) if is_float(a) else a)
        yield case


def operators(n: int) -> Iterator[Program]:
    for entry in op_db:
        for kind in ("smooth", "ties"):
            for case in in_other_dtypes(drawn(calls(entry.op, kind), n)):
                yield entry.name, partial(run_operator, case)


def run_layer(layer: Any, device: str) -> list[Any]:
    module = layer.build(minitorch).to(device)
    found = []
    for step in range(2):
        inputs = [x.detach().to(device).requires_grad_(x.requires_grad)
                  for x in layer.inputs(minitorch, step)]
        out = module(*inputs)
        found.append(out)
        if out.requires_grad:
            out.backward(layer.cotangent(minitorch, out.shape, step).to(device))
        found += [x.grad for x in inputs if x.grad is not None]
    module.eval()
    found.append(module(*inputs))
    return found + [p.grad for p in module.parameters() if p.grad is not None] + [
        b for b in module.buffers()]


def layers(n: int) -> Iterator[Program]:
    for entry in module_db:
        for layer in drawn(entry.layers(), n):
            yield entry.name, partial(run_layer, layer)


def run_optimizer(name: str, options: dict[str, Any], sparse: bool, device: str) -> list[Any]:
    rng = np.random.default_rng(0)
    x, y = [minitorch.nn.Parameter(put(rng.normal(size=shape), device)) for shape in ((3, 4), (4,))]
    optimizer = getattr(minitorch.optim, name)([x, y], **options)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (x.sin() * y.cos()).sum() + (x * x).mean()
        loss.backward()
        if sparse:
            rows = minitorch.tensor([[2, 0, 2]], device=device)
            x.grad = minitorch.sparse_coo_tensor(rows, x.grad[rows[0]], (3, 4))
            y.grad = y.grad.to_sparse()
        return loss

    losses = [optimizer.step(closure).detach() for _ in range(3)]
    copy = getattr(minitorch.optim, name)([x, y], **options)
    copy.load_state_dict(optimizer.state_dict())
    losses.append(copy.step(closure).detach())
    return [*losses, x, y]


def optimizers(n: int) -> Iterator[Program]:
    for entry in optim_db:
        for options in drawn(entry.options(), n):
            sparse = entry.name in ("SparseAdam", "SGD", "Adagrad") and not (
                options.get("weight_decay"))
            for kind in [True] if entry.name == "SparseAdam" else {False, sparse}:
                yield (entry.name + " sparse" * kind,
                       partial(run_optimizer, entry.name, options, kind))


def functions(n: int) -> Iterator[Program]:
    """Needs ``torch.testing``'s records, whose import takes ten seconds."""
    import torch

    from tests.samples.bridge import Arguments, flat, is_tensor
    from tests.samples.operators import OPERATORS, UNINITIALISED, in_scope, ours

    class There(Arguments):
        """Arguments on another device."""

        device = "cpu"

        def tensor(self, t: Any) -> Any:
            if id(t) not in self.made:
                x = super().tensor(t)
                if self.leaves and self.leaves[-1] is x:
                    self.leaves.pop()
                y = x.detach().to(self.device)
                if x.requires_grad:
                    self.leaves.append(y.requires_grad_())
                self.made[id(t)] = y, t
            return self.made[id(t)][0]

    def run(function: Any, sample: Any, device: str) -> list[Any]:
        arguments = There(minitorch)
        arguments.device = device
        args = [arguments.convert(v) for v in (sample.input, *sample.args)]
        kwargs = arguments.convert(sample.kwargs)
        if "device" in kwargs:
            kwargs["device"] = device
        minitorch.manual_seed(42)
        found = [v for v in flat(function(*args, **kwargs)) if is_tensor(v)]
        for y in list(found):
            if y.requires_grad and arguments.leaves:
                g = minitorch.linspace(0.5, 1.5, y.numel(), dtype=y.dtype)
                found += [d for d in minitorch.autograd.grad(
                    y, arguments.leaves, g.reshape(y.shape).to(device), allow_unused=True,
                    retain_graph=True) if d is not None]
        return found

    for name, op in OPERATORS.items():
        if name in UNINITIALISED:
            continue
        for dtype in (torch.float32, torch.int64):
            if dtype in op.dtypes:
                grad = op.supports_autograd and dtype.is_floating_point
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    some = list(op.sample_inputs_func(op, "cpu", dtype, grad))
                for sample in in_scope(some[::-(-len(some) // n) or 1], Counter()):
                    yield name, partial(run, ours(op), sample)


# -- the course's three networks -----------------------------------------------------------------

def network(kind: str) -> tuple[Any, Any]:
    """One of the course's networks and its optimizer."""
    nn = minitorch.nn
    minitorch.manual_seed(777)
    sizes = {"adam": [784, 256, 256], "dropout": [784, 512, 512, 512],
             "batch norm": [784, 32, 32]}[kind]
    parts: list[Any] = []
    for n, m in pairwise(sizes):
        parts += [nn.Linear(n, m), *([nn.BatchNorm1d(m)] if kind == "batch norm" else []),
                  nn.ReLU(), *([nn.Dropout(0.3)] if kind == "dropout" else [])]
    model = nn.Sequential(*parts, nn.Linear(sizes[-1], 10))
    return model, lambda: minitorch.optim.Adam(model.parameters(), lr=1e-3)


def run_network(kind: str, device: str, between: Callable[[], Any] = lambda: None,
                dtype: Any = minitorch.float32, batch: int = 20, steps: int = 3) -> list[Any]:
    """A few steps; ``between`` is called after each, before its loss is looked at."""
    model, optimizer_of = network(kind)
    model.to(device, dtype)
    optimizer = optimizer_of()
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(steps):
        x = minitorch.from_numpy(rng.random((batch, 784), np.float32))
        x = x.to(device, dtype, non_blocking=True)
        y = minitorch.from_numpy(rng.integers(0, 10, batch)).to(device)
        optimizer.zero_grad()
        loss = minitorch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        between()
    model.eval()
    return [*losses, model(x), *model.state_dict().values()]


def networks(n: int) -> Iterator[Program]:
    for kind in ("adam", "dropout", "batch norm"):
        yield kind, partial(run_network, kind)


# -- minitorch.cuda ------------------------------------------------------------------------------

def use_interface() -> None:
    """Everything in ``minitorch.cuda``, called once; for a GPU on which all is done at once."""
    cuda = minitorch.cuda
    assert cuda.is_available() and cuda.device_count() == 1 and cuda.is_initialized()
    cuda.init()
    assert cuda.current_device() == 0 and minitorch.accelerator.current_device_index() == 0
    cuda.set_device("cuda:0")
    with cuda.device(0), cuda.device(None), cuda.device_of(minitorch.zeros(1)):
        x = minitorch.ones(1000, device="cuda")
    with cuda.device_of(x):
        pass
    assert cuda.get_device_capability() == (9, 0)
    assert cuda.get_device_name(minitorch.device("cuda")) == cuda.get_device_properties(0).name
    assert cuda.get_device_properties("cuda").total_memory > 2**30
    cuda.can_device_access_peer(0, 0)
    cuda.synchronize()
    minitorch.accelerator.synchronize()
    minitorch.accelerator.set_stream(minitorch.accelerator.current_stream())

    stream = cuda.Stream(priority=-1)
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    with cuda.stream(stream):
        assert cuda.current_stream() == stream != cuda.default_stream()
        x = x + 1
        end.record()
        with cuda.stream(None), cuda.default_stream():
            assert cuda.current_stream() == cuda.default_stream()
        assert cuda.current_stream() == stream
    with stream:
        assert cuda.current_stream("cuda:0") == stream
    assert cuda.current_stream() == cuda.default_stream(0)
    cuda.current_stream().wait_stream(stream)
    stream.wait_event(start)
    end.wait()
    end.synchronize()
    stream.synchronize()
    assert stream.query() and end.query() and start.elapsed_time(end) >= 0
    assert stream.cuda_stream and hash(stream) and "cuda:0" in repr(stream) + repr(end)

    assert minitorch.from_dlpack(x).data_ptr() == x.data_ptr() == minitorch.as_tensor(
        x.array).data_ptr()
    assert minitorch.from_dlpack(x.array, copy=True).data_ptr() != x.data_ptr()
    assert int(x.__dlpack_device__()[0]) == 2

    cuda.reset_peak_memory_stats()
    before = cuda.memory_allocated()
    y = minitorch.zeros(2**20, device="cuda")
    assert cuda.memory_allocated() - before >= 4 * 2**20
    del y
    assert cuda.memory_allocated() == before
    assert cuda.max_memory_allocated() >= before + 4 * 2**20
    assert cuda.memory_reserved() >= before and cuda.max_memory_reserved() >= before
    assert cuda.memory_stats()["allocated_bytes.all.current"] == before
    cuda.reset_peak_memory_stats()
    assert cuda.max_memory_allocated() == before
    cuda.empty_cache()
    assert len(cuda.mem_get_info()) == 2
    assert cuda.get_sync_debug_mode() == 0 and not cuda.is_bf16_supported()
