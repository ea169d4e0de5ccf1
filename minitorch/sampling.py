"""Random tensors, from PyTorch's CPU streams (see ``random``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, inplace, ops, random
from minitorch.coo import Coo, refusal
from minitorch.creation import dtype_or_default, dtype_or_int, like, make, shape_of
from minitorch.engine import wrap
from minitorch.functions import into
from minitorch.tensor import Tensor
from minitorch.views import node_of

__all__ = ["Generator", "default_generator", "manual_seed", "seed", "initial_seed",
           "get_rng_state", "set_rng_state", "rand", "randn", "rand_like", "randn_like", "randint",
           "randint_like", "randperm", "normal", "bernoulli", "multinomial", "poisson"]


class Generator(random.Generator):
    """A random stream, ``Generator().manual_seed(3)``, to be passed as ``generator=``."""

    device: Any

    def __init__(self, device: Any = "cpu") -> None:
        super().__init__(device)
        self.device = backend.device(device)

    def get_state(self) -> Any:
        """The whole state, as a uint8 tensor."""
        return wrap(super().get_state())

    def set_state(self, new_state: Any) -> Generator:  # type: ignore[override]
        """Continue from a state that ``get_state``, here or in PyTorch, returned."""
        super().set_state(getattr(new_state, "array", new_state))
        return self


default_generator: Any = random.default_generator
default_generator.__class__ = Generator  # the one stream, its states as tensors from here on
default_generator.device = backend.CPU


followers: list[Callable[[], None]] = []  # called when it is seeded: the GPUs' generators


def manual_seed(seed: int) -> Generator:
    """Start the default random stream, as PyTorch's CPU generator does, at ``seed``; the GPUs' too.
    """
    out = default_generator.manual_seed(int(seed))
    for follow in followers:
        follow()
    return out


def seed() -> int:
    """Start the default random stream somewhere unpredictable; returns the seed."""
    out = default_generator.seed()
    for follow in followers:
        follow()
    return out


def initial_seed() -> int:
    """The seed that the default stream was started with."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The state of the default stream, as a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Continue the default stream from a state that ``get_rng_state`` returned."""
    default_generator.set_state(new_state)


def _stream(generator: Any) -> Any:
    if generator is None:
        return default_generator
    if not isinstance(generator, random.Generator):
        raise TypeError(f"argument 'generator' must be torch.Generator, not "
                        f"{type(generator).__name__}")
    return generator


def _beside(x: Any, draw: Callable[[Any], Any]) -> Any:
    """What ``draw`` makes of the array ``x``, on the device of ``x``: streams are the CPU's."""
    return backend.move(draw(backend.move(x, backend.CPU)), backend.device_of(x))


def _drawn(name: str, draw: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def create(*size: Any, generator: Any = None, out: Any = None, dtype: Any = None,
               layout: Any = None, device: Any = None, requires_grad: bool = False,
               pin_memory: bool = False, **named: Any) -> Any:
        shape, dt = shape_of(name, size, named), dtype_or_default(dtype)
        if dt.kind != "f":
            raise NotImplementedError(f'"{name}" not implemented for {dtypes.of_numpy(dt)}; use '
                                      f'randint for integers')
        return make(draw(_stream(generator), shape, dt), device, requires_grad, out)
    create.__name__, create.__doc__ = name, doc
    return create


rand = _drawn("rand", lambda g, shape, dt: g.uniform(shape, dtype=dt),
              "Uniform numbers in [0, 1): PyTorch's CPU stream, bit for bit.")
randn = _drawn("randn", lambda g, shape, dt: g.normal(shape, dtype=dt),
               "Standard normal numbers: PyTorch's CPU stream.")
rand_like, randn_like = like(rand, "rand_like"), like(randn, "randn_like")


def randint(*args: Any, low: int = 0, high: Any = None, size: Any = None, generator: Any = None,
            out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
            requires_grad: bool = False) -> Any:
    """Integers: ``randint(high, size)`` in [0, high), ``randint(low, high, size)`` in [low, high).

    int64 unless ``dtype`` says otherwise.
    """
    given = list(args)
    if size is None and given:
        size = given.pop()
    if high is None and given:
        high = given.pop()
    if given:
        (low,) = given
    if high is None or not isinstance(size, (tuple, list)):
        raise TypeError("randint() takes (high, size) or (low, high, size), where size is a tuple "
                        "of ints")
    low, high = int(low), int(high)
    dt = dtype_or_int(dtype)
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= "
                           f"to={high}")
    shape = shape_of("randint", (tuple(size),), {})
    return make(_stream(generator).randint(low, high, shape, dt), device, requires_grad, out)


def randint_like(input: Any, *bounds: int, low: int = 0, high: int | None = None, dtype: Any = None,
                 device: Any = None, **options: Any) -> Any:
    """``randint`` with the shape, dtype and device of ``input``."""
    if high is not None:
        bounds = (*bounds, high) if bounds else (low, high)
    return randint(*bounds, input.array.shape, dtype=input.dtype if dtype is None else dtype,
                   device=input.device if device is None else device, **options)


