"""``module_db``: every layer class with drawn arguments, and inputs that fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minitorch.testing.db.database import Database, Entry
from minitorch.testing.drawing import st


class Layer(NamedTuple):
    """A layer that any library with PyTorch's names can build: ``lib.nn.NAME(*args, **options)``.

    >>> from hypothesis import find
    >>> import minitorch
    >>> from minitorch.testing import check_grad, module_db
    >>> layer = find(module_db["Linear"].layers(), lambda layer: layer.args == (3, 2))
    >>> layer.build(minitorch)
    Linear(in_features=3, out_features=2, bias=False)
    >>> check_grad(layer.build(minitorch), *layer.inputs(minitorch)).verdict
    'pass'
    """

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    shapes: tuple[tuple[int, ...], ...]  # of its inputs
    dtype: str  # of inputs and parameters
    seed: int
    integers: int = 0  # inputs are integers below this, if not 0

    def build(self, lib: Any) -> Any:
        """The layer, with parameters drawn from the seed (``lib.manual_seed`` is called)."""
        lib.manual_seed(self.seed)
        dtype = {"dtype": getattr(lib, self.dtype)} if self.name in WITH_DTYPE else {}
        return getattr(lib.nn, self.name)(*self.args, **self.options, **dtype)

    def inputs(self, lib: Any, step: int = 0, requires_grad: bool = True) -> list[Any]:
        """Normal numbers of standard deviation 2 (or integers): others for each ``step``."""
        rng = np.random.default_rng((self.seed, step))
        if self.integers:
            return [lib.from_numpy(rng.integers(0, self.integers, s)) for s in self.shapes]
        arrays = [np.asarray(2 * rng.standard_normal(s), self.dtype) for s in self.shapes]
        return [lib.from_numpy(a).requires_grad_(requires_grad) for a in arrays]

    def cotangent(self, lib: Any, shape: Any, step: int = 0) -> Any:
        """Normal numbers to begin a backward pass with at a result of this shape."""
        rng = np.random.default_rng((self.seed, step, 1))
        return lib.from_numpy(np.asarray(rng.standard_normal(tuple(shape)), self.dtype))


class Draw:
    """Short words for what a case draws."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def integer(self, low: int = 1, high: int = 4) -> int:
        return self.draw(st.integers(low, high))

    def flag(self) -> bool:
        return self.draw(st.booleans())

    def choose(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def shape(self, least: int = 0, most: int = 3) -> tuple[int, ...]:
        return tuple([self.integer() for _ in range(self.integer(least, most))])


Case = tuple[tuple[Any, ...], dict[str, Any], tuple[tuple[int, ...], ...]]
CASES: dict[str, Callable[[Draw], Any]] = {}
WITH_DTYPE = {"Linear", "Bilinear", "BatchNorm1d", "LayerNorm", "Embedding", "PReLU"}


def case(function: Callable[[Draw], Any]) -> Callable[[Draw], Any]:
    """File what draws arguments, options and the shapes of inputs under the layer's name."""
    CASES[function.__name__] = function
    return function


def elementwise(name: str, **options: tuple[Any, ...]) -> None:
    """A layer whose options are each chosen from some values and whose input is anything."""
    CASES[name] = lambda d: ((), {k: d.choose(*v) for k, v in options.items() if d.flag()},
                             (d.shape(),))


elementwise("Sigmoid")
elementwise("Tanh")
elementwise("ReLU")
elementwise("ReLU6")
elementwise("LeakyReLU", negative_slope=(0.01, 0.3, 0.0))
elementwise("ELU", alpha=(1.0, 0.5, 2.0))
elementwise("CELU", alpha=(1.0, 0.5, 2.0))
elementwise("SELU")
elementwise("GELU", approximate=("none", "tanh"))
elementwise("SiLU")
elementwise("Softplus", beta=(1.0, 2.0), threshold=(20.0, 1.0))
elementwise("Softsign")
elementwise("LogSigmoid")
elementwise("Hardtanh", min_val=(-1.0, -0.5), max_val=(1.0, 0.3))
elementwise("Dropout", p=(0.0, 0.2, 0.5, 1.0))
elementwise("AlphaDropout", p=(0.0, 0.2, 0.5, 1.0))
elementwise("Identity")


@case
def Linear(d: Draw) -> Case:
    features = d.integer()
    return (features, d.integer()), {"bias": d.flag()}, ((*d.shape(0, 2), features),)


@case
def Bilinear(d: Draw) -> Case:
    a, b, batch = d.integer(), d.integer(), d.shape(1, 2)
    return (a, b, d.integer()), {"bias": d.flag()}, ((*batch, a), (*batch, b))


@case
def PReLU(d: Draw) -> Case:
    shape = d.shape(1, 3)
    channels = shape[1] if len(shape) > 1 else 1
    return (d.choose(1, channels),), {"init": d.choose(0.25, 0.5)}, (shape,)


@case
def Softmax(d: Draw) -> Case:
    shape = d.shape(1)
    return (d.integer(-len(shape), len(shape) - 1),), {}, (shape,)


CASES["LogSoftmax"] = Softmax


@case
def Flatten(d: Draw) -> Case:
    shape = d.shape(2, 4)
    start = d.integer(0, len(shape) - 1)
    return (), d.choose({}, {"start_dim": start, "end_dim": d.integer(start, len(shape) - 1)}), (
        shape,)


@case
def Unflatten(d: Draw) -> Case:
    a, b = d.integer(), d.integer()
    return (1, (a, b)), {}, ((d.integer(), a * b, *d.shape(0, 1)),)


@case
def BatchNorm1d(d: Draw) -> Case:
    # Of two values per channel the gradient is the difference of nearly equal numbers.
    channels = d.integer()
    options = {"eps": d.choose(1e-5, 1e-2), "momentum": d.choose(0.1, 0.5, None),
               "affine": d.flag(), "track_running_stats": d.flag(), "bias": d.flag()}
    return (channels,), options, ((d.integer(3, 6), channels, *d.shape(0, 1)),)


@case
def LayerNorm(d: Draw) -> Case:
    shape = (*d.shape(0, 2), d.integer(3, 5))
    last = shape[-d.integer(1, len(shape)):]
    options = {"eps": d.choose(1e-5, 1e-2), "elementwise_affine": d.flag(), "bias": d.flag()}
    return (d.choose(last, list(last), *last[len(last) - 1:len(last) if len(last) == 1 else 0]),
            ), options, (shape,)


@case
def CosineSimilarity(d: Draw) -> Case:
    shape = d.shape(1)
    return (d.integer(-len(shape), len(shape) - 1),), {"eps": d.choose(1e-8, 1e-2)}, (shape, shape)


@case
def PairwiseDistance(d: Draw) -> Case:
    shape = d.shape(1, 2)
    return (d.choose(1.0, 2.0, 3.0),), {"keepdim": d.flag()}, (shape, shape)


@case
def Embedding(d: Draw) -> Case:
    n = d.integer()
    return (n, d.integer()), {"padding_idx": d.choose(None, 0, -1, n - 1)}, (d.shape(),)


@st.composite
def layers(draw: Any, name: str) -> Layer:
    """Any instance of one layer class."""
    args, options, shapes = CASES[name](Draw(draw))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    integers = args[0] if name == "Embedding" else 0
    return Layer(name, args, options, shapes, dtype, draw(st.integers(0, 2**32 - 1)), integers)


@dataclass(frozen=True)
class LayerClass(Entry):
    """One layer class of ``nn``, by its name."""

    name: str

    def layers(self) -> st.SearchStrategy[Layer]:
        """A strategy for layers of this class, of float32 or float64, with inputs that fit."""
        return layers(self.name)


# Losses are functions: op_db has them. Containers have no arguments to draw.
module_db = Database(map(LayerClass, CASES))
