"""Hypothesis strategies for tests of array code: shapes, dtypes, layouts, values and tensors.

    from hypothesis import given
    from minitorch.testing.strategies import arrays, broadcastable_shapes, tensors

Hypothesis draws shapes, dtypes, memory layouts and one seed; NumPy makes the numbers from it, so an
array of any size costs one draw. Shrinking finds the smallest arrays in the plainest layout, while
the numbers in them stay random: decimals as short as their count allows.
(``hypothesis.extra.numpy.arrays`` draws and shrinks each number.)
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.testing.drawing import hnp, hypothesis, st
from minitorch.testing.layouts import LAYOUTS, laid_out
from minitorch.testing.values import Numbers

__all__ = ["LAYOUTS", "arrays", "broadcastable_shapes", "dtypes", "laid_out", "layouts", "shapes",
           "tensors", "values"]

Shape = tuple[int, ...]
DTYPES = {"float": ("float32", "float64", "float16"),
          "int": ("int64", "int32", "int16", "int8", "uint8"), "bool": ("bool",)}


def shapes(*, min_dims: int = 0, max_dims: int = 3, min_side: int = 1,
           max_side: int = 4) -> st.SearchStrategy[Shape]:
    """Shapes, from 0-d on; with ``min_side=0`` also those of empty arrays.

    >>> from hypothesis import find
    >>> from minitorch.testing.strategies import shapes
    >>> find(shapes(), lambda shape: len(shape) == 2)
    (1, 1)
    >>> find(shapes(min_side=0), lambda shape: 0 in shape)
    (0,)
    """
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side,
                            max_side=max_side)


def broadcastable_shapes(signature: str | int, *, min_dims: int = 0, max_dims: int = 2,
                         min_side: int = 1,
                         max_side: int = 4) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Shapes of the inputs of a function, one tuple of them.

    ``signature``: the core dimensions in NumPy's gufunc notation, "(n,k),(k,m)->(n,m)" (the output
    may be left out); before them stand up to ``max_dims`` others that broadcast. Or a number: so
    many shapes that broadcast together.

    >>> from hypothesis import find
    >>> from minitorch.testing.strategies import broadcastable_shapes
    >>> find(broadcastable_shapes("(n,k),(k,m)"), lambda shapes: shapes[0][0] == 2)
    ((2, 1), (1, 1))
    >>> find(broadcastable_shapes(3), lambda shapes: True)
    ((), (), ())
    """
    options: Any = dict(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)
    if isinstance(signature, int):
        drawn = hnp.mutually_broadcastable_shapes(num_shapes=signature, **options)
    else:
        drawn = hnp.mutually_broadcastable_shapes(
            signature=signature if "->" in signature else f"{signature}->()", **options)
    return drawn.map(lambda found: found.input_shapes)


def dtypes(*kinds: str, lib: Any = None) -> st.SearchStrategy[Any]:
    """Dtypes that NumPy, PyTorch and minitorch share: of the kinds "float", "int" and "bool" (all
    if none is given), or named; NumPy's, or those of a tensor library ``lib``.

    >>> from hypothesis import find
    >>> import minitorch
    >>> from minitorch.testing.strategies import dtypes
    >>> find(dtypes("float"), lambda dtype: dtype.itemsize == 8)
    dtype('float64')
    >>> find(dtypes("float16", "int", lib=minitorch), lambda dtype: not dtype.is_floating_point)
    torch.int64
    """
    names = [name for kind in kinds or DTYPES for name in DTYPES.get(kind, (kind,))]
    if lib is None or lib is np:
        return st.sampled_from([np.dtype(name) for name in names])
    return st.sampled_from([getattr(lib, name) for name in names])


def layouts(lib: Any = np) -> st.SearchStrategy[str]:
    """Names of memory layouts, for ``laid_out`` and for ``layout=``: all for NumPy; for tensors not
    "negative", which they lack.

    >>> from hypothesis import given
    >>> import numpy as np
    >>> from minitorch.testing.strategies import arrays, layouts
    >>> @given(arrays(layout=layouts()))
    ... def test_layout_does_not_matter(x):
    ...     np.testing.assert_array_equal(np.tanh(x), np.tanh(np.array(x, order="C")))
    >>> test_layout_does_not_matter()
    """
    return st.sampled_from([name for name in LAYOUTS if lib is np or name != "negative"])


def values(kind: str = "smooth", *, kinks: Sequence[float] = (0.0,), low: float = -2.0,
           high: float = 2.0, gap: float = 0.1) -> st.SearchStrategy[float]:
    """Single numbers, of the same kinds as in ``arrays``; they shrink to the simplest.

    >>> from hypothesis import find
    >>> from minitorch.testing.strategies import values
    >>> find(values(), lambda x: True), find(values("ties", kinks=[0.5]), lambda x: True)
    (1.0, 0.5)
    >>> find(values("edges", low=0), lambda x: x > 100)
    851.7392...
    """
    return st.sampled_from(Numbers(kind, kinks, low, high, gap).single())