def randperm(n: int, *, generator: Any = None, out: Any = None, dtype: Any = None,
             layout: Any = None, device: Any = None, requires_grad: bool = False,
             pin_memory: bool = False) -> Any:
    """The integers below ``n`` in random order: PyTorch's CPU stream."""
    order = _stream(generator).randperm(n)
    return make(order.astype(dtype_or_int(dtype), copy=False), device, requires_grad, out)


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, out: Any = None,
           dtype: Any = None, layout: Any = None, device: Any = None,
           requires_grad: bool = False) -> Any:
    """Normal numbers; ``mean`` and ``std`` may be tensors (then of their common shape)."""
    g = _stream(generator)
    if size is not None:
        shape, dt = shape_of("normal", (tuple(size),), {}), dtype_or_default(dtype)
        return make(g.normal(shape, float(mean), float(std), dt), device, requires_grad, out)
    given = [v for v in (mean, std) if isinstance(v, engine.Tensor)]
    if given and device is None:
        device = backend.device_of(given[0].array)
    m, s = (backend.move(v.array, backend.CPU) if isinstance(v, engine.Tensor) else v
            for v in (mean, std))
    if not (hasattr(m, "dtype") or hasattr(s, "dtype")):
        raise TypeError("normal() of two numbers needs size=, a tuple of ints")
    if Coo in (type(m), type(s)):
        raise refusal("normal()")
    if np.any(np.less(s, 0)):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = np.broadcast_shapes(np.shape(m), np.shape(s))
    dt = m.dtype if hasattr(m, "dtype") else s.dtype
    drawn = make(np.asarray(g.normal(shape, 0.0, 1.0, dt) * s + m, dt), device)
    return into(out, _flat_in(drawn, mean, std))


def _flat_in(drawn: Any, *inputs: Any) -> Any:
    """What was drawn, recorded as PyTorch does: with a gradient of 0 for what it depends on."""
    for x in inputs:
        if isinstance(x, engine.Tensor) and node_of(x) is not None:
            drawn = ops.add(drawn, ops.overwrite(x, 0.0))
    return drawn


def bernoulli(input: Any, p: float | None = None, *, generator: Any = None, out: Any = None) -> Any:
    """1 with the probability each element gives (or ``p``), else 0; same dtype as ``input``."""
    g = _stream(generator)
    drawn = _beside(input.array, lambda x: (g.bernoulli_from(x) if p is None
                                            else g.bernoulli(x.shape, p)).astype(x.dtype))
    return into(out, _flat_in(wrap(drawn), input), input)


def multinomial(input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None,
                out: Any = None) -> Any:
    """Indices drawn with the (unnormalised) probabilities in each row of ``input``."""
    g = _stream(generator)
    drawn = _beside(input.array, lambda x: g.multinomial(x, num_samples, replacement))
    return into(out, wrap(drawn), exact=True)


def poisson(input: Any, generator: Any = None) -> Any:
    """Poisson numbers with the rates in ``input``."""
    return wrap(_beside(input.array, _stream(generator).poisson))


# -- written into a tensor -------------------------------------------------------------------

def _fill(name: str, draw: Callable[..., Any], doc: str) -> None:
    def fill(self: Any, *args: Any, generator: Any = None, **options: Any) -> Any:
        inplace.check_writable(self)
        drawn = draw(_stream(generator), self.array, *args, **options)
        return inplace.copy_(self, wrap(np.asarray(drawn)))
    fill.__name__, fill.__doc__ = name, doc
    setattr(Tensor, name, fill)


def _random(g: Any, x: Any, low: Any = None, high: Any = None, **named: Any) -> Any:
    low, high = named.get("from", low), named.get("to", high)
    if low is None:
        return g.random(x.shape, x.dtype)
    low, high = (0, low) if high is None else (low, high)
    return g.randint(low, high, x.shape, x.dtype)


def _bernoulli(g: Any, x: Any, p: Any = 0.5) -> Any:
    if isinstance(p, engine.Tensor):
        return g.bernoulli_from(np.broadcast_to(backend.move(p.array, backend.CPU), x.shape))
    return g.bernoulli(x.shape, p)


_fill("uniform_", lambda g, x, a=0.0, b=1.0, **named: g.uniform(
    x.shape, named.get("from", a), named.get("to", b), x.dtype),
    "Uniform numbers in [from, to), written here.")
_fill("normal_", lambda g, x, mean=0.0, std=1.0: g.normal(x.shape, mean, std, x.dtype),
      "Normal numbers, written here.")
_fill("log_normal_", lambda g, x, mean=1.0, std=2.0: g.log_normal(x.shape, mean, std, x.dtype),
      "Exponentials of normal numbers, written here.")
_fill("exponential_", lambda g, x, lambd=1.0: g.exponential(x.shape, lambd, x.dtype),
      "Exponential numbers of rate ``lambd``, written here.")
_fill("cauchy_", lambda g, x, median=0.0, sigma=1.0: g.cauchy(x.shape, median, sigma, x.dtype),
      "Cauchy numbers, written here.")
_fill("geometric_", lambda g, x, p: g.geometric(x.shape, p, x.dtype),
      "How many trials of probability ``p`` until the first success, written here.")
_fill("bernoulli_", _bernoulli, "1 with probability ``p``, else 0, written here.")
_fill("random_", _random, "Integers in [from, to), written here.")

for _function in (bernoulli, multinomial):
    setattr(Tensor, _function.__name__, _function)
