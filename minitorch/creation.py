"""Making tensors: from data, constant, in sequence, at random."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import backend, dtypes, engine, inplace
from minitorch.engine import wrap
from minitorch.functions import into, method, sizes
from minitorch.modes import no_grad
from minitorch.random import Generator, default_generator
from minitorch.tensor import Tensor


def make(array: Any, device: Any = None, requires_grad: bool = False, out: Any = None) -> Any:
    """A tensor around a fresh array, on ``device`` (or the default one)."""
    to = backend.get_default_device() if device is None else backend.device(device)
    if to.type != "cpu":
        array = backend.move(array, to)
    t = wrap(array)
    if out is not None:
        return out.receive(t)
    if requires_grad:
        t.requires_grad = True
    return t


def _contains_tensor(data: Any) -> bool:
    return isinstance(data, engine.Tensor) or isinstance(data, (list, tuple)) and any(
        map(_contains_tensor, data))


def _bare(data: Any) -> Any:
    if isinstance(data, engine.Tensor):
        return data.array if data.array.ndim else data.array.item()
    return [_bare(v) for v in data] if isinstance(data, (list, tuple)) else data


def _to_array(data: Any, dtype: Any) -> Any:
    """An own copy of ``data``, by PyTorch's inference: Python floats give the default dtype."""
    if isinstance(data, engine.Tensor):
        data = data.array
    elif _contains_tensor(data):
        data = _bare(data)
    try:
        array = np.array(data)
    except ValueError:
        raise ValueError("expected sequence of equal length: the rows of nested data differ in "
                         "length") from None
    if dtype is not None:
        return array.astype(dtypes.to_numpy(dtype), copy=False)
    if array.dtype == object or array.dtype.kind in "USV":
        raise TypeError(f"new(): data of type {type(data).__name__} cannot become a Tensor of "
                        f"numbers")
    if not isinstance(data, (np.ndarray, np.generic)) and (array.dtype.kind == "f"
                                                           or not array.size):
        return array.astype(dtypes.default(), copy=False)
    dtypes.of_numpy(array.dtype)
    return array


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
           pin_memory: bool = False) -> Any:
    """A tensor with a copy of ``data``: nested lists, numbers, arrays.

    >>> import minitorch as torch
    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    return make(_to_array(data, dtype), device, requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """A tensor over ``data``, sharing memory where it can."""
    if isinstance(data, engine.Tensor):
        return data.to(dtype=dtype, device=device)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray):
        return from_numpy(data).to(dtype=dtype, device=device)
    return tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray: Any) -> Any:
    """A tensor that shares the array's memory; raises TypeError for dtypes PyTorch lacks."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.of_numpy(ndarray.dtype)
    if not ndarray.dtype.isnative:
        raise ValueError("given numpy array has byte order different from the native byte order. "
                         "Conversion between byte orders is currently not supported.")
    return wrap(ndarray)


def from_dlpack(ext_tensor: Any) -> Any:
    """A tensor that shares memory with another library's array."""
    return wrap(np.from_dlpack(ext_tensor))