@st.composite
def arrays(draw: Any, shape: Any = None, dtype: Any = "float64", *, kind: str = "smooth",
           kinks: Sequence[float] = (0.0,), low: float = -2.0, high: float = 2.0,
           gap: float = 0.1, layout: Any = "C") -> Any:
    """NumPy arrays.

    ``shape``, ``dtype`` and ``layout`` are given, or strategies; without a shape it is any. A tuple
    of shapes gives a tuple of arrays. The ``kind`` of float values:

    - "smooth": all distinct, between ``low`` and ``high`` and at least ``gap`` away from each of
      the ``kinks``: where a derivative can be measured. Distinct too are those of a tuple's arrays
      (if of one dtype); arrays drawn apart may tie, and an expanded layout repeats its numbers;
    - "ties": every second one exactly at a kink, the others from a few small numbers;
    - "edges": also infinities, nan, -0, the largest and the smallest numbers, and those whose
      exponential overflows. None is negative if ``low`` is not.

    Where a shape has no such layout (0-d, or for "expanded" no axis longer than 1) it is "C".
    Integers lie between ``low`` and ``high``, or at the ends of their dtype for "edges". Raises
    ValueError if the kinks leave no room, or the dtype lacks so many distinct numbers.

    >>> from hypothesis import given, settings
    >>> import numpy as np
    >>> from minitorch.testing import check_grad
    >>> from minitorch.testing.strategies import arrays, broadcastable_shapes
    >>> @settings(max_examples=20, deadline=None)
    ... @given(arrays(broadcastable_shapes("(n,k),(k,m)", max_dims=0)))
    ... def test_matmul(xs):
    ...     check_grad((np.matmul, lambda g, x, y: (g @ y.T, x.T @ g)), *xs)
    >>> test_matmul()
    """
    numbers = Numbers(kind, kinks, low, high, gap)
    given = _drawn(draw, shapes() if shape is None else shape)
    several = not isinstance(given, int) and len(given) > 0 and not isinstance(given[0], int)
    sizes = [tuple(s) for s in given] if several else [
        (given,) if isinstance(given, int) else tuple(given)]
    kinds = [_numpy(_drawn(draw, dtype)) for _ in sizes]
    names = [_drawn(draw, layout) for _ in sizes]
    lengths = [_lengths(draw, size, name) for size, name in zip(sizes, names)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if len(set(kinds)) == 1:  # one pool: no number ties with one of another array
        counts = np.cumsum([int(np.prod(n)) for n in lengths])
        pool = numbers.make(rng, (int(counts[-1]),), kinds[0])
        parts = [p.reshape(n) for p, n in zip(np.split(pool, counts[:-1]), lengths)]
    else:
        parts = [numbers.make(rng, n, kind) for n, kind in zip(lengths, kinds)]
    out = []
    for i, (part, size, name) in enumerate(zip(parts, sizes, names)):
        x = np.broadcast_to(part, size)
        usual = (not x.ndim and name != "strided") or (name == "expanded" and part.shape == size)
        out.append(laid_out(x, "C" if usual else name))
        if name != "C" and hypothesis.currently_in_test_context():
            hypothesis.note(f"array {i} of shape {size} has the layout {name}, "
                            f"strides {out[-1].strides}")
    return tuple(out) if several else out[0]


@st.composite
def tensors(draw: Any, shape: Any = None, dtype: Any = None, *, lib: Any = None,
            requires_grad: Any = False, **options: Any) -> Any:
    """Tensors of ``lib``: minitorch (if not given), torch, or a library that has ``from_numpy``;
    with ``lib=numpy``, arrays.

    ``dtype`` is the library's default float if not given; ``requires_grad`` is True, False or a
    strategy, and counts for floats only; ``shape`` and the other options are those of ``arrays``,
    except that tensors have no negative strides. Each is a leaf.

    >>> from hypothesis import find, given, settings
    >>> import minitorch as torch
    >>> from minitorch.testing import check_grad
    >>> from minitorch.testing.strategies import broadcastable_shapes, tensors
    >>> @settings(max_examples=20, deadline=None)
    ... @given(tensors(broadcastable_shapes(2), lib=torch, requires_grad=True))
    ... def test_gradient_of_maximum(xs):
    ...     check_grad(torch.maximum, *xs)
    >>> test_gradient_of_maximum()
    >>> find(tensors((2,), kind="ties", kinks=[1.0], lib=torch), lambda x: (x == 1).all())
    tensor([1., 1.])
    """
    lib = importlib.import_module("minitorch") if lib is None else lib
    if lib is np:
        return draw(arrays(shape, "float64" if dtype is None else dtype, **options))
    drawn = draw(arrays(shape, lib.get_default_dtype() if dtype is None else dtype, **options))
    if isinstance(drawn, tuple):
        return tuple([_tensor(draw, lib, x, requires_grad) for x in drawn])
    return _tensor(draw, lib, drawn, requires_grad)


def _drawn(draw: Any, value: Any) -> Any:
    return draw(value) if isinstance(value, st.SearchStrategy) else value


def _tensor(draw: Any, lib: Any, x: np.ndarray, requires_grad: Any) -> Any:
    t = lib.from_numpy(x)
    return t.requires_grad_() if x.dtype.kind == "f" and _drawn(draw, requires_grad) else t


def _numpy(dtype: Any) -> np.dtype[Any]:
    """NumPy's dtype for a name, or for that of any library ("torch.float32")."""
    try:
        return np.dtype(dtype)
    except TypeError:
        return np.dtype(str(dtype).rpartition(".")[2])


def _lengths(draw: Any, shape: Shape, layout: str) -> Shape:
    """The shape before it is expanded along one axis."""
    axes = [i for i, n in enumerate(shape) if n > 1]
    if layout != "expanded" or not axes:
        return shape
    axis = draw(st.sampled_from(axes))
    return (*shape[:axis], 1, *shape[axis + 1:])