def asarray(obj: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """``as_tensor`` under its array-API name."""
    return as_tensor(obj, dtype, device)


def _filled(name: str, fill: Callable[[Any, Any], Any], doc: str) -> Callable[..., Any]:
    def create(*size: Any, out: Any = None, dtype: Any = None, layout: Any = None,
               device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
               **named: Any) -> Any:
        size = size or (named.pop("size", ()),)
        dt = dtypes.default() if dtype is None else dtypes.to_numpy(dtype)
        shape = sizes(size)
        if any(n < 0 for n in shape):
            raise RuntimeError(f"Trying to create tensor with negative dimension: {list(shape)}")
        return make(fill(shape, dt), device, requires_grad, out)
    create.__name__, create.__doc__ = name, doc
    return create


zeros = _filled("zeros", np.zeros, "Zeros of the given shape.")
ones = _filled("ones", np.ones, "Ones of the given shape.")
empty = _filled("empty", np.zeros, "A tensor of the given shape to be written into (here: zeros).")


def full(size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, device: Any = None,
         requires_grad: bool = False) -> Any:
    """``fill_value`` in the given shape."""
    if isinstance(fill_value, engine.Tensor):
        fill_value = fill_value.array.item()
    if dtype is None:
        dt = (dtypes.default() if isinstance(fill_value, float) else
              dtypes.BOOL if isinstance(fill_value, bool) else dtypes.INT64)
    else:
        dt = dtypes.to_numpy(dtype)
    return make(np.full(sizes((size,)), fill_value, dt), device, requires_grad, out)


def _like(create: Callable[..., Any], name: str) -> Callable[..., Any]:
    def like(input: Any, *args: Any, dtype: Any = None, device: Any = None,
             requires_grad: bool = False, memory_format: Any = None, **kwargs: Any) -> Any:
        return create(input.array.shape, *args, dtype=input.dtype if dtype is None else dtype,
                      device=input.device if device is None else device,
                      requires_grad=requires_grad, **kwargs)
    like.__name__ = name
    like.__doc__ = f"``{name.removesuffix('_like')}`` with the shape, dtype, device of ``input``."
    return like


zeros_like, ones_like = _like(zeros, "zeros_like"), _like(ones, "ones_like")
empty_like, full_like = _like(empty, "empty_like"), _like(full, "full_like")


def arange(start: Any, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None,
           layout: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """``start, start + step, ...`` below ``end``; ints give int64, floats the default float."""
    start, end, step = [v.item() if isinstance(v, engine.Tensor) else v
                        for v in (start, end, step)]
    if end is None:
        start, end = 0, start
    if not np.isfinite([start, end]).all():
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if dtype is not None or out is not None:
        dt = out.array.dtype if dtype is None else dtypes.to_numpy(dtype)
    elif any(isinstance(v, (float, np.floating)) for v in (start, end, step)):
        dt = dtypes.default()
    else:
        dt = dtypes.INT64
    _require_numbers("arange", dt)
    if dt == dtypes.INT64:
        start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: arange("
                           f"{start}, {end}, {step})")
    n = int(np.ceil((end - start) / step))
    if dt.kind != "f":
        start, step = int(start), int(step)
    values = np.arange(n, dtype=np.float64 if dt.kind == "f" else np.int64) * step + start
    return make(values.astype(dt), device, requires_grad, out)


def _require_numbers(name: str, dt: Any) -> None:
    if dt.kind == "b":
        raise NotImplementedError(f'"{name}_cpu" not implemented for \'Bool\': numbers in sequence '
                                  f"need another dtype")


def _evenly(name: str, start: Any, end: Any, steps: int, out: Any, dtype: Any) -> Any:
    """Numbers from both ends towards the middle, in the result's own precision, as in PyTorch.

    Integers are not yet rounded.
    """
    for what, v in (("start", start), ("end", end)):
        if isinstance(v, engine.Tensor) and v.array.ndim:
            raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors, but got "
                               f"{what} with {v.array.ndim} dimension(s).")
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    dt = (dtypes.to_numpy(dtype) if dtype is not None else
          dtypes.default() if out is None else out.array.dtype)
    _require_numbers(name, dt)
    ends = [float(v) if dt.kind == "f" else int(v) for v in (start, end)]
    lo, hi = np.array(ends, dt if dt.kind == "f" else np.float64)
    i = np.arange(steps).astype(lo.dtype)
    step = (hi - lo) / lo.dtype.type(max(steps - 1, 1))
    return np.where(i < (steps // 2 or 1), lo + step * i, hi - step * (steps - 1 - i)), dt


def linspace(start: Any, end: Any, steps: int, *, out: Any = None, dtype: Any = None,
             layout: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included."""
    values, dt = _evenly("linspace", start, end, steps, out, dtype)
    return make(values.astype(dt), device, requires_grad, out)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, out: Any = None,
             dtype: Any = None, layout: Any = None, device: Any = None,
             requires_grad: bool = False) -> Any:
    """``base`` to the powers ``linspace(start, end, steps)``."""
    values, dt = _evenly("logspace", start, end, steps, out, dtype)
    return make((values.dtype.type(base) ** values).astype(dt), device, requires_grad, out)


def eye(n: int, m: int | None = None, *, out: Any = None, dtype: Any = None, layout: Any = None,
        device: Any = None, requires_grad: bool = False) -> Any:
    """Ones on the diagonal of an n x m matrix."""
    for name, k in (("n", n), ("m", m)):
        if k is not None and k < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {k}")
    dt = dtypes.default() if dtype is None else dtypes.to_numpy(dtype)
    return make(np.eye(n, m, dtype=dt), device, requires_grad, out)


for _name, _create in {"new_zeros": zeros, "new_ones": ones, "new_empty": empty,
                       "new_full": full}.items():
    def _new(self: Any, *args: Any, dtype: Any = None, device: Any = None,
             create: Callable[..., Any] = _create, **kwargs: Any) -> Any:
        return create(*args, dtype=self.dtype if dtype is None else dtype,
                      device=self.device if device is None else device, **kwargs)
    setattr(Tensor, _name, _new)


@method
def new_tensor(self: Any, data: Any, *, dtype: Any = None, device: Any = None,
               requires_grad: bool = False) -> Any:
    """``tensor(data)`` with this tensor's dtype."""
    return tensor(data, dtype=self.dtype if dtype is None else dtype, device=device,
                  requires_grad=requires_grad)


# -- legacy constructors: FloatTensor([1, 2]), LongTensor(3), ... ----------------------------

class _Legacy(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype is cls.dtype  # type: ignore[attr-defined]


def legacy(d: dtypes.dtype) -> Any:
    """The constructor ``FloatTensor`` and its like."""
    def new(cls: Any, *data: Any) -> Any:
        if len(data) == 1 and not isinstance(data[0], int):
            return tensor(data[0], dtype=d)
        return zeros(*data if data else (0,), dtype=d)
    return _Legacy(f"{d.legacy}Tensor", (), {"__new__": new, "dtype": d})


# -- random ----------------------------------------------------------------------------------

def manual_seed(seed: int) -> Generator:
    """Start the default random stream, as PyTorch's CPU generator does, at ``seed``."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default random stream somewhere unpredictable; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default stream was started with."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The state of the default stream, as a uint8 tensor."""
    return wrap(default_generator.get_state())


def set_rng_state(new_state: Any) -> None:
    """Continue the default stream from a state that ``get_rng_state`` returned."""
    default_generator.set_state(new_state)


def _drawn(name: str, draw: Callable[..., Any], doc: str) -> Callable[..., Any]:
    def create(*size: Any, generator: Generator | None = None, out: Any = None, dtype: Any = None,
               layout: Any = None, device: Any = None, requires_grad: bool = False,
               pin_memory: bool = False, **named: Any) -> Any:
        size = size or (named.pop("size", ()),)
        dt = dtypes.default() if dtype is None else dtypes.to_numpy(dtype)
        if dt.kind != "f":
            raise RuntimeError(f'"{name}" not implemented for {dtypes.of_numpy(dt)}; use randint '
                               f'for integers')
        g = default_generator if generator is None else generator
        return make(draw(g, sizes(size), dt), device, requires_grad, out)
    create.__name__, create.__doc__ = name, doc
    return create


rand = _drawn("rand", lambda g, shape, dt: g.uniform(shape, dtype=dt),
              "Uniform numbers in [0, 1): PyTorch's CPU stream, bit for bit.")
randn = _drawn("randn", lambda g, shape, dt: g.normal(shape, dtype=dt),
               "Standard normal numbers: PyTorch's CPU stream.")
rand_like, randn_like = _like(rand, "rand_like"), _like(randn, "randn_like")


def randint(low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None,
            out: Any = None, dtype: Any = None, device: Any = None,
            requires_grad: bool = False) -> Any:
    """Integers in [low, high), or [0, low) with two arguments; int64 unless ``dtype`` says."""
    if size is None or not isinstance(high, (int, np.integer)):
        low, high, size = 0, low, high if size is None else size
    dt = dtypes.INT64 if dtype is None else dtypes.to_numpy(dtype)
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= "
                           f"to={high}")
    g = default_generator if generator is None else generator
    return make(g.randint(low, high, sizes((size,))).astype(dt), device, requires_grad, out)


def randint_like(input: Any, low: int, high: int | None = None, **options: Any) -> Any:
    """``randint`` with the shape and dtype of ``input``."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.array.shape, **{"dtype": input.dtype, **options})


def randperm(n: int, *, generator: Generator | None = None, out: Any = None, dtype: Any = None,
             device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Any:
    """The integers below ``n`` in random order: PyTorch's CPU stream."""
    dt = dtypes.INT64 if dtype is None else dtypes.to_numpy(dtype)
    g = default_generator if generator is None else generator
    return make(g.randperm(n).astype(dt, copy=False), device, requires_grad, out)


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None,
           out: Any = None, dtype: Any = None, device: Any = None) -> Any:
    """Normal numbers; ``mean`` and ``std`` may be tensors (then of their common shape)."""
    g = default_generator if generator is None else generator
    if size is not None:
        dt = dtypes.default() if dtype is None else dtypes.to_numpy(dtype)
        return make(g.normal(sizes((size,)), float(mean), float(std), dt), device, out=out)
    m, s = (v.array if isinstance(v, engine.Tensor) else v for v in (mean, std))
    if np.any(np.less(s, 0)):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = np.broadcast_shapes(np.shape(m), np.shape(s))
    dt = dtypes.result_dtype([v for v in (m, s) if hasattr(v, "dtype")])
    return make(np.asarray(g.normal(shape, 0.0, 1.0, dt) * s + m, dt), device, out=out)


def bernoulli(input: Any, p: float | None = None, *, generator: Generator | None = None) -> Any:
    """1 with the probability each element gives (or ``p``), else 0; same dtype as ``input``."""
    g = default_generator if generator is None else generator
    if p is not None:
        return wrap(g.bernoulli(input.array.shape, p).astype(input.array.dtype))
    if input.array.size and not (input.array.min() >= 0 and input.array.max() <= 1):
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got probabilities in "
                           f"[{input.array.min()}, {input.array.max()}]")
    return wrap(g.bernoulli_from(input.array).astype(input.array.dtype))


def multinomial(input: Any, num_samples: int, replacement: bool = False, *,
                generator: Generator | None = None) -> Any:
    """Indices drawn with the (unnormalised) probabilities in each row of ``input``."""
    g = default_generator if generator is None else generator
    return wrap(g.multinomial(input.array, num_samples, replacement))


def _random_fill(name: str, draw: Callable[..., Any], doc: str) -> None:
    def fill(self: Any, *args: Any, generator: Generator | None = None, **kwargs: Any) -> Any:
        inplace.check_writable(self)
        g = default_generator if generator is None else generator
        values = draw(g, self.array, *args, **kwargs)
        with no_grad():
            self.array[...] = values
        inplace.wrote(self)
        return self
    fill.__name__, fill.__doc__ = name, doc
    setattr(Tensor, name, fill)


def _random(g: Generator, x: Any, low: Any = None, high: Any = None) -> Any:
    if low is None:
        return g.random(x.shape, x.dtype)
    if high is None:
        low, high = 0, low
    return g.randint(low, high, x.shape)


_random_fill("uniform_", lambda g, x, a=0.0, b=1.0, **names: g.uniform(
    x.shape, names.get("from", a), names.get("to", b), x.dtype),
    "Uniform numbers in [from, to), written here.")
_random_fill("normal_", lambda g, x, mean=0.0, std=1.0: g.normal(x.shape, mean, std, x.dtype),
             "Normal numbers, written here.")
_random_fill("exponential_", lambda g, x, lambd=1.0: g.exponential(x.shape, lambd, x.dtype),
             "Exponential numbers of rate ``lambd``, written here.")
_random_fill("bernoulli_", lambda g, x, p=0.5: (
    g.bernoulli_from(np.broadcast_to(p.array, x.shape)) if isinstance(p, engine.Tensor)
    else g.bernoulli(x.shape, p)), "1 with probability ``p``, else 0, written here.")
_random_fill("random_", _random, "Integers in [from, to), written here.")
Tensor.bernoulli = bernoulli  # type: ignore[method-assign]
Tensor.multinomial = multinomial  # type: ignore[method-assign]
__all__ = ["into"]
